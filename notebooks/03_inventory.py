# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 3 From a scene to an inventory
#
# ## Overview
#
# The detector of chapter 2 outlines landslides in small chips. A susceptibility map needs an {term}`inventory`: every landslide of the area as one
# polygon, section 4.1 of {cite:t}`yao2026`. Here the detector searches a whole satellite scene, and what it finds becomes polygons, whose errors are
# then looked at. The later chapters learn from these polygons as if they were the truth.
#
# | you will learn | the experiment that shows it |
# |---|---|
# | how a scene larger than memory is searched in overlapping {term}`tiles` | one tile and its scores |
# | how scores become polygons by two thresholds, chosen without looking at the answer | the map of F1 over both thresholds; {ref}`exercise <ex-03-threshold>`: another price |
# | how good an inventory is, by area and one by one, and what counts cannot say | hits, false alarms and misses on the map; exercises {ref}`one <ex-03-same-count>`, the same count, and {ref}`three <ex-03-shift>`, all of it moved |
# | which landslides are missed, and what is taken for one | errors by size, false alarms by cause, the worst errors |
#
# **Before you start** you need precision, recall and the threshold of chapter 2 (not its section on training), and the products of chapters 1 and 2 (made
# first at the smallest size when you open this chapter alone). To have met rasters and polygons helps.
#
# **Time to learn** about 10 minutes to read, and 40 for three exercises. The time to run is on the page *How long it took*.

# %% tags=["parameters"]
run_dir: str = ""  # folder of the run; empty: runs/alone here, earlier chapters made first at the smallest size
seed: int = 0  # seed of every random choice
profile: str = "quick"  # name of the parameter set, shown in the book
data: str = ""  # data folder; empty: the built-in simulated mountain
catalog: str = ""  # catalog.yml that describes the data folder; empty: the one inside it
n_jobs: int = 2  # processor cores to use
chunk: int = 0  # edge of a block of cells, for areas larger than memory (512 is good); 0: rasters in memory
window_px: int = 512  # edge of a tile of the scene, pixels
overlap_px: int = 256  # overlap of neighbouring tiles, pixels
landslide_share: float = 0.02  # share of the scene that landslides may cover, for the choice of thresholds
score_threshold: float = 0.0  # score that a landslide reaches somewhere; 0: the best on the validation chips
extent_threshold: float = 0.0  # score down to which a landslide extends; 0: the best on the validation chips
min_area_m2: float = 100.0  # smallest landslide of the inventory, m²

# %%
import dask.array
import geopandas as gpd
import pandas as pd
import torch
import xarray as xr
from scipy import stats

from lsa_helpers import answers
from lsa_helpers.detect import inventory, lookalikes, scene
from lsa_helpers.detect.chips import check_chips, usable_chips
from lsa_helpers.detect.dataset import ChipSet
from lsa_helpers.detect.images import as_unit, open_image
from lsa_helpers.detect.layouts import list_chips
from lsa_helpers.detect.matching import match, polygon_iou
from lsa_helpers.detect.model import load_detector
from lsa_helpers.detect.radiometry import normalise_radiometry
from lsa_helpers.detect.split import split_chips
from lsa_helpers.raster import read_factors, write_raster
from lsa_helpers.reproducible import reproducible
from lsa_helpers.runner.params import InventoryParams
from lsa_helpers.runner.pipeline import open_catalog, open_run
from lsa_helpers.show import detector, style
from lsa_helpers.show import inventory as show
from lsa_helpers.show import reading_inventory as reading

style.use()
p = InventoryParams.from_cell(globals())
run = open_run(p, "03_inventory")
sources = open_catalog(p, run)

# %% [markdown]
# ## The scene and one tile
#
# The detector's file holds its weights and how it wants to see images: bands, pixel size, whether colours are normalised. The scene's *frame* says
# where its pixels lie on the ground, at the pixel size of the detector; nothing is read yet. The scene is searched in {term}`tiles`, windows of
# `rasterio` of which only one is in memory at a time. From each the detector returns boxes, scores and masks, as torchvision's detectors do. Here is
# the tile in the middle.

# %%
model, config = load_detector(run.need("detector.safetensors", chapter="02_detector"))
frame = scene.open_scene(sources.files(sources.scene), config.resolution_m, config.inputs)
colours = scene.scene_colours(frame) if config.normalise_radiometry else None
print(f"{frame.height} × {frame.width} pixels of {frame.pixel_m:g} m in {frame.crs}")

tiles = [tile for tile, _ in scene.tiles(frame, p.window_px, p.overlap_px)]
middle = tiles[len(tiles) // 2]
print(f"{len(tiles)} tiles; the one in the middle is {middle}")

with open_image(frame.path) as file:
    pixels = scene.read_tile(file, frame, middle)  # (rows, columns, bands)
image = normalise_radiometry(torch.from_numpy(as_unit(pixels)).permute(2, 0, 1), colours)
with reproducible(p.seed, p.n_jobs), torch.inference_mode():
    (detections,) = model([image.to(next(model.parameters()).device)])
{name: tuple(values.shape) for name, values in detections.items()}

# %% [markdown]
# Detections overlap, and one landslide may be detected twice. So the masks are laid over each other: **the score of a pixel is that of the surest
# detection that covers it**, and 0 where there is none. The scores are the mean of as many flipped and turned views as the detector asks for.

# %% mystnb={"figure": {"caption": "The tile in the middle of the scene (left) and the scores of its pixels (right).", "name": "fig-03-tile"}, "image": {"alt": "A square part of the satellite scene on the left; on the right the same square dark, with bright patches where the detector sees landslides"}}
with reproducible(p.seed, p.n_jobs):
    tile_scores = scene.score_pixels(model, image, config.tta)
style.save(show.tile_scores(pixels, tile_scores), run, "inventory_tile")

# %%
reading.tile(tile_scores, detections["scores"].cpu().numpy(), frame.pixel_m)

# %% [markdown]
# ## Two thresholds
#
# One threshold would have to do two things: a high one keeps false alarms out, but cuts off the rims of landslides, where views and tiles disagree; a
# low one draws whole outlines around too many things. So there are two ({term}`hysteresis`): a landslide is a connected patch of pixels that all
# reach the **low threshold**, if at least one of them reaches the **high** one.
#
# Choosing them on the scene would be cheating: nobody who has to map a scene knows its truth. They are chosen on the validation chips, where F1 of
# landslide *pixels* is best. Chips are cut where landslides are, though, and a scene is not: so the false alarms of the chips are first weighed up to
# ground of which `landslide_share` is landslide (Bayes' rule).

# %%
chips = list_chips(sources, config.inputs)
chips = usable_chips(chips, check_chips(chips, config.inputs), skip_bad=True)  # as chapter 2 did
validation = ChipSet([chip for chip in split_chips(chips, p.seed) if chip.split == "val"], config)

chip_scores, chip_truths = [], []
with reproducible(p.seed, p.n_jobs):
    for image, target in (validation[i] for i in range(len(validation))):
        chip_scores.append(scene.score_pixels(model, image, config.tta))
        chip_truths.append(target["masks"].numpy().any(axis=0))

choices = inventory.hysteresis_sweep(chip_scores, chip_truths, p.landslide_share)
best_low, best_high = inventory.best_thresholds(choices)
low, high = p.extent_threshold or best_low, p.score_threshold or best_high
print(f"On {len(validation)} validation chips: extent from a score of {low:g}, if {high:g} is reached.")

# %% mystnb={"figure": {"caption": "F1 of landslide pixels on the validation chips for every pair of thresholds, on ground as poor in landslides as a scene. The cross is the pair of the inventory.", "name": "fig-03-thresholds"}, "image": {"alt": "Map of F1 against the high and the low threshold, brighter where the inventory would be better, with a cross on the chosen pair"}}
style.save(show.thresholds(choices, low, high), run, "inventory_thresholds")

# %%
on_chips = sum(truth.sum() for truth in chip_truths) / max(1, sum(truth.size for truth in chip_truths))
reading.pairs(choices, on_chips, p.landslide_share, len(validation))

# %% [markdown]
# ## The scene, tile by tile
#
# A tile's edge cuts landslides, and a network is unsure of what it sees cut. Tiles therefore overlap, and a pixel's score is the **weighted mean** over
# all tiles that show it, with weights that fall from the middle of a tile to its edge and add up to 1: what lies on the edge of one tile lies in the
# middle of another, which has the say. The mean is gathered in a file on disk, so the scene may be larger than memory.

# %%
scores = scene.scores_on_disk(frame, run.path)  # an array of zeros, one for each pixel
with reproducible(p.seed, p.n_jobs), open_image(frame.path) as file:
    for tile, weight in scene.tiles(frame, p.window_px, p.overlap_px):
        pixels = scene.read_tile(file, frame, tile)
        if pixels.any():  # a scene has empty corners
            image = normalise_radiometry(torch.from_numpy(as_unit(pixels)).permute(2, 0, 1), colours)
            scores[tile.toslices()] += weight * scene.score_pixels(model, image, config.tta)

# %% [markdown]
# The scores are kept as a raster, with the thresholds in a table, so that whoever wants others (chapter 11) need not search again. Patches become
# polygons, and each keeps the highest score of its pixels. They are made from the low threshold alone first: the high one then only picks rows of a
# table. Small patches are dropped and small holes filled.

# %%
kept = xr.DataArray(dask.array.from_array(scores, chunks=(1024, -1)), dims=("y", "x"), name="score")
write_raster(run.product("scene_scores.tif"), kept.rio.write_crs(frame.crs).rio.write_transform(frame.transform))
kept_thresholds = pd.DataFrame({"low": [low], "high": [high], "min_area_m2": [p.min_area_m2]})
run.write_table(kept_thresholds, "inventory_thresholds")

known = inventory.read_reference(sources, run, frame.crs)
candidates = inventory.polygonize(scores, frame.transform, frame.crs, low=low, min_area_m2=p.min_area_m2)
candidates = candidates.to_crs(known.crs)
detected = candidates[candidates["score"] >= high].copy()
inventory.write_inventory(run, detected=detected, reference=known)

known = known[known.geom_type.isin(["Polygon", "MultiPolygon"])].copy()  # points have no area to compare
known = known[known["label"] == 1].copy() if "label" in known else known  # nor does stable ground
judged = len(known) > 0 and len(detected) > 0
gpd.list_layers(run.product("inventory.gpkg"))

# %% [markdown]
# ## How good is it?
#
# Where true landslides are known, as on the simulated mountain, the inventory can be judged, first by area: the share of detected area that is true
# (precision) and the share of true area that was detected (recall). A landslide is **hit** when at least half of its area was found, else
# **missed**; a detection of which less than half is true is a **false alarm**.

# %%
true_area, detected_area = known.union_all(), detected.union_all()
known["found_share"] = known.intersection(detected_area).area / known.area
true_share = candidates.intersection(true_area).area / candidates.area
candidates["true_share"] = float("nan") if known.empty else true_share  # unknown is not false
detected = candidates[candidates["score"] >= high]
alarms = detected[detected["true_share"] < 0.5].copy()
missed = known[known["found_share"] < 0.5].sort_values("area_m2", ascending=False)

areas = pd.DataFrame({"detected": [len(detected)], "reference": [len(known)]})
areas["detected_km2"] = detected_area.area / 1e6
areas["reference_km2"] = true_area.area / 1e6
areas["shared_km2"] = (detected["true_share"] * detected.area).sum(skipna=False) / 1e6
areas["area_precision"] = areas["shared_km2"] / areas["detected_km2"]
areas["area_recall"] = areas["shared_km2"] / areas["reference_km2"]
areas["landslides_hit"] = (known["found_share"] >= 0.5).mean()
run.write_table(areas, "inventory_scores")
areas.set_axis(["detected", "known", "detected (km²)", "known (km²)", "in both (km²)", "precision by area", "recall by area", "hit (share)"], axis=1).round(3)

# %% mystnb={"figure": {"caption": "The scene with hits, false alarms and landslides missed. Left the whole scene, filled; right the square, 1.5 km wide around the most central landslide, outlined.", "name": "fig-03-scene"}, "image": {"alt": "Satellite scene, whole on the left with a white square, enlarged on the right. Hits are blue, false alarms orange-red and dashed, missed landslides yellow, all with a dark rim"}}
style.save(show.scene_map(frame, detected, known), run, "detection_scene")

# %%
reading.areas(areas.iloc[0], alarms, missed) if judged else reading.UNKNOWN

# %% [markdown]
# Counted one by one, as on chips, an inventory is judged more strictly: from the highest score down, each detection is matched with the landslide it
# overlaps best, if the IoU of the two polygons is at least 0.5, and no landslide twice. A landslide found in three pieces, or three found as one,
# then counts as missed. What the later chapters learn from is between the two: chapter 5 draws cells in each detected landslide, by default at most
# 15, and *right samples* is the share of them that will lie in a true one.

# %%
matched = match(polygon_iou(detected, known))  # highest score first, as `polygonize` sorts them
hits = float("nan") if known.empty else matched.sum()  # unknown is not false
one_to_one = pd.DataFrame({"matched": [hits], "detected": [len(detected)], "known": [len(known)]})
one_to_one["precision"] = hits / one_to_one["detected"]
one_to_one["recall"] = hits / one_to_one["known"]
one_to_one["f1"] = 2 * hits / (one_to_one["detected"] + one_to_one["known"])

factors = read_factors(run.product("factors.tif")) if run.has("factors.tif") else xr.Dataset()
cell_m2 = abs(factors.rio.transform().determinant) if factors else frame.pixel_m**2
cells = (detected.area / cell_m2).clip(1, 15)
one_to_one["right_samples"] = (cells * detected["true_share"]).sum(skipna=False) / cells.sum()
run.write_table(one_to_one, "inventory_one_to_one")
display(one_to_one.rename(columns={"right_samples": "right samples"}).round(3))
reading.one_to_one(one_to_one.iloc[0]) if judged else None

# %% [markdown]
# How would another high threshold have done? Every candidate has a score and a true share, so precision and recall for any threshold are sums over
# the candidates that reach it. This sweep looks at the truth of the mapped ground, so it can only tell, not choose.

# %% mystnb={"figure": {"caption": "Precision, recall and F1 of the mapped area against the score that a landslide must reach. Grey lines: the threshold of the inventory, which the validation chips chose, and the one that would have been best.", "name": "fig-03-inventory-sweep"}, "image": {"alt": "Line chart of precision, recall and F1 of the inventory by area against the score threshold, with the chosen and the best threshold marked"}}
sweep = pd.DataFrame({"score": inventory.THRESHOLDS})
reaches = candidates["score"].to_numpy() >= inventory.THRESHOLDS[:, None]  # (thresholds, candidates)
shared_km2 = reaches @ (candidates["true_share"] * candidates.area).to_numpy() / 1e6
sweep["detected_km2"] = reaches @ candidates.area.to_numpy() / 1e6
sweep["precision"] = shared_km2 / sweep["detected_km2"]
sweep["recall"] = shared_km2 / pd.Series([true_area.area / 1e6] * len(sweep))
sweep["f1"] = 2 * shared_km2 / (sweep["detected_km2"] + true_area.area / 1e6)
sweep["iou"] = shared_km2 / (sweep["detected_km2"] + true_area.area / 1e6 - shared_km2)
run.write_table(sweep, "inventory_sweep")
best = sweep.loc[sweep["f1"].idxmax(), "score"] if judged else high
style.save(detector.sweep({"mapped area of the scene": sweep}, {"inventory": high, "best F1": best}), run, "inventory_sweep")

# %%
reading.sweep(sweep, low, high) if judged else None

# %% [markdown]
# ## Sizes
#
# Landslides come in all sizes, and the small ones are the many: their frequency falls with a power of the area, and below a {term}`rollover` falls
# again {cite:p}`malamud2004`. In a mapped inventory the rollover also shows what could not be seen. It is the mode of an inverse-gamma law, which rises
# steeply and falls like a power, fitted by maximum likelihood; from fewer than twenty landslides it would be chance. *Touching* landslides are closer
# than the diagonal of a pixel of the network: a mask that only says landslide or not would merge so many into a neighbour.

# %%
inventories = {"detected": detected, "known": known}
# All three parameters of the law are fitted: without its shift the mode comes out a tenth too small.
laws = {}
for name, layer in inventories.items():
    if len(layer) >= 20:
        shape, _, scale = stats.invgamma.fit(layer.area, floc=0)
        laws[name] = stats.invgamma.fit(layer.area, shape, loc=-scale / 10, scale=scale)

statistics = pd.DataFrame({"inventory": list(inventories)})
statistics["count"] = [len(layer) for layer in inventories.values()]
statistics["touching"] = [inventory.count_touching(layer, frame.pixel_m) for layer in inventories.values()]
statistics["total_km2"] = [layer.area.sum() / 1e6 for layer in inventories.values()]
for name in ("mean", "median", "max"):
    column = {"max": "largest"}.get(name, name) + "_m2"
    statistics[column] = [layer.area.agg(name) for layer in inventories.values()]
statistics["rollover_m2"] = statistics["inventory"].map({name: shift + scale / (shape + 1) for name, (shape, shift, scale) in laws.items()})
run.write_table(statistics, "inventory_statistics")
units = {"total_km2": "total (km²)", "mean_m2": "mean (m²)", "median_m2": "median (m²)", "largest_m2": "largest (m²)", "rollover_m2": "rollover (m²)"}
statistics.round({"total_km2": 3} | dict.fromkeys(list(units)[1:], 0)).rename(columns=units)

# %% mystnb={"figure": {"caption": "Left: probability density of landslide areas in the detected and the known inventory, and the fitted laws. Right: by size, the share of known landslides of which less than half was found, and of detections of which less than half is true.", "name": "fig-03-sizes"}, "image": {"alt": "Left, size-frequency curves of the detected and the known inventory on logarithmic axes; right, bars of the fraction of landslides missed and of false detections for each class of area"}}
errors = inventory.errors_by_size(detected, known)
run.write_table(errors, "inventory_sizes")
style.save(show.sizes(inventories, laws, errors), run, "inventory_sizes")

# %%
reading.sizes(statistics, errors, len(alarms) / len(detected)) if judged else None

# %% [markdown]
# ## What was mistaken for a landslide?
#
# Each false alarm is laid over the maps: is there an old scar, a road, a river, bare rock, a field, or only shadow? The first of them that covers a
# third of it is named its cause. It is a suspicion, not a proof: a network does not say why.

# %%
ground = lookalikes.lookalike_ground(factors, frame, run.product("truth/old_scars.gpkg"))
alarms["cause"] = lookalikes.attribute_causes(alarms.geometry, ground)
causes = lookalikes.count_causes(alarms)
run.write_table(causes, "false_alarms")
causes.round(2).rename(columns={"false_alarms": "false alarms", "area_m2": "area (m²)", "median_score": "median score"})

# %% mystnb={"figure": {"caption": "The worst errors. Above: the false alarms with the highest scores and what lies there. Below: the largest landslides of which less than half was found. All images of a row have one scale.", "name": "fig-03-worst"}, "image": {"alt": "Two rows of image cut-outs with scale bars, false alarms outlined in orange-red with cause and score, and missed landslides outlined in yellow with their area"}}
style.save(show.worst(frame, alarms, missed), run, "detection_worst")

# %%
chip_m = config.chip_size * config.resolution_m or float("nan")  # chips of no common pixel differ in width
reading.mistakes(causes, known, chip_m, "old scar" in ground) if judged else None

# %% [markdown]
# ## Try it
#
# ```{exercise-start} The same count, other landslides
# :label: ex-03-same-count
# ```
#
# Choose the high threshold so that as many landslides are detected as are known, as nearly as possible. Match them one to one: how many are hits, how
# many false, how many missed? Why must the last two be nearly equal, and what does a report of "N landslides detected, N known" prove?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-03-same-count
# :class: dropdown
# ```

# %%
same = candidates.head(len(known))  # candidates come in falling order of score
if judged:
    hits = match(polygon_iou(same, known)).sum()
    print(f"{len(same)} detections down to a score of {same['score'].min():.2f}, {len(known)} known: {hits} hits, {len(same) - hits} false, {len(known) - hits} missed.")
    print("Detected = hits + false and known = hits + missed: equal sums make equal errors, however many. The count proves nothing.")

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} The threshold of the scene
# :label: ex-03-threshold
# ```
#
# For a civil protection office one km² of landslide missed is as bad as ten km² of false alarm. Which high threshold would you give it? Choose on
# the validation chips (`choices`, at the low threshold of the inventory), then see what it does on the scene. Compare 1 : 1 and 3 : 1.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-03-threshold
# :class: dropdown
# ```

# %%
at_low, at = choices[choices["low"] == low], sweep.set_index("score")
rows = {}
for price in (1, 3, 10):
    false_area = at_low["recall"] * (1 / at_low["precision"] - 1)  # for each km² of landslide on such ground
    cost = false_area + price * (1 - at_low["recall"])
    choice = at_low.loc[cost.idxmin(), "high"] if cost.notna().any() else high
    rows[f"{price} : 1"] = at.loc[[at.index[abs(at.index - choice).argmin()]]].reset_index().iloc[0]
offices = pd.DataFrame(rows).T[["score", "detected_km2", "precision", "recall"]]
display(offices.set_axis(["threshold", "detected (km²)", "precision by area", "recall by area"], axis=1).round(2))
if judged:
    one, ten = offices.loc["1 : 1"], offices.loc["10 : 1"]
    print(f"From 1 : 1 to 10 : 1 the threshold goes from {one['score']:g} to {ten['score']:g}, and {ten['detected_km2'] - one['detected_km2']:.2f} km² more are drawn:")
    print(f"recall {one['recall']:.2f} to {ten['recall']:.2f}, precision {one['precision']:.2f} to {ten['precision']:.2f}. The scene has its own truth; the choice could not know it.")

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Break it
# :label: ex-03-shift
# ```
#
# The scene is georeferenced wrongly: every outline lies 300 m too far east. Which statistics of this chapter notice it, and which do not? Guess, then
# shift `detected` and compute count, total area, median area, precision and recall by area.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-03-shift
# :class: dropdown
# ```

# %%
shifted = detected.set_geometry(detected.translate(xoff=300))
shapes = {"as detected": detected, "300 m east": shifted}
broken = pd.DataFrame({"count": [len(layer) for layer in shapes.values()]}, index=list(shapes))
broken["total (km²)"] = [layer.area.sum() / 1e6 for layer in shapes.values()]
broken["median (m²)"] = [layer.area.median() for layer in shapes.values()]
if judged:
    shared = [layer.union_all().intersection(true_area).area / 1e6 for layer in shapes.values()]
    broken["precision by area"] = shared / broken["total (km²)"]
    broken["recall by area"] = [area / (true_area.area / 1e6) for area in shared]
display(broken.round(3))
print("Count, sizes and their law are blind to place. A map is about place: only a comparison outline by outline sees the shift.")
if judged:
    answers.record(run, "ex-03-shift", broken["recall by area"].iloc[-1], within=0.01, what="the recall by area after the shift, from 0 to 1")

# %% [markdown]
# ```{solution-end}
# ```
#
# Three changes to try, each a command in a terminal. It repeats the chapter beside the book's run, which stays as it is, and prints the page's
# numbers and yours.
#
# - `lsa try quick 03 -p score_threshold 0.9`: a stricter inventory. Look at `inventory_scores`: what is left of it, and how much of that is true?
# - `lsa try quick 03 -p overlap_px 0`: tiles side by side. What becomes of the landslides on the seams?
# - `lsa try quick 03 -p landslide_share 0.2`: ground of which a fifth has slipped. Look at `inventory_thresholds`: do they rise or fall?

# %% [markdown]
# ## Summary

# %%
reading.summary(areas.iloc[0]) if judged else None

# %% [markdown]
# Equal counts and equal sizes prove nothing; overlap does. Both thresholds were chosen on other images than the mapped one. The landslides found are
# the layer `detected` of `inventory.gpkg`, each with a score and an area, beside the layer `reference` where one is known. What their errors do to
# the susceptibility is measured in chapter 11, against the same map from the true inventory.
#
# ## What's next
#
# Chapter 4 asks which of the factors are worth keeping before landslides and factors meet in chapter 5.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`yao2026,malamud2004,he2017`.
