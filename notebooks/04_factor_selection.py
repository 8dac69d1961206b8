# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 4 Factor selection
#
# ## Overview
#
# Chapter 1 made up to fifteen conditioning factors. Some say the same thing twice, and some may say nothing about landslides at all. Before any
# model is trained, this chapter asks both questions, as sections 3.2 and 4.2 of {cite:t}`yao2026` do: which factors are {term}`collinear`, and
# which are important?
#
# **You will learn** (1) how to compute and read {term}`variance inflation factors`, for classes and angles too, (2) how to drop collinear factors one
# at a time, (3) three ways to rank factors and why they disagree, (4) how columns of pure noise tell a ranking from an accident.
#
# **Before you start**
#
# | concept | needed | notes |
# |---|---|---|
# | chapters 1 and 3, or their products | necessary | made first at the smallest size when you open this chapter alone |
# | linear regression and $R^2$ | necessary | a VIF is a regression's $R^2$ in disguise |
# | decision trees | helpful | two of the three rankings come from a random forest |
#
# **Time to learn** about 25 minutes. The time to run is on the page *How long it took*.

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
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.inspection import permutation_importance
from sklearn.pipeline import Pipeline
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.outliers_influence import variance_inflation_factor
from statsmodels.tools import add_constant

from lsa_helpers import samples, selection, validation
from lsa_helpers.raster import read_factors
from lsa_helpers.runner.params import SelectionParams
from lsa_helpers.runner.pipeline import open_run
from lsa_helpers.show import selection as show
from lsa_helpers.show import style

style.use()
p = SelectionParams.from_cell(globals())
run = open_run(p, "04_factor_selection")

# %% [markdown]
# ## What is compared
#
# The factors are compared where the models will meet them: at landslide cells and at as many cells without landslides. Chapter 5 explains how
# they are drawn. The landslides are those that the inventory of chapter 3 calls *detected* where there are enough of them, otherwise the reference inventory.

# %%
factors = read_factors(run.need("factors.tif", chapter="01_data"), chunk=p.chunk)
inventory_file = run.need("inventory.gpkg", chapter="03_inventory")
landslides = samples.load_landslides(inventory_file, p.inventory, with_absences=True)
table = samples.make_samples(landslides, factors, **p.sampling())
print(f"{len(landslides)} {landslides.attrs['layer']} landslides, {len(factors)} factors, {len(table)} samples.")

# %% [markdown]
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
# Two details decide whether the number is right. The first is that the regression needs a constant term: without it, a factor far from zero such
# as altitude gets a huge VIF for no reason. `statsmodels` adds none by itself (since version 0.15 it standardises the columns, which does the
# same). For the continuous factors, with a constant and, for comparison, by a regression without:

# %%
continuous = [name for name, factor in factors.items() if factor.attrs["kind"] == "continuous"]
columns = table[continuous].astype(float)
design = add_constant(columns)
pd.DataFrame(
    {
        "with a constant": [variance_inflation_factor(design, design.columns.get_loc(name)) for name in continuous],
        "without": [1 / (1 - OLS(columns[name], columns.drop(columns=name)).fit().rsquared) for name in continuous],
    },
    index=continuous,
).round(2)

# %% [markdown]
# The second: a factor of several columns, such as land use (one column per class) or aspect (sine and cosine), needs the *generalised* VIF
# {cite:p}`fox1992`, otherwise the result would depend on which class is left out as the reference. It is raised to $1/k$ for $k$ columns, so that
# all bars below share one scale; for one column it is the VIF above, with all factors in the regression.
#
# Factors are dropped one at a time, the worst first, because every drop changes the VIF of the others.

# %%
vif = selection.stepwise_vif(table, factors, threshold=p.vif_max, keep=p.keep_factors)
run.write_table(vif, "vif")
vif.round(3)

# %% mystnb={"figure": {"caption": "Variance inflation factors. The dashed line is where factors are dropped, the dotted one where they are flagged. A dropped factor shows the value it had when it was dropped.", "name": "fig-04-vif"}, "image": {"alt": "Horizontal bars of the variance inflation factor of every factor on a logarithmic axis with two threshold lines, dropped factors in orange"}}
style.save(show.vif_bars(vif, factors, p.vif_max, p.vif_flag), run, "vif")

# %% [markdown]
# `dropped_at` is the step at which a factor was dropped, 0 for one that was kept. A high VIF does not tell *whom* a factor repeats; the pairwise
# correlations do, as long as only two are involved.

# %% mystnb={"figure": {"caption": "Correlation of the continuous factors and of the sine and cosine of aspect, at the samples. Written are the values of 0.7 and more in size.", "name": "fig-04-correlation"}, "image": {"alt": "Square heat map of the correlation between every pair of continuous factors, orange negative and purple positive"}}
ordered = factors[[name for name, factor in factors.items() if factor.attrs["kind"] != "categorical"]]
coder = samples.factor_coder(ordered)
matrix = pd.DataFrame(coder.fit_transform(table), columns=coder.get_feature_names_out()).corr(p.correlation)
style.save(show.correlation_heatmap(matrix, p.correlation), run, "correlation")

# %% [markdown]
# Two factors often measure the same thing, in steep terrain for example slope and ruggedness. Which of the two is dropped may be decided by a hair's
# breadth of VIF, so do not read a dropped factor as an unimportant one: its double speaks for it. A factor that you want to read in later chapters
# can be named in `keep_factors`; then its double goes.

# %%
gone = vif[vif["dropped_at"] > 0].sort_values("dropped_at")
print("Dropped here:", ", ".join(f"{factors[row.factor].attrs['long_name']} (VIF {row.vif:.1f})" for row in gone.itertuples()) or "nothing")

# %% [markdown]
# ## Which factors matter?
#
# Three rankings, three questions:
#
# - **Impurity** of a random forest {cite:p}`breiman2001`: how much did splits on this factor tidy up the training data? It is quick and likely
#   what the paper shows, but it favours factors with many distinct values, and it is measured on the data the forest was trained on.
# - **Permutation**: how much does the area under the ROC curve fall when this factor is shuffled in a spatial block the forest has never seen?
#   Two factors that repeat each other both look unimportant, since either can stand in for the other. Between the blocks nothing is left out: a
#   forest looks at single cells, so no window can see both sides.
# - **Information gain ratio** {cite:p}`quinlan1986`: how many bits about the landslides does the factor alone carry, per bit of its own?
#
# How large must a value be to mean anything? Columns of random numbers, the *probes*, are ranked along with the factors, an idea of
# {cite:t}`kursa2010`. One probe would be one draw of luck, so there are several, and a factor has to beat the best of them. Ranked are the factors
# that collinearity left, the ones the models of chapter 5 will get.

# %%
rng = np.random.default_rng(p.seed)
left = list(vif.loc[vif["dropped_at"] == 0, "factor"])
probes = [f"{selection.PROBE} {number + 1}" for number in range(p.n_probes)]
table[probes] = rng.standard_normal((len(table), p.n_probes))
names = [*left, *probes]
ranked = factors[left].assign({probe: ((), 0.0, {"kind": "continuous"}) for probe in probes})

X, y = table[["x", "y", "landslide_id", *factors, *probes]], table["label"]
trees = RandomForestClassifier(p.importance_trees, random_state=p.seed, n_jobs=p.n_jobs)
forest = Pipeline([("coder", samples.factor_coder(ranked)), ("trees", trees)])
splitter = validation.SpatialBlockKFold(p.n_folds, p.block_m, random_state=p.seed, cluster_m=p.cluster_m)
folds = list(splitter.split(X, y))

# %% [markdown]
# The forest is trained on all folds but one. scikit-learn's `permutation_importance` then shuffles one column of the fold left out at a time and
# scores again. An interval shall say how far the loss depends on which ground was sampled, so it draws whole blocks of ground again and again:
# `weights` holds how often each row counts in each draw, in its first row once, and the scorer gives the AUC of all draws at once. The impurity
# belongs to a forest and not to places; for it whole folds are drawn, which share most of their training rows, so its interval is rather too narrow.

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

    how = {"scoring": auc_of_draws, "n_repeats": p.importance_repeats, "random_state": p.seed}
    shuffled = permutation_importance(fitted, X.iloc[test][names], y.iloc[test], **how)
    loss.append([shuffled[draw].importances_mean for draw in range(len(weights))])


# %%
def gain_ratios(name):
    is_class = ranked[name].attrs["kind"] == "categorical"
    return selection.gain_ratio(X[name], y, categorical=is_class, weights=weights)


of_draws = {
    "rf_impurity": validation.draw_blocks(len(folds), validation.N_DRAWS, rng) @ np.array(impurity) / len(folds),
    "permutation": xr.DataArray(loss, dims=("fold", "draw", "factor")).mean("fold").values,
    "gain_ratio": np.column_stack([gain_ratios(name) for name in names]),
}
rows = [
    (name, method, *validation.interval(values[:, i], recentre=method == "gain_ratio"))
    for method, values in of_draws.items()
    for i, name in enumerate(names)
]
importance = pd.DataFrame(rows, columns=["factor", "method", "mean", "low", "high"])
run.write_table(importance, "importance")
rankings = importance.pivot(index="factor", columns="method", values="mean")[list(of_draws)]
rankings.sort_values("permutation", ascending=False).round(4)

# %% mystnb={"figure": {"caption": "Three rankings of the factors with 95 % intervals. Grey bars are columns of random numbers, the dashed line the highest end of their intervals.", "name": "fig-04-importance"}, "image": {"alt": "Three bar charts side by side ranking the factors by impurity, by permutation and by information gain ratio, each with grey bars for random columns"}}
style.save(show.importance_panels(importance, factors), run, "importance")

# %% [markdown]
# Compare the grey bars in the first panel with the others: pure noise gets a share of the impurity, because a deep tree will split on anything.
# In the second panel they belong at zero, and how far they stray from it is chance. A negative value there is chance too, or the forest was misled by
# the factor in blocks it did not know.
#
# Do the three agree? Kendall's rank correlation is 1 for equal rankings and 0 for unrelated ones. A study that shows one ranking shows one of them.

# %%
rankings.loc[left].corr(method="kendall").round(2)

# %% [markdown]
# ## The decision
#
# Collinear factors are left out; this looks at no label. A factor is *weak* when its permutation importance does not exceed that of the best probe
# in nearly all draws of blocks (97.5 %), the same blocks for both. Weak factors are only flagged, unless `drop_below_probe` says otherwise: the CNN
# of chapter 5 sees a whole neighbourhood and may use what a single cell does not show. And dropping them would leak: the importance was measured
# on the labels of all folds, also of those that chapter 5 tests on, so its scores would be a little too good.

# %%
draws = of_draws["permutation"][1:]
lead = draws[:, : len(left)] - draws[:, len(left) :].max(axis=1, keepdims=True)
weak = [name for name, low in zip(left, np.quantile(lead, 0.025, axis=0), strict=True) if low <= 0]
decision = selection.choose(vif, weak, threshold=p.vif_max, flag=p.vif_flag, drop_below_probe=p.drop_below_probe)
run.write_json(decision, "selected_factors.json")
reasons = {name: ("kept", decision["flagged"].get(name, "")) for name in decision["selected"]}
reasons |= {name: ("dropped", why) for name, why in decision["dropped"].items()}
pd.DataFrame.from_dict(reasons, orient="index", columns=["decision", "remark"])

# %% [markdown]
# What did it cost? A forest with all factors and one with the selected ones are scored in the same spatial folds. The row *cost* is their
# difference; its 95 % interval draws the same blocks for both, so an interval that holds 0 says that nothing was lost that could be told from chance.

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
cost.round(3)

# %% [markdown]
# ## Try it
#
# ```{exercise-start}
# :label: ex-04-two-factors
# ```
#
# For two factors alone equation {eq}`eq-04-vif` becomes $1/(1-r^2)$ with their correlation $r$. Compute the VIF of the first two continuous
# factors in both ways.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-04-two-factors
# :class: dropdown
# ```
#
# `variance_inflation_factor` takes the columns of the regression and the number of the one that is predicted; for a regression on one other
# factor, $R^2$ is the squared (Pearson) correlation.

# %%
pair = table[continuous[:2]].astype(float)
r = pair.corr().iloc[0, 1]
pd.Series({"by correlation": 1 / (1 - r**2), "by regression": variance_inflation_factor(add_constant(pair), 1)}).round(6)

# %% [markdown]
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
#
# The tables `vif.csv` and `importance.csv` hold the numbers, `selected_factors.json` the list that chapter 5 uses and the reason for every factor
# that is not on it. Collinearity and importance are two questions: a factor can be dropped though it matters, and kept though it does not.
#
# ## What's next
#
# Chapter 5 draws the samples, trains the models and maps the susceptibility.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`fox1992,breiman2001,quinlan1986,kursa2010`.
