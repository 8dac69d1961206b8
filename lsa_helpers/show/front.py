"""The map on the front page."""

import geopandas as gpd
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from lsa_helpers.show import style


def front_map(
    susceptibility: xr.DataArray, relief: xr.DataArray, inventory: gpd.GeoDataFrame
) -> Figure:
    """One map of susceptibility, darkened where the relief lies in shadow, with its landslides.

    Parameters
    ----------
    susceptibility : DataArray, dims (y, x)
        0 to 1; NaN stays white.
    relief : DataArray, dims (y, x)
        0 to 1, from `lsa_helpers.show.style.relief`.
    inventory : GeoDataFrame
        Polygons or points.

    Returns
    -------
    Figure
        The relief changes the lightness of a colour, so the bar's colours are those of level
        ground in full light.
    """
    values = style.thin(susceptibility)
    light = 0.5 + 0.5 * relief.reindex_like(values, method="nearest").fillna(1).values
    colours = mpl.colormaps["viridis"](np.nan_to_num(values.values))
    colours[..., :3] *= light[..., None]
    colours[np.isnan(values.values)] = 1
    fig, ax = plt.subplots(figsize=(8, 8 * values.sizes["y"] / values.sizes["x"] + 0.7))
    extent = style.map_axes(ax, susceptibility)
    ax.imshow(colours, extent=extent)
    style.outlines(ax, inventory, susceptibility, color="white", lw=0.7, markersize=5)
    scale = mpl.cm.ScalarMappable(mpl.colors.Normalize(0, 1), "viridis")
    label = "Susceptibility (0 to 1)"
    fig.colorbar(scale, ax=ax, label=label, location="bottom", shrink=0.4, aspect=40, pad=0.02)
    return fig
