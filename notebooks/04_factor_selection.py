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
# at a time, (3) three ways to rank factors and why they disagree, (4) how a column of pure noise tells a ranking from an accident.
#
# **Before you start**
#
# | concept | needed | notes |
# |---|---|---|
# | chapters 1 and 2, or their products | necessary | made first at the smallest size when you open this chapter alone |
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
inventory: str = "auto"  # landslides to learn from; auto: detected, else reference
max_per_landslide: int = 15  # most cells sampled inside one landslide
positives: str = "cells"  # cells of a landslide: random ones, or only its middle or its highest one
negative_ratio: float = 1.0  # cells without landslide per landslide cell
negative_buffer_m: float = 100.0  # distance of cells without landslide from any landslide, m
negative_slope: float = 0.0  # cells without landslide are at least so steep, degrees
block_m: float = 1000.0  # edge of the spatial blocks that are dealt to folds, m
n_folds: int = 5  # number of cross-validation folds
vif_max: float = 10.0  # variance inflation factor at which a factor is dropped
vif_flag: float = 5.0  # variance inflation factor above which a kept factor is flagged
correlation: str = "spearman"  # kind of correlation shown
drop_below_probe: bool = False  # also drop factors less important than a random column
importance_trees: int = 200  # trees of the forests that rank the factors
importance_repeats: int = 5  # permutations of each factor in each fold

# %%
import pandas as pd

from lsa_helpers import samples, selection
from lsa_helpers.factors import read_stack
from lsa_helpers.runner import pipeline
from lsa_helpers.runner.params import SelectionParams
from lsa_helpers.show import style
from lsa_helpers.show import susceptibility as show

style.use()
p = SelectionParams.from_cell(globals())
run = pipeline.open_run(p, "04_factor_selection")

# %% [markdown]
# ## What is compared
#
# The factors are compared where the models will meet them: at landslide cells and at as many cells without landslides. Chapter 5 explains how
# they are drawn. The landslides are those that chapter 2 *detected* where there are enough of them, otherwise the reference inventory.

# %%
stack = read_stack(run)
landslides, layer = samples.read_inventory(run, p.inventory)
table = samples.make_samples(landslides, stack, **p.sampling())
pd.Series({"inventory": layer, "landslides": len(landslides), "factors": len(stack.names), "samples": len(table)}).to_frame("value")

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
# Two details decide whether the number is right. The regression needs a constant term: without it, a factor far from zero such as altitude gets
# a huge VIF for no reason. And a factor of several columns, such as land use (one column per class) or aspect (sine and cosine), needs the
# *generalised* VIF {cite:p}`fox1992`, otherwise the result would depend on which class is left out as the reference. It is raised to $1/k$ for
# $k$ columns, so that all bars below share one scale.
#
# Factors are dropped one at a time, the worst first, because every drop changes the VIF of the others.

# %%
vif = selection.stepwise_vif(table, stack.info, stack.names, threshold=p.vif_max)
run.write_table(vif, "vif")
vif.round(3)

# %% mystnb={"figure": {"caption": "Variance inflation factors. The dashed line is where factors are dropped, the dotted one where they are flagged. A dropped factor shows the value it had when it was dropped.", "name": "fig-04-vif"}, "image": {"alt": "Horizontal bars of the variance inflation factor of every factor on a logarithmic axis with two threshold lines, dropped factors in orange"}}
style.save(show.vif_bars(vif, stack.info, p.vif_max, p.vif_flag), run, "vif")

# %% [markdown]
# `dropped_at` is the step at which a factor was dropped, 0 for one that was kept. A high VIF does not tell *whom* a factor repeats; the pairwise
# correlations do, as long as only two are involved.

# %% mystnb={"figure": {"caption": "Correlation of the continuous factors and of the sine and cosine of aspect, at the samples. Written are the values of 0.7 and more in size.", "name": "fig-04-correlation"}, "image": {"alt": "Square heat map of the correlation between every pair of continuous factors, orange negative and purple positive"}}
matrix = selection.correlation(table, stack.info, stack.names, p.correlation)
style.save(show.correlation_heatmap(matrix, p.correlation), run, "correlation")

# %% [markdown]
# In steep terrain slope and ruggedness usually measure the same thing. Which of the two is dropped is decided by a hair's breadth of VIF, so do
# not read a dropped factor as an unimportant one: its double speaks for it.
#
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
# The intervals draw whole blocks of ground again and again, and for the impurity, which belongs to a forest and not to places, whole folds.
#
# How large must a value be to mean anything? A column of random numbers, the *probe*, is ranked along with the factors, an idea of
# {cite:t}`kursa2010`. What does not reach above the probe's interval (dashed) could be luck.

# %%
importance = selection.importance(
    table,
    stack.info,
    stack.names,
    seed=p.seed,
    n_trees=p.importance_trees,
    repeats=p.importance_repeats,
    block_m=p.block_m,
    n_jobs=p.n_jobs,
)
run.write_table(importance, "importance")
importance.pivot(index="factor", columns="method", values="mean").sort_values("permutation", ascending=False).round(4)

# %% mystnb={"figure": {"caption": "Three rankings of the factors with 95 % intervals. The grey bar is a column of random numbers, the dashed line the upper end of its interval.", "name": "fig-04-importance"}, "image": {"alt": "Three bar charts side by side ranking the factors by impurity, by permutation and by information gain ratio, each with a grey bar for a random column"}}
style.save(show.importance_panels(importance, stack.info), run, "importance")

# %% [markdown]
# Compare the grey bar in the first panel with the others: pure noise gets a share of the impurity, because a deep tree will split on anything.
# In the second panel it sits at zero, where it belongs. Negative values there mean that the forest was misled by the factor in blocks it did not
# know.
#
# Do the three agree? Kendall's rank correlation is 1 for equal rankings and 0 for unrelated ones. A study that shows one ranking shows one of them.

# %%
selection.agreement(importance).round(2)

# %% [markdown]
# ## The decision
#
# Collinear factors are left out. Factors that do not beat the probe are only flagged, unless `drop_below_probe` says otherwise: the CNN of chapter
# 5 sees a whole neighbourhood and may use what a single cell does not show.

# %%
decision = selection.choose(vif, importance, threshold=p.vif_max, flag=p.vif_flag, drop_below_probe=p.drop_below_probe)
run.write_json(decision, "selected_factors.json")
reasons = {name: ("kept", decision["flagged"].get(name, "")) for name in decision["selected"]}
reasons |= {name: ("dropped", why) for name, why in decision["dropped"].items()}
pd.DataFrame.from_dict(reasons, orient="index", columns=["decision", "remark"])

# %% [markdown]
# What did it cost? A forest with all factors and one with the selected ones are scored in the same spatial folds. The row *cost* is their
# difference; its 95 % interval draws the same blocks for both, so an interval that holds 0 says that nothing was lost that could be told from chance.

# %%
how = {"seed": p.seed, "n_trees": p.importance_trees, "block_m": p.block_m, "n_jobs": p.n_jobs}
cost = selection.dropping_cost(table, stack.info, stack.names, decision["selected"], **how)
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
# `selection.vif` takes the columns of each factor; for a regression on one other factor, $R^2$ is the squared (Pearson) correlation.

# %%
pair = [name for name in stack.names if stack.info[name]["kind"] == "continuous"][:2]
r = table[pair].corr().iloc[0, 1]
pd.Series({"by correlation": 1 / (1 - r**2), "by regression": selection.vif(selection.design_columns(table, stack.info, pair))[pair[0]]}).round(6)

# %% [markdown]
# ```{solution-end}
# ```
#
# Three changes to make with papermill, each a command in a terminal:
#
# - `papermill notebooks/04_factor_selection.ipynb out.ipynb -p vif_max 5`: a stricter threshold; which factors go, and who speaks for them?
# - `papermill notebooks/04_factor_selection.ipynb out.ipynb -p seed 1`: other samples; is the ranking the same?
# - `papermill notebooks/04_factor_selection.ipynb out.ipynb -p drop_below_probe True`: trust the probe; what is left?

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
