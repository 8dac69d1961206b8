# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 1 Study area and data
#
# ## Overview
#
# A susceptibility map needs two things: places where slopes have failed, and what is known about every place. This chapter gathers both kinds
# of sources, section 2 of {cite:t}`yao2026`, and brings the second kind onto one grid: the fifteen
# {term}`conditioning factors <conditioning factor>`.
#
# **You will learn** (1) how a data folder is described so that any area can be used, (2) how slope, aspect and wetness are made from a terrain
# model, step by step, (3) how rasters, vectors, tables and a NetCDF in different reference systems become layers on one grid, (4) how coarse each
# source is.
#
# **Before you start**
#
# | concept | needed | notes |
# |---|---|---|
# | coordinate reference systems | helpful | the grid is always in metres |
# | reading a map of slope and aspect | helpful | explained below |
#
# **Time to learn** about 30 minutes. The time to run is on the page *How long it took*.

# %% tags=["parameters"]
run_dir: str = ""  # folder of the run; empty: runs/alone here, earlier chapters made first at the smallest size
seed: int = 0  # seed of every random choice
profile: str = "quick"  # name of the parameter set, shown in the book
data: str = ""  # data folder; empty: the built-in simulated mountain
catalog: str = ""  # catalog.yml that describes the data folder; empty: the one inside it
n_jobs: int = 2  # processor cores to use
width_km: float = 8.0  # east-west size of the simulated mountain, km
height_km: float = 6.0  # north-south size of the simulated mountain, km
chips_per_platform: int = 60  # image chips simulated for each platform of Table 1
cell_size_m: float = 12.5  # cell size of the analysis grid, m
crs: str = ""  # CRS in metres of the analysis grid; empty: the DEM's, or its UTM zone
factors: list = []  # factors to use; empty: all that the sources allow
coarse_ratio: float = 10.0  # warn when a source is this many times coarser than the grid

# %%
import numpy as np
import pyflwdir
import rioxarray
import xrspatial

from lsa_helpers.factors.build import build_factors, describe
from lsa_helpers.factors.terrain import flow_directions
from lsa_helpers.paper import published_table
from lsa_helpers.raster import cell_size, write_factors
from lsa_helpers.runner.params import DataParams
from lsa_helpers.runner.pipeline import make_data, open_run
from lsa_helpers.show import data as show
from lsa_helpers.show import style
from lsa_helpers.sources import source_table
from lsa_helpers.sources.layers import read_dem, target_grid

style.use()
p = DataParams.from_cell(globals())
run = open_run(p, "01_data")

# %% [markdown]
# ## The sources
#
# A data folder carries a file `catalog.yml` that says which file is the DEM, which the roads, and so on. Nothing else tells the chapters where
# data are: change the folder and everything below is about another place. Without a data folder the chapter makes the built-in *simulated
# mountain*: a landscape with known truth, written in the same formats and the same folders as the paper's own sources.

# %%
catalog = make_data(p, run)
sources = source_table(catalog)
run.write_table(sources, "sources")
sources[["entry", "kind", "crs", "resolution", "source"]].set_index("entry")

# %% [markdown]
# For comparison, Table 2 of the paper lists its sources as follows. The simulated mountain imitates their formats, resolutions and reference
# systems; a folder of your own may have fewer, and each one missing only drops its factor.

# %%
published_table(2).style.hide(axis="index")

# %% [markdown]
# ## A terrain model
#
# Seven of the fifteen factors come from one file, the digital elevation model (DEM). `rioxarray` opens it as an array that knows its coordinates
# and its reference system, here metres east and north in a UTM zone.

# %%
with rioxarray.open_rasterio(catalog.path(catalog.dem), masked=True) as raw:
    print(raw.rio.crs, "cells of", raw.rio.resolution(), "nodata", raw.rio.encoded_nodata)

# %% [markdown]
# All layers have to lie on one *grid* of square cells, otherwise no cell could be compared with itself. The grid takes the DEM's extent and reference
# system, and the cell size asked for. Where the two lattices differ the DEM is resampled bilinearly: a new cell is a weighted mean of the four old
# ones around its centre.

# %%
grid = target_grid(catalog, p.cell_size_m, p.crs)
dem = read_dem(catalog, grid)
dem

# %% [markdown]
# **Slope and aspect.** Both come from the two derivatives of the surface, east and north, which {cite:t}`horn1981` estimates from the eight
# neighbours of a cell. With $g$ and $h$ for them the slope is $\arctan\sqrt{g^2+h^2}$, and the aspect the direction in which the ground falls
# fastest, in degrees clockwise from north. `xrspatial` does it for a whole raster.

# %%
slope = xrspatial.slope(dem, boundary="nearest")
aspect = xrspatial.aspect(dem, boundary="nearest")
float(slope.median()), float(slope.max())

# %% [markdown]
# **Wetness.** Water collects where much ground drains through one place and runs off slowly. So three things are needed: where the water of each cell
# goes (`flow_directions`, the steepest of eight neighbours on a DEM whose pits are filled), how many cells drain through each cell (`pyflwdir` counts
# along the flow), and the slope. The wetness index of {cite:t}`beven1979` is $\ln(a/\tan b)$ with the {term}`catchment area` $a$ per metre of contour
# and the slope $b$.

# %%
directions = flow_directions(dem.values)
flow = pyflwdir.from_array(directions, ftype="d8")
cells_upstream = flow.upstream_area(unit="cell")
area_per_metre = cells_upstream * cell_size(dem)  # cells · cell² / cell
wetness = np.log(area_per_metre / np.maximum(np.tan(np.radians(slope)), 1e-3))

# %% mystnb={"figure": {"caption": "From a terrain model to factors: slope and aspect from the neighbours of a cell, wetness from all cells above it.", "name": "fig-01-terrain"}, "image": {"alt": "Three maps side by side of the study area: slope in degrees, aspect in degrees clockwise from north, and topographic wetness index"}}
steps = {
    "Slope": slope.assign_attrs(units="degrees"),
    "Aspect": aspect.assign_attrs(units="degrees from north"),
    "Wetness index": wetness.assign_attrs(units="ln m"),
}
style.save(show.terrain_steps(steps), run, "terrain_steps")

# %% [markdown]
# Look at the valleys: slope does not know them, wetness draws them. Two cells with the same slope may be as dry as a ridge or as wet as a river.
#
# ## All fifteen factors
#
# The other layers are brought to the same grid. Continuous rasters are resampled bilinearly, classes by the nearest neighbour, polygons are
# burnt in, distances are measured to the nearest cell a line touches, and the strong-motion stations are interpolated by inverse distance. What
# could not be made, and what comes from a source much coarser than the grid, is listed:

# %%
factors, notes = build_factors(
    catalog, cell_size_m=p.cell_size_m, crs=p.crs, wanted=p.factors, coarse_ratio=p.coarse_ratio
)
write_factors(run.product("factors.tif"), factors)
print("\n".join(notes) or "Every factor was made, from sources fine enough for the grid.")

# %% mystnb={"figure": {"caption": "The study area with altitude as shaded relief, and the line sources that were read.", "name": "fig-01-area"}, "image": {"alt": "Shaded relief map of the study area coloured by altitude with rivers, roads and faults drawn as lines"}}
style.save(show.study_area(catalog, dem.to_dataset(name="altitude")), run, "study_area")

# %% [markdown]
# The table says what each factor is, and how far its values reach. Curvatures follow {cite:t}`zevenbergen1987` (plan curvature is positive where the
# contours bulge outward, profile curvature negative where the slope is convex), ruggedness {cite:t}`riley1999`.

# %%
facts = describe(factors)
run.write_table(facts, "factors")
facts.set_index("factor")[["unit", "minimum", "median", "maximum", "native resolution (m)"]]

# %% mystnb={"figure": {"caption": "The conditioning factors on the analysis grid. Colour scales run from the 2nd to the 98th percentile.", "name": "fig-01-factors"}, "image": {"alt": "Small maps of all conditioning factors of the study area, each with its own colour scale and unit or class legend"}}
style.save(show.factor_panels(factors), run, "factors")

# %% [markdown]
# Some of these maps repeat each other: {term}`TRI` and slope look alike, because a steep cell differs from its neighbours. Chapter 4 measures how
# far such factors can stand in for each other.
#
# ## Try it
#
# ```{exercise-start}
# :label: ex-01-steep
# ```
#
# Which share of the study area is steeper than 30°? Guess from the map of slope first.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-01-steep
# :class: dropdown
# ```

# %%
steep = slope > 30
print(f"{float(steep.where(slope.notnull()).mean()):.1%} of the area is steeper than 30°.")

# %% [markdown]
# ```{solution-end}
# ```
#
# Three changes to make with papermill, each a command in a terminal:
#
# - `papermill notebooks/01_data.ipynb out.ipynb -p seed 7`: another mountain.
# - `papermill notebooks/01_data.ipynb out.ipynb -p cell_size_m 30`: what does a coarser grid do to slope?
# - `papermill notebooks/01_data.ipynb out.ipynb -y "factors: [slope, aspect, twi]"`: a smaller stack.

# %% [markdown]
# ## Summary
#
# The raster `factors.tif` holds one band per factor on one grid, with units, sources and native resolutions beside it in `factors.json`.
# Where a source was missing its factor is missing too, and the note above says so.
#
# ## What's next
#
# Chapter 2 finds the landslides in the images.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`yao2026,xu2024,horn1981,zevenbergen1987`.
