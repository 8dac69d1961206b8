# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 8 Honest validation
#
# ## Overview
#
# Chapter 5 gave every model a score. This chapter asks what such a score is worth. It goes beyond {cite:t}`yao2026`, whose abstract and whose class
# tables imply different scores for the same maps: how much of a score is the model, how much the folds, and how much the samples?
#
# **You will learn** (1) how to make a map in which no cell was known to its model, (2) what success and prediction rate are and why only one of
# them is a forecast, (3) whether a difference between two models is more than chance, (4) what a network's window is worth, (5) how easy cells
# without landslide make any model look good.
#
# **Before you start**
#
# | concept | needed | notes |
# |---|---|---|
# | chapter 5, or its models | necessary | made first at the smallest size when you open this chapter alone |
# | spatial blocks (chapter 5) | necessary | neighbours are alike, so they must not be split between training and test |
#
# **Time to learn** about 40 minutes. The time to run is on the page *How long it took*.

# %% tags=["parameters"]
run_dir: str = ""  # folder of the run; empty: runs/alone here, earlier chapters made first at the smallest size
seed: int = 0  # seed of every random choice
profile: str = "quick"  # name of the parameter set, shown in the book
data: str = ""  # data folder; empty: the built-in simulated mountain
catalog: str = ""  # catalog.yml that describes the data folder; empty: the one inside it
n_jobs: int = 2  # processor cores to use
inventory: str = "auto"  # landslides the maps are judged by; auto: the true ones where known, else detected, else reference
block_m: float = 0.0  # edge of the spatial blocks, m, the same as in chapter 05; 0: read there
heldout_models: list = ["cnn", "rf", "xgboost", "logistic"]  # models mapped block by block without knowing the block
one_block_models: list = ["rf", "xgboost", "logistic"]  # models also scored with one block left out at a time
context: bool = True  # also judge trees that see a neighbourhood and a CNN that sees one cell
lab_model: str = "xgboost"  # model of the sampling laboratory
lab_positives: list = ["cells", "point", "scarp"]  # cells of a landslide in the laboratory; empty: no laboratory
lab_buffers_m: list = [0.0, 100.0, 200.0]  # distances of cells without landslide, m
lab_slopes: list = [0.0, 10.0]  # least slopes of cells without landslide, degrees
lab_ratios: list = [1.0, 10.0]  # cells without landslide per landslide cell
lab_seeds: int = 2  # repetitions of every kind of samples

# %%
from lsa_helpers import honest, validation
from lsa_helpers.runner import pipeline
from lsa_helpers.runner.params import ValidationParams
from lsa_helpers.show import style
from lsa_helpers.show import susceptibility as maps_show
from lsa_helpers.show import validation as show

style.use()
p = ValidationParams.from_cell(globals())
run = pipeline.open_run(p, "08_validation")
case = honest.open_case(run, p)
print(case.describe())

# %% [markdown]
# ## Random folds flatter
#
# Chapter 5 scored every model three ways. *Optimism* is the AUC of random folds minus that of spatial blocks: what the neighbours of the test cells
# whispered to the model. A study that shows only random folds shows the second column. The last column leaves out one block at a time, so that a
# model trains on almost everything; its predictions are scored together, for a single block may hold no landslide at all. Where chapter 5 searched
# for settings (`tune_draws`), every model of this chapter searches again, without the rows it is judged by.

# %%
optimism = honest.judge_folds(run, case, p)
optimism.set_index("model").round(3)

# %% [markdown]
# On the simulated mountain `ceiling_auc` is the AUC of the true probability on the same samples: as far as these are true landslides, no honest
# column can be expected above it. In detected ones a model also learns the habits of the detector, and can pass it.
#
# Is one model better than another, or was it lucky with these blocks? Both are scored on the same resampled blocks, again and again; `p` says how
# often the difference turns its sign. With so many pairs, a `p` just below 0.05 is no discovery.

# %%
pairs = validation.paired_differences(case.guesses, case.samples, "spatial", block_m=case.block_m, seed=p.seed)
run.write_table(pairs, "paired_differences")
pairs.round(3)

# %% [markdown]
# ## Maps that did not know the answer
#
# The maps of chapter 5 were made by models that knew all landslides; scored on these landslides they show memory, not foresight. Here each fold's
# blocks are mapped by models trained on the other folds, with an empty strip as wide as the CNN's window between them. Together the pieces cover
# the area, and no cell was known to the model that judged it.

# %% mystnb={"figure": {"caption": "The fold of every cell, and the samples. A fold's cells are mapped by models that know none of its samples and none in a strip around it.", "name": "fig-08-folds"}, "image": {"alt": "Map of square blocks coloured by the spatial fold they belong to, with the samples as dots, filled in landslides and open elsewhere"}}
style.save(show.fold_panel(case.folds, case.samples, case.stack.grid), run, "validation_folds")

# %%
heldout = honest.map_heldout(run, case, p)

# %% mystnb={"figure": {"caption": "Susceptibility from models that did not know the block they map. Steps along block edges are where two models disagree.", "name": "fig-08-heldout"}, "image": {"alt": "Maps of the held-out susceptibility from zero to one by each model with one colour scale, landslides outlined in red orange"}}
style.save(maps_show.susceptibility_maps(heldout, case.landslides, case.stack.grid), run, "heldout_maps")

# %% [markdown]
# ## Success and prediction rate
#
# Go through the land from the most susceptible cell down: how much of the landslide area has been met after 10 % of the land? For the maps of
# chapter 5 this is the *success rate* {cite:p}`chung2003`, for the maps above the *prediction rate*. The gap between them is what the model
# remembers. The bands resample whole blocks.

# %% mystnb={"figure": {"caption": "Share of the landslide area against the share of the land, from the most susceptible cell down. Solid with shaded 95 % band, prediction rate of the held-out maps; dashed with hatched band, success rate of the maps of chapter 5.", "name": "fig-08-rates"}, "image": {"alt": "One panel per model with the prediction rate as a solid curve in a shaded band and the success rate as a dashed curve in a hatched band"}}
curves = honest.rate_curves(run, case, heldout, p)
style.save(show.rate_panels(curves), run, "rate_curves")

# %% [markdown]
# The table says it in numbers. `capture_10` is the share of the landslide area in the most susceptible tenth of the land. The Boyce index
# {cite:p}`hirzel2006` asks whether landslides become steadily more frequent with susceptibility; 1 is perfect. `descents` counts classes whose
# frequency ratio is lower than that of the class below: 0 in a useful map. `different_neighbours` and `isolated` measure the salt and pepper the
# paper calls a pretzel look: neighbours of another class, and cells alone in theirs. Where the truth is known, the last column judges the true
# probability as if it were a map: the ceiling. Judged by the true landslides, a fitted map above it remembers.

# %%
worth = honest.judge_maps(run, case, heldout, curves, p)
worth.set_index(["model", "map"]).round(3).T

# %% [markdown]
# ## Is it the window?
#
# A CNN differs from trees in two ways: it is another model, and it sees the neighbourhood. To tell them apart, the trees get the mean and the
# deviation of every continuous factor in the same window, and the CNN gets a window of one cell. All are mapped without knowing the block.

# %%
around = honest.map_context(run, case, p)
fair = honest.fair_comparison(run, case, around, worth, p)
fair.set_index("model").round(3).T if fair is not None else "Left out: the parameter context is off, or chapter 05 made no CNN."

# %% [markdown]
# Now the differences. Each is one area under the prediction rate minus another, on the same cells, with the interval from the same blocks resampled
# for both maps. The first is the CNN's lead over the forest, if it has one. The next two part it: what a network without a window makes of the same
# cells, and what the window adds. The others say what a neighbourhood is worth to trees, and how the CNN compares with a forest that sees it too.

# %%
gains = honest.context_gain(run, case, heldout | around, p)
for row in gains.itertuples() if gains is not None else ():
    sure = "" if row.low > 0 or row.high < 0 else ", which may be chance"
    names = f"{style.MODEL_LABELS[row.first]} minus {style.MODEL_LABELS[row.second]}"
    print(f"{names}: {row.difference:+.3f} ({row.low:+.3f} to {row.high:+.3f}){sure}.")

# %% [markdown]
# ## The sampling laboratory
#
# A susceptibility model needs cells without landslide, and somebody has to choose them. Far from any landslide, in the flat valley floor, they are
# easy to tell apart, and the score on *such* samples is high. Here one model is trained on many kinds of samples. Each is scored twice: on samples
# of its own kind in random folds, as most studies do, and by its map on every cell of the area, block by block.

# %% mystnb={"figure": {"caption": "Each dot is one way to sample. Across, the score on samples of the same kind; up, the score of the map on all cells. On the line both would be equal.", "name": "fig-08-laboratory"}, "image": {"alt": "Scatter plot of the map score against the sample score for each way to sample, marked by positive kind and coloured by buffer distance, with the line of equality"}}
lab = honest.run_laboratory(run, case, p)
if lab is not None:
    display(style.save(show.laboratory(lab), run, "sampling_laboratory"))
else:
    print("Left out: an inventory of points is used as it is, or lab_positives is empty.")

# %%
if lab is not None:
    display(honest.summarise_laboratory(lab).round(3))

# %% [markdown]
# Read the table by columns: which choice raised `sample_auc`, and did `map_auc` follow? What raises only the first makes the test easier, not the map better.
# `seed_sd` says how far `map_auc` moves when the same kind of samples is drawn again: smaller differences are luck. Kinds that could not be drawn
# are counted as `failed` and are in no mean.
#
# ## Try it
#
# ```{exercise-start}
# :label: ex-08-capture
# ```
#
# A mayor can pay for drains on a twentieth of the land. With the best model's held-out map, which share of the landslide area would that reach,
# and which share did the success rate promise?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-08-capture
# :class: dropdown
# ```

# %%
both = worth.pivot(index="model", columns="map", values="capture_5")
best = both["held out"].idxmax()
print(
    f"{style.MODEL_LABELS[best]}: {both.loc[best, 'held out']:.0%} of the landslide area; the success rate promised {both.loc[best, 'fitted']:.0%}."
)

# %% [markdown]
# ```{solution-end}
# ```
#
# Three changes to make with papermill, each a command in a terminal:
#
# - `papermill notebooks/08_validation.ipynb out.ipynb -p lab_seeds 5`: more draws of every kind of samples; does the table say the same?
# - `papermill notebooks/08_validation.ipynb out.ipynb -p lab_model logistic`: does a simpler model suffer less from odd samples?
# - `papermill notebooks/08_validation.ipynb out.ipynb -p inventory detected`: judge the maps by the detected landslides, as a study
#   without a truth has to; how far do the rates move?

# %% [markdown]
# The blocks are those of chapter 5, whose samples carry their folds. `lsa run quick -p 05.block_m 2000` deals larger ones; what happens to the
# prediction rate?
#
# ## Summary
#
# The table `map_scores.csv` holds what every map is worth when its models knew the landslides and when they did not, `optimism.csv` what random folds
# promise too much, `paired_differences.csv` which differences between models are more than chance, `context_gain.csv` what the window is worth, and `sampling_laboratory.csv` how far the choice
# of samples alone moves a score. The rasters `heldout_*.tif` are the maps nobody had to remember anything for.
#
# ## What's next
#
# Change one parameter of an earlier chapter and make the book again: `lsa run` repeats only what the change touches.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`chung2003,hirzel2006,roberts2017`.
