# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 8 Validation
#
# ## Overview
#
# Chapter 5 gave every model a score. This chapter asks what such a score is worth. It goes beyond {cite:t}`yao2026`, whose abstract and whose class
# tables imply different scores for the same maps: how much of a score is the model, how much the folds, and how much the samples?
#
# **You will learn** (1) how to make a map in which no cell was known to its model, (2) what success and prediction rate are and why only one of
# them is a forecast, (3) whether a difference between two models is more than chance, (4) what a network's window is worth, (5) how easy cells
# without landslide make any model look good.
#
# **Before you start**
#
# | concept | needed | notes |
# |---|---|---|
# | chapter 5, or its models | necessary | made first at the smallest size when you open this chapter alone |
# | spatial blocks (chapter 5) | necessary | neighbours are alike, so they must not be split between training and test |
#
# **Time to learn** about 40 minutes. The time to run is on the page *How long it took*.

# %% tags=["parameters"]
run_dir: str = ""  # folder of the run; empty: runs/alone here, earlier chapters made first at the smallest size
seed: int = 0  # seed of every random choice
profile: str = "quick"  # name of the parameter set, shown in the book
data: str = ""  # data folder; empty: the built-in simulated mountain
catalog: str = ""  # catalog.yml that describes the data folder; empty: the one inside it
n_jobs: int = 2  # processor cores to use
inventory: str = "auto"  # landslides the maps are judged by; auto: the true ones where known, else detected, else reference
heldout_models: list = ["cnn", "rf", "xgboost", "logistic"]  # models mapped block by block without knowing the block
one_block_models: list = ["rf", "xgboost", "logistic"]  # models also scored with one block left out at a time
lab_model: str = "xgboost"  # model that is trained on many kinds of samples
lab_positives: list = ["cells", "point", "scarp"]  # cells of a landslide that are compared; empty: nothing is
lab_buffers_m: list = [0.0, 100.0, 200.0]  # distances of cells without landslide, m
lab_slopes: list = [0.0, 10.0]  # least slopes of cells without landslide, degrees
lab_ratios: list = [1.0, 10.0]  # cells without landslide per landslide cell
lab_seeds: int = 2  # repetitions of every kind of samples

# %%
from itertools import combinations, product

import numpy as np
import pandas as pd
import xarray as xr
from joblib import Parallel, delayed
from rasterio.features import rasterize
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold, cross_val_predict

from lsa_helpers import models, samples, validation
from lsa_helpers.errors import LsaError
from lsa_helpers.raster import cell_size, on_grid, read_factors, read_raster, write_raster
from lsa_helpers.runner.params import ValidationParams
from lsa_helpers.runner.pipeline import open_run
from lsa_helpers.show import style
from lsa_helpers.show import susceptibility as maps_show
from lsa_helpers.show import validation as show

style.use()
p = ValidationParams.from_cell(globals())
run = open_run(p, "08_validation")

# %% [markdown]
# From chapters 1 to 5 come the factors, the samples with their spatial folds, the predictions and the models. The maps are judged by the true
# landslides of the simulated mountain, or by those of an inventory where nobody knows the truth.

# %%
factors = read_factors(run.need("factors.tif", chapter="01_data"))
inventory = samples.load_landslides(run.need("inventory.gpkg", chapter="03_inventory"), p.inventory)
inventory = samples.reproject_landslides(inventory, factors)
table = pd.read_parquet(run.need("samples.parquet", chapter="05_susceptibility"))
predictions = pd.read_parquet(run.need("predictions.parquet", chapter="05_susceptibility"))
names = predictions["model"].unique()
trained = {name: models.load(run.product(f"models/{name}"), factors) for name in names}
truth = validation.read_truth(run.product("truth"), factors)

block_m, n_folds = table.attrs["block_m"], table["fold"].nunique()
window = trained["cnn"].window if "cnn" in trained else 1
buffer_m = window * cell_size(factors)
if truth is not None and p.inventory == "auto":
    landslide, judge = truth["landslide"], "the true landslides of the simulated mountain"
else:
    shape, transform = (factors.sizes["y"], factors.sizes["x"]), factors.rio.transform()
    landslide = on_grid(rasterize(inventory.geometry, shape, transform=transform) == 1, factors)
    judge = f"the {inventory.attrs['layer']} landslides"
print(f"{len(table)} samples, {n_folds} folds, a strip of {buffer_m:g} m. Maps are judged by {judge}.")

# %% [markdown]
# ## Random folds flatter
#
# Chapter 5 scored every model three ways. *Optimism* is the AUC of random folds minus that of spatial blocks: what the neighbours of the test cells
# whispered to the model. A study that shows only random folds shows the second column. The last column leaves out one block at a time, so that a
# model trains on almost everything; its predictions are scored together, for a single block may hold no landslide at all. Where chapter 5 searched
# for settings (`tune_draws`), every model of this chapter searches again, without the rows it is judged by: a clone of a search is a search.

# %%
schemes = ("apparent", "random", "spatial")
auc = pd.DataFrame({scheme: run.read_table(f"scores_{scheme}").set_index("model")["auc"] for scheme in schemes})
optimism = auc.assign(optimism=auc["random"] - auc["spatial"], one_block=np.nan)

label, place = table["label"], table[["x", "y"]].to_numpy()
block = validation.block_numbers(*validation.landslide_places(table).T, block_m)
one_block_out = [
    (validation.beyond_buffer(place, train, test, buffer_m), test)
    for train, test in LeaveOneGroupOut().split(table, label, block)
]
for name in [name for name in names if name in p.one_block_models]:
    how = {"cv": one_block_out, "method": "predict_proba", "n_jobs": p.n_jobs}
    probability = cross_val_predict(trained[name], table, label, **how)[:, 1]
    optimism.loc[name, "one_block"] = roc_auc_score(label, probability)
optimism = validation.with_ceiling(optimism.rename_axis("model").reset_index(), table, truth)
run.write_table(optimism, "optimism")
optimism.set_index("model").round(3)

# %% [markdown]
# On the simulated mountain `ceiling_auc` is the AUC of the true probability on the same samples: as far as these are true landslides, no honest
# column can be expected above it. In detected ones a model also learns the habits of the detector, and can pass it.
#
# Is one model better than another, or was it lucky with these blocks? Both are scored on the same resampled blocks, again and again; `p` says how
# often the difference turns its sign. With so many pairs, a `p` just below 0.05 is no discovery.

# %%
spatial = predictions[predictions["scheme"] == "spatial"]
spatial = spatial.pivot(index="sample", columns="model", values="probability")
weights = validation.block_weights(validation.block_numbers(*place.T, block_m), n_draws=500, seed=p.seed)
drawn = {name: validation.weighted_auc(label.to_numpy(), spatial[name].to_numpy(), weights) for name in names}
pairs = validation.paired_differences(drawn, combinations(names, 2))
run.write_table(pairs, "paired_differences")
pairs.round(3)

# %% [markdown]
# ## Maps that did not know the answer
#
# The maps of chapter 5 were made by models that knew all landslides; scored on these landslides they show memory, not foresight. Here each fold's
# blocks are mapped by models trained on the other folds, with an empty strip as wide as the CNN's window between them. Together the pieces cover
# the area, and no cell was known to the model that judged it.

# %% mystnb={"figure": {"caption": "The fold of every cell, and the samples. A fold's cells are mapped by models that know none of its samples and none in a strip around it.", "name": "fig-08-folds"}, "image": {"alt": "Map of square blocks coloured by the spatial fold they belong to, with the samples as dots, filled in landslides and open elsewhere"}}
folds = validation.fold_map(table, factors, block_m=block_m, seed=p.seed)
style.save(show.fold_panel(folds, table), run, "validation_folds")


# %%
def cross_validated_map(model, table, factors, folds, buffer_m):
    """Fit on the other folds' samples, predict this fold's cells; together they are a map."""
    pieces = []
    for fold in range(n_folds):
        training = validation.training_samples(table, folds == fold, buffer_m)
        fitted = clone(model).fit(training, training["label"])
        pieces.append(models.predict_map(fitted, factors, where=folds == fold))
    return xr.concat(pieces, "fold").max("fold").rename("susceptibility")


heldout = {}
for name in [name for name in names if name in p.heldout_models]:
    heldout[name] = cross_validated_map(trained[name], table, factors, folds, buffer_m)
    write_raster(run.product(f"heldout_{name}.tif"), heldout[name])

# %% mystnb={"figure": {"caption": "Susceptibility from models that did not know the block they map. Steps along block edges are where two models disagree.", "name": "fig-08-heldout"}, "image": {"alt": "Maps of the held-out susceptibility from zero to one by each model with one colour scale, landslides outlined in red orange"}}
style.save(maps_show.susceptibility_maps(heldout, inventory), run, "heldout_maps")

# %% [markdown]
# ## Success and prediction rate
#
# Go through the land from the most susceptible cell down: how much of the landslide area has been met after 10 % of the land? For the maps of
# chapter 5 this is the *success rate* {cite:p}`chung2003`, for the maps above the *prediction rate*. The gap between them is what the model
# remembers. The bands resample whole blocks.

# %% mystnb={"figure": {"caption": "Share of the landslide area against the share of the land, from the most susceptible cell down. Solid with shaded 95 % band, prediction rate of the held-out maps; dashed with hatched band, success rate of the maps of chapter 5.", "name": "fig-08-rates"}, "image": {"alt": "One panel per model with the prediction rate as a solid curve in a shaded band and the success rate as a dashed curve in a hatched band"}}
maps = {}
for name in heldout:
    maps[name, "held out"] = heldout[name]
    maps[name, "fitted"] = read_raster(run.product(f"susceptibility_{name}.tif"))["susceptibility"]
blocks = validation.block_map(factors, block_m)
curves = {key: validation.rate_curve(values, landslide, blocks, seed=p.seed) for key, values in maps.items()}
rates = pd.concat(curves, names=["model", "map"]).reset_index(["model", "map"])
run.write_table(rates, "rate_curves")
style.save(show.rate_panels(rates), run, "rate_curves")

# %% [markdown]
# The table says it in numbers. `capture_10` is the share of the landslide area in the most susceptible tenth of the land. The Boyce index
# {cite:p}`hirzel2006` asks whether landslides become steadily more frequent with susceptibility; 1 is perfect. `descents` counts classes whose
# frequency ratio is lower than that of the class below: 0 in a useful map. `different_neighbours` and `isolated` measure the salt and pepper the
# paper calls a pretzel look: neighbours of another class, and cells alone in theirs. Where the truth is known, the last column judges the true
# probability as if it were a map: the ceiling. Judged by the true landslides, a fitted map above it remembers.

# %%
def scores_of(susceptibility):
    """Captures, Boyce index, descents and texture of one map."""
    captured = validation.capture(validation.rate_curve(susceptibility, landslide))
    return captured | validation.map_quality(susceptibility, landslide, seed=p.seed)


rows = [{"model": name, "map": kind, **scores_of(values)} for (name, kind), values in maps.items()]
if truth is not None:
    known = xr.concat(heldout.values(), "model").notnull().all("model")
    oracle = scores_of(truth["probability"].where(known))
    rows.append({"model": "ceiling", "map": "true probability", **oracle})
worth = pd.DataFrame(rows)
run.write_table(worth, "map_scores")
worth.set_index(["model", "map"]).round(3).T

# %% [markdown]
# ## Is it the window?
#
# A CNN differs from trees in two ways: it is another model, and it sees the neighbourhood. To tell them apart, the trees get the mean and the
# deviation of every continuous factor in the same window, and the CNN gets a window of one cell. All are mapped without knowing the block.

# %%
around = samples.focal_statistics(factors[[name for name in factors if name in table]], window)
wider = factors.assign(around)
wider_table = table.assign(**{name: validation.at_samples(band, table) for name, band in around.items()})
context = {}
for name in [name for name in ("rf", "xgboost") if name in heldout]:
    coder = samples.factor_coder(wider, [*models.fitted_coder(trained[name]).factors, *around])
    step = "estimator__coder" if hasattr(trained[name], "estimator") else "coder"
    model = clone(trained[name]).set_params(**{step: coder})
    context[f"{name}_context"] = cross_validated_map(model, wider_table, wider, folds, buffer_m)
for name in [name for name in ("cnn",) if name in heldout]:
    model = clone(trained[name]).set_params(window=1)
    context["cnn_1"] = cross_validated_map(model, table, factors, folds, buffer_m)

rows = worth[worth["map"] != "fitted"].drop(columns="map").to_dict("records")
rows += [{"model": name, **scores_of(values)} for name, values in context.items()]
fair = pd.DataFrame(rows)
run.write_table(fair, "fair_comparison")
fair.set_index("model").round(3).T

# %% [markdown]
# Now the differences. Each is one area under the prediction rate minus another, on the same cells, with the interval from the same blocks resampled
# for both maps. The first is the CNN's lead over the forest, if it has one. The next two part it: what a network without a window makes of the same
# cells, and what the window adds. The others say what a neighbourhood is worth to trees, and how the CNN compares with a forest that sees it too.

# %%
wanted = [("cnn", "rf"), ("cnn_1", "rf"), ("cnn", "cnn_1")]
wanted += [("rf_context", "rf"), ("xgboost_context", "xgboost"), ("cnn", "rf_context")]
areas = validation.rate_areas(heldout | context, landslide, blocks, seed=p.seed)
gains = validation.paired_differences(areas, wanted).drop(columns="p")
run.write_table(gains, "context_gain")
for row in gains.itertuples():
    sure = "" if row.low > 0 or row.high < 0 else ", which may be chance"
    both = f"{style.MODEL_LABELS[row.first]} minus {style.MODEL_LABELS[row.second]}"
    print(f"{both}: {row.difference:+.3f} ({row.low:+.3f} to {row.high:+.3f}){sure}.")

# %% [markdown]
# ## Sampling sensitivity
#
# A susceptibility model needs cells without landslide, and somebody has to choose them. Far from any landslide, in the flat valley floor, they are
# easy to tell apart, and the score on *such* samples is high. Here one model is trained on many kinds of samples. Each is scored twice: on samples
# of its own kind in random folds, as most studies do, and by its map on every cell of the area, block by block. It keeps the settings it had before
# any search: a search for each kind would compare searches, not samples. (An inventory of points is used as it is, so there is nothing to choose.)


# %%
def two_scores(kind):
    """AUC on samples of one kind in random folds, and AUC of the held-out map on all cells."""
    try:
        drawn = samples.make_samples(inventory, factors, **kind, max_per_landslide=most)
        label, whole = drawn["label"], validation.landslide_groups(drawn["landslide_id"])
        random = StratifiedGroupKFold(n_folds, shuffle=True, random_state=kind["seed"])
        how = {"groups": whole, "cv": random, "method": "predict_proba"}
        probability = cross_val_predict(lab_model, drawn, label, **how)[:, 1]

        spatial = validation.SpatialBlockKFold(n_folds, block_m, random_state=kind["seed"])
        drawn["fold"] = spatial.fold_numbers(drawn, label)
        folds = validation.fold_map(drawn, factors, block_m=block_m, seed=kind["seed"])
        held_out = cross_validated_map(lab_model, drawn, factors, folds, buffer_m=0).values
        known = np.isfinite(held_out)
    except LsaError as error:  # for example too few cells so far from any landslide
        return kind | {"n": 0, "problem": str(error)}
    sample_auc = roc_auc_score(label, probability)
    map_auc = roc_auc_score(landslide.values[known], held_out[known])
    return kind | {"n": len(drawn), "sample_auc": sample_auc, "map_auc": map_auc, "problem": ""}

# %%
lab_model = getattr(trained[p.lab_model], "estimator", trained[p.lab_model])
most = table.attrs["max_per_landslide"]
choices = {
    "positives": [] if (inventory.geom_type == "Point").all() else p.lab_positives,
    "negative_buffer_m": p.lab_buffers_m,
    "min_slope_negatives": p.lab_slopes,
    "negative_ratio": p.lab_ratios,
    "seed": range(p.seed, p.seed + p.lab_seeds),
}
kinds = [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]
rows = Parallel(n_jobs=p.n_jobs)(delayed(two_scores)(kind) for kind in kinds)
sensitivity = pd.DataFrame(rows, columns=[*choices, "n", "sample_auc", "map_auc", "problem"])
sensitivity.columns = ["positives", "buffer_m", "slope_floor", "ratio", *sensitivity.columns[4:]]

# %% mystnb={"figure": {"caption": "Each dot is one way to sample. Across, the score on samples of the same kind; up, the score of the map on all cells. On the line both would be equal.", "name": "fig-08-laboratory"}, "image": {"alt": "Scatter plot of the map score against the sample score for each way to sample, marked by positive kind and coloured by buffer distance, with the line of equality"}}
run.write_table(sensitivity, "sampling_laboratory")
style.save(show.sampling_sensitivity(sensitivity), run, "sampling_laboratory")

# %%
validation.summarise_sampling(sensitivity).round(3)

# %% [markdown]
# Read the table by columns: which choice raised `sample_auc`, and did `map_auc` follow? What raises only the first makes the test easier, not the map better:
# the `optimism` grows. `seed_sd` says how far `map_auc` moves when the same kind of samples is drawn again: smaller differences are luck. Kinds that
# could not be drawn are counted as `failed` and are in no mean.
#
# ## Try it
#
# ```{exercise-start}
# :label: ex-08-capture
# ```
#
# A mayor can pay for drains on a twentieth of the land. With the best model's held-out map, which share of the landslide area would that reach,
# and which share did the success rate promise?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-08-capture
# :class: dropdown
# ```

# %%
both = worth.pivot(index="model", columns="map", values="capture_5")
best = both["held out"].idxmax()
print(
    f"{style.MODEL_LABELS[best]}: {both.loc[best, 'held out']:.0%} of the landslide area; the success rate promised {both.loc[best, 'fitted']:.0%}."
)

# %% [markdown]
# ```{solution-end}
# ```
#
# Three changes to make with papermill, each a command in a terminal:
#
# - `papermill notebooks/08_validation.ipynb out.ipynb -p lab_seeds 5`: more draws of every kind of samples; does the table say the same?
# - `papermill notebooks/08_validation.ipynb out.ipynb -p lab_model logistic`: does a simpler model suffer less from odd samples?
# - `papermill notebooks/08_validation.ipynb out.ipynb -p inventory detected`: judge the maps by the detected landslides, as a study
#   without a truth has to; how far do the rates move?

# %% [markdown]
# The blocks are those of chapter 5, whose samples carry their folds. `lsa run quick -p 05.block_m 2000` deals larger ones; what happens to the
# prediction rate?
#
# ## Summary
#
# The table `map_scores.csv` holds what every map is worth when its models knew the landslides and when they did not, `optimism.csv` what random folds
# promise too much, `paired_differences.csv` which differences between models are more than chance, `context_gain.csv` what the window is worth, and `sampling_laboratory.csv` how far the choice
# of samples alone moves a score. The rasters `heldout_*.tif` are the maps nobody had to remember anything for.
#
# ## What's next
#
# Change one parameter of an earlier chapter and make the book again: `lsa run` repeats only what the change touches.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`chung2003,hirzel2006,roberts2017`.
