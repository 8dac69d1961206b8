# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 10 Samples
#
# ## Overview
#
# A model learns from cells that somebody chose. This chapter asks how much of a score, and of a map, is that choice: which cells of a landslide,
# which cells without one, how many, and how far a detector's errors get into them. It goes beyond {cite:t}`yao2026`, who chose one way.
#
# | you will learn | the experiment that shows it |
# |---|---|
# | how many of the landslide cells a model learns from are none | the samples held against the true landslides; `lsa try quick 10 -p inventory reference` |
# | what changes when a landslide weighs by its area or its detection score | three ways to weigh, the same model |
# | why easy cells without landslide make any model look good | one model, many kinds of samples, each scored on its own kind and by its map; exercise: the choice that promises most |
# | how to tell a better map from an easier test and from luck | the map's score beside the samples' score and the spread between draws; `lsa try quick 10 -p seed 5` |
#
# **Before you start** you need chapters 1 to 5, or their products (made first at the smallest size when you open this chapter alone), above all the
# sampling of chapter 4 and the held-out maps of chapter 5.
#
# **Time to learn** about 20 minutes to read, as long again for the exercises. The time to run is on the page *How long it took*.

# %% tags=["parameters"]
run_dir: str = ""  # folder of the run; empty: runs/alone here, earlier chapters made first at the smallest size
seed: int = 0  # seed of every random choice
profile: str = "quick"  # name of the parameter set, shown in the book
data: str = ""  # data folder; empty: the built-in simulated mountain
catalog: str = ""  # catalog.yml that describes the data folder; empty: the one inside it
n_jobs: int = 2  # processor cores to use
chunk: int = 0  # edge of a block of cells, for areas larger than memory (512 is good); 0: rasters in memory
inventory: str = "auto"  # landslides that samples are drawn from; auto: detected, else reference
lab_model: str = "xgboost"  # model that is trained on many kinds of samples
lab_positives: list = ["cells", "point", "scarp"]  # cells of a landslide that are compared; empty: nothing is
lab_buffers_m: list = [0.0, 100.0, 200.0]  # distances of cells without landslide, m
lab_slopes: list = [0.0, 10.0]  # least slopes of cells without landslide, degrees
lab_ratios: list = [1.0, 10.0]  # cells without landslide per landslide cell
lab_seeds: int = 2  # repetitions of every kind of samples

# %%
from itertools import product

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from lsa_helpers import answers, models, samples, validation
from lsa_helpers.errors import LsaError
from lsa_helpers.raster import read_factors
from lsa_helpers.runner.params import SamplingParams
from lsa_helpers.runner.pipeline import open_run
from lsa_helpers.show import style
from lsa_helpers.show import validation as show

style.use()
p = SamplingParams.from_cell(globals())
run = open_run(p, "10_samples")

# %% [markdown]
# From chapters 1 to 5 come the factors, the landslides and a model. Maps are judged by the true landslides of the simulated mountain, or by those
# of the inventory where nobody knows the truth.

# %%
factors = read_factors(run.need("factors.tif", chapter="01_data"))
inventory = samples.load_landslides(run.need("inventory.gpkg", chapter="03_inventory"), p.inventory)
inventory = samples.reproject_landslides(inventory, factors)
table = pd.read_parquet(run.need("samples.parquet", chapter="05_susceptibility"))
trained = models.load(run.product(f"models/{p.lab_model}"), factors)
truth = validation.read_truth(run.product("truth"), factors)
numbers = samples.landslide_numbers(inventory, factors)
landslide = numbers >= 0 if truth is None else truth["landslide"]
lab_model = getattr(trained, "estimator", trained)
block_m, n_folds = table.attrs["block_m"], table["fold"].nunique()
most = table.attrs["max_per_landslide"]
points = (inventory.geom_type == "Point").all()


# %%
def two_scores(kind):
    """AUC on samples of one kind in random folds, and AUC of the held-out map on all cells."""
    try:
        drawn = samples.make_samples(inventory, factors, **kind, max_per_landslide=most)
        label, whole = drawn["label"], validation.landslide_groups(drawn["landslide_id"])
        splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=kind["seed"])
        random = list(splitter.split(drawn, label, whole))
        random_fold = np.argmax([np.isin(np.arange(len(drawn)), test) for _, test in random], axis=0)
        probability = cross_val_predict(lab_model, drawn, label, cv=random, method="predict_proba")[:, 1]

        spatial = validation.SpatialBlockKFold(n_folds, block_m, random_state=kind["seed"])
        drawn["fold"] = spatial.fold_numbers(drawn, label)
        folds = validation.fold_map(drawn, factors, block_m=block_m, seed=kind["seed"])
        held_out = models.cross_validated_map(lab_model, drawn, factors, folds, 0, numbers).values
        known = np.isfinite(held_out)
    except LsaError as error:  # for example too few cells so far from any landslide
        return kind | {"n": 0, "problem": str(error)}
    slides = drawn[label == 1]
    right = validation.at_samples(landslide, slides).mean() if truth is not None else np.nan
    return kind | {
        "n": len(drawn),
        "right_positives": right,
        "sample_auc": validation.within_groups_auc(label, probability, random_fold),
        "map_auc": validation.within_groups_auc(landslide.values[known], held_out[known], folds.values[known]),
        "problem": "",
    }


# %% [markdown]
# ## What weighs how much
#
# A detector's inventory holds false alarms, and most of them are small. With a cap of cells per landslide each small false alarm weighs as much as
# a large landslide: many right *hectares* become few right *samples*. Three ways to weigh: each landslide alike, by its area, or by its detection
# score. Two scores say what comes of it: the AUC on samples of the same kind in random folds, as most studies show it, and that of the held-out map
# against the landslides on all cells. Both count pairs of the same fold only, as in chapter 9.

# %%
ways = [] if points else ["landslide", "area"] + ["score"] * ("score" in inventory)
seeds = range(p.seed, p.seed + p.lab_seeds)
kinds = [{"cells_by": way, "seed": seed} for way in ways for seed in seeds]
scored = ["n", "right_positives", "sample_auc", "map_auc", "problem"]
weighing = pd.DataFrame(Parallel(p.n_jobs)(delayed(two_scores)(kind) for kind in kinds), columns=["cells_by", "seed", *scored])
if len(weighing):
    run.write_table(weighing, "sample_weighing")
    headings = {"right_positives": "In a true landslide", "sample_auc": "AUC, own samples", "map_auc": "AUC, map"}
    known = weighing.dropna(subset="map_auc")
    named = known["cells_by"].replace({"landslide": "each landslide alike", "score": "detection score"})
    ranked = known.groupby(named, sort=False)[["n", *headings]].mean().dropna(axis=1, how="all")
    display(ranked.round(3).astype({"n": int}).rename(columns={"n": "Samples"} | headings).rename_axis("weighed by"))

# %%
if len(weighing) and len(ranked):
    spread = known.groupby(named)["map_auc"].std().mean()
    if "right_positives" in ranked:
        right, as_usual = ranked["right_positives"], ranked.index[0]
        print(f"With {as_usual}, {1 - right[as_usual]:.0%} of the landslide samples lie in no true landslide. Most are right by {right.idxmax()}: {right.max():.0%}.")
    best, lead = ranked["map_auc"].idxmax(), np.ptp(ranked["map_auc"])
    print(f"The best map comes with: {best}; the ways differ by {lead:.3f} AUC.")
    if np.isfinite(spread):
        print(f"Drawn again, one way moves by {spread:.3f} (standard deviation): {'more than chance, as far as so few draws can tell' if lead > 2 * spread else 'this may be chance'}.")

# %% [markdown]
# A class will ask why so many wrong labels do not ruin the model. Wrong labels that lie anywhere only blur it. Those of a detector do not lie
# anywhere: fields, roads and bare rock look like landslides, so the model learns these too (chapters 3 and 11).

# %% [markdown]
# ## The laboratory
#
# A susceptibility model needs cells without landslide, and somebody has to choose them. Far from any landslide, in the flat valley floor, they are
# easy to tell apart, and the score on *such* samples is high. Here one model is trained on many kinds of samples. Each is scored twice: on samples
# of its own kind in random folds, and by its map on every cell of the area, block by block. It keeps the settings it had before any search: a search for
# each kind would compare searches, not samples. (Points have one cell each, so nothing is compared.)

# %%
choices = {
    "positives": [] if points else p.lab_positives,
    "negative_buffer_m": p.lab_buffers_m,
    "min_slope_negatives": p.lab_slopes,
    "negative_ratio": p.lab_ratios,
    "seed": range(p.seed, p.seed + p.lab_seeds),
}
kinds = [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]
rows = Parallel(n_jobs=p.n_jobs)(delayed(two_scores)(kind) for kind in kinds)
sensitivity = pd.DataFrame(rows, columns=[*choices, *scored])
sensitivity.columns = ["positives", "buffer_m", "slope_floor", "ratio", *sensitivity.columns[4:]]

# %% mystnb={"figure": {"caption": "Each dot is one way to sample. Across, the score on samples of the same kind; up, the score of the map on all cells. On the line both would be equal.", "name": "fig-10-laboratory"}, "image": {"alt": "Scatter plot of the map score against the sample score for each way to sample, marked by positive kind and coloured by buffer distance, with the line of equality"}}
run.write_table(sensitivity, "sampling_laboratory")
style.save(show.sampling_sensitivity(sensitivity), run, "sampling_laboratory")

# %%
words = {"positives": "landslide cells", "buffer_m": "distance of the others (m)", "slope_floor": "their least slope (°)", "ratio": "others per landslide cell"}
words |= {"cells": "random", "point": "the middle one", "scarp": "the highest one"}
summary = validation.summarise_sampling(sensitivity).rename(words)
summary = summary.rename(lambda value: value if isinstance(value, str) else f"{value:g}", level="value")
compared = summary[summary.groupby(level="choice")["map_auc"].transform("count") > 1].dropna(subset="map_auc")
headings = {"n": "Samples", "sample_auc": "AUC, own samples", "map_auc": "AUC, map", "gap": "Gap", "seed_sd": "Spread of the map's"}
headings |= {"failed": "Not drawn"} if summary["failed"].any() else {}
digits = {name: "{:.0f}" if name in ("Samples", "Not drawn") else "{:.3f}" for name in headings.values()}
if len(compared):
    of_page = compared[list(headings)].rename(columns=headings).rename_axis([None, None])
    display(of_page.style.set_table_attributes('class="dataframe"').format(digits, na_rep="–", escape="html"))

# %%
promise = (sensitivity["sample_auc"] - sensitivity["map_auc"]).dropna()
if (promise < 0).any():
    print(f"{(promise < 0).sum()} of {len(promise)} dots lie above the line: the map scores better than its samples, for most of the land is easier than cells near landslides.")
for choice, part in compared.groupby(level="choice", sort=False):
    part = part.droplevel("choice")
    easy, hard = part["sample_auc"].idxmax(), part["sample_auc"].idxmin()
    rise, follows = part.loc[easy, ["sample_auc", "map_auc"]] - part.loc[hard, ["sample_auc", "map_auc"]]
    spread = part.loc[[easy, hard], "seed_sd"].mean()
    told = "drawn once each, so it may be chance" if np.isnan(spread) else f"one draw moves it by {spread:.3f}"
    print(f"{choice.capitalize()}, {easy} against {hard}: own samples {rise:+.3f}, map {follows:+.3f} ({told}).")

# %% [markdown]
# What raises only the score of the samples has made the test easier, not the map better. Where both rise, the model learned a clearer contrast as well.
# The score on the own samples, the only one that most studies can show, does not tell one from the other.
#
# *Gap* is the first score less the second. It compares unlike things on purpose: samples in random folds, and all cells in a map that knew nothing,
# judged by true landslides where they are known. The *spread* is the standard deviation of one map's AUC when the same kind of samples is drawn again; a
# difference of two means moves less. Kinds of positives differ in number too: one cell per landslide is less to learn from. Kinds that could not be
# drawn are in no mean.
#
# ## Try it
#
# ```{exercise-start}
# :label: ex-10-buffer
# ```
#
# Which distance of the cells without landslide gave the highest AUC on the own samples, and which the best map?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-10-buffer
# :class: dropdown
# ```

# %%
by_distance = sensitivity.dropna(subset="map_auc").groupby("buffer_m")[["sample_auc", "map_auc"]].mean()
if len(by_distance):
    best = by_distance.idxmax()
    print(f"Own samples: {best['sample_auc']:g} m; map: {best['map_auc']:g} m.")

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start}
# :label: ex-10-promise
# ```
#
# Which choice of the laboratory promises most, that is, where does the score on its own samples exceed the score of its map by most? What would a paper that reports
# only the first number be praised for?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-10-promise
# :class: dropdown
# ```
#
# The score on the own samples knows only the cells that were drawn; the map is asked about all.

# %%
if len(promise) and promise.max() <= 0:
    print("Here no choice promises more than its map keeps.")
elif len(promise):
    most = sensitivity.loc[promise.idxmax()]
    answers.record(run, "ex-10-promise", float(promise.max()), within=0.005, what="the AUC on the own samples minus that of the map, where it is largest")
    print(f"Landslide cells: {words[most['positives']]}; others at least {most['buffer_m']:g} m away, on slopes from {most['slope_floor']:g}°, {most['ratio']:g} to each: {promise.max():+.3f} AUC.")
    easier = by_distance["sample_auc"][most["buffer_m"]] - by_distance["sample_auc"].iloc[0]
    if easier > 0:
        print(f"For an easy test: it leaves out the cells near landslides, and own samples that do so score {easier:+.3f} against those of the least distance.")
    else:
        print("Not for leaving out the cells near landslides, which made no test easier here; one draw of samples can be lucky.")

# %% [markdown]
# ```{solution-end}
# ```
#
# Three changes to try, each a command in a terminal. It repeats the chapter beside the book's run, which stays as it is, and prints the page's
# numbers and yours.
#
# - `lsa try quick 10 -p seed 5`: other samples of every kind. Which differences of the page are no larger than those between page and trial?
# - `lsa try quick 10 -p lab_model logistic`: a simpler model. Compare what it gains or loses on its own samples (`sample_auc`) and in its map (`map_auc`).
# - `lsa try quick 10 -p inventory reference`: samples of the reference landslides. How many are right now?

# %% [markdown]
# ## Summary

# %%
of_kind = sensitivity.groupby(["positives", "buffer_m", "slope_floor", "ratio"])[["sample_auc", "map_auc"]].mean().dropna()
if len(of_kind):
    ends = of_kind.agg(["min", "max"])
    print(f"One model, one area, one inventory: over {len(of_kind)} kinds of samples (means of up to {p.lab_seeds} draws; chance and the deal of the blocks included) the map's AUC goes from {ends['map_auc']['min']:.2f} to {ends['map_auc']['max']:.2f}, that on its own samples from {ends['sample_auc']['min']:.2f} to {ends['sample_auc']['max']:.2f}.")

# %% [markdown]
# The table `sampling_laboratory.csv` holds how far the choice of samples moves a score, `sample_weighing.csv` what weighing by landslide, area
# or detection score does, and how many of the landslide samples are right.
#
# ## What's next
#
# Chapter 11 asks what errors of the inventory itself do to the map.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`chung2003,reichenbach2018`.
