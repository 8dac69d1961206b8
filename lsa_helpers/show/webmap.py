"""An interactive map that works without a network: our own relief below, class overlays,
landslides, legend.
"""

import base64
import html
import io
import json
from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.colors import to_rgb
from PIL import Image
from rasterio.warp import transform_bounds

from lsa_helpers.classes import class_names
from lsa_helpers.show import style
from lsa_helpers.show.classes import OUTLINE, class_colours

# Web pages carry the whole state of the map: larger than this they load slowly on a phone.
MAX_STATE_BYTES = 3_000_000


def susceptibility_map(
    class_maps: Mapping[str, xr.DataArray],
    relief: xr.DataArray,
    landslides,
    *,
    n_classes: int,
    max_pixels: int = 900,
    tiles: bool = False,
):
    """Interactive map of class maps over relief, with landslides, layer control, legend and scale.

    Parameters
    ----------
    class_maps : mapping
        Model → classes (y, x) from 1 to `n_classes`, 0 where unknown.
    relief : DataArray, dims (y, x)
        Shaded relief in 0–1, NaN outside.
    landslides : GeoDataFrame
        The name of their layer in ``attrs["layer"]``.
    n_classes : int
    max_pixels : int
        Longest side of every layer; fewer are taken when the page would become heavy (3 MB).
    tiles : bool
        Add OpenStreetMap tiles at the bottom (needs the network; © OpenStreetMap contributors).

    Returns
    -------
    ipyleaflet.Map
    """
    from ipyleaflet import LayersControl, LegendControl, Map, ScaleControl, TileLayer

    colours = class_colours(n_classes)
    rgb = np.array([to_rgb(colour) for colour in colours])
    look = {"grid": relief, "max_pixels": max_pixels}
    layers = [image_layer(_grey(relief, 64), relief.notnull(), name="Relief only", **look)]
    # The last one added is the one shown first.
    for model in reversed(class_maps):
        classes = style.thin(class_maps[model]).values.astype(int)
        # Enough relief to see the valleys, enough colour to tell the classes apart.
        mixed = 0.7 * rgb[np.maximum(classes, 1) - 1] + 0.3 * _grey(relief, 16)
        layers.append(image_layer(mixed, classes > 0, name=style.MODEL_LABELS[model], **look))
    (south, west), (north, east) = layers[-1].bounds
    layers.append(landslide_layer(landslides))
    if _size(layers) > MAX_STATE_BYTES and max_pixels > 100:
        fewer = {"max_pixels": int(0.7 * max_pixels), "tiles": tiles}
        return susceptibility_map(class_maps, relief, landslides, n_classes=n_classes, **fewer)
    web = Map(
        layers=[TileLayer(name="OpenStreetMap"), *layers] if tiles else layers,
        center=((south + north) / 2, (west + east) / 2),
        zoom=_zoom(east - west),
        scroll_wheel_zoom=True,
        layout={"height": "520px"},
    )
    legend = _legend(colours, class_names(n_classes))
    web.add(LayersControl(position="topright", collapsed=False))
    web.add(ScaleControl(position="bottomleft", imperial=False))
    web.add(LegendControl(legend, title="Susceptibility", position="bottomright"))
    return web


def _grey(relief: xr.DataArray, levels: int) -> np.ndarray:
    """Shaded relief as red, green and blue in few levels, which keep images small; as bright as
    flat ground where it is unknown.
    """
    shade = np.round(relief.fillna(0.8).values * (levels - 1)) / (levels - 1)
    return np.repeat(shade[..., None], 3, axis=2)


def image_layer(
    rgb: np.ndarray, known: np.ndarray, *, grid: xr.DataArray, name: str, max_pixels: int
):
    """A coloured raster as an image layer, warped to the web map's projection so that it lies
    exactly.

    Parameters
    ----------
    rgb : ndarray, shape (height, width, 3)
        Red, green and blue in 0–1, at most 255 different colours.
    known : ndarray of bool, shape (height, width)
        The image is transparent elsewhere.
    grid : DataArray, dims (y, x)
        Any raster on the same cells.
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

    rgba = np.round(255 * np.dstack([rgb, np.ones(grid.shape)]) * np.asarray(known)[..., None])
    cells = xr.DataArray(rgba.astype(np.uint8), {"y": grid.y, "x": grid.x}, ("y", "x", "band"))
    cells = cells.transpose("band", "y", "x").rio.write_crs(grid.rio.crs).rio.write_nodata(0)
    warped = cells.rio.reproject("EPSG:3857")
    image = Image.fromarray(np.ascontiguousarray(np.moveaxis(warped.values, 0, 2)))
    image.thumbnail((max_pixels, max_pixels), Image.Resampling.NEAREST)
    # A table of colours and their numbers takes a quarter of the bytes.
    pixels = np.asarray(image).view(np.uint32)[..., 0]
    table, numbers = np.unique(pixels, return_inverse=True)
    image = Image.fromarray(numbers.reshape(pixels.shape).astype(np.uint8))
    image.putpalette(table.tobytes(), "RGBA")
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    url = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    west, south, east, north = transform_bounds("EPSG:3857", "EPSG:4326", *warped.rio.bounds())
    place = ((south, west), (north, east))
    return ImageOverlay(url=url, bounds=place, name=html.escape(name), base=True)


def landslide_layer(landslides, *, max_shapes: int = 4000):
    """The landslides as outlines (or small circles, for points), simplified to 3 m and the largest
    `max_shapes` of them.
    """
    from ipyleaflet import GeoJSON

    are_points = (landslides.geom_type == "Point").all()
    size = landslides.index.to_series() if are_points else landslides.area
    largest = size.sort_values(ascending=False).index[:max_shapes]
    kept = landslides.loc[largest, ["geometry"]]
    kept = kept.set_geometry(kept.simplify(3)).to_crs(4326)
    data = json.loads(kept.set_geometry(kept.set_precision(1e-6)).to_json())
    for feature in data["features"]:
        feature["properties"] = {}
        feature.pop("bbox", None)
    line = {"color": OUTLINE, "weight": 2, "fillOpacity": 0.05}
    name = html.escape(f"Landslides ({landslides.attrs['layer']})")
    return GeoJSON(data=data, style=line, point_style=line | {"radius": 4}, name=name)


def _legend(colours: list[str], names: list[str]) -> dict[str, str]:
    """Legend entries; numbered as in the class rasters, because saved notebooks sort them by
    name. Like the names of layers they become HTML as they are.
    """
    digits = len(str(len(names)))
    entries = {
        f"{number:0{digits}} {html.escape(name)}": colour
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
