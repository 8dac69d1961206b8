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

# %%
import numpy as np
import pandas as pd
import shap
import torch
from joblib import Parallel, delayed
from scipy.stats import spearmanr

from lsa_helpers import models
from lsa_helpers.explain import check_sum, pick_samples
from lsa_helpers.raster import read_factors
from lsa_helpers.runner.params import ShapParams
from lsa_helpers.runner.pipeline import open_run
from lsa_helpers.samples import coded_groups
from lsa_helpers.show import explain as show
from lsa_helpers.show import style

style.use()
p = ShapParams.from_cell(globals())
run = open_run(p, "07_shap")

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
# Explained are some of the samples of chapter 5, half of them landslide as far as there are enough; the background is drawn from the others.

# %%
factors = read_factors(run.need("factors.tif", chapter="01_data"))
samples = pd.read_parquet(run.need("samples.parquet", chapter="05_susceptibility"))
folder = run.need("models", chapter="05_susceptibility")
trained = {name: models.load(folder / name, factors) for name in ("cnn", "rf", "xgboost")}
# Where chapter 5 searched for settings, the model is the best that it found.
trained = {name: getattr(model, "best_estimator_", model) for name, model in trained.items()}
chosen, background = pick_samples(
    samples, n_explain=p.n_explain, n_background=p.n_background, seed=p.seed
)
n_landslides = chosen["label"].sum()
print(f"{len(chosen)} cells, {n_landslides} of them landslide; background of {len(background)}")

# %% [markdown]
# ### From columns to factors
#
# A model does not see factors but coded columns: aspect is a sine and a cosine, land cover one column per class. Values of columns may be added up:
# the sum over all of them, and with it equation {eq}`eq-07-sum`, stays the same. Adding is a product with a matrix that has a row for each column, a
# column for each factor, and a 1 where they belong together. Its upper left corner:


# %%
def columns_to_factors(coder):
    """The matrix (columns, factors) of a model's coded columns."""
    matrix = pd.get_dummies(coded_groups(coder), dtype=int)[coder.factors]
    return matrix.set_index(coder.get_feature_names_out())


def explanation(values, base, coder):
    """Values by factor, beside the factors' own values at the explained cells."""
    return shap.Explanation(
        values @ columns_to_factors(coder).to_numpy(),
        np.full(len(chosen), base),
        chosen[coder.factors].to_numpy(float),
        feature_names=coder.factors,
    )


columns_to_factors(models.fitted_coder(trained["rf"])).iloc[:5, :5]

# %% [markdown]
# ### Trees
#
# The forest is explained in probability, because its trees average probabilities. `shap.TreeExplainer` gives values for both classes; class 1 is
# landslide.

# %%
explained = {}
coder, forest = trained["rf"][0], trained["rf"][-1]
rows = coder.transform(chosen).astype(np.float32)  # trees compare numbers of 32 bits
explainer = shap.TreeExplainer(forest)
values, base = explainer.shap_values(rows)[..., 1], explainer.expected_value[1]
check_sum(values, base, forest.predict_proba(rows)[:, 1], tolerance=1e-3)
explained["rf"] = explanation(values, base, coder)
print(f"Random forest: base {base:.3f}, in probability")

# %% [markdown]
# XGBoost is explained in log-odds, because that is what its trees add up to before the sigmoid.

# %%
coder, trees = trained["xgboost"][0], trained["xgboost"][-1]
rows = coder.transform(chosen).astype(np.float32)
explainer = shap.TreeExplainer(trees)
values, base = explainer.shap_values(rows), float(explainer.expected_value)
check_sum(values, base, trees.predict(rows, output_margin=True), tolerance=1e-3)
explained["xgboost"] = explanation(values, base, coder)
print(f"XGBoost: base {base:.3f}, in log-odds")

# %% [markdown]
# ### The network
#
# The CNN is explained in log-odds too. It is a mean of several networks: each is explained by `shap.DeepExplainer` and checked, and the values are
# averaged. Its input is a window of cells with all columns, so a column's value is the sum over the window.

# %%
cnn = trained["cnn"]
windows = torch.from_numpy(cnn.windows(chosen))  # cell, column, then place in the window
background_windows = torch.from_numpy(cnn.windows(background))


def explain_network(network):
    """Values of the columns (cells, columns) and the base."""
    explainer = shap.DeepExplainer(network, background_windows)
    of_inputs = explainer.shap_values(windows, check_additivity=False)[..., 0]
    values, base = of_inputs.sum(axis=(2, 3), dtype=float), float(explainer.expected_value[0])
    with torch.inference_mode():
        log_odds = network(windows)[:, 0].numpy()
    check_sum(values, base, log_odds, tolerance=1e-3)
    return values, base


torch.set_num_threads(1)  # each network on one core: its steps are too small to share
results = Parallel(p.n_jobs, prefer="threads")(map(delayed(explain_network), cnn.networks_))
values, bases = zip(*results, strict=True)
explained["cnn"] = explanation(np.mean(values, axis=0), np.mean(bases), cnn.coder_)
print(f"CNN: {len(values)} networks, base {np.mean(bases):.3f}, in log-odds")

# %% [markdown]
# ## One dot per cell
#
# In a *beeswarm* every explained cell is a dot in every row. A dot on the right moved the susceptibility up; bright dots are high values of the
# factor, dark ones low values. Factors are ordered by their mean absolute value. Grey rows are factors whose values are classes.

# %% mystnb={"figure": {"caption": "Shapley values of the CNN in log-odds; one dot per explained cell and factor.", "name": "fig-07-beeswarm-cnn"}, "image": {"alt": "Beeswarm plot of the CNN with one row of dots per factor, position shows the contribution and colour the value of the factor"}}
style.save(show.beeswarm(explained["cnn"], factors, model="cnn"), run, "beeswarm_cnn")

# %% mystnb={"figure": {"caption": "Shapley values of the random forest, in probability.", "name": "fig-07-beeswarm-rf"}, "image": {"alt": "Beeswarm plot of the random forest with one row of dots per factor, position shows the contribution to the probability"}}
style.save(show.beeswarm(explained["rf"], factors, model="rf"), run, "beeswarm_rf")

# %% mystnb={"figure": {"caption": "Shapley values of XGBoost, in log-odds.", "name": "fig-07-beeswarm-xgboost"}, "image": {"alt": "Beeswarm plot of XGBoost with one row of dots per factor, position shows the contribution in log-odds"}}
style.save(show.beeswarm(explained["xgboost"], factors, model="xgboost"), run, "beeswarm_xgboost")

# %% [markdown]
# ## Which factors matter most
#
# The mean absolute Shapley value ranks the factors. The units differ between models, so the figure shows shares.

# %% mystnb={"figure": {"caption": "Mean absolute Shapley value of each factor as a share of its model's sum. Where the truth is known, diamonds show each factor's share of the variance of the true log-odds.", "name": "fig-07-bars"}, "image": {"alt": "Horizontal bars of the share of mean absolute Shapley values per factor for three models, with the true shares as diamonds where known"}}
parts = []
for name in ("cnn", "rf", "xgboost"):
    mean_abs_shap = np.abs(explained[name].values).mean(axis=0)
    part = pd.DataFrame({"factor": explained[name].feature_names, "mean_abs_shap": mean_abs_shap})
    part.insert(0, "model", name)
    parts.append(part.sort_values("mean_abs_shap", ascending=False, kind="stable"))
table = pd.concat(parts, ignore_index=True)
table["rank"] = table.groupby("model").cumcount() + 1
run.write_table(table, "shap_importance")

effects = run.read_json("truth/effects.json") if run.has("truth/effects.json") else None
style.save(show.importance_bars(table, factors, effects), run, "shap_importance")

# %% [markdown]
# ## How a factor works
#
# A *dependence plot* shows a factor's contribution against its value. A curve that rises and then levels off is a threshold; a cloud without a
# shape at some value means that the factor's effect depends on other factors there, or, for the CNN, on the neighbourhood of the cell.

# %% mystnb={"figure": {"caption": "Contribution of each factor to the CNN's log-odds against the factor's value at the cell, most important factor first.", "name": "fig-07-dependence"}, "image": {"alt": "Small scatter plots, one per factor, of the contribution to the log-odds of the CNN against the value of the factor"}}
style.save(show.dependence(explained["cnn"], factors, model="cnn"), run, "shap_dependence")

# %% [markdown]
# ## Is it the mountain or the model?
#
# Shapley values explain the model. Whether they explain the mountain can only be tested where the truth is known. The simulated mountain knows
# how much each factor contributes to the variance of the true log-odds; Spearman's rank correlation between that and the ranking of each
# model is:

# %%
if effects:
    ranks = []
    for name, part in table.groupby("model", sort=False):
        known = part[part["factor"].isin(list(effects))]
        correlation = spearmanr(known["mean_abs_shap"], known["factor"].map(effects)).statistic
        ranks.append({"model": name, "spearman": round(correlation, 2), "factors": len(known)})
    ranks = pd.DataFrame(ranks)
    run.write_table(ranks, "shap_truth")
    display(
        ranks.replace(style.MODEL_LABELS).set_axis(["Model", "Rank correlation", "Factors"], axis=1)
    )
else:
    print("This run has no known truth to compare with.")

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
item = explained["cnn"]
top = item.values.sum(axis=1).argmax()
raised = sorted(zip(item.values[top], item.feature_names, strict=True), reverse=True)[:3]
for value, factor in raised:
    print(f"{show.label(factors[factor])}: {value:+.2f}")
base, total = item.base_values[top], item.values[top].sum()
print(f"base {base:.2f} + contributions {total:.2f} = log-odds {base + total:.2f}")

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
