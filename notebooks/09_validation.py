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
# | you will learn | the experiment that shows it |
# |---|---|
# | how much of a score is the folds, the neighbours, one cluster and the detector | the same models and samples, asked in other ways; the place alone beside them |
# | how large a spatial block must be, and whether a better model was only lucky with the blocks | the correlation of errors by distance; two models on the same blocks, drawn again and again |
# | what success and prediction rate are, and why only one is a test | fitted and held-out maps; exercise: the drains of a mayor |
# | how to make a probability of a landslide out of a susceptibility | corrected odds held against the truth; exercise: a map that says one number everywhere |
# | what a network's window is worth | trees that see the neighbourhood, a network that sees one cell |
#
# **Before you start** you need chapters 1 to 5, or their products (made first at the smallest size when you open this chapter alone), above all the
# spatial blocks, the AUC of chapter 4 and the held-out maps of chapter 5.
#
# **Time to learn** about 40 minutes to read, as long again for the exercises. The time to run is on the page *How long it took*.

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
from lsa_helpers.raster import cell_size, known_cells, read_factors, read_raster
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
trained = {name: models.load(run.product(f"models/{name}"), factors) for name in names if models.can_load(run.product(f"models/{name}"))}
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


def worded(scores, headings):
    """A table by model as it is read: names in words, and only these columns."""
    return scores.rename(style.MODEL_LABELS)[list(headings)].rename(columns=headings).rename_axis(None)


print(f"{len(table)} samples, {table['fold'].nunique()} folds, a strip of {buffer_m:g} m. Maps are judged by {judge}.")

# %% [markdown]
# ## Random folds flatter
#
# Chapter 5 scored every model three ways. Each fold is predicted by another model, and values of different models must not be compared: a model
# that knows nothing but the share of landslides among its training rows would predict *less* wherever the fold left out holds *more* of them
# {cite:p}`parker2007,airola2011`. So only pairs of rows of the same fold count here. *Optimism* is the AUC of random folds minus that of spatial
# blocks: what the neighbours of the test cells give away. Where chapter 5 searched for settings (`tune_draws`), every model of this chapter
# searches again, without the rows it is judged by: a clone of a search is a search.

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
headings = {"apparent": "AUC, training data", "random": "Random folds", "spatial": "Spatial blocks", "optimism": "Optimism"}
worded(optimism, headings).round(3)

# %%
for scheme, words in {"random": "In random folds", "spatial": "In spatial blocks"}.items():
    alone = auc.loc["coordinates", scheme]
    behind = [style.MODEL_LABELS[name] for name in trained if auc.loc[name, scheme] <= alone]
    print(f"{words} a forest that knows only the place has {alone:.3f}. No better than that: {', '.join(behind) or 'none'}.")
most = optimism.loc[list(trained), "optimism"].idxmax()
print(f"Of the models {style.MODEL_LABELS[most]} loses most from random folds to blocks, {optimism.loc[most, 'optimism']:.3f}; place alone loses {optimism.loc['coordinates', 'optimism']:.3f}.")

# %% [markdown]
# A study that shows random folds alone shows the second column. Hold each score against that of the place: what a model does not have above it could
# have been had without any knowledge of slopes. The AUC on the training data says nothing of trees, which learn rows by heart, and too much of the
# others.
#
# What would more training land be worth? Leave out one block at a time, so that a model trains on almost everything, and count pairs of the same
# *block*: a harder question, because neighbours differ less. Compared are the spatial folds on the very same pairs.

# %%
for name, row in optimism.dropna(subset="one_block").iterrows():
    gain = row["one_block"] - row["spatial_in_block"]
    print(f"{style.MODEL_LABELS[name]}: {row['spatial_in_block']:.3f} with the other folds to learn from, {row['one_block']:.3f} with all other blocks ({gain:+.3f}).")

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
    ends = {"auc": "AUC", "auc_low": "Lower end", "auc_high": "Upper end"}
    display(worded(protocol.set_index("scheme"), ends).round(3))

# %% [markdown]
# ## One number for all folds
#
# The AUC of spatial blocks is one number over the whole area. Each fold has its own, and landslides come in clusters: in the *frame*, the window of a
# tenth of the map with the most landslide area, a model only has to say "here"; outside it has to tell slopes apart. And whose landslides are they? The
# models learned from the landslides of an inventory. Where the truth is known, the same predictions for the same cells are asked once more about *true* landslides.

# %%
left, bottom, right, top = validation.densest_window(landslide, 0.1)
inside = (table["x"].between(left, right) & table["y"].between(bottom, top)).to_numpy()
parts = {f"fold {fold + 1}": table["fold"] == fold for fold in range(table["fold"].nunique())}
asked = {name: (label, rows) for name, rows in (parts | {"all folds": label >= 0, "outside the frame": ~inside}).items()}
if truth is not None:
    true_label = pd.Series(validation.at_samples(truth["landslide"], table).astype(int), table.index)
    asked |= {"true, all folds": (true_label, label >= 0), "true, outside the frame": (true_label, ~inside)}


def auc_of(name, labels, rows):
    """AUC on some samples, pairs of the same fold; none where they are all alike."""
    return validation.within_groups_auc(labels[rows], spatial.loc[rows, name], table["fold"][rows])


by_part = pd.DataFrame({part: {name: auc_of(name, *which) for name in spatial} for part, which in asked.items()})
run.write_table(by_part.rename_axis("model").reset_index(), "auc_by_fold")
of_folds = {"worst fold": by_part[list(parts)].min(axis=1), "best fold": by_part[list(parts)].max(axis=1)}
shown = by_part.drop(columns=list(parts)).assign(**of_folds).dropna(axis=1, how="all")
order = ["all folds", "worst fold", "best fold", "outside the frame", "true, all folds", "true, outside the frame"]
worded(shown, {name: name.capitalize() for name in order if name in shown}).round(3)

# %%
land = known_cells(factors)
of_land, in_frame = (float(part.sel(x=slice(left, right), y=slice(top, bottom)).sum() / part.sum()) for part in (land, landslide & land))
print(f"The frame holds {of_land:.0%} of the land, {in_frame:.0%} of the landslide area and {inside[label == 1].mean():.0%} of the landslide samples.")
learners = [name for name in trained if name != "infinite_slope"] or list(trained)
best = shown.loc[list(trained), "all folds"].idxmax()
print(f"{style.MODEL_LABELS[best]}, first over all folds, goes from {shown.loc[best, 'worst fold']:.3f} to {shown.loc[best, 'best fold']:.3f} from fold to fold; the models that learn from landslides alone differ by {np.ptp(shown.loc[learners, 'all folds']):.3f}.")
if "true, all folds" in shown:
    right_in, right_out = (true_label[(label == 1) & part].mean() for part in (inside, ~inside))
    if np.isfinite([right_in, right_out]).all():
        print(f"Of the landslide samples {right_in:.0%} in the frame and {right_out:.0%} outside lie in a true landslide; the others are errors of the inventory.")
    first = shown.loc[list(trained), "true, all folds"].idxmax()
    change = (shown["true, all folds"] - shown["all folds"])[list(trained)]
    print(f"Asked about true landslides, {style.MODEL_LABELS[first]} is first ({shown.loc[first, 'true, all folds']:.3f}){'' if first == best else f', no longer {style.MODEL_LABELS[best]}'}.")
    if change.min() < -0.01:
        told = f"{style.MODEL_LABELS[change.idxmin()]} loses most ({change.min():+.3f}), {style.MODEL_LABELS[change.idxmax()]} least ({change.max():+.3f})"
        print(f"{told}: a sign that the first has learned more of what the inventory gets wrong.")

# %% [markdown]
# A score on detected landslides is a score for finding what the *detector* would find. A class should ask this of every study whose landslides were mapped by a
# machine, and of every one mapped by hand, too: along roads more is seen. Without a truth nobody can make the last step; a field check of some
# dozen samples comes near.

# %% [markdown]
# How large must a block be? Errors of a model are alike over some distance; blocks smaller than that hand the answer to the neighbour. Here is the
# correlation of the errors (label minus predicted probability out of its spatial fold) by distance, and the *range*, the distance at which a fitted
# exponential has fallen to a twentieth. The nearest dots are mostly pairs inside one landslide; they can exceed 1 because such cells have larger
# errors than the mean.

# %% mystnb={"figure": {"caption": "Correlation of a model's errors at two samples against the distance between them. The dotted line is the edge of the blocks.", "name": "fig-09-correlogram"}, "image": {"alt": "Line chart of the correlation of errors against distance, one line per model, falling towards zero, with the block edge as a dotted line"}}
some = np.random.default_rng(p.seed).permutation(len(table))[:3000]  # all pairs of more would fill the memory
errors = {name: label - spatial[name] for name in trained}
alike = {name: validation.correlogram(place[some], error.iloc[some], step_m=block_m / 10) for name, error in errors.items()}
ranges = pd.Series({name: validation.residual_range(curve) for name, curve in alike.items()}, name="Range (m)")
style.save(show.correlograms(alike, block_m), run, "correlograms")

# %%
run.write_table(ranges.rename("range_m").rename_axis("model").reset_index(), "residual_range")
reach = {style.MODEL_LABELS[name]: f"{range_m:.0f} m" if np.isfinite(range_m) else "longer than the figure" for name, range_m in ranges.items()}
print(f"Range: {', '.join(f'{name} {text}' for name, text in reach.items())}.")
verdict = "longer than" if ranges.max() > block_m else "no longer than"
print(f"The longest is {verdict} the blocks of {block_m:.0f} m: they are {'too small' if ranges.max() > block_m else 'large enough'} for these errors.")
nearest = [curve.iloc[0] for curve in alike.values()]
print(f"The nearest pairs, {nearest[0]['distance']:.0f} m apart on average, have errors that correlate by {min(row['correlation'] for row in nearest):.2f} or more: folds of single cells would put such twins on both sides.")

# %% [markdown]
# ## Better, or lucky?
#
# Is one model better than another, or was it lucky with these blocks? Both are scored on the same resampled blocks, again and again; the interval holds
# 95 % of the differences, and $p$ is twice the share of draws in which the difference turns its sign. Shown is what the first model in blocks leads by;
# `paired_differences.csv` has all pairs.

# %%
weights = validation.block_weights(validation.block_numbers(*place.T, block_m), validation.N_DRAWS, p.seed)
drawn = {name: validation.within_groups_auc(label, spatial[name], table["fold"], weights) for name in spatial}
pairs = validation.paired_differences(drawn, combinations(spatial, 2))
run.write_table(pairs, "paired_differences")
ahead = pairs[(pairs[["first", "second"]] == best).any(axis=1)].copy()
turned = ahead["second"] == best
ahead.loc[turned, ["difference", "low", "high"]] = -ahead.loc[turned, ["difference", "high", "low"]].to_numpy()
ahead.index = f"{style.MODEL_LABELS[best]} over " + ahead["second"].mask(turned, ahead["first"]).map(style.MODEL_LABELS)
worded(ahead, {"difference": "Lead in AUC", "low": "Lower end", "high": "Upper end", "p": "p"}).round(3)

# %%
sure, few = (pairs["p"] < 0.05).sum(), 0.05 * len(pairs)
verdicts = {"surely ahead of": ahead["low"] > 0, "surely behind": ahead["high"] < 0, "undecided against": (ahead["low"] <= 0) & (ahead["high"] >= 0), "without an interval": ahead["low"].isna()}
print(f"{style.MODEL_LABELS[best]} beside {len(ahead)} others: {', '.join(f'{verdict} {which.sum()}' for verdict, which in verdicts.items() if which.any())}. An interval that holds 0 means that other blocks could turn the order.")
print(f"Of all {len(pairs)} pairs {sure} have a p below 0.05. If no two models differed at all, chance alone would give about {few:.1f}: a p just below 0.05 is no discovery.")

# %% [markdown]
# ## Success and prediction rate
#
# Go through the land from the most susceptible cell down: how much of the landslide area has been met after 10 % of the land? For the fitted maps of
# chapter 5 this is the *success rate* {cite:p}`chung2003`, for its held-out maps, whose folds are those of {numref}`fig-04-samples`, the *prediction
# rate*. The gap between them is memory, and what the held-out maps lack besides: training land, and one model for the whole area instead of one for
# each fold. Where the maps are judged by true landslides and were fitted to detected ones, the success rate, too, holds some landslides the model
# never saw. The bands resample whole blocks.

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
# What share of the landslide area lies in the most susceptible tenth of the land? The Boyce index {cite:p}`hirzel2006` asks something else: do
# landslides become steadily more frequent with susceptibility? 1 is perfect. *Descents* are classes (five, Fisher–Jenks) whose frequency ratio is lower
# than that of the class below. The last two columns measure the salt and pepper that the paper calls a pretzel look: neighbours of another class, and
# cells alone in theirs. Where the truth is known, the last rows judge the two bounds of chapter 5 as if they were maps: the {term}`oracle` and the
# {term}`reachable bound`. Captures of other shares of the land are in `map_scores.csv`.

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
fitted = worth[worth["map"] == "fitted"].set_index("model")
seen = worth[worth["map"] != "fitted"].set_index("model").assign(success=fitted["capture_10"])
percent = ["success", "capture_10", "different_neighbours", "isolated"]
seen[percent] *= 100
headings = {"capture_10": "Held out: met on a tenth (%)", "success": "Fitted: met on a tenth (%)", "boyce": "Boyce index", "descents": "Descents"}
headings |= {"different_neighbours": "Neighbours of another class (%)", "isolated": "Cells alone (%)"}
digits = dict.fromkeys(headings.values(), "{:.1f}") | {"Boyce index": "{:.3f}", "Descents": "{:.0f}"}
worded(seen, headings).style.set_table_attributes('class="dataframe"').format(digits, na_rep="–", escape="html")

# %%
held = seen.loc[list(heldout)]
leader, gap = held["capture_10"].idxmax(), held["success"] - held["capture_10"]
band = rates[(rates["model"] == leader) & (rates["map"] == "held out") & np.isclose(rates["area"], 0.1)].iloc[0]
ends = f" ({100 * band['low']:.0f} to {100 * band['high']:.0f} %)" if np.isfinite(band["low"]) else ""
print(f"First is {style.MODEL_LABELS[leader]}: its most susceptible tenth of unknown land holds {100 * band['landslides']:.0f} %{ends} of the landslide area.")
print(f"The success rate promises most too much to {style.MODEL_LABELS[gap.idxmax()]}: {held.loc[gap.idxmax(), 'success']:.0f} %, and {held.loc[gap.idxmax(), 'capture_10']:.0f} % came.")
if held["success"].idxmax() != leader:
    print(f"Who chose a map by its success rate would take {style.MODEL_LABELS[held['success'].idxmax()]}.")
if "reachable" in seen.index:
    print(f"One who knows the rules and sees the factors meets {seen.loc['reachable', 'capture_10']:.0f} %, one who knows the true probability {seen.loc['oracle', 'capture_10']:.0f} %.")
if held["boyce"].notna().any() and held["boyce"].idxmax() != leader:
    print(f"Boyce indices run from {held['boyce'].min():.2f} to {held['boyce'].max():.2f}, and {style.MODEL_LABELS[held['boyce'].idxmax()]} is first there: the index asks whether the order is right, not how much of the landslides is met.")

# %% [markdown]
# ## From susceptibility to probability
#
# The samples were half landslide, the land is not. The order of a map's values stays, but their size is that of the samples: hold the first
# column below against the prevalence. If the share of landslides
# on the land, the *prevalence* $\pi$, is known or assumed, the odds are corrected by one factor {cite:p}`king2001`, with $s$ for the samples' share:
#
# $$
# \frac{p'}{1 - p'} = \frac{p}{1 - p} \cdot \frac{\pi / (1 - \pi)}{s / (1 - s)}
# $$ (eq-09-odds)
#
# No order changes by that, and no AUC. But is the result a probability? Where 20 % are predicted, 20 % should fail. The held-out maps, corrected, are
# held against what happened, or against the true probability where it is known; its mean is then the prevalence. The mean squared error judges order
# and size together. To beat is a map that says the prevalence everywhere, which is calibrated and useless; the last column is how much smaller than its
# error that of a map is.

# %%
outcome = truth["probability"] if p.inventory == "auto" and truth is not None else landslide.astype(float)
known = np.isfinite(outcome.values) & np.logical_and.reduce([np.isfinite(values.values) for values in heldout.values()])
outcome = outcome.values[known]
prevalence = p.prevalence or float(outcome.mean())
edges = [0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2]
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
shown = 100 * probabilities.set_index("model")
shown["gain"] = 100 * (1 - shown["squared_error"] / shown.loc["constant", "squared_error"])
shown = shown.drop("constant")
headings = {"mean_of_map": "Mean of the map (%)", "corrected": "Corrected (%)"}
headings |= {"predicted_above_20": "Above 20 %: predicted (%)", "outcome_above_20": "Above 20 %: came (%)"} if "outcome_above_20" in shown else {}
digits = dict.fromkeys([*headings.values(), "Error saved (%)"], "{:.1f}") | {"Error saved (%)": "{:.0f}"}
worded(shown, headings | {"gain": "Error saved (%)"}).style.set_table_attributes('class="dataframe"').format(digits, na_rep="–", escape="html")

# %% mystnb={"figure": {"caption": "Reliability of the held-out maps after the correction of the odds. On the line, what is predicted happens; dots are classes of predicted probability.", "name": "fig-09-reliability"}, "image": {"alt": "Line chart on logarithmic axes of the observed against the predicted probability, one line per model, with the diagonal where both are equal"}}
style.save(show.reliability_curves(curves), run, "reliability")

# %%
came = 100 * outcome.mean()
off = np.log(shown["corrected"] / came).abs()
print(f"Prevalence {100 * prevalence:.1f} %, outcome {came:.1f} %. After the correction {style.MODEL_LABELS[off.idxmin()]} is nearest to it on average ({shown['corrected'][off.idxmin()]:.1f} %), {style.MODEL_LABELS[off.idxmax()]} farthest ({shown['corrected'][off.idxmax()]:.1f} %).")
worse = [style.MODEL_LABELS[name] for name in shown.index if shown["gain"][name] <= 0]
print(f"Nothing saved over the prevalence everywhere: {', '.join(worse) or 'none'}.")
for name, values in heldout.items():
    certain = values.values[known] > 0.999
    if certain.any() and outcome[certain].mean() < 0.5:
        print(f"{style.MODEL_LABELS[name]} is more than 99.9 % sure in {certain.sum()} cells before the correction; {outcome[certain].mean():.1%} came there.")

# %% [markdown]
# The correction assumes that a model is calibrated for its samples, and that these were drawn at random. Neither holds: cells near landslides were never
# drawn as stable ones, and a model without a smoothing term can be sure of a class of land that its samples hold in few places. Chapter 12 learns the
# level from the land itself.

# %% [markdown]
# ## Is it the window?
#
# A CNN differs from trees in two ways: it is another model, and it sees the neighbourhood. To tell them apart, the trees get the mean and the
# deviation of every continuous factor in the same window, and the CNN gets a window of one cell. All are mapped as in chapter 5: without knowing the
# block, or a landslide that reaches into it.

# %%
trees = [name for name in ("rf", "xgboost") if name in heldout]
around = samples.focal_statistics(factors[models.fitted_coder(trained[trees[0]]).factors if trees else []], window)
wider = factors.assign(around)
learned_from = samples.load_landslides(run.product("inventory.gpkg"), table.attrs["inventory"], with_absences=True)
numbers = samples.landslide_numbers(samples.reproject_landslides(learned_from, factors), factors)
folds = validation.fold_map(table, factors, block_m=block_m, seed=table.attrs["seed"])
wider_table = table.assign(**{name: validation.at_samples(band, table) for name, band in around.items()})
context = {}
for name in trees:
    coder = samples.factor_coder(wider, [*models.fitted_coder(trained[name]).factors, *around])
    step = "estimator__coder" if hasattr(trained[name], "estimator") else "coder"
    model = clone(trained[name]).set_params(**{step: coder})
    context[f"{name}_context"] = models.cross_validated_map(model, wider_table, wider, folds, buffer_m, numbers)
if "cnn" in trained:
    context["cnn_1"] = models.cross_validated_map(clone(trained["cnn"]).set_params(window=1), table, factors, folds, buffer_m, numbers)

# %%
rows = worth[worth["map"] != "fitted"].drop(columns="map").to_dict("records")
rows += [{"model": name, **scores_of(values)} for name, values in context.items()]
fair = pd.DataFrame(rows)
run.write_table(fair, "fair_comparison")
pairs = [name for tree in trees for name in (tree, f"{tree}_context")] + [name for name in ("cnn", "cnn_1") if name in heldout | context]
shown = fair.set_index("model").loc[pairs]
shown[["capture_10", "different_neighbours", "isolated"]] *= 100
headings = {"capture_10": "Met on a tenth (%)", "area_under": "Area under the rate", "boyce": "Boyce index"}
headings |= {"different_neighbours": "Neighbours of another class (%)", "isolated": "Cells alone (%)"}
digits = dict.fromkeys(headings.values(), "{:.1f}") | {"Area under the rate": "{:.3f}", "Boyce index": "{:.3f}"}
if pairs:
    display(worded(shown, headings).style.set_table_attributes('class="dataframe"').format(digits, na_rep="–", escape="html"))

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
if "cnn_1" in context:
    with_window, without = (shown.loc[name, "different_neighbours"] for name in ("cnn", "cnn_1"))
    print(f"Of neighbours {with_window:.0f} % are of another class with the window, {without:.0f} % without: it makes the map {'smoother' if with_window < without else 'no smoother'}, whatever it does for the rate.")

# %% [markdown]
# ## Try it
#
# ```{exercise-start}
# :label: ex-09-capture
# ```
#
# A mayor can pay for drains on a twentieth of the land. Take the model whose held-out map meets most there, chosen by the very landslides that are counted, which
# flatters it a little. Which share of the landslide area would that reach, and which share did the success rate promise?
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
# Break it: a map says the same number everywhere, the share of the land that is landslide. Which AUC has it? Which Brier score, the mean squared gap
# between the probability and what is in a cell, landslide (1) or none (0)? And how does that look beside the Brier score of the best of the chapter's
# corrected maps?
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
share = float(landslide.values[known].mean())
constant = share * (1 - share)
answers.record(run, "ex-09-constant", constant, within=0.0005, what="the Brier score")
print(f"AUC 0.5; Brier score of the constant {share:.4f}: {constant:.4f}.")
happened = landslide.values[known]
brier = {}
for name, values in heldout.items():
    corrected = validation.shift_odds(values.values[known], label.mean(), happened.mean())
    brier[name] = float(((corrected - happened) ** 2).mean())
least = min(brier, key=brier.get)
saved = 1 - brier[least] / (happened.mean() * (1 - happened.mean()))
print(f"Lowest of the maps, on their cells: {style.MODEL_LABELS[least]}, {brier[least]:.4f}, {abs(saved):.0%} {'less' if saved > 0 else 'more'} than the constant, though it meets {seen.loc[least, 'capture_10']:.0f} % of the landslide area on a tenth of the land.")

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

# %%
said = optimism.loc[list(trained)]
chosen = said["spatial"].idxmax()
print(f"{style.MODEL_LABELS[chosen]}: AUC {said.loc[chosen, 'random']:.2f} in random folds, {said.loc[chosen, 'spatial']:.2f} in blocks; the place alone has {optimism.loc['coordinates', 'spatial']:.2f} there.")
print(f"{style.MODEL_LABELS[leader]}: {seen.loc[leader, 'capture_10']:.0f} % of the landslide area on a tenth of unknown land, where its fitted map promised {seen.loc[leader, 'success']:.0f} %.")

# %% [markdown]
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
