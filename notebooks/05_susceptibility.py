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
# {cite:t}`yao2026`. Beside them stands a slope's mechanics with a handful of fitted numbers: what does learning add?
#
# **You will learn** (1) how the choice of samples shapes a model, (2) what a network sees that a forest does not, (3) why random folds flatter and
# {term}`spatial folds` do not, (4) how to make a map in which no cell was known to its model, (5) what the best possible score is on a mountain
# whose truth is known.
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
chunk: int = 0  # edge of a block of cells, for areas larger than memory (512 is good); 0: rasters in memory
inventory: str = "auto"  # landslides to learn from; auto: detected, else reference
max_per_landslide: int = 15  # most cells sampled inside one landslide
max_positives: int = 10000  # most landslide cells in all
positives: str = "cells"  # cells of a landslide: random ones, or only its middle or its highest one
cells_by: str = "landslide"  # what gives a landslide its share of the cells: each alike, its area or its score
negative_ratio: float = 1.0  # cells without landslide per landslide cell
negative_buffer_m: float = 100.0  # distance of cells without landslide from any landslide, m
min_slope_negatives: float = 0.0  # cells without landslide are at least so steep, degrees
block_m: float = 1000.0  # edge of the spatial blocks that are dealt to folds, m
cluster_m: float = 0.0  # landslides nearer than this are dealt together with their blocks, m; 0: blocks alone
n_folds: int = 5  # number of cross-validation folds
scheduler: str = ""  # where maps in chunks are computed: address of a Dask scheduler, or local (processes); empty: threads here
models: list = ["cnn", "rf", "xgboost", "logistic", "infinite_slope"]  # models to train
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

# %%
import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import loguniform
from sklearn import model_selection
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC
from xgboost import XGBClassifier

from lsa_helpers import validation
from lsa_helpers.cnn import WindowCNN
from lsa_helpers.models import InfiniteSlope, compute_on, infinite_slope, predict_map, save
from lsa_helpers.raster import cell_size, read_factors, read_raster, write_raster
from lsa_helpers.runner.params import SusceptibilityParams
from lsa_helpers.runner.pipeline import open_run
from lsa_helpers.samples import (
    factor_coder,
    landslide_numbers,
    load_landslides,
    make_samples,
    write_samples,
)
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
#   outvote a hundred small ones. The price: a small false alarm of the detector weighs as much as a large landslide (`cells_by` weighs
#   otherwise). A polygon smaller than a cell gives the cell under it. From a large inventory `max_positives` cells are drawn, evenly over the
#   landslides.
# - **Cells without landslide** are drawn farther than `negative_buffer_m` from any landslide, where the ground is known not to have failed
#   *yet*. There are as many of them as landslide cells. The model's output is therefore a probability for a world in which half of the cells
#   fail: right in order, far too high in size.
# - **Folds** are made of square blocks, dealt so that each fold has about as many landslide cells. One landslide never falls into two folds.
#
# An inventory of points gives the cell that each lies in; where it also labels places without landslide, it is taken as it is. Where polygons of
# stable ground are labelled, cells without landslide are drawn from them first.

# %%
run.need("selected_factors.json", chapter="04_factor_selection")
selected = run.read_json("selected_factors.json")["selected"]
factors = read_factors(run.need("factors.tif", chapter="01_data"), chunk=p.chunk)
landslides = load_landslides(run.need("inventory.gpkg", chapter="03_inventory"), p.inventory, with_absences=True)
physical = ["slope", "twi", *(name for name in ("rainfall", "pga") if name in selected)]
if "infinite_slope" not in p.models or not {"slope", "twi"} <= set(factors):
    physical = []
samples = make_samples(landslides, factors[list(dict.fromkeys([*selected, *p.logistic_factors, *physical]))], **p.sampling())
label = samples["label"]

window_m = p.cnn_window * cell_size(factors)
folding = {"buffer_m": window_m, "random_state": p.seed, "cluster_m": p.cluster_m}
spatial_folds = validation.SpatialBlockKFold(p.n_folds, p.block_m, **folding)
samples.insert(4, "fold", spatial_folds.fold_numbers(samples, label))
samples.attrs |= {"block_m": p.block_m, "seed": p.seed}
write_samples(samples, run.product("samples.parquet"))
print(f"Inventory: {landslides.attrs['layer']}, {len(landslides)} features. Samples: {len(samples)}. Factors: {', '.join(selected)}.")
samples.groupby(["fold", "label"]).size().unstack().rename(columns={0: "without landslide", 1: "landslide"})

# %% mystnb={"figure": {"caption": "The samples and their spatial folds. Filled dots lie in landslides, open ones do not.", "name": "fig-05-samples"}, "image": {"alt": "Map of the sampled cells over shaded relief, coloured by the spatial fold they belong to, filled in landslides and open elsewhere"}}
style.save(show.samples_map(samples, landslides, factors), run, "samples")

# %% [markdown]
# ## The models
#
# *Random forest* {cite:p}`breiman2001` and *XGBoost* {cite:p}`chen2016` judge a cell by its own factors. So does *logistic regression*, the
# baseline of the field: if the others do not beat it, they are not worth their trouble. The *CNN* looks at a window of cells around the cell in
# question, so it can see a slope's shape, a road cut below or a river bend. Its network is small: two convolutions with pooling, one more over
# what is left, and two layers that decide. It is trained several times from different starts, each time with another spatial fold set aside to
# stop before it learns by heart; the trees learn from that fold too. The model is *one* function of them all: the mean of their log-odds, made a
# probability. Maps, scores and the explanations of chapter 7 are all of this function.
#
# A model wants numbers of like size. `factor_coder` is scikit-learn's `ColumnTransformer` with one step per factor: z-scores for measured quantities,
# sine and cosine for the aspect, one column of 0 and 1 per class of land use or rock. It is the first step of a *pipeline*, so that means,
# deviations and classes are learned from the training rows alone, in every fold anew. A class that was never seen becomes all zeros.
#
# The *infinite slope* is mechanics: soil of one depth on a slope that never ends, wet where water gathers {cite:p}`montgomery1994,pack1998`, shaken
# by a constant force {cite:p}`newmark1965`. Its factor of safety sets what holds the soil against what pulls it,
#
# $$
# FS = \frac{C + \cos^2 \beta \, (1 - m r) - k \sin \beta \cos \beta}{\sin \beta \cos \beta + k \cos^2 \beta} \tan \varphi,
# \qquad m = \min\left(1, \frac{R a}{T \sin \beta}\right), \qquad \ln \frac{p}{1 - p} = \alpha - \gamma \ln FS
# $$ (eq-05-slope)
#
# with the slope angle $\beta$, the cohesion $C$ against weight and friction, the wetness $m$ from the wetness index and rainfall, $r$ the weight of
# water against that of soil, and the seismic coefficient $k$ from the peak acceleration. It takes the factors in their own units. Only $C$, $R/T$,
# $k$, $\alpha$ and $\gamma$ are fitted, by maximum likelihood on the training rows, in every fold anew as for the others. It knows no rock, road, river
# or cover, and it does not hold for falls from bare walls, deep slides or run-out. What it scores is what the mechanics of two to four maps are worth.

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
if physical:
    as_is = factor_coder(factors, physical, dict.fromkeys(physical, "as is"))
    estimators["infinite_slope"] = Pipeline([("coder", as_is), ("slope", InfiniteSlope(physical))])
elif "infinite_slope" in p.models:
    print("The infinite slope is left out: it needs the factors slope and twi.")
estimators = {name: estimators[name] for name in p.models if name in estimators}

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
if physical:
    fitted = pd.Series(estimators["infinite_slope"][-1].numbers_, index=list(infinite_slope.BOUNDS))
    fitted = fitted if "pga" in physical else fitted.drop("shaking")
    at_bound = [name for name, value in fitted.items() if np.isclose(value, infinite_slope.BOUNDS[name]).any()]
    print(f"Infinite slope of {', '.join(physical)}: {', '.join(f'{name} {value:.3g}' for name, value in fitted.items())}.")
    print(f"At the end of what is allowed, and so no strength of a soil: {', '.join(at_bound) or 'none'}.")

# %% [markdown]
# To map the CNN, its window would have to be cut out around every cell, the same pixels hundreds of times. It is faster to slide the whole
# network over the raster at once {cite:p}`giusti2013`: pooling with stride one, and every later layer dilated. The result is the same to the last digits.

# %%
def written(name, susceptibility):
    """A map in its file, read back as the factors were read."""
    with compute_on(p.scheduler, p.n_jobs):
        file = write_raster(run.product(f"{name}.tif"), susceptibility)
    return read_raster(file, p.chunk)["susceptibility"]


maps = {name: written(f"susceptibility_{name}", predict_map(estimator, factors, n_jobs=p.n_jobs)) for name, estimator in estimators.items()}
pd.DataFrame({style.MODEL_LABELS[name]: pd.Series(values.values.ravel()).describe() for name, values in maps.items()}).round(3)

# %% mystnb={"figure": {"caption": "Susceptibility of every cell by each model, with the landslides the models learned from. Probabilities hold for samples of which half are landslides.", "name": "fig-05-maps"}, "image": {"alt": "Maps of the susceptibility from zero to one by each model with one colour scale, landslides outlined in red orange"}}
style.save(show.susceptibility_maps(maps, landslides), run, "susceptibility")

# %% [markdown]
# These are the maps to *use*: their models know every landslide there is. Just for this reason they cannot be judged by these landslides, which a
# forest remembers one by one.
#
# ## Maps that did not know the answer
#
# To be judged, the land is mapped in pieces. Each spatial fold's blocks are mapped by models trained on the other folds, with an empty strip as
# wide as the CNN's window between them: **fit on the other blocks, predict this block**. Together the pieces cover the area, and no cell was known
# to the model that mapped it. Chapters 6 and 8 judge these *held-out* maps.

# %%
folds = validation.fold_map(samples, factors, block_m=p.block_m, seed=p.seed)
numbers = landslide_numbers(landslides, factors)  # no landslide may reach from the training into the piece
heldout = {}
for name, estimator in estimators.items():
    pieces = []
    for fold in range(p.n_folds):
        training = validation.training_samples(samples, folds == fold, window_m, numbers)
        fitted = clone(estimator).fit(training, training["label"])
        pieces.append(predict_map(fitted, factors, where=folds == fold, n_jobs=p.n_jobs))
    heldout[name] = written(f"heldout_{name}", xr.concat(pieces, "fold").max("fold").rename("susceptibility"))

# %% mystnb={"figure": {"caption": "Susceptibility from models that did not know the block they map. Steps along block edges are where two models disagree.", "name": "fig-05-heldout"}, "image": {"alt": "Maps of the held-out susceptibility from zero to one by each model with one colour scale, landslides outlined in red orange"}}
style.save(show.susceptibility_maps(heldout, landslides), run, "heldout_maps")

# %% [markdown]
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
#
# One row more is no model of landslides at all: a forest that is told *only where* a cell is. Where landslides come in clusters, position alone can
# go a long way. A model that does not beat this row has shown no more than that.

# %%
landslide_of_row = validation.landslide_groups(samples["landslide_id"])
random_folds = model_selection.StratifiedGroupKFold(p.n_folds, shuffle=True, random_state=p.seed)
fold_numbers = {"apparent": np.full(len(samples), -1), "random": np.empty(len(samples), int), "spatial": samples["fold"]}
for number, (_, test) in enumerate(random_folds.split(samples, label, landslide_of_row)):
    fold_numbers["random"][test] = number

how = {"method": "predict_proba", "n_jobs": p.n_jobs}
place = ColumnTransformer([("place", "passthrough", ["x", "y"])])
scored = estimators | {"coordinates": Pipeline([("place", place), ("forest", clone(forest))])}
scored["coordinates"].fit(samples, label)
predictions = []
for name, estimator in scored.items():
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
pd.Series(areas).unstack().loc[list(scored)].round(3)

# %% [markdown]
# One area under a curve is one number; the tables below hold more of them, with intervals that resample whole blocks, because neighbours are not
# independent. Each fold is predicted by another model, and one model's 0.4 is not another's. `auc` pools them all, as a ROC curve does;
# `auc_within` compares cells of the same fold only {cite:p}`parker2007,airola2011`, and is the fairer one. Where the truth is known, `auc_true` scores
# the same pairs by the *true* landslides in the same cells: the labels above are detected ones, and a model that learns the detector's habits is
# praised for them.

# %%
truth = validation.read_truth(run.product("truth"), factors)
how = {"block_m": p.block_m, "seed": p.seed, "truth": truth}
scores = {scheme: validation.score_table(predictions, samples, scheme, **how) for scheme in fold_numbers}
for scheme, table in scores.items():
    run.write_table(table, f"scores_{scheme}")

# %% mystnb={"figure": {"caption": "ROC curves from random folds and from spatial blocks, on the same samples and the labels the models learned from.", "name": "fig-05-roc"}, "image": {"alt": "Two panels with ROC curves of each model, from random folds on the left and from spatial blocks on the right"}}
style.save(show.roc_panels(predictions[predictions["model"] != "coordinates"]), run, "roc")

# %% [markdown]
# Random folds:

# %%
scores["random"].set_index("model").round(3).T

# %% [markdown]
# Spatial blocks:

# %%
scores["spatial"].set_index("model").round(3).T

# %% [markdown]
# Accuracy, precision, recall, F1, kappa and MCC cut at 0.5. Those that end in `youden` cut at the threshold where recall exceeds the false positive
# rate by most {cite:p}`youden1950`; it is chosen on the very predictions it cuts, so they are a little too good. Guessing reaches a `pr_auc` of
# `prevalence`, the share of landslides among the samples. The Brier score and the calibration error (ece) ask whether the probabilities are
# right in size for these samples; smaller is better.

# %% [markdown]
# ## What does learning add?
#
# The infinite slope needs no landslide but to set five numbers. How much better are models that learn everything from landslides? The difference of
# their AUC in spatial blocks (pairs within folds), with the interval from the same blocks resampled for both, once for the labels the models learned
# from and, where the truth is known, for true landslides. The simulated mountain's own truth is an infinite slope too, with other numbers, rocks, cuts
# and a hidden field: there this baseline has the right form, which real ground need not have.

# %%
if physical:
    judges = {"learned": label} if truth is None else {"learned": label, "true": validation.at_samples(truth["landslide"], samples).astype(int)}
    weights = validation.block_weights(validation.block_numbers(samples["x"], samples["y"], p.block_m), validation.N_DRAWS, p.seed)
    spatial = predictions[predictions["scheme"] == "spatial"].pivot(index="sample", columns="model", values="probability")
    others = [name for name in estimators if name != "infinite_slope"]
    gains = []
    for labels, values in judges.items():
        drawn = {name: validation.within_groups_auc(values, spatial[name], samples["fold"], weights) for name in estimators}
        gains.append(validation.paired_differences(drawn, [(name, "infinite_slope") for name in others]).assign(labels=labels))
    gains = pd.concat(gains, ignore_index=True)
    run.write_table(gains, "learning_gain")
    for row in gains.itertuples():
        sure = "" if row.low > 0 or row.high < 0 else ", which may be chance"
        print(f"{style.MODEL_LABELS[row.first]} minus infinite slope, {row.labels} labels: {row.difference:+.3f} ({row.low:+.3f} to {row.high:+.3f}){sure}.")

# %% [markdown]
# ## Against the truth
#
# The simulated mountain knows two bounds, and they are not the same. The {term}`oracle` is the true probability itself: it knows a hidden field
# that no layer shows, so no model can be expected to reach it. The {term}`reachable bound` knows the rules of the mountain and is fed with the very
# layers the models get, taken at their word. It is the best ranking we know, not a mathematical maximum: a model may learn how a layer errs, or that
# the hidden field is alike in neighbouring cells. Both stay below 1, because chance decides too. Beside `auc_true` of the spatial blocks stand the
# bounds on the same cells, as pairs within folds:

# %%
if truth is not None:
    true_scores = scores["spatial"].set_index("model")[["auc_true", "auc_true_low", "auc_true_high"]]
    display(true_scores.join(scores["spatial"].set_index("model")["auc_within"].rename("on detected labels")).round(3))
    display(validation.bound_scores(samples, truth).rename("AUC on true labels").to_frame().round(3))

# %% [markdown]
# And the maps, cell by cell over the whole area, for the true landslides: the fitted ones, which know most of them, and the held-out ones, which
# do not. `spearman` is the rank correlation with the true probability; no model has ever seen that.

# %%
if truth is not None:
    judged = {(name, kind): values for kind, part in (("fitted", maps), ("held out", heldout)) for name, values in part.items()}
    against_truth = validation.truth_scores(judged, truth)
    names, kinds = zip(*[key if isinstance(key, tuple) else (key, "bound") for key in against_truth.pop("model")], strict=True)
    against_truth.insert(0, "model", names)
    against_truth.insert(1, "map", kinds)
    run.write_table(against_truth, "scores_truth")
    display(against_truth.set_index(["model", "map"]).round(3))
    of_heldout = against_truth[against_truth["map"] == "held out"].set_index("model")
    best_auc, best_rank = of_heldout["auc_map"].idxmax(), of_heldout["spearman"].idxmax()
    print(f"Highest AUC of the held-out maps: {style.MODEL_LABELS[best_auc]}. Closest to the order of the true probability: {style.MODEL_LABELS[best_rank]}.")

# %% mystnb={"figure": {"caption": "Rank of the true probability among all cells, and the rank in each held-out map minus it. Purple is too high, orange too low.", "name": "fig-05-truth"}, "image": {"alt": "Map of the true probability as a rank, and for each model a map of its rank minus the true one from orange to purple"}}
if truth is not None:
    display(style.save(show.truth_difference(heldout, truth["probability"]), run, "truth_difference"))

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
# Three changes to try, each a command in a terminal. It repeats the chapter beside the book's run, which stays as it is, and prints the page's
# numbers and yours.
#
# - `lsa try quick 05 -p cnn_window 1`: the network sees one cell only. Look at the rows of `cnn`: how much was the neighbourhood worth?
# - `lsa try quick 05 -p inventory reference`: learn from the reference landslides. What did detection cost? Look at `auc_true` and `scores_truth`: the other scores have
#   other labels now.
# - `lsa try quick 05 -p block_m 500`: smaller blocks. Do the spatial scores move towards the random ones?

# %% [markdown]
# ## Summary
#
# Every model has a map to use, `susceptibility_*.tif` (0 to 1), one to judge it by, `heldout_*.tif`, and a folder under `models/`; `samples.parquet` holds the samples, `predictions.parquet`
# every prediction out of its fold, and the tables `scores_random.csv`, `scores_spatial.csv`, `scores_apparent.csv` and, on the simulated
# mountain, `scores_truth.csv` the scores. Read the spatial ones. `learning_gain.csv` holds what each model is better than the infinite slope.
#
# ## What's next
#
# Chapter 6 cuts the maps into classes and counts the landslides in each.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`breiman2001,chen2016,giusti2013,roberts2017`.
