"""An interactive map as one piece of HTML: layers over shaded relief, a divider between two of
them, legends, and what is known of a place that is clicked. No kernel, no network, no library.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import cycle

import xarray as xr

from lsa_helpers.raster import cell_size
from lsa_helpers.show import style
from lsa_helpers.show.explain import label
from lsa_helpers.show.maplayers import FACTORS, MapLayers

_FILES = resources.files("lsa_helpers") / "data" / "webmap"
#: A page carries its whole map: a larger one loads slowly on a phone.
MAX_BYTES = 4_000_000
#: Cells a side that are kept at most.
MOST_CELLS = 800
#: Colour, width and dashes of the first, second, third layer of landslides, one over the other.
_LINES = [("vermilion", 2.4, []), ("black", 1.6, [5, 5]), ("blue", 1.6, [2, 4])]


@dataclass(frozen=True)
class WebMap:
    """An interactive map, shown by a notebook when it is the last value of a cell.

    Parameters
    ----------
    html : str
        All of it: styles, data and script. What data say in it is never markup.
    """

    html: str

    def __repr__(self) -> str:
        return "An interactive map, for notebooks and pages in a browser."

    def _repr_html_(self) -> str:
        return self.html


def web_map(
    relief: xr.DataArray,
    layers: Mapping[str, Mapping[str, xr.DataArray]],
    *,
    factors: xr.Dataset | None = None,
    contributions: Mapping[str, xr.Dataset] | None = None,
    landslides: Sequence = (),
    max_bytes: int = MAX_BYTES,
) -> WebMap:
    """An interactive map of whatever layers there are.

    Parameters
    ----------
    relief : DataArray, dims (y, x)
        From `lsa_helpers.show.style.relief`; below all layers.
    layers : mapping
        Heading → model or other name → raster (y, x), in the order of the list; the first is shown
        first. As of factors, the attributes ``kind``, ``units`` and ``classes`` (code → name) say
        how a raster is drawn and told; ``kind="ordinal"`` are classes from low to high. NaN, and 0
        of whole numbers, is unknown. Coarser rasters are taken by the nearest cell.
    factors : Dataset, optional
        Layers under the heading *Factors*.
    contributions : mapping, optional
        Model → Shapley values as in ``shap_<model>.tif``. The factor with the largest is a layer;
        a click tells the three largest with the values of their factors.
    landslides : sequence of GeoDataFrame
        Outlines of polygons, circles round points; the name of each layer in ``attrs["layer"]``.
    max_bytes : int
        Cells are thinned (every nth row and column) until the map takes no more.

    Returns
    -------
    WebMap
        Every value it tells is that of a cell of the raster, to three digits of the raster's range;
        the place it tells is that cell's centre.
    """
    factors = xr.Dataset() if factors is None else factors
    contributions = contributions or {}
    given = [raster for group in layers.values() for raster in group.values()]
    grid = next(iter([*given, *factors.values(), *contributions.values(), relief]))
    step = -(-max(grid.sizes["y"], grid.sizes["x"]) // MOST_CELLS)
    outlines = _outlines(landslides, grid)
    while True:
        kept = MapLayers(grid, step)
        kept.add_relief(relief, MOST_CELLS)
        for group, rasters in layers.items():
            for name, raster in rasters.items():
                kept.add(group, name, raster)
        kept.add_contributions(contributions, factors)
        for factor in factors.values():
            kept.add(FACTORS, label(factor), factor)
        page = _page(kept.content() | {"outlines": outlines})
        if len(page) <= max_bytes or max(kept.x.size, kept.y.size) < 50:
            return WebMap(page)
        step += 1


def _outlines(landslides: Sequence, grid: xr.DataArray | xr.Dataset) -> list[dict]:
    """Each layer of landslides with its name, its path and how it is drawn."""
    return [
        {
            "name": f"Landslides ({frame.attrs['layer']})",
            "path": outline_path(frame, grid),
            "points": bool((frame.geom_type == "Point").all()),
            "colour": style.OKABE_ITO[colour],
            "width": width,
            "dash": dash,
        }
        for frame, (colour, width, dash) in zip(landslides, cycle(_LINES), strict=False)
    ]


def outline_path(landslides, grid: xr.DataArray | xr.Dataset, *, most: int = 4000) -> str:
    """Polygons, or circles round points, as an SVG path.

    Parameters
    ----------
    landslides : GeoDataFrame
        In any CRS.
    grid : DataArray or Dataset, dims (y, x)
        Coordinates are in its cells, to the right and down from its upper left corner.
    most : int
        So many are kept, the largest.

    Returns
    -------
    str
        Outlines are simplified to a quarter of a cell.
    """
    size, (left, _, _, top) = cell_size(grid), grid.rio.bounds()
    shapes = landslides.geometry.dropna().to_crs(grid.rio.crs).reset_index(drop=True)
    shapes = shapes[shapes.area.sort_values(ascending=False, kind="stable").index[:most]]
    shapes = shapes.affine_transform([1 / size, 0, 0, -1 / size, -left / size, top / size])
    points = shapes[shapes.geom_type.str.endswith("Point")].explode()
    radius = max(grid.sizes["y"], grid.sizes["x"]) / 150
    arc = f"a{radius:.1f} {radius:.1f} 0 1 0 "
    circles = [
        f"M{point.x - radius:.1f} {point.y:.1f}{arc}{2 * radius:.1f} 0{arc}{-2 * radius:.1f} 0"
        for point in points
    ]
    polygons = shapes[shapes.geom_type.str.endswith("Polygon")].simplify(0.25)
    rings = [ring.coords for ring in polygons.boundary.explode()]
    texts = [f"M{' '.join(f'{x:.1f} {y:.1f}' for x, y in ring)}Z" for ring in rings]
    return "".join(circles + texts)


def _page(content: dict) -> str:
    """The HTML. A "<" of the data is written as JSON writes it in an escape: no text can end the
    element it stands in.
    """
    names = ("map.css", "map.html", "layers.js", "map.js")
    sheet, skeleton, *scripts = ((_FILES / name).read_text(encoding="utf-8") for name in names)
    script = "\n".join(scripts)
    data = json.dumps(content, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    name = f"lsa-map-{hashlib.sha256(data.encode()).hexdigest()[:12]}"
    # of two views of one output each runs its own script
    here = f'document.currentScript?.closest(".lsa-map") ?? document.getElementById("{name}")'
    # the first attribute leaves keys to the map in JupyterLab; the braces make a block, so that a
    # cell that is run again declares nothing twice
    return (
        f'<div class="lsa-map" data-lm-suppress-shortcuts="true" id="{name}">\n'
        f"<style>\n{sheet}</style>\n{skeleton}"
        f'<script type="application/json">{data}</script>\n'
        f"<script>{{\n{script}\nlsaMap({here});\n}}</script>\n</div>"
    )
