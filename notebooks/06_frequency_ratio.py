# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 6 Classes and frequency ratios
#
# ## Overview
#
# A susceptibility map holds a number between 0 and 1 for every cell. Planners want classes, and a reader wants to know whether the classes mean
# anything. This chapter cuts the maps of chapter 5 into classes and asks how many landslides each class holds for its size: the
# {term}`frequency ratio`, sections 4.3 and 5.1 of {cite:t}`yao2026`.
#
# | you will learn | the experiment that shows it |
# |---|---|
# | how {term}`Fisher–Jenks breaks` differ from equal and quantile ones, and what depends on them | five ways to cut the same maps; first change to try below, `scheme` |
# | how to compute a frequency ratio and read it with its area | the classes of each model; {ref}`exercise <ex-06-weighted-mean>`: why ratios average to 1; {ref}`exercise <ex-06-density>`: hectares |
# | how to tell what a map remembers from what it predicts | the same table from fitted and from held-out maps |
# | how to check a printed table against its own numbers | the paper's Table 5, audited |
#
# **Before you start** you need chapter 5, or its maps (made first at the smallest size when you open this chapter alone), and shares and ratios:
# nothing more than division. It helps to know what a variance is, for Fisher–Jenks breaks minimise it inside the classes.
#
# **Time to learn** about 25 minutes to read, as long again for the exercises. The time to run is on the page *How long it took*.

# %% tags=["parameters"]
run_dir: str = ""  # folder of the run; empty: runs/alone here, earlier chapters made first at the smallest size
seed: int = 0  # seed of every random choice
profile: str = "quick"  # name of the parameter set, shown in the book
data: str = ""  # data folder; empty: the built-in simulated mountain
catalog: str = ""  # catalog.yml that describes the data folder; empty: the one inside it
n_jobs: int = 2  # processor cores to use
chunk: int = 0  # edge of a block of cells, for areas larger than memory (512 is good); 0: rasters in memory
n_classes: int = 5  # number of susceptibility classes
scheme: str = "fisher_jenks"  # how the class breaks are found
maps: str = "heldout"  # maps that are classed: by models that did not know the cells they map, or fitted to all landslides
breaks_from: str = ""  # breaks.json of another run whose class breaks are used; empty: own breaks
inventory: str = "auto"  # landslides counted; auto: detected ones, else reference

# %%
import numpy as np
import pandas as pd
from ckmeans import ckmeans
from rasterio.features import rasterize

from lsa_helpers import answers, classes, validation
from lsa_helpers.audit import audit
from lsa_helpers.errors import remarks
from lsa_helpers.paper import printed_table, published_table
from lsa_helpers.raster import cell_size, read_factors, write_raster
from lsa_helpers.runner.params import FrequencyRatioParams
from lsa_helpers.runner.pipeline import open_run
from lsa_helpers.samples import load_landslides, reproject_landslides
from lsa_helpers.show import classes as show
from lsa_helpers.show import published, style, webmap

style.use()
p = FrequencyRatioParams.from_cell(globals())
run = open_run(p, "06_frequency_ratio")

# %% [markdown]
# Chapter 5 made two maps of every model. The *fitted* one knows the landslides that are counted below, and a forest remembers them one by one: its
# highest class would hold what it learned by heart. Classes and ratios are therefore those of the *held-out* maps, in which no cell was known to
# its model; the fitted maps stand beside them under their name further down. Classed are the models of the paper (CNN, random forest and XGBoost); the
# baselines of chapter 5 have no classes here. The landslides become a raster too: a cell is landslide when its centre lies in a
# landslide, or when a landslide that is a point lies in it.

# %%
maps = classes.read_maps(run, p.maps, p.chunk)
landslides = load_landslides(run.need("inventory.gpkg", chapter="03_inventory"), p.inventory)
one_map = next(iter(maps.values()))
shapes = reproject_landslides(landslides, one_map).geometry
burnt = rasterize(shapes, one_map.shape, transform=one_map.rio.transform()) == 1
landslide = classes.known_landslides(burnt, one_map).values
cell_km2 = (cell_size(one_map) / 1000) ** 2
n_known = int(one_map.notnull().sum())
kind = {"heldout": "held out", "fitted": "fitted"}[p.maps]
print(f"Maps: {kind}. {landslide.sum():,} of {n_known:,} known cells, {landslide.sum() / n_known:.1%}, lie in {len(landslides)} {landslides.attrs['layer']} landslides.")

# %% [markdown]
# ## From a number to a class
#
# Where should one class end and the next begin? *Equal* breaks cut the range into equal parts; *quantile* breaks put equally many cells into each
# class; *Fisher–Jenks* breaks {cite:p}`fisher1958` make the cells of a class as alike as possible, by minimising the sum of squared deviations
# from the class means; *deviation* breaks step away from the mean by standard deviations, and *geometric* classes widen by one factor. Each is a
# line:

# %%
k = p.n_classes
steps = np.arange(1, k)
schemes = {
    "fisher_jenks": lambda v: [cells[-1] for cells in ckmeans(v, k)[:-1]],
    "equal": lambda v: np.linspace(v.min(), v.max(), k + 1)[1:-1],
    "quantile": lambda v: np.quantile(v, steps / k),
    "deviation": lambda v: np.clip(v.mean() + (steps - k / 2) * v.std(), v.min(), v.max()),
    # A map that reaches 0 has no geometric steps of its own.
    "geometric": lambda v: np.geomspace(max(v.min(), v.max() / 1000), v.max(), k + 1)[1:-1],
}

# %% [markdown]
# The paper classes its maps into five Fisher–Jenks classes. The classical algorithm looks at every pair of values and is only ever given a sample of
# the cells; that of {cite:t}`wang2011` finds the same best classes of a million sorted values in under a second, so all cells are used here (of
# a map of more than 10 million those of every nth row and column). The breaks are saved in `breaks.json`.

# %%
with remarks() as said:
    known = {model: classes.known_values(values, k) for model, values in maps.items()}
print(*dict.fromkeys(map(str, said)), sep="\n", end="")
if p.breaks_from:
    chosen = classes.read_breaks(p.breaks_from, k, maps)
else:
    breaks = {
        model: [float(value) for value in schemes[p.scheme](values)]
        for model, values in known.items()
    }
    chosen = {"scheme": p.scheme, "breaks": breaks}
run.write_json(chosen | {"n_classes": k}, "breaks.json")

names = classes.class_names(k)
upper = [f"{name} up to" for name in names[:-1]]
display(pd.DataFrame(chosen["breaks"], upper).rename(columns=style.MODEL_LABELS).round(2))
half = {model: names[np.digitize(0.5, chosen["breaks"][model], right=True)] for model in maps}
print(f"A cell of 0.5 is in the class {', '.join(f'{name} ({style.MODEL_LABELS[model]})' for model, name in half.items())}.")

# %% [markdown]
# The breaks of the models differ, because the maps do: a model that is sure of itself spreads its values towards 0 and 1. Classes of
# different models therefore share a name, not a threshold. To compare two runs class by class, give the second the breaks of the first with the
# parameter `breaks_from`. A cell on a break belongs to the class below it; unknown cells get class 0, which in the raster files means nodata.

# %% mystnb={"figure": {"caption": "Susceptibility classes of the models, the darker the higher. Outlined are the landslides that are counted below.", "name": "fig-06-classes"}, "image": {"alt": "Maps with the susceptibility classes of the models in five steps from pale grey blue to dark purple, landslides outlined in red orange"}}
class_maps = {}
for model, susceptibility in maps.items():
    class_maps[model] = classes.cut_classes(susceptibility, chosen["breaks"][model])
    write_raster(run.product(f"classes_{model}.tif"), class_maps[model])

style.save(show.class_maps(class_maps, landslides, n_classes=k), run, "classes")

# %% [markdown]
# Look for three things. Do the outlines lie in the dark classes? Where are there straight edges? Held-out maps are put together from as many models as there are
# folds, and each straight edge is the border of a block, where one model hands over to another: nothing on the ground is there. And how broken up
# is each map? The salt and pepper that the paper calls a pretzel look can be counted: the share of cells that have no neighbour of their own class.

# %%
speckles = pd.DataFrame({name: validation.texture(class_map) for name, class_map in class_maps.items()}).T
speckles = 100 * speckles.rename(style.MODEL_LABELS).sort_values("isolated")
display(speckles.set_axis(["Neighbours of another class (%)", "Cells alone in their class (%)"], axis=1).round(2))
alone = speckles["isolated"]
if len(alone) > 1 and alone.iloc[0] > 0:
    print(f"{alone.index[-1]} leaves {alone.iloc[-1] / alone.iloc[0]:.0f} times as many cells alone as {alone.index[0]}.")
print("A smooth map is easier to plan with, but smoothness is no proof of truth: the next section counts landslides.")

# %% [markdown]
# ## The frequency ratio
#
# Let $A_i$ be the area of class $i$ and $L_i$ the landslide area inside it. The frequency ratio compares two shares:
#
# $$
# \mathrm{FR}_i = \frac{L_i / \sum_j L_j}{A_i / \sum_j A_j}
# $$ (eq-06-fr)
#
# It has no unit. 1 means that the class holds exactly the landslides that its size would give it by chance; 3 means three times as many. The
# ratios of a map always average to 1 when weighted by area, so a map cannot have high ratios everywhere. Beside each number stands the one
# printed in the paper's Table 5, for another place and other landslides: context, not a target. Areas in km² are in `frequency_ratio.csv`.

# %%
def frequency_ratios(class_maps, landslide):
    """One row per model and class; class 0 is no class."""
    tables = {}
    for model, class_map in class_maps.items():
        cells = np.bincount(class_map.values.ravel(), minlength=k + 1)[1:]
        landslide_cells = np.bincount(class_map.values[landslide], minlength=k + 1)[1:]
        tables[model] = pd.DataFrame(
            {
                "susceptibility": names,
                "area_km2": cells * cell_km2,
                "area_ratio_pct": 100 * cells / cells.sum(),
                "landslide_area_km2": landslide_cells * cell_km2,
                "landslide_area_ratio_pct": 100 * landslide_cells / landslide_cells.sum(),
            }
        )
    table = pd.concat(tables, names=["model", "row"]).reset_index("model").reset_index(drop=True)
    return table.assign(fr=table["landslide_area_ratio_pct"] / table["area_ratio_pct"])


table = frequency_ratios(class_maps, landslide)
run.write_table(table, "frequency_ratio")

printed = published_table(5)
display(show.side_by_side(table, printed))

# %%
n_low = max(1, (k - 1) // 2)
for model, rows in table.groupby("model", sort=False):
    steady = "rise from class to class" if rows["fr"].dropna().is_monotonic_increasing else "do not rise in every step"
    shares = [f"{part['landslide_area_ratio_pct'].sum():.0f} % of the landslides on {part['area_ratio_pct'].sum():.0f} % of the land" for part in (rows.head(n_low), rows.tail(1))]
    print(f"{style.MODEL_LABELS[model]}: the ratios {steady}. The lowest {n_low} of {k} classes: {shares[0]}; {names[-1]}: {shares[1]}.")

# %% mystnb={"figure": {"caption": "Left, the share of the land that each class has; right, its frequency ratio on a logarithmic axis. A ratio of 0 is written out.", "name": "fig-06-fr"}, "image": {"alt": "Bars of the share of land of each susceptibility class by model, and beside them dots of its frequency ratio with a dashed line at one"}}
display(style.save(show.frequency_ratio_dots(table), run, "frequency_ratio"))
for place, rows in {"here": table, "printed": printed}.items():
    ratio = rows.groupby("model", sort=False)["fr"].last().sort_values(ascending=False)
    lead = f", {ratio.iloc[0] / ratio.iloc[1]:.1f} times the next" if len(ratio) > 1 and ratio.iloc[1] > 0 else ""
    print(f"Highest class with the highest ratio, {place}: {style.MODEL_LABELS[ratio.index[0]]}, {ratio.iloc[0]:.1f}{lead}.")

# %% [markdown]
# A useful map has ratios that rise from class to class, far below 1 at the low end and far above 1 at the high end, and the class with the highest ratio is
# large enough to matter: read each dot with the bar beside it. A "lowest" class that holds a good part of the landslides breaks its promise, however high the
# ratio at the other end. A small lead of one model may be chance: chapter 14 puts an interval around the landslides of each class. And the printed lead is of
# another place and of maps that may have known their landslides; what that is worth is next.
#
# ## What a map remembers
#
# Now the same table from the *fitted* maps, cut by their own breaks. Where the landslides counted are those the models learned from, this is a
# {term}`success rate`: it says how well a map fits, not how well it predicts. The difference of the two lines is memory, but not all of it is: held-out maps
# learned from less land and have seams, and the two highest classes differ in size.

# %%
fitted = {}
for model, susceptibility in classes.read_maps(run, "fitted", p.chunk).items():
    cut = schemes[p.scheme](classes.known_values(susceptibility, k))
    fitted[model] = classes.cut_classes(susceptibility, cut)
table_fitted = frequency_ratios(fitted, landslide)
run.write_table(table_fitted, "frequency_ratio_fitted")

both = pd.concat({kind: table, "fitted": table_fitted}, names=["Map", "row"]).reset_index()
both = both[both["susceptibility"] == names[-1]].replace({"model": style.MODEL_LABELS}).set_index(["model", "Map"])
both = both[["area_ratio_pct", "landslide_area_ratio_pct", "fr"]].sort_index().rename_axis(["Model", "Map"])
display(both.set_axis(["Land (%)", "Landslides (%)", "FR"], axis=1).round(1))
ratios = both["fr"].unstack("Map")
if kind != "fitted":
    left = (ratios[kind] / ratios["fitted"]).sort_values()
    print(f"Of the fitted map's ratio {left.index[0]} keeps {left.iloc[0]:.0%} on cells that it did not know ({ratios['fitted'][left.index[0]]:.1f} to {ratios[kind][left.index[0]]:.1f}), {left.index[-1]} {left.iloc[-1]:.0%}.")
    print(f"First by the fitted maps: {ratios['fitted'].idxmax()}; by the held-out ones: {ratios[kind].idxmax()}.")

# %% [markdown]
# The first line to ask for when somebody shows you a table of frequency ratios is therefore which landslides the model knew.
#
# One warning more. The ratio of the highest class mostly rises when the class gets smaller: a map that calls one per cent of the land "very high" can
# reach a ratio that a map with ten per cent never can. So look at the area beside it, or at the curve. On the simulated mountain the lines of this
# run count the *true* landslides, and the dotted one is a search in the order of the true probability, which no map can beat except by luck or by having known
# the landslides. (The printed curves are of another place, whose best nobody knows.)

# %% mystnb={"figure": {"caption": "Landslide area captured when the land is searched class by class, the most susceptible class first. Where the truth is known the true landslides are counted, and dotted is the best possible search for them.", "name": "fig-06-capture"}, "image": {"alt": "Line chart of landslide area captured against land area searched for the models of this run and as printed in the paper, with a dotted curve for the best possible search"}}
truth, best, counted = validation.read_truth(run.product("truth"), one_map), None, table
if truth is not None:
    known_truth = truth[["probability", "landslide"]].where(one_map.notnull()).to_dataframe().dropna()
    found = known_truth.sort_values("probability", ascending=False)["landslide"].cumsum().to_numpy(float)
    best = 100 * np.arange(1, found.size + 1) / found.size, 100 * found / found[-1]
    counted = frequency_ratios(class_maps, truth["landslide"].values)
    for model, rows in counted.groupby("model", sort=False):
        share, captured = rows[["area_ratio_pct", "landslide_area_ratio_pct"]].iloc[-1]
        print(f"{style.MODEL_LABELS[model]}: {captured:.0f} % of the true landslides on {share:.0f} % of the land; best possible there {np.interp(share, *best):.0f} %.")
style.save(show.capture_curves(counted, printed, best), run, "capture")

# %% [markdown]
# ## Would other breaks have another winner?
#
# The frequency ratio of the highest class depends on how small the breaks make it. Five ways to cut, the same maps, and the share of land and the
# ratio of the class that comes out highest.

# %%
rows = []
for scheme, find_breaks in schemes.items():
    for model, susceptibility in maps.items():
        highest = susceptibility.values > find_breaks(known[model])[-1]
        shares = {
            "area_pct": 100 * highest.sum() / int(susceptibility.notnull().sum()),
            "landslides_pct": 100 * highest[landslide].mean(),
        }
        rows.append({"scheme": scheme, "model": model} | shares)
sensitivity = pd.DataFrame(rows)
sensitivity["fr"] = sensitivity["landslides_pct"] / sensitivity["area_pct"]
sensitivity["rank"] = (
    sensitivity.groupby("scheme")["fr"].rank(ascending=False, method="min").astype("Int64")
)
run.write_table(sensitivity, "scheme_sensitivity")
display(show.sensitivity_table(sensitivity))

# %%
first = sensitivity.loc[sensitivity["rank"] == 1, "model"].map(style.MODEL_LABELS).value_counts()
print(f"Rank 1 with {', '.join(f'{count} of the {len(schemes)} breaks: {model}' for model, count in first.items())}. {'So the ranking is one of breaks, not of models alone.' if len(first) > 1 else 'The breaks do not change who is first.'}")
for model, rows in sensitivity.dropna(subset="fr").groupby("model", sort=False):
    smallest = rows.loc[rows["area_pct"].idxmin()]
    falls = "also the highest ratio" if smallest["fr"] == rows["fr"].max() else "not the highest ratio: where this map is surest, it is not most often right"
    print(f"{style.MODEL_LABELS[model]}: ratios from {rows['fr'].min():.1f} to {rows['fr'].max():.1f}; its smallest highest class ({smallest['area_pct']:.1f} % of the land) has {falls}.")

# %% [markdown]
# ## Checking a printed table
#
# A table of frequency ratios checks itself: the ratios follow from the areas. Printed numbers are rounded, so each stands for an interval; a
# printed ratio is possible if it meets the interval that the printed areas allow. Here is what the paper's Table 5 cannot be, and what it leaves open
# to question:

# %%
findings = audit(printed_table(5))
display(published.told(findings, "impossible", "noted"))
print(f"Printed numbers that cannot be: {(findings['verdict'] == 'impossible').sum()}; questions to ask the authors: {(findings['verdict'] == 'noted').sum()}.")

# %% [markdown]
# What cannot be is out by less than a hundredth here: a slip of rounding. The remarks weigh more, for a class that is called very low and holds a good
# part of the landslides is no safe ground. The chapter *What a printed table tells* shows how this is found and how much more there
# is in a table; `lsa audit FILE.csv` does it for your own table, or for one you are asked to review.
#
# ## Look at it yourself
#
# Choose a layer, lay a second one beside it and move the divider between them; a click tells the classes and the values of a cell. Everything works by
# keyboard too. The map carries all it needs in the page, here as in the book, without a network; the figure at the start of this chapter is its picture.

# %%
relief = style.relief(read_factors(run.need("factors.tif", chapter="01_data"), chunk=p.chunk))
of_classes = {"kind": "ordinal", "classes": dict(enumerate(names, start=1))}
layers = {
    "Susceptibility class": {model: class_map.assign_attrs(of_classes) for model, class_map in class_maps.items()},
    f"Susceptibility ({p.maps})": maps,
}
webmap.web_map(relief, layers, landslides=[landslides])

# %% [markdown]
# ## Try it
#
# ```{exercise-start}
# :label: ex-06-weighted-mean
# ```
#
# The text says that the frequency ratios of a map average to 1 when weighted by area. Check it for each model, and say from equation
# {eq}`eq-06-fr` why it must be so.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-06-weighted-mean
# :class: dropdown
# ```
#
# The area cancels: $\sum_i \mathrm{FR}_i \, A_i / \sum_j A_j = \sum_i L_i / \sum_j L_j = 1$.

# %%
weighted = (table["fr"] * table["area_ratio_pct"] / 100).groupby(table["model"]).sum()
print(", ".join(f"{style.MODEL_LABELS[model]} {mean:.6f}" for model, mean in weighted.items()))

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start}
# :label: ex-06-density
# ```
#
# Of a hundred hectares of the highest class, how many are landslide? Work it out for each model from its frequency ratio alone and from the share of all land
# that is landslide, and only then look at the areas.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-06-density
# :class: dropdown
# ```
#
# The ratio says how many times denser landslides are in the class than on all land, so ratio times share of all land is the density. A high ratio sounds like
# much; how many hectares of the class are still no landslide is the number a council needs.

# %%
highest = table.groupby("model", sort=False).last()
overall = table.groupby("model")["landslide_area_km2"].sum() / table.groupby("model")["area_km2"].sum()
density = 100 * highest["fr"] * overall.reindex(highest.index)
assert np.allclose(density, 100 * highest["landslide_area_km2"] / highest["area_km2"], equal_nan=True)
answers.record(run, "ex-06-density", float(density.fillna(0).iloc[0]), within=0.5, what=f"hectares of {style.MODEL_LABELS[density.index[0]]}")
for model, hectares in density.items():
    print(f"{style.MODEL_LABELS[model]}: {highest.loc[model, 'fr']:.1f} times {100 * overall[model]:.2f} % of all land is {hectares:.1f} ha of landslide in 100 ha; {100 - hectares:.0f} ha are none.")

# %% [markdown]
# ```{solution-end}
# ```
#
# Three changes to try, each a command in a terminal. It repeats the chapter beside the book's run, which stays as it is, and prints the page's
# numbers and yours.
#
# - `lsa try quick 06 -p scheme quantile`: classes of one size. What happens to the highest class, its area and its ratio?
# - `lsa try quick 06 -p n_classes 7`: finer classes. Open your figure of the ratios: do they still rise from class to class?
# - `lsa try quick 06 -p inventory reference`: count the reference landslides in place of the detected ones. Which model is first now?

# %% [markdown]
# ## Summary

# %%
best = table.groupby("model")["fr"].last().idxmax()
print(f"{names[-1]} of {style.MODEL_LABELS[best]}, {kind}: {highest.loc[best, 'fr']:.1f} times as many landslides as its size would give it, on {highest.loc[best, 'area_ratio_pct']:.0f} % of the land.")
print(f"Its fitted map would claim {ratios.loc[style.MODEL_LABELS[best], 'fitted']:.1f}; another cut of the same map gives {sensitivity.loc[sensitivity['model'] == best, 'fr'].min():.1f} to {sensitivity.loc[sensitivity['model'] == best, 'fr'].max():.1f}.")

# %% [markdown]
# Each of these models has a class raster `classes_*.tif` (1 is the lowest class, 0 is nodata), its breaks in `breaks.json`, and its rows in the table
# `frequency_ratio.csv`. Classes make a map readable; the frequency ratio with its area says what they are worth.
#
# ## What's next
#
# Chapter 7 asks which factors moved each cell up or down.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`yao2026,fisher1958,wang2011`.
