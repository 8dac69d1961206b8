# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 13 Mapping units
#
# ## Overview
#
# A cell of 12.5 m is a unit of the data, not of the ground. Landslides begin and end inside slopes, and who plans a road or a drain asks about slopes. This chapter
# parts the land into {term}`slope units`, bounded by divides and drainage lines, gives each the susceptibility of its cells, and scores the models by unit.
# It goes beyond {cite:t}`yao2026`, who map cells.
#
# | you will learn | the experiment that shows it |
# |---|---|
# | how slope units come out of a terrain model | half basins of streams of three sizes, then parted where they look many ways; `lsa try quick 13 -p min_unit_m2 10000` |
# | how to tell good units from bad ones without a single landslide | the aspect within and between units, at four settings and in squares; `lsa try quick 13 -p max_variance 0.3` |
# | what a score by unit says that a score by cell does not | the same maps by cell, slope unit, moved unit and square; {ref}`exercise <ex-13-area>`: pick a tenth of the units |
# | how much of such a score is merely the size of the units | size alone as a model; {ref}`exercise <ex-13-size>`: one cell a unit, one unit in all |
#
# **Before you start** you need chapter 5, or its {term}`held-out maps <held-out map>` (made first at the smallest size when you open this chapter alone). Flow directions and
# catchments (chapter 1) help; they are repeated below in one sentence.
#
# **Time to learn** about 20 minutes to read, as long again for the exercises. The time to run is on the page *How long it took*.

# %% tags=["parameters"]
run_dir: str = ""  # folder of the run; empty: runs/alone here, earlier chapters made first at the smallest size
seed: int = 0  # seed of every random choice
profile: str = "quick"  # name of the parameter set, shown in the book
data: str = ""  # data folder; empty: the built-in simulated mountain
catalog: str = ""  # catalog.yml that describes the data folder; empty: the one inside it
n_jobs: int = 2  # processor cores to use
chunk: int = 0  # edge of a block of cells, for areas larger than memory (512 is good); 0: rasters in memory
inventory: str = "auto"  # landslides the units are judged by; auto: the true ones where known, else detected, else reference
stream_m2: float = 500000.0  # catchment where the streams of the coarsest units begin, m²
min_unit_m2: float = 40000.0  # units are parted no further where parts would be smaller on average, m²
max_variance: float = 0.1  # circular variance of the aspect above which a unit is parted
variances: list = [0.05, 0.1, 0.2, 0.4]  # such variances whose units are compared
unit_shares: list = [0.0, 0.02]  # a unit counts as landslide where more than this share of it is
high_share: float = 0.1  # share of the land that is called highly susceptible

# %%
import geopandas as gpd
import numpy as np
import pandas as pd
import pyflwdir
import xarray as xr
import xrspatial
from rasterio.features import rasterize, shapes
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from lsa_helpers import answers, samples, validation
from lsa_helpers.factors.slope_units import (
    aspect_variance,
    half_basins,
    segmentation_scores,
    slope_units,
)
from lsa_helpers.factors.terrain import flow_directions, one_ring_wider
from lsa_helpers.raster import cell_size, on_grid, read_factors, read_raster
from lsa_helpers.run import whole_file
from lsa_helpers.runner.params import UnitsParams
from lsa_helpers.runner.pipeline import open_catalog, open_run
from lsa_helpers.show import style
from lsa_helpers.show import units as show
from lsa_helpers.show.words import span
from lsa_helpers.sources import read_dem

style.use()
p = UnitsParams.from_cell(globals())
run = open_run(p, "13_mapping_units")

# %% [markdown]
# From chapter 1 comes the grid, from chapter 5 the held-out maps, in which no cell was known to the model that mapped it. The units are judged as the
# maps are in chapter 9: by the true landslides of the simulated mountain, or by those of an inventory where nobody knows the truth.

# %%
factors = read_factors(run.need("factors.tif", chapter="01_data"))
inventory = samples.load_landslides(run.need("inventory.gpkg", chapter="03_inventory"), p.inventory)
inventory = samples.reproject_landslides(inventory, factors)
points = (inventory.geom_type == "Point").all()
table = pd.read_parquet(run.need("samples.parquet", chapter="05_susceptibility"))
predictions = pd.read_parquet(run.need("predictions.parquet", chapter="05_susceptibility"))
names = [name for name in predictions["model"].unique() if name != "coordinates"]
heldout = xr.Dataset({name: read_raster(run.product(f"heldout_{name}.tif"))["susceptibility"] for name in names})
known = heldout.to_dataarray().notnull().all("variable")

truth = validation.read_truth(run.product("truth"), factors)
if truth is not None and p.inventory == "auto":
    landslide, judge = truth["landslide"], "the true landslides of the simulated mountain"
    inventory = gpd.read_file(run.product("truth/landslides.gpkg")).to_crs(factors.rio.crs)
else:
    landslide = samples.landslide_numbers(inventory, factors) >= 0
    judge = f"the {inventory.attrs['layer']} {'points' if points else 'landslides'}"
dem = read_dem(open_catalog(p, run), next(iter(factors.values()))).where(known)
aspect = on_grid(xrspatial.aspect(one_ring_wider(dem)).values[1:-1, 1:-1], dem, "aspect", "°")
print(f"{len(names)} models, judged by {judge}: {float(landslide.where(known).mean()):.2%} of the land.")

# %% [markdown]
# ## Half basins
#
# Water leaves each cell for the steepest of its eight neighbours, and a stream begins where the catchment is large enough. Each reach between two
# confluences has a left and a right side that drain into it: two *half basins*, bounded by a divide above and the stream below
# {cite:p}`alvioli2016`. How large a catchment makes a stream decides how large the half basins are.

# %%
flow = pyflwdir.from_array(flow_directions(dem.values), ftype="d8", check_ftype=False)
catchment = flow.upstream_area(unit="cell")
cell_m2 = cell_size(dem) ** 2
rows = []
for stream_m2 in (p.stream_m2, p.stream_m2 / 4, p.stream_m2 / 16):
    halves = half_basins(flow, catchment, stream_m2 / cell_m2)[known.values.ravel()]
    size, variance, _ = aspect_variance(halves, aspect.values[known.values])
    mean_m2 = size[size > 0].mean() * cell_m2
    words = {"half basins": (size > 0).sum(), "mean area (ha)": mean_m2 / 1e4, "variance of the aspect": np.average(variance, weights=size)}
    rows.append({"stream begins at (ha)": f"{stream_m2 / 1e4:g}"} | words)
basins = pd.DataFrame(rows).set_index("stream begins at (ha)")
display(basins.round({"mean area (ha)": 1, "variance of the aspect": 3}))
few, many = basins.iloc[0], basins.iloc[-1]
print(f"Streams that begin at a sixteenth of the catchment make {many['half basins'] / few['half basins']:.0f} times as many half basins.")
print(f"The aspect inside them varies {many['variance of the aspect'] / few['variance of the aspect']:.2f} times as much.")

# %% [markdown]
# The circular variance of the aspect is 0 where all cells look one way and 1 where they look all ways alike. One threshold of the catchment for the whole
# land is a poor choice: an even slope is cut into pieces without need, while a rough one still looks many ways.
#
# ## Slope units
#
# r.slopeunits {cite:p}`alvioli2016` therefore begins coarse and parts only what looks more than one way. So here: streams begin at `stream_m2`, then at
# half of it, a quarter, …, and each time a unit whose aspect varies more than `max_variance` is replaced by the smaller half basins inside it, unless
# these would be smaller than `min_unit_m2` on average. Slivers below half of that join the neighbour with the longest common border. r.slopeunits runs
# in GRASS and takes its half basins from `r.watershed`; this is the same idea on `pyflwdir`, not the same units.

# %% mystnb={"figure": {"caption": "Slope units over the relief, with the landslides that judge them.", "name": "fig-13-units"}, "image": {"alt": "Shaded relief with the borders of slope units as thin lines along divides and streams, landslide cells in red orange"}}
how = {"threshold_m2": p.stream_m2, "min_area_m2": p.min_unit_m2}
units = slope_units(dem, aspect, **how, max_variance=p.max_variance)
style.save(show.units_map(units, dem, landslide.where(known, 0)), run, "slope_units")

# %% [markdown]
# ## Good units without a landslide
#
# Inside a unit the aspect should be alike, between neighbours it should differ. Both can be measured without a landslide: the circular variance within
# (by area), and the mean cosine between the aspects of neighbours, 1 where they look the same way. More units make the first better and the second
# worse; {cite:t}`alvioli2016` look for the compromise that scales both to 0–1 over the settings tried and adds them up (`objective`, higher is better).
# Square cells of the same mean area are the control: anything a slope unit is good for must be better than a square.

# %%
def squares(area_m2, shift=(0.0, 0.0)):
    """Square cells of an area, m², as units; moved by parts of their edge."""
    edge = np.sqrt(area_m2)
    grid = dem.assign_coords(x=dem.x + shift[0] * edge, y=dem.y + shift[1] * edge)
    return on_grid(np.where(known, validation.block_map(grid, edge).values + 1, 0), dem, "square")


def mean_area(partition):
    """Mean area of units, m²."""
    return float((partition > 0).sum()) * cell_m2 / len(np.unique(partition.values[partition.values > 0]))


tried = {most: slope_units(dem, aspect, **how, max_variance=most) for most in sorted({*p.variances, p.max_variance})}
rows = []
for most, parted in tried.items():
    mean_m2 = mean_area(parted)
    of_units, of_squares = (segmentation_scores(each.values, aspect.values) for each in (parted, squares(mean_m2)))
    rows.append((most, int(parted.max()), mean_m2, *of_units, *of_squares))
segmentation = pd.DataFrame(rows, columns=["max_variance", "units", "mean_m2", "within", "between", "within_squares", "between_squares"])
scaled = segmentation[["within", "between"]].transform(lambda column: (column.max() - column) / (column.max() - column.min()))
segmentation["objective"] = scaled.sum(axis=1, min_count=2)
run.write_table(segmentation, "unit_segmentation")
headings = ["units", "mean area (ha)", "variance within", "cosine between", "within squares", "between squares", "objective"]
shown = segmentation.assign(mean_m2=segmentation["mean_m2"] / 1e4).round({"mean_m2": 1}).round(3).set_index("max_variance")
display(shown.set_axis(headings, axis=1).rename_axis("parted above").astype(object).fillna("–"))
ways = segmentation["within_squares"] / segmentation["within"]
print(f"The aspect varies {span(ways.round(1))} times as much in squares as in slope units of the same mean area.")
if segmentation["objective"].notna().any():
    print(f"The objective is highest at a variance of {segmentation.loc[segmentation['objective'].idxmax(), 'max_variance']:g}; used here: {p.max_variance:g}.")

# %% [markdown]
# Mind what the objective cannot say. At the finest and at the coarsest setting one measure is usually the best and the other the worst of all, so that it is 1 there
# whatever the units are. It ranks the settings that were tried, and with another list another may win.

# %% [markdown]
# ## Susceptibility by unit
#
# A unit gets two numbers from each held-out map: the mean of its cells, and the share of its cells that are among the most susceptible `high_share` of
# the land. It counts as landslide where any of it is, or where more than a share of it is. A unit that crosses a block of chapter 5 has cells from two
# models; none of them knew the landslides there.
#
# Slope units are of very unequal size, and size alone does much: a large unit holds a landslide more easily, and its mean is smoother. So there is a
# second control, besides the squares: the same slope units *moved* to where they do not belong. They have the same sizes and shapes, and no divide or
# stream as a border.

# %%
high = heldout.where(known) > heldout.where(known).quantile(1 - p.high_share)
middles = rasterize(inventory.representative_point(), dem.shape, transform=dem.rio.transform())  # one cell for each landslide


def by_unit(partition):
    """Units with their place, area, share of landslide and susceptibility by each model."""
    x, y = np.meshgrid(dem.x, dem.y)
    cells = {"unit": partition.values, "x": x, "y": y, "landslide": landslide.values, "middle": middles}
    cells |= {f"mean_{name}": heldout[name].values for name in names} | {f"high_{name}": high[name].values for name in names}
    cells = pd.DataFrame({name: values[known.values] for name, values in cells.items()})
    groups = cells[cells["unit"] > 0].groupby("unit")
    return groups.mean().assign(area_m2=groups.size() * cell_m2).reset_index()


def moved(shift):
    """The slope units pushed east and south by shares of the map, what leaves it coming in again at the other side."""
    steps = (round(shift[1] * dem.sizes["y"]), round(shift[0] * dem.sizes["x"]))
    return on_grid(np.where(known, np.roll(units.values, steps, (0, 1)), 0), dem, "moved")


mean_m2 = mean_area(units)
partitions = {("slope unit", 0): by_unit(units)}
for number, shift in enumerate([(0.5, 0.5), (0.25, 0.5), (0.5, 0.25), (0.75, 0.5)]):
    partitions["square", number] = by_unit(squares(mean_m2, shift))
    partitions["moved unit", number] = by_unit(moved(shift))
slopes = partitions["slope unit", 0]
print(f"{len(slopes)} slope units of {mean_m2 / 1e4:.1f} ha on average, half of them below {slopes['area_m2'].median() / 1e4:.1f} ha.")
print(f"{(slopes['landslide'] > 0).mean():.0%} of them hold a landslide, {(partitions['square', 0]['landslide'] > 0).mean():.0%} of the squares.")
if points:
    print("The inventory is of points, so shares of a unit are left out: a unit counts where it holds a point, and one without may hold what nobody marked.")

# %% mystnb={"figure": {"caption": "One held-out map by cell, by slope unit and by square of the same mean area.", "name": "fig-13-maps"}, "image": {"alt": "Three maps of the susceptibility by one model with one colour scale, by cell, by slope unit and by square cell"}}
shown = names[0]
drawn = {"By cell": heldout[shown].where(known)}
for title, partition in (("By slope unit", units), ("By square", squares(mean_m2))):
    means = by_unit(partition).set_index("unit")[f"mean_{shown}"].reindex(range(int(partition.max()) + 1))
    drawn[title] = on_grid(means.to_numpy()[partition.values], dem)
display(style.save(show.unit_maps(drawn, style.MODEL_LABELS[shown]), run, "unit_maps"))
left = {title: float(values.var() / drawn["By cell"].var()) for title, values in drawn.items()}
print(f"Of the variance of the cells {left['By slope unit']:.0%} is left by slope unit and {left['By square']:.0%} by square; the rest is difference inside a unit, which such a map does not show.")

# %% [markdown]
# ## Scores by unit
#
# The AUC by unit is the probability that a unit with a landslide has a higher susceptibility than one without. Beside each stands the AUC by cell of the
# same map, and that of the two controls, squares and moved units, each the mean over four placements. Intervals resample the blocks of ground of chapter 5,
# the same for all kinds of units, so that their differences have an interval as well. The row *size alone* ranks units by their area: what it scores is
# no knowledge of landslides. All cells or units count together, whatever fold mapped them. The page shows the mean, and units that hold any landslide;
# `unit_scores.csv` also has the highly susceptible share, and the other limits of `unit_shares`.

# %%
block_m = table.attrs["block_m"]
places = pd.concat(partitions, names=["kind", "grid"])
blocks = validation.block_numbers(places["x"], places["y"], block_m)
draws = validation.draw_blocks(blocks.max() + 1, validation.N_DRAWS, p.seed)
columns = {(name, by): f"{by}_{name}" for name in names for by in ("mean", "high")} | {("size alone", "area"): "area_m2"}
rows, gains, at = [], [], np.split(blocks, np.cumsum([len(part) for part in partitions.values()])[:-1])
for share in [0.0] if points else p.unit_shares:
    for (name, by), column in columns.items():
        areas = {"slope unit": [], "square": [], "moved unit": []}
        for ((kind, _), part), block in zip(partitions.items(), at, strict=True):
            label = (part["landslide"] > share).to_numpy().astype(int)
            areas[kind].append(validation.weighted_auc(label, part[column].to_numpy(), draws[:, block]))
        areas = {kind: np.mean(values, axis=0) for kind, values in areas.items()}
        for kind, values in areas.items():
            ends = dict(zip(("auc", "low", "high"), validation.interval(values), strict=True))
            rows.append({"model": name, "by": by, "share": share, "kind": kind} | ends)
        gain = validation.paired_differences(areas, [("slope unit", "square"), ("slope unit", "moved unit")])
        gains.append(gain.assign(model=name, by=by, share=share))
of_cells = {name: roc_auc_score(landslide.values[known.values], heldout[name].values[known.values]) for name in names}
rows += [{"model": name, "by": "cell", "share": 0.0, "kind": "cell", "auc": auc} for name, auc in of_cells.items()]
scores = pd.DataFrame(rows)
run.write_table(scores, "unit_scores")
gains = pd.concat(gains, ignore_index=True)

# %%
run.write_table(gains[["model", "by", "share", "first", "second", "difference", "low", "high", "p"]], "unit_gain")
any_landslide = scores[(scores["share"] == 0) & scores["by"].isin(["cell", "mean", "area"])]
wide = any_landslide.pivot(index="model", columns="kind", values="auc").reindex(index=[*names, "size alone"], columns=["cell", "slope unit", "moved unit", "square"])
labels = style.MODEL_LABELS | {"size alone": "Size alone"}
wide.rename(labels).map("{:.3f}".format, na_action="ignore").fillna("–").add_prefix("by ", axis=1).rename_axis(index="AUC", columns=None)

# %% mystnb={"figure": {"caption": "AUC by cell, by slope unit, by the same units moved and by square, of the mean susceptibility, for units that hold any landslide; 95 % intervals from resampled blocks.", "name": "fig-13-scores"}, "image": {"alt": "Dot chart of the area under the curve for each model by cell, by slope unit, by moved unit and by square with intervals, and of the size of the units alone"}}
style.save(show.unit_scores(any_landslide), run, "unit_scores")

# %%
gain = gains[(gains["share"] == 0) & gains["by"].isin(["mean", "area"])]
gain = gain.assign(text=[f"{row.difference:+.3f} ({row.low:+.3f} to {row.high:+.3f})" for row in gain.itertuples()], second="minus " + gain["second"] + "s")
display(gain.pivot(index="model", columns="second", values="text").loc[wide.index, gain["second"].unique()].rename(labels).rename_axis(index="slope units", columns=None))
of_models = gain[gain["model"] != "size alone"]
for second, rows in of_models.groupby("second", sort=False):
    lower, sure = rows["difference"] < 0, (rows["low"] > 0) | (rows["high"] < 0)
    print(f"Slope units {second}: lower for {lower.sum()} of {len(rows)} models, surely so for {(lower & sure).sum()}; surely higher for {(~lower & sure).sum()}.")
shares = {name: spearmanr(slopes[f"mean_{name}"], slopes["landslide"]).statistic for name in names}
print("Rank correlation of a unit's mean with its share of landslide: " + ", ".join(f"{style.MODEL_LABELS[name]} {value:.2f}" for name, value in shares.items()) + ".")
print(f"Size alone has {wide.loc['size alone', 'slope unit']:.2f} by slope unit: that much is no knowledge of landslides.")

# %% [markdown]
# A class will ask why good terrain units should score no better than cuts through the terrain. One answer can be tested: a landslide that runs out across a stream
# gives the unit on the other side a label that its slope did not earn. So count each landslide only in the unit that holds its middle:

# %%
if not points:
    rows = [(kind, name, validation.within_groups_auc(part["middle"] > 0, part[f"mean_{name}"], np.zeros(len(part)))) for (kind, _), part in partitions.items() for name in names]
    by_middle = pd.DataFrame(rows, columns=["kind", "model", "auc"]).pivot_table(index="model", columns="kind", values="auc").loc[names]
    gap = pd.DataFrame({"any part of a landslide": wide.loc[names, "slope unit"] - wide.loc[names, "moved unit"], "its middle": by_middle["slope unit"] - by_middle["moved unit"]})
    display(gap.rename(labels).map("{:+.3f}".format).rename_axis(index="slope units minus moved units", columns=None))
    any_part, of_middle = (f"{value:+.3f}" for value in gap.mean())
    marked = [(slopes[column] > 0).sum() for column in ("landslide", "middle")]
    print(f"{marked[0]} slope units hold some part of a landslide, {marked[1]} the middle of one; the mean difference goes from {any_part} to {of_middle}.")

# %% [markdown]
# Where a loss is left, it may be the ground: the two sides of a valley often share rocks and shaking, and a model that goes by these ranks both alike where only
# one has failed.
#
# Does that depend on how finely the land is parted? Slope units less squares for each variance that was tried, with squares of the mean area that goes with it:

# %%
rows = []
for most, parted in tried.items():
    both = {"slope unit": by_unit(parted), "square": by_unit(squares(mean_area(parted)))}
    for name in names:
        auc = {kind: validation.within_groups_auc(part["landslide"] > 0, part[f"mean_{name}"], np.zeros(len(part))) for kind, part in both.items()}
        rows.append({"max_variance": most, "model": name, "units": len(both["slope unit"]), **auc})
sensitivity = pd.DataFrame(rows)
sensitivity["difference"] = sensitivity["slope unit"] - sensitivity["square"]
run.write_table(sensitivity, "unit_sensitivity")
by_variance = sensitivity.groupby("max_variance")["difference"].mean()
print(f"Slope units minus squares, mean of the models: {span(by_variance.round(3))} over the variances tried.")
wide = sensitivity.pivot(index="max_variance", columns="model", values="difference")[names]
wide.rename(columns=style.MODEL_LABELS).rename_axis(index="parted above", columns=None).round(3)

# %% [markdown]
# A score by unit is another question and no better or worse than one by cell: fewer and easier distinctions inside a slope, harder ones where a small
# landslide has to show in the mean of a large unit. Compare models by one of them, never across; and compare units with their controls, not with cells.
# The difference of slope units and moved ones is what following the terrain is worth here (moved units of an area that is no rectangle are cut by its
# border, and so no longer of quite the same sizes); squares have the advantage of equal sizes besides.
#
# A unit's use for planning, that it is a slope one can name and walk, is in no score.
#
# ## A layer for QGIS

# %%
outlines = shapes(units.values, units.values > 0, connectivity=8, transform=units.rio.transform())
geometry = gpd.GeoDataFrame.from_features([{"geometry": outline, "properties": {"unit": int(number)}} for outline, number in outlines], crs=units.rio.crs)
size, variance, mean = aspect_variance(units.values, aspect.values)
layer = geometry.dissolve("unit").join(slopes.set_index("unit").drop(columns=["x", "y", "middle"]).rename(columns={"landslide": "landslide_share"}))
layer = layer.assign(aspect=mean[layer.index], aspect_variance=variance[layer.index]).reset_index()
with whole_file(run.product("slope_units.gpkg")) as part:
    layer.to_file(part, layer="slope_units", driver="GPKG")
of_units = pd.DataFrame({"area (ha)": layer["area_m2"] / 1e4, "share of landslide": layer["landslide_share"], "variance of the aspect": layer["aspect_variance"]})
of_units = of_units.join(layer[[f"mean_{name}" for name in names]].rename(columns=lambda column: f"mean by {style.MODEL_LABELS[column[5:]]}"))
of_units.describe().loc[["min", "50%", "max"]].set_axis(["least", "median", "most"]).round(2).T

# %% [markdown]
# ## Try it
#
# ```{exercise-start}
# :label: ex-13-area
# ```
#
# Each model's map shall pick a tenth of the slope units, those with the highest mean. Which share of the units with a landslide is among them, and how
# much of the land are they?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-13-area
# :class: dropdown
# ```

# %%
with_landslide = slopes["landslide"] > 0
for name in names:
    picked = slopes[f"mean_{name}"].rank(pct=True) > 0.9
    hit = (picked & with_landslide).sum() / max(with_landslide.sum(), 1)
    print(f"{style.MODEL_LABELS[name]}: {hit:.0%} of the units with a landslide, on {slopes.loc[picked, 'area_m2'].sum() / slopes['area_m2'].sum():.0%} of the land.")

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start}
# :label: ex-13-size
# ```
#
# Break it: call every cell its own unit, then the whole area one unit. What happens to the share of units with a landslide, and to the meaning of a score by unit?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-13-size
# :class: dropdown
# ```
#
# One cell a unit has the share of landslide cells; one unit has the share 1, and nothing is left to rank. In between, larger units hold a landslide more often by their size alone: a score
# by unit can only be compared with that of other units of the *same* sizes.

# %%
shares = {
    "cells": float(landslide.where(known).mean()),
    "slope units": float((slopes["landslide"] > 0).mean()),
    "whole area": 1.0,
}
answers.record(run, "ex-13-size", shares["slope units"], within=0.005, what="the share of the slope units with a landslide, from 0 to 1")
pd.Series(shares).map("{:.2%}".format).rename("units with a landslide").to_frame()

# %% [markdown]
# ```{solution-end}
# ```
#
# Three changes to try, each a command in a terminal. It repeats the chapter beside the book's run, which stays as it is, and prints the page's
# numbers and yours.
#
# - `lsa try quick 13 -p min_unit_m2 10000`: smaller units. Does the lead over moved units change?
# - `lsa try quick 13 -p max_variance 0.3`: units that look more ways. What becomes of the objective (a row that only your trial has)?
# - `lsa try quick 13 -p inventory detected`: judge by the detected landslides, as a study without a truth has to. Do units or squares gain more?

# %% [markdown]
# ## Summary

# %%
against = of_models[of_models["second"] == "minus squares"]["difference"]
print(f"{len(slopes)} slope units; the aspect varies {span(ways.round(1))} times as much in squares of their size.")
print(f"Following the terrain changes the AUC by unit by {against.min():+.3f} to {against.max():+.3f} against squares, by model.")

# %% [markdown]
# The layer `slope_units.gpkg` holds every slope unit with its aspect, the mean susceptibility by each model (`mean_`), the share of it that is highly
# susceptible (`high_`) and its share of landslide. `unit_segmentation.csv` says how good the units are, `unit_scores.csv` and `unit_gain.csv` what the
# models are worth by unit, by square, by moved unit and by cell, and `unit_sensitivity.csv` how far that depends on the size of the units.
#
# ## What's next
#
# Open the layer in QGIS over the map of chapter 5, and colour it by a model's mean.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`alvioli2016`.
