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
# Where would the next landslide be? This chapter trains a convolutional network (CNN), a random forest, XGBoost and a plain logistic regression on the
# samples of chapter 4, maps the susceptibility of every cell, and scores the models: sections 3.3, 4.3 and 4.4 of {cite:t}`yao2026`. Beside them
# stands a slope's mechanics with a handful of fitted numbers.
#
# | you will learn | the experiment that shows it |
# |---|---|
# | how to make a map in which no cell was known to its model | fitted and held-out maps of the same models |
# | how much of a score is the way of testing, the place and luck | random folds against blocks, a model of place alone, the score fold by fold and without one cluster |
# | what learning adds to mechanics | every model against an infinite slope |
# | that the best score and the best map may belong to two models | maps against the known truth of the simulated mountain |
# | what a probability of 0.5 means here | calibration; 0.5 among the samples against its share of the land |
#
# **Before you start** you need chapters 1 to 4, or their products (made first at the smallest size when you open this chapter alone), above all the
# samples, the folds and the AUC of chapter 4.
#
# **Time to learn** about 40 minutes to read, half an hour for the exercises. The time to run is on the page *How long it took*.

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
from importlib.util import find_spec
from itertools import combinations

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

from lsa_helpers import answers, validation
from lsa_helpers.models import InfiniteSlope, compute_on, infinite_slope, predict_map, save
from lsa_helpers.paper import published_table
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
from lsa_helpers.show import reading_scores as reading
from lsa_helpers.show import style
from lsa_helpers.show import susceptibility as show

style.use()
p = SusceptibilityParams.from_cell(globals())
run = open_run(p, "05_susceptibility")

# %% [markdown]
# ## Samples
#
# Samples and spatial folds are those of {numref}`fig-04-samples`, now with the factors that chapter 4 selected. Training cells closer to a fold than the
# window of the CNN are left out, so that no window sees both sides.

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
samples.attrs |= {"block_m": p.block_m, "seed": p.seed, "inventory": landslides.attrs["layer"]}
write_samples(samples, run.product("samples.parquet"))
print(f"{landslides.attrs['layer'].capitalize()} inventory, {len(landslides)} features. {len(samples)} samples in {p.n_folds} folds. {len(selected)} factors.")

# %% [markdown]
# ## The models
#
# *Random forest* {cite:p}`breiman2001` and *XGBoost* {cite:p}`chen2016` judge a cell by its own factors. So does *logistic regression*, the
# baseline of the field: if the others do not beat it, they are not worth their trouble. Chapter 4 says how these three work.
# The *CNN* looks at a window of cells around the cell in question, so it can see a slope's shape, a road cut below or a river bend. Its network is small: two convolutions with pooling, one more over
# what is left, and two layers that decide. It is trained several times from different starts, each time with another spatial fold set aside to
# stop before it learns by heart. The model is *one* function of them all: the mean of their log-odds, made a probability.
#
# A model wants numbers of like size. `factor_coder` is scikit-learn's `ColumnTransformer` with one step per factor: z-scores for measured quantities,
# sine and cosine for the aspect, one column of 0 and 1 per class of land use or rock. It is the first step of a *pipeline*, so that means,
# deviations and classes are learned from the training rows alone. A class that was never seen becomes all zeros.
#
# The *infinite slope* is mechanics: soil of one depth on a slope that never ends, wet where water gathers {cite:p}`montgomery1994,pack1998`, shaken
# by a constant force {cite:p}`newmark1965`. Its factor of safety sets what holds the soil against what pulls it,
#
# $$
# FS = \frac{C + \cos^2 \beta \, (1 - m r) - k \sin \beta \cos \beta}{\sin \beta \cos \beta + k \cos^2 \beta} \tan \varphi,
# \qquad m = \min\left(1, \frac{R a}{T \sin \beta}\right), \qquad \ln \frac{p}{1 - p} = \alpha - \gamma \ln FS
# $$ (eq-05-slope)
#
# with the slope angle $\beta$, the cohesion $C$ against weight and friction, and the wetness $m$: $a$ is the catchment per metre of contour (chapter 1, here
# from the wetness index), $R$ the recharge, uneven where rainfall is a factor, and $T$ the soil's transmissivity. $r$ is the weight of water against that of soil
# and $k$ the seismic coefficient, from the peak acceleration. The friction angle $\varphi$ is set to 35°, because the fitted numbers can take up another;
# $\alpha$ and $\gamma$ turn $FS$ into log-odds. The model takes the factors in their own units. Only $C$, $R/T$, $k$, $\alpha$ and $\gamma$ are fitted, by maximum likelihood on the training rows, in every fold anew as for the others. It knows no rock, road, river
# or cover, and it does not hold for falls from bare walls, deep slides or run-out. What it scores is what the mechanics of two to four maps are worth.

# %%
coder = factor_coder(factors, selected, p.coding)
own_coder = factor_coder(factors, p.logistic_factors or selected, p.coding)
forest = RandomForestClassifier(p.rf_trees, random_state=p.seed)
boosting = {"n_estimators": p.xgb_rounds, "max_depth": p.xgb_depth, "learning_rate": p.xgb_eta, "subsample": 0.8, "colsample_bytree": 0.8}
trees = XGBClassifier(**boosting, random_state=p.seed, n_jobs=1)
regression = LogisticRegression(C=np.inf, max_iter=1000, tol=1e-6)
machine = CalibratedClassifierCV(SVC(gamma=0.05, max_iter=200_000), ensemble=False)
estimators = {
    "rf": Pipeline([("coder", clone(coder)), ("forest", forest)]),
    "xgboost": Pipeline([("coder", clone(coder)), ("trees", trees)]),
    "logistic": Pipeline([("coder", own_coder), ("regression", regression)]),
    "svm": Pipeline([("coder", clone(coder)), ("machine", machine)]),
}
if "cnn" in p.models and find_spec("torch"):
    from lsa_helpers.cnn import WindowCNN  # needs torch, which the others do without

    networks = {"window": p.cnn_window, "n_networks": p.cnn_seeds, "epochs": p.cnn_epochs, "patience": p.cnn_patience}
    estimators["cnn"] = WindowCNN(factors[selected], **networks, coding=p.coding, random_state=p.seed)
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

# %% mystnb={"figure": {"caption": "Susceptibility of every cell by each model, with the landslides the models learned from, rivers and roads, and the true probability with its odds raised to those of the samples.", "name": "fig-05-maps"}, "image": {"alt": "Maps of the susceptibility from zero to one by each model with one colour scale, landslides outlined in red orange, rivers blue, roads white, and a last map of the true probability"}}
truth = validation.read_truth(run.product("truth"), factors)
aim = None
if truth is not None:
    true_probability = truth["probability"]
    aim = true_probability.copy(data=validation.shift_odds(true_probability, float(true_probability.mean()), label.mean()))
display(style.save(show.susceptibility_maps(maps, landslides, factors, aim), run, "susceptibility"))
steps = pd.Series({style.MODEL_LABELS[name]: float(abs(values.diff("x")).mean() / values.std()) for name, values in maps.items()})
print(f"From a cell to its neighbour {steps.idxmin()} changes least ({steps.min():.2f} standard deviations of its map), {steps.idxmax()} most ({steps.max():.2f}).")

# %% [markdown]
# All models but the CNN judge cell by cell, and they differ in roughness among themselves: a map is as rough as the factors that its model follows, such
# as the wetness index of single cells. Straight edges are the edges of a rock unit or of an interpolated layer.
#
# These are the maps to *use*: their models know every landslide there is. Just for this reason they cannot be judged by these landslides, which a
# forest remembers one by one.
#
# ## Maps that did not know the answer
#
# To be judged, the land is mapped in pieces. Each spatial fold's blocks are mapped by models trained on the other folds, with an empty strip as
# wide as the CNN's window between them: **fit on the other blocks, predict this block**. Together the pieces cover the area, and no cell was known
# to the model that mapped it. Chapters 6 and 9 judge these *held-out* maps.

# %%
folds = validation.fold_map(samples, factors, block_m=p.block_m, seed=p.seed)
numbers = landslide_numbers(landslides, factors)  # no landslide may reach from the training into the piece
training = [validation.training_samples(samples, folds == fold, window_m, numbers) for fold in range(p.n_folds)]
heldout = {}
for name, estimator in estimators.items():
    fits = (clone(estimator).fit(rows, rows["label"]) for rows in training)  # one at a time in memory
    pieces = [predict_map(fitted, factors, where=folds == fold, n_jobs=p.n_jobs) for fold, fitted in enumerate(fits)]
    heldout[name] = written(f"heldout_{name}", xr.concat(pieces, "fold").max("fold").rename("susceptibility"))

# %% mystnb={"figure": {"caption": "Susceptibility from models that did not know the block they map; steps along block edges are where two models disagree. Framed is the window of a tenth of the map with the most landslide area.", "name": "fig-05-heldout"}, "image": {"alt": "Maps of the held-out susceptibility from zero to one by each model with one colour scale, landslides outlined in red orange, one rectangle framed by a white dashed line"}}
landslide = numbers >= 0
frame = left, bottom, right, top = validation.densest_window(landslide, 0.1)
display(style.save(show.susceptibility_maps(heldout, landslides, factors, aim, frame), run, "heldout_maps"))
in_frame = landslide.sel(x=slice(left, right), y=slice(top, bottom)).sum() / landslide.sum()
print(f"The frame is a tenth of the map and holds {float(in_frame):.0%} of the landslide area. Remember it when you read the scores.")

# %% [markdown]
# ## How good are they?
#
# Each model is trained again without a fold and predicts that fold, in random folds by landslide and in spatial blocks. A forest that is told *only
# where* a cell is runs along: a model that does not beat it has shown no more than that landslides come in clusters.

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

# %% [markdown]
# Intervals resample whole blocks, because neighbours are not independent; two models are compared by their difference in the same draws. Only cells of
# one fold make a pair, since every fold has another model. Where the truth is known, a second score takes the *true* landslides in the same cells: the
# labels above are detected ones, and a model that learns the detector's habits is praised for them. Everything else (precision, recall, kappa, Brier score, thresholds {cite:p}`youden1950`) is in the CSV files.

# %%
how = {"block_m": p.block_m, "seed": p.seed, "truth": truth}
scores = {scheme: validation.score_table(predictions, samples, scheme, **how) for scheme in fold_numbers}
for scheme, table in scores.items():
    run.write_table(table, f"scores_{scheme}")
random, spatial = (scores[scheme].set_index("model") for scheme in ("random", "spatial"))
display(show.score_words(random, spatial))
learners = [name for name in estimators if name != "infinite_slope"] or list(estimators)
best = spatial["auc_within"].loc[list(estimators)].idxmax()
weights = validation.block_weights(validation.block_numbers(samples["x"], samples["y"], p.block_m), validation.N_DRAWS, p.seed)
out_of_fold = predictions[predictions["scheme"] == "spatial"]


def drawn_auc(labels):
    """The AUC of every model in spatial blocks under every draw of blocks."""
    return {name: validation.within_groups_auc(labels, rows["probability"], samples["fold"], weights) for name, rows in out_of_fold.groupby("model")}


differences = validation.paired_differences(drawn_auc(label), combinations(learners, 2))
print(reading.scores(random, spatial, estimators, differences))

# %% mystnb={"figure": {"caption": "ROC curves: for every threshold the share of landslide cells found against the share of other cells called landslide, from random folds and from spatial blocks. The legend pools all folds. The band holds 95 % of the draws of blocks for the model that is first in blocks.", "name": "fig-05-roc"}, "image": {"alt": "Two panels with ROC curves of each model, from random folds on the left and from spatial blocks on the right, one of the curves with a shaded band of chance around it"}}
curves = predictions[predictions["model"] != "coordinates"]
of_best = {scheme: curves[(curves["model"] == best) & (curves["scheme"] == scheme)]["probability"] for scheme in ("random", "spatial")}
bands = {scheme: (best, validation.roc_band(label, values, weights)) for scheme, values in of_best.items()}
style.save(show.roc_panels(curves, bands), run, "roc")

# %% [markdown]
# One number for a whole area hides where it comes from: the same predictions fold by fold, and without the samples in the frame of
# {numref}`fig-05-heldout`. And is the size of the probabilities right? The calibration error is the mean gap between predicted and observed share.

# %%
inside = samples["x"].between(left, right) & samples["y"].between(bottom, top)
by_fold = validation.fold_scores(out_of_fold[out_of_fold["model"] != "coordinates"], inside)
display(by_fold.rename(style.MODEL_LABELS).round(3))
crowd = inside[label == 1]
print(reading.folds(by_fold, best, learners, crowd.mean(), samples["fold"][label == 1][crowd].nunique()))
print(reading.calibration(spatial.loc[list(estimators)]))
on_land = landslide.values[next(iter(maps.values())).notnull().values].mean()
among, there = label.mean(), float(validation.shift_odds(0.5, label.mean(), on_land))
print(f"Landslides are {among:.0%} of the samples and {on_land:.1%} of this land, so even a perfectly calibrated 0.5 means {there:.1%} here.")

# %% [markdown]
# ## What does learning add?
#
# The infinite slope needs no landslide but to set five numbers. How much better are models that learn everything from landslides? The difference of
# their AUC in spatial blocks, with the interval from the same blocks resampled for both, for the labels the models learned from and, where the truth
# is known, for true landslides. The mountain's own truth is an infinite slope too, with other numbers, rocks, cuts and a hidden field: there this
# baseline has the right form, which real ground need not have.

# %%
if physical:
    judges = {"learned": label} if truth is None else {"learned": label, "true": validation.at_samples(truth["landslide"], samples).astype(int)}
    gains = []
    for labels, values in judges.items():
        gains.append(validation.paired_differences(drawn_auc(values), [(name, "infinite_slope") for name in learners]).assign(labels=labels))
    gains = pd.concat(gains, ignore_index=True)
    run.write_table(gains, "learning_gain")
    gains["gain"] = [f"{row.difference:+.3f} ({row.low:+.3f} to {row.high:+.3f})" for row in gains.itertuples()]
    display(gains.pivot(index="first", columns="labels", values="gain").loc[learners].rename(style.MODEL_LABELS).rename_axis(index="more than the infinite slope"))
    print(f"{(gains['low'] > 0).sum()} of {len(gains)} gains are above 0 in 97.5 % of the draws of blocks.")

# %% [markdown]
# ## Against the truth
#
# The simulated mountain knows two bounds. The {term}`oracle` is the true probability itself: it knows a hidden field that no layer shows, so no model can be
# expected to reach it. The {term}`reachable bound` knows the rules of the mountain and is fed with the very layers the models get, taken at their
# word. It is the best ranking we know, not a mathematical maximum: a model may learn how a layer errs. Both stay below 1, because chance decides
# too. The maps are scored cell by cell over the whole area: the fitted ones, which know most landslides, and the held-out ones, which do not.

# %%
if truth is not None:
    judged = {(name, kind): values for kind, part in (("fitted", maps), ("held out", heldout)) for name, values in part.items()}
    against_truth = validation.truth_scores(judged, truth)
    names, kinds = zip(*[key if isinstance(key, tuple) else (key, "bound") for key in against_truth.pop("model")], strict=True)
    against_truth.insert(0, "model", names)
    against_truth.insert(1, "map", kinds)
    run.write_table(against_truth, "scores_truth")
    of_maps = against_truth.pivot(index="model", columns="map", values=["auc_map", "spearman"])
    shown = of_maps.loc[list(estimators), [("auc_map", "fitted"), ("auc_map", "held out"), ("spearman", "fitted"), ("spearman", "held out")]]
    display(shown.rename(style.MODEL_LABELS).rename(columns={"auc_map": "AUC, true landslides", "spearman": "rank correlation with the truth"}).round(3))
    on_samples, on_map = validation.bound_scores(samples, truth), of_maps["auc_map", "bound"].dropna()
    print(reading.ceilings(on_samples, on_map))
    agreement, area = of_maps["spearman", "held out"].loc[list(estimators)], of_maps["auc_map", "held out"].loc[list(estimators)]
    print(reading.truth(spatial.loc[list(estimators), "auc_within"], area, agreement))
else:
    print("The truth of this ground is unknown, so nothing is scored against it.")

# %% mystnb={"figure": {"caption": "Rank of the true probability among all cells with the landslides the models learned from, and the rank in each held-out map minus it. Purple is too high, orange too low; the number is the rank correlation with the truth.", "name": "fig-05-truth"}, "image": {"alt": "Map of the true probability as a rank with landslides outlined, and for each model a map of its rank minus the true one from orange to purple, the model closest to the truth named in its title"}}
if truth is not None:
    display(style.save(show.truth_difference(heldout, truth["probability"], landslides, agreement), run, "truth_difference"))

# %% [markdown]
# ## And the paper's order of models?
#
# In the paper the CNN wins by far. How often do landslides lie in the highest class of each model's map, against its share of the land (the frequency ratio)? Here for
# the same shares of the land, from the held-out maps. One area is one draw: which model leads on ten small mountains is on the page
# {ref}`Measured <ten-mountains>`.

# %%
printed = published_table(5).query("susceptibility == 'Very High'").set_index("model")
printed = printed.loc[[name for name in printed.index if name in heldout]]
here = {name: validation.highest_ratio(heldout[name], landslide, share / 100) for name, share in printed["area_ratio_pct"].items()}
if len(here) > 1:
    compared = pd.DataFrame({"printed for Moxi": printed["fr"], "here": pd.Series(here)})
    display(compared.rename(style.MODEL_LABELS).T.round(2))
    print(reading.paper_order(compared))

# %% [markdown]
# ## Try it
#
# ```{exercise-start}
# :label: ex-05-luck
# ```
# *Change a value and explain.* How much of a score is luck? Draw the samples and move the grid of blocks with other seeds, score two quick models, and
# look at their difference.
# ```{exercise-end}
# ```
# ```{solution-start} ex-05-luck
# :class: dropdown
# ```

# %%
small = Pipeline([("coder", clone(coder)), ("trees", clone(trees).set_params(n_estimators=60))])
linear = Pipeline([("coder", own_coder), ("regression", regression)])
luck = []
for seed in range(p.seed, p.seed + 4):
    drawn = make_samples(landslides, factors[list(samples.columns[5:])], **p.sampling() | {"seed": seed})
    fold, _ = validation.moved_folds(drawn, factors, n_folds=p.n_folds, block_m=p.block_m, seed=seed)
    for name, model in {"XGBoost, 60 rounds": small, "Logistic regression": linear}.items():
        probability = model_selection.cross_val_predict(model, drawn, drawn["label"], cv=model_selection.PredefinedSplit(fold), method="predict_proba")[:, 1]
        luck.append((name, f"seed {seed}", validation.within_groups_auc(drawn["label"], probability, fold)))
luck = pd.DataFrame(luck, columns=["model", "seed", "auc"]).pivot(index="model", columns="seed", values="auc")
display(luck.round(3))
ahead = luck.loc["XGBoost, 60 rounds"] - luck.loc["Logistic regression"]
print(f"Seeds move one model by up to {(luck.max(axis=1) - luck.min(axis=1)).max():.3f}. XGBoost is ahead by {ahead.min():+.3f} to {ahead.max():+.3f}.")

# %% [markdown]
# Both models meet the same samples and folds: judge a difference by how it moves from seed to seed, not by how far one model moves. The grid is moved
# because blocks are dealt the fullest first: left where they are, most would get the same fold with every seed. The intervals above ask something else,
# what other ground would have given.
# ```{solution-end}
# ```
#
# ```{exercise-start}
# :label: ex-05-shuffle
# ```
# *Break it.* Shuffle the labels, so that there is nothing to learn. Which AUC do you expect on the training data, and which in spatial blocks?
# ```{exercise-end}
# ```
# ```{solution-start} ex-05-shuffle
# :class: dropdown
# ```

# %%
rng = np.random.default_rng(p.seed)
nonsense = rng.permutation(label)
model = Pipeline([("coder", clone(coder)), ("trees", clone(trees).set_params(n_estimators=60))])
apparent = clone(model).fit(samples, nonsense).predict_proba(samples)[:, 1]
honest = model_selection.cross_val_predict(model, samples, nonsense, cv=model_selection.PredefinedSplit(samples["fold"]), method="predict_proba")[:, 1]
blind = validation.within_groups_auc(nonsense, honest, samples["fold"])
print(f"Training data: {roc_auc_score(nonsense, apparent):.3f}. Spatial blocks: {blind:.3f}.")
answers.record(run, "ex-05-shuffle", blind, within=0.05, what="the AUC in spatial blocks")
lots = [validation.within_groups_auc(rng.permutation(nonsense), honest, samples["fold"]) for _ in range(200)]
print("So far goes chance: with the labels shuffled again, 95 % of {} AUC of these predictions lie from {:.3f} to {:.3f}.".format(len(lots), *np.quantile(lots, [0.025, 0.975])))

# %% [markdown]
# On its training data the model is praised for learning noise by heart; out of fold it guesses, as it must. If a chain gives clearly more
# than 0.5 here, test rows or their labels have reached the training: factors chosen, settings tuned or classes coded with all labels *after* the shuffle.
# The test is blind to leaks that need the true labels: a factor made from the inventory beforehand, or one landslide in two folds.
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

# %%
low, high = spatial.loc[best, ["auc_within_low", "auc_within_high"]]
print(f"Best in blocks: {style.MODEL_LABELS[best]}, AUC {spatial.loc[best, 'auc_within']:.2f} ({low:.2f} to {high:.2f}). Outside the frame: {by_fold.loc[best, 'outside the frame']:.2f}.")

# %% [markdown]
# Every model has a map to use, `susceptibility_*.tif` (0 to 1), one to judge it by, `heldout_*.tif`, and a folder under `models/`; `samples.parquet` holds the samples, `predictions.parquet`
# every prediction out of its fold, and the tables `scores_random.csv`, `scores_spatial.csv`, `scores_apparent.csv` and, on the simulated
# mountain, `scores_truth.csv` the scores. Read the spatial ones: they are the stricter, and the ones for ground
# without known landslides. `learning_gain.csv` holds what each model is better than the infinite slope.
#
# ## What's next
#
# Chapter 6 cuts the maps into classes and counts the landslides in each.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`breiman2001,chen2016,giusti2013,roberts2017`.
