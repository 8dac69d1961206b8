"""The only colours and the only map frame the figures use."""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LightSource
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patheffects import withStroke
from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar

from lsa_helpers.raster import cell_size
from lsa_helpers.run import Run, whole_file

# Okabe & Ito (2008), colour-blind safe; the first three are the three models everywhere.
OKABE_ITO = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "vermilion": "#D55E00",
    "purple": "#CC79A7",
    "yellow": "#F0E442",
    "teal": "#009E73",
    "black": "#000000",
}
# What became of a landslide or a detection; sky, yellow and vermilion differ in grey, too.
OUTCOMES = {
    "hit": OKABE_ITO["sky"],
    "false alarm": OKABE_ITO["vermilion"],
    "missed": OKABE_ITO["yellow"],
}
CASING = "#222222"  # dark rim of lines over images, which are light here and dark there
MODEL_COLOURS = {
    "cnn": OKABE_ITO["blue"],
    "rf": OKABE_ITO["orange"],
    "xgboost": OKABE_ITO["purple"],
    "logistic": OKABE_ITO["black"],
    "svm": OKABE_ITO["teal"],
    "infinite_slope": OKABE_ITO["sky"],
    "coordinates": OKABE_ITO["yellow"],
    "oracle": "#777777",
    "reachable": "#aaaaaa",
}
MODEL_LABELS = {
    "cnn": "CNN",
    "rf": "Random forest",
    "xgboost": "XGBoost",
    "logistic": "Logistic regression",
    "svm": "Support vector machine",
    "infinite_slope": "Infinite slope",
    "rf_context": "Random forest with neighbourhood",
    "xgboost_context": "XGBoost with neighbourhood",
    "cnn_1": "CNN of one cell",
    "coordinates": "Place alone (x, y)",
    "constant": "Prevalence everywhere",
    "oracle": "Oracle (true probability)",
    "reachable": "Reachable from the factors",
}
WIDTH = 7.2  # inches; the book's column, where letters of a figure keep their size
MOST_PIXELS = 2500  # cells a side of a raster that is drawn, more than a figure shows
SEQUENTIAL = "cividis"
DIVERGING = "PuOr"
#: Susceptibility classes from low to high, in every map of the book: each is darker than the one
#: before by about as much, so that the order is read by the colour-blind and in grey too, and no
#: one is as light as the page.
CLASS_RAMP = ("#e6ebf3", "#bac4df", "#9495c6", "#7a56a4", "#561873")
CIRCULAR = "twilight"
# Twelve classes are enough for land cover and lithology; colours differ in lightness too.
CLASS_COLOURS = [*OKABE_ITO.values(), "#999999", "#dddddd", "#5e3c99", "#a6611a"]
# Of the factors that lead most often, from dark to bright, so that they differ in grey too.
LEADERS = [OKABE_ITO[name] for name in ("black", "blue", "vermilion", "sky", "yellow")]


def use() -> None:
    """Set the fonts, sizes and resolution every figure of the book shares."""
    plt.rcParams.update(
        {
            "figure.dpi": 110,
            "savefig.dpi": 150,
            "font.size": 9,
            "axes.titlesize": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "image.cmap": SEQUENTIAL,
            "legend.frameon": False,
            "figure.constrained_layout.use": True,
        }
    )


def panels(count: int, columns: int, width: float, height: float, **more) -> tuple[Figure, list]:
    """A figure `width` wide and its `count` axes, so many beside each other in rows of `height`,
    inches.
    """
    rows = -(-count // columns)
    size = width, rows * height
    fig, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, **more)
    for ax in axes.flat[count:]:
        ax.remove()
    return fig, list(axes.flat[:count])


def value_colours(values, kind: str) -> tuple[str, float, float]:
    """The colour map of values that are no classes, and the values at its ends.

    Parameters
    ----------
    values : array_like of float
        NaN where unknown.
    kind : str
        ``circular``: degrees; else from the 2nd to the 98th percentile, and in two colours where
        these lie on both sides of 0.
    """
    if kind == "circular":
        return CIRCULAR, 0.0, 360.0
    if not np.isfinite(values).any():
        return SEQUENTIAL, 0.0, 1.0
    low, high = np.nanpercentile(values, [2, 98])
    if low < 0 < high:
        return DIVERGING, -max(-low, high), max(-low, high)
    return SEQUENTIAL, low, high


def map_image(ax: Axes, raster, *, scale_bar: bool = True, **look) -> AxesImage:
    """A raster (DataArray with dims y, x; NaN is not drawn) as an image in a map frame; `look` goes
    to ``imshow``.
    """
    extent = map_axes(ax, raster, scale_bar=scale_bar)
    return ax.imshow(thin(raster), extent=extent, **look)


def thin(raster):
    """A raster (DataArray or Dataset with dims y, x) in memory; of one with more than `MOST_PIXELS`
    cells a side every nth row and column.
    """
    step = -(-max(raster.sizes["y"], raster.sizes["x"]) // MOST_PIXELS)
    if step > 1:
        raster = raster.isel({axis: slice(step // 2, None, step) for axis in ("y", "x")})
        raster = raster.rio.write_transform(raster.rio.transform(recalc=True))
    return raster.compute()


def landslides(inventory):
    """An inventory (GeoDataFrame) without the places that have no landslide (``label`` 0)."""
    return inventory[inventory["label"] == 1] if "label" in inventory else inventory


def outlines(ax: Axes, layer, raster, **line) -> None:
    """Draw the edges of a GeoDataFrame's polygons, or its lines or points; the axes keep the frame
    of the raster.
    """
    shapes = layer.geometry.to_crs(raster.rio.crs)
    if shapes.geom_type.str.endswith("Polygon").all():
        shapes = shapes.boundary
    shapes.plot(ax=ax, aspect=None, **line)
    map_axes(ax, raster, scale_bar=False)
    ax.set(xlabel="", ylabel="")


def cased(width: float) -> dict:
    """Looks of a line of this width, points, that is seen on light and on dark ground."""
    return {
        "linewidths": width,
        "path_effects": [withStroke(linewidth=width + 1.6, foreground=CASING)],
    }


def map_axes(ax: Axes, raster, *, scale_bar: bool = True) -> tuple[float, float, float, float]:
    """Turn axes into a map frame: no ticks, equal scale, a scale bar in km.

    Parameters
    ----------
    ax : Axes
    raster : DataArray or Dataset, dims (y, x)
        Any raster on the cells drawn, CRS in metres.
    scale_bar : bool
        Draw a scale bar in the lower left corner.

    Returns
    -------
    tuple of float
        ``extent`` for ``imshow``: left, right, bottom, top in metres.
    """
    left, bottom, right, top = raster.rio.bounds()
    ax.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[], aspect="equal")
    for spine in ax.spines.values():
        spine.set_visible(True)
    if scale_bar:
        _scale_bar(ax, right - left)
    return left, right, bottom, top


def _scale_bar(ax: Axes, width: float) -> None:
    """A bar of a round length, at most a quarter of the map, in the lower left corner."""
    steps_km = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
    length_km = max(step for step in steps_km if step <= max(width / 4000, 0.1))
    look = {"label_top": True, "pad": 0.2, "sep": 2, "size_vertical": 0.008 * width}
    look |= {"fill_bar": True, "prop": {"size": 8}}
    text = f"{length_km:g} km"
    bar = AnchoredSizeBar(ax.transData, 1000 * length_km, text, "lower left", **look)
    bar.patch.set(alpha=0.7, lw=0)
    bar.set_zorder(9)
    ax.add_artist(bar)


def north_arrow(ax: Axes) -> None:
    """An arrow to the grid's north in the upper right corner of a map."""
    arrow = {"arrowstyle": "-|>", "color": "black", "lw": 1.2}
    box = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.7}
    place = {"xy": (0.97, 0.99), "xytext": (0.97, 0.88), "xycoords": "axes fraction"}
    ax.annotate("N", **place, ha="center", fontsize=9, arrowprops=arrow, bbox=box)


def hillshade(dem: xr.DataArray) -> xr.DataArray:
    """Shaded relief in 0–1 of a DEM (dims y, x; metres, CRS in metres, NaN where unknown), lit from
    the north-west at 45°, of a large one as `thin` leaves it.
    """
    dem = thin(dem)
    edge = cell_size(dem)
    shade = LightSource(315, 45).hillshade(dem.fillna(dem.mean()).values, dx=edge, dy=edge)
    return dem.copy(data=shade).where(dem.notnull())


def relief(factors: xr.Dataset) -> xr.DataArray:
    """Shaded relief in 0–1 from the factor altitude; NaN outside; flat where it is no factor."""
    if "altitude" in factors:
        return hillshade(factors["altitude"])
    first = thin(next(iter(factors.values())))
    return xr.full_like(first, 0.8).where(first.notnull())


def save(fig: Figure, run: Run, name: str) -> Figure:
    """Write the figure to ``figures/<name>.png`` of the run and return it for display."""
    with whole_file(run.figure(name)) as part:
        fig.savefig(part, metadata={"Software": None})
    fig.set_layout_engine("none")  # it is laid out; the page draws it once more
    plt.close(fig)
    return fig
