# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 7 Why here? Shapley values
#
# ## Overview
#
# A map that says "very high" invites the question why. This chapter splits each model's output at a cell into contributions of the factors, the
# {term}`Shapley values <Shapley value>` of sections 3.4 and 5.2 of {cite:t}`yao2026`, and then does what the paper could not: on the simulated
# mountain it compares the models' ranking of the factors with the true one.
#
# **You will learn** (1) what a Shapley value promises and what not, (2) how Deep SHAP and TreeSHAP compute it, and why the sum must be checked,
# (3) how to read beeswarm, bar and dependence plots, (4) how far an explanation of a model is an explanation of the mountain.
#
# **Before you start**
#
# | concept | needed | notes |
# |---|---|---|
# | chapter 5, or its models | necessary | made first at the smallest size when you open this chapter alone |
# | log-odds | helpful | $\ln(p/(1-p))$, the CNN's output before the sigmoid |
# | collinear factors (chapter 4) | helpful | they share credit |
#
# **Time to learn** about 30 minutes. The time to run is on the page *How long it took*.

# %% tags=["parameters"]
run_dir: str = ""  # folder of the run; empty: runs/alone here, earlier chapters made first at the smallest size
seed: int = 0  # seed of every random choice
profile: str = "quick"  # name of the parameter set, shown in the book
data: str = ""  # data folder; empty: the built-in simulated mountain
catalog: str = ""  # catalog.yml that describes the data folder; empty: the one inside it
n_jobs: int = 2  # processor cores to use
n_explain: int = 200  # cells explained, half of them landslide where there are enough
n_background: int = 64  # background windows of the CNN's Deep SHAP
additivity_tolerance: float = 1e-3  # largest allowed gap between value sum and model output

# %%
from lsa_helpers import explain
from lsa_helpers.runner import pipeline
from lsa_helpers.runner.params import ShapParams
from lsa_helpers.show import explain as show
from lsa_helpers.show import style

style.use()
p = ShapParams.from_cell(globals())
run = pipeline.open_run(p, "07_shap")

# %% [markdown]
# ## A fair division
#
# Think of the factors as players who together produce the model's output at one cell. The Shapley value {cite:p}`shapley1953` of a player is
# its average contribution over all orders in which the players can join. It is the only division in which (a) the contributions add up, (b) equal
# players get equal shares, (c) a player who never changes anything gets nothing, and (d) the shares of a sum of games are the sums of the shares.
# With $\phi_j$ for the contribution of factor $j$ of $F$ and $\phi_0$ for the mean output over a background,
#
# $$
# f(x) = \phi_0 + \sum_{j=1}^{F} \phi_j(x) .
# $$ (eq-07-sum)
#
# Averaging over all orders is too slow for a network with thousands of inputs. *Deep SHAP* {cite:p}`lundberg2017` goes backward through the
# network layer by layer against a set of background windows; *TreeSHAP* {cite:p}`lundberg2020` counts paths in trees, exactly. Both can go wrong
# without a word, for example when a network calls its activation as a plain function. So equation {eq}`eq-07-sum` is checked at every cell
# below, and the chapter stops when it fails.
#
# The CNN and XGBoost are explained in log-odds, where contributions add before the sigmoid; the forest in probability, because its trees average
# probabilities. The CNN is a mean of several networks: each is explained and the values are averaged. Its input is a window with several columns
# per factor, so a factor's value is the sum over the window and over its columns.

# %%
explained = explain.explain_models(run, p)
for item in explained:
    print(f"{style.MODEL_LABELS[item.model]}: {len(item.values)} cells, base {item.base:.3f}, in {item.unit}")

# %% [markdown]
# ## One dot per cell
#
# In a *beeswarm* every explained cell is a dot in every row. A dot on the right moved the susceptibility up; bright dots are high values of the
# factor, dark ones low values. Factors are ordered by their mean absolute value. Grey rows are factors whose values are classes.

# %% mystnb={"figure": {"caption": "Shapley values of the CNN in log-odds; one dot per explained cell and factor.", "name": "fig-07-beeswarm-cnn"}, "image": {"alt": "Beeswarm plot of the CNN with one row of dots per factor, position shows the contribution and colour the value of the factor"}}
info = run.read_json("factors.json")
style.save(show.beeswarm(explained[0], info), run, "beeswarm_cnn")

# %% mystnb={"figure": {"caption": "Shapley values of the random forest, in probability.", "name": "fig-07-beeswarm-rf"}, "image": {"alt": "Beeswarm plot of the random forest with one row of dots per factor, position shows the contribution to the probability"}}
style.save(show.beeswarm(explained[1], info), run, "beeswarm_rf")

# %% mystnb={"figure": {"caption": "Shapley values of XGBoost, in log-odds.", "name": "fig-07-beeswarm-xgboost"}, "image": {"alt": "Beeswarm plot of XGBoost with one row of dots per factor, position shows the contribution in log-odds"}}
style.save(show.beeswarm(explained[2], info), run, "beeswarm_xgboost")

# %% [markdown]
# ## Which factors matter most
#
# The mean absolute Shapley value ranks the factors. The units differ between models, so the figure shows shares.

# %% mystnb={"figure": {"caption": "Mean absolute Shapley value of each factor as a share of its model's sum. Where the truth is known, diamonds show each factor's share of the variance of the true log-odds.", "name": "fig-07-bars"}, "image": {"alt": "Horizontal bars of the share of mean absolute Shapley values per factor for three models, with the true shares as diamonds where known"}}
table = run.read_table("shap_importance")
effects = run.read_json("truth/effects.json") if run.has("truth/effects.json") else None
style.save(show.importance_bars(table, info, effects), run, "shap_importance")

# %% [markdown]
# ## How a factor works
#
# A *dependence plot* shows a factor's contribution against its value. A curve that rises and then levels off is a threshold; a cloud without a
# shape at some value means that the factor's effect depends on other factors there, or, for the CNN, on the neighbourhood of the cell.

# %% mystnb={"figure": {"caption": "Contribution of each factor to the CNN's log-odds against the factor's value at the cell, most important factor first.", "name": "fig-07-dependence"}, "image": {"alt": "Small scatter plots, one per factor, of the contribution to the log-odds of the CNN against the value of the factor"}}
style.save(show.dependence(explained, info, model="cnn"), run, "shap_dependence")

# %% [markdown]
# ## Is it the mountain or the model?
#
# Shapley values explain the model. Whether they explain the mountain can only be tested where the truth is known. The simulated mountain knows
# how much each factor contributes to the variance of the true log-odds; Spearman's rank correlation between that and the ranking of each
# model is:

# %%
ranks = explain.against_truth(table, effects).round(2) if effects else "This run has no known truth to compare with."
run.write_table(ranks, "shap_truth") if effects else None
ranks

# %% [markdown]
# Do not expect 1. Factors that repeat each other share the credit between them, in any proportion that serves the prediction; the samples are half
# landslides, while the true shares are taken over the whole mountain; a few hundred samples decide between factors of similar weight by chance; and
# what the hidden field does to the mountain, no factor can explain. On real terrain the same doubts hold, without a number to warn you.
#
# ## Try it
#
# ```{exercise-start}
# :label: ex-07-cell
# ```
#
# Pick the explained cell with the highest output of the CNN. Which three factors raised it most, and do base and contributions add up to its
# log-odds?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-07-cell
# :class: dropdown
# ```

# %%
cnn = explained[0]
top = cnn.values.sum(axis=1).argmax()
raised = sorted(zip(cnn.values[top], cnn.factors, strict=True), reverse=True)[:3]
for value, factor in raised:
    print(f"{factor}: {value:+.2f}")
print(f"base {cnn.base:.2f} + contributions {cnn.values[top].sum():.2f} = log-odds {cnn.base + cnn.values[top].sum():.2f}")

# %% [markdown]
# ```{solution-end}
# ```
#
# Three changes to make with papermill, each a command in a terminal:
#
# - `papermill notebooks/07_shap.ipynb out.ipynb -p n_explain 50`: how much does the ranking change with fewer cells?
# - `papermill notebooks/07_shap.ipynb out.ipynb -p n_background 16`: a smaller background moves the base; does it move the ranking?
# - `papermill notebooks/07_shap.ipynb out.ipynb -p seed 1`: other cells, another background.

# %% [markdown]
# ## Summary
#
# Each explained output is the sum of a base and one value per factor, checked at every cell. The table `shap_importance.csv` holds the ranking
# of each model. Rankings agree about strong factors and disagree about weak ones; the truth of the simulated mountain says by how much.
#
# ## What's next
#
# Change one parameter of an earlier chapter and make the book again: `lsa run` repeats only what the change touches.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`yao2026,shapley1953,lundberg2017,lundberg2020`.
