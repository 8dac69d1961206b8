"""Maps drawn: a large raster is thinned, a small one is not touched."""

import numpy as np

from lsa_helpers.raster import empty_grid, on_grid
from lsa_helpers.show import style

GRID = empty_grid((0, 0, 70, 40), 32648, 10)


def test_a_small_raster_is_drawn_as_it_is():
    raster = on_grid(np.arange(28.0).reshape(4, 7), GRID)
    assert style.thin(raster).identical(raster)
    assert style.thin(raster.chunk(y=2, x=2)).identical(raster)


def test_of_a_large_raster_every_nth_row_and_column_is_drawn(monkeypatch):
    """Seven columns of which five may be drawn: every second, in memory, on cells of 20 m."""
    monkeypatch.setattr(style, "MOST_PIXELS", 5)
    thin = style.thin(on_grid(np.arange(28.0).reshape(4, 7), GRID).chunk(y=2, x=2))
    assert thin.chunks is None
    assert thin.values.tolist() == [[8, 10, 12], [22, 24, 26]]
    assert thin.rio.transform()[0] == 20 and thin.rio.transform()[2] == 5
