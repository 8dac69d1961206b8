# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 5 Susceptibility
#
# ## Overview
#
# Where would the next landslide be? This chapter draws samples from the inventory, trains a convolutional network (CNN), a random forest, XGBoost
# and a plain logistic regression on them, maps the susceptibility of every cell, and scores the models: sections 3.3, 4.3 and 4.4 of
# {cite:t}`yao2026`.
#
# **You will learn** (1) how the choice of samples shapes a model, (2) what a network sees that a forest does not, (3) why random folds flatter and
# {term}`spatial folds` do not, (4) what the best possible score is on a mountain whose truth is known.
#
# **Before you start**
#
# | concept | needed | notes |
# |---|---|---|
# | chapters 1 to 4, or their products | necessary | made first at the smallest size when you open this chapter alone |
# | training and test data | necessary | |
# | ROC curve | helpful | explained below |
#
# **Time to learn** about 40 minutes. The time to run is on the page *How long it took*.

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
models: list = ["cnn", "rf", "xgboost", "logistic"]  # models to train
coding: dict = {}  # factor: how models code it, where not by its kind (z-score, sine and cosine, one column per class)
tune_draws: int = 0  # settings tried in nested tuning of rf, xgboost and svm; 0: the settings below
cnn_window: int = 15  # edge of the window the CNN sees, cells
cnn_epochs: int = 20  # most epochs of the CNN
cnn_patience: int = 4  # epochs without improvement before the CNN stops
cnn_seeds: int = 3  # networks whose mean is the CNN
rf_trees: int = 500  # trees of the random forest
xgb_rounds: int = 400  # boosting rounds of XGBoost
xgb_depth: int = 6  # depth of XGBoost's trees
xgb_eta: float = 0.05  # learning rate of XGBoost
xgb_scheduler: str = ""  # address of a Dask scheduler whose workers train XGBoost; empty: this machine
logistic_factors: list = []  # factors of the logistic regression; empty: all selected
logistic_repeats: int = 0  # repetitions of its cross-validation (k-means folds); 0: as the others

# %%
import pandas as pd

from lsa_helpers import models as zoo
from lsa_helpers import samples, selection, validation
from lsa_helpers.factors import read_stack
from lsa_helpers.grid import write_raster
from lsa_helpers.runner import pipeline
from lsa_helpers.runner.params import SusceptibilityParams
from lsa_helpers.show import style
from lsa_helpers.show import susceptibility as show

style.use()
p = SusceptibilityParams.from_cell(globals())
run = pipeline.open_run(p, "05_susceptibility")

# %% [markdown]
# ## Samples
#
# A model learns the difference between cells where the ground failed and cells where it did not. Each choice below changes what it learns:
#
# - **Landslide cells** are drawn at random inside the polygons, at most `max_per_landslide` from each, so that one huge landslide does not
#   outvote a hundred small ones. A polygon smaller than a cell gives the cell under it.
# - **Cells without landslide** are drawn farther than `negative_buffer_m` from any landslide, where the ground is known not to have failed
#   *yet*. There are as many of them as landslide cells. The model's output is therefore a probability for a world in which half of the cells
#   fail: right in order, far too high in size.
# - **Folds** are made of square blocks, dealt so that each fold has about as many landslide cells. One landslide never falls into two folds.
#
# An inventory of labelled points is taken as it is.

# %%
selected = selection.selected_factors(run)
stack = read_stack(run, [*selected, *(name for name in p.logistic_factors if name not in selected)])
landslides, layer = samples.read_inventory(run, p.inventory)
table = samples.make_samples(landslides, stack, **p.sampling())
samples.write_samples(table, run)
print(f"Inventory: {layer}, {len(landslides)} features. Samples: {len(table)}. Factors: {', '.join(selected)}.")
table.groupby(["fold", "label"]).size().unstack().rename(columns={0: "without landslide", 1: "landslide"})

# %% mystnb={"figure": {"caption": "The samples and their spatial folds. Filled dots lie in landslides, open ones do not.", "name": "fig-05-samples"}, "image": {"alt": "Map of the sampled cells over shaded relief, coloured by the spatial fold they belong to, filled in landslides and open elsewhere"}}
style.save(show.samples_map(table, landslides, read_stack(run)), run, "samples")

# %% [markdown]
# ## Four models
#
# *Random forest* {cite:p}`breiman2001` and *XGBoost* {cite:p}`chen2016` judge a cell by its own factors. So does *logistic regression*, the
# baseline of the field: if the others do not beat it, they are not worth their trouble. The *CNN* looks at a window of cells around the cell in
# question, so it can see a slope's shape, a road cut below or a river bend. Its network is small: two convolutions with pooling, one more over
# what is left, and two layers that decide. It is trained several times from different starts, each time with another spatial fold set aside to
# stop before it learns by heart; the mean of the networks is the model.
#
# With `tune_draws` above 0 the settings of the forest, XGBoost and a support vector machine are searched at random, anew in every fold and only on its
# training rows, by spatial folds inside them: settings chosen with a look at the test rows would flatter the model {cite:p}`schratz2019`.
#
# Means, deviations and classes for coding the factors are learned from the training rows alone. A code that was never seen becomes all zeros.

# %%
makers = validation.nested_makers(zoo.makers(p, selected), p.tune_draws)
fitted = {name: make().fit(stack, table, p.seed) for name, make in makers.items()}
for name, model in fitted.items():
    model.save(run.product("models") / name)

# %% [markdown]
# To map the CNN, its window would have to be cut out around every cell, the same pixels hundreds of times. It is faster to slide the whole
# network over the raster at once {cite:p}`giusti2013`: pooling with stride one, and every later layer dilated. The result is the same to the last digits.

# %%
maps = {name: model.predict_map(stack) for name, model in fitted.items()}
for name, values in maps.items():
    write_raster(run.product(f"susceptibility_{name}.tif"), values, stack.grid, ["susceptibility"], ["1"])
pd.DataFrame({style.MODEL_LABELS[name]: pd.Series(values.ravel()).describe() for name, values in maps.items()}).round(3)

# %% mystnb={"figure": {"caption": "Susceptibility of every cell by each model, with the landslides the models learned from. Probabilities hold for samples of which half are landslides.", "name": "fig-05-maps"}, "image": {"alt": "Maps of the susceptibility from zero to one by each model with one colour scale, landslides outlined in red orange"}}
style.save(show.susceptibility_maps(maps, landslides, stack.grid), run, "susceptibility")

# %% [markdown]
# Look at the texture before you look at any number. Models that judge cells one by one give speckled maps, the salt and pepper the paper speaks of;
# the CNN's map is smoother because neighbouring windows overlap.
#
# ## How good are they?
#
# A {term}`ROC curve` plots the share of landslide cells found against the share of other cells wrongly called landslides, for every threshold. The
# area under it (AUC) is the probability that a random landslide cell gets a higher value than a random other cell: 0.5 is guessing.
#
# Never on the training data. Each model is trained again without a fold and predicts that fold. Two ways of folding ask two questions:
#
# - **Random folds, by landslide**: can the model fill gaps between landslides it knows? Neighbours of each test cell are in the training data.
# - **Spatial blocks** {cite:p}`roberts2017`: can it predict where it knows no landslide? Training cells closer to the test cells than the CNN's
#   window are left out, so that no window sees both.

# %%
window_m = p.cnn_window * stack.grid.cell_size
guesses = validation.predictions(makers, fitted, stack, table, n_folds=p.n_folds, seed=p.seed, window_m=window_m, n_jobs=p.n_jobs)
samples.write_samples(guesses, run, "predictions.parquet")
scored = {
    scheme: validation.score_table(guesses, table, scheme, block_m=p.block_m, seed=p.seed) for scheme in ("apparent", "random", "spatial")
}
for scheme in ("random", "spatial"):
    scored[scheme] = validation.replace_by_repeats(
        scored[scheme], makers.get("logistic"), stack, table, scheme, repeats=p.logistic_repeats, n_folds=p.n_folds, seed=p.seed
    )
for scheme, scores in scored.items():
    run.write_table(scores, f"scores_{scheme}")

# %% [markdown]
# The simulated mountain knows its true probability of failure at every cell. It, too, has an AUC below 1, because chance and a hidden field
# decide as well: the ceiling that no model can be expected to pass. On real data nobody knows it.

# %% mystnb={"figure": {"caption": "ROC curves from random folds and from spatial blocks, on the same samples. The dashed curve is the true probability, where it is known.", "name": "fig-05-roc"}, "image": {"alt": "Two panels with ROC curves of each model, from random folds on the left and from spatial blocks on the right, with the ceiling dashed"}}
truth = validation.read_truth(run, stack.grid)
style.save(show.roc_panels(guesses, None if truth is None else truth.at(table)), run, "roc")

# %% [markdown]
# The scores on random folds (the intervals resample whole blocks, because neighbours are not independent). Where the truth is known, `ceiling_auc` is
# the AUC of the true probability on these samples. It bounds a model as far as the samples are true landslides. One that learns from *detected* ones can
# pass it, by learning what the detector takes for a landslide:

# %%
validation.with_ceiling(scored["random"], table, truth).set_index("model").round(3).T

# %% [markdown]
# And on spatial blocks:

# %%
validation.with_ceiling(scored["spatial"], table, truth).set_index("model").round(3).T

# %% [markdown]
# The *optimism* is the AUC of random folds minus that of spatial blocks: what the random folds owe to neighbours. Chapter 8 asks what is left of a
# score without it.

# %%
validation.with_ceiling(validation.optimism(scored), table, truth).set_index("model").round(3)

# %% [markdown]
# Accuracy, precision, recall, F1, kappa and MCC cut at 0.5. Those that end in `youden` cut at the threshold where recall exceeds the false positive
# rate by most {cite:p}`youden1950`; it is chosen on the very predictions it cuts, so they are a little too good. Guessing reaches a `pr_auc` of
# `prevalence`, the share of landslides among the samples. The Brier score and the calibration error (ece) ask whether the probabilities are
# right in size for these samples; smaller is better. On data the models were trained on, everything looks better than it is:

# %%
validation.with_ceiling(scored["apparent"][["model", "auc", "accuracy", "brier"]], table, truth).set_index("model").round(3)

# %% [markdown]
# ## Against the truth
#
# On the simulated mountain two more questions can be answered that no real study can answer. How close do the models come to the ceiling on the
# very samples they were scored on? And how good are the maps, cell by cell over the whole area, for the true landslides and not only the detected?

# %%
ceilings = validation.ceilings(table, truth)
ceilings.round(3) if len(ceilings) else "This run has no known truth to compare with."

# %%
against_truth = validation.truth_scores(maps, truth)
if len(against_truth):
    run.write_table(against_truth, "scores_truth")
against_truth.round(3)

# %% [markdown]
# `auc_map` is the AUC of the map for the true landslide cells, `ceiling_auc` that of the true probability for the same cells, and `spearman` the
# rank correlation of the map with the true probability. A map's AUC includes the very landslides the model was trained on: a model that
# remembers them, as deep trees do, can even pass the ceiling. That is memory, not foresight; hold it against the spatial scores above. The rank
# correlation is not flattered in this way, since no model has ever seen the true probability.

# %%
for row in against_truth.itertuples():
    print(f"{style.MODEL_LABELS[row.model]}: Spearman {row.spearman:.3f}, map AUC {row.auc_map:.3f}, ceiling {row.ceiling_auc:.3f}")

# %% mystnb={"figure": {"caption": "Rank of the true probability among all cells, and the rank in each map minus it. Purple is too high, orange too low.", "name": "fig-05-truth"}, "image": {"alt": "Map of the true probability as a rank, and for each model a map of its rank minus the true one from orange to purple"}}
if truth is not None:
    figure = style.save(show.truth_difference(maps, truth, stack.grid), run, "truth_difference")
    display(figure)

# %% [markdown]
# ## Try it
#
# ```{exercise-start}
# :label: ex-05-auc
# ```
#
# The AUC was said to be the probability that a random landslide cell gets a higher value than a random other cell. Check it for the first model's
# predictions in spatial blocks, by comparing every pair.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-05-auc
# :class: dropdown
# ```
#
# Subtract every value without landslide from every value with one, and count the positive differences; a tie counts half.

# %%
own = guesses[(guesses["scheme"] == "spatial") & (guesses["model"] == p.models[0])]
high, low = (own.loc[own["label"] == label, "probability"].to_numpy() for label in (1, 0))
pairs = high[:, None] - low[None, :]
round(float((pairs > 0).mean() + (pairs == 0).mean() / 2), 6)

# %% [markdown]
# ```{solution-end}
# ```
#
# Three changes to make with papermill, each a command in a terminal:
#
# - `papermill notebooks/05_susceptibility.ipynb out.ipynb -p cnn_window 1`: the network sees one cell only; how much was the neighbourhood worth?
# - `papermill notebooks/05_susceptibility.ipynb out.ipynb -p inventory reference`: train on the reference landslides; what did detection cost?
# - `papermill notebooks/05_susceptibility.ipynb out.ipynb -p block_m 500`: smaller blocks; do the spatial scores move towards the random ones?

# %% [markdown]
# ## Summary
#
# Every model has a map `susceptibility_*.tif` (0 to 1) and a folder under `models/`; `samples.parquet` holds the samples, `predictions.parquet`
# every prediction out of its fold, and the tables `scores_random.csv`, `scores_spatial.csv`, `scores_apparent.csv` and, on the simulated
# mountain, `scores_truth.csv` the scores. Read the spatial ones.
#
# ## What's next
#
# Chapter 6 cuts the maps into classes and counts the landslides in each.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`breiman2001,chen2016,giusti2013,roberts2017`.
