# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 11 Are detected landslides reliable samples?
#
# ## Overview
#
# The first highlight of {cite:t}`yao2026` is that landslides detected in images are reliable samples for susceptibility. Nobody who has only these
# landslides can test that. Where the true ones are known too, a model can be trained on each and both maps be judged by the truth. This chapter does
# so, and then spoils the true inventory by one error at a time, to see which error is worth avoiding.
#
# | you will learn | the experiment that shows it |
# |---|---|
# | what a map loses when it learns from detected landslides | the detector's inventory at low and high scores, every map judged by the true landslides |
# | which error of an inventory is worth avoiding | one error at a time, per square kilometre; {ref}`exercise <ex-11-alike>`: errors as dear as the detector |
# | how to tell such a loss from chance | the true inventory drawn again; {ref}`exercise <ex-11-chance>`; `lsa try quick 11 -p seed 5` |
# | whether weights or cleaning buy the loss back | four ways on the detected landslides, two of them on the true ones as well |
#
# **Before you start** you need chapters 3 and 5, or their products (made first at the smallest size when you open this chapter alone). From chapter 5 you need
# {term}`held-out maps <held-out map>`, from chapter 3 its two thresholds: a landslide is a patch of pixels above a low score, one of which reaches a high one.
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
error_model: str = "xgboost"  # model that is trained on every version of the inventory
detected_thresholds: list = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]  # scores that a detected landslide must reach somewhere
omission_shares: list = [0.15, 0.3, 0.6]  # share of the landslide area that is left out, the smallest or the largest landslides first
commission_shares: list = [0.1, 0.2, 0.3]  # area of false alarms that is added, as a share of the landslide area
boundary_m: list = [-10.0, 10.0, 20.0]  # distance by which outlines are moved outwards, m
merging_m: list = [25.0, 50.0, 100.0]  # distance up to which neighbours are drawn as one landslide, m
position_m: list = [25.0, 50.0, 100.0, 200.0]  # distance by which every landslide lies off, m
true_draws: int = 3  # draws of samples from the true inventory for each seed, to tell a loss from chance
error_seeds: int = 3  # repetitions of everything, with other folds, samples and errors
score_step: int = 2  # every so many rows and columns a cell is mapped and scored

# %%
import geopandas as gpd
import numpy as np
import pandas as pd
import xgboost
from joblib import Parallel, delayed
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.model_selection import cross_val_predict

from lsa_helpers import answers, models, samples, validation
from lsa_helpers.detect.inventory import polygonize
from lsa_helpers.errors import LsaError, StageError
from lsa_helpers.raster import known_cells, read_factors, read_raster
from lsa_helpers.runner.params import InventoryErrorsParams
from lsa_helpers.runner.pipeline import open_run
from lsa_helpers.samples import cleaning, inventory_errors
from lsa_helpers.show import inventory_errors as show
from lsa_helpers.show import style

style.use()
p = InventoryErrorsParams.from_cell(globals())
run = open_run(p, "11_inventory_errors")

# %% [markdown]
# The reference inventory is the truth of this chapter: the true landslides of the simulated mountain, or the mapped ones of a real area, as far as
# they are right. Only it judges; the models learn from whichever version of the inventory is in question.

# %%
file = run.need("inventory.gpkg", chapter="03_inventory")
layers = {name: gpd.read_file(file, layer=name) for name in gpd.list_layers(file)["name"]}
layers = {name: samples.load_landslides(file, name) for name, layer in layers.items() if len(layer)}
true, detected = layers.get("reference"), layers.get("detected")
seeds = range(p.seed, p.seed + p.error_seeds)
if true is None:
    print("There is no reference beside the detected landslides, so nothing can be said about their errors: all that follows is empty.")
    true, seeds = detected, []

table = pd.read_parquet(run.need("samples.parquet", chapter="05_susceptibility"))
factors = read_factors(run.need("factors.tif", chapter="01_data"))
trained = models.load(run.product(f"models/{p.error_model}"), factors)
model = getattr(trained, "estimator", trained)  # settings as before any search
factors = factors[models.fitted_coder(trained).factors]
block_m, n_folds, most = table.attrs["block_m"], table["fold"].nunique(), table.attrs["max_per_landslide"]

# %%
true = samples.reproject_landslides(true, factors)
landslide = samples.landslide_numbers(true, factors) >= 0
points = (true.geom_type == "Point").all()
step = 1 if points else p.score_step  # of single cells none may be passed over
every = np.zeros(landslide.shape, bool)
every[::step, ::step] = True
scored = known_cells(factors) & every
label = landslide.values[scored.values]
if seeds:
    print(f"{len(true)} landslides of reference; maps are scored on {label.size} cells, {label.sum()} of them landslide.")

# %% [markdown]
# ## The experiment
#
# It is the same for every version of the inventory: draw samples, fit the model on all folds but one, map that fold's blocks, and put the pieces
# together. For one seed **the blocks are the same for all versions**, dealt once by the samples of the true inventory. So two versions differ in
# nothing but the landslides, and in the draw of the samples. `prepare` may change the training samples or their weights before the model sees them.


# %%
def dealt_folds(seed):
    """The fold of every cell, by the samples of the true inventory."""
    drawn = samples.make_samples(true, factors, seed=seed, max_per_landslide=most)
    spatial = validation.SpatialBlockKFold(n_folds, block_m, random_state=seed)
    drawn["fold"] = spatial.fold_numbers(drawn, drawn["label"])
    return validation.fold_map(drawn, factors, block_m=block_m, seed=seed)


def experiment(inventory, folds, seed, prepare=None, draw=0):
    """What the model makes of one version of the inventory, or the problem where samples cannot be drawn."""
    pieces, learned, weights = [], [], f"{model.steps[-1][0]}__sample_weight"
    try:
        drawn = samples.make_samples(inventory, factors, seed=seed + draw, max_per_landslide=most).assign(weight=1.0)
        numbers = samples.landslide_numbers(inventory, factors)
        for fold in range(n_folds):
            training = validation.training_samples(drawn, folds == fold, 0.0, numbers)
            training = prepare(training) if prepare else training
            fitted = clone(model).fit(training, training["label"], **{weights: training["weight"]})
            pieces.append(models.predict_map(fitted, factors, where=scored & (folds == fold)).values[scored.values])
            learned.append(training[["x", "y", "label", "weight"]])
    except LsaError as error:  # for example too few landslides are left
        return {"problem": str(error)}
    shapley = [] if prepare else mean_shapley(drawn)
    return {"n": len(drawn), "map": np.fmax.reduce(pieces), "learned": pd.concat(learned), "shapley": shapley}


# %% [markdown]
# Which factors does the model go by? The mean |Shapley value| of each, over 500 cells of the area that are the same for all versions. The model knows all
# samples here. XGBoost computes these values itself, by path-dependent TreeSHAP: the trees' own training rows stand for an absent factor, and not the background of chapters 7
# and 8. For another model the column stays empty.

# %%
cells = pd.DataFrame({name: values.values[scored.values] for name, values in factors.items()})
cells = cells.sample(500, replace=True, random_state=p.seed)


def mean_shapley(drawn):
    """Mean |Shapley value| of each factor."""
    if p.error_model != "xgboost":
        return []
    fitted = clone(model).fit(drawn, drawn["label"])
    rows = xgboost.DMatrix(fitted[0].transform(cells))
    values = fitted[-1].get_booster().predict(rows, pred_contribs=True)[:, :-1]  # the last column is the base value
    return pd.DataFrame(values.T).groupby(samples.coded_groups(fitted[0])).sum().abs().mean(axis=1)


# %% [markdown]
# Samples of the true inventory are drawn several times, for each seed on the same blocks. Every version is compared with each of these maps, and the
# mean is told of
#
# - the AUC on the true landslides, over pairs of cells of the same fold (chapter 9), and the frequency ratio of the most susceptible fifth of the land (fifths of equal area, so that no ratio rises because
#   its class got small);
# - the likeness of the two maps: their rank correlation, and the share of cells in another fifth;
# - the likeness of the reasons: the rank correlation of the factors' mean |Shapley value|.
#
# *Right landslide samples* are those that lie in a true landslide, by weight. The tables on this page show some of the measures, the run's tables all.


# %%
def compared(outcome, true_maps, seed):
    """The measures of one version, and their mean change against draws of the true inventory."""
    if "problem" in outcome:
        return outcome
    learned, row = outcome["learned"], {"n": outcome["n"], "problem": ""}
    is_true, positive = validation.at_samples(landslide, learned), learned["label"] == 1
    for name, rows in {"right_positives": positive, "missed_negatives": ~positive}.items():
        row[name] = np.average(is_true[rows], weights=learned["weight"][rows])
    if len(outcome["shapley"]):
        row["shapley_rank"] = np.mean([spearmanr(outcome["shapley"], one["shapley"]).statistic for one in true_maps])
    change = pd.DataFrame([validation.map_change(outcome["map"], one["map"], label, fold=folds[seed].values[scored.values]) for one in true_maps])
    return row | change.mean().to_dict() | {"n_learned": len(learned) / n_folds}


sizes = ["landslides", "area_km2", "missed_km2", "false_km2", "n", "right_positives", "missed_negatives"]
changes = ["auc", "auc_change", "fr", "fr_change", "map_rank", "class_changed", "shapley_rank"]


def assess(versions, ways=None):
    """One row for each version, (kind, amount) → (seed → inventory), and seed. `ways`: version → how its samples are prepared."""
    ways = ways or dict.fromkeys(versions)
    cases = [(version, seed, make(seed)) for version, make in versions.items() for seed in seeds]
    outcomes = Parallel(p.n_jobs)(delayed(experiment)(one, folds[seed], seed, ways[version]) for version, seed, one in cases)
    rows = []
    for ((kind, amount), seed, one), outcome in zip(cases, outcomes, strict=True):
        missed, false = inventory_errors.wrong_areas(one, true)
        row = {"kind": kind, "amount": amount, "seed": seed, "landslides": len(one), "area_km2": one.area.sum() / 1e6, "missed_km2": missed, "false_km2": false}
        rows.append(row | compared(outcome, truth[seed], seed) | {"wrong_km2": missed + false})
    return pd.DataFrame(rows, columns=["kind", "amount", "seed", *sizes, *changes, "problem", "wrong_km2", "n_learned"])


# %% [markdown]
# What the columns are called on this page, and how many of their digits mean something:

# %%
words = {
    "landslides": ("landslides", "{:.0f}"),
    "wrong_km2": ("wrong land (km²)", "{:.2f}"),
    "missed_km2": ("missed (km²)", "{:.2f}"),
    "false_km2": ("false (km²)", "{:.2f}"),
    "n": ("samples", "{:.0f}"),
    "n_learned": ("samples of a fold's model", "{:.0f}"),
    "right_positives": ("right landslide samples", "{:.0%}"),
    "missed_negatives": ("landslide among the others", "{:.1%}"),
    "auc": ("AUC", "{:.3f}"),
    "auc_change": ("change of AUC", "{:+.3f}"),
    "fr_change": ("change of frequency ratio", "{:+.2f}"),
    "map_rank": ("likeness of maps", "{:.2f}"),
    "class_changed": ("cells in another fifth", "{:.0%}"),
    "shapley_rank": ("likeness of reasons", "{:.2f}"),
}


def in_words(table, columns):
    """Some columns of a table as the page shows them."""
    return pd.DataFrame({words[name][0]: table[name].map(words[name][1].format, na_action="ignore").fillna("–") for name in columns}, table.index)


# %% [markdown]
# First the maps of the true inventory, against which all others stand.

# %%
try:
    folds = {seed: dealt_folds(seed) for seed in seeds}
except LsaError as error:
    print(f"The reference landslides cannot be dealt to folds, so nothing is compared: {error}")
    seeds = []
keys = [(seed, draw) for seed in seeds for draw in range(p.true_draws)]
outcomes = Parallel(p.n_jobs)(delayed(experiment)(true, folds[seed], seed, draw=1000 * draw) for seed, draw in keys)
truth = {seed: [one for key, one in zip(keys, outcomes, strict=True) if key[0] == seed and "map" in one] for seed in seeds}
seeds = [seed for seed in seeds if len(truth[seed]) == p.true_draws]

# %% [markdown]
# ### How much is chance?
#
# Each draw of the true inventory against the others: whatever differs here is chance, and no error counts for anything that changes no more. Other
# seeds also deal other blocks, which moves the AUC itself.

# %%
rows = [{"seed": seed} | compared(one, [other for other in truth[seed] if other is not one], seed) for seed in seeds for one in truth[seed]]
chance = pd.DataFrame(rows, columns=["seed", *changes, "n", "problem"])
run.write_table(chance, "inventory_chance")
band = chance["auc_change"].abs().max()
if seeds:
    of_seed = chance.groupby("seed")["auc"].mean()
    print(f"True inventory: AUC {chance['auc'].mean():.3f}; another draw of samples moves it by up to {band:.3f}, another seed by {of_seed.max() - of_seed.min():.3f}.")
    print(f"Two maps of it still put {chance['class_changed'].mean():.0%} of the land into different fifths.")
    span = chance[changes].agg(["mean", "min", "max"]).set_axis(["mean", "smallest", "largest"])
    display(in_words(span, ["auc", "auc_change", "fr_change", "map_rank", "class_changed", "shapley_rank"]))

# %% [markdown]
# The land that changes its fifth here does so without any error: that is the price of a finite sample, which a class map shows as a fact.
#
# ## Detected landslides
#
# Now the landslides that chapter 3 found in the scene, at several high thresholds. The low one, down to which a landslide extends, is that of chapter
# 3, or the high one where that is lower. The row `chapter 3` is the inventory itself, which chapter 5 learns from: its thresholds were chosen on
# image chips, without the truth.

# %%
comparable = detected is not None and not points
searched = comparable and run.has("scene_scores.tif")
if comparable:
    detected = samples.reproject_landslides(detected, factors)
else:
    print("There are no detected landslides, or only points to judge them by: no detected inventory is compared.")
if searched:
    scores = read_raster(run.product("scene_scores.tif"), chunk=1024)["score"]
    chosen = run.read_table("inventory_thresholds").iloc[0]


def reaching(high):
    """The landslides whose score reaches `high` somewhere."""
    how = {"low": min(chosen["low"], high), "high": high, "min_area_m2": chosen["min_area_m2"]}
    return polygonize(scores, scores.rio.transform(), scores.rio.crs, **how).to_crs(true.crs)


at_threshold = {high: reaching(high) for high in p.detected_thresholds} if searched else {}
versions = {("detected", high): (lambda seed, one=one: one) for high, one in at_threshold.items() if len(one)}
if comparable:
    versions["chapter 3", chosen["high"] if searched else np.nan] = lambda seed: detected
found = assess(versions)
run.write_table(found, "inventory_detected")
of_score = found.groupby(["kind", "amount"], dropna=False, sort=False)[["wrong_km2", *sizes, *changes]].mean().rename_axis(["inventory", "score"])
if len(of_score):
    display(in_words(of_score, ["landslides", "missed_km2", "false_km2", "n", "right_positives", "auc_change", "fr_change", "map_rank"]))

# %% mystnb={"figure": {"caption": "What a map loses when it learns from detected landslides, by the score that they must reach. Left, land that the inventory has wrong; middle, change of the AUC on true landslides; right, rank correlation with the map of the true inventory. Bars span the seeds, the diamond is the inventory of chapter 3, and grey is chance.", "name": "fig-11-thresholds"}, "image": {"alt": "Three line charts against the score threshold of missed and false area, of the change of AUC and of the rank correlation of the maps, with bars over the seeds and a grey band of chance"}}
style.save(show.threshold_panels(found, chance), run, "inventory_thresholds_cost")

# %%
lost = -found.loc[found["kind"] == "chapter 3", "auc_change"].mean()
if np.isfinite(lost):
    beyond = "more than" if lost > band else "no more than"
    print(f"The inventory of chapter 3 loses {lost:.3f} of AUC, {beyond} another draw of the true one may ({band:.3f}): {lost / (chance['auc'].mean() - 0.5):.0%} of what the true one's map is above guessing.")
swept = of_score[of_score.index.get_level_values(0) == "detected"].droplevel(0).dropna(subset="auc_change")
if len(swept) > 1:
    least_wrong, best, alike = swept["wrong_km2"].idxmin(), swept["auc_change"].idxmax(), swept["map_rank"].idxmax()
    print(f"The least land is wrong at a score of {least_wrong:g} ({swept['wrong_km2'].min():.2f} km²), the least AUC is lost at {best:g} ({-swept['auc_change'].max():.3f}).")
    if best != least_wrong and swept["auc_change"].max() - swept["auc_change"][least_wrong] > band:
        print("So the inventory with the least wrong land does not make the best map.")
    elif best != least_wrong:
        print(f"The two differ by no more than another draw of the true inventory may ({band:.3f}): within chance neither makes the better map.")
    if alike == swept["auc_change"].idxmin() and np.ptp(swept["auc_change"]) > band:
        print(f"The map most like that of the true inventory, at {alike:g}, has lost most: likeness asks about all cells, the AUC about those few that are landslide.")
    if best == swept["right_positives"].idxmin():
        print(f"At {best:g} only {swept['right_positives'].min():.0%} of the landslide samples lie in a landslide, and no map of these is better.")

# %% [markdown]
# A class will ask whether the first highlight of the paper holds. The change of AUC says how reliable the samples are *for the ranking of this land by this
# model*; the change of the frequency ratio says the same of its most susceptible fifth.
#
# ## One error at a time
#
# Detected inventories have all errors at once. Which one matters? Here they are made on purpose, one at a time:
#
# - **omission**: the *small* landslides are missing, as where an image is too coarse, or the *large* ones, up to the same share of the area;
# - **commission**: false alarms of the detector that touch no true landslide are added, so they look alike and lie where such things lie;
# - **boundary**: all outlines are drawn too far out, or too far in;
# - **merging**: neighbours become one landslide, the hull of them all {cite:p}`marc2015`;
# - **position**: every landslide lies off, each in a direction of its own {cite:p}`steger2016`.

# %%
makers = {
    "omission, small": (p.omission_shares, lambda amount, rng: inventory_errors.omit_by_size(true, amount)),
    "omission, large": (p.omission_shares, lambda amount, rng: inventory_errors.omit_by_size(true, amount, largest_first=True)),
    "boundary": (p.boundary_m, lambda amount, rng: inventory_errors.shift_boundaries(true, amount)),
    "merging": (p.merging_m, lambda amount, rng: inventory_errors.merge_near(true, amount)),
    "position": (p.position_m, lambda amount, rng: inventory_errors.shift_positions(true, amount, rng)),
}
if points:
    print("Points have no size or outline: only their positions are spoiled.")
    makers = {"position": makers["position"]}
if searched:
    lookalikes = reaching(min(p.detected_thresholds))
    makers["commission"] = (p.commission_shares, lambda amount, rng: inventory_errors.add_lookalikes(true, lookalikes, amount, rng))
else:
    print("No detector was at work here, so there are no false alarms to add.")

# %%
spoiled = {}
for kind, (amounts, make) in makers.items():
    for amount in amounts:
        spoiled[kind, amount] = lambda seed, make=make, amount=amount: make(amount, np.random.default_rng(seed))
errors = assess(spoiled)
run.write_table(errors, "inventory_errors")
means = errors.groupby(["kind", "amount"], sort=False)[["wrong_km2", *sizes, *changes]].mean().reset_index()
in_shares = means["kind"].str.startswith(("omission", "commission"))
means["text"] = [f"{amount:.0%}" if share else f"{amount:g} m" for amount, share in zip(means["amount"], in_shares, strict=True)]
largest = means.loc[means["amount"].abs().groupby(means["kind"], sort=False).idxmax()].set_index(["kind", "text"]).rename_axis(["error", "largest amount"])
if len(largest):
    display(in_words(largest, ["wrong_km2", "landslides", "n", "right_positives", "auc_change", "fr_change", "map_rank"]))

# %% mystnb={"figure": {"caption": "Change of the AUC on true landslides against the land that the inventory has wrong, missed and false together. Bars span the seeds; small numbers are the amounts of error. Stars are detected inventories, grey is chance.", "name": "fig-11-costs"}, "image": {"alt": "Line chart of the change of AUC against the wrongly mapped area, one line for each kind of error with bars over the seeds, stars for detected inventories and a grey band of chance"}}
style.save(show.error_costs(errors, found, chance), run, "inventory_errors")

# %%
judged = means.dropna(subset=["right_positives", "auc_change"])
if len(judged):
    spoilt = judged.loc[judged["right_positives"].idxmin()]
    print(f"Fewest right samples: {spoilt['kind']}, {spoilt['text']}. {spoilt['right_positives']:.0%} of its landslide samples lie in a landslide, and the map loses {-spoilt['auc_change']:.3f}.")
    if -spoilt["auc_change"] <= band:
        print(f"That is no more than chance ({band:.3f}): in these factors the ground beside a landslide is hardly another than that inside it.")
left_out = judged[judged["kind"].str.startswith("omission")].set_index(["amount", "kind"]).sort_index()
if len(left_out):
    for _, row in left_out.loc[left_out.index.get_level_values(0).max()].iterrows():
        print(f"{row['text']} of the area left out, {row.name.split(', ')[1]} landslides: {row['landslides']:.0f} landslides and {row['n']:.0f} samples remain; AUC {row['auc_change']:+.3f}.")

# %% [markdown]
# Who misses many small landslides learns from fewer samples of fewer places, and that is part of the price.
#
# Kinds of error can be compared where they spoil equally much land. The slope of a line through no error and no loss, fitted to all amounts of a kind,
# is the AUC lost per square kilometre of wrong mapping. A version counts as *beyond chance* where its AUC fell by more than that of any draw of the true inventory.

# %%
products = errors.dropna(subset="auc_change").assign(lost=-errors["auc_change"] * errors["wrong_km2"], squared=errors["wrong_km2"] ** 2)
sums = products.groupby(["kind", "seed"], sort=False)[["lost", "squared"]].sum()
slopes = (sums["lost"] / sums["squared"].where(sums["squared"] > 0)).groupby("kind", sort=False)
costs = slopes.agg(["mean", "min", "max"]).set_axis(["auc_lost_per_km2", "low", "high"], axis=1)
costs["beyond_chance"] = (products["auc_change"] < chance["auc_change"].min()).groupby(products["kind"]).mean()
costs = costs.sort_values("auc_lost_per_km2", ascending=False).reset_index()
run.write_table(costs, "inventory_error_costs")
if costs["auc_lost_per_km2"].any():
    shown = costs.set_index("kind").rename_axis("error")
    shown["seeds"] = [f"{low:.3f} to {high:.3f}" for low, high in zip(shown["low"], shown["high"], strict=True)]
    shown["beyond"] = shown["beyond_chance"].map("{:.0%}".format)
    headings = {"auc_lost_per_km2": "AUC lost per km²", "seeds": "over the seeds", "beyond": "versions beyond chance"}
    display(shown[list(headings)].rename(columns=headings).round(3))
    if len(costs) > 1:
        print(f"Most expensive per square kilometre: {costs['kind'].iloc[0]}; cheapest: {costs['kind'].iloc[-1]}.")

# %% [markdown]
# A score of the inventory that counts area, such as the IoU of chapter 3, weighs all these square kilometres alike. A kind whose seeds disagree on the sign is not free: its
# price is not known from so few repetitions.

# %% [markdown]
# ## Can it be bought back?
#
# The inventory of chapter 3 again, with four ways to deal with its errors before the model is fitted. All see the training samples of the fold only,
# and none but the last sees the truth:
#
# - **score**: a landslide sample weighs as much as its detection score;
# - **confident learning** {cite:p}`northcutt2021`: models of other blocks predict every sample; those that are surely of the other class are left out
#   (the package `cleanlab` does the same; its equation takes ten lines);
# - **positive–unlabelled** {cite:p}`elkan2008`: a sample without landslide may be one that was overlooked, so it counts in both classes, by weights;
# - **oracle**: all samples with a wrong label are left out. No cleaning can know more.


# %%
def out_of_fold(training):
    """Probability of a landslide from models that did not know the sample's block."""
    inner = validation.SpatialBlockKFold(3, block_m, random_state=p.seed)
    return cross_val_predict(clone(model), training, training["label"], cv=inner, method="predict_proba")[:, 1]


def by_score(training):
    """Landslide samples weigh by the detection score of their landslide."""
    positive = training["label"] == 1
    score = detected["score"].to_numpy()[training["landslide_id"]]
    return training.assign(weight=np.where(positive, score / score[positive].mean(), 1.0))


def without(training, wrong):
    """The other samples, with weights that leave each class its total."""
    kept = training[~wrong]
    if kept["label"].nunique() < 2:
        raise StageError("no sample of one of the classes is left")
    totals = training["label"].value_counts() / kept["label"].value_counts()
    return kept.assign(weight=kept["label"].map(totals))


ways = {
    "as detected": lambda training: training,
    "score": by_score,
    "confident learning": lambda training: without(training, cleaning.confident_errors(training["label"], out_of_fold(training))),
    "positive–unlabelled": lambda training: cleaning.positive_unlabelled(training, out_of_fold(training)),
    "oracle": lambda training: without(training, validation.at_samples(landslide, training) != (training["label"] == 1)),
}

# %% [markdown]
# Leaving doubtful samples out, or giving them two labels, also smooths a model, which may help even where no label is wrong. So the two are tried on the
# true inventory as well: what they gain there is no cleaning.

# %%
cleaned = {("detected", way): lambda seed: detected for way in ways} if comparable else {}
if comparable:
    cleaned |= {("true", way): lambda seed: true for way in ("confident learning", "positive–unlabelled")}
bought = assess(cleaned, {version: ways[version[1]] for version in cleaned}).rename(columns={"kind": "inventory", "amount": "way"})
unchanged = {
    "detected": bought[bought["way"] == "as detected"].set_index("seed")["auc"],
    "true": chance.groupby("seed")["auc"].first(),  # the same draw of samples
}
bought["gain"] = [row["auc"] - unchanged[row["inventory"]][row["seed"]] for _, row in bought.iterrows()]
run.write_table(bought, "inventory_cleaning")
for problem in sorted(set(bought["problem"]) - {""}):
    print(f"Left out: {problem}")

# %%
on_detected, on_true = (bought[bought["inventory"] == name].groupby("way", sort=False) for name in ("detected", "true"))
gains = on_detected[["n_learned", "right_positives", "missed_negatives", "auc", "gain"]].mean()
if gains["gain"].any():
    ends = zip(on_detected["gain"].min(), on_detected["gain"].max(), strict=True)
    more = {"gain of AUC": [f"{gain:+.3f}" for gain in gains["gain"]], "over the seeds": [f"{low:+.3f} to {high:+.3f}" for low, high in ends]}
    more["gain on the true inventory"] = on_true["gain"].mean().reindex(gains.index).map("{:+.3f}".format, na_action="ignore").fillna("–")
    display(in_words(gains, ["n_learned", "right_positives", "missed_negatives"]).assign(**more))
    best = gains.drop(["as detected", "oracle"])["gain"].idxmax()
    print(f"Learning from detected landslides lost {lost:.3f} of AUC. Of the ways without the truth, {best} gained most, {gains.loc[best, 'gain']:.3f} (chance {band:.3f}).")
    print(f"Leaving out every wrong sample would gain {gains.loc['oracle', 'gain']:.3f}. On the true inventory, cleaning changes the AUC by {on_true['gain'].mean().mean():+.3f}.")

# %% [markdown]
# The first columns say what a way does to the samples of a fold, the last what comes of it: a gain that changes its sign with the seed is none. Positive–unlabelled
# takes the samples without landslide twice, with weights. What the oracle does not gain was, but for chance, lost by missing samples and not by wrong ones, and no cleaning
# brings back a landslide that was never drawn.
#
# Positive–unlabelled weights assume that all detections are right and that landslides were missed at random; chapter 3 shows how far from that a
# detector is. Confident learning trusts the models: an unusual true landslide looks like a wrong label.
#
# ## Try it
#
# ```{exercise-start}
# :label: ex-11-alike
# ```
#
# Which single errors, and how much of each, cost about as much AUC as the errors of the detector all together?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-11-alike
# :class: dropdown
# ```

# %%
mean_loss = -errors.groupby(["kind", "amount"], sort=False)["auc_change"].mean()
if np.isfinite(lost):
    closest = (mean_loss - lost).abs().groupby("kind", sort=False).idxmin()
    print(f"Detected: {lost:.3f} of AUC lost.")
    losses = pd.DataFrame({"amount": means["text"].to_numpy(), "loss of AUC": mean_loss}).loc[list(closest)]
    display(losses.droplevel("amount").rename_axis("error").round(3))

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start}
# :label: ex-11-chance
# ```
#
# How many of the single errors above cost more than another draw of samples from the true inventory may? Count every kind and amount (the small numbers in the figure; rows of
# `inventory_errors.csv`, mean over the seeds). Say before you count which ones you would have bet on.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-11-chance
# :class: dropdown
# ```
#
# An error whose loss lies within the chance of a draw may cost something, but this experiment cannot show it: more seeds would narrow the band, and cost their time.

# %%
beyond = mean_loss[mean_loss > band]
answers.record(run, "ex-11-chance", len(beyond), within=1.0, what="the number of errors")
print(f"{len(beyond)} of {len(mean_loss)} cost more than {band:.3f}: {'; '.join(dict.fromkeys(kind for kind, _ in beyond.index)) or 'none'}.")

# %% [markdown]
# ```{solution-end}
# ```
#
# Three changes to try, each a command in a terminal. It repeats the chapter beside the book's run, which stays as it is, and prints the page's
# numbers and yours.
#
# - `lsa try quick 11 -p error_model logistic`: does a simpler model forgive more?
# - `lsa try quick 11 -p seed 5`: other folds, samples and errors. Look at `inventory_error_costs`: which losses are still larger than chance?
# - `lsa try quick 11 -p position_m "[0, 400]"`: landslides that lie off by more than their own length. Look at the rows that only your trial has.

# %% [markdown]
# ## Summary

# %%
if np.isfinite(lost):
    print(f"Learned from detected landslides, the map loses {lost:.3f} of AUC on the true ones; another draw of the true ones moves it by up to {band:.3f}.")
if len(costs) > 1 and np.isfinite(costs["auc_lost_per_km2"]).all():
    first, second = costs.iloc[0], costs.iloc[1]
    print(f"Dearest per wrong square kilometre: {first['kind']} ({first['auc_lost_per_km2']:.3f} of AUC), then {second['kind']} ({second['auc_lost_per_km2']:.3f}).")

# %% [markdown]
# `inventory_detected.csv` says what a map loses when it learns from detected landslides, threshold by threshold; `inventory_errors.csv` and
# `inventory_error_costs.csv` which error costs how much; `inventory_cleaning.csv` what weights and cleaning bring back. All of it is one model on one area:
# another detector makes other errors.
#
# ## What's next
#
# Chapter 12 asks how sure a map is, and where it may be used.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`steger2016,steger2017,marc2015,northcutt2021,elkan2008`.
