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
# **You will learn** (1) how Shapley values of a whole map are computed in minutes, (2) where each factor raises or lowers the susceptibility,
# (3) whether models that agree on the map also agree on the reasons, (4) how to answer "why here?" for one place.
#
# **Before you start**
#
# | concept | needed | notes |
# |---|---|---|
# | Shapley values (chapter 7) | necessary | what they promise, what a background is |
# | chapter 5, or its models | necessary | made first at the smallest size when you open this chapter alone |
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
from lsa_helpers.raster import at_cells, known_cells, read_factors, read_raster, write_raster
from lsa_helpers.runner.params import ShapleyMapParams
from lsa_helpers.runner.pipeline import open_run
from lsa_helpers.samples import coded_groups
from lsa_helpers.show import explain as words
from lsa_helpers.show import shapley_maps as show
from lsa_helpers.show import style, webmap

style.use()
p = ShapleyMapParams.from_cell(globals())
run = open_run(p, "08_shapley_maps")

# %%
factors = read_factors(run.need("factors.tif", chapter="01_data"), chunk=p.chunk)
samples = pd.read_parquet(run.need("samples.parquet", chapter="05_susceptibility"))
folder = run.need("models", chapter="05_susceptibility")
trained = {name: models.load(folder / name, factors) for name in ("cnn", "rf", "xgboost") if models.is_saved(folder / name)}
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
# worth, once; a cell is then a look-up. The result is the same number, not an approximation.


# %%
def explain_trees(coder, trees, output):
    """What explains rows by a model of trees: exact values of its columns, added up by factor."""
    columns = list(coder.get_feature_names_out())
    to_factors = pd.get_dummies(coded_groups(coder), dtype=int)[coder.factors].to_numpy()
    absent = pd.DataFrame(coder.transform(background).astype(np.float32), columns=columns)
    explainer, base = WoodelfExplainer(trees, absent), float(np.mean(output(absent.to_numpy())))

    def explain_rows(rows):
        coded = pd.DataFrame(coder.transform(rows).astype(np.float32), columns=columns)
        return explainer.shap_values(coded, verbose=False) @ to_factors, base, output(coded.to_numpy())

    return explain_rows


def log_odds_of(trees):
    """What XGBoost's trees add up to."""
    return lambda coded: trees.predict(coded, output_margin=True)


# %% [markdown]
# A check first: a hundred cells against `shap.TreeExplainer` with the same background.

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
# the forest less its explanation, cell by cell.

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

# %% [markdown]
# ## The network, by whole rasters
#
# A CNN is asked for whole windows, and chapter 7 asked for each cell's windows one by one. Here a coalition of factors is a raster: the present
# factors' bands are the area's own, the absent ones' are the same bands *shifted* by a random distance, so that every cell meets the window of some
# other cell. One dense pass gives the output of every cell, and as many passes as there are factors one order. `factor_shapley_map` draws orders
# with their reverses; the standard error tells what is left to chance.

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
# Base and contributions must give each model's own map again. For the forest its `residual` is part of the sum, and its size says how much of the
# map the companion left unexplained.

# %%
sums = []
for name in trained:
    shown = next(iter(read_raster(run.product(f"susceptibility_{name}.tif")).values())).values.astype(float)
    total = sum(band.values.astype(float) for band in maps[name].values())
    total = total if name == "rf" else 1 / (1 + np.exp(-total))
    residual = np.abs(maps[name]["residual"].values)
    sums.append({"model": name, "largest_gap": np.nanmax(np.abs(total - shown)), "mean_residual": np.nanmean(residual), "cells": int(np.isfinite(total).sum())})
sums = pd.DataFrame(sums)
assert (sums["largest_gap"] < 1e-4).all(), "the maps do not add up to the model's output"
run.write_table(sums, "shapley_sums")
if "cnn" in maps:
    ratio = float(errors.to_dataarray().mean() / np.abs(maps["cnn"][cnn.coder_.factors].to_dataarray()).mean())
    print(f"CNN: the mean standard error of a contribution is {ratio:.0%} of the mean contribution.")
sums.set_index("model").rename(style.MODEL_LABELS).style.format({"largest_gap": "{:.1e}", "mean_residual": "{:.1e}", "cells": "{:,}"}, escape="html")

# %% [markdown]
# ## Where each factor acts
#
# The six factors with the largest mean contribution, for the first model. Dark ground is made safer by the factor, bright ground less safe, always
# against the background.

# %% mystnb={"figure": {"caption": "Contributions of six factors to the output of the first model, every cell explained. One scale for all panels, its middle is zero.", "name": "fig-08-signed"}, "image": {"alt": "Six small maps of the area, one for each factor, coloured by the contribution of the factor to the output of the model"}}
first = next(iter(maps))
by_factor = {name: np.abs(bands.drop_vars(["base", "residual"])).mean().compute().to_pandas() for name, bands in maps.items()}
top = list(by_factor[first].sort_values(ascending=False).index[:6])
style.save(show.signed_maps(maps[first], factors, top), run, "shap_maps")

# %%
table = pd.DataFrame({name: 100 * sizes / sizes.sum() for name, sizes in by_factor.items()}).rename_axis("factor")
run.write_table(table.reset_index(), "shapley_map_importance")
lead, share = table[first].idxmax(), table[first].max()
print(f"{style.MODEL_LABELS[first]}: {words.label(factors[lead])} carries {share:.0f} % of all contributions.")
table.rename(columns=style.MODEL_LABELS, index=in_full).sort_values(table.columns.map(style.MODEL_LABELS)[0], ascending=False).style.format("{:.1f} %", escape="html")

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
    print(f"{style.MODEL_LABELS[name]}: in {part:.0%} of the cells the second factor has more than four fifths of the first one's size.")

# %% [markdown]
# ## Do the models agree on the reasons?
#
# Two models may give one cell the same susceptibility for different reasons. The rank correlation of their contributions, over the factors, cell by
# cell: 1 for the same reasons in the same order, 0 for unrelated ones.

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
for row_ in agreed.itertuples():
    print(f"{style.MODEL_LABELS[row_.first]} and {style.MODEL_LABELS[row_.second]}: median {row_.median:.2f}; in {row_.opposed:.0%} of the cells the reasons are opposed.")

# %% [markdown]
# ## Which contributions hold?
#
# XGBoost draws rows and columns at random, so another seed trains another model. A contribution that changes its sign from seed to seed says nothing
# about a place. The model is trained again, and a part of the cells is explained each time, against the same background.

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
    print(f"Least sure: {words.label(factors[held['same_sign'].idxmin()])}, whose contribution has the same sign in {held['same_sign'].min():.0%} of the cells only.")
    display(held.sort_values("same_sign").rename(index=in_full).style.format("{:.2f}", escape="html"))

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
    coded = [pd.DataFrame(coder.transform(table).astype(np.float32), columns=columns) for table in (background, cells)]
    pairs = WoodelfExplainer(trees, coded[0]).shap_interaction_values(coded[1], include_interaction_with_itself=False, as_df=True, verbose=False)
    of = dict(zip(columns, coded_groups(coder), strict=True))
    joint = {}
    for one, other in pairs.columns:
        if of[one] < of[other]:  # both halves, whatever columns of the two factors they are of
            joint[of[one], of[other]] = joint.get((of[one], of[other]), 0) + 2 * pairs[one, other].to_numpy()
    strength = pd.Series({pair: np.abs(values).mean() for pair, values in joint.items()}).sort_values(ascending=False)
    numbers = [name for name in coder.factors if factors[name].attrs["kind"] != "categorical"]
    run.write_table(strength.rename_axis(["first", "second"]).rename("mean_abs").reset_index(), "shapley_pairs")
    pair = next(pair for pair in strength.index if set(pair) <= set(numbers))
    labels = tuple(words.label(factors[name], unit=True) for name in pair)
    display(style.save(show.interaction(cells[pair[0]], cells[pair[1]], joint[pair], labels), run, "shap_interaction"))

# %% [markdown]
# ## Why here?
#
# Three places: where the first model sees the highest susceptibility, the landslide it thinks the least likely, and the cell without a landslide it
# thinks the most likely. `explain_cell(maps, factors, x, y)` gives any other place, with each factor's value in words.

# %% mystnb={"figure": {"caption": "Three cells explained by the first model, from the mean output over the background to the output of the cell.", "name": "fig-08-why-here"}, "image": {"alt": "Three bar charts that go from the base to the output of a cell in steps, one for each factor, with the value of the factor in words"}}
outputs = samples.assign(output=validation.at_samples(sum(maps[first].values()), samples)).dropna(subset="output")
slides, others = outputs[outputs["label"] == 1], outputs[outputs["label"] == 0]
chosen = {
    "The highest": outputs.loc[outputs["output"].idxmax()],
    "A landslide it missed": slides.loc[slides["output"].idxmin()],
    "A false alarm": others.loc[others["output"].idxmax()],
}
cells = {f"{title} (x {place['x']:.0f}, y {place['y']:.0f})": explain.explain_cell(maps[first], factors, place["x"], place["y"]) for title, place in chosen.items()}
units = maps[first]["base"].attrs["units"]
style.save(show.waterfalls(cells, factors, units), run, "shap_why_here")

# %% [markdown]
# And any other place: click on the map. It tells each model's output, its three largest contributions, and what the factors are there. Lay one model's
# *largest contribution* beside another's and move the divider to see where they part. What a click says is stored in the page, so it works in the book
# as well.

# %%
outputs = {name: sum(bands.values()).assign_attrs(units=bands["base"].attrs["units"]) for name, bands in maps.items()}
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
    best = against.groupby("model")["order_of_cells"].mean().idxmax()
    print(f"Over all factors {style.MODEL_LABELS[best]} orders the cells best: mean {against.groupby('model')['order_of_cells'].mean().max():.2f}.")
    display(wide.rename(columns=style.MODEL_LABELS, index=in_full).round(2))
else:
    print("This run has no known truth to compare with.")

# %% [markdown]
# ## Try it
#
# ```{exercise-start}
# :label: ex-08-here
# ```
#
# Which factor speaks *against* a landslide at the place with the highest output, and by how much?
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
# Take the strongest factor's contribution away from every cell of the first model's map. In which share of the cells does the rest say the opposite: above the mean
# with the factor, below without it, or the other way round?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-08-without
# :class: dropdown
# ```
#
# Where it does, the map is one factor's opinion. Hold the share against how well that factor's layer is known: its scale, its date, its stations.

# %%
first = next(iter(maps))
strengths = {name: float(np.abs(band).mean()) for name, band in maps[first].data_vars.items() if name not in ("base", "residual")}
strongest = max(strengths, key=strengths.get)
whole = sum(maps[first][name] for name in strengths)
turned = (np.sign(whole) != np.sign(whole - maps[first][strongest])).where(whole.notnull()).mean().compute()
answers.record(run, "ex-08-without", float(100 * turned), within=1.0, what=f"the share of the cells of {style.MODEL_LABELS[first]}, %")
print(f"{style.MODEL_LABELS[first]}: without {words.label(factors[strongest])}, {float(turned):.0%} of the cells change sides.")

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
#
# `shap_cnn.tif`, `shap_rf.tif` and `shap_xgboost.tif` hold a band per factor, the base and the residual of every cell: open them in a GIS beside the
# map. They add up to the models' own maps, checked above.
#
# ## What's next
#
# Chapter 9 asks what the scores are worth.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`yao2026,lundberg2020,nadel2026`.
