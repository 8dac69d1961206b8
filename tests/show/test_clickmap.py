"""The map that answers a click: the right text at the right place, and no text is markup."""

import json
import re

import numpy as np
import pytest

from lsa_helpers.raster import empty_grid, on_grid
from lsa_helpers.show.clickmap import click_map

GRID = empty_grid((0, 0, 600, 400), 32648, 10)
TEXTS = np.array([["north-west", "north-east"], ["<script>alert(1)</script>", "south & east"]])


def _page() -> str:
    values = on_grid(np.arange(2400.0).reshape(40, 60), GRID)
    values[:5] = np.nan
    shade = on_grid(np.full((40, 60), 0.8), GRID)
    return click_map(values, shade, TEXTS, alt='A "map"', invitation="Click")


def test_everything_is_in_the_page_and_no_text_is_markup():
    page = _page()
    assert "http" not in page and "<script>alert" not in page
    (stored,) = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    assert json.loads(stored) == TEXTS.tolist()
    assert 'alt="A &quot;map&quot;"' in page and ">Click</output>" in page


@pytest.mark.book
def test_a_click_shows_the_text_of_its_place(page, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(f"<meta charset=utf-8><body>{_page()}", encoding="utf-8")
    page.goto(file.as_uri())
    box = page.locator("img").bounding_box()
    for column, row in np.ndindex(2, 2):
        at = (
            box["x"] + box["width"] * (column + 0.5) / 2,
            box["y"] + box["height"] * (row + 0.5) / 2,
        )
        page.mouse.click(*at)
        assert page.locator("output").inner_text() == TEXTS[row, column]
