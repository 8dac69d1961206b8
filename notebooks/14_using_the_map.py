# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 14 Using the map
#
# ## Overview
#
# A planner, a road office or a civil protection officer does not ask for an AUC. They ask how much of this class is landslide, which road lies in it,
# whether another model would have said the same, and what may be decided with it. This chapter turns the classes of chapter 6 into such answers and
# writes them down where they are needed: as a QGIS project with its styles, and as a map sheet. It goes beyond {cite:t}`yao2026`.
#
# | you will learn | the experiment that shows it |
# |---|---|
# | how to say a class in hectares and kilometres | landslides and roads counted in each class, with intervals; {ref}`exercise <ex-14-number>`: three numbers for one plan |
# | how much of the answer is the choice of the model | the classes of the models laid over each other; {ref}`exercise <ex-14-three-maps>`: two lists |
# | what a zone is, and what becomes of the map in it | a least area, and slope units; `lsa try quick 14 -p zone_area_m2 40000` |
# | what can be decided with such a map, and what cannot | class by class, on a map sheet to hand on |
#
# **Before you start** you need chapter 6, or its classes (made first at the smallest size when you open this chapter alone). Why maps are held out
# (chapters 5 and 9) is repeated below in two sentences.
#
# **Time to learn** about 25 minutes to read, half an hour for the exercises. The time to run is on the page *How long it took*.

# %% tags=["parameters"]
run_dir: str = ""  # folder of the run; empty: runs/alone here, earlier chapters made first at the smallest size
seed: int = 0  # seed of every random choice
profile: str = "quick"  # name of the parameter set, shown in the book
data: str = ""  # data folder; empty: the built-in simulated mountain
catalog: str = ""  # catalog.yml that describes the data folder; empty: the one inside it
n_jobs: int = 2  # processor cores to use
chunk: int = 0  # edge of a block of cells, for areas larger than memory (512 is good); 0: rasters in memory
inventory: str = "auto"  # landslides that are counted; auto: known and detected ones, as far as there are any
zone_area_m2: float = 10000.0  # smallest zone of a plan, m²; smaller patches join their largest neighbour
sheet_model: str = ""  # model of the map sheet; empty: the one whose highest class has the most landslide to the area
trigger: str = ""  # event that set off the landslides of the inventory, for the map sheet, such as "earthquake of 5 September 2022"
surveyed: str = ""  # date of the images or field work behind the inventory; empty: date of the scene in the catalog

# %%
import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from rasterio.features import rasterize, sieve
from scipy.ndimage import label

from lsa_helpers import answers, classes, samples, validation
from lsa_helpers.errors import InputError
from lsa_helpers.raster import cell_size, on_grid, read_factors, read_raster, rowcol, write_raster
from lsa_helpers.run import whole_file
from lsa_helpers.runner.params import UseParams
from lsa_helpers.runner.pipeline import open_catalog, open_run
from lsa_helpers.show import qgis, sheet, style, webmap
from lsa_helpers.show import use as show
from lsa_helpers.sources import is_raster, read_features

style.use()
p = UseParams.from_cell(globals())
run = open_run(p, "14_using_the_map")

# %% [markdown]
# The classes are those of the *held-out* maps: in each block of ground the model did not know the landslides that are counted there. Counted on the map
# that was fitted to them, a class holds what the model learned by heart, and every number of this chapter would promise too much (exercise 2).

# %%
factors = read_factors(run.need("factors.tif", chapter="01_data"))
cut = run.read_json("breaks.json")
k, names = cut["n_classes"], classes.class_names(cut["n_classes"])
models = [name for name in classes.MODELS if run.has(f"classes_{name}.tif")]
class_maps = {name: next(iter(read_raster(run.product(f"classes_{name}.tif")).values())) for name in models}
grid = class_maps[models[0]]
known = np.logical_and.reduce([class_map.values > 0 for class_map in class_maps.values()])
number = {name: class_map.values[known] for name, class_map in class_maps.items()}  # class of each known cell
cell_ha = cell_size(grid) ** 2 / 1e4
heldout = classes.read_maps(run, "heldout")
honest = all((classes.cut_classes(heldout[name], cut["breaks"][name]) == class_maps[name]).all() for name in models)
if not honest:
    print("Chapter 6 classed the fitted maps: every count below holds what the models learned by heart.")

# %%
file = run.need("inventory.gpkg", chapter="03_inventory")
is_true = run.has("truth/landslides.gpkg")
layers = {}
for layer in gpd.list_layers(file)["name"] if p.inventory == "auto" else [p.inventory]:
    if p.inventory == layer or len(gpd.read_file(file, layer=layer)):
        layers[layer] = samples.reproject_landslides(samples.load_landslides(file, layer), grid)
words = {"reference": "true" if is_true else "known", "detected": "detected"}
print(f"{known.sum() * cell_ha:.0f} ha in {k} classes by {', '.join(style.MODEL_LABELS[name] for name in models)}.")
print("; ".join(f"{len(layer)} {words[name]} landslides" for name, layer in layers.items()) + ".")

# %% [markdown]
# ## How much of a class is landslide
#
# The frequency ratio says how a class compares with the mean of the land. An office needs the plain number: of 100 hectares of this class, how many are
# landslide *today*? Of an inventory of points it is the number of landslides to 100 hectares, a square kilometre. The interval draws the blocks of
# ground of chapter 5 again, as chapter 9 does: cells side by side are no independent evidence.

# %%
y, x = np.nonzero(known)
about_samples = pd.read_parquet(run.need("samples.parquet", chapter="05_susceptibility")).attrs
block_m, taught = about_samples["block_m"], about_samples["inventory"]  # the layer that the models learned from
block = validation.block_numbers(grid.x.values[x], grid.y.values[y], block_m)
draws = validation.draw_blocks(block.max() + 1, validation.N_DRAWS, p.seed)


def in_cells(landslides):
    """Landslide in each known cell: hectares of polygons, or the number of points."""
    if (landslides.geom_type == "Point").all():
        row, col = rowcol(grid, landslides.geometry.x, landslides.geometry.y)
        inside = (row >= 0) & (row < grid.sizes["y"]) & (col >= 0) & (col < grid.sizes["x"])
        return np.histogram2d(row[inside], col[inside], [np.arange(n + 1) for n in grid.shape])[0][known]
    return cell_ha * rasterize(landslides.geometry, grid.shape, transform=grid.rio.transform())[known]


def per_100_ha(part, amount, n_parts):
    """Landslide to 100 hectares of the parts 1, 2, … of the land, each with its interval."""
    sums = []
    for weight in (np.full(len(part), cell_ha), amount):
        of_block = np.bincount(block * (n_parts + 1) + part, weight, draws.shape[1] * (n_parts + 1))
        sums.append(draws @ of_block.reshape(-1, n_parts + 1)[:, 1:])
    land, slides = sums
    share = np.divide(100 * slides, land, out=np.full(land.shape, np.nan), where=land > 0)
    return pd.DataFrame([validation.interval(column) for column in share.T], columns=["per_100_ha", "low", "high"])


# %%
amounts = {name: in_cells(layer) for name, layer in layers.items()}
amounts = {name: amount for name, amount in amounts.items() if amount.any()}
if not amounts:
    raise InputError("no landslide of the inventory lies on the class maps", where=file, fix="Compare their extents")
main = next(name for name in ("reference", "detected") if name in amounts)
rows = []
for model, part in number.items():
    land = np.bincount(part, minlength=k + 1)[1:] * cell_ha
    for layer, amount in amounts.items():
        inside = np.bincount(part, amount, minlength=k + 1)[1:]
        about = pd.DataFrame({"model": model, "susceptibility": names, "landslides": words[layer], "land_ha": land})
        shares = {"land_pct": 100 * land / land.sum(), "share_pct": 100 * inside / amount.sum()}
        rows.append(about.assign(**shares).join(per_100_ha(part, amount, k)))
density = pd.concat(rows, ignore_index=True)
run.write_table(density, "class_density")
shown = density[density["landslides"] == words[main]]
shown = shown.assign(text=[show.rounded(*row) for row in shown[["per_100_ha", "low", "high"]].to_numpy()])
show.class_table(shown, "text")

# %%
points = (layers[main].geom_type == "Point").all()
for row in shown[shown["susceptibility"] == names[-1]].itertuples():
    counted = f"on 100 ha called {names[-1]} lie {row.text} {words[main]} landslides" if points else f"of 100 ha called {names[-1]}, {row.text} ha are {words[main]} landslide today"
    print(f"{style.MODEL_LABELS[row.model]}: {counted}; the class is {row.land_pct:.0f} % of the land and has {row.share_pct:.0f} % of the landslides.")
if main != "detected" and "detected" in amounts:
    alone = density[(density["landslides"] == "detected") & (density["susceptibility"] == names[-1])]
    print(f"Counted on the detected landslides alone it would be {', '.join(show.rounded(*row) for row in alone[['per_100_ha', 'low', 'high']].to_numpy())}: what an office knows that has no other inventory.")
low = shown[shown["susceptibility"].isin(names[: k // 2])].groupby("model", sort=False)[["land_pct", "share_pct"]].sum()
for model, row in low.iterrows():
    print(f"{style.MODEL_LABELS[model]}: the lowest classes ({', '.join(names[: k // 2])}) are {row['land_pct']:.0f} % of the land and still hold {row['share_pct']:.0f} % of the landslides.")
if len(amounts) == 2 and not points:
    unseen = amounts[main] * (amounts["detected"] == 0)
    for model, part in number.items():
        share = unseen[part <= k // 2].sum() / max(unseen.sum(), cell_ha)
        print(f"{style.MODEL_LABELS[model]}: of the landslide area that nobody detected, {share:.0%} lies in these lowest classes.")

# %% [markdown]
# Two sentences follow, and both belong in the mouth of whoever hands the map over. *Most land of the highest class is no landslide today*: the class is a
# place to look first, not a forecast. *The lowest classes are not safe*: they hold few landslides to the hectare, and as there is much of this land, still some.
#
# ## Roads and buildings
#
# The same question for what can be damaged, the {term}`exposure`. Roads are cut into pieces shorter than a cell and each piece is put into the class it lies in; lengths are in the
# plane of the map. The layer `roads.gpkg` holds each stretch with its class by every model. Buildings count where their middle lies.

# %%
catalog = open_catalog(p, run)
roads, pieces, exposed = None, None, {}
if catalog.roads is None or is_raster(catalog.path(catalog.roads)):
    print("Left out: kilometres of road, for the catalog names no lines of roads.")
else:
    roads = read_features(catalog, catalog.roads, grid.rio.crs)
    roads = roads[roads.geom_type.isin(["LineString", "MultiLineString"])]
    pieces = classes.line_pieces(roads.geometry, grid)
    exposed["road_km"] = pieces["row"], pieces["col"], pieces["length_m"] / 1000
if catalog.buildings is None:
    print("Left out: buildings, for the catalog names none.")
else:
    middle = read_features(catalog, catalog.buildings, grid.rio.crs).geometry.representative_point()
    middle = middle.cx[slice(*grid.rio.bounds()[::2]), slice(*grid.rio.bounds()[1::2])]
    exposed["buildings"] = *rowcol(grid, middle.x, middle.y), np.ones(len(middle))

# %%
rows = []
for model, class_map in class_maps.items():
    row = {"model": model, "susceptibility": names}
    for what, (at_row, at_col, amount) in exposed.items():
        row[what] = np.bincount(class_map.values[at_row, at_col], amount, k + 1)[1:]
    rows.append(pd.DataFrame(row))
exposure = pd.concat(rows, ignore_index=True)
run.write_table(exposure, "exposure")
if pieces is not None:
    of_piece = {f"class_{model}": class_map.values[pieces["row"], pieces["col"]] for model, class_map in class_maps.items()}
    merged = pieces[["line", "geometry"]].assign(**of_piece).dissolve(["line", *of_piece]).reset_index()
    stretches = merged.set_geometry(merged.line_merge()).explode(ignore_index=True)
    with whole_file(run.product("roads.gpkg")) as part:
        stretches.assign(length_m=stretches.length).to_file(part, layer="roads", driver="GPKG")
if exposed:
    tables = {what: show.class_table(exposure, what) for what in exposed}
    display(pd.concat(tables, axis=1).rename(columns={"road_km": "Road (km)", "buildings": "Buildings"}).round(1))

# %% mystnb={"figure": {"caption": "What lies in each class, by model: kilometres of road where the catalog names roads, else the land.", "name": "fig-14-exposure"}, "image": {"alt": "One horizontal bar for each model, cut into the susceptibility classes from the darkest and highest to the palest and lowest, with the amount written in each part"}}
what, text = ("road_km", "Road (km)") if "road_km" in exposure else ("land_ha", "Land (ha)")
bars = exposure if what == "road_km" else density.drop_duplicates(["model", "susceptibility"])
style.save(show.exposure_bars(bars, what, text), run, "exposure")

# %%
for what, noun in {"road_km": "km of road", "buildings": "buildings"}.items():
    if what in exposure:
        total = exposure.groupby("model", sort=False)[what].sum().max()
        top = exposure[exposure["susceptibility"] == names[-1]].set_index("model")[what]
        print(f"{total:.0f} {noun} in all; in {names[-1]} " + ", ".join(f"{round(value, 1):g} by {style.MODEL_LABELS[model]}" for model, value in top.items()) + ".")
        if len(top) > 1 and total:
            print(f"The choice of the model makes it {round(top.min(), 1):g} to {round(top.max(), 1):g} {noun}, {top.min() / total:.0%} to {top.max() / total:.0%} of all.")

# %% [markdown]
# A road lies in the class of the ground below it. What comes down on it starts higher up, and the map knows no path: add the slope above a road before you
# call it safe. And roads are often a factor of the map themselves: dark belts along them may be what a model believes of roads, not what the ground does. So compare
# the highest class beside roads with the rest of it:

# %%
if "distance_to_road" in factors:
    beside = factors["distance_to_road"].values[known] <= 100
    for model, part in number.items():
        ends = per_100_ha(np.where(part == k, np.where(beside, 1, 2), 0), amounts[main], 2)
        texts = [show.rounded(*row) for row in ends.to_numpy()]
        print(f"{style.MODEL_LABELS[model]}: {texts[0]} to 100 ha of {names[-1]} within 100 m of a road ({beside[part == k].mean():.0%} of the class), {texts[1]} elsewhere.")
else:
    print("Left out: what models believe of roads, for no factor tells their distance.")

# %% [markdown]
# Where the first number is far below the second, kilometres in the highest class say more about the model than about the road.
#
# ## Would another model have said the same?
#
# Models that score alike (chapter 5) need not put the same land into the highest class. Where all do, the choice of the model does not matter; where one
# does, it is all that matters.

# %%
stack = np.stack(list(number.values()))
votes = (stack == k).sum(axis=0)
apart = stack.max(axis=0) - stack.min(axis=0)
if len(models) < 2:
    print("Left out: the agreement of models, for there is one.")
values = {"highest_class_models": votes, "class_difference": apart}
agreement = xr.Dataset({name: on_grid(np.full(grid.shape, np.nan), grid, name) for name in values})
for name, value in values.items():
    agreement[name].values[known] = value
write_raster(run.product("agreement.tif"), agreement)

parts = {"all models": votes == len(models), "some models": (votes > 0) & (votes < len(models)), "no model": votes == 0}
which = 1 + np.select(list(parts.values()), [0, 1, 2])
agreed = pd.DataFrame({"highest_class_by": list(parts)})
agreed["land_pct"] = [100 * part.mean() for part in parts.values()]
agreed["share_pct"] = [100 * amounts[main][part].sum() / amounts[main].sum() for part in parts.values()]
agreed = agreed.join(per_100_ha(which, amounts[main], 3))
if pieces is not None:
    whose = np.zeros(grid.shape, int)
    whose[known] = which
    agreed["road_km"] = np.bincount(whose[pieces["row"], pieces["col"]], pieces["length_m"] / 1000, 4)[1:]
run.write_table(agreed, "agreement")
headings = {"land_pct": "Land (%)", "share_pct": "Landslides (%)", "per_100_ha": "Landslide per 100 ha", "road_km": "Road (km)"}
agreed.set_index("highest_class_by").rename(columns=headings | {"low": "Low", "high": "High"}).rename_axis("Highest class by").round(1)

# %% mystnb={"figure": {"caption": "Left, how many models call a place by the highest class; right, how many classes the models lie apart.", "name": "fig-14-agreement"}, "image": {"alt": "Two maps side by side, one in purple where one, two or all models give the highest class, one in orange and brown where the models differ by two classes or more"}}
style.save(show.agreement_maps(agreement["highest_class_models"], agreement["class_difference"], len(models)), run, "agreement")

# %%
anywhere = 100 * (votes > 0).mean()
print(f"{names[-1]} by any model: {anywhere:.1f} % of the land; by all: {agreed['land_pct'][0]:.1f} %.")
print(f"Models lie two classes or more apart on {(apart >= 2).mean():.0%} of the land.")
if run.has("doubt.tif"):
    doubt = next(iter(read_raster(run.product("doubt.tif")).values()))
    doubt = doubt.reindex(y=grid.y, x=grid.x, method="nearest").values[known]
    unsure = doubt > np.nanquantile(doubt, 2 / 3)
    for model, part in number.items():
        print(f"{style.MODEL_LABELS[model]}: {unsure[part == k].mean():.0%} of its {names[-1]} land is among the third where maps drawn again differ most (chapter 12).")
else:
    print("Left out: the doubt of chapter 12, which this run has not made.")
for model in [name for name in models if run.has(f"shap_{name}.tif")]:
    shares = read_raster(run.product(f"shap_{model}.tif"))
    top = shares.drop_vars(["base", "residual"]).where(class_maps[model] == k).mean().to_array().to_series().nlargest(3)
    reasons = ", ".join(f"{factors[name].attrs['long_name']} ({value:+.2f})" for name, value in top.items())
    print(f"{style.MODEL_LABELS[model]} calls land {names[-1]} mostly for {reasons}; mean contribution, {shares[top.index[0]].attrs['units']}.")
if not any(run.has(f"shap_{name}.tif") for name in models):
    print("Left out: the reasons of chapter 8, which this run has not made.")

# %% [markdown]
# ## Zones
#
# A plan needs {term}`zones <zoning>` that can be drawn on a parcel map. Patches of a few cells are noise or, at best, detail that nobody can mark in the field. Two ways out:
# patches below a least area join their largest neighbour (`sieve`), or each slope unit of chapter 13 takes the class that most of it has.

# %%
units = None
if run.has("slope_units.gpkg"):
    outlines = gpd.read_file(run.product("slope_units.gpkg"))
    units = rasterize(zip(outlines.geometry, outlines["unit"], strict=True), grid.shape, transform=grid.rio.transform(), dtype="int32")
else:
    print("Left out: slope units, for this run has not made chapter 13.")


def in_units(class_map):
    """The class that most of each slope unit has; cells outside all units keep theirs."""
    counted = np.stack([np.bincount(units[known], class_map.values[known] == c, units.max() + 1) for c in range(1, k + 1)])
    most = (1 + counted.argmax(axis=0)).astype(np.uint8)[units]
    return class_map.copy(data=np.where(known & (units > 0), most, class_map.values))


rows, zones = [], {}
for model, class_map in class_maps.items():
    sieved = sieve(class_map.values, max(1, round(p.zone_area_m2 / (1e4 * cell_ha))), mask=class_map.values > 0)
    ways = {"cells": class_map, "least area": class_map.copy(data=sieved)} | ({"slope units": in_units(class_map)} if units is not None else {})
    for way, zoned in ways.items():
        part, n_patches = zoned.values[known], sum(label(zoned.values == c)[1] for c in range(1, k + 1))
        row = {"model": model, "zones": way, "changed_pct": 100 * (part != number[model]).mean(), "patches": n_patches}
        rows.append(row | {"highest_pct": 100 * (part == k).mean()} | per_100_ha(part, amounts[main], k).iloc[-1].to_dict())
    zones[model] = ways
zoning = pd.DataFrame(rows)
run.write_table(zoning, "zoning")
headings = {"changed_pct": "Land changed (%)", "patches": "Patches", "highest_pct": "Highest class (%)", "per_100_ha": "Landslide per 100 ha", "low": "Low", "high": "High"}
zoning.assign(model=zoning["model"].map(style.MODEL_LABELS)).set_index(["model", "zones"]).rename(columns=headings).round(1)

# %%
for way, group in zoning[zoning["zones"] != "cells"].groupby("zones", sort=False):
    before = zoning[zoning["zones"] == "cells"].set_index("model")["patches"]
    fewer = (before / group.set_index("model")["patches"]).mean()
    print(f"By {way}, {group['changed_pct'].min():.0f} to {group['changed_pct'].max():.0f} % of the land changes its class, and there are {fewer:.0f} times fewer patches.")

# %% mystnb={"figure": {"caption": "The middle of one class map: as cells, without patches below the least area, and by slope unit.", "name": "fig-14-zones"}, "image": {"alt": "Detail of a susceptibility map in five steps of purple, speckled as cells, smoother without small patches, and in large even areas by slope unit"}}
densest = shown[shown["susceptibility"] == names[-1]].set_index("model")["per_100_ha"].idxmax()
chosen = p.sheet_model if p.sheet_model in models else densest
titles = {"cells": f"{style.MODEL_LABELS[chosen]}, by cell", "least area": f"No patch below {p.zone_area_m2:g} m²", "slope units": "By slope unit"}
style.save(show.zone_maps({titles[way]: zoned for way, zoned in zones[chosen].items()}, k), run, "zones")

# %% [markdown]
# ## What can be decided, and what cannot
#
# The names are those of five classes; with another number read them from the highest down.
#
# | class | do | do not |
# |---|---|---|
# | Very High | walk it first: roads, drains, culverts, cracks; ask for a site investigation before anything is built; place instruments here | evacuate, condemn a house or refuse a policy: most of it is no landslide today |
# | High | next on the list; a geologist's statement for new building land | take it for safe because a darker class exists |
# | Moderate | look for local signs before works; keep drainage and forest | leave it out of the next survey |
# | Low, Very Low | plan as usual, with the usual ground survey | call it safe: some landslides lie here, and what starts above may arrive |
#
# No map of this book says *when*, *how large* or *how far*: it is no base for a {term}`hazard`, a return period, a warning threshold or a {term}`run-out` zone. It was
# learned from the landslides of one inventory, and so from their {term}`trigger`: a map learned after an earthquake is no map of the next rainstorm. It ends at its border: on the next valley it
# is worth what chapter 12 says, not what chapter 5 says. Have it read by a geologist who knows the place, before it is used and not after; survey again and
# learn again after every large event, and when roads, forest or land use have changed.

# %%
unknown = "not stated (parameter trigger)" + ("; shaking of one earthquake is a factor" if "pga" in factors else "")
event = p.trigger or ("the one simulated event" if is_true else unknown)
scene = catalog.scene.acquired if catalog.scene is not None else ""
date = p.surveyed or scene or ("simulated" if is_true else "not stated (parameter surveyed)")
source = next((entry.source for entry in (catalog.inventory, catalog.scene) if entry is not None and entry.source), "not stated")
print(f"Event behind the landslides: {event}. Date of the inventory: {date}. Source: {source}.")

# %% [markdown]
# ## For the desk and for paper
#
# QGIS reads a style (`.qml`) that lies beside a raster under the same name. The project `susceptibility.qgs` holds the class maps in the colours of this book over
# the relief, the landslides and, where there are any, the slope units; its paths are relative, so the folder `products` can be handed over as it is. The
# sheet `map_sheet.pdf` is for the wall and for the minutes, and says below the map what it must not be used for.
#
# Two maps, two uses. These classes come from the held-out maps: only there can one count how much landslide a class holds. They show straight edges where one
# model hands over to another. The fitted `susceptibility_*.tif` knows all landslides and has no such edges: use it to look at one place. Whoever hands it on gives the
# numbers of this chapter with it, because its own would be too good.

# %%
for model in models:
    qgis.write_style(run.product(f"classes_{model}.qml"), qgis.class_look(k))
kinds = {name: "Point" if (layer.geom_type == "Point").all() else "Polygon" for name, layer in layers.items()}
content = [qgis.Layer(f"inventory.gpkg|layername={name}", f"Landslides ({words[name]})", qgis.outline_look(kind), name == main) for name, kind in kinds.items()]
if pieces is not None:
    content.append(qgis.Layer("roads.gpkg|layername=roads", "Roads", qgis.outline_look("Line", "black")))
if units is not None:
    content.append(qgis.Layer("slope_units.gpkg|layername=slope_units", "Slope units", qgis.outline_look("Polygon", "#777777"), False))
content += [qgis.Layer(f"classes_{model}.tif", f"Susceptibility, {style.MODEL_LABELS[model]}", qgis.class_look(k), model == chosen) for model in [chosen, *(name for name in models if name != chosen)]]
if "altitude" in factors:
    content.append(qgis.Layer("factors.tif", "Relief", qgis.relief_look(1 + list(factors).index("altitude"))))
place = catalog.name or "Study area"
qgis.write_project(run.product("susceptibility.qgs"), f"Landslide susceptibility: {place}", content, grid)
print(f"susceptibility.qgs: {len(content)} layers, {style.MODEL_LABELS[chosen]} switched on.")

# %%
of_sheet = shown[shown["model"] == chosen].set_index("susceptibility")
texts = [f"{name}: {of_sheet['land_pct'][name]:.0f} % of the land, {of_sheet['text'][name]}" for name in names]
heading = f"Class: share of the land, {'landslides' if points else 'ha of landslide'}\nto 100 ha of it (95 % interval)"
facts = {
    "Counted": f"on {words[main]} landslides" + (", each by a model that did not know it" if honest else " that the model knew"),
    "Model": f"{style.MODEL_LABELS[chosen]}, {'held out by' if honest else 'fitted; folds of'} blocks of {block_m:g} m, whose borders can show as straight edges",
    "Other models": f"{names[-1]} by all {agreed['land_pct'][0]:.1f} %, by any {anywhere:.1f} % of the land",
    "Event": event,
    "Landslides": f"{len(layers[main])} {words[main]}; date: {date}; source: {source}",
    "Map": f"cells of {cell_size(grid):g} m, {grid.rio.crs.to_string()[:40]}, grid north up",
    "Not in it": "when, how large, how far; what comes from above; later changes",
    "Made": f"with lsa_helpers, run of the profile {p.profile}, seed {p.seed}",
}

# %% mystnb={"figure": {"caption": "The map sheet, as in map_sheet.pdf.", "name": "fig-14-sheet"}, "image": {"alt": "Page in landscape with a large class map in steps of purple with landslides and roads, scale bar and north arrow, a legend with numbers, and the facts about the map beside it"}}
on_sheet = layers[main].copy()
on_sheet.attrs["layer"] = words[main]
page = sheet.map_sheet(class_maps[chosen], on_sheet, title=f"Landslide susceptibility: {place}", class_words=texts, legend_title=heading, facts=facts, roads=roads)
sheet.write_pdf(page, run.product("map_sheet.pdf"))
style.save(page, run, "map_sheet")

# %% [markdown]
# ## On the screen
#
# Everything the chapters have made of this land, on one map: classes, values and doubt, the factors, the factor that counts most, the landslides. Lay two
# layers beside each other and move the divider; a click tells what is known of a place and each model's three largest reasons. The reasons are those of
# the fitted models (chapter 8), so that they can differ from classes of maps held out. The map sheet above is its picture.

# %%
of_classes = {"kind": "ordinal", "classes": dict(enumerate(names, start=1))}
on_map = {"Susceptibility class": {name: class_map.assign_attrs(of_classes) for name, class_map in class_maps.items()}}
on_map["Susceptibility (held out)"] = heldout
if run.has("doubt.tif"):
    on_map["Doubt"] = {"Standard deviation of the log-odds": read_raster(run.product("doubt.tif"))["doubt"]}
shapley = {name: read_raster(run.product(f"shap_{name}.tif"), p.chunk) for name in models if run.has(f"shap_{name}.tif")}
on_screen = [layer.copy() for layer in layers.values()]
for name, layer in zip(layers, on_screen, strict=True):
    layer.attrs["layer"] = words[name]
webmap.web_map(style.relief(factors), on_map, factors=factors, contributions=shapley, landslides=on_screen)

# %% [markdown]
# ## Try it
#
# ```{exercise-start}
# :label: ex-14-three-maps
# ```
#
# Three maps, one decision. A road office can inspect part of its roads this year. Compare two lists of land: what *all* models put into the highest class,
# and what *at least one* of them puts there.
# How much landslide is there to 100 hectares on each, and what share of all landslides would a search of each find? Which list do you hand over, and what do
# you say about the rest?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-14-three-maps
# :class: dropdown
# ```

# %%
lists = {"all models": votes == len(models), "any model": votes > 0}
shares = {}
for name, part in lists.items():
    found = amounts[main][part].sum()
    km = "" if pieces is None else f", {(agreed['road_km'][0] if name == 'all models' else agreed['road_km'][:2].sum()):.1f} km of road"
    shares[name] = found / amounts[main].sum()
    print(f"{name}: {part.mean():.1%} of the land{km}; {100 * found / max(part.sum() * cell_ha, cell_ha):.1f} {'landslides' if points else 'ha of landslide'} to 100 ha; finds {shares[name]:.0%} of the landslides.")
answers.record(run, "ex-14-three-maps", 100 * shares["all models"], within=1.0, what="the share of the landslides that the list of all models finds, %")

# %% [markdown]
# The short list has more landslide to the hectare where the models agree for a good reason, and misses what only one of them sees; the long one finds more for more
# walking. If the two numbers to 100 hectares are close, agreement is no evidence, and the length of the list is a matter of the budget. Either way the rest is not cleared: say
# what share of the landslides lies on no list.
#
# ```{solution-end}
# ```
#
# ```{exercise-start}
# :label: ex-14-number
# ```
#
# What is the right number for a plan? For the highest class, put side by side: the mean value of the held-out map, the landslide counted on it, and that on the
# *fitted* map cut at the same breaks, of the landslides that the models learned from. Which of the three may stand in a plan, and why do the others differ?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-14-number
# :class: dropdown
# ```

# %%
fitted = classes.read_maps(run, "fitted")
amount = in_cells(samples.reproject_landslides(samples.load_landslides(file, taught), grid))
for model in models:
    learned = classes.cut_classes(fitted[model], cut["breaks"][model]).values
    told = [f"the map says {100 * np.nanmean(heldout[model].values[known & (class_maps[model].values == k)]):.0f} %"]
    for kind, part in {"held out": number[model] == k, "fitted": learned[known] == k}.items():
        found = amount[part].sum()
        told.append(f"{kind} {100 * found / max(part.sum() * cell_ha, cell_ha):.1f} to 100 ha, {found / amount.sum():.0%} of the {words[taught]} landslides on {part.mean():.1%} of the land")
    print(f"{style.MODEL_LABELS[model]}: {'; '.join(told)}.")

# %% [markdown]
# The value of the map belongs to samples of which about half were landslides; on the land they are rare, so it is far too high (chapter 9 corrects it). Where the fitted
# map holds far more of the landslides than the held-out one, it remembers them: on the next landslides it will do as the held-out map does. So the held-out count, with its
# interval, may stand in a plan, together with the date and the event of its landslides.
#
# ```{solution-end}
# ```
#
# Three changes to try, each a command in a terminal. It repeats the chapter beside the book's run, which stays as it is, and prints the page's
# numbers and yours.
#
# - `lsa try quick 14 -p zone_area_m2 40000`: larger zones; how much of the highest class is left?
# - `lsa try quick 14 -p inventory detected`: count what was detected, as an office without a field survey has to.
# - `lsa try quick 14 -p sheet_model xgboost`: the sheet of another model; would the minutes of the meeting read otherwise?

# %% [markdown]
# ## Summary
#
# The table `class_density.csv` says each class in hectares, `exposure.csv` in kilometres and buildings, `agreement.csv` what the models have in common, `zoning.csv` what
# zones cost. Beside the rasters lie `agreement.tif`, `roads.gpkg`, a style for each class map, the project `susceptibility.qgs` and the sheet `map_sheet.pdf`.
#
# ## What's next
#
# Chapter 15 reads the tables of others as this one reads a map.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`fell2008,reichenbach2018`.
