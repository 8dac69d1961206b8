"""An interactive map that works without a network: our own relief below, class overlays,
landslides, legend.
"""

import base64
import io
import json

import numpy as np
from matplotlib.colors import to_rgb
from PIL import Image
from rasterio.warp import Resampling, calculate_default_transform, reproject, transform_bounds

from lsa_helpers.classes import MODELS, class_names
from lsa_helpers.grid import Grid, read_raster
from lsa_helpers.run import Run
from lsa_helpers.show import style
from lsa_helpers.show.classes import class_colours, relief

# Web pages carry the whole state of the map: larger than this they load slowly on a phone.
MAX_STATE_BYTES = 3_000_000
OUTLINE = style.OKABE_ITO["vermilion"]


def image_layer(index: np.ndarray, palette: np.ndarray, grid: Grid, *, name: str, max_pixels: int):
    """A raster as an image layer, warped to the web map's projection so that it lies exactly.

    Parameters
    ----------
    index : ndarray of uint8, shape (height, width)
        Colour number of each cell; 0 is transparent.
    palette : ndarray of uint8, shape (colours, 4)
        RGBA of the numbers.
    grid : Grid
        Frame of `index`.
    name : str
        Shown in the layer control.
    max_pixels : int
        Longest side of the image.

    Returns
    -------
    ipyleaflet.ImageOverlay
        With a ``data:`` address, so nothing is fetched; one of the layers of which the reader
        chooses one.
    """
    from ipyleaflet import ImageOverlay

    transform, width, height = calculate_default_transform(
        grid.crs, "EPSG:3857", grid.width, grid.height, *grid.bounds
    )
    shrink = max(1.0, max(width, height) / max_pixels)
    transform, width, height = (
        transform * transform.scale(shrink),
        int(np.ceil(width / shrink)),
        int(np.ceil(height / shrink)),
    )
    warped = np.zeros((height, width), np.uint8)
    reproject(
        index,
        warped,
        src_transform=grid.transform,
        src_crs=grid.crs,
        dst_transform=transform,
        dst_crs="EPSG:3857",
        src_nodata=0,
        dst_nodata=0,
        resampling=Resampling.nearest,
    )
    image = Image.fromarray(warped, "P")
    image.putpalette(palette[:, :3].tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=palette[:, 3].tobytes(), optimize=True)
    left, top = transform.c, transform.f
    west, south, east, north = transform_bounds(
        "EPSG:3857", "EPSG:4326", left, top + height * transform.e, left + width * transform.a, top
    )
    url = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    return ImageOverlay(url=url, bounds=((south, west), (north, east)), name=name, base=True)


def landslide_layer(landslides, *, max_shapes: int = 4000):
    """The landslides as outlines (or small circles, for points), simplified to half a cell and the
    largest `max_shapes` of them.
    """
    from ipyleaflet import GeoJSON

    size = (
        landslides.area if (landslides.geom_type != "Point").any() else landslides.index.to_series()
    )
    kept = landslides.loc[size.sort_values(ascending=False).index[:max_shapes], ["geometry"]]
    kept = kept.set_geometry(kept.simplify(3)).to_crs(4326)
    data = json.loads(kept.set_geometry(kept.set_precision(1e-6)).to_json())
    for feature in data["features"]:
        feature["properties"] = {}
        feature.pop("bbox", None)
    line = {"color": OUTLINE, "weight": 2, "fillOpacity": 0.05}
    return GeoJSON(
        data=data,
        style=line,
        point_style=line | {"radius": 4},
        name=f"Landslides ({landslides.attrs['layer']})",
    )


def susceptibility_map(
    run: Run, landslides, *, n_classes: int, max_pixels: int = 900, tiles: bool = False
):
    """Interactive map of the three class maps over relief, with landslides, layer control, legend
    and scale.

    Parameters
    ----------
    run : Run
        With ``classes_*.tif`` and ``factors.tif``.
    landslides : GeoDataFrame
        From `lsa_helpers.samples.read_landslides`.
    n_classes : int
        Number of classes.
    max_pixels : int
        Longest side of every layer; fewer are taken when the page would become heavy (3 MB).
    tiles : bool
        Add OpenStreetMap tiles at the bottom (needs the network; © OpenStreetMap contributors).

    Returns
    -------
    ipyleaflet.Map

    """
    from ipyleaflet import LayersControl, LegendControl, Map, ScaleControl, TileLayer

    shade = relief(run, read_raster(run.product(f"classes_{MODELS[0]}.tif"))[1])
    layers = [TileLayer(name="OpenStreetMap")] if tiles else []
    layers.append(
        _shaded_layer(run, None, shade, ["#ffffff"], name="Relief only", max_pixels=max_pixels)
    )
    colours = class_colours(n_classes)
    # The last one added is the one shown first.
    for model in reversed(MODELS):
        layers.append(
            _shaded_layer(
                run, model, shade, colours, name=style.MODEL_LABELS[model], max_pixels=max_pixels
            )
        )
    (south, west), (north, east) = layers[-1].bounds
    layers.append(landslide_layer(landslides))
    if _size(layers) > MAX_STATE_BYTES and max_pixels > 100:
        return susceptibility_map(
            run, landslides, n_classes=n_classes, max_pixels=int(0.7 * max_pixels), tiles=tiles
        )
    web = Map(
        layers=layers,
        center=((south + north) / 2, (west + east) / 2),
        zoom=_zoom(east - west),
        scroll_wheel_zoom=True,
        layout={"height": "520px"},
    )
    legend = LegendControl(
        _legend(colours, class_names(n_classes)), title="Susceptibility", position="bottomright"
    )
    for control in (
        LayersControl(position="topright", collapsed=False),
        ScaleControl(position="bottomleft", imperial=False),
        legend,
    ):
        web.add(control)
    return web


def _shaded_layer(
    run: Run,
    model: str | None,
    shade: np.ndarray,
    colours: list[str],
    *,
    name: str,
    max_pixels: int,
):
    """The classes of a model (or no classes) mixed with the shaded relief, as one opaque layer."""
    if model is None:
        classes, grid = (
            np.isfinite(shade).astype(np.uint8),
            read_raster(run.product(f"classes_{MODELS[0]}.tif"))[1],
        )
    else:
        (classes,), grid, _ = read_raster(run.product(f"classes_{model}.tif"))
    # Few grey levels keep the image small; sixteen look smooth under a class colour.
    levels = 16 if model else 64
    level = np.clip(np.nan_to_num(shade, nan=0.8) * levels, 0, levels - 1).astype(int)
    index = np.where(classes > 0, 1 + (classes.astype(int) - 1) * levels + level, 0).astype(
        np.uint8
    )
    light = np.arange(levels)[:, None] / (levels - 1)
    # Enough relief to see the valleys, enough colour to tell the classes apart.
    weight = 0.7 if model else 0.0
    rgb = 255 * np.concatenate(
        [weight * np.array(to_rgb(colour)) + (1 - weight) * light for colour in colours]
    )
    palette = np.vstack([np.zeros(4), np.column_stack([rgb, np.full(len(rgb), 255)])]).astype(
        np.uint8
    )
    return image_layer(index, palette, grid, name=name, max_pixels=max_pixels)


def _legend(colours: list[str], names: list[str]) -> dict[str, str]:
    """Legend entries; numbered as in the class rasters, because saved notebooks sort them by name."""
    digits = len(str(len(names)))
    entries = {
        f"{number:0{digits}} {name}": colour
        for number, (name, colour) in enumerate(zip(names, colours, strict=True), start=1)
    }
    return entries | {"Landslide": OUTLINE}


def _zoom(degrees: float, pixels: int = 650) -> int:
    """Largest zoom level at which so many degrees of longitude fit into so many pixels."""
    return int(np.clip(np.floor(np.log2(pixels * 360 / (256 * degrees))), 1, 18))


def _size(layers: list) -> int:
    """Bytes that the layers' contents take in the page."""
    return sum(
        len(getattr(layer, "url", "")) + len(json.dumps(getattr(layer, "data", "")))
        for layer in layers
    )
