"""An interactive map that works without a network: our own relief below, class overlays, landslides, legend."""

import base64
import io
import json

import numpy as np
from matplotlib.colors import to_rgb
from PIL import Image
from rasterio.warp import Resampling, calculate_default_transform, reproject, transform_bounds

from lsa_helpers.classes import MODELS, class_names
from lsa_helpers.errors import LsaError
from lsa_helpers.grid import Grid, read_raster
from lsa_helpers.run import Run
from lsa_helpers.show import style
from lsa_helpers.show.classes import class_colours, relief

# Web pages carry the whole state of the map: larger than this they load slowly on a phone.
MAX_STATE_BYTES = 3_000_000


def image_layer(index: np.ndarray, palette: np.ndarray, grid: Grid, *, name: str, max_pixels: int, smooth: bool = False):
    """A raster as an image overlay, warped to the web map's projection so that it lies exactly.

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
    smooth : bool
        Interpolate (numbers that are grey levels) rather than take the nearest cell.

    Returns
    -------
    ipyleaflet.ImageOverlay
        With a ``data:`` address, so nothing is fetched.
    """
    from ipyleaflet import ImageOverlay

    transform, width, height = calculate_default_transform(grid.crs, "EPSG:3857", grid.width, grid.height, *grid.bounds)
    shrink = max(1.0, max(width, height) / max_pixels)
    transform, width, height = transform * transform.scale(shrink), int(np.ceil(width / shrink)), int(np.ceil(height / shrink))
    warped = np.zeros((height, width), np.uint8)
    reproject(index, warped, src_transform=grid.transform, src_crs=grid.crs, dst_transform=transform, dst_crs="EPSG:3857",
              src_nodata=0, dst_nodata=0, resampling=Resampling.average if smooth else Resampling.nearest)  # fmt: skip
    image = Image.fromarray(warped, "P")
    image.putpalette(palette[:, :3].tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=palette[:, 3].tobytes(), optimize=True)
    left, top = transform.c, transform.f
    west, south, east, north = transform_bounds("EPSG:3857", "EPSG:4326", left, top + height * transform.e, left + width * transform.a, top)
    url = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    return ImageOverlay(url=url, bounds=((south, west), (north, east)), name=name)


def landslide_layer(landslides, *, max_shapes: int = 4000):
    """The landslides as outlines (or small circles, for points), simplified to half a cell and the largest `max_shapes` of them."""
    from ipyleaflet import GeoJSON

    size = landslides.area if (landslides.geom_type != "Point").any() else landslides.index.to_series()
    kept = landslides.loc[size.sort_values(ascending=False).index[:max_shapes], ["geometry"]]
    kept = kept.set_geometry(kept.simplify(3)).to_crs(4326)
    data = json.loads(kept.set_geometry(kept.set_precision(1e-6)).to_json())
    for feature in data["features"]:
        feature["properties"] = {}
        feature.pop("bbox", None)
    line = {"color": style.OKABE_ITO["vermilion"], "weight": 1.5, "fillOpacity": 0.05}
    return GeoJSON(data=data, style=line, point_style=line | {"radius": 4}, name=f"Landslides ({landslides.attrs['layer']})")


def susceptibility_map(run: Run, landslides, *, n_classes: int, max_pixels: int = 900, tiles: bool = False):
    """Interactive map of the three class maps over relief, with landslides, layer control, legend and scale.

    Parameters
    ----------
    run : Run
        With ``classes_*.tif`` and ``factors.tif``.
    landslides : GeoDataFrame
        From `lsa_helpers.classes.read_landslides`.
    n_classes : int
        Number of classes.
    max_pixels : int
        Longest side of every overlay.
    tiles : bool
        Add OpenStreetMap tiles at the bottom (needs the network; © OpenStreetMap contributors).

    Returns
    -------
    ipyleaflet.Map

    Raises
    ------
    LsaError
        When the map's state would exceed 3 MB; choose fewer pixels then.
    """
    from ipyleaflet import LayersControl, LegendControl, Map, ScaleControl, TileLayer

    grid = read_raster(run.product(f"classes_{MODELS[0]}.tif"))[1]
    shade = relief(run, grid)
    grey = np.where(np.isfinite(shade), 1 + 254 * np.nan_to_num(shade), 0).astype(np.uint8)
    greys = np.stack([*[np.arange(256)] * 3, np.r_[0, np.full(255, 255)]], axis=1).astype(np.uint8)
    base = image_layer(grey, greys, grid, name="Relief", max_pixels=max_pixels, smooth=True)
    colours = class_colours(n_classes)
    palette = np.array([(0, 0, 0, 0), *[(*(int(255 * part) for part in to_rgb(colour)), 165) for colour in colours]], np.uint8)
    layers = [TileLayer(name="OpenStreetMap")] if tiles else []
    layers.append(base)
    for model in reversed(MODELS):
        classes = read_raster(run.product(f"classes_{model}.tif"))[0][0]
        layers.append(image_layer(classes, palette, grid, name=style.MODEL_LABELS[model], max_pixels=max_pixels))
    layers.append(landslide_layer(landslides))
    (south, west), (north, east) = base.bounds
    web = Map(layers=layers, center=((south + north) / 2, (west + east) / 2), zoom=_zoom(east - west), scroll_wheel_zoom=True,
              layout={"height": "520px"})  # fmt: skip
    for control in (
        LayersControl(position="topright", collapsed=False),
        ScaleControl(position="bottomleft", imperial=False),
        LegendControl(dict(zip(class_names(n_classes), colours, strict=True)), title="Susceptibility", position="bottomright"),
    ):
        web.add(control)
    _check_size(layers)
    return web


def _zoom(degrees: float, pixels: int = 650) -> int:
    """Largest zoom level at which so many degrees of longitude fit into so many pixels."""
    return int(np.clip(np.floor(np.log2(pixels * 360 / (256 * degrees))), 1, 18))


def _check_size(layers: list) -> None:
    """Stop when the layers' contents would make the page heavy."""
    size = sum(len(getattr(layer, "url", "")) + len(json.dumps(getattr(layer, "data", ""))) for layer in layers)
    if size > MAX_STATE_BYTES:
        raise LsaError(f"the web map would carry {size / 1e6:.1f} MB; choose a smaller max_pixels")
