# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 4 Samples, folds and factors
#
# ## Overview
#
# Which cells does a model learn from? How is it tested? Which factors say something, and which say the same twice? The last is the question of
# sections 3.2 and 4.2 of {cite:t}`yao2026`; the first two decide what every later number means.
#
# | you will learn | the experiment that shows it |
# |---|---|
# | what an {term}`AUC` is | the predictions of landslide cells and of others as two histograms |
# | why a score depends on how the test cells were chosen | one model, four ways of splitting; and a model that knows nothing but the place |
# | how to find factors that repeat each other, by the {term}`variance inflation factor` | dropping the worst; exercise: a copied factor |
# | three ways to rank factors, and why they disagree | one order of rows, columns of pure noise, the true shares of the simulated mountain |
#
# **Before you start** you need chapters 1 and 3, or their products (made first at the smallest size when you open this chapter alone), an idea of
# training and test data, and linear regression with its $R^2$, since a VIF is an $R^2$ in disguise.
#
# **Time to learn** about 35 minutes to read, as long again for the exercises. The time to run is on the page *How long it took*.

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
vif_max: float = 10.0  # variance inflation factor at which a factor is dropped
vif_flag: float = 5.0  # variance inflation factor above which a kept factor is flagged
correlation: str = "spearman"  # kind of correlation shown
keep_factors: list = []  # factors that collinearity never drops; their double goes instead
n_probes: int = 5  # columns of random numbers that are ranked along with the factors
drop_below_probe: bool = False  # also drop factors not surely more important than random columns; this looks at all folds' labels
importance_trees: int = 200  # trees of the forests that rank the factors
importance_repeats: int = 5  # permutations of each factor in each fold

# %%
import numpy as np
import pandas as pd
import xarray as xr
from joblib import parallel_config
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.inspection import permutation_importance
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline
from statsmodels.stats.outliers_influence import variance_inflation_factor
from statsmodels.tools import add_constant
from xgboost import XGBClassifier

from lsa_helpers import answers, samples, selection, validation
from lsa_helpers.raster import read_factors
from lsa_helpers.runner.params import SelectionParams
from lsa_helpers.runner.pipeline import open_run
from lsa_helpers.show import reading_factors as reading
from lsa_helpers.show import selection as show
from lsa_helpers.show import style

style.use()
p = SelectionParams.from_cell(globals())
run = open_run(p, "04_factor_selection")

# %% [markdown]
# ## Samples
#
# A model learns the difference between cells where the ground failed and cells where it did not. Each choice below changes what it learns:
#
# - **Landslide cells** are drawn at random inside the polygons, at most `max_per_landslide` from each, so that one huge landslide does not
#   outvote a hundred small ones. The price: a small false alarm of the detector weighs as much as a large landslide (`cells_by` weighs
#   otherwise). The landslides are the *detected* ones of chapter 3 where there are enough of them, otherwise the reference inventory.
# - **Cells without landslide** are drawn farther than `negative_buffer_m` from any landslide of this inventory; what the detector missed may be
#   among them. They are as many as landslide cells, so a model's output is a probability for a world in which half of the cells fail: right in
#   order, far too high in size.
# - **Folds** are made of square blocks, dealt so that each fold has about as many landslide cells. One landslide never falls into two folds.
#
# Points give the cell that each lies in, and points or polygons that are labelled as stable are used as such. Chapter 5 draws the same samples.

# %%
factors = read_factors(run.need("factors.tif", chapter="01_data"), chunk=p.chunk)
landslides = samples.load_landslides(run.need("inventory.gpkg", chapter="03_inventory"), p.inventory, with_absences=True)
table = samples.make_samples(landslides, factors, **p.sampling())
label_of = {name: factor.attrs["long_name"] for name, factor in factors.items()}
splitter = validation.SpatialBlockKFold(p.n_folds, p.block_m, random_state=p.seed, cluster_m=p.cluster_m)
table.insert(4, "fold", splitter.fold_numbers(table, table["label"]))
slides = table[table["label"] == 1]
in_fold = slides["fold"].value_counts()
in_block = np.bincount(validation.block_numbers(slides["x"], slides["y"], p.block_m))
print(f"{len(slides)} cells of {slides['landslide_id'].nunique()} {landslides.attrs['layer']} landslides, {len(table) - len(slides)} cells without.")
print(f"A fold holds {in_fold.min()} to {in_fold.max()} landslide cells, and the fullest block {in_block.max() / len(slides):.0%} of all.")
print(f"{len(in_block)} blocks hold any: so few places, and not {len(table)} independent samples, are what every interval below rests on.")

# %% mystnb={"figure": {"caption": "The samples and their spatial folds. Every square is a block; a block and its samples belong to one fold, but a landslide across an edge goes whole to one side.", "name": "fig-04-samples"}, "image": {"alt": "Map of sampled cells over shaded relief cut into square blocks, each block tinted in the colour of its fold, dots filled inside landslides and open elsewhere"}}
folds_on_map = validation.fold_map(table, factors, block_m=p.block_m, seed=p.seed)
style.save(show.samples_map(table, landslides, factors, folds_on_map, p.block_m), run, "samples")

# %% [markdown]
# ## The models, in a sentence each
#
# A {term}`decision tree` asks yes/no questions of a cell (slope above 35°?) until it can say landslide or not. A {term}`random forest` averages
# hundreds of trees, each grown on another draw of the samples; {term}`boosting` (XGBoost) adds small trees one after another, each correcting the
# sum so far; {term}`logistic regression` adds up the factors with one weight each and turns the sum into a probability.
#
# ## What an AUC is
#
# Take a landslide cell and another cell at random. The area under the {term}`ROC curve` (AUC) is the share of such pairs in which the model gives the
# landslide cell the higher number: 1 is a ranking without a fault, 0.5 is guessing. It looks at the order only. Never on the training data: a small
# model (60 rounds of XGBoost, which learns in a fraction of a second) predicts each fold after learning from the others.

# %% mystnb={"figure": {"caption": "What the AUC compares: the predictions for cells with and without landslide. Where the two overlap, pairs are ordered wrongly.", "name": "fig-04-auc"}, "image": {"alt": "Two overlapping histograms of the predicted probability, cells without landslide filled in blue towards zero and landslide cells outlined in orange towards one"}}
X, y = table[["x", "y", "landslide_id", *factors]].copy(), table["label"]
folds = list(splitter.split(X, y))
small = XGBClassifier(n_estimators=60, max_depth=4, learning_rate=0.2, random_state=p.seed, n_jobs=1)


def tested(coder, tests):
    """Out-of-fold probabilities of the small model, and their AUC over the pairs of one fold."""
    model = Pipeline([("coder", coder), ("trees", small)])
    probability = cross_val_predict(model, X, y, cv=tests, method="predict_proba")[:, 1]
    fold = sum(number * np.isin(np.arange(len(y)), test) for number, (_, test) in enumerate(tests))
    return probability, validation.within_groups_auc(y, probability, fold)


by_factors, within = tested(samples.factor_coder(factors), folds)
display(style.save(show.score_histograms(y, by_factors), run, "auc_histograms"))
print(f"Of all pairs {roc_auc_score(y, by_factors):.1%} are in the right order: that is the AUC. Of the pairs inside one fold it is {within:.1%}.")

# %% [markdown]
# The second number is fairer and used from here on: each fold has another model, and one model's 0.4 is not another's {cite:p}`parker2007,airola2011`.
#
# ## Four ways to split, and a model that knows only the place
#
# Neighbours are alike: a test cell whose neighbour was in the training data is half known already {cite:p}`roberts2017`. One model is tested four
# times, on single cells, on whole landslides, on small blocks and on the blocks of the map above. Beside it stands a model that is given no factor
# at all, only *where* a cell is.

# %%
whole = validation.landslide_groups(table["landslide_id"])
shuffled = {"n_splits": p.n_folds, "shuffle": True, "random_state": p.seed}
small_blocks = validation.SpatialBlockKFold(p.n_folds, p.block_m / 4, random_state=p.seed)
ways = {
    "single cells": list(StratifiedKFold(**shuffled).split(X, y)),
    "whole landslides": list(StratifiedGroupKFold(**shuffled).split(X, y, whole)),
    f"blocks of {p.block_m / 4:g} m": list(small_blocks.split(X, y)),
    f"blocks of {p.block_m:g} m": folds,
}
known = {"all factors": samples.factor_coder(factors), "place alone (x, y)": ColumnTransformer([("place", "passthrough", ["x", "y"])])}
splits = pd.DataFrame({words: {way: tested(coder, tests)[1] for way, tests in ways.items()} for words, coder in known.items()})
display(splits.rename_axis("tested on").round(3))
print(reading.splits(splits))

# %% [markdown]
# Each way answers another question. Single cells: can a model colour in a landslide of which it knows a part? Whole landslides: can it fill gaps
# between known ones? Blocks: can it tell where none is known? A map that is used between known landslides is better described by whole landslides,
# for which blocks may be too strict {cite:p}`wadoux2021`; one carried to ground without an inventory, by blocks. This book judges by the stricter.
#
# ## Do two factors say the same?
#
# Predict one factor from all the others by linear regression. If that works well ($R^2$ near 1), the factor brings nothing of its own, and in a
# regression model its coefficient cannot be told from those of its doubles. The variance inflation factor of factor $j$, and the
# {term}`tolerance`, its inverse, are
#
# $$
# \mathrm{VIF}_j = \frac{1}{1 - R_j^2}, \qquad \mathrm{TOL}_j = 1 - R_j^2 .
# $$ (eq-04-vif)
#
# The regression needs a constant term: without it, a factor far from zero such as altitude gets a huge VIF for no reason (`statsmodels` adds none
# by itself). A factor of several columns, such as land use (one per class) or aspect (sine and cosine), needs the *generalised* VIF
# {cite:p}`fox1992`, here to the power $1/k$ for $k$ columns so that all bars share one scale. Factors are dropped one at a time, the worst first,
# because every drop changes the VIF of the others.

# %% mystnb={"figure": {"caption": "Variance inflation factors. The dashed line is where factors are dropped, the dotted one where they are flagged. A dropped factor shows the value it had when it was dropped.", "name": "fig-04-vif"}, "image": {"alt": "Horizontal bars of the variance inflation factor of every factor on a logarithmic axis from 1 up with two threshold lines, dropped factors in orange"}}
vif = selection.stepwise_vif(table, factors, threshold=p.vif_max, keep=p.keep_factors)
run.write_table(vif, "vif")
display(style.save(show.vif_bars(vif, factors, p.vif_max, p.vif_flag), run, "vif"))
kept, gone = (vif[vif["dropped_at"].gt(0) == away].set_index("factor")["vif"] for away in (False, True))
print(f"Dropped: {reading.listed(f'{label_of[name]} (VIF {value:.1f})' for name, value in gone.items())}.")
print(f"The highest VIF left is that of {label_of[kept.idxmax()]}, {kept.max():.1f}: a limit of {min(np.ceil(kept.max()), p.vif_max):g} would keep the same factors.")

# %% [markdown]
# A high VIF does not tell *whom* a factor repeats; the pairwise correlations do, as long as only two are involved. Which of two doubles goes may be
# decided by a hair's breadth, so a dropped factor is not an unimportant one. Name it in `keep_factors`, and its double goes.

# %% mystnb={"figure": {"caption": "Correlation of the continuous factors and of the sine and cosine of aspect, at the samples. Written are the values of 0.4 and more in size.", "name": "fig-04-correlation"}, "image": {"alt": "Lower triangle of a heat map of the correlation between pairs of factors, orange negative and purple positive, the larger values written in the cells"}}
ordered = factors[[name for name, factor in factors.items() if factor.attrs["kind"] != "categorical"]]
coder = samples.factor_coder(ordered)
matrix = pd.DataFrame(coder.fit_transform(table), columns=coder.get_feature_names_out()).corr(p.correlation)
display(style.save(show.correlation_heatmap(matrix, factors, p.correlation), run, "correlation"))
names_of = {column: label_of[name] for column, name in zip(matrix, samples.coded_groups(coder), strict=True)}
print(reading.correlations(matrix, names_of, p.vif_max))

# %% [markdown]
# ## Which factors matter? Three rankings, three questions
#
# - **Impurity** of a random forest {cite:p}`breiman2001`: how much did splits on this factor tidy up the training data? It is quick and likely
#   what the paper shows, but it favours factors with many distinct values, and it is measured on the data the forest was trained on.
# - **Permutation**: how much does the AUC fall when this factor is shuffled in a spatial block the forest has never seen? Two factors that repeat
#   each other both look unimportant, since either can stand in for the other. Between the blocks nothing is left out: a forest looks at single cells.
# - **Information gain ratio** {cite:p}`quinlan1986`: how many bits about the landslides does the factor alone carry, per bit of its own?
#
# How large must a value be to mean anything? Columns of random numbers, the *probes*, are ranked along, an idea of {cite:t}`kursa2010`. One would be
# one draw of luck, so there are several, and a factor has to beat the best of them.

# %%
rng = np.random.default_rng(p.seed)
left = list(vif.loc[vif["dropped_at"] == 0, "factor"])
probes = [f"{selection.PROBE} {number + 1}" for number in range(p.n_probes)]
X[probes] = rng.standard_normal((len(table), p.n_probes))
names = [*left, *probes]
ranked = factors[left].assign({probe: ((), 0.0, {"kind": "continuous"}) for probe in probes})
trees = RandomForestClassifier(p.importance_trees, random_state=p.seed, n_jobs=p.n_jobs)
forest = Pipeline([("coder", samples.factor_coder(ranked)), ("trees", trees)])

# %% [markdown]
# The forest is trained on all folds but one. scikit-learn's `permutation_importance` then shuffles one column of the fold left out at a time and
# scores again, for all draws of blocks at once: `weights` holds how often each row counts in each draw. For the impurity whole folds are drawn,
# which share most of their training rows, so its interval is rather too narrow.

# %%
weights = validation.block_weights(validation.block_numbers(X["x"], X["y"], p.block_m), validation.N_DRAWS, seed=rng)
impurity, loss = [], []
for train, test in folds:
    fitted = clone(forest).fit(X.iloc[train], y.iloc[train])
    share = pd.Series(fitted[-1].feature_importances_, samples.coded_groups(fitted[0]))
    impurity.append(share.groupby(level=0).sum()[names])
    fitted.set_params(trees__n_jobs=1)  # many small predictions would only wait for threads

    def auc_of_draws(model, X, y, drawn=weights[:, test]):
        return dict(enumerate(validation.weighted_auc(y.to_numpy(), model.predict_proba(X)[:, 1], drawn)))

    how = {"scoring": auc_of_draws, "n_repeats": p.importance_repeats, "random_state": p.seed, "n_jobs": p.n_jobs}
    with parallel_config(backend="threading"):  # nothing is sent to other processes
        shuffled = permutation_importance(fitted, X.iloc[test][names], y.iloc[test], **how)
    loss.append([shuffled[draw].importances_mean for draw in range(len(weights))])

# %% mystnb={"figure": {"caption": "Three rankings with 95 % intervals, rows in the order of the permutation, and on the simulated mountain the true share of each factor. The grey band is what columns of random numbers reach.", "name": "fig-04-importance"}, "image": {"alt": "Bar charts side by side with the same factors in the same order by impurity, permutation and gain ratio, coloured by family, a grey band for random numbers and diamonds for true shares"}}
is_class = {name: ranked[name].attrs["kind"] == "categorical" for name in names}
of_draws = {
    "rf_impurity": validation.draw_blocks(len(folds), validation.N_DRAWS, rng) @ np.array(impurity) / len(folds),
    "permutation": xr.DataArray(loss, dims=("fold", "draw", "factor")).mean("fold").values,
    "gain_ratio": np.column_stack([selection.gain_ratio(X[name], y, categorical=is_class[name], weights=weights) for name in names]),
}
rows = []
for method, values in of_draws.items():
    rows += [(name, method, *validation.interval(column, recentre=method == "gain_ratio")) for name, column in zip(names, values.T, strict=True)]
importance = pd.DataFrame(rows, columns=["factor", "method", "mean", "low", "high"])
run.write_table(importance, "importance")
true_share = run.read_json("truth/effects.json")["covariance_share"] if run.has("truth/effects.json") else None
style.save(show.importance_panels(importance, factors, true_share), run, "importance")

# %% [markdown]
# Bars inside the grey band say no more than noise. Noise has a share of the impurity, because a deep tree will split on anything. In the second
# panel it belongs at zero; a negative bar there is chance, or the forest was misled by the factor in blocks it did not know. Do the rankings
# agree? Kendall's rank correlation is 1 for equal rankings and 0 for unrelated ones:

# %%
rankings = importance.pivot(index="factor", columns="method", values="mean").loc[left, list(of_draws)]
rankings.columns = ["impurity", "permutation", "gain ratio"]
compared = rankings if true_share is None else rankings.assign(truth=pd.Series(true_share))
kendall = compared.corr(method="kendall")
display(kendall.round(2))
print(reading.rankings(compared, kendall, label_of))

# %% [markdown]
# ### Where is slope, and who is overrated?
#
# A geologist would name slope first. How often do landslides lie in each class of it, and how much land is there? And whom does the forest rank above
# its *true share*, its part of the variance of the true log-odds? (Large where a factor moves them and no other moves them back; perhaps negative.)

# %%
truth = validation.read_truth(run.product("truth"), factors)
landslide = samples.landslide_numbers(landslides, factors) >= 0 if truth is None else truth["landslide"]
if "slope" in factors:
    steepness = pd.Series(pd.cut(factors["slope"].values.ravel(), [0, 10, 20, 30, 35, 40, 45, 90], right=False))
    land = steepness.value_counts(normalize=True, sort=False)
    slid = steepness[landslide.values.ravel()].value_counts(normalize=True, sort=False)
    display(pd.DataFrame({"share of the land (%)": 100 * land, "frequency ratio": slid / land}).rename_axis("slope (°)").T.round(2))
    print(reading.slope_classes(land, slid, roc_auc_score(y, X["slope"]), compared))
print(reading.overrated(compared, matrix, label_of, names_of))

# %% [markdown]
# ## The decision
#
# Collinear factors are left out; this looks at no label. A factor is *weak* when it does not exceed the best probe in nearly all draws of blocks
# (97.5 %). Weak ones are only flagged, unless `drop_below_probe` says otherwise: a CNN may use in a neighbourhood what a single cell does not show,
# and dropping them would leak, since importance looked at the labels that chapter 5 tests on.

# %%
draws = of_draws["permutation"][1:]
lead = draws[:, : len(left)] - draws[:, len(left) :].max(axis=1, keepdims=True)
weak = [name for name, low in zip(left, np.quantile(lead, 0.025, axis=0), strict=True) if low <= 0]
decision = selection.choose(vif, weak, threshold=p.vif_max, flag=p.vif_flag, drop_below_probe=p.drop_below_probe)
run.write_json(decision, "selected_factors.json")
print(f"{len(decision['selected'])} of {len(factors)} factors are kept. Dropped: {reading.listed(label_of[name] for name in decision['dropped'])}.")
print(f"Surely above the probes: {reading.listed(label_of[name] for name in left if name not in weak)}. The others are kept for what they do with others.")

# %% [markdown]
# What did it cost? A forest with all factors and one with the selected ones are scored in the same folds, under the same draws of blocks.

# %%
auc = {}
for which, chosen in (("all", list(factors)), ("selected", decision["selected"])):
    forest.set_params(coder=samples.factor_coder(factors, chosen))
    of_folds = []
    for train, test in folds:
        probability = clone(forest).fit(X.iloc[train], y.iloc[train]).predict_proba(X.iloc[test])[:, 1]
        of_folds.append(validation.weighted_auc(y.to_numpy()[test], probability, weights[:, test]))
    auc[which] = xr.DataArray(of_folds, dims=("fold", "draw")).mean("fold").values
auc["cost"] = auc["all"] - auc["selected"]
n = {"all": len(factors), "selected": len(decision["selected"]), "cost": len(decision["dropped"])}
rows = [(which, n[which], *validation.interval(values)) for which, values in auc.items()]
cost = pd.DataFrame(rows, columns=["factors", "n", "auc", "low", "high"])
run.write_table(cost, "dropping_cost")
display(cost.round(3))
print(reading.dropping(cost))

# %% [markdown]
# ## Try it
#
# ```{exercise-start}
# :label: ex-04-alone
# ```
# *Change the factors and explain.* For the first factor of the permutation, for slope and for the distance to roads: what does the small model
# reach with this factor alone, and what does it lose without it?
# ```{exercise-end}
# ```
# ```{solution-start} ex-04-alone
# :class: dropdown
# ```

# %%
tried = dict.fromkeys([rankings["permutation"].idxmax(), "slope", "distance_to_road"])
parts = {name: ([name], [other for other in left if other != name]) for name in tried if name in left}
alone = {label_of[name]: [tested(samples.factor_coder(factors, part), folds)[1] for part in both] for name, both in parts.items()}
with_it = tested(samples.factor_coder(factors, left), folds)[1]
first, (auc_alone, _) = next(iter(alone.items()))
answers.record(run, "ex-04-alone", auc_alone, within=0.005, what=f"the AUC of {first} alone")
pd.DataFrame(alone, ["alone", f"without it (with it: {with_it:.3f})"]).T.round(3)

# %% [markdown]
# A factor that is strong alone and cheap to leave out has a stand-in among the others. One that is weak alone and dear to leave out works together
# with others: a steep slope fails in weak rock. Chapter 5 measures how far another seed moves such a score; smaller differences say nothing.
# ```{solution-end}
# ```
#
# ```{exercise-start}
# :label: ex-04-copy
# ```
# *Break it.* Copy the strongest continuous factor, with a tenth of its spread as noise. What happens to the variance inflation, to the AUC, and to
# the loss when one of the two is shuffled?
# ```{exercise-end}
# ```
# ```{solution-start} ex-04-copy
# :class: dropdown
# ```

# %%
continuous = [name for name in left if factors[name].attrs["kind"] == "continuous"]
twin = rankings.loc[continuous, "permutation"].idxmax()
X["copy"] = X[twin] + rng.standard_normal(len(X)) * X[twin].std() / 10
result = {}
for case, chosen in (("without the copy", left), ("with the copy", [*left, "copy"])):
    data = factors[left].assign(copy=((), 0.0, {"kind": "continuous"}))[chosen]
    model = Pipeline([("coder", samples.factor_coder(data)), ("trees", clone(small).set_params(colsample_bytree=0.5))])
    scores = []
    for train, test in folds:
        fitted = clone(model).fit(X.iloc[train], y.iloc[train])
        intact, shuffled = X.iloc[test], X.iloc[test].assign(**{twin: rng.permutation(X[twin].iloc[test])})
        scores.append([roc_auc_score(y.iloc[test], fitted.predict_proba(rows)[:, 1]) for rows in (intact, shuffled)])
    auc_intact, auc_shuffled = np.mean(scores, axis=0)
    design = add_constant(X[[name for name in chosen if name in (*continuous, "copy")]])
    inflation = variance_inflation_factor(design, design.columns.get_loc(twin))
    result[case] = {"VIF": inflation, "AUC": auc_intact, "loss of AUC": auc_intact - auc_shuffled}
result = pd.DataFrame(result).T
display(result.rename_axis(label_of[twin]).round(3))
before, after = result["loss of AUC"]
print(f"The copy brings nothing new: the AUC changes by {result['AUC'].diff().iloc[-1]:+.3f}, while the VIF grows {result['VIF'].iloc[1] / result['VIF'].iloc[0]:.0f}-fold.")
print(f"Shuffled, the factor costs {before:.3f} without the copy and {after:.3f} with it{', which stands in for it' if after < before else ''}.")

# %% [markdown]
# Shuffled one at a time, each of two doubles counts for what the other does not know. That is why collinearity comes first.
# ```{solution-end}
# ```
#
# Three changes to try, each a command in a terminal. It repeats the chapter beside the book's run, which stays as it is, and prints the page's
# numbers and yours.
#
# - `lsa try quick 04 -p vif_max 3`: a stricter threshold. Which factors go, what does dropping cost, and who speaks for them?
# - `lsa try quick 04 -p keep_factors "[tri]"`: the ruggedness stays. Which factor goes in its place, and do the scores notice?
# - `lsa try quick 04 -p block_m 500`: smaller blocks. Look at `dropping_cost`: does the AUC rise, though samples and factors are the same?

# %% [markdown]
# ## Summary

# %%
print(f"The same model scores {splits.iloc[0, 0]:.2f} or {splits.iloc[-1, 0]:.2f}: the test cells decide, and the second is the one for unknown ground.")
print(f"Place alone scores {splits.iloc[-1, 1]:.2f} there, guessing 0.5: a factor, or a model, is worth what it adds to these.")

# %% [markdown]
# `selected_factors.json` holds the list that chapter 5 uses, with reasons. Collinearity and importance are two questions: a factor can be dropped though
# it matters, and kept though it does not.
#
# ## What's next
#
# Chapter 5 trains the models on these samples, maps the susceptibility and tests the maps in these folds.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`roberts2017,fox1992,breiman2001,quinlan1986,kursa2010`.
