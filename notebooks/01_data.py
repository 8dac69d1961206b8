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
# **You will learn** (1) how a data folder is described so that any area can be used, (2) how rasters, vectors, tables and a NetCDF in different
# reference systems become one stack of factors, (3) what each factor means and how coarse its source is.
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
from lsa_helpers.detect.chips import count_table
from lsa_helpers.detect.layouts import list_chips
from lsa_helpers.factors import describe, write_stack
from lsa_helpers.factors.build import build_factors
from lsa_helpers.paper import published_table
from lsa_helpers.runner import pipeline
from lsa_helpers.runner.params import DataParams
from lsa_helpers.show import data as show
from lsa_helpers.show import style
from lsa_helpers.sources import source_table

style.use()
p = DataParams.from_cell(globals())
run = pipeline.open_run(p, "01_data")

# %% [markdown]
# ## The sources
#
# A data folder carries a file `catalog.yml` that says which file is the DEM, which the roads, and so on. Nothing else tells the chapters where
# data are: change the folder and everything below is about another place. Without a data folder the chapter makes the built-in *simulated
# mountain*: a landscape with known truth, written in the same formats and the same folders as the paper's own sources.

# %%
sources = pipeline.make_data(p, run)
table = source_table(sources)
run.write_table(table, "sources")
table.drop(columns="license").style.hide(axis="index")

# %% [markdown]
# For comparison, Table 2 of the paper lists its sources as follows. The simulated mountain imitates their formats, resolutions and reference
# systems; a folder of your own may have fewer, and each one missing only drops its factor.

# %%
published_table(2).style.hide(axis="index")

# %% [markdown]
# ## The images
#
# The detector of the next chapter learns from image chips with landslide masks. The paper uses five parts of the CAS Landslide Dataset
# {cite:p}`xu2024` and images of its own (Table 1). Counted from the folder:

# %%
chips = list_chips(sources)
images = count_table(chips) if chips else "This data folder holds no image chips: chapter 02 will say so and pass on."
if chips:
    run.write_table(images, "image_table")
images

# %% mystnb={"figure": {"caption": "Examples of the image collection. Yellow lines outline the mapped landslides; the width of each image on the ground stands below it.", "name": "fig-01-chips"}, "image": {"alt": "Six satellite image chips of mountain slopes from different platforms, mapped landslides outlined in yellow"}}
style.save(show.chip_gallery(chips), run, "chips") if chips else None

# %% [markdown]
# ## The grid and the fifteen factors
#
# Everything is brought to one grid of square cells in metres. Continuous rasters are resampled bilinearly, classes by the nearest neighbour,
# polygons are burnt in, distances are measured to the nearest cell a line touches, and the strong-motion stations are interpolated by inverse
# distance. What could not be made, and what comes from a source much coarser than the grid, is listed:

# %%
stack, notes = None, ["This data folder holds images only: no map layers, so there are no factors and no grid."]
if sources.dem:
    options = {"cell_size": p.cell_size_m, "crs": p.crs, "wanted": p.factors, "coarse_ratio": p.coarse_ratio}
    stack, notes = build_factors(sources, **options)
    write_stack(stack, run)
print("\n".join(notes) or "Every factor was made, from sources fine enough for the grid.")

# %% mystnb={"figure": {"caption": "The study area with altitude as shaded relief, and the line sources that were read.", "name": "fig-01-area"}, "image": {"alt": "Shaded relief map of the study area coloured by altitude with rivers, roads and faults drawn as lines"}}
style.save(show.study_area(sources, stack), run, "study_area") if stack else None

# %% [markdown]
# The table says what each factor is, and how far its values reach. Slope and aspect follow {cite:t}`horn1981`, the curvatures
# {cite:t}`zevenbergen1987` (plan curvature is positive where the contours bulge outward, profile curvature negative where the slope is convex),
# ruggedness {cite:t}`riley1999`, and the wetness index $\ln(a/\tan b)$ {cite:t}`beven1979` with the {term}`catchment area` $a$ per metre of
# contour and the slope $b$.

# %%
facts = describe(stack) if stack else None
run.write_table(facts, "factors") if stack else None
facts

# %% mystnb={"figure": {"caption": "The conditioning factors on the analysis grid. Colour scales run from the 2nd to the 98th percentile.", "name": "fig-01-factors"}, "image": {"alt": "Small maps of all conditioning factors of the study area, each with its own colour scale and unit or class legend"}}
style.save(show.factor_panels(stack), run, "factors") if stack else None

# %% [markdown]
# Some of these maps repeat each other: {term}`TRI` and slope look alike, because a steep cell differs from its neighbours. Chapter 4 measures how
# far such factors can stand in for each other.

# %% [markdown]
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
if stack:
    slope = stack.band("slope")[stack.valid]
    print(f"{(slope > 30).mean():.1%} of the area is steeper than 30°.")

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
# The factor stack `factors.tif` holds one band per factor on one grid, with units, sources and native resolutions beside it in `factors.json`.
# Where a source was missing its factor is missing too, and the note above says so.
#
# ## What's next
#
# Chapter 2 finds the landslides in the images.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`yao2026,xu2024,horn1981,zevenbergen1987`.
