# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # How the mountain was made
#
# ## Overview
#
# Most of this book is about a mountain that does not exist. It is made by a small part of this book's code, so all that maps can only suggest is known of
# it: why a slope failed, what each factor truly does, and how good a map can be. This page makes the mountain of this run once more and shows its
# rules. Read it before chapter 1 to know what the other chapters are held against, or after chapter 7 to see whether you guessed right.
#
# | you will learn | the experiment that shows it |
# |---|---|
# | how a landscape is grown whose valleys drain | the mountain of this run, made once more |
# | which rule decides where a landslide starts | the factor of safety along one line across the mountain |
# | what each factor truly does | true partial effects of all causes, on one scale; {ref}`exercise <ex-mountain-calm>`: had the earth not shaken |
# | what was put in on purpose so that methods can fail | the error of each factor against the truth beneath it |
#
# **Before you start** it helps to know the {term}`factor of safety`, defined below, and {term}`log-odds`: 0 is one to one, and +1 makes the odds 2.7
# times as high.
#
# **Time to learn** about 25 minutes. It runs in half a minute at the size `quick`.

# %% tags=["parameters"]
run_dir: str = ""  # folder of a run that made its own mountain; empty: the working directory

# %%
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import yaml
from scipy.special import expit, logit

from lsa_helpers.mountain import (
    climate,
    geology,
    landscape,
    landslides,
    make_mountain,
    shapley,
    stability,
)
from lsa_helpers.raster import cell_size, on_grid, read_factors, read_raster
from lsa_helpers.run import Run
from lsa_helpers.runner.params import MountainParams
from lsa_helpers.show import mountain as show
from lsa_helpers.show import style
from lsa_helpers.validation import bounds

style.use()
p = MountainParams.from_cell(globals())
run = Run(Path(p.run_dir))

# %% [markdown]
# ## The same mountain again
#
# A seed and two lengths are all it takes. The run's parameters name them; the same seed gives the same mountain.

# %%
kept = read_raster(run.need("truth/source.tif", chapter="01_data"))["source"]
settings = yaml.safe_load((run.path / "params.yml").read_text(encoding="utf-8"))
seed, size = settings["shared"]["seed"], settings["01_data"]
mountain = make_mountain(size["width_km"], size["height_km"], seed)
layers = mountain.layers
print(f"Seed {seed}, {size['width_km']:g} × {size['height_km']:g} km, cells of {cell_size(layers):g} m.")
print(f"Largest difference to the probability that the run keeps: {float(np.abs(kept - mountain.source).max()):.0e}.")

# %% [markdown]
# ## Terrain and rock
#
# Bands of rock are laid along a strike from north-west to south-east, folded, and shifted along a fault. Then the land rises, and rivers cut into it:
#
# $$ \frac{\partial z}{\partial t} = U - K A^{0.4} S + D \nabla^2 z $$
#
# with the height $z$ (m), uplift $U$ (m/yr), {term}`catchment area` $A$ (m²), the slope along the flow $S$, erodibility $K$ (larger in weak rock) and
# the creep of soil $D$ (m²/yr), solved as {cite:t}`braun2013` do. Hillslopes that would become steeper than their rock allows fail and stay near
# that threshold {cite:p}`burbank1996`. It begins with cells of 100 m, and three times the cells are halved. So every cell drains to the border, as on a
# real mountain and unlike in blurred noise. Roads are the cheapest paths between villages on gentle ground.

# %% mystnb={"figure": {"caption": "Left, the relief with rivers and roads; right, the rocks, shifted along the main fault.", "name": "fig-mountain-relief"}, "image": {"alt": "Two maps of the simulated mountain side by side, grey relief with a tree of rivers and a few roads, and bands of rock in pale colours cut by fault lines"}}
style.save(show.relief_and_rocks(mountain, dict(geology.ROCKS["name"])), run, "mountain_relief")

# %%
slope, rock = layers["slope"].values, layers["rocks"].values
low, high = layers["elevation"].values.min(), layers["elevation"].values.max()
found = {int(code): geology.ROCKS["name"][code] for code in np.unique(rock)}
rocks = geology.ROCKS.loc[list(found)].assign(share=[np.mean(rock == code) for code in found], slope=[slope[rock == code].mean() for code in found])
rocks.columns = ["rock", "cohesion (kPa)", "friction angle (°)", "erodibility", "share of the land", "mean slope (°)"]
display(rocks.style.hide(axis="index").format({"share of the land": "{:.0%}"}, precision=1, escape="html"))
weak, strong = (rocks.loc[rocks["friction angle (°)"].drop(6, errors="ignore").agg(which)] for which in ("idxmin", "idxmax"))
print(f"The land lies between {low:.0f} and {high:.0f} m. Half of it is steeper than {np.median(slope):.0f}°, {np.mean(slope > 40):.0%} steeper than 40°.")
print(f"{weak['rock'].capitalize()} stands at {weak['mean slope (°)']:.0f}° on average, {strong['rock']} at {strong['mean slope (°)']:.0f}°: slopes have adjusted to their rock.")

# %% [markdown]
# ## What decides: a slope without end
#
# Whether soil slides is decided as in the simplest model that engineers have, the {term}`infinite slope` {cite:p}`skempton1957`: soil of one depth on
# a long slope, what holds it divided by what pulls. Shaking is a constant force {cite:p}`newmark1965`. The factor of safety is
#
# $$
# FS = \frac{\dfrac{c}{\gamma z} + \left[\cos^2\beta \left(1 - m \dfrac{\gamma_w}{\gamma}\right) - k \sin\beta \cos\beta\right] \tan\varphi}{\sin\beta \cos\beta + k \cos^2\beta}
# $$ (eq-mountain-fs)
#
# with cohesion, wetness and shaking
#
# $$
# \begin{aligned}
# c &= c_\text{rock}\,(1 - 0.45\,e^{-d_\text{fault}/900}) + c_\text{roots}\,\text{NDVI} \\
# m &= 0.25 + 0.2\,(\text{TWI} - 4) + 0.0012\,(R - 900) + 0.12\,\kappa - 0.06\,s \\
# k &= 0.55\,\text{PGA}\,(1 + 0.35\,H)\,(1 + 0.1\,s)
# \end{aligned}
# $$ (eq-mountain-terms)
#
# | symbol | what it is | unit |
# |---|---|---|
# | $\beta$ | slope, mean of the cell and of 60 m around it | ° |
# | $c_\text{rock}$, $c_\text{roots}$ | cohesion of the rock unit; of the roots of the land cover where NDVI is 1 | kPa |
# | $d_\text{fault}$ | distance to the nearest fault, near which rock is broken | m |
# | $\varphi$ | friction angle of the rock unit | ° |
# | $m$ | wet share of the soil, within 0 to 1 | – |
# | $R$ | rainfall | mm/yr |
# | $\kappa$ | hollows: curvature of the smoothed ground, within −3 to 3 | 1/100 m |
# | $s$ | sunny side: 1 faces south, −1 north | – |
# | $k$ | seismic coefficient, with PGA the peak ground acceleration | –, g |
# | $H$ | height above the ground within 300 m, which amplifies shaking {cite:p}`meunier2008`; its bracket is within 0.6 to 1.7 | 100 m |
# | $z$ | depth of soil, 2 everywhere | m |
# | $\gamma$, $\gamma_w$ | weight of soil, 19, and of water, 9.81 | kN/m³ |
#
# Here is this formula in NumPy, for all cells at once. The second line printed holds it against the mountain's own code.

# %%
features = stability.stability_features(layers, seed)
terms = stability.stability_terms(features)
t = {name: values for group in terms.values() for name, values in group.items()}
cohesion = t["cohesion"] * t["intact"] + t["roots"] * t["green"]
wet = np.clip(t["wet"] + t["rain"] + t["curve"] - 0.06 * t["south"] + 0.25, 0, 1)
k = t["shaking"] * t["amplified"] * (1 + 0.1 * t["south"])
sine, cosine = t["sine"], t["cosine"]
normal = cosine**2 * (1 - wet * stability.WATER_WEIGHT / stability.SOIL_WEIGHT) - k * sine * cosine
holds = np.maximum(cohesion / (stability.SOIL_WEIGHT * stability.SOIL_DEPTH) + normal * t["friction"], 0.02)
safety = holds / (sine * cosine + k * cosine**2)

core = -8 * np.log(safety) - t["bare"] - t["no_soil"]
print(f"On half of the land k is below {np.median(k):.2f} and the soil is wet to less than {np.median(wet):.0%}; FS is below 1 on {np.mean(safety < 1):.0%} of it.")
print(f"Largest difference to `core_log_odds`: {np.abs(core - stability.core_log_odds(terms)).max():.0e}.")

# %% [markdown]
# A low factor of safety makes a landslide likely, not certain. The {term}`log-odds` that one starts in a cell are
#
# $$ \ln\frac{p}{1-p} = a - 8 \ln FS + w \left(2.4\,e^{-d_\text{road}/150} + 2.0\,e^{-d_\text{river}/250}\right) - b + h $$ (eq-mountain-odds)
#
# Road cuts and river banks count only where the slope around is steep: $w = 1/(1 + e^{-(\beta_{60} - 28)/4})$ rises from 0 to 1 around 28° of mean slope within 60 m. $b$ stands for ground without soil, above about 50°, and for water and ice.
# The **{term}`hidden field`** $h$ is a smooth random field that no layer shows, as there always is something that
# nobody has mapped: the depth of soil, an old slip surface. And $a$ is set so that 2.95 landslides per km² are expected, the density of the paper's inventory.
#
# ## From a chance to landslides
#
# Their number is drawn (Poisson), and for each an area from an inverse-gamma law {cite:p}`malamud2004` and a place in proportion to $p$. From there it runs
# down the slope as a tongue until the line to its start is gentler than the {term}`reach angle` of 20° {cite:p}`corominas1996`, and it keeps 12.5 m from the others. Older scars are drawn in the
# same way and painted half overgrown into the images. The {term}`oracle`, the probability of *lying* in a landslide, follows from $p$ by the same run-out.

# %%
ids = landslides.landslide_ids(mountain.landslides, layers.rio.transform(), layers["slope"].shape)
slide = ids > 0
height, width = (round(n * 0.1**0.5) for n in slide.shape)
sums = np.pad(slide.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
inside = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
row, col = np.unravel_index(inside.argmax(), inside.shape)
cluster = np.zeros(slide.shape, bool)
cluster[row : row + height, col : col + width] = True
place = layers["slope"][row : row + height, col : col + width].rio.bounds()

# %% mystnb={"figure": {"caption": "What decides. Top, the true shaking with the stations that measured it, and the hidden field; below, the factor of safety, and how many landslides are expected to start on a square kilometre, with those that did. The box is the tenth of the land with the most of them.", "name": "fig-mountain-causes"}, "image": {"alt": "Four maps of the simulated mountain, the shaking as a smooth gradient with a few triangles, the hidden field as soft patches, the factor of safety and the expected landslide starts, on which outlines crowd in one box"}}
hidden = on_grid(t["hidden"], layers, "hidden")
display(style.save(show.causes(mountain, hidden, on_grid(safety, layers, "safety"), place), run, "mountain_causes"))
area = mountain.landslides["area_m2"]
expected = float(mountain.source.sum())
print(f"{expected:.0f} landslides were expected, {len(area)} were drawn: {slide.mean():.1%} of the land, {area.median():.0f} m² in the middle, the largest {area.max():.0f} m².")
print(f"The factor of safety is below 1 on {np.mean(safety[slide] < 1):.0%} of the landslides' cells; on the others chance decided, or the run-out.")
print(f"A cell with FS below 1 lies in a landslide in {slide[safety < 1].mean():.0%} of the cases, any other in {slide[safety >= 1].mean():.1%}.")
print(f"The hidden field has a standard deviation of {t['hidden'].std():.2f}: one such step makes the odds {np.exp(t['hidden'].std()):.1f} times as high.")

# %% [markdown]
# ## One line across it
#
# The line runs from west to east through the row of cells that crosses the most landslide ground.

# %% mystnb={"figure": {"caption": "A section from west to east. Shaded where the line crosses a landslide. Heights are exaggerated.", "name": "fig-mountain-section"}, "image": {"alt": "Three line charts above each other along one line through the mountain, the height of the ground, the factor of safety and the true probability of a landslide, with the crossed landslides shaded"}}
line = int(slide.sum(axis=1).argmax())
along = pd.DataFrame({"km": (layers.x.values - layers.x.values[0]) / 1000, "height": layers["elevation"].values[line], "safety": safety[line]})
along = along.assign(probability=mountain.probability.values[line], landslide=slide[line])
display(style.save(show.section(along), run, "mountain_section"))
there, elsewhere = along[along["landslide"]], along[~along["landslide"]]
print(f"{along['landslide'].mean():.0%} of the line is landslide. There the median factor of safety is {there['safety'].median():.2f}, elsewhere {elsewhere['safety'].median():.2f}.")
print(f"The median probability is {there['probability'].median():.2f} there, and {elsewhere['probability'].median():.3f} elsewhere.")
print(f"{np.mean(elsewhere['safety'] < 1):.0%} of the ground that stands has FS below 1: chance spared it.")

# %% [markdown]
# ## What each cause truly does
#
# Set one factor to the same value in a thousand cells, leave all else as it is, and average the log-odds: that is a *partial dependence*
# {cite:p}`friedman2001`, here of the truth. Chapter 7 draws such curves of models. Above each panel stands the share of the variance
# of the true log-odds that the factor carries over this land (from true Shapley values, as in chapter 7; a share may be negative).

# %%
cells = shapley.at_cells(features, np.random.default_rng([seed, 13]).choice(slide.size, 1000, replace=False))
base = stability.log_odds(cells).mean()


def effect(factor: str, **values: float) -> float:
    """Mean log-odds with one factor the same in all cells, less that of the land as it is."""
    same = {name: np.full(1000, value) for name, value in values.items()}
    return float(stability.log_odds(cells | {factor: same}).mean() - base)


asked = {"slope": "Slope (°)", "pga": "PGA (g)", "hidden": "Hidden field", "distance_to_fault": "Distance to fault (m)", "rainfall": "Rainfall (mm/yr)"}
asked |= {"twi": "Wetness index", "ndvi": "NDVI", "plan_curvature": "Hollows (1/100 m)", "aspect": "Facing south (−1 to 1)", "altitude": "Above its surroundings (100 m)"}
asked |= {"distance_to_river": "Distance to river (m)", "distance_to_road": "Distance to road (m)"}
curves = {}
for factor, label in asked.items():
    names = list(features[factor])  # slope: that of the cell and that around it
    grid = np.linspace(*np.quantile(features[factor][names[0]], [0.01, 0.99]), 40)
    curves[label] = pd.DataFrame({"value": grid, "effect": [effect(factor, **dict.fromkeys(names, value)) for value in grid]})
kinds = [(name, effect("lithology", cohesion=geology.ROCKS["cohesion"][code], friction=geology.ROCKS["friction"][code])) for code, name in found.items()]
curves["Lithology"] = pd.DataFrame(kinds, columns=["value", "effect"])
covers = [code for code in np.unique(layers["cover"]) if code not in (60, 100)]
kinds = [(landscape.LAND_COVER["name"][code], effect("lulc", roots=landscape.LAND_COVER["roots"][code], no_soil=0.0)) for code in covers]
curves["Land cover"] = pd.DataFrame(kinds, columns=["value", "effect"])

# %% mystnb={"figure": {"caption": "True partial effects of all causes on the log-odds that a landslide starts, on one scale; a curve covers 98 % of the land.", "name": "fig-mountain-effects"}, "image": {"alt": "Fourteen small panels with one curve or a row of points each, rising steeply for slope and shaking, falling with distance to a fault, nearly flat for most others"}}
effects = json.loads(run.need("truth/effects.json", chapter="01_data").read_text(encoding="utf-8"))
labels = asked | {"lithology": "Lithology", "lulc": "Land cover"}
shares = pd.Series(effects["covariance_share"]).rename(labels).sort_values(ascending=False)
ordered = {label: curves[label] for label in shares.index if label in curves}
display(style.save(show.effects(ordered, shares), run, "mountain_effects"))
run.write_table(pd.concat(curves, names=["cause"]).reset_index(level=0), "mountain_effects")
reach = {label: curve["effect"].max() - curve["effect"].min() for label, curve in curves.items()}
strong = list(ordered)[:4]
print(f"{', '.join(strong)} carry {shares[strong].sum():.0%} of the variance together. Profile curvature and ruggedness (TRI) are not in the rules at all.")
near, road = layers["road"].values < 150, labels["distance_to_road"]
rest = stability.log_odds(features | {"distance_to_road": {"road": np.full_like(safety, 1e5)}})
print(f"A road raises the log-odds by up to {reach[road]:.1f}. Without that, land within 150 m of one would have {rest[near].mean() - rest[~near].mean():+.1f} log-odds against other land, because roads choose their ground.")
print(f"The share of distance to road is {shares[road]:.1%}: a model that makes more of it has found a place, not a cause.")

# %% [markdown]
# ## One place holds most of it
#
# Causes that vary smoothly meet in one place. The box on the map is the tenth of the land, in the map's own proportions, that holds the most landslide ground.

# %%
values = read_raster(run.need("truth/shapley.tif", chapter="01_data"))
why = pd.Series({labels.get(name, name): float(band.values[cluster].mean() - band.values[~cluster].mean()) for name, band in values.items()})
why = why.sort_values(ascending=False)
held = slide[cluster].sum() / slide.sum()
order = np.argsort(-mountain.probability.values.ravel())
tenths = [slide.ravel()[part].sum() / slide.sum() for part in np.array_split(order, 10)]
run.write_table(pd.DataFrame({"tenth": range(1, 11), "landslides": tenths}), "mountain_tenths")
print(f"The box is {cluster.mean():.0%} of the land and holds {held:.0%} of the landslide area. It is likelier to fail than the rest by {why.sum():.1f} log-odds.")
print("Most of that comes from " + ", ".join(f"{name} ({gain:+.1f})" for name, gain in why.head(3).items()) + ".")
print(f"Ranked by the true probability, the first tenth of the land holds {tenths[0]:.0%} of the landslide area, the second {tenths[1]:.0%}, the last five together {sum(tenths[5:]):.1%}.")

# %% [markdown]
# The more one place holds, the more a score of a map is a score of finding that place. Then position alone gets far, neighbouring samples resemble each other, and folds that cut the
# box test on what they learned. Chapters 5 and 9 come back to it.
#
# ## What is wrong on purpose
#
# The models do not get these layers. They get maps as offices deliver them: shaking known at a few stations, rainfall in cells of about a kilometre, rocks
# drawn at 1:200,000, land cover with wrong patches, NDVI with noise. The table holds each factor against the truth beneath it.

# %%
factors = read_factors(run.need("factors.tif", chapter="01_data"))
rows = []
for layer, factor in ({"elevation": "altitude", "slope": "slope"} | bounds.SHOWN_BY).items():
    if factor not in factors:
        continue
    given = factors[factor]
    true = layers[layer].rio.reproject_match(given).values * (climate.GRAVITY if layer == "pga" else 1)
    known = np.isfinite(given.values)
    gap = given.values[known] - true[known]
    row = {"factor": given.attrs["long_name"], "unit": given.attrs["units"]}
    if given.attrs["kind"] == "categorical":
        rows.append(row | {"unit": "class", "wrong cells": np.mean(gap != 0)})
    else:
        rows.append(row | {"error": np.sqrt(np.mean(gap**2)), "bias": gap.mean(), "spread of the truth": true[known].std()})
columns = ["factor", "unit", "error", "bias", "spread of the truth", "wrong cells"]
errors = pd.DataFrame(rows, columns=columns).assign(ratio=lambda table: table["error"] / table["spread of the truth"])
run.write_table(errors, "mountain_layers")
errors.rename(columns={"error": "error (rms)", "ratio": "error / spread"}).style.hide(axis="index").format({"wrong cells": "{:.1%}"}, precision=2, na_rep="–", escape="html")

# %%
sites = gpd.GeoSeries(gpd.points_from_xy(mountain.stations["lon"], mountain.stations["lat"]), crs=4326).to_crs(layers.rio.crs)
pga = mountain.stations["pga"].to_numpy()
weights = 1 / np.square([sites.distance(site) for site in sites]).clip(1)
np.fill_diagonal(weights, 0)
left_out = np.sqrt(np.mean((weights @ pga / weights.sum(axis=1) - pga) ** 2))
left, bottom, right, top = layers.rio.bounds()
on_map = len(sites.cx[left:right, bottom:top])
span = np.ptp(layers["pga"].values) * climate.GRAVITY
print(f"Shaking: {on_map} of {len(sites)} stations stand on the map. Leaving each out in turn, the others miss it by {left_out:.0f} cm/s²; the true shaking spans {span:.0f} on the map.")
for _, worst in errors.nlargest(1, "ratio").iterrows():
    print(f"Farthest from its truth, against its spread, is {worst['factor']}: its error is {worst['ratio']:.2f} times the spread.")
cover = layers["cover"].values
print(f"Traps for the detector: {len(mountain.scars)} old scars on {mountain.scars.area.sum() / 1e6:.2f} km² (the landslides: {area.sum() / 1e6:.2f} km²), fields on {np.mean(cover == 10):.1%} of the land and bare rock on {np.mean(cover == 90):.1%}.")
print(f"Gravel bars, torrents, quarries and cut slopes along {mountain.lines['roads'].length.sum() / 1000:.0f} km of road look bare too, and one landslide in seven keeps much of its plants.")

# %% [markdown]
# ## The two bounds
#
# Two scores say how good a map can be. The **{term}`oracle`** knows everything: the hidden field and the true shaking. The **{term}`reachable bound`** knows the rules of
# this page, but sees only the layers with the errors of the table. Their difference is what these maps do not show. Chapter 1 draws ten
# inventories anew on this same mountain and scores both on each: mean and standard deviation.

# %%
redrawn = effects.get("redrawn_auc", {})  # the oracle alone where chapter 1 left factors out that the rules need
for name in [word for word in ("oracle", "reachable", "difference") if word in redrawn]:
    print(f"{name}: AUC {redrawn[name]['mean']:.3f} ± {redrawn[name]['std']:.3f}")

# %% [markdown]
# ## Try it
#
# ```{exercise-start}
# :label: ex-mountain-calm
# ```
#
# How many landslides would this mountain expect had the earth not shaken? Guess, then set the shaking in `features` to zero, with the same constant $a$.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-mountain-calm
# :class: dropdown
# ```

# %%
odds = stability.log_odds(features).astype(float)
constant = np.median(logit(mountain.source.values) - odds)
calm = stability.log_odds(features | {"pga": {"pga": np.zeros_like(safety)}}) + constant
print(f"{expit(calm).sum():.1f} in place of {expit(odds + constant).sum():.0f}.")

# %% [markdown]
# ```{solution-end}
# ```
#
# For another mountain: `lsa run quick --until 01 -p seed 7 --out runs/seven`, then `papermill notebooks/mountain.ipynb out.ipynb -p run_dir runs/seven`.
#
# ## Summary
#
# The mountain is eroded, shaken and rained on; a factor of safety and a hidden field decide how likely each cell is to fail, and chance decides the rest. A few causes
# do most of the work and meet in one place. The models see them through layers with errors. All of it is written in `products/truth/`.
#
# It is a mountain by our rules: what works here is not proven to work in your valley.
#
# ## What's next
#
# Chapter 1 reads the mountain's files as if they were anybody's, and makes the fifteen factors.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`braun2013,burbank1996,skempton1957,newmark1965,meunier2008,malamud2004,corominas1996,friedman2001`. The
# formulas stand beside their code in `lsa_helpers.mountain`, on the pages *The module*.
