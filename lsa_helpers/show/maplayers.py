"""What the interactive map carries: rasters as whole numbers, and how each looks and is told."""

import base64
import zlib
from collections.abc import Mapping
from itertools import cycle

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.colors import to_hex

from lsa_helpers.raster import cell_size
from lsa_helpers.show import style
from lsa_helpers.show.classes import class_colours
from lsa_helpers.show.explain import label

_UNKNOWN = -32768  # of whole numbers of two bytes
_SHADES = 64
_OTHER_FACTORS = "#dddddd"
_NO_FACTORS = ("base", "residual")
#: Headings of the layers that a map is given apart from the others.
FACTORS, LEADING = "Factors", "Largest contribution"


class MapLayers:
    """Layers of the interactive map, thinned to every nth row and column.

    Parameters
    ----------
    grid : DataArray or Dataset, dims (y, x)
        Any raster on the cells that the map tells of.
    step : int
        Every how many rows and columns a cell is kept.
    """

    def __init__(self, grid: xr.DataArray | xr.Dataset, step: int):
        self.grid, self.step = grid, step
        self.y, self.x = (grid[axis][step // 2 :: step] for axis in ("y", "x"))
        self.planes, self.layers, self.contributions = [], [], []
        self.relief = {}

    def add_relief(self, relief: xr.DataArray, most_cells: int) -> None:
        """Shaded relief in few shades, with cells of its own: it is no more than a picture."""
        step = -(-max(relief.shape) // most_cells)
        shades = relief[step // 2 :: step, step // 2 :: step].values
        numbers = np.nan_to_num(np.rint(_SHADES * shades), nan=_UNKNOWN).astype(np.int16)
        edge = step * cell_size(relief) / cell_size(self.grid)
        look = {"palette": "gray", "low": -0.3 * _SHADES, "high": _SHADES, "decimals": 0}
        self.relief = look | {"plane": self._keep(numbers, edge)}

    def add(self, group: str, name: str, raster: xr.DataArray) -> None:
        """A raster as a layer: by classes, by direction, or from low to high."""
        values = self._values(raster)
        kind, units = raster.attrs.get("kind", "continuous"), raster.attrs.get("units", "1")
        classes = raster.attrs.get("classes") or {}
        numbers, decimals = whole_numbers(values, of_classes=bool(classes))
        if classes:
            look = _class_look(classes, ordered=kind == "ordinal")
        else:
            look = _value_look(values, kind, decimals)
        layer = {"group": group, "name": style.MODEL_LABELS.get(name, name)}
        layer |= {"units": "" if units == "1" else units}
        self.layers.append(layer | look | {"plane": self._keep(numbers), "decimals": decimals})

    def add_contributions(self, models: Mapping[str, xr.Dataset], factors: xr.Dataset) -> None:
        """Of each model the three factors with the largest contributions, by cell; the first of
        them is a layer.
        """
        names = [name for maps in models.values() for name in maps if name not in _NO_FACTORS]
        names = list(dict.fromkeys(names))
        words = [label(factors[name]) if name in factors else name for name in names]
        largest = {model: self._three_largest(maps, names) for model, maps in models.items()}
        look = _leading_look([codes[0] for codes, _ in largest.values()], words)
        for model, (codes, amounts) in largest.items():
            title = style.MODEL_LABELS.get(model, model)
            numbers, decimals = whole_numbers(amounts)
            parts = [
                {"factor": self._keep(code), "value": self._keep(number)}
                for code, number in zip(codes, numbers, strict=True)
            ]
            units = models[model]["base"].attrs.get("units", "1")
            told = {"name": title, "units": units, "factors": words, "decimals": decimals}
            self.contributions.append(told | {"parts": parts})
            layer = {"group": LEADING, "name": title, "units": "", "decimals": 0}
            self.layers.append(layer | look | {"plane": parts[0]["factor"]})

    def content(self) -> dict:
        """Everything as JSON can hold it."""
        left, _, _, top = self.grid.rio.bounds()
        used = {layer["palette"] for layer in [self.relief, *self.layers] if "palette" in layer}
        ramp = np.linspace(0, 1, _SHADES)
        return {
            "left": left,
            "top": top,
            "cell": cell_size(self.grid),
            "step": self.step,
            "width": self.grid.sizes["x"],
            "height": self.grid.sizes["y"],
            "columns": self.x.size,
            "rows": self.y.size,
            "palettes": {name: _hex(colormaps[name](ramp)) for name in sorted(used)},
            "relief": self.relief,
            "layers": self.layers,
            "factors": FACTORS,
            "leading": LEADING,
            "contributions": self.contributions,
            "planes": self.planes,
        }

    def _values(self, raster: xr.DataArray) -> np.ndarray:
        """Values at the cells kept, float64, NaN where unknown or outside the raster."""
        reach = 0.51 * cell_size(raster)
        unknown = 0 if raster.dtype.kind in "iu" else np.nan
        look_up = {"method": "nearest", "tolerance": reach, "fill_value": unknown}
        values = raster.reindex(y=self.y, x=self.x, **look_up).values
        return np.where(values == unknown, np.nan, values.astype(float))

    def _three_largest(self, maps: xr.Dataset, names: list) -> tuple[np.ndarray, np.ndarray]:
        """Numbers in `names` of the factors with the three largest absolute contributions, and
        these, (3, rows, columns) each; unknown where any is.
        """
        own = [name for name in names if name in maps]
        values = np.stack([self._values(maps[name]) for name in own])
        known = np.isfinite(values).all(axis=0)
        order = np.argsort(-np.abs(np.where(known, values, 0)), axis=0, kind="stable")[:3]
        codes = np.array([names.index(name) for name in own], np.int16)[order]
        amounts = np.take_along_axis(values, order, axis=0)
        return np.where(known, codes, np.int16(_UNKNOWN)), np.where(known, amounts, np.nan)

    def _keep(self, numbers: np.ndarray, edge: float | None = None) -> int:
        """Keep a plane of whole numbers, (rows, columns), whose cells are so many of the grid's
        wide; its number.
        """
        plane = {"columns": numbers.shape[1], "edge": self.step if edge is None else edge}
        self.planes.append(plane | {"numbers": packed(numbers)})
        return len(self.planes) - 1


def whole_numbers(values: np.ndarray, *, of_classes: bool = False) -> tuple[np.ndarray, int]:
    """Values times a power of ten, rounded, so that two bytes hold them.

    Parameters
    ----------
    values : ndarray of float
        NaN where unknown.
    of_classes : bool
        Codes of classes, which are kept as they are.

    Returns
    -------
    numbers : ndarray of int16
        −32768 where unknown.
    decimals : int
        The power: as many as show three digits of the range in which 96 % of the values lie, fewer
        where the largest would not fit.

    Examples
    --------
    >>> numbers, decimals = whole_numbers(np.array([0.0, 12.34, np.nan, 45.67]))
    >>> numbers.tolist(), decimals
    ([0, 123, -32768, 457], 1)
    """
    known = values[np.isfinite(values)]
    decimals = 0
    if known.size and not of_classes:
        low, high = np.percentile(known, [2, 98])
        decimals = max(0, 2 - int(np.floor(np.log10((high - low) or abs(high) or 1))))
        while np.abs(known).max() * 10.0**decimals >= -_UNKNOWN:
            decimals -= 1
    numbers = np.rint(np.where(np.isfinite(values), values, np.nan) * 10.0**decimals)
    return np.nan_to_num(numbers, nan=_UNKNOWN).astype(np.int16), decimals


def packed(numbers: np.ndarray) -> str:
    """Whole numbers of two bytes as text: the steps from one to the next, which repeat, low bytes
    before high ones, deflated, in base64.
    """
    steps = np.diff(numbers.ravel(), prepend=np.int16(0)).astype("<i2")
    halves = steps.view(np.uint8).reshape(-1, 2).T
    return base64.b64encode(zlib.compress(halves.tobytes(), 6)).decode()


def _class_look(classes: Mapping[int, str], *, ordered: bool) -> dict:
    """Names and colours of classes, and their legend; ordered ones from high to low."""
    colours = class_colours(len(classes)) if ordered else cycle(style.CLASS_COLOURS)
    named = zip(sorted(classes), colours, strict=False)
    named = {int(code): [str(classes[code]), colour] for code, colour in named}
    legend = [(colour, name) for name, colour in named.values()]
    return {"classes": named, "legend": legend[::-1] if ordered else legend}


def _leading_look(codes: list[np.ndarray], words: list[str]) -> dict:
    """Names and colours of the factors with the largest contribution: the five that have it most
    often over all models have a colour each.
    """
    often = np.zeros(len(words))
    for of_model in codes:
        often += np.bincount(of_model[of_model >= 0], minlength=len(words))
    first = [int(code) for code in np.argsort(-often, kind="stable")[:5] if often[code]]
    colours = dict(zip(first, style.LEADERS, strict=False))
    legend = [(colour, words[code]) for code, colour in colours.items()]
    if often.sum() > often[first].sum():
        legend.append((_OTHER_FACTORS, "another factor"))
    named = {code: [word, colours.get(code, _OTHER_FACTORS)] for code, word in enumerate(words)}
    return {"classes": named, "legend": legend}


def _value_look(values: np.ndarray, kind: str, decimals: int) -> dict:
    """Colours of values from low to high, and five of them as a legend."""
    palette, low, high = style.value_colours(values, kind)
    values = np.linspace(high, low, 5)
    texts = [f"{value:.{max(decimals, 0)}f}".replace("-", "−") for value in values]
    if kind == "circular":
        texts = [f"{text}° {wind}" for text, wind in zip(texts, "NWSEN", strict=True)]
    else:
        texts = [f"{texts[0]} or more", *texts[1:-1], f"{texts[-1]} or less"]
    legend = list(zip(_hex(colormaps[palette](np.linspace(1, 0, 5))), texts, strict=True))
    look = {"palette": palette, "low": float(low), "high": float(high), "legend": legend}
    return look | {"circular": kind == "circular"}


def _hex(colours: np.ndarray) -> list[str]:
    """Colours, (n, 4) in 0–1, as ``#rrggbb``."""
    return [to_hex(colour) for colour in colours]
