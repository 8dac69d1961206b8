# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 9 Validation
#
# ## Overview
#
# Chapter 5 gave every model a score. This chapter asks what such a score is worth. It goes beyond {cite:t}`yao2026`, whose abstract and whose class
# tables imply different scores for the same maps: how much of a score is the model, how much the folds, how much one cluster of landslides, and
# how much the place alone?
#
# **You will learn** (1) what is left of a score by fold and without the densest cluster, (2) how large a spatial block must be, (3) whether a
# difference between two models is more than chance, (4) what success and prediction rate are and why only one of them is a forecast, (5) how to
# make a probability of a landslide out of a susceptibility, (6) what a network's window is worth.
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
chunk: int = 0  # edge of a block of cells, for areas larger than memory (512 is good); 0: rasters in memory
inventory: str = "auto"  # landslides the maps are judged by; auto: the true ones where known, else detected, else reference
one_block_models: list = ["rf", "xgboost", "logistic"]  # models also scored with one block left out at a time
logistic_repeats: int = 0  # repetitions of k-means folds for a table of the logistic regression by itself
prevalence: float = 0.0  # share of the land that is landslide, for the probabilities; 0: the share of the inventory

# %%
from itertools import combinations

import numpy as np
import pandas as pd
import xarray as xr
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, cross_val_predict

from lsa_helpers import answers, models, samples, validation
from lsa_helpers.raster import cell_size, read_factors, read_raster
from lsa_helpers.runner.params import ValidationParams
from lsa_helpers.runner.pipeline import open_run
from lsa_helpers.show import style
from lsa_helpers.show import validation as show

style.use()
p = ValidationParams.from_cell(globals())
run = open_run(p, "09_validation")

# %% [markdown]
# From chapters 1 to 5 come the factors, the samples with their spatial folds, the predictions and the models. The maps are judged by the true
# landslides of the simulated mountain, or by those of an inventory where nobody knows the truth.

# %%
factors = read_factors(run.need("factors.tif", chapter="01_data"))
inventory = samples.load_landslides(run.need("inventory.gpkg", chapter="03_inventory"), p.inventory)
inventory = samples.reproject_landslides(inventory, factors)
table = pd.read_parquet(run.need("samples.parquet", chapter="05_susceptibility"))
predictions = pd.read_parquet(run.need("predictions.parquet", chapter="05_susceptibility"))
names = [name for name in predictions["model"].unique() if name != "coordinates"]
trained = {name: models.load(run.product(f"models/{name}"), factors) for name in names if models.is_saved(run.product(f"models/{name}"))}
truth = validation.read_truth(run.product("truth"), factors)

block_m, label = table.attrs["block_m"], table["label"]
place = table[["x", "y"]].to_numpy()
window = models.saved_window(run.product("models/cnn"))
buffer_m = window * cell_size(factors)
if truth is not None and p.inventory == "auto":
    landslide, judge = truth["landslide"], "the true landslides of the simulated mountain"
else:
    landslide = samples.landslide_numbers(inventory, factors) >= 0
    judge = f"the {inventory.attrs['layer']} landslides"
print(f"{len(table)} samples, {table['fold'].nunique()} folds, a strip of {buffer_m:g} m. Maps are judged by {judge}.")

# %% [markdown]
# ## Random folds flatter
#
# Chapter 5 scored every model three ways. Each fold is predicted by another model, and values of different models must not be compared: a model
# that knows nothing but the share of landslides among its training rows would predict *less* wherever the fold left out holds *more* of them
# {cite:p}`parker2007,airola2011`. So only pairs of rows of the same fold count here. *Optimism* is the AUC of random folds minus that of spatial
# blocks: what the neighbours of the test cells whispered to the model. A study that shows only random folds shows the second column. Where chapter 5
# searched for settings (`tune_draws`), every model of this chapter searches again, without the rows it is judged by: a clone of a search is a search.
#
# What would more training land be worth? The last column leaves out one block at a time, so that a model trains on almost everything, and counts
# pairs of the same *block*: a harder question, because neighbours differ less. Beside it stand the spatial folds on the very same pairs.

# %%
schemes = ("apparent", "random", "spatial")
auc = pd.DataFrame({scheme: run.read_table(f"scores_{scheme}").set_index("model")["auc_within"] for scheme in schemes})
optimism = auc.assign(optimism=auc["random"] - auc["spatial"])
spatial = predictions[predictions["scheme"] == "spatial"]
spatial = spatial.pivot(index="sample", columns="model", values="probability")[list(auc.index)]

block = validation.block_numbers(*validation.landslide_places(table).T, block_m)
one_block_out = [
    (validation.beyond_buffer(place, train, test, buffer_m), test)
    for train, test in LeaveOneGroupOut().split(table, label, block)
]
optimism["spatial_in_block"] = [validation.within_groups_auc(label, spatial[name], block) for name in auc.index]
optimism["one_block"] = np.nan
for name in [name for name in trained if name in p.one_block_models]:
    how = {"cv": one_block_out, "method": "predict_proba", "n_jobs": p.n_jobs}
    probability = cross_val_predict(trained[name], table, label, **how)[:, 1]
    optimism.loc[name, "one_block"] = validation.within_groups_auc(label, probability, block)
run.write_table(optimism.rename_axis("model").reset_index(), "optimism")
optimism.rename(style.MODEL_LABELS).round(3)

# %%
if p.logistic_repeats:
    seeds = range(p.seed, p.seed + p.logistic_repeats)
    shuffled = [GroupKFold(table["fold"].nunique(), shuffle=True, random_state=seed) for seed in seeds]
    clusters = [validation.KMeansFold(table["fold"].nunique(), random_state=seed) for seed in seeds]
    rows = []
    for scheme, splitters in {"random": shuffled, "spatial": clusters}.items():
        repeats = validation.repeated_scores(trained["logistic"], table, splitters)
        rows.append(validation.summarise_repeats(repeats, "logistic").assign(scheme=scheme))
    protocol = pd.concat(rows, ignore_index=True)
    run.write_table(protocol, "scores_protocol")
    print(f"The logistic regression by itself: means of {p.logistic_repeats} repetitions, with k-means clusters as spatial folds (Lovelace et al. 2019).")
    display(protocol.set_index("scheme")[["auc", "auc_low", "auc_high"]].round(3))

# %% [markdown]
# ## One number for all folds
#
# The AUC of spatial blocks is one number over the whole area. Each fold has its own. And landslides come in clusters: how much of the score comes
# from the tenth of the land that holds the most of them? There a model only has to say "here"; outside it has to tell slopes apart. The row *place
# alone* is a forest that knows nothing but the coordinates.

# %%
small = validation.block_map(factors, block_m / 4)
cells = pd.DataFrame({"block": small.values.ravel(), "landslide": landslide.values.ravel()})
cells = cells[np.isfinite(next(iter(factors.values())).values.ravel())].groupby("block")["landslide"].agg(["sum", "size"])
cells = cells.loc[(cells["sum"] / cells["size"]).sort_values(ascending=False).index]
densest = cells.index[cells["size"].cumsum() <= 0.1 * cells["size"].sum()]
inside = np.isin(validation.at_samples(small, table), densest)
print(
    f"The densest tenth of the land holds {cells.loc[densest, 'sum'].sum() / cells['sum'].sum():.0%} of the landslide area "
    f"and {inside[label == 1].mean():.0%} of the landslide samples."
)
parts = {f"fold {fold + 1}": table["fold"] == fold for fold in range(table["fold"].nunique())}
parts |= {"all folds": label >= 0, "without the densest tenth": ~inside}


def auc_of(name, rows):
    """AUC on some samples, pairs of the same fold; none where they are all alike."""
    return validation.within_groups_auc(label[rows], spatial.loc[rows, name], table["fold"][rows])


by_part = pd.DataFrame({part: {name: auc_of(name, rows) for name in spatial} for part, rows in parts.items()})
run.write_table(by_part.rename_axis("model").reset_index(), "auc_by_fold")
by_part.rename(style.MODEL_LABELS).round(3)

# %% [markdown]
# How large must a block be? Errors of a model are alike over some distance; blocks smaller than that hand the answer to the neighbour. Here is the
# correlation of the errors (label minus predicted probability out of its spatial fold) by distance, and the distance at which a fitted exponential
# has fallen to a twentieth.

# %% mystnb={"figure": {"caption": "Correlation of a model's errors at two samples against the distance between them. The dotted line is the edge of the blocks.", "name": "fig-09-correlogram"}, "image": {"alt": "Line chart of the correlation of errors against distance, one line per model, falling towards zero, with the block edge as a dotted line"}}
some = np.random.default_rng(p.seed).permutation(len(table))[:3000]  # all pairs of more would fill the memory
errors = {name: label - spatial[name] for name in trained}
alike = {name: validation.correlogram(place[some], error.iloc[some], step_m=block_m / 10) for name, error in errors.items()}
ranges = pd.Series({name: validation.residual_range(curve) for name, curve in alike.items()}, name="Range (m)")
style.save(show.correlograms(alike, block_m), run, "correlograms")

# %%
run.write_table(ranges.rename("range_m").rename_axis("model").reset_index(), "residual_range")
verdict = "longer than" if ranges.max() > block_m else "no longer than"
longest = f"{ranges.max():.0f} m" if np.isfinite(ranges.max()) else "longer than the figure shows"
print(f"The longest range, {longest}, is {verdict} the blocks of {block_m:.0f} m.")
ranges.rename(style.MODEL_LABELS).round(0).to_frame()

# %% [markdown]
# ## Better, or lucky?
#
# Is one model better than another, or was it lucky with these blocks? Both are scored on the same resampled blocks, again and again; `p` says how
# often the difference turns its sign. With so many pairs, a `p` just below 0.05 is no discovery.

# %%
weights = validation.block_weights(validation.block_numbers(*place.T, block_m), validation.N_DRAWS, p.seed)
drawn = {name: validation.within_groups_auc(label, spatial[name], table["fold"], weights) for name in spatial}
pairs = validation.paired_differences(drawn, combinations(spatial, 2))
run.write_table(pairs, "paired_differences")
pairs.round(3)

# %% [markdown]
# ## Success and prediction rate
#
# Go through the land from the most susceptible cell down: how much of the landslide area has been met after 10 % of the land? For the fitted maps of
# chapter 5 this is the *success rate* {cite:p}`chung2003`, for its held-out maps the *prediction rate*. The gap between them is memory, and what the
# held-out maps lack besides: training land, and one model for the whole area instead of one for each fold. Where the maps are judged by true
# landslides and were fitted to detected ones, the success rate, too, holds some landslides the model never saw. The bands resample whole blocks.

# %% mystnb={"figure": {"caption": "The fold of every cell, and the samples. A fold's cells are mapped by models that know none of its samples and none in a strip around it.", "name": "fig-09-folds"}, "image": {"alt": "Map of square blocks coloured by the spatial fold they belong to, with the samples as dots, filled in landslides and open elsewhere"}}
folds = validation.fold_map(table, factors, block_m=block_m, seed=table.attrs["seed"])
style.save(show.fold_panel(folds, table), run, "validation_folds")

# %% mystnb={"figure": {"caption": "Share of the landslide area against the share of the land, from the most susceptible cell down. Solid with shaded 95 % band, prediction rate of the held-out maps; dashed with hatched band, success rate of the maps of chapter 5.", "name": "fig-09-rates"}, "image": {"alt": "One panel per model with the prediction rate as a solid curve in a shaded band and the success rate as a dashed curve in a hatched band"}}
heldout = {name: read_raster(run.product(f"heldout_{name}.tif"))["susceptibility"] for name in trained}
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
# frequency ratio is lower than that of the class below. With few landslides both are noisy: see what the true probability gets. `different_neighbours` and `isolated` measure the salt and pepper the
# paper calls a pretzel look: neighbours of another class, and cells alone in theirs. Where the truth is known, the last columns judge the two bounds
# of chapter 5 as if they were maps: the {term}`oracle` and the {term}`reachable bound`.

# %%
def scores_of(susceptibility):
    """Captures, Boyce index, descents and texture of one map."""
    captured = validation.capture(validation.rate_curve(susceptibility, landslide))
    return captured | validation.map_quality(susceptibility, landslide, seed=p.seed)


rows = [{"model": name, "map": kind, **scores_of(values)} for (name, kind), values in maps.items()]
if truth is not None:
    known = xr.concat(heldout.values(), "model").notnull().all("model")
    bounds = {name: band for name, band in validation.BOUNDS.items() if band in truth}
    rows += [{"model": name, "map": "bound", **scores_of(truth[band].where(known))} for name, band in bounds.items()]
worth = pd.DataFrame(rows)
run.write_table(worth, "map_scores")
worth.set_index(["model", "map"]).round(3).T

# %% [markdown]
# ## From susceptibility to probability
#
# The samples were half landslide, the land is not. A map's values are therefore right in order and far too high in size. If the share of landslides
# on the land, the *prevalence* $\pi$, is known or assumed, the odds are corrected by one factor {cite:p}`king2001`, with $s$ for the samples' share:
#
# $$
# \frac{p'}{1 - p'} = \frac{p}{1 - p} \cdot \frac{\pi / (1 - \pi)}{s / (1 - s)}
# $$ (eq-09-odds)
#
# No order changes by that, and no AUC. But is the result a probability? Where 20 % are predicted, 20 % should fail. The held-out maps, corrected,
# against what happened, or against the true probability where it is known; its mean is then the prevalence. The mean squared error judges order and
# size together. To beat is a map that says the prevalence everywhere, which is calibrated and useless.

# %%
outcome = truth["probability"] if p.inventory == "auto" and truth is not None else landslide.astype(float)
known = np.isfinite(outcome.values) & np.logical_and.reduce([np.isfinite(values.values) for values in heldout.values()])
outcome = outcome.values[known]
prevalence = p.prevalence or float(outcome.mean())
edges = [0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 1.0]
rows, curves = [], {}
for name, values in heldout.items():
    raw = values.values[known]
    corrected = validation.shift_odds(raw, label.mean(), prevalence)
    curves[name] = validation.reliability(corrected, outcome, edges)
    high = corrected > 0.2
    above = {"predicted_above_20": corrected[high].mean(), "outcome_above_20": outcome[high].mean()} if high.any() else {}
    row = {"model": name, "mean_of_map": raw.mean(), "corrected": corrected.mean(), "outcome": outcome.mean()}
    rows.append(row | above | {"squared_error": ((corrected - outcome) ** 2).mean()})
always = {"model": "constant", "mean_of_map": prevalence, "corrected": prevalence, "outcome": outcome.mean()}
rows.append(always | {"squared_error": ((prevalence - outcome) ** 2).mean()})
probabilities = pd.DataFrame(rows)
run.write_table(probabilities, "probabilities")
errors = probabilities.set_index("model")["squared_error"]
better = [style.MODEL_LABELS[name] for name in heldout if errors[name] < errors["constant"]]
print(f"Prevalence {prevalence:.3f}. Nearer to the outcome than the prevalence everywhere: {', '.join(better) or 'none'}.")
probabilities.set_index("model").rename(style.MODEL_LABELS).round(4)

# %% mystnb={"figure": {"caption": "Reliability of the held-out maps after the correction of the odds. On the line, what is predicted happens; dots are classes of predicted probability.", "name": "fig-09-reliability"}, "image": {"alt": "Line chart on logarithmic axes of the observed against the predicted probability, one line per model, with the diagonal where both are equal"}}
style.save(show.reliability_curves(curves), run, "reliability")

# %% [markdown]
# ## Is it the window?
#
# A CNN differs from trees in two ways: it is another model, and it sees the neighbourhood. To tell them apart, the trees get the mean and the
# deviation of every continuous factor in the same window, and the CNN gets a window of one cell. All are mapped without knowing the block.

# %%
trees = [name for name in ("rf", "xgboost") if name in heldout]
around = samples.focal_statistics(factors[models.fitted_coder(trained[trees[0]]).factors if trees else []], window)
wider = factors.assign(around)
wider_table = table.assign(**{name: validation.at_samples(band, table) for name, band in around.items()})
context = {}
for name in trees:
    coder = samples.factor_coder(wider, [*models.fitted_coder(trained[name]).factors, *around])
    step = "estimator__coder" if hasattr(trained[name], "estimator") else "coder"
    model = clone(trained[name]).set_params(**{step: coder})
    context[f"{name}_context"] = models.cross_validated_map(model, wider_table, wider, folds, buffer_m)
for name in [name for name in ("cnn",) if name in trained]:
    model = clone(trained[name]).set_params(window=1)
    context["cnn_1"] = models.cross_validated_map(model, table, factors, folds, buffer_m)

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
# ## Try it
#
# ```{exercise-start}
# :label: ex-09-capture
# ```
#
# A mayor can pay for drains on a twentieth of the land. With the best model's held-out map, which share of the landslide area would that reach,
# and which share did the success rate promise?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-09-capture
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
# ```{exercise-start}
# :label: ex-09-constant
# ```
#
# Break it: a map says the same number everywhere, the share of the land that is landslide. Which AUC has it, which Brier score, and how does that Brier score look
# beside those of the chapter's maps?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-09-constant
# :class: dropdown
# ```
#
# The AUC is one half: no pair is ordered. The Brier score of a constant $p$ is $p(1-p)$, which is tiny because landslides are rare. So a low Brier score of a rare event is no
# achievement; only what is *gained* over the constant counts.

# %%
share = float(landslide.mean())
constant = share * (1 - share)
answers.record(run, "ex-09-constant", constant, within=0.0005, what="the Brier score")
print(f"AUC 0.5; Brier score of the constant {share:.4f}: {constant:.4f}.")

# %% [markdown]
# ```{solution-end}
# ```
#
# Three changes to try, each a command in a terminal. It repeats the chapter beside the book's run, which stays as it is, and prints the page's
# numbers and yours.
#
# - `lsa try quick 09 -p prevalence 0.1`: far too many landslides expected. Look at `probabilities`: what becomes of the corrected ones?
# - `lsa try quick 09 -p inventory detected`: judge the maps by the detected landslides, as a study without a truth has to. How far do the rates move?
# - `lsa try quick 09 -p 05.block_m 2000`: larger blocks for chapter 5, which is repeated first. What happens to the prediction rate?

# %% [markdown]
# ## Summary
#
# The table `map_scores.csv` holds what every map is worth when its models knew the landslides and when they did not, `optimism.csv` what random folds
# promise too much, `auc_by_fold.csv` where a score comes from, `paired_differences.csv` which differences between models are more than chance,
# `probabilities.csv` how far a map is from a probability, and `context_gain.csv` what the window is worth.
#
# ## What's next
#
# Chapter 10 asks how much of a score is the choice of samples.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`chung2003,hirzel2006,king2001,parker2007,roberts2017`.
