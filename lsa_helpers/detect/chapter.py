"""The scene and the inventory in a few calls; each passes on when its input is absent."""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd
import rasterio

from lsa_helpers.detect.images import Bands
from lsa_helpers.detect.inventory import (
    errors_by_size,
    inventory_statistics,
    merge_pieces,
    scene_sweep,
)
from lsa_helpers.detect.lookalikes import count_causes, false_alarms, ground_causes
from lsa_helpers.detect.scene import (
    SceneFrame,
    find_pieces,
    open_scene,
    scene_colours,
    scene_detector,
)
from lsa_helpers.factors.stack import read_stack
from lsa_helpers.grid import Grid
from lsa_helpers.run import Run, sha256, whole_file
from lsa_helpers.sources import Catalog, read_inventory

LOWEST = 0.05  # score below which detections are forgotten
PROGRESS = "checkpoints"  # folder of a run from which an interrupted chapter goes on


@dataclass(frozen=True)
class Search:
    """A scene and what the detector saw in it, at any score from `LOWEST` up."""

    frame: SceneFrame
    pieces: list[dict]


def scene_frame(catalog: Catalog, params) -> SceneFrame:
    """The catalog's scene as the network will see it; an `InputError` when it cannot be searched."""
    return open_scene(
        catalog.path(catalog.scene),
        params.resolution_m,
        Bands(tuple(params.bands), params.reflectance_scale),
    )


def search_scene(model, catalog: Catalog, params, run: Run) -> Search | None:
    """Look for landslides over the catalog's scene; None without a scene or a model. An interrupted
    search goes on with the next window.
    """
    from lsa_helpers.reproducible import reproducible

    if catalog.scene is None or model is None:
        return None
    frame = scene_frame(catalog, params)
    colours = scene_colours(frame) if params.normalise_radiometry else None
    sizes = {"window_px": params.window_px, "overlap_px": params.overlap_px}
    state = frame.path.stat()
    key = [
        sha256(run.product("detector.safetensors")),
        str(frame),
        state.st_size,
        state.st_mtime_ns,
        str(colours),
        sizes,
    ]
    progress = (
        run.path
        / PROGRESS
        / f"scene_{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:12]}.jsonl"
    )
    with reproducible(params.seed, params.n_jobs):
        pieces = find_pieces(
            frame, scene_detector(model, colours), min_score=LOWEST, progress=progress, **sizes
        )
    return Search(frame, pieces)


def inventory(search: Search | None, threshold: float, params) -> gpd.GeoDataFrame | None:
    """The landslides whose score reaches `threshold`, one polygon each, in the scene's CRS; None
    without a search.
    """
    if search is None:
        return None
    pixel = abs(search.frame.transform.a)
    return merge_pieces(
        search.pieces,
        search.frame.crs,
        min_score=threshold,
        min_area_m2=params.min_area_m2,
        close_m=pixel,
    )


def reference(catalog: Catalog, run: Run) -> gpd.GeoDataFrame | None:
    """Known landslides in the grid's CRS: the simulated mountain's truth, else the catalog's
    inventory; None without either.
    """
    if not run.has("factors.tif"):
        return None
    with rasterio.open(run.product("factors.tif")) as file:
        grid = Grid(file.crs, file.transform, file.height, file.width)
    if run.has("truth/landslides.gpkg"):
        known = gpd.read_file(run.product("truth/landslides.gpkg")).to_crs(grid.crs)
        table = gpd.GeoDataFrame(
            {"id": range(1, len(known) + 1), "area_m2": known.area},
            geometry=known.geometry,
            crs=known.crs,
        )
        return table.reset_index(drop=True)
    return read_inventory(catalog, grid)


def write_inventory(
    run: Run, detected: gpd.GeoDataFrame | None, known: gpd.GeoDataFrame | None
) -> Path | None:
    """Write ``inventory.gpkg`` with the layers that exist, both in the CRS of the reference; None
    when there is neither.

    With it the chapter's work is stored, so what an interrupted chapter would have gone on from is
    deleted.
    """
    shutil.rmtree(run.path / PROGRESS, ignore_errors=True)
    if detected is not None and known is not None:
        detected = detected.to_crs(known.crs).assign(area_m2=lambda table: table.area)
    layers = {
        name: table
        for name, table in (("detected", detected), ("reference", known))
        if table is not None
    }
    if not layers:
        return None
    with whole_file(run.product("inventory.gpkg")) as part:
        for name, table in layers.items():
            table.to_file(part, layer=name, driver="GPKG")
    return run.product("inventory.gpkg")


def area_scores(
    detected: gpd.GeoDataFrame | None, known: gpd.GeoDataFrame | None
) -> pd.DataFrame | None:
    """How much of the true area was found, and how much of the found area is true.

    Parameters
    ----------
    detected, known : GeoDataFrame of polygons
        Both in CRSs in metres; None, or points as `known`, gives None.

    Returns
    -------
    DataFrame
        One row: detected and reference (number of polygons), detected_km2, reference_km2,
        shared_km2, area_precision, area_recall (fractions; NaN when the layer is empty),
        landslides_hit (fraction of known landslides with at least half their area found).
    """
    if detected is None or known is None or "label" in known:
        return None
    found = detected.to_crs(known.crs).union_all()
    true = known.union_all()
    shared = found.intersection(true).area
    hit = known.intersection(found).area >= 0.5 * known.area
    return pd.DataFrame(
        [
            {
                "detected": len(detected),
                "reference": len(known),
                "detected_km2": found.area / 1e6,
                "reference_km2": true.area / 1e6,
                "shared_km2": shared / 1e6,
                "area_precision": shared / found.area if found.area else float("nan"),
                "area_recall": shared / true.area if true.area else float("nan"),
                "landslides_hit": hit.mean() if len(known) else float("nan"),
            }
        ]
    )


def judge(
    search: Search | None,
    detected: gpd.GeoDataFrame | None,
    known: gpd.GeoDataFrame | None,
    run: Run,
) -> dict[str, pd.DataFrame] | None:
    """Tables on the inventory beside the known landslides, also written as ``inventory_sweep``,
    ``_statistics`` and ``_sizes``.

    Returns
    -------
    dict or None
        Keys ``sweep``, ``statistics``, ``sizes``; None without detected and known polygons.
    """
    if detected is None or known is None or "label" in known:
        return None
    tables = {
        "sweep": scene_sweep(search.pieces, known, search.frame.crs),
        "statistics": inventory_statistics(
            {"detected": detected, "known": known}, abs(search.frame.transform.a)
        ),
        "sizes": errors_by_size(detected, known),
    }
    for name, table in tables.items():
        run.write_table(table, f"inventory_{name}")
    return tables


def mistakes(
    search: Search | None,
    detected: gpd.GeoDataFrame | None,
    known: gpd.GeoDataFrame | None,
    run: Run,
) -> tuple | None:
    """What was taken for a landslide and what was missed.

    Returns
    -------
    alarms : GeoDataFrame
        False alarms with their cause, highest score first.
    missed : GeoDataFrame
        Known landslides of which less than half was detected, largest first.
    causes : DataFrame
        Also written as table ``false_alarms``.
    """
    if detected is None or known is None or "label" in known:
        return None
    old = run.product("truth/old_scars.gpkg")
    ground = ground_causes(
        read_stack(run), search.frame, gpd.read_file(old) if old.is_file() else None
    )
    alarms = false_alarms(detected, known, ground).sort_values("score", ascending=False)
    found = known.intersection(detected.to_crs(known.crs).union_all()).area
    missed = known[found < 0.5 * known.area].sort_values("area_m2", ascending=False)
    causes = count_causes(alarms)
    run.write_table(causes, "false_alarms")
    return alarms, missed, causes


def describe(detected: gpd.GeoDataFrame | None, known: gpd.GeoDataFrame | None) -> str:
    """One line on what the inventory holds."""
    if detected is None and known is None:
        return "There is no scene to search and no known inventory: the chapter ends with the scores on chips."
    parts = (
        []
        if detected is None
        else [f"{len(detected)} landslides detected, {detected.area.sum() / 1e6:.2f} km²"]
    )
    if detected is None:
        parts.append("no detection, because images or a scene are missing")
    if known is not None:
        parts.append(
            f"{len(known)} known"
            + ("" if "label" in known else f", {known.area.sum() / 1e6:.2f} km²")
        )
    return "inventory.gpkg: " + "; ".join(parts) + "."
