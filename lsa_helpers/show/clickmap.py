"""A picture of a map that answers a click with a text stored in the page: no kernel, no network."""

import base64
import html
import io
import json

import numpy as np
import xarray as xr
from matplotlib import colormaps
from PIL import Image

from lsa_helpers.show import style

_PAGE = """\
<figure style="margin:0"><img src="{address}" alt="{alt}" style="width:100%;cursor:crosshair"
onclick="const box = this.getBoundingClientRect();
const texts = JSON.parse(this.parentNode.querySelector('script').textContent);
const row = Math.floor((event.clientY - box.top) / box.height * texts.length);
const column = Math.floor((event.clientX - box.left) / box.width * texts[0].length);
this.parentNode.querySelector('output').textContent = texts[row][column];">
<output style="display:block;min-height:3.2em">{invitation}</output>
<script type="application/json">{texts}</script></figure>"""


def click_map(
    values: xr.DataArray, shade: xr.DataArray, texts: np.ndarray, *, alt: str, invitation: str
) -> str:
    """A raster over shaded relief as HTML; a click shows the text of the place.

    Parameters
    ----------
    values : DataArray, dims (y, x)
        Drawn from the 2nd to the 98th percentile, dark to bright; NaN stays grey.
    shade : DataArray, dims (y, x)
        Shaded relief in 0–1 on the same cells.
    texts : ndarray of str, shape (rows, columns)
        What a click says; each stands for an equal part of the map, first row in the north.
    alt : str
        Text for those who do not see the picture.
    invitation : str
        Stands below the map until the first click.

    Returns
    -------
    str
        HTML that carries everything it needs. What the texts say is never markup.
    """
    values, shade = style.thin(values).values, style.thin(shade).fillna(0.8).values
    low, high = np.nanpercentile(values, [2, 98])
    colours = colormaps[style.SEQUENTIAL](np.clip((values - low) / (high - low), 0, 1))[..., :3]
    colours[~np.isfinite(values)] = 0.8
    picture = Image.fromarray(np.uint8(255 * (0.7 * colours + 0.3 * shade[..., None])))
    picture.thumbnail((1000, 1000))
    content = io.BytesIO()
    picture.save(content, "PNG", optimize=True)
    address = "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()
    # "<" as JSON writes it in an escape: no text can end the element it stands in
    stored = json.dumps(texts.tolist(), ensure_ascii=False).replace("<", "\\u003c")
    words = {"alt": html.escape(alt), "invitation": html.escape(invitation)}
    return _PAGE.format(address=address, texts=stored, **words)
