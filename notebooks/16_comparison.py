# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 16 Comparing runs
#
# ## Overview
#
# One run gives one number. Whether a choice matters, a seed decides too: another mountain, another draw of samples, another first weight of a
# network. This chapter puts runs side by side, says which parameters differ, which scores differ by more than chance, and which choice moves
# a score most. It is made for a sweep (`lsa sweep`) or for any list of runs (`lsa compare A B C`).
#
# | you will learn | the experiment that shows it |
# |---|---|
# | how to read a score beside its interval | every score of every run, with its interval |
# | why two runs on the same cells are compared in pairs | differences on the same draws of blocks, where the samples are the same |
# | what a main effect and an interaction are | how much of the spread each choice, and each pair of choices, explains |
# | what a better score cost | seconds by chapter |
#
# **Time to learn** about 20 minutes.

# %% tags=["parameters"]
run_dir: str = ""  # folder of this comparison; empty: the working directory
runs: list = []  # folders of the runs, seen from run_dir; the first is the one that the others are held against

# %%
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from scipy.stats import spearmanr
from statsmodels.stats.anova import anova_lm

from lsa_helpers.raster import read_raster
from lsa_helpers.run import Run
from lsa_helpers.runner.comparison import (
    compare_scores,
    costs,
    differing_parameters,
    same_land,
    scores_with_intervals,
)
from lsa_helpers.runner.params import ComparisonParams
from lsa_helpers.show import comparison as show
from lsa_helpers.show import style

style.use()
p = ComparisonParams.from_cell(globals())
here = Run(Path(p.run_dir))
runs = {Path(folder).name: here.path / folder for folder in p.runs}
first = next(iter(runs))
print(f"{len(runs)} runs; the others are held against {first}.")

# %% [markdown]
# ## What differs
#
# Parameters with more than one value, by run. Two that always have the same value share a column.

# %%
parameters = differing_parameters(list(runs.values()))
here.write_table(parameters.rename_axis("run").reset_index(), "parameters")
parameters

# %% [markdown]
# ## Scores and their intervals
#
# An interval says how far a score would move with other blocks of the same land. It does not say what another mountain, another draw of samples or
# another training would give: for that, look at how far runs with other seeds lie apart. Of scores of folds, those of pairs within one fold are
# shown, because each fold has a model of its own.

# %%
scores = pd.concat({name: scores_with_intervals(folder) for name, folder in runs.items()}, names=["run"])
scores = scores.reset_index("run").rename(columns={"value_low": "low", "value_high": "high"})
here.write_table(scores, "scores")
spatial = scores[(scores["table"] == "scores_spatial") & (scores["score"] == "auc_within")].rename(columns={"row": "model"})
spatial.pivot(index="run", columns="model", values="value").reindex(runs).round(3)

# %% mystnb={"figure": {"caption": "AUC of spatial folds, pairs within a fold, with 95 % intervals of a bootstrap over blocks, by run and model.", "name": "fig-16-scores"}, "image": {"alt": "Dots with horizontal intervals, the AUC of spatial folds of each model, in one group of rows for each run"}}
style.save(show.score_intervals(spatial, "AUC of spatial folds, pairs within a fold (1)"), here, "scores")

# %% [markdown]
# ## More than chance?
#
# Where two runs predicted the same samples, their scores are compared on the same draws of blocks: what is hard in one block is hard for both, and
# the difference has a far narrower interval than either score. Where the samples differ, only intervals that exclude each other are counted, which
# asks for more: intervals that overlap can still belong to scores that differ.

# %%
pairs = pd.concat({name: compare_scores(runs[first], folder) for name, folder in runs.items() if name != first}, names=["run"])
pairs = pairs.reset_index("run")
here.write_table(pairs, "differences")
of_folds = pairs[(pairs["table"] == "scores_spatial") & (pairs["score"] == "auc_within")]
columns = ["run", "row", "a", "b", "difference", "low", "high", "method", "more_than_chance"]
of_folds[columns].rename(columns={"row": "model"}).style.hide(axis="index").format(precision=3, na_rep="–", escape="html")

# %%
sure = of_folds["more_than_chance"].sum()
print(f"{sure} of {len(of_folds)} differences from {first} are more than chance.")
in_pairs = (of_folds["method"] == "paired bootstrap").sum()
print(f"Of the {in_pairs} compared in pairs, about {0.05 * in_pairs:.1f} would look so where nothing differs.")

# %% [markdown]
# ## Which choice matters?
#
# The *main effect* of a parameter is how the mean score changes from one of its values to another, over all other choices. An *interaction* is what
# two parameters do together beyond their main effects. An analysis of variance shares out the spread of a score over the runs: of each parameter, of
# each pair of parameters as far as there are runs enough, and the rest. The shares do not say what is good; the figure shows which value is.


# %%
def shares(table, names):
    """Share of a score's spread over the runs that each parameter and each pair explains."""
    main = [f"C(Q({name!r}))" for name in names]
    pairs = [f"{one}:{other}" for i, one in enumerate(main) for other in main[i + 1 :]]
    degrees = table[names].nunique() - 1
    of_pairs = (degrees.sum() ** 2 - (degrees**2).sum()) / 2
    terms = main + pairs if len(table) > 1 + degrees.sum() + of_pairs else main
    model = smf.ols(f"value ~ {' + '.join(terms)}", table).fit()
    squares = anova_lm(model, typ=2)["sum_sq"].rename(lambda term: term.replace("C(Q('", "").replace("'))", ""))
    return squares / squares.sum()


as_text = parameters.astype(str)  # lists too
how_many = as_text.nunique()
names = list(how_many.index[(how_many > 1) & (how_many < len(runs))]) or list(as_text)
with_values = spatial.join(as_text[names], on="run")
if names and len(runs) > (how_many[names] - 1).sum() + 1:
    explained = {model: shares(table, names) for model, table in with_values.groupby("model")}
    display(pd.DataFrame(explained).rename_axis("share of the spread").style.format("{:.0%}", na_rep="–", escape="html"))
else:
    print("There are too few runs to share out the spread.")

# %%
effects = [
    {"model": model, "parameter": name, "value": value, "mean": part["value"].mean(), "overall": table["value"].mean(), "runs": len(part)}
    for model, table in with_values.groupby("model")
    for name in names
    for value, part in table.groupby(name)
]
effects = pd.DataFrame(effects)
here.write_table(effects, "main_effects")
spread = effects.groupby(["parameter", "model"])["mean"].agg(np.ptp).unstack()
spread.rename_axis("highest minus lowest mean").round(3)

# %% mystnb={"figure": {"caption": "Mean AUC of spatial folds over the runs with one value of a parameter. The longer the bar, the more the parameter matters; dotted, the mean of all runs.", "name": "fig-16-tornado"}, "image": {"alt": "One panel per model; a horizontal bar for each parameter from its lowest to its highest mean score, the longest on top, with a labelled dot for each value"}}
style.save(show.tornado(effects, "Mean AUC of spatial folds (1)"), here, "tornado")

# %% [markdown]
# ## Does a claim hold?
#
# What a book says of one mountain may be that mountain's luck. Runs with other seeds tell. Each row is a difference that is above 0 where the claim
# holds; it is counted in how many runs it does, and the spread over the runs is what the next run may differ by.


# %%
def claims(run):
    """Differences that are above 0 where a claim of the book holds in a run; what its tables lack is left out."""
    tables = {name: run.read_table(name) for name in CLAIMED if run.table(name).exists()}
    rows = {}
    if {"scores_random", "scores_spatial"} <= set(tables):
        random, spatial = (tables[f"scores_{folds}"].set_index("model") for folds in ("random", "spatial"))
        for model in spatial.index.drop("coordinates"):
            rows[f"random folds flatter: {model}"] = random["auc_within"][model] - spatial["auc_within"][model]
            rows[f"knows more than the place: {model}"] = spatial["auc_within"][model] - spatial["auc_within"]["coordinates"]
    if "learning_gain" in tables:
        for row in tables["learning_gain"].itertuples():
            rows[f"better than infinite slope, {row.labels} labels: {row.first}"] = row.difference
    if "scores_truth" in tables:
        order = tables["scores_truth"].query("map == 'held out'").set_index("model")["spearman"]
        rows |= {f"closest to the true order: {model}": order[model] - order.drop(model).max() for model in order.index}
    if "frequency_ratio" in tables:
        highest = tables["frequency_ratio"].groupby("model", sort=False)["fr"].last()
        rows |= {f"highest frequency ratio: {model}": highest[model] - highest.drop(model).max() for model in highest.index}
    if "importance" in tables:
        importance = tables["importance"].query("method == 'permutation'").set_index("factor")["mean"]
        noise = importance[importance.index.str.startswith("random_probe")].max()
        wanted = [name for name in ("slope", "lithology", "distance_to_road") if name in importance]
        rows |= {f"more than noise, permutation: {name}": importance[name] - noise for name in wanted}
    return pd.Series(rows, dtype=float)


CLAIMED = ["scores_random", "scores_spatial", "learning_gain", "scores_truth", "frequency_ratio", "importance"]
held = pd.DataFrame({name: claims(Run(folder)) for name, folder in runs.items()})
held = pd.DataFrame({
    "runs": held.count(axis=1),
    "holds in": (held > 0).sum(axis=1),
    "mean": held.mean(axis=1),
    "sd": held.std(axis=1),
    "lowest": held.min(axis=1),
    "highest": held.max(axis=1),
}).rename_axis("claim")
here.write_table(held.reset_index(), "claims")
held.style.format(precision=3, subset=["mean", "sd", "lowest", "highest"], escape="html")

# %%
always, never = (list(held.index[held["holds in"] == count]) for count in (held["runs"], 0))
print(f"Of {len(held)} claims {len(always)} hold in every run and {len(never)} in none; the others are sayings about one run, not about the method.")

# %% [markdown]
# ## Maps and classes
#
# Two maps can have one AUC and differ cell by cell. For runs of the same land, here is how far the held-out maps lie apart, in order and in class,
# and what the frequency ratio of the highest class does.

# %%
ratios = {}
for name, folder in runs.items():
    if Run(folder).table("frequency_ratio").exists():
        table = Run(folder).read_table("frequency_ratio")
        ratios[name] = table.groupby("model", sort=False)["fr"].last()
if ratios:
    display(pd.DataFrame(ratios).T.rename_axis("FR of the highest class").round(2))


# %%
def map_differences(one, other):
    """Rank correlation of held-out maps and share of cells in another class, by model."""
    rows = {}
    for file in sorted((one / "products").glob("heldout_*.tif")):
        model = file.stem.removeprefix("heldout_")
        maps = [read_raster(run / "products" / file.name)["susceptibility"].values for run in (one, other)]
        rows[model] = {"rank correlation": spearmanr(*map(np.ravel, maps), nan_policy="omit").statistic}
        classes = [run / "products" / f"classes_{model}.tif" for run in (one, other)]
        if all(file.exists() for file in classes):
            values = [read_raster(file)["susceptibility class"].values for file in classes]
            rows[model]["cells in another class"] = np.mean(values[0] != values[1])
    return pd.DataFrame(rows).T


alike = [name for name, folder in runs.items() if name != first and same_land(runs[first], folder)]
apart = {name: map_differences(runs[first], runs[name]) for name in alike}
if apart:
    apart = pd.concat(apart, names=["run", "model"])
    here.write_table(apart.reset_index(), "map_differences")
    display(apart.round(3))
else:
    print(f"No other run is of the same land as {first}.")

# %% [markdown]
# ## What it cost
#
# Seconds by chapter. What runs of a sweep share was made once, and stands in the first of them.

# %%
seconds = costs(list(runs.values()))
here.write_table(seconds.rename_axis("run").reset_index(), "costs")
seconds.assign(all=seconds.sum(axis=1)).round(0)

# %% [markdown]
# ## Summary
#
# `parameters.csv` holds what differs, `scores.csv` every score that has an interval, `differences.csv` which of them differ by more than chance,
# `main_effects.csv` what each choice does to the score, `claims.csv` which claims hold in how many runs, `map_differences.csv` how far the maps lie apart and `costs.csv` the time.
