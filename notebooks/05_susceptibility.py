# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 5 Susceptibility
#
# ## Overview
#
# Where would the next landslide be? This chapter draws samples from the inventory, trains a convolutional network (CNN), a random forest, XGBoost
# and a plain logistic regression on them, maps the susceptibility of every cell, and scores the models: sections 3.3, 4.3 and 4.4 of
# {cite:t}`yao2026`.
#
# **You will learn** (1) how the choice of samples shapes a model, (2) what a network sees that a forest does not, (3) why random folds flatter and
# {term}`spatial folds` do not, (4) what the best possible score is on a mountain whose truth is known.
#
# **Before you start**
#
# | concept | needed | notes |
# |---|---|---|
# | chapters 1 to 4, or their products | necessary | made first at the smallest size when you open this chapter alone |
# | training and test data | necessary | |
# | ROC curve | helpful | explained below |
#
# **Time to learn** about 40 minutes. The time to run is on the page *How long it took*.

# %% tags=["parameters"]
run_dir: str = ""  # folder of the run; empty: runs/alone here, earlier chapters made first at the smallest size
seed: int = 0  # seed of every random choice
profile: str = "quick"  # name of the parameter set, shown in the book
data: str = ""  # data folder; empty: the built-in simulated mountain
catalog: str = ""  # catalog.yml that describes the data folder; empty: the one inside it
n_jobs: int = 2  # processor cores to use
inventory: str = "auto"  # landslides to learn from; auto: detected, else reference
max_per_landslide: int = 15  # most cells sampled inside one landslide
positives: str = "cells"  # cells of a landslide: random ones, or only its middle or its highest one
negative_ratio: float = 1.0  # cells without landslide per landslide cell
negative_buffer_m: float = 100.0  # distance of cells without landslide from any landslide, m
min_slope_negatives: float = 0.0  # cells without landslide are at least so steep, degrees
block_m: float = 1000.0  # edge of the spatial blocks that are dealt to folds, m
n_folds: int = 5  # number of cross-validation folds
models: list = ["cnn", "rf", "xgboost", "logistic"]  # models to train
coding: dict = {}  # factor: how models code it, where not by its kind (z-score, sine and cosine, one column per class)
tune_draws: int = 0  # settings tried in nested tuning of rf, xgboost and svm; 0: the settings below
cnn_window: int = 15  # edge of the window the CNN sees, cells
cnn_epochs: int = 20  # most epochs of the CNN
cnn_patience: int = 4  # epochs without improvement before the CNN stops
cnn_seeds: int = 3  # networks whose mean is the CNN
rf_trees: int = 500  # trees of the random forest
xgb_rounds: int = 400  # boosting rounds of XGBoost
xgb_depth: int = 6  # depth of XGBoost's trees
xgb_eta: float = 0.05  # learning rate of XGBoost
logistic_factors: list = []  # factors of the logistic regression; empty: all selected
logistic_repeats: int = 0  # repetitions of its cross-validation (k-means folds); 0: as the others

# %%
import numpy as np
import pandas as pd
from scipy.stats import loguniform
from sklearn import model_selection
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC
from xgboost import XGBClassifier

from lsa_helpers import validation
from lsa_helpers.cnn import WindowCNN
from lsa_helpers.models import predict_map, save
from lsa_helpers.raster import cell_size, read_factors, write_raster
from lsa_helpers.runner.params import SusceptibilityParams
from lsa_helpers.runner.pipeline import open_run
from lsa_helpers.samples import factor_coder, load_landslides, make_samples, write_samples
from lsa_helpers.show import style
from lsa_helpers.show import susceptibility as show

style.use()
p = SusceptibilityParams.from_cell(globals())
run = open_run(p, "05_susceptibility")

# %% [markdown]
# ## Samples
#
# A model learns the difference between cells where the ground failed and cells where it did not. Each choice below changes what it learns:
#
# - **Landslide cells** are drawn at random inside the polygons, at most `max_per_landslide` from each, so that one huge landslide does not
#   outvote a hundred small ones. A polygon smaller than a cell gives the cell under it.
# - **Cells without landslide** are drawn farther than `negative_buffer_m` from any landslide, where the ground is known not to have failed
#   *yet*. There are as many of them as landslide cells. The model's output is therefore a probability for a world in which half of the cells
#   fail: right in order, far too high in size.
# - **Folds** are made of square blocks, dealt so that each fold has about as many landslide cells. One landslide never falls into two folds.
#
# An inventory of labelled points is taken as it is.

# %%
run.need("selected_factors.json", chapter="04_factor_selection")
selected = run.read_json("selected_factors.json")["selected"]
factors = read_factors(run.need("factors.tif", chapter="01_data"))
landslides = load_landslides(run.need("inventory.gpkg", chapter="03_inventory"), p.inventory, with_absences=True)
samples = make_samples(landslides, factors[list(dict.fromkeys([*selected, *p.logistic_factors]))], **p.sampling())
label = samples["label"]

window_m = p.cnn_window * cell_size(factors)
spatial_folds = validation.SpatialBlockKFold(p.n_folds, p.block_m, buffer_m=window_m, random_state=p.seed)
samples.insert(4, "fold", spatial_folds.fold_numbers(samples, label))
samples.attrs["block_m"] = p.block_m
write_samples(samples, run.product("samples.parquet"))
print(f"Inventory: {landslides.attrs['layer']}, {len(landslides)} features. Samples: {len(samples)}. Factors: {', '.join(selected)}.")
samples.groupby(["fold", "label"]).size().unstack().rename(columns={0: "without landslide", 1: "landslide"})

# %% mystnb={"figure": {"caption": "The samples and their spatial folds. Filled dots lie in landslides, open ones do not.", "name": "fig-05-samples"}, "image": {"alt": "Map of the sampled cells over shaded relief, coloured by the spatial fold they belong to, filled in landslides and open elsewhere"}}
style.save(show.samples_map(samples, landslides, factors), run, "samples")

# %% [markdown]
# ## Four models
#
# *Random forest* {cite:p}`breiman2001` and *XGBoost* {cite:p}`chen2016` judge a cell by its own factors. So does *logistic regression*, the
# baseline of the field: if the others do not beat it, they are not worth their trouble. The *CNN* looks at a window of cells around the cell in
# question, so it can see a slope's shape, a road cut below or a river bend. Its network is small: two convolutions with pooling, one more over
# what is left, and two layers that decide. It is trained several times from different starts, each time with another spatial fold set aside to
# stop before it learns by heart; the mean of the networks is the model.
#
# A model wants numbers of like size. `factor_coder` is scikit-learn's `ColumnTransformer` with one step per factor: z-scores for measured quantities,
# sine and cosine for the aspect, one column of 0 and 1 per class of land use or rock. It is the first step of a *pipeline*, so that means,
# deviations and classes are learned from the training rows alone, in every fold anew. A class that was never seen becomes all zeros.

# %%
coder = factor_coder(factors, selected, p.coding)
own_coder = factor_coder(factors, p.logistic_factors or selected, p.coding)
forest = RandomForestClassifier(p.rf_trees, random_state=p.seed)
trees = XGBClassifier(
    n_estimators=p.xgb_rounds, max_depth=p.xgb_depth, learning_rate=p.xgb_eta, subsample=0.8, colsample_bytree=0.8, random_state=p.seed, n_jobs=1
)
regression = LogisticRegression(C=np.inf, max_iter=1000, tol=1e-6)
machine = CalibratedClassifierCV(SVC(gamma=0.05, max_iter=200_000), ensemble=False)
networks = {"window": p.cnn_window, "n_networks": p.cnn_seeds, "epochs": p.cnn_epochs, "patience": p.cnn_patience}
estimators = {
    "cnn": WindowCNN(factors[selected], **networks, coding=p.coding, random_state=p.seed),
    "rf": Pipeline([("coder", clone(coder)), ("forest", forest)]),
    "xgboost": Pipeline([("coder", clone(coder)), ("trees", trees)]),
    "logistic": Pipeline([("coder", own_coder), ("regression", regression)]),
    "svm": Pipeline([("coder", clone(coder)), ("machine", machine)]),
}
estimators = {name: estimators[name] for name in p.models}

# %% [markdown]
# With `tune_draws` above 0 the settings of the forest, XGBoost and the support vector machine are searched at random, anew in every fold and only on its
# training rows, by spatial folds inside them: settings chosen with a look at the test rows would flatter the model {cite:p}`schratz2019`. The search
# is an estimator like any other, so nothing below changes.

# %%
spaces = {
    "rf": {"forest__max_features": ["sqrt", 0.3, 0.6, 1.0], "forest__min_samples_leaf": [1, 2, 5, 10, 20], "forest__n_estimators": [100, 300, 500]},
    "xgboost": {
        "trees__max_depth": [2, 3, 4, 6, 8],
        "trees__learning_rate": loguniform(0.01, 0.3),
        "trees__n_estimators": [50, 100, 200, 400, 800],
        "trees__subsample": [0.5, 0.8, 1.0],
    },
    "svm": {"machine__estimator__C": loguniform(2**-12, 2**15), "machine__estimator__gamma": loguniform(2**-15, 2**6)},
}
if p.tune_draws:
    search = {"n_iter": p.tune_draws, "scoring": "roc_auc", "cv": validation.KMeansFold(5, p.seed), "random_state": p.seed}
    estimators |= {name: model_selection.RandomizedSearchCV(estimators[name], spaces[name], **search) for name in estimators if name in spaces}

for name, estimator in estimators.items():
    estimator.fit(samples, label)
    save(estimator, run.product(f"models/{name}"), factors)

# %% [markdown]
# To map the CNN, its window would have to be cut out around every cell, the same pixels hundreds of times. It is faster to slide the whole
# network over the raster at once {cite:p}`giusti2013`: pooling with stride one, and every later layer dilated. The result is the same to the last digits.

# %%
maps = {name: predict_map(estimator, factors, n_jobs=p.n_jobs) for name, estimator in estimators.items()}
for name, susceptibility in maps.items():
    write_raster(run.product(f"susceptibility_{name}.tif"), susceptibility)
pd.DataFrame({style.MODEL_LABELS[name]: pd.Series(values.values.ravel()).describe() for name, values in maps.items()}).round(3)

# %% mystnb={"figure": {"caption": "Susceptibility of every cell by each model, with the landslides the models learned from. Probabilities hold for samples of which half are landslides.", "name": "fig-05-maps"}, "image": {"alt": "Maps of the susceptibility from zero to one by each model with one colour scale, landslides outlined in red orange"}}
style.save(show.susceptibility_maps(maps, landslides), run, "susceptibility")

# %% [markdown]
# Look at the texture before you look at any number. Models that judge cells one by one give speckled maps, the salt and pepper the paper speaks of;
# the CNN's map is smoother because neighbouring windows overlap.
#
# ## How good are they?
#
# A {term}`ROC curve` plots the share of landslide cells found against the share of other cells wrongly called landslides, for every threshold. The
# area under it (AUC) is the probability that a random landslide cell gets a higher value than a random other cell: 0.5 is guessing.
#
# Never on the training data. Each model is trained again without a fold and predicts that fold. Two ways of folding ask two questions:
#
# - **Random folds, by landslide**: can the model fill gaps between landslides it knows? Neighbours of each test cell are in the training data.
# - **Spatial blocks** {cite:p}`roberts2017`: can it predict where it knows no landslide? Training cells closer to the test cells than the CNN's
#   window are left out, so that no window sees both.

# %%
landslide_of_row = validation.landslide_groups(samples["landslide_id"])
random_folds = model_selection.StratifiedGroupKFold(p.n_folds, shuffle=True, random_state=p.seed)
fold_numbers = {"apparent": np.full(len(samples), -1), "random": np.empty(len(samples), int), "spatial": samples["fold"]}
for number, (_, test) in enumerate(random_folds.split(samples, label, landslide_of_row)):
    fold_numbers["random"][test] = number

how = {"method": "predict_proba", "n_jobs": p.n_jobs}
predictions = []
for name, estimator in estimators.items():
    probability = {
        "apparent": estimator.predict_proba(samples),
        "random": model_selection.cross_val_predict(estimator, samples, label, groups=landslide_of_row, cv=random_folds, **how),
        "spatial": model_selection.cross_val_predict(estimator, samples, label, cv=spatial_folds, **how),
    }
    for scheme, values in probability.items():
        rows = {"sample": samples.index, "fold": fold_numbers[scheme], "label": label, "probability": values[:, 1]}
        predictions.append(pd.DataFrame({"scheme": scheme, "model": name, **rows}))
predictions = pd.concat(predictions, ignore_index=True)
write_samples(predictions, run.product("predictions.parquet"))

areas = {key: roc_auc_score(rows["label"], rows["probability"]) for key, rows in predictions.groupby(["model", "scheme"])}
pd.Series(areas).unstack().loc[p.models].round(3)

# %% [markdown]
# One area under a curve is one number; the tables below hold more of them, with intervals. With `logistic_repeats` above 0 the row of the
# logistic regression is instead the mean over many repetitions, with k-means clusters of the coordinates as spatial folds: the protocol of
# {cite:t}`lovelace2019`.

# %%
how = {"block_m": p.block_m, "seed": p.seed}
scores = {scheme: validation.score_table(predictions, samples, scheme, **how) for scheme in fold_numbers}
if p.logistic_repeats:
    seeds = range(p.seed, p.seed + p.logistic_repeats)
    shuffled = [model_selection.GroupKFold(p.n_folds, shuffle=True, random_state=seed) for seed in seeds]
    clusters = [validation.KMeansFold(p.n_folds, random_state=seed) for seed in seeds]
    for scheme, splitters in {"random": shuffled, "spatial": clusters}.items():
        repeats = validation.repeated_scores(estimators["logistic"], samples, splitters)
        others = scores[scheme][scores[scheme]["model"] != "logistic"]
        scores[scheme] = pd.concat([others, validation.summarise_repeats(repeats, "logistic")], ignore_index=True)
for scheme, table in scores.items():
    run.write_table(table, f"scores_{scheme}")

# %% [markdown]
# The simulated mountain knows its true probability of failure at every cell. It, too, has an AUC below 1, because chance and a hidden field
# decide as well: the ceiling that no model can be expected to pass. On real data nobody knows it.

# %% mystnb={"figure": {"caption": "ROC curves from random folds and from spatial blocks, on the same samples. The dashed curve is the true probability, where it is known.", "name": "fig-05-roc"}, "image": {"alt": "Two panels with ROC curves of each model, from random folds on the left and from spatial blocks on the right, with the ceiling dashed"}}
truth = validation.read_truth(run.product("truth"), factors)
true_probability = validation.at_samples(truth["probability"], samples) if truth is not None else None
style.save(show.roc_panels(predictions, true_probability), run, "roc")

# %% [markdown]
# The scores on random folds (the intervals resample whole blocks, because neighbours are not independent). Where the truth is known, `ceiling_auc` is
# the AUC of the true probability on these samples. It bounds a model as far as the samples are true landslides. One that learns from *detected* ones can
# pass it, by learning what the detector takes for a landslide:

# %%
validation.with_ceiling(scores["random"], samples, truth).set_index("model").round(3).T

# %% [markdown]
# And on spatial blocks:

# %%
validation.with_ceiling(scores["spatial"], samples, truth).set_index("model").round(3).T

# %% [markdown]
# The *optimism* is the AUC of random folds minus that of spatial blocks: what the random folds owe to neighbours. Chapter 8 asks what is left of a
# score without it.

# %%
auc = pd.DataFrame({scheme: table.set_index("model")["auc"] for scheme, table in scores.items()})
optimism = auc.assign(optimism=auc["random"] - auc["spatial"]).rename_axis("model").reset_index()
validation.with_ceiling(optimism, samples, truth).set_index("model").round(3)

# %% [markdown]
# Accuracy, precision, recall, F1, kappa and MCC cut at 0.5. Those that end in `youden` cut at the threshold where recall exceeds the false positive
# rate by most {cite:p}`youden1950`; it is chosen on the very predictions it cuts, so they are a little too good. Guessing reaches a `pr_auc` of
# `prevalence`, the share of landslides among the samples. The Brier score and the calibration error (ece) ask whether the probabilities are
# right in size for these samples; smaller is better. On data the models were trained on, everything looks better than it is:

# %%
validation.with_ceiling(scores["apparent"][["model", "auc", "accuracy", "brier"]], samples, truth).set_index("model").round(3)

# %% [markdown]
# ## Against the truth
#
# On the simulated mountain two more questions can be answered that no real study can answer. How close do the models come to the ceiling on the
# very samples they were scored on? And how good are the maps, cell by cell over the whole area, for the true landslides and not only the detected?

# %%
if truth is not None:
    display(validation.ceilings(samples, truth).round(3))
    against_truth = validation.truth_scores(maps, truth)
    run.write_table(against_truth, "scores_truth")
    for row in against_truth.itertuples():
        print(f"{style.MODEL_LABELS[row.model]}: Spearman {row.spearman:.3f}, map AUC {row.auc_map:.3f}, ceiling {row.ceiling_auc:.3f}")

# %% [markdown]
# `auc_map` is the AUC of the map for the true landslide cells, `ceiling_auc` that of the true probability for the same cells, and `spearman` the
# rank correlation of the map with the true probability. A map's AUC includes the very landslides the model was trained on: a model that
# remembers them, as deep trees do, can even pass the ceiling. That is memory, not foresight; hold it against the spatial scores above. The rank
# correlation is not flattered in this way, since no model has ever seen the true probability.

# %% mystnb={"figure": {"caption": "Rank of the true probability among all cells, and the rank in each map minus it. Purple is too high, orange too low.", "name": "fig-05-truth"}, "image": {"alt": "Map of the true probability as a rank, and for each model a map of its rank minus the true one from orange to purple"}}
if truth is not None:
    display(style.save(show.truth_difference(maps, truth["probability"]), run, "truth_difference"))

# %% [markdown]
# ## Try it
#
# ```{exercise-start}
# :label: ex-05-auc
# ```
#
# The AUC was said to be the probability that a random landslide cell gets a higher value than a random other cell. Check it for the first model's
# predictions in spatial blocks, by comparing every pair.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-05-auc
# :class: dropdown
# ```
#
# Subtract every value without landslide from every value with one, and count the positive differences; a tie counts half.

# %%
rows = predictions[(predictions["scheme"] == "spatial") & (predictions["model"] == p.models[0])]
high, low = (rows.loc[rows["label"] == value, "probability"].to_numpy() for value in (1, 0))
pairs = high[:, None] - low[None, :]
round(float((pairs > 0).mean() + (pairs == 0).mean() / 2), 6)

# %% [markdown]
# ```{solution-end}
# ```
#
# Three changes to make with papermill, each a command in a terminal:
#
# - `papermill notebooks/05_susceptibility.ipynb out.ipynb -p cnn_window 1`: the network sees one cell only; how much was the neighbourhood worth?
# - `papermill notebooks/05_susceptibility.ipynb out.ipynb -p inventory reference`: train on the reference landslides; what did detection cost?
# - `papermill notebooks/05_susceptibility.ipynb out.ipynb -p block_m 500`: smaller blocks; do the spatial scores move towards the random ones?

# %% [markdown]
# ## Summary
#
# Every model has a map `susceptibility_*.tif` (0 to 1) and a folder under `models/`; `samples.parquet` holds the samples, `predictions.parquet`
# every prediction out of its fold, and the tables `scores_random.csv`, `scores_spatial.csv`, `scores_apparent.csv` and, on the simulated
# mountain, `scores_truth.csv` the scores. Read the spatial ones.
#
# ## What's next
#
# Chapter 6 cuts the maps into classes and counts the landslides in each.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`breiman2001,chen2016,giusti2013,roberts2017`.
