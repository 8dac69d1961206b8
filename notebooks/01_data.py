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
# | you will learn | the experiment that shows it |
# |---|---|
# | how slope, aspect, curvature and wetness are made from a terrain model | each step and its map; {ref}`exercise <ex-01-steep>`: the share of steep ground |
# | how layers in different reference systems, and of any kind, become one grid | fifteen factors in one call; `lsa try quick 01 -p factors "[slope, aspect, twi]"` |
# | what a coarse source hides | the native resolution of each factor; {ref}`exercise <ex-01-coarse>`: the same slopes on coarser grids |
# | what each factor means, and where it misleads | expected signs held against the ground inside and around landslides |
#
# **Before you start** you need nothing. It helps to know coordinate reference systems (the grid is always in metres) and to have read a map of slope
# and aspect; both are explained below.
#
# **Time to learn** about 30 minutes to read, as long again for the exercises. The time to run is on the page *How long it took*.

# %% tags=["parameters"]
run_dir: str = ""  # folder of the run; empty: runs/alone here, earlier chapters made first at the smallest size
seed: int = 0  # seed of every random choice
profile: str = "quick"  # name of the parameter set, shown in the book
data: str = ""  # data folder; empty: the built-in simulated mountain
catalog: str = ""  # catalog.yml that describes the data folder; empty: the one inside it
n_jobs: int = 2  # processor cores to use
chunk: int = 0  # edge of a block of cells, for areas larger than memory (512 is good); 0: rasters in memory
width_km: float = 8.0  # east-west size of the simulated mountain, km
height_km: float = 6.0  # north-south size of the simulated mountain, km
chips_per_platform: int = 60  # image chips simulated for each platform of Table 1
cell_size_m: float = 0.0  # cell size of the analysis grid, m; 0: the DEM's own
crs: str = ""  # CRS in metres of the analysis grid; empty: the DEM's, or its UTM zone
factors: list = []  # factors to use; empty: all that the sources allow

# %%
from tempfile import TemporaryDirectory

import geopandas as gpd
import numpy as np
import pandas as pd
import pyflwdir
import rioxarray
import xarray as xr
import xrspatial
from rasterio.features import rasterize
from scipy.ndimage import distance_transform_edt

from lsa_helpers import answers, validation
from lsa_helpers.errors import remarks
from lsa_helpers.factors.build import build_factors, describe
from lsa_helpers.factors.terrain import curvatures, flow_directions, one_ring_wider
from lsa_helpers.paper import published_table
from lsa_helpers.raster import (
    cell_size,
    known_cells,
    read_factors,
    read_raster,
    write_factors,
    write_raster,
)
from lsa_helpers.runner.params import DataParams
from lsa_helpers.runner.pipeline import open_run
from lsa_helpers.runner.world import make_data
from lsa_helpers.show import data as show
from lsa_helpers.show import style
from lsa_helpers.sources import (
    is_raster,
    read_dem,
    read_inventory,
    source_table,
    station_error,
    target_grid,
)
from lsa_helpers.validation import bounds

style.use()
p = DataParams.from_cell(globals())
run = open_run(p, "01_data")

# %% [markdown]
# ## The sources
#
# A data folder carries a file `catalog.yml` that says which file is the DEM, which the roads, and so on. Nothing else tells the chapters where
# data are: change the folder and everything below is about another place. Without a data folder the chapter makes the built-in *simulated
# mountain*: a landscape with known truth, written in the same formats and the same folders as the paper's own sources. Its rules, hidden ones too, are on the
# page *How the mountain was made*, in the books of runs that made one.

# %%
catalog = make_data(p, run)
sources = source_table(catalog)
run.write_table(sources, "sources")
sources[["entry", "kind", "crs", "resolution", "source"]].style.hide(axis="index").format(escape="html")

# %% [markdown]
# For comparison, Table 2 of the paper lists its sources as follows. The simulated mountain imitates their formats, resolutions and reference
# systems; a folder of your own may have fewer, and each one missing only drops its factor.

# %%
published_table(2).style.hide(axis="index")

# %% [markdown]
# ## A terrain model on a grid
#
# Seven of the fifteen factors come from one file, the digital elevation model (DEM). `rioxarray` opens it as an array that knows its coordinates
# and its reference system. Nothing is read yet, only what the file says of itself.

# %%
with rioxarray.open_rasterio(catalog.path(catalog.dem), masked=True) as file:
    display(file)

# %% [markdown]
# All layers have to lie on one *grid* of square cells, or one cell of the map would mean a different place in every layer. The grid takes the DEM's extent and
# reference system (its UTM zone, where the DEM is in degrees) and its cell size, or the one asked for. On the DEM's own lattice nothing is
# resampled. A coarser DEM is brought to a finer grid by cubic convolution, whose surface bends smoothly; a bilinear one would be made of flat
# facets, with all curvature on the lines between them.

# %%
grid = target_grid(catalog, p.cell_size_m, p.crs)
altitude = read_dem(catalog, grid)
altitude

# %% [markdown]
# ## Slope and aspect from nine cells
#
# How steep is one cell? Only its neighbours can tell. With the altitudes $z_1 \dots z_9$ of the cell and its eight neighbours, row by row from the
# north-west, and the cell size $s$, {cite:t}`horn1981` estimates how much the ground rises per metre to the east and to the north:
#
# $$ g = \frac{(z_3 + 2 z_6 + z_9) - (z_1 + 2 z_4 + z_7)}{8 s}, \qquad h = \frac{(z_1 + 2 z_2 + z_3) - (z_7 + 2 z_8 + z_9)}{8 s}. $$
#
# The slope is $\arctan\sqrt{g^2 + h^2}$. The aspect is the direction in which the ground falls fastest, in degrees clockwise from north; flat cells have
# none and get −1. Here is the cell in the middle of the grid, by hand. (Of an area more than 2000 cells wide or high this lesson looks at its middle
# only; the factors below are made of all of it.)

# %%
dem = altitude.isel({axis: slice(max(0, n // 2 - 1000), n // 2 + 1000) for axis, n in altitude.sizes.items()})
row, col = (length // 2 for length in dem.shape)
z = dem.values[row - 1 : row + 2, col - 1 : col + 2]
weights = np.array([1, 2, 1])
east = weights @ (z[:, 2] - z[:, 0]) / (8 * cell_size(dem))
north = weights @ (z[0] - z[2]) / (8 * cell_size(dem))
by_hand = {
    "slope (°)": np.degrees(np.arctan(np.hypot(east, north))),
    "aspect (°)": np.degrees(np.arctan2(-east, -north)) % 360,
}
z

# %% [markdown]
# `xarray-spatial` does the same for every cell of a raster, in memory or in chunks of one that is larger. The outermost cells lack neighbours, so the
# DEM is first continued by one cell along a straight line; the ring is cut off again.

# %%
wide = one_ring_wider(dem)
slope = xrspatial.slope(wide)[1:-1, 1:-1]
slope = slope.assign_attrs(long_name="Slope", units="°", kind="continuous")
aspect = xrspatial.aspect(wide)[1:-1, 1:-1]
aspect = aspect.assign_attrs(long_name="Aspect", units="° from north", kind="circular")
for_all = {"slope (°)": slope.values[row, col], "aspect (°)": aspect.values[row, col]}
pd.DataFrame({"by hand": by_hand, "xarray-spatial": for_all}, dtype=float).round(3)

# %% mystnb={"figure": {"caption": "Slope, and the direction it faces: north is pale, south dark.", "name": "fig-01-slope"}, "image": {"alt": "Two maps of the study area side by side, slope in degrees and aspect in degrees clockwise from north, valley sides facing each other in different colours"}}
style.save(show.factor_panels(xr.Dataset({"slope": slope, "aspect": aspect}), columns=2), run, "slope_aspect")

# %% [markdown]
# ## How the ground bends
#
# Two places of the same slope differ if one lies in a hollow, where water comes together, and the other on a nose, where it parts. The second
# derivatives of the surface tell them apart, after {cite:t}`zevenbergen1987`. **Plan curvature** is measured along the contour: positive where contours
# bulge outward, negative in hollows. **Profile curvature** is measured down the slope: negative where the slope steepens downhill (convex), positive
# where it flattens (concave).

# %%
plan, profile = curvatures(dem)
plan = plan.assign_attrs(long_name="Plan curvature", units="1/m", kind="continuous")
profile = profile.assign_attrs(long_name="Profile curvature", units="1/m", kind="continuous")

# %% mystnb={"figure": {"caption": "The ground's two curvatures; noses and ridges stand out on the left, breaks of slope on the right.", "name": "fig-01-curvature"}, "image": {"alt": "Two maps of the study area side by side, plan curvature and profile curvature in one per metre, ridges and hollows in opposite colours"}}
style.save(show.factor_panels(xr.Dataset({"plan": plan, "profile": profile}), columns=2), run, "curvatures")

# %% [markdown]
# ## Where the water goes
#
# Slope and curvature know nine cells. Wetness must know the whole hillside above a cell. Three steps lead there:
#
# 1. *Directions.* The DEM's pits are filled, for they would swallow the water, and each cell then drains to the steepest of its eight neighbours.
# 2. *Catchment.* `pyflwdir` follows these directions downhill and counts the cells that drain through each cell.
# 3. *Wetness.* Much water and a gentle slope make wet ground. The index of {cite:t}`beven1979` is $\ln(a / \tan b)$ with the {term}`catchment area`
#    $a$ per metre of contour and the slope $b$. On flat ground it would be infinite, so $\tan b$ counts as 0.001 at least.

# %%
directions = flow_directions(dem.values)  # 1 east, 2 south-east, 4 south … 128 north-east, 0 outlet
flow = pyflwdir.from_array(directions, ftype="d8", check_ftype=False)
upstream = dem.copy(data=flow.upstream_area(unit="cell")).where(dem.notnull())
outlets = float(upstream.where(directions == 0).sum()) / int(dem.notnull().sum())
print(f"The outlets at the border drain {outlets:.0%} of all cells.")

# %%
area_per_metre = upstream * cell_size(dem)  # cells · m² / m
tan_slope = np.maximum(np.tan(np.radians(slope)), 1e-3)
wetness = np.log(area_per_metre / tan_slope)
wetness = wetness.assign_attrs(long_name="Topographic wetness index", units="ln m", kind="continuous")
catchment = np.log10(upstream * cell_size(dem) ** 2)
catchment = catchment.assign_attrs(long_name="Catchment area", units="log₁₀ m²", kind="continuous")

# %% mystnb={"figure": {"caption": "Water gathers cell by cell (left); divided by the slope this becomes the wetness index (right).", "name": "fig-01-water"}, "image": {"alt": "Two maps of the study area side by side, catchment area as a network of thin bright channels and the topographic wetness index with the same channels"}}
style.save(show.factor_panels(xr.Dataset({"catchment": catchment, "twi": wetness}), columns=2), run, "wetness")

# %% [markdown]
# Look at the valleys: slope does not know them, wetness draws them. Two cells with the same slope may be as dry as a ridge or as wet as a river.
#
# ## All fifteen factors
#
# Ruggedness {cite:p}`riley1999` is the root of the summed squared differences to the eight neighbours. The other layers are brought to the same grid,
# whatever reference system they come in. Continuous rasters are resampled bilinearly, classes by the nearest neighbour (a class between forest and
# water is no class), polygons are burnt in, distances are measured to the nearest cell a line touches, and the strong-motion stations are
# interpolated by inverse distance. One call makes all of them, the terrain factors as above, but on the whole DEM even where a study mask cuts the area out of it; what could not be made, and what comes from a source
# much coarser than the grid, is listed:

# %%
with remarks() as said, TemporaryDirectory(dir=run.path) as folder:
    how = {"cell_size_m": p.cell_size_m, "crs": p.crs, "wanted": p.factors, "chunk": p.chunk}
    made, notes = build_factors(catalog, **how, folder=folder)
    facts = describe(made)
    write_factors(run.product("factors.tif"), made)
factors = read_factors(run.product("factors.tif"), chunk=p.chunk)
print("\n".join([*notes, *map(str, said)]) or "Every factor was made, from sources fine enough for the grid.")
factors

# %% [markdown]
# Where are the landslides? The simulated mountain knows; a data folder may bring an inventory. From here on they are drawn on the maps, to look at: no factor
# is made from them.

# %%
known, landslides = known_cells(factors).compute(), None
if run.has("truth/landslides.gpkg"):
    landslides = gpd.read_file(run.product("truth/landslides.gpkg")).to_crs(factors.rio.crs)
elif catalog.inventory is not None:
    landslides = read_inventory(catalog, factors)
    landslides = landslides[landslides["label"] == 1] if "label" in landslides else landslides
landslides = None if landslides is None or landslides.empty else landslides
print("No landslides are known here." if landslides is None else f"{len(landslides)} landslides are known.")

# %% mystnb={"figure": {"caption": "The study area: altitude in greys as shaded relief, the line sources that were read, and the known landslides.", "name": "fig-01-area"}, "image": {"alt": "Shaded relief map of the study area in greys with rivers, roads and faults drawn as lines, landslides filled in orange and a north arrow"}}
style.save(show.study_area(catalog, altitude.where(known), landslides=landslides), run, "study_area")

# %% [markdown]
# The table says how far the values of each factor reach, and how coarse its source is; classes have no range.

# %%
run.write_table(facts, "factors")
narrow = facts[["factor", "unit", "minimum", "median", "maximum", "native resolution (m)"]]
narrow.style.hide(axis="index").format(precision=3, na_rep="–", escape="html")

# %% mystnb={"figure": {"caption": "Relief: seven factors from one terrain model. Curvatures are purple and orange on both sides of 0. Known landslides are outlined here and below; colour scales run from the 2nd to the 98th percentile.", "name": "fig-01-relief"}, "image": {"alt": "Small maps of the factors made from the terrain model, altitude in greys, slope, aspect, two curvatures, wetness and ruggedness, with landslide outlines on each"}}
if names := show.of_family(factors, "relief"):
    display(style.save(show.factor_panels(factors[names], 3, landslides), run, "factors_relief"))

# %% mystnb={"figure": {"caption": "Distance to the nearest road, river and fault.", "name": "fig-01-distance"}, "image": {"alt": "Three small maps of the distance to roads, rivers and faults, dark along the lines and bright far from them, with landslide outlines on each"}}
if names := show.of_family(factors, "distance"):
    display(style.save(show.factor_panels(factors[names], 3, landslides), run, "factors_distance"))

# %% mystnb={"figure": {"caption": "The ground and what grows on it.", "name": "fig-01-ground"}, "image": {"alt": "Small maps of rock units, land cover classes and NDVI, the classes in flat colours named below, with landslide outlines on each"}}
if names := show.of_family(factors, "ground"):
    display(style.save(show.factor_panels(factors[names], 3, landslides), run, "factors_ground"))

# %% mystnb={"figure": {"caption": "What sets landslides off, and what else the data folder brought.", "name": "fig-01-triggers"}, "image": {"alt": "Two smooth maps of yearly rainfall and of peak ground acceleration with landslide outlines on each"}}
if names := show.of_family(factors, "triggers"):
    display(style.save(show.factor_panels(factors[names], 2, landslides), run, "factors_triggers"))

# %% [markdown]
# Some of these maps repeat each other: {term}`TRI` and slope look alike, because a steep cell differs from its neighbours. Chapter 4 measures how
# far such factors can stand in for each other.
#
# ## What each factor means
#
# Fifteen factors, because the paper has these; other studies have five or fifty. Each stands for a process, and each can mislead:
#
# | factor | why slopes may fail by it | expected more | caution |
# |---|---|---|---|
# | altitude | climate, soil and use change with height | depends on the place | stands for all that changes with height |
# | slope | the steeper, the more of its weight pulls | on steep ground | gentler on a coarser grid; the steepest rock has lost its soil |
# | aspect | sun, rain and shaking come from a side | on the wet or shaken side | 359° is beside 1°; flat cells are −1 |
# | plan curvature | hollows gather water and soil | in hollows (below 0) | second derivative: noisy |
# | profile curvature | stress and soil change at breaks of slope | at breaks of slope, on either side | programs differ in its sign |
# | wetness (TWI) | wet soil holds less | where it is high | knows no rain, and only water that follows the surface |
# | ruggedness (TRI) | broken, steep ground | where it is high | slope in another word (chapter 4) |
# | distance to road | cuts and loads unsettle a slope | near | a place: roads follow valleys, and what falls on a road gets mapped |
# | distance to river | banks are undercut | near | valley floors are flat, and landslides end there |
# | distance to fault | rock is broken; earthquakes start there | near | drawn at 1:200,000: a line may be 100 m off |
# | lithology | strength of the rock | on weak rock | a unit is an age and a name, not a strength |
# | land cover | roots hold soil | without forest | mapped after the event, a scar is bare land |
# | NDVI | dense plants, strong roots | where it is low | measured after the event, a scar is low because it slid |
# | rainfall | water in the soil | where it is high | a year's sum is no storm; coarse cells |
# | PGA | shaking pulls | where it is high | one earthquake, few stations |
#
# Do the signs hold here? Means in the known landslides, in a ring of 50 to 150 m around them, and on all land; of the profile curvature without its
# sign, because a break of slope may lie on either side of 0. Aspect and classes have no mean, and altitude has no sign to hold.

# %%
means = pd.DataFrame()
if landslides is not None:
    slide = rasterize(landslides.geometry, out_shape=known.shape, transform=factors.rio.transform(), dtype="uint8") == 1
    away = distance_transform_edt(~slide) * cell_size(factors)
    places = {"in landslides": slide, "50–150 m around": (away >= 50) & (away <= 150), "all land": np.full_like(slide, True)}
    numeric = {name: factor for name, factor in factors.items() if factor.attrs["kind"] == "continuous"}
    names = {name: f"{factor.attrs['long_name']} ({factor.attrs['units']})" for name, factor in numeric.items()}
    if "profile_curvature" in numeric:
        numeric["profile_curvature"] = abs(numeric["profile_curvature"])
        names["profile_curvature"] += ", without sign"
    means = pd.DataFrame({word: {name: float(factor.where(known & place).mean()) for name, factor in numeric.items()} for word, place in places.items()})
    means = means.dropna(subset=["in landslides"])  # landslides may lie outside the known cells
    run.write_table(means.rename_axis("factor").reset_index(), "factor_means")
    display(means.rename(index=names).style.format("{:.4g}").format_index(escape="html"))

# %%
high, low = ["slope", "profile_curvature", "twi", "tri", "rainfall", "pga"], ["plan_curvature", "distance_to_road", "distance_to_river", "distance_to_fault", "ndvi"]
if expected := {name: sign for names, sign in ((high, 1), (low, -1)) for name in names if name in means.index}:
    holds = {name: sign * (means.loc[name, "in landslides"] - means.loc[name, "all land"]) > 0 for name, sign in expected.items()}
    for words, wanted in {"As expected in landslides against all land, however small the difference": True, "Not so": False}.items():
        print(f"{words}: {', '.join(factors[name].attrs['long_name'] for name, held in holds.items() if held == wanted) or 'none'}.")
if "ndvi" in means.index and means.loc["ndvi"].notna().all():
    inside, around = means.loc["ndvi", ["in landslides", "50–150 m around"]]
    why = "Sparse plants may be the cause, or the scar itself: only the date of the image can tell." if inside < around else "No bare scar shows in it."
    print(f"NDVI is {inside:.2f} in landslides and {around:.2f} around them. {why}")
if "distance_to_road" in means.index:
    inside, land = means.loc["distance_to_road", ["in landslides", "all land"]]
    seen = "lie apart" if inside > 1.2 * land else "share ground" if land > 1.2 * inside else "are neither near nor apart"
    print(f"Landslides lie {inside:.0f} m from a road on average, all land {land:.0f} m. Roads and landslides {seen} here, which is no cause yet.")
if "rainfall" in factors and (native := factors["rainfall"].attrs["native_resolution_m"]):
    times = native / cell_size(factors)
    print(f"One cell of rainfall is {times:.0f} cells of the grid wide, so {times**2:.0f} of them share one number, smoothed between centres.")
stations = catalog.stations if "pga" in factors else None
if stations and not is_raster(catalog.path(stations)) and (measured := station_error(catalog, stations, factors["pga"])):
    count, miss = measured
    span, unit = float(factors["pga"].max() - factors["pga"].min()), factors["pga"].attrs["units"]
    print(f"PGA comes from {count} stations. Left out in turn, the others miss one by {miss:.0f} {unit} (root mean square); the whole map spans {span:.0f}.")
if "aspect" in factors:
    print(f"{int((factors['aspect'] == -1).sum())} cells are flat and have aspect −1.")

# %% [markdown]
# ## How good can a map be?
#
# A score needs something to be compared with. The simulated mountain knows the true probability that a cell lies in a landslide, but ranking cells by it is no fair
# goal: this *oracle* knows a hidden field that no factor shows, and the true shaking. The *reachable bound* knows the mountain's rules but
# sees only the layers above, coarse cells, wrong classes and interpolated shaking included, and averages over what the hidden field may be. Even
# these two never score 1, and no two inventories give them the same score: where the next landslide starts is chance. So ten inventories are drawn anew
# on the same mountain, and each is scored with the area under the ROC curve (AUC), the share of pairs of one landslide cell and one other that a map ranks right.

# %%
truth = validation.read_truth(run.product("truth"), factors)
if truth is None or not run.has("truth/source.tif"):
    print("No bounds: the truth is unknown here.")
else:
    maps = {"oracle": truth["probability"]}
    if missing := bounds.unseen_factors(factors):
        print(f"No reachable bound: it reads what the mountain's rules read, and these are left out: {', '.join(missing)}. The oracle needs no factor.")
    else:
        maps["reachable"] = bounds.reachable_probability(factors, p.seed)
        write_raster(run.product("truth/reachable.tif"), maps["reachable"])
    source = read_raster(run.product("truth/source.tif"))["source"]
    land = factors if "altitude" in factors else factors.assign(altitude=altitude)  # where landslides run out
    redrawn = bounds.redrawn_scores(maps, source, land, seed=p.seed)
    run.write_table(redrawn, "bounds")
    scores = redrawn[list(maps)]
    if not missing:
        scores = scores.assign(difference=scores["oracle"] - scores["reachable"])
    spread = scores.agg(["mean", "std"]).round(4)
    run.write_json(run.read_json("truth/effects.json") | {"redrawn_auc": spread.to_dict()}, "truth/effects.json")
    display(spread)

# %% [markdown]
# The spread of one map says how far its score is luck. Two maps meet the same inventories, so their difference has a spread of its own: compare it with
# that, and not with the spread of either.
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
steep = float((slope > 30).where(known).mean())
answers.record(run, "ex-01-steep", 100 * steep, within=1.0, what="the share, %")
print(f"{steep:.1%} of the area is steeper than 30°.")

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start}
# :label: ex-01-coarse
# ```
#
# Break it: how coarse may a model of the terrain be? Average the altitude over squares of 2, 4 and 8 cells, compute the slope anew, and look at the share
# above 30° and at the steepest place. Which landslides would a study on the coarsest grid not understand?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-01-coarse
# :class: dropdown
# ```
#
# A mean over a square flattens what is steep and short: cliffs and scarps first, then whole slopes. The coarsest grid would not understand the landslides that start at
# scarps, banks and cuts shorter than its cells. A slope class of one study is not that of another with larger cells, and a limit such as 30° means nothing without the
# cell size beside it.

# %%
coarse = {}
for cells in (1, 2, 4, 8):
    averaged = dem.coarsen(y=cells, x=cells, boundary="trim").mean()
    # `coarsen` keeps the attribute in which xarray-spatial looks for the size of a cell.
    steepness = xrspatial.slope(averaged.assign_attrs(res=(cells * cell_size(dem),) * 2))
    share = (steepness > 30).where(steepness.notnull()).mean()
    coarse[f"{cells * cell_size(dem):g} m"] = {"above 30° (%)": 100 * float(share), "steepest (°)": float(steepness.max())}
answers.record(run, "ex-01-coarse", coarse[f"{8 * cell_size(dem):g} m"]["steepest (°)"], within=1.0, what="the slope of the steepest place on the coarsest grid, degrees")
pd.DataFrame(coarse).round(1)

# %% [markdown]
# ```{solution-end}
# ```
#
# Three changes to try, each a command in a terminal. It repeats the chapter beside the book's run, which stays as it is, and prints the page's
# numbers and yours.
#
# - `lsa try quick 01 -p seed 7`: another mountain. How far do its bounds lie from this one's, and is that more than ten inventories of one mountain differ by?
# - `lsa try quick 01 -p cell_size_m 30`: a coarser grid. Look at the maximum of slope in `factors`: what becomes of the steepest slopes?
# - `lsa try quick 01 -p factors "[slope, aspect, twi]"`: three factors only. Which of the bounds can still be computed, and why?

# %% [markdown]
# ## Summary
#
# The raster `factors.tif` holds one band per factor on one grid, with units, sources and native resolutions beside it in `factors.json`.
# Where a source was missing its factor is missing too, and the note above says so. Where the truth is known, `truth/` holds it, with the
# reachable bound in `reachable.tif`.
#
# ## What's next
#
# Chapter 2 finds the landslides in the images.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`yao2026,horn1981,zevenbergen1987,beven1979`.
