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
# The detector of chapter 2 outlines landslides in small image chips. A susceptibility map needs an *inventory*: every landslide of the area as one
# polygon, section 4.1 of {cite:t}`yao2026`. Here the detector searches a whole satellite scene, and what it finds becomes polygons, whose sizes and
# errors are then looked at.
#
# **You will learn** (1) how a scene larger than memory, and larger than what a network can see at once, is searched in overlapping tiles, (2) how
# scores of pixels become polygons by two thresholds, and how these are chosen without looking at the answer, (3) how good an inventory is by area,
# (4) what the sizes of landslides tell, and what a detector takes for landslides.
#
# **Before you start**
#
# | concept | needed | notes |
# |---|---|---|
# | precision and recall | necessary | chapter 2 |
# | rasters and polygons | helpful | pixels on the ground, outlines of areas |
# | chapters 1 and 2 | necessary | made first at the smallest size when you open this chapter alone |
#
# **Time to learn** about 30 minutes. The time to run is on the page *How long it took*.

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

style.use()
p = InventoryParams.from_cell(globals())
run = open_run(p, "03_inventory")
sources = open_catalog(p, run)

# %% [markdown]
# ## The detector and the scene
#
# The detector's file holds its weights and how it wants to see images: which bands, at what pixel size, and whether the colours of every source are
# brought to one mean and spread first. The scene is not read yet. Its *frame* only says where its pixels lie on the ground, at the pixel size of the
# detector.

# %%
model, config = load_detector(run.need("detector.safetensors", chapter="02_detector"))
frame = scene.open_scene(sources.files(sources.scene), config.resolution_m, config.inputs)
colours = scene.scene_colours(frame) if config.normalise_radiometry else None
print(f"{frame.height} × {frame.width} pixels of {frame.pixel_m:g} m in {frame.crs}")

# %% [markdown]
# ## One tile
#
# A scene is searched in *tiles*, of which only one is in memory at a time. A tile is a window of `rasterio`: offset and size in pixels. From each the
# detector returns what torchvision's detectors return, boxes, scores and masks, so `torchvision.models.detection.maskrcnn_resnet50_fpn` could stand
# in its place. Here is the tile in the middle.

# %%
tiles = [tile for tile, _ in scene.tiles(frame, p.window_px, p.overlap_px)]
middle = tiles[len(tiles) // 2]
print(f"{len(tiles)} tiles; the one in the middle is {middle}")

with open_image(frame.path) as file:
    pixels = scene.read_tile(file, frame, middle)  # (rows, columns, bands)
image = normalise_radiometry(torch.from_numpy(as_unit(pixels)).permute(2, 0, 1), colours)
with reproducible(p.seed, p.n_jobs), torch.inference_mode():
    (detections,) = model([image])
{name: tuple(values.shape) for name, values in detections.items()}

# %% [markdown]
# Detections overlap, and one landslide may be detected twice. So the masks are laid over each other: **the score of a pixel is that of the surest
# detection that covers it**, and 0 where there is none. A network sees a flipped image a little differently, so the scores are the mean of as many
# flipped and turned views as the detector asks for: what only one view shows keeps a low score.

# %% mystnb={"figure": {"caption": "The tile in the middle of the scene (left) and the scores of its pixels (right).", "name": "fig-03-tile"}, "image": {"alt": "A square part of the satellite scene on the left; on the right the same square dark, with bright patches where the detector sees landslides"}}
with reproducible(p.seed, p.n_jobs):
    tile_scores = scene.score_pixels(model, image, config.tta)
style.save(show.tile_scores(pixels, tile_scores), run, "inventory_tile")

# %% [markdown]
# ## Two thresholds
#
# A landslide is where the score is high. One threshold would have to do two things: a high one keeps false alarms out, but cuts the rims of
# landslides off, where views and tiles disagree; a low one draws whole outlines around too many things. So there are two, as in the detection of
# edges (*hysteresis*): a landslide is a connected patch of pixels that all reach the **low threshold**, if at least one of them reaches the **high**
# one.
#
# Choosing the thresholds on the scene we want to map would be cheating: nobody who has to map a scene knows its truth. They are chosen on the
# validation chips, where F1 of landslide *pixels* is best, because an inventory is used by area. Chips are cut where landslides are, though, and a
# scene is not: so the false alarms of the chips are first weighed up to ground of which `landslide_share` is landslide, by Bayes' rule.

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

# %% [markdown]
# ## The scene, tile by tile
#
# A tile's edge cuts landslides, and a network is unsure of what it sees cut. Tiles therefore overlap by half, and a pixel's score is the **weighted
# mean** over all tiles that show it, with weights that fall from the middle of a tile to its edge and that add up to 1. No rule about edges is
# needed: what lies on the edge of one tile lies in the middle of another, which has the say. The mean is gathered in a file on disk, so the scene
# may be larger than memory.

# %%
scores = scene.scores_on_disk(frame, run.path)  # an array of zeros, one for each pixel
with reproducible(p.seed, p.n_jobs), open_image(frame.path) as file:
    for tile, weight in scene.tiles(frame, p.window_px, p.overlap_px):
        pixels = scene.read_tile(file, frame, tile)
        if pixels.any():  # a scene has empty corners
            image = normalise_radiometry(torch.from_numpy(as_unit(pixels)).permute(2, 0, 1), colours)
            scores[tile.toslices()] += weight * scene.score_pixels(model, image, config.tta)

# %% [markdown]
# The scores are kept as a raster, with the two thresholds in a table: whoever wants other thresholds, as chapter 11 does, need not search the scene
# again.

# %%
kept = xr.DataArray(dask.array.from_array(scores, chunks=(1024, -1)), dims=("y", "x"), name="score")
write_raster(run.product("scene_scores.tif"), kept.rio.write_crs(frame.crs).rio.write_transform(frame.transform))
kept_thresholds = pd.DataFrame({"low": [low], "high": [high], "min_area_m2": [p.min_area_m2]})
run.write_table(kept_thresholds, "inventory_thresholds")
kept_thresholds

# %% [markdown]
# Patches become polygons, and each keeps the highest score of its pixels. They are made from the low threshold alone first: the high one then only
# picks rows of a table. Small patches are dropped and small holes filled.

# %%
known = inventory.read_reference(sources, run, frame.crs)
candidates = inventory.polygonize(scores, frame.transform, frame.crs, low=low, min_area_m2=p.min_area_m2)
candidates = candidates.to_crs(known.crs)
detected = candidates[candidates["score"] >= high].copy()
inventory.write_inventory(run, detected=detected, reference=known)

known = known[known.geom_type.isin(["Polygon", "MultiPolygon"])].copy()  # points have no area to compare
known = known[known["label"] == 1].copy() if "label" in known else known  # nor does stable ground
print(f"{len(detected)} landslides detected, {detected.area.sum() / 1e6:.2f} km²; {len(known)} polygons known.")
gpd.list_layers(run.product("inventory.gpkg"))

# %% mystnb={"figure": {"caption": "The scene with detected (blue) and known (yellow) outlines, and the surroundings of the most central landslide enlarged.", "name": "fig-03-scene"}, "image": {"alt": "Satellite scene with detected landslide outlines in blue and true outlines in yellow, whole on the left and enlarged on the right"}}
style.save(show.scene_map(frame, detected, known), run, "detection_scene")

# %% [markdown]
# ## How good is it?
#
# Where the true landslides are known, as on the simulated mountain, the inventory can be judged by area: the share of detected area that is true
# (precision) and the share of true area that was detected (recall). A landslide counts as hit when at least half of its area was found. Where
# nothing is known, nothing of this can be said: the numbers below are then missing.

# %%
true_area, detected_area = known.union_all(), detected.union_all()
known["found_share"] = known.intersection(detected_area).area / known.area
true_share = candidates.intersection(true_area).area / candidates.area
candidates["true_share"] = float("nan") if known.empty else true_share  # unknown is not false
detected = candidates[candidates["score"] >= high]

areas = pd.DataFrame({"detected": [len(detected)], "reference": [len(known)]})
areas["detected_km2"] = detected_area.area / 1e6
areas["reference_km2"] = true_area.area / 1e6
areas["shared_km2"] = (detected["true_share"] * detected.area).sum(skipna=False) / 1e6
areas["area_precision"] = areas["shared_km2"] / areas["detected_km2"]
areas["area_recall"] = areas["shared_km2"] / areas["reference_km2"]
areas["landslides_hit"] = (known["found_share"] >= 0.5).mean()
run.write_table(areas, "inventory_scores")
areas.round(3)

# %% [markdown]
# By area a few large landslides decide. Counted one by one, as on chips, an inventory is judged more strictly: from the highest score down, each
# detection is matched with the landslide that it overlaps best, if the IoU of the two polygons is at least 0.5, and no landslide twice. A landslide
# found in three pieces, or three found as one, then counts as missed. As many detections as landslides say nothing: they may be others. What the
# later chapters learn from is between the two: chapter 5 draws cells in each detected landslide, by default at most 15, and *right samples* is the
# share of them that will lie in a true one.

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
one_to_one.round(3)

# %% [markdown]
# How would another high threshold have done? Every candidate has a score and a true share, so precision and recall for any threshold are sums over
# the candidates that reach it. This sweep looks at the truth of the mapped ground, so it can only tell, not choose.

# %% mystnb={"figure": {"caption": "Precision, recall, F1 and IoU of the mapped area against the score that a landslide must reach. The grey line is the threshold that the validation chips chose.", "name": "fig-03-inventory-sweep"}, "image": {"alt": "Line chart of precision, recall, F1 and IoU of the inventory by area against the score threshold, with the chosen threshold marked"}}
sweep = pd.DataFrame({"score": inventory.THRESHOLDS})
reaches = candidates["score"].to_numpy() >= inventory.THRESHOLDS[:, None]  # (thresholds, candidates)
shared_km2 = reaches @ (candidates["true_share"] * candidates.area).to_numpy() / 1e6
sweep["detected_km2"] = reaches @ candidates.area.to_numpy() / 1e6
sweep["precision"] = shared_km2 / sweep["detected_km2"]
sweep["recall"] = shared_km2 / pd.Series([true_area.area / 1e6] * len(sweep))
sweep["f1"] = 2 * shared_km2 / (sweep["detected_km2"] + true_area.area / 1e6)
sweep["iou"] = shared_km2 / (sweep["detected_km2"] + true_area.area / 1e6 - shared_km2)
run.write_table(sweep, "inventory_sweep")
style.save(detector.sweep({"mapped area of the scene": sweep}, high), run, "inventory_sweep")

# %% [markdown]
# ## Sizes
#
# Landslides come in all sizes, and the small ones are the many: their frequency falls with a power of the area, and below a *rollover* falls again
# {cite:p}`malamud2004`. In a mapped inventory the rollover also shows what could not be seen. It is the mode of an inverse-gamma law, which `scipy`
# fits by maximum likelihood; from fewer than twenty landslides it would be chance. *Touching* landslides are closer than the diagonal of a pixel of the network: a
# semantic mask would merge so many into a neighbour.

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
statistics.round({"total_km2": 3, "mean_m2": 0, "median_m2": 0, "largest_m2": 0, "rollover_m2": 0})

# %% mystnb={"figure": {"caption": "Left: probability density of landslide areas in the detected and the known inventory, and the fitted laws. Right: by size, the share of known landslides of which less than half was found, and of detections of which less than half is true.", "name": "fig-03-sizes"}, "image": {"alt": "Left, size-frequency curves of the detected and the known inventory on logarithmic axes; right, bars of the fraction of landslides missed and of false detections for each class of area"}}
errors = inventory.errors_by_size(detected, known)
run.write_table(errors, "inventory_sizes")
style.save(show.sizes(inventories, laws, errors), run, "inventory_sizes")

# %% [markdown]
# ## What was mistaken for a landslide?
#
# A detection of which less than half is true is a false alarm. Each is laid over the maps: is there an old scar, a road, a river, bare rock, a field,
# or only shadow? The first of them that covers a third of it is named its cause. It is a suspicion, not a proof: a network does not say why.

# %%
ground = lookalikes.lookalike_ground(factors, frame, run.product("truth/old_scars.gpkg"))
alarms = detected[detected["true_share"] < 0.5].copy()
alarms["cause"] = lookalikes.attribute_causes(alarms.geometry, ground)
causes = lookalikes.count_causes(alarms)
run.write_table(causes, "false_alarms")
causes.round(2)

# %% mystnb={"figure": {"caption": "The worst errors. Above: the false alarms with the highest scores and what lies there. Below: the largest landslides of which less than half was found.", "name": "fig-03-worst"}, "image": {"alt": "Two rows of image cut-outs, false alarms outlined in blue with score and cause, and missed landslides outlined in yellow with their area"}}
missed = known[known["found_share"] < 0.5].sort_values("area_m2", ascending=False)
style.save(show.worst(frame, alarms, missed), run, "detection_worst")

# %% [markdown]
# ## Try it
#
# ```{exercise-start}
# :label: ex-03-threshold
# ```
#
# A civil protection office wants nearly all of the landslide area that can be found: 95 % of the best recall. Which high threshold would you give it,
# and what does it cost in precision? Use the choices on the validation chips, at the low threshold of the inventory.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-03-threshold
# :class: dropdown
# ```

# %%
at_low = choices[choices["low"] == low]
# The highest threshold that still finds nearly all that any threshold finds.
enough = at_low[at_low["recall"] >= 0.95 * at_low["recall"].max()].tail(1)
pd.concat([enough, at_low[at_low["high"] == high]], keys=["for the office", "of the inventory"]).round(2)

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
#
# The landslides found are stored as layer `detected` of `inventory.gpkg`, each with a score and an area, beside the layer `reference` where one is
# known. Scores on chips do not tell how good the inventory of a scene is: area precision and recall do. Both thresholds were chosen on other images
# than the mapped one.
#
# ## What's next
#
# Chapter 4 asks which of the factors are worth keeping before landslides and factors meet in chapter 5.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`yao2026,malamud2004,he2017`.
