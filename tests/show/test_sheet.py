"""The map sheet: a page with everything on it, the same bytes each time."""

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import LineString, box

from lsa_helpers.raster import empty_grid, on_grid
from lsa_helpers.show import sheet, style

GRID = empty_grid((600_000, 3_290_000, 602_000, 3_291_000), "EPSG:32648", 100)


@pytest.fixture
def page():
    """A sheet of two classes in an area with a name the font cannot draw as a whole."""
    style.use()
    classes = on_grid(np.tile(np.array([1, 2] * 10, np.uint8), (10, 1)), GRID)
    slides = gpd.GeoDataFrame(
        geometry=[box(600_100, 3_290_100, 600_400, 3_290_400)], crs=GRID.rio.crs
    )
    slides.attrs["layer"] = "known"
    roads = gpd.GeoDataFrame(
        geometry=[LineString([(600_000, 3_290_500), (602_000, 3_290_500)])], crs=GRID.rio.crs
    )
    words = {"title": "磨西 Moxi $", "class_words": ["low", "high"], "legend_title": "Class"}
    return sheet.map_sheet(classes, slides, **words, facts={"Date": "5 May"}, roads=roads)


def test_a_sheet_has_all_a_map_needs(page):
    """A4, scale bar, north arrow, legend from the highest class down, facts, the sentence."""
    assert page.get_size_inches() * 25.4 == pytest.approx([297, 210])
    said = [text.get_text() for text in page.texts]
    assert "?? Moxi $" in said and sheet.LIMIT in said and "Date: 5 May" in said
    labels = [text.get_text() for text in page.legends[0].get_texts()]
    assert labels == ["high", "low", "Landslide (known)", "Road"]
    (ax,) = page.axes
    assert any(type(artist).__name__ == "AnchoredSizeBar" for artist in ax.artists)
    assert "N" in [text.get_text() for text in ax.texts]


def test_nothing_leaves_the_page(page):
    page.canvas.draw()
    whole = page.bbox
    for artist in [*page.texts, page.legends[0]]:
        box = artist.get_window_extent()
        assert box.x0 >= whole.x0 and box.x1 <= whole.x1 and box.y0 >= whole.y0


def test_the_sentence_is_the_last_of_the_page_on_limits(root):
    text = (root / "book/limits.md").read_text(encoding="utf-8")
    assert text.strip().splitlines()[-1] == sheet.LIMIT


def test_the_same_sheet_is_the_same_bytes(page, tmp_path):
    first, second = (
        sheet.write_pdf(page, tmp_path / name).read_bytes() for name in ("a.pdf", "b.pdf")
    )
    assert first[:5] == b"%PDF-" and first == second
    assert b"CreationDate" not in first and b"/MediaBox [ 0 0 841.88" in first
