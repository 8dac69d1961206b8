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
# A map that says "very high" invites the question why. This chapter splits the output of the paper's models (CNN, random forest, XGBoost)
# at a cell into contributions of the factors, the {term}`Shapley values <Shapley value>` of sections 3.4 and 5.2 of {cite:t}`yao2026`, and then does
# what the paper could not: on the simulated mountain it compares the models' ranking of the factors with the true one.
#
# | you will learn | the experiment that shows it |
# |---|---|
# | what a Shapley value promises, and how to work one out by hand | {ref}`exercise <ex-07-by-hand>`: two factors, four numbers; {ref}`exercise <ex-07-cell>`: one cell of the map |
# | how to tell a right explanation from an approximate one, though both add up | Deep SHAP beside the factors' own values; second change to try below, `n_background` |
# | how to read beeswarm, bar and dependence plots, and which ranks hold | ranks of blocks drawn again; first change to try below, `n_explain` |
# | how far the explanation of a model is one of the mountain | the models' contributions against the true ones |
#
# **Before you start** you need chapter 5, or its models (made first at the smallest size when you open this chapter alone). It helps to know the
# {term}`log-odds` $\ln(p/(1-p))$, the output of the CNN and of XGBoost before it becomes a probability $p$, and the collinear factors of chapter 4: they share credit.
#
# **Time to learn** about 30 minutes to read, half an hour for the exercises. The time to run is on the page *How long it took*.

# %% tags=["parameters"]
run_dir: str = ""  # folder of the run; empty: runs/alone here, earlier chapters made first at the smallest size
seed: int = 0  # seed of every random choice
profile: str = "quick"  # name of the parameter set, shown in the book
data: str = ""  # data folder; empty: the built-in simulated mountain
catalog: str = ""  # catalog.yml that describes the data folder; empty: the one inside it
n_jobs: int = 2  # processor cores to use
chunk: int = 0  # edge of a block of cells, for areas larger than memory (512 is good); 0: rasters in memory
n_explain: int = 200  # cells explained, half of them landslide where there are enough
n_background: int = 64  # cells that stand for an absent factor

# %%
import numpy as np
import pandas as pd
import shap
from joblib import Parallel, delayed
from scipy.stats import spearmanr
from scipy.stats import t as student

from lsa_helpers import answers, models, validation
from lsa_helpers.errors import InputError
from lsa_helpers.explain import (
    check_sum,
    factor_shapley,
    pick_background,
    pick_samples,
    round_thresholds,
)
from lsa_helpers.raster import read_factors, read_raster
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
# its average contribution over all orders in which the players can join. It is the only division in which (a) the contributions add up, (b) players
# who always bring the same get the same, (c) a player who never changes anything gets nothing, and (d) the contributions to the mean of several models are the means of
# their contributions, so that a forest can be explained tree by tree.
# With $\phi_j$ for the contribution of factor $j$ of $F$ and $\phi_0$ for the mean output over a background,
#
# $$
# f(x) = \phi_0 + \sum_{j=1}^{F} \phi_j(x) .
# $$ (eq-07-sum)
#
# Averaging over all orders is too slow for a model of fifteen factors, so one of three ways is taken. *TreeSHAP* {cite:p}`lundberg2020` counts paths
# in trees, exactly; but its players are the columns that the trees see, so that every rock class is one by itself. For the network, orders are drawn:
# each factor joins in a random order and in its reverse, with all its columns and over the whole window at once, and a standard error says what the
# draws leave open. *Deep SHAP* {cite:p}`lundberg2017` is quicker: it goes backward through the network layer by layer. It stands beside the others here
# as what it is, an approximation. Equation {eq}`eq-07-sum` is checked at every cell for all of them, and the chapter stops when it fails. But look out:
# a sum can be right and its parts wrong.
#
# Explained are some of the samples of chapter 5, half of them landslide as far as there are enough, and the *fitted* models, which know them: the question is what a
# model does, not whether it is right. An absent player is replaced by that of a
# *background* cell, in trees a column, in the network a whole factor; the background is drawn from the whole area, the same for every model and, on the
# simulated mountain, for the truth.

# %%
factors = read_factors(run.need("factors.tif", chapter="01_data"))
samples = pd.read_parquet(run.need("samples.parquet", chapter="05_susceptibility"))
folder = run.need("models", chapter="05_susceptibility")
names = [name for name in ("cnn", "rf", "xgboost") if models.can_load(folder / name)]
if not names:
    fix = "Add one to the parameter models of chapter 05, or install torch for the CNN"
    raise InputError("no model that this chapter explains (cnn, rf, xgboost) can be loaded", where=folder, fix=fix)
trained = {name: models.load(folder / name, factors) for name in names}
# Where chapter 5 searched for settings, the model is the best that it found.
trained = {name: getattr(model, "best_estimator_", model) for name, model in trained.items()}
chosen = pick_samples(samples, n_explain=p.n_explain, seed=p.seed)
places = run.read_json("truth/background.json") if run.has("truth/background.json") else None
background = pick_background(factors, n=p.n_background, seed=p.seed, places=places)
n_landslides = chosen["label"].sum()
print(f"{len(chosen)} cells, {n_landslides} of them landslide; background of {len(background)}")

# %% [markdown]
# ### From columns to factors
#
# A model does not see factors but coded columns: aspect is a sine and a cosine, land cover one column per class. Values of columns are added up:
# the sum over all of them, and with it equation {eq}`eq-07-sum`, stays the same. A factor's part need not be quite what it would get as one player,
# though: with the columns apart, a cell may keep its own sine beside the cosine of a background cell, which is the aspect of neither. Adding is a product
# with a matrix that has a row for each column, a column for each factor, and a 1 where they belong together. Its upper left corner shows a factor that
# is one column beside one of two:


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


in_words = {name: show.label(factor) for name, factor in factors.items()}
columns_to_factors(models.fitted_coder(next(iter(trained.values())))).iloc[:5, :5].rename(columns=in_words).rename_axis("Column of the model")

# %% [markdown]
# ### Trees
#
# The forest is explained in probability, because its trees average probabilities. `shap.TreeExplainer` gives values for both classes; class 1 is
# landslide. Given a background, it replaces absent columns by the background's (*interventional*), as the sampling for the network does with whole factors.

# %% tags=["remove-stderr"]
explained = {}
if "rf" in trained:
    coder, forest = trained["rf"][0], trained["rf"][-1]
    rows = coder.transform(chosen).astype(np.float32)  # trees compare numbers of 32 bits
    explainer = shap.TreeExplainer(forest, coder.transform(background).astype(np.float32))
    round_thresholds(explainer)  # shap keeps thresholds in 32 bits, the trees in 64
    values = explainer.shap_values(rows)[..., 1]
    base = explainer.expected_value[1]
    check_sum(values, base, forest.predict_proba(rows)[:, 1], tolerance=1e-5)
    explained["rf"] = explanation(values, base, coder)
    print(f"Random forest: base {base:.3f}, in probability")

# %% [markdown]
# XGBoost is explained in log-odds, because that is what its trees add up to before it becomes a probability.

# %% tags=["remove-stderr"]
if "xgboost" in trained:
    coder, trees = trained["xgboost"][0], trained["xgboost"][-1]
    rows = coder.transform(chosen).astype(np.float32)
    explainer = shap.TreeExplainer(trees, coder.transform(background).astype(np.float32))
    values = explainer.shap_values(rows)
    base = float(explainer.expected_value)
    check_sum(values, base, trees.predict(rows, output_margin=True), tolerance=1e-3)
    explained["xgboost"] = explanation(values, base, coder)
    print(f"XGBoost: base {base:.3f}, in log-odds")

# %% [markdown]
# ### The network
#
# The CNN is explained in log-odds too: the mean of its networks' log-odds, the very output that chapter 5 made a map of. A factor joins with all
# its columns and over the whole window, so "the slope" is the slope around the cell. `factor_shapley` draws one order and its reverse for every
# background window.

# %%
def log_odds(windows):
    """The one output of the ensemble."""
    with torch.inference_mode():
        logits = [network(torch.from_numpy(windows))[:, 0].numpy() for network in cnn.networks_]
    return np.mean(logits, axis=0, dtype=float)


# %%
if "cnn" in trained:
    import torch

    cnn = trained["cnn"]
    windows, background_windows = cnn.windows(chosen), cnn.windows(background)
    torch.set_num_threads(1)  # several explanations side by side, each on one core
    groups = coded_groups(cnn.coder_)
    parts = Parallel(p.n_jobs, prefer="threads")(
        delayed(factor_shapley)(log_odds, part, background_windows, groups, seed=p.seed)
        for part in np.array_split(windows, p.n_jobs)
    )
    values, bases, errors = zip(*parts, strict=True)
    values, errors = pd.concat(values)[cnn.coder_.factors], pd.concat(errors)[cnn.coder_.factors]
    check_sum(values.to_numpy(), bases[0], cnn.decision_function(chosen), tolerance=1e-3)
    explained["cnn"] = shap.Explanation(
        values.to_numpy(),
        np.full(len(chosen), bases[0]),
        chosen[cnn.coder_.factors].to_numpy(float),
        feature_names=cnn.coder_.factors,
    )
    largest = errors.to_numpy().max()
    print(f"CNN: base {bases[0]:.3f}, in log-odds; standard errors up to {largest:.2f}")
else:
    print("Left out: the network, which chapter 5 did not train or which needs torch.")

# %% [markdown]
# Now the quick way. `shap.DeepExplainer` explains every input number of a window, and these values are added up over the window and a factor's
# columns. Its sum is right, too. Are its parts? On the line of slope 1 they would equal the factors' own values.

# %%
if "cnn" in trained:
    explainer = [shap.DeepExplainer(net, torch.from_numpy(background_windows)) for net in cnn.networks_]
    deep = [
        each.shap_values(torch.from_numpy(windows), check_additivity=False)[..., 0].sum(axis=(2, 3))
        for each in explainer
    ]
    deep = np.mean(deep, axis=0, dtype=float)
    base = np.mean([float(each.expected_value[0]) for each in explainer])
    check_sum(deep, base, cnn.decision_function(chosen), tolerance=1e-3)
    deep = pd.DataFrame(deep @ columns_to_factors(cnn.coder_).to_numpy(), columns=cnn.coder_.factors)

    ours, theirs = values.to_numpy().ravel(), deep.to_numpy().ravel()
    correlation, steepness = np.corrcoef(ours, theirs)[0, 1], np.polyfit(ours, theirs, 1)[0]
    sizes = pd.DataFrame({"factor values": values.abs().mean(), "Deep SHAP": deep.abs().mean()}).rename_axis("factor")
    run.write_table(sizes.reset_index(), "deep_shap")
    sizes = sizes.rename(in_words).sort_values("factor values", ascending=False)

# %%
if "cnn" in trained:
    display(sizes.head().round(2).rename_axis("Mean size, log-odds").set_axis(["Sampled by factor", "Deep SHAP"], axis=1))
    ratio = (sizes["Deep SHAP"] / sizes["factor values"]).sort_values()
    print(f"All values: correlation {correlation:.2f}, slope {steepness:.2f}. Where a factor says much, Deep SHAP says {'less' if steepness < 1 else 'more'}.")
    print(f"Most out of proportion: {ratio.index[0]}, {ratio.iloc[0]:.0%} of its size, and {ratio.index[-1]}, {ratio.iloc[-1]:.0%}. In each cell others make up for it, since both sums are right: a checked sum is no proof of the parts.")
    print("All factors are in the table deep_shap.csv.")

# %% [markdown]
# ## One dot per cell
#
# In a *beeswarm* every explained cell is a dot in every row. A dot on the right moved the susceptibility up; bright dots are high values of the
# factor, dark ones low values. Factors are ordered by their mean absolute value. Grey rows are factors whose values are classes. One unit of log-odds
# multiplies the odds $p/(1-p)$ by 2.7.


# %%
def summary(model):
    """What the beeswarm of a model says."""
    item, sizes = explained[model], np.abs(explained[model].values)
    top, widest = sizes.mean(axis=0).argmax(), sizes.max(axis=0).argmax()
    name, size = item.feature_names[top], sizes[:, top].mean()
    factor_of_odds = f": the odds multiplied or divided by {np.exp(size):.1f}" if show.UNITS[model] == "log-odds" else " (probability)"
    print(f"{in_words[name]} moves a cell most, by {size:.2f} on average, up or down{factor_of_odds}.")
    if factors[name].attrs["kind"] == "categorical":
        of_class = pd.Series(item.values[:, top]).groupby(item.data[:, top]).mean().sort_values()
        low, high = (factors[name].attrs.get("classes", {}).get(int(code), f"class {code:g}") for code in of_class.index[[0, -1]])
        print(f"It is lowest on {low} ({of_class.iloc[0]:+.2f}) and highest on {high} ({of_class.iloc[-1]:+.2f}).")
    single = item.values[sizes[:, widest].argmax(), widest]
    print(f"The largest single contribution, {single:+.2f}, is of {in_words[item.feature_names[widest]]}, whose mean size is {sizes[:, widest].mean():.2f}.")


# %% mystnb={"figure": {"caption": "Shapley values of the CNN in log-odds; one dot per explained cell and factor.", "name": "fig-07-beeswarm-cnn"}, "image": {"alt": "Beeswarm plot of the CNN with one row of dots per factor, position shows the contribution and colour the value of the factor"}}
if "cnn" in explained:
    display(style.save(show.beeswarm(explained["cnn"], factors, model="cnn"), run, "beeswarm_cnn"))
    summary("cnn")

# %% mystnb={"figure": {"caption": "Shapley values of the random forest, in probability.", "name": "fig-07-beeswarm-rf"}, "image": {"alt": "Beeswarm plot of the random forest with one row of dots per factor, position shows the contribution to the probability"}}
if "rf" in explained:
    display(style.save(show.beeswarm(explained["rf"], factors, model="rf"), run, "beeswarm_rf"))
    summary("rf")

# %% mystnb={"figure": {"caption": "Shapley values of XGBoost, in log-odds.", "name": "fig-07-beeswarm-xgboost"}, "image": {"alt": "Beeswarm plot of XGBoost with one row of dots per factor, position shows the contribution in log-odds"}}
if "xgboost" in explained:
    display(style.save(show.beeswarm(explained["xgboost"], factors, model="xgboost"), run, "beeswarm_xgboost"))
    summary("xgboost")

# %% [markdown]
# ## Which factors matter most
#
# The mean absolute Shapley value ranks the factors. The units differ between models, so the figure shows shares. Where the truth is known, its own
# Shapley values of the very same cells, against the same background, stand beside them.

# %% mystnb={"figure": {"caption": "Mean absolute Shapley value of each factor as a share of its model's sum. Where the truth is known, diamonds show the true shares of the same factors.", "name": "fig-07-bars"}, "image": {"alt": "Horizontal bars of the share of mean absolute Shapley values per factor for each model, with the true share as diamonds where known"}}
parts = []
for name in names:
    mean_abs_shap = np.abs(explained[name].values).mean(axis=0)
    part = pd.DataFrame({"factor": explained[name].feature_names, "mean_abs_shap": mean_abs_shap})
    part.insert(0, "model", name)
    parts.append(part.sort_values("mean_abs_shap", ascending=False, kind="stable"))
table = pd.concat(parts, ignore_index=True)
table["rank"] = table.groupby("model").cumcount() + 1
run.write_table(table, "shap_importance")

true = None
if run.has("truth/shapley.tif"):
    true_maps = read_raster(run.product("truth/shapley.tif"))
    true = pd.DataFrame({name: validation.at_samples(band, chosen) for name, band in true_maps.items()})
true_sizes = None if true is None else true.abs().mean()
display(style.save(show.importance_bars(table, factors, true_sizes), run, "shap_importance"))
shares = table.pivot(index="factor", columns="model", values="mean_abs_shap").fillna(0)[names]
shares = 100 * shares / shares.sum()
if len(names) > 1:
    apart = (shares.max(axis=1) / shares.min(axis=1)).where(shares.max(axis=1) >= 5).idxmax()
    of_each = ", ".join(f"{style.MODEL_LABELS[name]} {share:.0f} %" for name, share in shares.loc[apart].items())
    print(f"Of the factors that count, the models differ most about {in_words[apart]}: {of_each} of their sums.")

# %%
if true is not None:
    of_ours = true_sizes.reindex(shares.index)
    true_shares = 100 * of_ours / of_ours.sum()
    unseen = true_sizes.drop(shares.index, errors="ignore") / true_sizes.sum()
    print(f"Of the whole truth the hidden field has {unseen.pop('hidden'):.0%} and factors that no model got {unseen.sum():.0%}. The rest, as shares of its sum:")
    gap = (shares.mean(axis=1) - true_shares).dropna().sort_values()
    over, under = gap.index[-1], gap.index[0]
    for word, name in (("overrated", over), ("underrated", under)):
        print(f"Most {word}: {in_words[name]}, {shares.loc[name].mean():.0f} % in the mean of the models, {true_shares[name]:.0f} % in truth.")
    numbers = [name for name in gap.index if factors[name].attrs["kind"] == "continuous"]
    if over in numbers and len(numbers) > 1:
        kin = samples[numbers].corr("spearman")[over].drop(over)
        print(f"{in_words[over]} goes with {in_words[kin.abs().idxmax()]} (rank correlation {kin[kin.abs().idxmax()]:+.2f} at the samples): a model can take the one for the other.")

# %% [markdown]
# A rank is a number from one draw of cells and one training. Which ranks hold for these trained models? Whole blocks of explained cells are drawn
# again, and each model's ranks with them (another training may move them further; try another `seed` in chapter 5): 95 % of all
# models' ranks lie from *best* to *worst*. And does a factor act in the same direction in all models? The *effect* is the sign of the rank correlation between a factor's values
# and its contributions, where all models agree on it; a factor whose contributions rise and fall has none.

# %%
blocks = validation.block_numbers(chosen["x"], chosen["y"], samples.attrs["block_m"])
weights = validation.block_weights(blocks, validation.N_DRAWS, p.seed)
drawn, directions = [], {}
for model, item in explained.items():
    sizes = pd.DataFrame(weights @ np.abs(item.values), columns=item.feature_names)
    drawn.append(sizes.rank(axis=1, ascending=False))
    directions[model] = pd.Series(
        {name: np.sign(round(spearmanr(item.data[:, i], item.values[:, i]).statistic, 1)) for i, name in enumerate(item.feature_names)}
    )
drawn, directions = pd.concat(drawn), pd.DataFrame(directions)
kinds = pd.Series({name: factors[name].attrs["kind"] for name in drawn})
is_class = kinds != "continuous"
stable = table.pivot(index="factor", columns="model", values="rank")
stable["low"], stable["high"] = drawn.quantile(0.025), drawn.quantile(0.975)
agree = (directions.nunique(axis=1) == 1) & ~is_class
stable["direction"] = directions.iloc[:, 0].map({1: "rises", -1: "falls", 0: "none"}).where(agree, "differs").mask(is_class, kinds)
run.write_table(stable.reset_index(), "shap_stability")
firm = stable.index[stable["high"] - stable["low"] <= 4]
loose = stable.index[stable["high"] - stable["low"] > 8]

# %%
shown = stable.loc[stable[names].mean(axis=1).sort_values(kind="stable").index[:6]].round().astype({"low": int, "high": int})
shown = shown[[*names, "low", "high", "direction"]].rename(in_words).replace({"categorical": "classes", "rises": "raises", "falls": "lowers"}).rename_axis("Factor, its rank in")
display(shown.rename(columns=style.MODEL_LABELS | {"low": "Best rank", "high": "Worst rank", "direction": "Effect"}).rename_axis(columns=None))
print(f"Ranks that hold within four places: {', '.join(in_words[name] for name in firm) or 'none'}.")
print(f"Ranks that say little (more than eight places): {', '.join(in_words[name] for name in loose) or 'none'}.")
against = [name for name in stable.index if stable.loc[name, "direction"] == "differs"]
print(f"A high value raises in one model and does not in another: {', '.join(in_words[name] for name in against) or 'no factor'}. All factors: shap_stability.csv.")

# %% [markdown]
# "Which is the third most important factor?" has no answer where ranks overlap. Say which factors are always among the first, and which never.
#
# ## How a factor works
#
# A *dependence plot* shows a factor's contribution against its value. A curve that rises and then levels off is a threshold; a cloud without a
# shape at some value means that the factor's effect depends on other factors there, or, for the CNN, on the neighbourhood of the cell.

# %% mystnb={"figure": {"caption": "Contribution of each factor to the output of the first model, the CNN where there is one, against the factor's value at the cell, most important factor first.", "name": "fig-07-dependence"}, "image": {"alt": "Small scatter plots, one per factor, of the contribution to the output of one model against the value of the factor"}}
item = explained[names[0]]
display(style.save(show.dependence(item, factors, model=names[0]), run, "shap_dependence"))
own_part = {}
for i, name in enumerate(item.feature_names):
    contribution, value = pd.Series(item.values[:, i]), pd.Series(item.data[:, i])
    steps = value if kinds[name] == "categorical" else pd.qcut(value, 10, duplicates="drop")
    left = (contribution - contribution.groupby(steps, observed=True).transform("mean")).var()
    own_part[name] = 1 - left / contribution.var() if contribution.var() > 0 else np.nan
own_part = pd.Series(own_part).dropna().sort_values()
print(f"{in_words[own_part.index[-1]]}: its own value, in ten steps, explains {own_part.iloc[-1]:.0%} of the variance of its contribution: {'nearly a curve' if own_part.iloc[-1] > 0.8 else 'no factor acts more by itself'}.")
print(f"{in_words[own_part.index[0]]}: {own_part.iloc[0]:.0%}. The rest depends on the other factors or on the cells around.")

# %% [markdown]
# ## Is it the mountain or the model?
#
# Shapley values explain the model. Whether they explain the mountain can only be tested where the truth is known. The simulated mountain knows the
# Shapley values of its own log-odds in the same cells. Compared are the ranking of mean absolute values (Spearman's rank correlation), and factor by
# factor the order over the cells and the share of cells with the right sign. Four things stay unlike: the truth explains where a landslide *starts*,
# the models where one *lies*; the forest is explained in probability; the truth's background is 64 cells, the models' `n_background` of them; and trees
# answer by columns, the CNN and the truth by factor.

# %%
if true is not None:
    true = true[[name for name in explained[names[0]].feature_names if name in true]]
    rows, per_factor = [], {}
    for model, item in explained.items():
        own = pd.DataFrame(item.values, columns=item.feature_names)[list(true)]
        ranking = spearmanr(own.abs().mean(), true.abs().mean()).statistic
        acts = true.columns[true.abs().mean() > 0]  # some factors do nothing in the truth
        per_factor[model] = pd.Series({name: spearmanr(own[name], true[name]).statistic for name in acts})
        agree = pd.Series({name: np.mean(np.sign(own[name]) == np.sign(true[name])) for name in acts})
        rows.append({"model": model, "ranking": ranking, "order_of_cells": per_factor[model].mean(), "right_sign": agree.mean()})
    ranks = pd.DataFrame(rows)
    run.write_table(ranks, "shap_truth")
    headings = {"ranking": "Ranking of the factors", "order_of_cells": "Order of the cells", "right_sign": "Right sign (share)"}
    display(ranks.set_index(ranks["model"].map(style.MODEL_LABELS).rename("Model"))[list(headings)].rename(columns=headings).round(2))
    by_factor = pd.DataFrame(per_factor).rename(columns=style.MODEL_LABELS)
    by_factor.insert(0, "mean |true value|", true.abs().mean())
    run.write_table(by_factor.rename_axis("factor").reset_index(), "shap_truth_by_factor")
    by_factor = by_factor.rename(in_words).sort_values("mean |true value|", ascending=False).rename_axis("Order of the cells by")
    display(by_factor.rename(columns={"mean |true value|": "True size (log-odds)"}).head().round(2))
else:
    print("This run has no known truth to compare with.")

# %%
if true is not None:
    chance = student.ppf(0.975, len(true.columns) - 2)
    chance /= np.sqrt(len(true.columns) - 2 + chance**2)
    sure = ranks.loc[ranks["ranking"] > chance, "model"].map(style.MODEL_LABELS)
    print(f"With {len(true.columns)} factors a ranking drawn by lot is beyond ±{chance:.2f} in one case of twenty. Above it: {', '.join(sure) or 'no model'}.")
    nearest = ranks.set_index("model")["order_of_cells"].idxmax()
    of_cells = by_factor[style.MODEL_LABELS[nearest]].dropna()
    print(f"Nearest by the order of the cells: {style.MODEL_LABELS[nearest]}, best for {of_cells.idxmax()} ({of_cells.max():.2f}), worst for {of_cells.idxmin()} ({of_cells.min():.2f}).")
    wrong = [name for name, row in by_factor.drop(columns="mean |true value|").iterrows() if (row < 0).any()]
    print(f"Turned round in at least one model: {', '.join(wrong) or 'no factor'}. All factors: shap_truth_by_factor.csv.")

# %% [markdown]
# So a model may know *where* a factor acts and not *how much* it counts. "The model calls this slope susceptible because of its rock" is a true sentence;
# "it will fail because of its rock" is another one.
#
# Do not expect 1. Factors that repeat each other share the credit between them, in any proportion that serves the prediction; a few hundred samples
# decide between factors of similar weight by chance; models learn from detected landslides, run-out and false alarms included; and what the hidden
# field does to the mountain, no factor can explain. On real terrain the same doubts hold, without a number to warn you.
#
# ## Try it
#
# ```{exercise-start}
# :label: ex-07-cell
# ```
#
# Pick the explained cell with the highest output of the first model, the CNN where there is one. Which three factors raised it most, and do base and
# contributions add up to its output?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-07-cell
# :class: dropdown
# ```

# %%
item = explained[names[0]]
top = item.values.sum(axis=1).argmax()
raised = sorted(zip(item.values[top], item.feature_names, strict=True), reverse=True)[:3]
for value, factor in raised:
    print(f"{show.label(factors[factor])}: {value:+.2f}")
base, total = item.base_values[top], item.values[top].sum()
print(f"base {base:.2f} + contributions {total:.2f} = {show.UNITS[names[0]]} {base + total:.2f}")

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start}
# :label: ex-07-by-hand
# ```
#
# Two factors by hand. A model says 0.1 when it knows neither A nor B, 0.3 when it knows A alone, 0.2 with B alone, and 0.7 with both. Divide the 0.6 between
# them. Whose is the 0.3 that neither brings alone?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-07-by-hand
# :class: dropdown
# ```
#
# Each factor is added in both orders, and the mean of what it adds is its value. A adds 0.2 when it comes first and 0.5 when it comes second; B adds 0.1 and 0.4. What
# only both together bring is shared in halves: so a factor that does nothing alone can have a large value.

# %%
alone = {"": 0.1, "A": 0.3, "B": 0.2, "AB": 0.7}
added = {"A": [alone["A"] - alone[""], alone["AB"] - alone["B"]], "B": [alone["B"] - alone[""], alone["AB"] - alone["A"]]}
by_hand = {factor: np.mean(steps) for factor, steps in added.items()}
answers.record(run, "ex-07-by-hand", by_hand["A"], within=0.005, what="the value of A")
print(f"A {by_hand['A']:.2f}, B {by_hand['B']:.2f}, together {sum(by_hand.values()):.2f} = {alone['AB'] - alone['']:.2f}")

# %% [markdown]
# ```{solution-end}
# ```
#
# Three changes to try, each a command in a terminal. It repeats the chapter beside the book's run, which stays as it is, and prints the page's
# numbers and yours.
#
# - `lsa try quick 07 -p n_explain 50`: fewer cells. Look at `shap_stability`: how much wider are the ranks, and which change?
# - `lsa try quick 07 -p n_background 16`: a smaller background moves the base. Does it move the ranking?
# - `lsa try quick 07 -p seed 1`: other cells, another background, the same models. Which ranks are the same?

# %% [markdown]
# ## Summary

# %%
by_model = table[table["rank"] == 1].groupby("factor")["model"].apply(lambda models_: ", ".join(style.MODEL_LABELS[name] for name in models_))
print("First by mean size: " + "; ".join(f"{in_words[name]} ({models_})" for name, models_ in by_model.items()) + ".")
if true is not None:
    print(f"In truth the first is {by_factor.index[0]}; the models' rankings agree with the true one by {ranks['ranking'].min():+.2f} to {ranks['ranking'].max():+.2f} (rank correlation).")

# %% [markdown]
# Each explained output is the sum of a base and one value per factor, checked at every cell. The table `shap_importance.csv` holds the ranking
# of each model, `shap_stability.csv` which ranks hold, and where the truth is known `shap_truth.csv` how near they come to it.
#
# ## What's next
#
# Chapter 8 explains every cell of the map, in place of a few hundred.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`yao2026,shapley1953,lundberg2017,lundberg2020`.
