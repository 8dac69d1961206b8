# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 8 Shapley values as maps
#
# ## Overview
#
# Chapter 7 explained a few hundred cells. A planner asks about one slope, and not one of those. This chapter explains *every* cell of the map, for
# every model, and looks at the result as what it is: a set of maps, one per factor. {cite:t}`yao2026` show beeswarms; where a factor acts they
# could not show.
#
# | you will learn | the experiment that shows it |
# |---|---|
# | how a whole map is explained in minutes, and what that leaves to chance or leaves out | a look-up for trees, a companion for the forest, drawn orders for the network; first and second change to try below |
# | where a factor raises or lowers the susceptibility | a map for each factor, and the leading one; {ref}`exercise <ex-08-without>`: the map less one contribution |
# | whether models that agree on the map also agree on the reasons | rank correlation in each cell; the same model trained again; third change to try below |
# | how to answer "why here?" for one place | three places step by step, and any other by a click; {ref}`exercise <ex-08-here>`: what speaks against |
#
# **Before you start** you need chapter 7 (what Shapley values promise, what a background is) and chapter 5, or its models (made first at the
# smallest size when you open this chapter alone).
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
tree_background: int = 64  # cells that stand for an absent factor of a tree
n_orders: int = 40  # orders in which the CNN's factors join, over all its networks
companion_cells: int = 50_000  # cells of the forest's map that its companion learns
companion_trees: int = 200  # trees of the companion
refits: int = 3  # trainings of XGBoost with other seeds, to see which contributions hold
n_pairs: int = 1000  # cells at which interactions of pairs are computed

# %%
import numpy as np
import pandas as pd
import shap
import xarray as xr
from scipy.stats import rankdata, spearmanr
from sklearn.base import clone
from woodelf import WoodelfExplainer
from xgboost import XGBRegressor

from lsa_helpers import answers, explain, models, validation
from lsa_helpers.raster import (
    at_cells,
    cell_size,
    known_cells,
    read_factors,
    read_raster,
    write_raster,
)
from lsa_helpers.runner.params import ShapleyMapParams
from lsa_helpers.runner.pipeline import open_run
from lsa_helpers.samples import coded_groups
from lsa_helpers.show import explain as words
from lsa_helpers.show import shapley_maps as show
from lsa_helpers.show import style, webmap
from lsa_helpers.show.words import span

style.use()
p = ShapleyMapParams.from_cell(globals())
run = open_run(p, "08_shapley_maps")

# %%
factors = read_factors(run.need("factors.tif", chapter="01_data"), chunk=p.chunk)
samples = pd.read_parquet(run.need("samples.parquet", chapter="05_susceptibility"))
folder = run.need("models", chapter="05_susceptibility")
trained = {name: models.load(folder / name, factors) for name in ("cnn", "rf", "xgboost") if models.can_load(folder / name)}
trained = {name: getattr(model, "best_estimator_", model) for name, model in trained.items()}
places = run.read_json("truth/background.json") if run.has("truth/background.json") else None
background = explain.pick_background(factors, n=p.tree_background, seed=p.seed, places=places)
row, col = np.nonzero(known_cells(factors).values)
in_full = {name: words.label(band) for name, band in factors.items()}
print(f"{len(row):,} cells; models: {', '.join(style.MODEL_LABELS[name] for name in trained)}")

# %% [markdown]
# ## Boosted trees, exactly
#
# TreeSHAP follows every cell against every background cell through every tree: what was bearable for the few cells of chapter 7 is not for a map. But
# cells that take the same turns in a tree get the same values there. `woodelf` {cite:p}`nadel2026` finds, for each leaf, what each pattern of turns is
# worth, once; a cell is then a look-up. The result is the same number, not an approximation: a hundred cells are checked against `shap.TreeExplainer` with
# the same background.


# %%
def for_woodelf(coder, rows):
    """Coded rows, a hair lower: woodelf puts thresholds one step of 32 bits lower and then asks for <, so that a value there would turn another way."""
    coded = np.nextafter(coder.transform(rows).astype(np.float32).astype(float), -np.inf)
    return pd.DataFrame(coded, columns=coder.get_feature_names_out())


def explain_trees(coder, trees, output):
    """What explains rows by a model of trees: exact values of its columns, added up by factor."""
    to_factors = pd.get_dummies(coded_groups(coder), dtype=int)[coder.factors].to_numpy()
    explainer = WoodelfExplainer(trees, for_woodelf(coder, background))
    base = float(np.mean(output(coder.transform(background).astype(np.float32))))

    def explain_rows(rows):
        values = explainer.shap_values(for_woodelf(coder, rows), verbose=False)
        return values @ to_factors, base, output(coder.transform(rows).astype(np.float32))

    return explain_rows


def log_odds_of(trees):
    """What XGBoost's trees add up to."""
    return lambda coded: trees.predict(coded, output_margin=True)


# %%
maps = {}
drawn = np.random.default_rng(p.seed).permutation(len(row))
some = at_cells(factors, row[drawn[:100]], col[drawn[:100]]).to_dataframe()
if "xgboost" in trained:
    coder, trees = trained["xgboost"][0], trained["xgboost"][-1]
    explain_xgboost = explain_trees(coder, trees, log_odds_of(trees))
    values, base, output = explain_xgboost(some[coder.factors])
    theirs = shap.TreeExplainer(trees, coder.transform(background).astype(np.float32))
    theirs = theirs.shap_values(coder.transform(some).astype(np.float32))
    theirs = theirs @ pd.get_dummies(coded_groups(coder), dtype=int)[coder.factors].to_numpy()
    print(f"Largest difference from shap's own values at 100 cells: {np.abs(values - theirs).max():.1e}")
    explain.check_sum(values, base, output, tolerance=1e-4)

    maps["xgboost"] = explain.shapley_map(explain_xgboost, factors, coder.factors, units="log-odds", n_jobs=p.n_jobs)

# %% [markdown]
# ## The forest and its companion
#
# The forest's trees grow without a limit of depth, and the work grows steeply with the depth: exact values of every cell would take hours. So a
# *companion* is explained in the forest's place: boosted trees of depth six that learned the forest's own map, its probability at cells all over the
# area. How well it speaks for the forest is measured on cells that it did not learn. What it misses is no secret either: the band `residual` holds
# the forest less its explanation, cell by cell. The R² says how well it repeats the *map*. Shapley values also ask for mixtures that no place has, and
# there only the comparison with the forest's exact values at some cells can speak.

# %%
if "rf" in trained:
    coder, forest = trained["rf"][0], trained["rf"][-1]
    learn, test = np.split(drawn[: 2 * p.companion_cells], [min(p.companion_cells, len(drawn) // 2)])
    cells = {name: at_cells(factors[coder.factors], row[part], col[part]).to_dataframe() for name, part in {"learn": learn, "test": test}.items()}
    coded = {name: coder.transform(table[coder.factors]).astype(np.float32) for name, table in cells.items()}
    truth_of = {name: forest.predict_proba(table)[:, 1] for name, table in coded.items()}
    companion = XGBRegressor(n_estimators=p.companion_trees, max_depth=6, learning_rate=0.15, n_jobs=p.n_jobs, random_state=p.seed)
    companion.fit(coded["learn"], truth_of["learn"])
    missed = truth_of["test"] - companion.predict(coded["test"])
    agreement = {"r2": 1 - missed.var() / truth_of["test"].var(), "rms": np.sqrt(np.mean(missed**2))}
    run.write_table(pd.DataFrame([agreement]), "companion")
    print(f"On {len(test):,} cells that it did not learn the companion carries {agreement['r2']:.1%} of the forest's variance; it misses it by {agreement['rms']:.3f}.")

    output = explain_trees(coder, companion, companion.predict)
    maps["rf"] = explain.shapley_map(output, factors, coder.factors, units="probability", n_jobs=p.n_jobs)
    forest_map = next(iter(read_raster(run.product("susceptibility_rf.tif"), p.chunk).values()))
    maps["rf"]["residual"] = forest_map - maps["rf"].drop_vars("residual").to_dataarray("band").sum("band", skipna=False)

# %% tags=["remove-stderr"]
if "rf" in trained:
    exact = shap.TreeExplainer(forest, coder.transform(background).astype(np.float32))
    explain.round_thresholds(exact)  # shap keeps thresholds in 32 bits, the trees in 64
    few = some[coder.factors].head(30)
    exact = exact.shap_values(coder.transform(few).astype(np.float32))[..., 1]
    exact = exact @ pd.get_dummies(coded_groups(coder), dtype=int)[coder.factors].to_numpy()
    both = [pd.DataFrame(values, columns=coder.factors) for values in (exact, output(few)[0])]
    alike = pd.DataFrame({"mean_exact": both[0].abs().mean(), "correlation": both[0].corrwith(both[1])}).rename_axis("factor")
    run.write_table(alike.reset_index(), "companion_values")
    strong = alike["correlation"][alike["mean_exact"].nlargest(5).index]
    print(f"At {len(few)} cells its values and the forest's exact ones correlate by {span(strong.round(2))} for the five strongest factors, by {alike['correlation'].min():.2f} for {in_full[alike['correlation'].idxmin()]}.")

# %% [markdown]
# ## The network, by whole rasters
#
# A CNN is asked for whole windows, and chapter 7 asked for each cell's windows one by one. Here the factors that have joined so far make a raster: their
# bands are the area's own, those of the absent factors are the same bands *shifted* by a random distance, so that every cell meets the window of some
# other cell. One pass of the network over it gives the output of every cell, and as many passes as there are factors one order. `factor_shapley_map` draws
# orders with their reverses; the standard error tells what is left to chance.

# %%
if "cnn" in trained:
    from lsa_helpers.explain.dense import factor_shapley_map

    cnn = trained["cnn"]
    network_map = factor_shapley_map(cnn, factors, n_orders=p.n_orders, seed=p.seed, n_jobs=p.n_jobs, standard_error=True)
    errors = network_map[[f"{name}_se" for name in cnn.coder_.factors]]
    maps["cnn"] = network_map.drop_vars(list(errors))
    write_raster(run.product("shap_cnn_error.tif"), errors)
for name in maps:
    write_raster(run.product(f"shap_{name}.tif"), maps[name])
maps = {name: read_raster(run.product(f"shap_{name}.tif"), p.chunk) for name in trained}

# %% [markdown]
# For XGBoost and the network base and contributions alone must give the map again. For the forest they cannot: the sum closes only with the `residual`,
# whose size is what to look at.

# %%
sums = []
for name in trained:
    shown = next(iter(read_raster(run.product(f"susceptibility_{name}.tif")).values())).values.astype(float)
    explained = maps[name] if name == "rf" else maps[name].drop_vars("residual")
    total = sum(band.values.astype(float) for band in explained.values())
    total = total if name == "rf" else 1 / (1 + np.exp(-total))
    residual = np.abs(maps[name]["residual"].values)
    sums.append({"model": name, "largest_gap": np.nanmax(np.abs(total - shown)), "mean_residual": np.nanmean(residual), "cells": int(np.isfinite(total).sum())})
sums = pd.DataFrame(sums)
assert (sums["largest_gap"] < 1e-4).all(), "the maps do not add up to the model's output"
run.write_table(sums, "shapley_sums")
print(f"The sums give every map again in {sums['cells'].min():,} cells, to {sums['largest_gap'].max():.0e}.")
if "rf" in maps:
    of_map = sums.set_index("model").loc["rf", "mean_residual"] / float(forest_map.std())
    print(f"Random forest: the residual, what the companion leaves out, is {of_map:.0%} of the map's own standard deviation.")
if "cnn" in maps:
    sizes = np.abs(maps["cnn"][cnn.coder_.factors]).to_dataarray()
    chance = errors.rename({f"{name}_se": name for name in cnn.coder_.factors}).to_dataarray()
    low, high = np.nanquantile(maps["cnn"]["base"], [0.05, 0.95])
    print(f"CNN: the mean standard error of a contribution is {float(chance.mean() / sizes.mean()):.0%} of the mean contribution.")
    print(f"With {p.n_orders} orders a cell meets few others, so that its base is no fixed number either: {low:.1f} to {high:.1f} in nine cells of ten.")
    print("The error of each contribution, in shap_cnn_error.tif, comes from few orders and is itself rough.")

# %% [markdown]
# All cells are shifted by the same few distances, so chance makes patterns too, faint copies of the land in another place: believe a pattern of the
# network's only where it is larger than its error, or comes again with another `seed`.
#
# ## Where each factor acts
#
# The six factors with the largest mean contribution, for the first model. Dark ground is made safer by the factor, bright ground less safe, always
# against the background.

# %% mystnb={"figure": {"caption": "Contributions of six factors to the output of the first model, every cell explained. One scale for all panels, its middle is zero.", "name": "fig-08-signed"}, "image": {"alt": "Six small maps of the area, one for each factor, coloured by the contribution of the factor to the output of the model"}}
first = next(iter(maps))
by_factor = {name: np.abs(bands.drop_vars(["base", "residual"])).mean().compute().to_pandas() for name, bands in maps.items()}
top = list(by_factor[first].sort_values(ascending=False).index[:6])
display(style.save(show.signed_maps(maps[first], factors, top), run, "shap_maps"))
for name in top[:2]:
    values = maps[first][name].values[np.isfinite(maps[first][name].values)]
    of_sign = {"raises": values[values > 0], "lowers": values[values < 0]}
    told = [f"{verb} the output in {len(part) / len(values):.0%} of the land, by {part.mean():+.2f} on average" for verb, part in of_sign.items() if len(part)]
    print(f"{in_full[name]} {', and '.join(told)}.")
coarse = pd.Series({name: factors[name].attrs.get("native_resolution_m") or np.nan for name in top}, dtype=float)
if coarse.max() > 4 * cell_size(factors):
    print(f"{in_full[coarse.idxmax()]} is known by cells of {coarse.max():.0f} m only: straight edges in its panel are theirs, and not the mountain's.")

# %%
table = pd.DataFrame({name: 100 * sizes / sizes.sum() for name, sizes in by_factor.items()}).rename_axis("factor")
run.write_table(table.reset_index(), "shapley_map_importance")
shown = table.sort_values(first, ascending=False).head(6).rename(columns=style.MODEL_LABELS, index=in_full)
display(shown.rename_axis("Share of all contributions (%)").style.format("{:.1f}", na_rep="–", escape="html"))
lead, spread = table.mean(axis=1).idxmax(), (table.max(axis=1) / table.min(axis=1)).where(table.max(axis=1) >= 5)
print(f"{in_full[lead]} carries {span(table.loc[lead].round())} % of all contributions.")
if len(maps) > 1:
    print(f"Of the factors that count, the models differ most about {in_full[spread.idxmax()]}: {', '.join(f'{style.MODEL_LABELS[name]} {value:.0f} %' for name, value in table.loc[spread.idxmax()].items())}. All factors: shapley_map_importance.csv.")

# %% [markdown]
# ### The leading factor
#
# In each cell one factor has the largest contribution, up or down. Its map is the shortest answer to "why here?", and the easiest to over-read: the
# second factor is often nearly as large.

# %% mystnb={"figure": {"caption": "The factor with the largest absolute contribution in each cell.", "name": "fig-08-leading"}, "image": {"alt": "Maps of the area, one for each model, coloured by the factor with the largest contribution"}}
names = [name for name in factors if any(name in bands for bands in maps.values())]
leaders, close = {}, {}
for name, bands in maps.items():
    sizes = np.abs(xr.concat([bands[factor] if factor in bands else xr.zeros_like(bands["base"]) for factor in names], "band"))
    known = sizes.notnull().all("band")
    leaders[name] = sizes.fillna(0).argmax("band").where(known)
    ordered = np.sort(sizes.values, axis=0)
    close[name] = np.nanmean(np.where(known, ordered[-2] > 0.8 * ordered[-1], np.nan))
style.save(show.dominant_factors(leaders, names, factors), run, "shap_leading")

# %%
for name, part in close.items():
    led = pd.Series(leaders[name].values[np.isfinite(leaders[name].values)]).value_counts(normalize=True)
    print(f"{style.MODEL_LABELS[name]}: {in_full[names[int(led.index[0])]]} leads in {led.iloc[0]:.0%} of the cells; in {part:.0%} of all the second factor has more than four fifths of the first one's size.")
print("Where the second is so near, another seed or background may well turn the colour: say both.")

# %% [markdown]
# ## Do the models agree on the reasons?
#
# Two models may give one cell the same susceptibility for different reasons. The rank correlation of their contributions, over the factors, cell by
# cell: 1 for the same reasons in the same order, 0 for unrelated ones. Two things besides the models can lower the agreement: the forest is explained
# in probability, the others and the truth in log-odds; and in trees each coded column is a player (sine and cosine of the aspect, every class) whose
# values are added up, while in the network and in the truth the factor joins as a whole.

# %% mystnb={"figure": {"caption": "Rank correlation of two models' contributions in each cell.", "name": "fig-08-agreement"}, "image": {"alt": "Maps of the area, one for each pair of models, coloured by the rank correlation of the contributions of the two models"}}
agreement, rows = {}, []
for number, one in enumerate(maps):
    for other in list(maps)[number + 1 :]:
        shared = [name for name in maps[one] if name in maps[other] and name in factors]
        ranks = [rankdata(maps[model][shared].to_dataarray().values, axis=0, nan_policy="propagate") for model in (one, other)]
        ranks = [each - each.mean(axis=0) for each in ranks]
        norm = np.sqrt((ranks[0] ** 2).sum(axis=0) * (ranks[1] ** 2).sum(axis=0))
        title = f"{style.MODEL_LABELS[one]}, {style.MODEL_LABELS[other]}"
        agreement[title] = maps[one]["base"].copy(data=(ranks[0] * ranks[1]).sum(axis=0) / norm)
        rows.append({"first": one, "second": other, "median": float(agreement[title].median()), "opposed": float((agreement[title] < 0).mean())})
agreed = pd.DataFrame(rows, columns=["first", "second", "median", "opposed"])
run.write_table(agreed, "shapley_agreement")
style.save(show.agreement_maps(agreement), run, "shap_agreement") if agreement else print("One model alone: nothing to compare.")

# %%
outputs = {name: sum(bands.values()).assign_attrs(units=bands["base"].attrs["units"]).compute() for name, bands in maps.items()}
tenth = {name: output >= output.quantile(0.9) for name, output in outputs.items()}
for (title, alike), row_ in zip(agreement.items(), agreed.itertuples(), strict=True):
    both = tenth[row_.first] & tenth[row_.second]
    told = f"{float(both.sum() / tenth[row_.first].sum()):.0%} of the most susceptible tenth is the same land, and the reasons agree there by {float(alike.where(both).median()):.2f}"
    print(f"{title}: median {row_.median:.2f}; opposed in {row_.opposed:.0%} of the cells; {told}.")

# %% [markdown]
# Two tree models that learned from the same single cells are no two witnesses: that they agree says little about the mountain. And what chance does to
# the network's contributions lowers its agreement with anybody.
#
# ## Which contributions hold?
#
# XGBoost draws rows and columns at random, so another seed trains another model. A contribution that changes its sign from seed to seed says nothing
# about a place. The model is trained again, and a part of the cells is explained each time, against the same background. Only the seed changes: other
# samples or another inventory would move more (chapters 11 and 12).

# %%
if "xgboost" in trained and p.refits:
    coder = trained["xgboost"][0]
    chosen = drawn[:3000]
    cells = at_cells(factors[coder.factors], row[chosen], col[chosen]).to_dataframe()[coder.factors]
    again = []
    for number in range(p.refits):
        other = clone(trained["xgboost"])
        other[-1].set_params(random_state=p.seed + 1 + number)
        other.fit(samples, samples["label"])
        again.append(explain_trees(other[0], other[-1], log_odds_of(other[-1]))(cells)[0])
    own = explain_xgboost(cells)[0]
    held = pd.DataFrame(
        {
            "same_sign": np.mean([np.sign(values) == np.sign(own) for values in again], axis=(0, 1)),
            "rank_correlation": [np.mean([spearmanr(own[:, i], values[:, i]).statistic for values in again]) for i in range(own.shape[1])],
        },
        index=pd.Index(coder.factors, name="factor"),
    )
    run.write_table(held.reset_index(), "shapley_seeds")

# %%
if "xgboost" in trained and p.refits:
    shown = held.sort_values("same_sign").rename(index=in_full).rename_axis("The least sure")
    display(shown.head(4).set_axis(["Same sign (share of cells)", "Rank correlation"], axis=1).round(2))
    share = by_factor["xgboost"][held["same_sign"].idxmin()] / by_factor["xgboost"].sum()
    print(f"{(held['same_sign'] > 0.9).sum()} of {len(held)} factors keep their sign in more than nine cells of ten; tossing coins would give five of ten.")
    print(f"The least sure, {shown.index[0]}, carries {share:.1%} of all contributions. The others: shapley_seeds.csv.")

# %% [markdown]
# ## Two factors together
#
# A Shapley value hides interplay: it hands half of it to each of the two. Interaction values {cite:p}`lundberg2020` take it apart again, pair by
# pair. The pair of numbers (land cover and lithology are classes) with the largest mean interaction of XGBoost:

# %% mystnb={"figure": {"caption": "Interaction of the strongest pair of factors of XGBoost, one dot a cell. Where the colours part, the effect of the one factor depends on the other.", "name": "fig-08-interaction"}, "image": {"alt": "Scatter plot of the interaction of two factors against the value of the first, coloured by the value of the second"}}
if "xgboost" in trained and p.n_pairs:
    coder, trees = trained["xgboost"][0], trained["xgboost"][-1]
    cells = at_cells(factors[coder.factors], row[drawn[: p.n_pairs]], col[drawn[: p.n_pairs]]).to_dataframe()
    columns = list(coder.get_feature_names_out())
    absent, present = (for_woodelf(coder, rows) for rows in (background, cells))
    pairs = WoodelfExplainer(trees, absent).shap_interaction_values(present, include_interaction_with_itself=False, as_df=True, verbose=False)
    of = dict(zip(columns, coded_groups(coder), strict=True))
    joint = {}
    for one, other in pairs.columns:
        if of[one] < of[other]:  # both halves, whatever columns of the two factors they are of
            joint[of[one], of[other]] = joint.get((of[one], of[other]), 0) + 2 * pairs[one, other].to_numpy()
    strength = pd.Series({pair: np.abs(values).mean() for pair, values in joint.items()}).sort_values(ascending=False)
    numbers = [name for name in coder.factors if factors[name].attrs["kind"] != "categorical"]
    run.write_table(strength.rename_axis(["first", "second"]).rename("mean_abs").reset_index(), "shapley_pairs")
    pair = next((pair for pair in strength.index if set(pair) <= set(numbers)), None)
    if pair:
        labels = tuple(words.label(factors[name], unit=True) for name in pair)
        display(style.save(show.interaction(cells[pair[0]], cells[pair[1]], joint[pair], labels), run, "shap_interaction"))

# %%
if "xgboost" in trained and p.n_pairs and pair:
    most, least = np.argmax(joint[pair]), np.argmin(joint[pair])
    for cell in (most, least):
        there = " and ".join(f"{in_full[name]} {explain.in_words(factors[name], cells[name].iloc[cell]).split(', ')[0]}" for name in pair)
        print(f"{joint[pair][cell]:+.2f} log-odds where {there} meet.")
    size = by_factor["xgboost"]
    print(f"The mean interaction is {strength[pair]:.2f}; the whole contributions of the two are {size[pair[0]]:.2f} and {size[pair[1]]:.2f}.")
    print(f"Strongest of all pairs, classes included: {in_full[strength.index[0][0]]} and {in_full[strength.index[0][1]]}, {strength.iloc[0]:.2f}. The others: shapley_pairs.csv.")

# %% [markdown]
# ## Why here?
#
# Three of the samples, from which the model learned: the one with the highest output, the landslide it thinks the least likely, and the one without a landslide
# it thinks the most likely. A model is called right where its output lies on the true side of the base, the mean over the background.
# `explain_cell(maps, factors, x, y)` gives any other place, with each factor's value in words.

# %% mystnb={"figure": {"caption": "Three cells explained by the first model, from the mean output over the background to the output of the cell.", "name": "fig-08-why-here"}, "image": {"alt": "Three bar charts that go from the base to the output of a cell in steps, one for each factor, with the value of the factor in words"}}
at = samples.assign(output=validation.at_samples(outputs[first], samples)).dropna(subset="output")
slides, others = at[at["label"] == 1], at[at["label"] == 0]
chosen = {
    "The highest": at.loc[at["output"].idxmax()],
    "The least likely landslide": slides.loc[slides["output"].idxmin()],
    "The likeliest other cell": others.loc[others["output"].idxmax()],
}
cells = {f"{title} (x {place['x']:.0f}, y {place['y']:.0f})": explain.explain_cell(maps[first], factors, place["x"], place["y"]) for title, place in chosen.items()}
units = maps[first]["base"].attrs["units"]
display(style.save(show.waterfalls(cells, factors, units), run, "shap_why_here"))
truth = validation.read_truth(run.product("truth"), factors)
for title, place in chosen.items():
    base, told = cells[f"{title} (x {place['x']:.0f}, y {place['y']:.0f})"].attrs["base"], ""
    if truth is not None:
        true_slide = bool(validation.at_samples(truth["landslide"].astype(float), pd.DataFrame([place]))[0])
        told = f" The samples call it {'landslide' if place['label'] else 'no landslide'}, and so does the truth."
        if true_slide != bool(place["label"]):
            also = "the model is right" if (place["output"] > base) == true_slide else "so is the model"
            told = f" But in truth it is {'a landslide' if true_slide else 'no landslide'}: the label is wrong, and {also}."
    print(f"{title}: base {base:+.2f}, output {place['output']:+.2f} {units}.{told}")

# %% [markdown]
# A sum of many small reasons is no single cause: take away the largest step and see how much is left. And before you call a model wrong, ask who called the
# place a landslide: the detector of chapter 3 did, or nobody did. The base of the network differs from place to place, as said above.
#
# And any other place: click on the map. It tells each model's output, its three largest contributions, and what the factors are there. Lay one model's
# *largest contribution* beside another's and move the divider to see where they part. What a click says is stored in the page, so it works in the book
# as well.

# %%
webmap.web_map(style.relief(factors), {"Output of the model": outputs}, factors=factors, contributions=maps)

# %% [markdown]
# ## Against the truth, cell by cell
#
# The simulated mountain knows the true Shapley values of every cell. By factor: does the map order the cells as the truth does, and how often is the
# sign right, where the truth is not near zero (above a tenth of its largest value)? The truth explains where a landslide starts, the model where one lies.

# %%
if run.has("truth/shapley.tif"):
    true = read_raster(run.product("truth/shapley.tif"))
    rows = []
    for model, bands in maps.items():
        for name in [name for name in bands if name in true and float(np.abs(true[name]).max()) > 0]:
            own, wanted = bands[name].values.ravel(), true[name].values.ravel()
            both = np.isfinite(own) & np.isfinite(wanted)
            strong = both & (np.abs(wanted) > 0.1 * np.nanmax(np.abs(wanted)))
            order = spearmanr(own[both], wanted[both]).statistic
            rows.append({"model": model, "factor": name, "mean_true": np.abs(wanted[both]).mean(), "order_of_cells": order, "right_sign": np.mean(np.sign(own[strong]) == np.sign(wanted[strong]))})
    against = pd.DataFrame(rows)
    run.write_table(against, "shapley_map_truth")
    wide = against.pivot(index="factor", columns="model", values=["order_of_cells", "right_sign"])
    strongest = against.groupby("factor")["mean_true"].first().sort_values(ascending=False).index[:5]
    headings = style.MODEL_LABELS | {"order_of_cells": "Order of the cells", "right_sign": "Right sign (share)"}
    display(wide.loc[strongest].rename(columns=headings, index=in_full).round(2).rename_axis(columns=[None, None]).rename_axis("Strongest in truth"))
else:
    print("This run has no known truth to compare with.")

# %%
if run.has("truth/shapley.tif"):
    order = against.pivot(index="factor", columns="model", values="order_of_cells")
    mean = order.mean().sort_values(ascending=False)
    print(f"Order of the cells, mean over all factors: {', '.join(f'{style.MODEL_LABELS[name]} {value:.2f}' for name, value in mean.items())}.")
    if "cnn" in maps:
        spread = {name: float((errors[f"{name}_se"] ** 2).mean() / maps["cnn"][name].var()) for name in order.index if name in maps["cnn"]}
        freed = (order["cnn"] / np.sqrt(1 - pd.Series(spread).clip(upper=0.9))).clip(-1, 1).mean()
        if freed > mean["cnn"] + 0.01:
            print(f"The network's is lowered by chance in its {p.n_orders} orders; without it, it would be about {freed:.2f}.")
    turned = order.index[(order < 0).any(axis=1)]
    print(f"Turned round in at least one model: {', '.join(in_full[name] for name in turned) or 'no factor'}. All factors: shapley_map_truth.csv.")

# %% [markdown]
# The correction is Spearman's: a correlation is divided by the root of the share of variance that is not chance. Chapter 7 asked the same of a few hundred
# samples, half of them landslide; here it is all of the land, most of it far from any landslide, and the numbers need not agree.

# %% [markdown]
# ## Try it
#
# ```{exercise-start}
# :label: ex-08-here
# ```
#
# Which factor speaks *against* a landslide at the sample with the highest output, and by how much?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-08-here
# :class: dropdown
# ```

# %%
highest = next(iter(cells.values()))
least = highest.loc[highest["contribution"].idxmin()]
print(f"{words.label(factors[least['factor']])} ({least['words']}): {least['contribution']:+.2f} {units}")

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start}
# :label: ex-08-without
# ```
#
# Take the strongest factor's contribution away from every cell of the first model's map. In which share of the cells does the rest say the opposite: above the base
# with the factor, below without it, or the other way round?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-08-without
# :class: dropdown
# ```
#
# Where it does, that one contribution decides the side. This is the map less a contribution, not the map of a model without the factor: a model trained
# without it would lean on its kin instead. Hold the share against how well that factor's layer is known: its scale, its date, its stations.

# %%
first = next(iter(maps))
strengths = {name: float(np.abs(band).mean()) for name, band in maps[first].data_vars.items() if name not in ("base", "residual")}
strongest = max(strengths, key=strengths.get)
whole = sum(maps[first][name] for name in strengths)
turned = (np.sign(whole) != np.sign(whole - maps[first][strongest])).where(whole.notnull()).mean().compute()
answers.record(run, "ex-08-without", float(100 * turned), within=1.0, what=f"the share of the cells of {style.MODEL_LABELS[first]}, %")
print(f"{style.MODEL_LABELS[first]}: less the contribution of {words.label(factors[strongest])}, {float(turned):.0%} of the cells change sides.")

# %% [markdown]
# ```{solution-end}
# ```
#
# Three changes to try, each a command in a terminal. It repeats the chapter beside the book's run, which stays as it is, and prints the page's
# numbers and yours.
#
# - `lsa try quick 08 -p n_orders 32`: four times as many orders. How much of the CNN's map was chance, and do the values come nearer to the true ones?
# - `lsa try quick 08 -p companion_trees 50`: a worse companion. What does it leave in the residual?
# - `lsa try quick 08 -p tree_background 16`: another background, another zero. Do the leading factors stay?

# %% [markdown]
# ## Summary

# %%
print(f"{in_full[strongest]} carries {span(table.loc[strongest].round())} % of the contributions, and less its own the {style.MODEL_LABELS[first]} map changes sides in {float(turned):.0%} of the cells.")
if len(agreed):
    medians = dict.fromkeys(f"{value:.2f}" for value in (agreed["median"].min(), agreed["median"].max()))
    print(f"Two models' reasons in one cell agree by {' to '.join(medians)} (median rank correlation).")

# %% [markdown]
# `shap_cnn.tif`, `shap_rf.tif` and `shap_xgboost.tif` hold a band per factor, the base and the residual of every cell: open them in a GIS beside the
# map. Base and contributions add up to the maps of XGBoost and the network, checked above; the forest's need the residual.
#
# ## What's next
#
# Chapter 9 asks what the scores are worth.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`yao2026,lundberg2020,nadel2026`.
