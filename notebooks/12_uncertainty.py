# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 12 How sure?
#
# ## Overview
#
# A map says one number for every cell. This chapter asks how far that number would move if the same study were done again, whether it can be read as
# a chance, and where the model has nothing to say. It goes beyond {cite:t}`yao2026`, whose maps carry no doubt.
#
# | you will learn | the experiment that shows it |
# |---|---|
# | which choice moves a map most, and where | one study done again with other seeds, samples, landslides and folds; `lsa try quick 12 -p doubt_model logistic` |
# | how much landslide to expect in each class, and whether it comes | probabilities added up beside the true area; {ref}`exercise <ex-12-budget>`: an insurer asks |
# | what a set of answers with a promised share of right ones is worth | four kinds of sets, here and on other mountains; {ref}`exercise <ex-12-promise>`; `lsa try quick 12 -p confidence 0.8` |
# | how to tell that a place is unlike all the model has seen | the dissimilarity of other mountains; `lsa try quick 12 -p other_seed 200` |
# | what a model is worth on the next mountain and for the next landslides | maps of other mountains; a model of the older landslides alone |
#
# **Before you start** you need chapter 5, or its models (made first at the smallest size when you open this chapter alone), the correction of the odds of chapter 9,
# which makes a probability on the land out of one among samples, and {term}`held-out maps <held-out map>`: every number here is about cells their model did not know.
#
# **Time to learn** about 45 minutes to read, as long again for the exercises. The time to run is on the page *How long it took*.

# %% tags=["parameters"]
run_dir: str = ""  # folder of the run; empty: runs/alone here, earlier chapters made first at the smallest size
seed: int = 0  # seed of every random choice
profile: str = "quick"  # name of the parameter set, shown in the book
data: str = ""  # data folder; empty: the built-in simulated mountain
catalog: str = ""  # catalog.yml that describes the data folder; empty: the one inside it
n_jobs: int = 2  # processor cores to use
chunk: int = 0  # edge of a block of cells, for areas larger than memory (512 is good); 0: rasters in memory
inventory: str = "auto"  # landslides to learn from and to judge by; auto: the true ones where known, else detected, else reference
doubt_model: str = "xgboost"  # model that is trained again and again; another one where chapter 5 did not train it
doubt_seeds: int = 4  # repetitions of everything
doubt_step: int = 3  # every how many cells, in rows and in columns, the spread is mapped
confidence: float = 0.9  # share of right answers that conformal sets promise
conformal_splits: int = 10  # ways to part the blocks into calibration and test, for each repetition
other_seed: int = 100  # seed of the first other mountain; each repetition takes the next
other_km: float = 5.0  # east-west size of the other mountains, km

# %%
import warnings
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.special import expit, logit
from scipy.stats import poisson, spearmanr
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from lsa_helpers import answers, models, samples, validation
from lsa_helpers.errors import InputNote
from lsa_helpers.factors.build import build_factors
from lsa_helpers.mountain import make_mountain, write_layers
from lsa_helpers.raster import (
    at_cells,
    cell_size,
    known_cells,
    on_grid,
    read_factors,
    read_raster,
    write_raster,
)
from lsa_helpers.runner.params import UncertaintyParams
from lsa_helpers.runner.pipeline import open_run
from lsa_helpers.show import style
from lsa_helpers.show import uncertainty as show
from lsa_helpers.show.words import span
from lsa_helpers.sources import load_catalog

style.use()
p = UncertaintyParams.from_cell(globals())
run = open_run(p, "12_uncertainty")

# %% [markdown]
# From chapters 1 to 5 come the factors, the landslides and the models. One of them is trained again and again here, with the settings it had before
# any search. On the simulated mountain it learns from the true landslides: what a detector's errors do is the matter of chapter 11.

# %%
table = pd.read_parquet(run.need("samples.parquet", chapter="05_susceptibility"))
factors = read_factors(run.need("factors.tif", chapter="01_data"))
block_m, n_folds = table.attrs["block_m"], table["fold"].nunique()
truth = validation.read_truth(run.product("truth"), factors)
which = "reference" if truth is not None and p.inventory == "auto" else p.inventory
inventory = samples.load_landslides(run.need("inventory.gpkg", chapter="03_inventory"), which, with_absences=True)
inventory = samples.reproject_landslides(inventory, factors)
saved = [name for name in (p.doubt_model, "xgboost", "logistic", "rf") if models.can_load(run.product(f"models/{name}"))]
chosen = saved[0] if saved else p.doubt_model
trained = models.load(run.product(f"models/{chosen}"), factors)
model = getattr(trained, "estimator", trained)
used = models.fitted_coder(trained).factors
factors = factors.load()
numbers = samples.landslide_numbers(inventory, factors)
seeds = range(p.seed, p.seed + p.doubt_seeds)


# %%
def seeded(seed):
    """The model, unfitted, with other random numbers."""
    return clone(model).set_params(**{name: seed for name in model.get_params() if name.endswith("random_state")})


def study(landslides, land, cells, *, model_seed, sample_seed, fold_seed, landslide_seed=None):
    """One study done again: its samples, and the fold and the held-out probability of each cell."""
    drawn = samples.make_samples(landslides, land, seed=sample_seed, max_per_landslide=table.attrs["max_per_landslide"])
    fold, folds = validation.moved_folds(drawn, land, n_folds=n_folds, block_m=block_m, seed=fold_seed)
    drawn.insert(4, "fold", fold)
    if landslide_seed is not None:
        drawn = samples.resample_landslides(drawn, landslide_seed)
    of_cell = samples.landslide_numbers(landslides, land)
    return drawn, validation.at_samples(folds, cells), models.cross_validated_cells(seeded(model_seed), drawn, cells, folds, of_cell)


# %%
def cell_table(land):
    """The known cells of an area: row, col, place and factors."""
    row, col = np.nonzero(known_cells(land).values)
    place = {"row": row, "col": col, "x": land.x.values[col], "y": land.y.values[row]}
    place["coarse"] = (np.mod(row, p.doubt_step) == 0) & (np.mod(col, p.doubt_step) == 0)
    return pd.DataFrame(place | {name: band.values for name, band in at_cells(land, row, col).items()})


cells = cell_table(factors)
coarse = cells["coarse"]
number_of_cell = numbers.values[cells["row"], cells["col"]]
slide = number_of_cell >= 0
prevalence = slide.mean()
print(f"{style.MODEL_LABELS[chosen]}; {inventory.attrs['layer']} landslides on {prevalence:.2%} of the land, {n_folds} folds.")

# %% [markdown]
# ## Where the spread comes from
#
# Had another team mapped the same land, four things would have been drawn otherwise: the random numbers inside the model (`seed`), the cells sampled
# (`samples`), the landslides that happened to fall and be seen (`landslides`: drawn again with replacement), and the blocks that were held out
# (`folds`). Two draws of each would make sixteen maps. Half of them are enough, so chosen that every two draws of any two sources meet equally often.
# An analysis of variance then parts the variation of the log-odds in each cell (the logarithm of $p / (1 - p)$, a scale without ends)
# {cite:p}`box1961`; what two sources do only together is the *rest*. With half of the maps a source cannot be told from what the other three do together:
# even a seed that does nothing shows that share. Were all of it noise, each source would get one degree of freedom in seven.

# %%
sources = ["seed", "samples", "landslides", "folds"]
design = pd.DataFrame([(a, b, c, a ^ b ^ c) for a, b, c in product((0, 1), repeat=3)], columns=sources)
keys = ["model_seed", "sample_seed", "landslide_seed", "fold_seed"]
draws = [dict(zip(keys, (2 * seed + row + 1000).tolist(), strict=True)) for seed in seeds for row in design.to_numpy()]
again = Parallel(p.n_jobs)(delayed(study)(inventory, factors, cells[coarse], **how) for how in draws)
odds = np.stack([logit(np.clip(probability, 1e-6, 1 - 1e-6)) for _, _, probability in again])
squares = [validation.sums_of_squares(of_seed, design).sum() for of_seed in np.split(odds, p.doubt_seeds)]
shares = pd.DataFrame([square / square.sum() for square in squares], index=pd.Index(seeds, name="repetition"))
by_chance = pd.Series(dict.fromkeys(sources, 1 / 7) | {"rest": 3 / 7})
run.write_table(shares.reset_index(), "spread_shares")
shares.rename(columns={"seed": "model seed"}).map("{:.0%}".format)

# %% mystnb={"figure": {"caption": "Share of the variation of the log-odds that each source brings; dots are repetitions with other draws, upright strokes what each would get were all of it noise.", "name": "fig-12-sources"}, "image": {"alt": "Bar chart of the share of variation by source, with one dot for each repetition on every bar and a stroke for chance"}}
display(style.save(show.spread_shares(shares, by_chance), run, "spread_shares"))
main = shares.mean().drop("rest").idxmax()
print(f"The largest single source is {main} ({shares[main].mean():.0%} of the variation; {span((100 * shares[main]).round())} % over the repetitions).")
print(f"The seed of the model brings {shares['seed'].mean():.0%}: who repeats a study with other seeds alone sees at most about that much of its doubt.")

# %%
mean, doubt = odds.mean(axis=0), odds.std(axis=0, ddof=1)
thirds = {name: np.digitize(values, np.quantile(values, [1 / 3, 2 / 3])) for name, values in {"susceptibility": mean, "doubt": doubt}.items()}
of_third = pd.DataFrame(thirds | {"sd": doubt, "landslide": slide[coarse]})
bivariate = of_third.groupby(["susceptibility", "doubt"]).agg(land=("sd", "size"), sd=("sd", "mean"), landslides=("landslide", "mean"))
bivariate["land"] /= len(of_third)
run.write_table(bivariate.reset_index(), "bivariate")
first = next(iter(factors.values()))[:: p.doubt_step, :: p.doubt_step]
at = cells["row"][coarse] // p.doubt_step, cells["col"][coarse] // p.doubt_step
doubt_map = on_grid(np.full(first.shape, np.nan), first, "doubt", "log-odds")
doubt_map.values[at] = doubt
write_raster(run.product("doubt.tif"), doubt_map.rio.write_transform(first.rio.transform(recalc=True)))
classes = np.full(first.shape, np.nan)
classes[at] = 3 * thirds["susceptibility"] + thirds["doubt"]

# %% mystnb={"figure": {"caption": "Susceptibility and doubt: thirds of the land by mean log-odds and by their standard deviation over all maps.", "name": "fig-12-bivariate"}, "image": {"alt": "Map in nine colours over shaded relief, darker where susceptibility is higher and orange where the maps disagree, with a square legend"}}
display(style.save(show.bivariate_map(classes, style.relief(factors)), run, "bivariate"))
typical = np.median(doubt)
print(f"The standard deviation of a cell's log-odds is {typical:.2f} in the median (odds {np.exp(typical):.1f} times as large or as small), {np.quantile(doubt, 0.95):.2f} in the most doubtful twentieth.")
unsure = (of_third["doubt"] == 2)[of_third["susceptibility"] == 2].mean()
print(f"Of the most susceptible third of the land, {unsure:.0%} is also in the most doubtful third; by chance it would be 33%.")
if truth is not None:
    wrong = np.abs(logit(validation.shift_odds(expit(mean), 0.5, prevalence)) - logit(validation.at_samples(truth["probability"], cells[coarse]).clip(1e-6)))
    agree = [spearmanr(doubt[thirds["susceptibility"] == third], wrong[thirds["susceptibility"] == third]).statistic for third in range(3)]
    knows = "next to nothing" if max(agree) < 0.2 else "something"
    knows += " of the error; in part it points the wrong way" if min(agree) < -0.2 else " of the error"
    print(f"Rank correlation of doubt and true error in the three thirds, from low to high: {', '.join(f'{value:+.2f}' for value in agree)}. The doubt knows {knows}.")

# %% [markdown]
# Read the legend across and up: dark and brown is land that is called susceptible by maps that disagree, dark and blue is where all agree. The doubt
# is that of chance draws. What all maps get wrong alike, because no factor shows it, is not in it. So a small doubt is no proof that a place is mapped well.
#
# ## How much landslide to expect
#
# Chapter 9 turned a susceptibility into a probability by one factor on the odds. Added up over the land, does it give the landslides that are there?
# That asks more than a reliability curve. The factor is right for a calibrated model of samples drawn everywhere; samples without landslide keep away
# from landslides, and models are too sure of themselves. A second correction learns a slope and an intercept for the log-odds from the held-out cells
# of the *other* folds (Platt's scaling on the land itself), so that no cell's own label enters
# the fit directly (the models of the other folds did learn from it).

# %%
def corrected(raw, folds, label, share):
    """Both corrections of a held-out map: of the odds, and learned from the other folds."""
    score = logit(np.clip(raw, 1e-4, 1 - 1e-4))[:, None]
    learned = np.empty(len(raw))
    for fold in np.unique(folds):
        here = folds == fold
        learned[here] = LogisticRegression(C=np.inf, solver="newton-cholesky").fit(score[~here], label[~here]).predict_proba(score[here])[:, 1]
    return {"odds": validation.shift_odds(raw, share, label.mean()), "learned": learned}


# %%
base = [dict.fromkeys(["model_seed", "sample_seed", "fold_seed"], seed) for seed in seeds]
studies = Parallel(p.n_jobs)(delayed(study)(inventory, factors, cells, **how) for how in base)

words = {"odds": "correction of the odds", "learned": "learned on other folds"}
edges = [0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2]
maps = {(chosen, seed): (raw, folds, slide, drawn["label"].mean()) for seed, (drawn, folds, raw) in zip(seeds, studies, strict=True)}
of_table = validation.at_samples(validation.fold_map(table, factors, block_m=block_m, seed=table.attrs["seed"]), cells)
for name in [name for name in ("cnn", "rf", "xgboost", "logistic") if name != chosen and run.has(f"heldout_{name}.tif")]:
    raw = validation.at_samples(read_raster(run.product(f"heldout_{name}.tif"))["susceptibility"], cells).astype(float)
    maps[name, p.seed] = raw, of_table, slide, table["label"].mean()

# %%
rows, curves, expected = [], {"odds": [], "learned": []}, []
for (name, seed), given in maps.items():
    for correction, probability in corrected(*given).items():
        ratio = probability.sum() / slide.sum()
        of_fold = [probability[given[1] == fold].sum() / max(slide[given[1] == fold].sum(), 1) - 1 for fold in np.unique(given[1])]
        row = {"model": name, "seed": seed, "correction": correction, "expected_to_true": ratio, "mean_fold_error": np.abs(of_fold).mean()}
        rows.append(row | validation.brier_parts(probability, slide, edges))
        if name == chosen:
            curves[correction].append(validation.reliability(probability, slide, edges).assign(seed=seed))
        if name == chosen and correction == "learned":
            expected.append(validation.expected_landslides(probability, number_of_cell, edges, cell_size(factors)).assign(seed=seed))
chances, expected = pd.DataFrame(rows), pd.concat(expected, ignore_index=True)
run.write_table(chances, "expected_area")
run.write_table(expected, "expected_landslides")
of_models = chances.groupby(["model", "correction"], sort=False)[["expected_to_true", "mean_fold_error", "brier", "uncertainty"]].mean()
of_models["skill"] = 1 - of_models["brier"] / of_models["uncertainty"]
shown = of_models.rename(style.MODEL_LABELS | words).rename_axis(["model", "probability"])
in_words = {"expected / true area": shown["expected_to_true"].map("{:.2f}".format), "error of a fold": shown["mean_fold_error"].map("{:.0%}".format)}
pd.DataFrame(in_words | {"Brier score": shown["brier"].map("{:.4f}".format), "Brier skill": shown["skill"].map("{:+.1%}".format)})

# %% mystnb={"figure": {"caption": "Left, what was predicted and what happened, one line for each repetition; right, expected and true landslide area by class of predicted probability, with the range over repetitions.", "name": "fig-12-expected"}, "image": {"alt": "Line chart of observed against predicted probability for two corrections with the diagonal, beside a bar chart of expected and true landslide area by class"}}
curves = {words[name]: pd.concat(tables) for name, tables in curves.items()}
style.save(show.expected_and_true(expected, curves), run, "expected_area")

# %%
ours = chances[chances["model"] == chosen].groupby("correction", sort=False)["expected_to_true"].agg(["min", "max"])
for correction, ratio in ours.iterrows():
    print(f"{style.MODEL_LABELS[chosen]}, {words[correction]}: expected area {span(ratio.round(2))} times the true one.")
by_odds, by_learning = (of_models.xs(name, level="correction") for name in words)
print(f"Over the models the correction of the odds expects {span(by_odds['expected_to_true'].round(2))} times the true area, the learned one {span(by_learning['expected_to_true'].round(2))} times.")
off = (by_learning["expected_to_true"] - 1).abs()
print(f"The learned sum misses the true area by {span((100 * off).round())} %, single folds miss theirs by {span((100 * by_learning['mean_fold_error']).round())} %.")
useless = by_odds.index[by_odds["skill"] < 0]
if len(useless):
    print(f"Skill below zero by the correction of the odds: {', '.join(style.MODEL_LABELS[name] for name in useless)}. As a probability such a map is worth less than saying {prevalence:.2%} everywhere.")
inside = (expected["true_n"] >= expected["n_low"]) & (expected["true_n"] <= expected["n_high"])
print(f"Numbers of landslides inside the Poisson interval: {inside.mean():.0%} of {len(inside)} classes.")
by_class = expected.groupby(["low", "high"])[["area_km2", "expected_km2", "true_km2", "expected_n", "n_low", "n_high", "true_n"]].mean()
texts = {"expected (95 %)": [f"{row.expected_n:.0f} ({row.n_low:.0f} to {row.n_high:.0f})" for row in by_class.itertuples()], "came": by_class["true_n"].map("{:.0f}".format)}
areas = by_class[["area_km2", "expected_km2", "true_km2"]].round(2).set_axis(["land (km²)", "landslide expected (km²)", "true (km²)"], axis=1)
areas.assign(**texts).set_index(pd.Index([f"{100 * low:g}–{100 * high:g} %" for low, high in by_class.index], name="probability"))
# %% [markdown]
# The first table is for the whole land. The level of both is taken from landslides of this land, so a sum near the true one is no test; *error of a
# fold*, the mean error of single folds, and the other mountains are. The Brier skill is what is gained over saying the prevalence everywhere {cite:p}`murphy1973`; its parts are in
# `expected_area.csv`. Rows of the other models are the held-out maps of chapter 5, one repetition, which learned from the inventory of chapter 3. In the second
# table a landslide in several classes counts in each by its share of cells. The interval is that of a Poisson count, of landslides that fall independently of each
# other; more numbers than one in twenty outside it mean that landslides cluster, or that the probabilities are wrong.
#
# ## Sets with a promise
#
# A conformal predictor {cite:p}`vovk2005,angelopoulos2023` gives a set in place of a number: {stable}, {landslide}, both or none. On cells that are
# exchangeable with those it was calibrated on, drawn as they were and in any order, the promised share of the sets (`confidence`) holds the truth, whatever the model. Four kinds: one limit for all cells; a limit for
# each class (Mondrian), so that the promise holds for landslides too; one for each class and quarter of slope; and one for each class that knows that
# cells of a block are not independent. What is exchangeable here are whole blocks: half of them calibrate, the other half is tested. So the last kind
# counts every block alike, and adds one block that may hold anything {cite:p}`lee2023`. The limits are found by the library crepes, from the
# probabilities of the held-out maps: those of a cell come from a model that did not know its fold.

# %%
by = "slope" if "slope" in factors else used[0]
quarters = cells[by].quantile([0.25, 0.5, 0.75])
kinds = {"one limit": {"by_class": False}, "by class": {}, f"by class and {by}": {"stratum": "quarter"}, "by class, whole blocks": {"block": "block"}}


def judged(land, probability, label):
    """Cells with what conformal sets are made from."""
    quarter = 1 + np.digitize(land[by], quarters)
    block = validation.block_numbers(land["x"], land["y"], block_m)
    return pd.DataFrame({"probability": np.asarray(probability), "label": np.asarray(label, int), "quarter": quarter, "block": block})


def coverage_of(calibration, asked, **what):
    """What every kind of sets does on some cells."""
    parts = []
    for kind, how in kinds.items():
        held = validation.conformal_sets(calibration, asked, p.confidence, **how)
        right = held[np.arange(len(held)), asked["label"]]
        parts.append(asked.assign(sets=kind, right=right, both=held.all(axis=1), none=~held.any(axis=1), **what))
    return pd.concat(parts)


# %%
pieces = []
for seed, (_, _, raw) in zip(seeds, studies, strict=True):
    here = judged(cells[coarse], raw[coarse], slide[coarse])
    block = here["block"].to_numpy()
    for split in range(p.conformal_splits):
        half = np.random.default_rng([seed, split, 14]).permutation(block.max() + 1) // ((block.max() + 2) // 2)
        pieces.append(coverage_of(here[half[block] == 0], here[half[block] == 1], place="this area", seed=seed, split=split))
at_home = pd.concat(pieces, ignore_index=True)


def summary(rows, keys):
    """Coverage of each class, of landslides with every block counting alike, of all; share of sets that say nothing."""
    of_class = rows.groupby([*keys, "label"], sort=False)["right"].mean().unstack().rename(columns={0: "stable", 1: "landslide"})
    of_block = rows[rows["label"] == 1].groupby(list(dict.fromkeys([*keys, "seed", "split", "block"])), sort=False)["right"].mean()
    of_class["landslide_by_block"] = of_block.groupby(keys, sort=False).mean()
    return of_class.join(rows.groupby(keys, sort=False).agg(all=("right", "mean"), both=("both", "mean"), none=("none", "mean")))


home = summary(at_home, ["sets", "seed"])

# %%
run.write_table(home.reset_index(), "coverage")
of_block = at_home.groupby(["sets", "seed", "split", "block"], sort=False)["right"].mean().groupby("sets", sort=False).quantile(0.1)
headings = {"stable": "stable cells", "landslide": "landslide cells", "landslide_by_block": "the same, blocks alike", "all": "all cells", "block_10": "worst tenth of blocks", "both": "says both", "none": "is empty"}
of_kind = home.groupby("sets", sort=False).mean().assign(block_10=of_block)
display(of_kind[list(headings)].map("{:.0%}".format).rename(columns=headings).rename_axis("sets"))
one, classwise, whole = (of_kind.loc[name] for name in ("one limit", "by class", "by class, whole blocks"))
print(f"One limit is right for {one['all']:.0%} of all cells, which are nearly all stable, and for {one['landslide']:.0%} of the landslide cells (promised {p.confidence:.0%}).")
print(f"Limits by class are right for {classwise['landslide']:.0%} of the landslide cells, and for {classwise['landslide_by_block']:.0%} where every block counts alike.")
print(f"Whole blocks are right for {whole['landslide_by_block']:.0%} of them, counted so, and their sets say both on {whole['both']:.0%} of the land.")

# %% [markdown]
# The first four columns are shares of right sets; with *blocks alike*, every block with landslides counts the same. In one block of ten, fewer than *worst
# tenth* of the sets are right. A set that says both says nothing, an empty one refuses both answers. Limits found on cells are those of the few blocks that hold most
# landslides, and need not hold in the others. Whole blocks keep the promise there by saying less: few independent places allow no more.
#
# ## Another mountain
#
# One more mountain for each repetition, with another seed: the same rules, other relief, rocks, rain and shaking, nothing chosen by its result. The
# model that learned here is scored on all cells there, beside one that learned there (out of its fold, and from fewer landslides, as the other
# mountains are smaller) and the oracle, the true probability. The CNN is that of chapter 5, which learned from the inventory of chapter 3. Some of these
# maps are put together from the models of several folds, others are of one model: so all are scored on the same pairs of cells, those of one fold (chapter 9).

# %%
def other_mountain(seed):
    """Factors, landslides and true probability of another mountain."""
    mountain = make_mountain(p.other_km, 0.8 * p.other_km, seed)
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", InputNote)  # of files that are made here
        catalog = load_catalog(write_layers(Path(folder), mountain, seed))
        land = build_factors(catalog, cell_size_m=cell_size(factors), wanted=list(factors))[0].load()
    return land, mountain.landslides, mountain.probability.rio.reproject_match(land)


def away(seed, drawn):
    """Cells of another mountain with the maps of the model from here, of one from there, and of the oracle."""
    land, landslides, oracle = other_mountain(p.other_seed + seed - p.seed)
    there = cell_table(land)
    same = dict.fromkeys(["model_seed", "sample_seed", "fold_seed"], seed)
    _, fold, own = study(landslides, land, there, **same)
    fitted = seeded(seed).fit(drawn, drawn["label"])
    label = validation.at_samples(samples.landslide_numbers(landslides, land), there) >= 0
    transferred = fitted.predict_proba(there)[:, 1]
    there = there.assign(fold=fold, own=own, transferred=transferred, oracle=validation.at_samples(oracle, there), label=label)
    return land, there


if truth is None:
    others = []
    print("Left out: the other mountains, which only the simulated mountain has.")
else:
    others = Parallel(p.n_jobs)(delayed(away)(seed, drawn) for seed, (drawn, _, _) in zip(seeds, studies, strict=True))

# %%
rows, pieces = [], [at_home]
for seed, (land, there), (drawn, folds, raw) in zip(seeds, others, studies, strict=False):
    scores = {name: validation.within_groups_auc(there["label"], there[name], there["fold"]) for name in ("transferred", "own", "oracle")}
    if models.can_load(run.product("models/cnn")):
        cnn_map = models.predict_map(models.load(run.product("models/cnn"), land), land, n_jobs=p.n_jobs)
        scores["cnn"] = validation.within_groups_auc(there["label"], validation.at_samples(cnn_map, there), there["fold"])
    ratio = validation.shift_odds(there["transferred"], drawn["label"].mean(), prevalence).sum() / there["label"].sum()
    rows.append({"seed": seed, "here": validation.within_groups_auc(slide, raw, folds), **scores, "prevalence": there["label"].mean(), "expected_to_true": ratio})
    asked = there[there["coarse"]]
    asked = judged(asked, asked["transferred"], asked["label"])
    pieces.append(coverage_of(judged(cells[coarse], raw[coarse], slide[coarse]), asked, place="other mountains", seed=seed, split=0))
transfer = pd.DataFrame(rows)
if others:
    run.write_table(transfer, "transfer")
    here, moved, own, oracle = transfer[["here", "transferred", "own", "oracle"]].mean()
    headings = {"here": "AUC here, held out", "transferred": "AUC taken there", "cnn": "AUC of the CNN there", "own": "AUC learned there", "oracle": "AUC of the oracle there"}
    shown = transfer.set_index("seed").rename_axis("repetition")
    display(shown[[name for name in headings if name in shown]].rename(columns=headings).round(3))
    print(f"Mean AUC: {here:.2f} out of its fold here, {moved:.2f} on the other mountains; {own:.2f} learned there, {oracle:.2f} the oracle there.")
    print(f"So the move costs {here - moved:.2f}; a model of the place itself, from fewer landslides, is {own - moved:+.2f} beside the one that was moved.")
    ratio, there = transfer["expected_to_true"], transfer["prevalence"].mean()
    print(f"Added up, its probabilities expect {ratio.min():.2f} to {ratio.max():.2f} times the landslide area that is there ({there:.1%} of the land; here {prevalence:.1%}).")

# %% [markdown]
# And the promise? Of the landslide cells, so many have a set that holds the truth; in brackets the range over the repetitions:

# %%
everywhere = pd.concat(pieces, ignore_index=True)
of_place = summary(everywhere, ["place", "sets"])
run.write_table(of_place.reset_index(), "coverage_by_place")


def spread(shares):
    """The mean of some shares and their range, as a reader writes it."""
    low, middle, high = 100 * shares.min(), 100 * shares.mean(), 100 * shares.max()
    return f"{middle:.0f} % ({low:.0f}–{high:.0f})"


of_seed = everywhere[everywhere["label"] == 1].groupby(["sets", "place", "seed"], sort=False)["right"].mean()
kept = of_seed.groupby(["sets", "place"], sort=False).agg(spread).unstack()
both = of_place["both"].map("{:.0%}".format).unstack("place").reindex(kept.index)[list(kept)].add_prefix("says both, ")
kept.join(both).rename_axis(index="sets", columns=None)

# %% mystnb={"figure": {"caption": "Share of landslide cells whose set holds landslide, by quarter of the land from gentle to steep.", "name": "fig-12-coverage"}, "image": {"alt": "Line chart for each place of the share of landslide cells with a right set by quarter of slope, one line for each kind of set, with the promise as a dashed line"}}
slides = everywhere[everywhere["label"] == 1].groupby(["place", "sets", "quarter"], sort=False)["right"].mean().rename("coverage").reset_index().sort_values("quarter", kind="stable")
display(style.save(show.coverage_panels(slides, p.confidence, f"Quarter of the land by {by}"), run, "coverage"))
worst = slides.loc[slides["coverage"].idxmin()]
print(f"The promise of {p.confidence:.0%} is kept least for {worst['sets']}, {worst['place']}, quarter {worst['quarter']} by {by}: {worst['coverage']:.0%} of the landslide cells.")

# %% [markdown]
# ## Where the model has seen nothing like it
#
# Before a map is used on other land, somebody should ask whether the model has seen such land. The dissimilarity index {cite:p}`meyer2021` is the
# distance of a cell to the nearest training sample, in factors weighed by their importance (to the random forest of chapter 4, not to the model asked),
# over the mean distance of the samples. Where it is larger than in the cross-validation, no score of chapter 5 speaks for the map. Factors and their
# importance are one space; the 64 numbers of the CNN before its last layer are another, of networks that knew all folds. The other mountain is asked twice: with its rocks as mapped, and with a legend the model does
# not know, as the next map sheet may have.

# %%
importance = run.read_table("importance")
importance = importance[importance["method"] == "permutation"].set_index("factor")["mean"].reindex(used).clip(lower=0).fillna(0)
has_cnn = models.can_load(run.product("models/cnn"))
learned = models.load(run.product("models/cnn"), factors).embedding(table) if has_cnn else None


def asked_places(seed, land=None, there=None):
    """Some cells of each place, with the factors around them."""
    places = {"this area": (cells.sample(min(600, len(cells)), random_state=seed), factors)}
    if land is not None:
        away = there.sample(min(600, len(there)), random_state=seed)
        strange = {"lithology": lambda rows: rows["lithology"] + 50} if "lithology" in used else {}
        places |= {"other mountain": (away, land), "with other rocks": (away.assign(**strange), land.assign(**strange))}
    return places


def factor_space(drawn):
    """What a distance between cells is measured with: the coder of the samples, and the weight of each of its columns."""
    coder = clone(model[0]).fit(drawn, drawn["label"])
    weights = importance[samples.coded_groups(coder)].to_numpy()
    return coder, weights if weights.any() else None


# %%
indices, limits, rows = {}, {}, []
for number, (seed, (drawn, _, _)) in enumerate(zip(seeds, studies, strict=True)):
    coder, weights = factor_space(drawn)
    for place, (asked, around) in asked_places(seed, *(others[number] if others else ())).items():
        spaces = {"factors": (coder.transform(drawn), coder.transform(asked), drawn["fold"], weights)}
        if has_cnn:
            seen = models.load(run.product("models/cnn"), around).embedding(asked)
            spaces["CNN"] = learned, seen, table["fold"]
        for space, given in spaces.items():
            index, limit = validation.dissimilarity_index(*given)
            rows.append({"seed": seed, "space": space, "place": place, "median": np.median(index), "limit": limit, "outside": (index > limit).mean()})
            indices.setdefault(space, {}).setdefault(place, []).append(index)
            limits.setdefault(space, []).append(limit)
applicability = pd.DataFrame(rows)
run.write_table(applicability, "applicability")
outside = applicability.groupby(["place", "space"], sort=False)["outside"].agg(spread).unstack()
outside.rename(columns={"factors": "by factors", "CNN": "by the CNN's numbers"}).rename_axis(index="land outside", columns=None)

# %% mystnb={"figure": {"caption": "Share of the land below each dissimilarity index, all repetitions together. Right of the upright line, the mean limit, a cell is outside the area of applicability.", "name": "fig-12-applicability"}, "image": {"alt": "One panel for factors and one for the network, each with rising curves of the dissimilarity index for this area, another mountain and one with other rocks, and an upright line at the limit"}}
style.save(show.dissimilarity_curves(indices, limits), run, "applicability")

# %% [markdown]
# Does the warning mean anything? The maps of the other mountains again, inside the area of applicability of the factors and outside.

# %%
rows = []
for seed, (_, there), (drawn, _, _) in zip(seeds, others, studies, strict=False):
    (coder, weights), asked = factor_space(drawn), there[there["coarse"]]
    index, limit = validation.dissimilarity_index(coder.transform(drawn), coder.transform(asked), drawn["fold"], weights)
    for where, kept in {"inside": index <= limit, "outside": index > limit}.items():
        part = asked[kept]
        if part["label"].nunique() == 2:
            scores = {name: validation.within_groups_auc(part["label"], part[name], part["fold"]) for name in ("transferred", "own", "oracle")}
            rows.append({"where": where, "seed": seed, "land": kept.mean(), "landslides": part["label"].mean(), **scores})
if others:
    inside_out = pd.DataFrame(rows, columns=["where", "seed", "land", "landslides", "transferred", "own", "oracle"])
    run.write_table(inside_out, "transfer_inside")
    parts = inside_out.groupby("where")[["land", "landslides", "transferred", "own", "oracle"]].mean()
    parts[["land", "landslides"]] = parts[["land", "landslides"]].map("{:.1%}".format)
    display(parts.set_axis(["share of the land", "landslide cells", "taken there", "learned there", "oracle there"], axis=1).rename_axis("part").round(3))
    counted = inside_out["where"].value_counts()
    print(f"Of {len(others)} repetitions, {counted.get('inside', 0)} have landslides and other cells inside, {counted.get('outside', 0)} outside; only these count.")
    loss = (inside_out["oracle"] - inside_out["transferred"]).groupby(inside_out["where"]).agg(["mean", "min", "max"])
    for where, below in loss.iterrows():
        print(f"{where}: {below['mean']:.2f} below the oracle ({below['min']:.2f} to {below['max']:.2f}).")

# %% [markdown]
# Land differs in how hard it is, so compare with the oracle in the same part. The index speaks of what goes into a model, not of its errors: a whole
# mountain can be a warning, and yet the part called applicable need not be mapped better than the rest.
#
# Compare the shares outside with the scores above. An index of factors warns where a factor has values, or a code, that no sample had. A network may
# send a strange cell to a familiar place among its 64 numbers, and a rock it does not know is to it a cell without any rock: an embedding that does not
# warn is no proof that the map holds. And land can be alike in all factors and still fail otherwise: no index sees that.
#
# ## The next landslides
#
# The simulated mountain remembers older landslides, the scars. A model that learned from them alone is scored on the later landslides: a forecast in time.
# Beside it stand the same with the scars of the place itself held out, and the model of the later landslides, out of its fold. Pairs of cells count that
# are of one fold in both.

# %%
if truth is None:
    print("Left out: the older landslides, which only the simulated mountain has.")
else:
    scars = gpd.read_file(run.product("truth/old_scars.gpkg"))
    rows = []
    for seed, (_, later, raw) in zip(seeds, studies, strict=True):
        drawn, earlier, elsewhere = study(scars, factors, cells[coarse], **base[seed - p.seed])
        in_place = clone(model).fit(drawn, drawn["label"]).predict_proba(cells[coarse])[:, 1]
        maps = {"scars": in_place, "scars of other folds": elsewhere, "later landslides of other folds": raw[coarse]}
        maps["oracle"] = validation.at_samples(truth["probability"], cells[coarse])
        fold = n_folds * earlier + later[coarse]
        rows.append({"seed": seed} | {name: validation.within_groups_auc(slide[coarse], values, fold) for name, values in maps.items()})
    in_time = pd.DataFrame(rows)
    run.write_table(in_time, "transfer_in_time")
    display(in_time.set_index("seed").rename_axis("AUC, repetition").round(3))
    of_scars, of_later = in_time["scars of other folds"].mean(), in_time["later landslides of other folds"].mean()
    print(f"Where the place is unknown to both, the scars forecast with {of_scars:.2f} and the later landslides themselves with {of_later:.2f}; the scars of the place add {in_time['scars'].mean() - of_scars:+.2f}.")

# %% [markdown]
# The rules of this mountain do not change with time. Where the next trigger is another one, or the forest has gone, such a forecast is nearer to that for another
# mountain than to this.

# %% [markdown]
# ## Try it
#
# ```{exercise-start}
# :label: ex-12-budget
# ```
#
# An insurer asks for the number of landslides on the land with more than 5 % probability, and how sure that number is. What do you answer, and what
# came?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-12-budget
# :class: dropdown
# ```
#
# The interval knows only the chance of single landslides. That the model may be wrong is not in it. The level was known here; for the next event it is not.

# %%
risky = expected[expected["low"] >= 0.05].groupby("seed")[["expected_n", "true_n"]].sum()
low, high = poisson.interval(0.95, risky["expected_n"].mean())
print("No land has so much." if risky.empty else f"Expected {risky['expected_n'].mean():.0f} ({low:.0f} to {high:.0f} by chance alone); there were {risky['true_n'].mean():.0f}.")

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start}
# :label: ex-12-promise
# ```
#
# Break the promise: where does a set that is right in the promised share of all cells fail most? Look for the kind of sets and the class with the lowest coverage at home, and say which user
# would be hurt by it.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-12-promise
# :class: dropdown
# ```
#
# One limit for all cells is right nearly everywhere because nearly everything is stable; of the landslides, the cells one asks about, it misses many. A promise of an average is
# kept by the common cells at the cost of the rare ones. Hurt is who builds or lives there, by the planner who reads *stable* as cleared.

# %%
worst = of_kind[["stable", "landslide"]].stack()
answers.record(run, "ex-12-promise", float(worst.min()), within=0.01, what="the lowest coverage, from 0 to 1")
print(f"{worst.idxmin()[0]}, {worst.idxmin()[1]}: right in {worst.min():.0%} of the cells, promised {p.confidence:.0%}.")

# %% [markdown]
# ```{solution-end}
# ```
#
# Three changes to try, each a command in a terminal. It repeats the chapter beside the book's run, which stays as it is, and prints the page's
# numbers and yours.
#
# - `lsa try quick 12 -p doubt_model logistic`: a model without random numbers. How much do the other three do together, which its seed still shows?
# - `lsa try quick 12 -p confidence 0.8`: a weaker promise. How many sets still say nothing?
# - `lsa try quick 12 -p other_seed 200`: other mountains. Does the area of applicability still warn?

# %% [markdown]
# ## Summary

# %%
print(f"Of the variation of a map, {shares[main].mean():.0%} comes from {main}; a cell's log-odds move by {typical:.2f} when the study is done again.")
if others:
    print(f"The same model has an AUC of {here:.2f} here, and of {moved:.2f} on land that it has never seen.")

# %% [markdown]
# The raster `doubt.tif` holds the standard deviation of the log-odds in each cell of the coarse grid, the table `spread_shares.csv` what moves a map, `expected_area.csv` and `expected_landslides.csv` how much landslide was expected and came,
# `coverage.csv` and `coverage_by_place.csv` what conformal sets promise and keep, `transfer.csv` and `transfer_in_time.csv` what the model is worth
# elsewhere and later, `applicability.csv` and `transfer_inside.csv` whether it could have been known.
#
# ## What's next
#
# Chapter 13 maps slopes in place of cells.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`box1961,murphy1973,king2001,vovk2005,angelopoulos2023,meyer2021`.
