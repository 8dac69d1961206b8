"""The built book of the smallest run as files: nothing from the network, no link to nowhere,
every figure described, and no larger than a page of the web may be.
"""

import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.book.conftest import CHAPTERS

pytestmark = pytest.mark.book

MATHS = (
    "notebooks/01_data",
    "notebooks/04_factor_selection",
    "notebooks/06_frequency_ratio",
    "notebooks/07_shap",
    "notebooks/mountain",
    "notebooks/15_published_tables",
    "book/api/lsa_helpers.factors.terrain",
)
LOADING = ("script", "img", "iframe", "source", "embed", "object", "video", "audio")
NOT_LOADED = ("canonical", "next", "prev", "search", "index", "author")


class _Page(HTMLParser):
    """What a page loads by itself, its images and their texts, its links and their targets."""

    def __init__(self, path: Path):
        super().__init__()
        self.loads, self.images, self.links, self.ids = [], [], [], set()
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids |= {found[key] for key in ("id", "name") if found.get(key)}
        if tag in LOADING:
            keys = ("src", "data", "data-src", "srcset")
            self.loads += [found[key] for key in keys if found.get(key)]
        if tag == "link" and found.get("rel") not in NOT_LOADED:
            self.loads.append(found.get("href", ""))
        if tag == "img":
            self.images.append((found.get("src", ""), found.get("alt", "")))
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])


@pytest.fixture(scope="module")
def pages(site) -> dict[Path, _Page]:
    """Every page of the site, read once."""
    return {path: _Page(path) for path in site.rglob("*.html")}


def test_nothing_is_loaded_from_the_network(site, pages):
    """No page, style sheet or script names a server it would fetch from by itself."""
    for path, page in pages.items():
        outside = [url for url in page.loads if re.match(r"(https?:)?//", url)]
        assert not outside, f"{path.name} loads {outside}"
        text = page.text.replace('"attribution"', "")
        assert "unpkg.com" not in text and "cdn.jsdelivr.net" not in text, path.name
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert not re.search(r"(@import|url\()\s*['\"]?(https?:)?//", text), sheet.name


def test_local_files_that_pages_load_are_there(pages):
    for path, page in pages.items():
        for url in page.loads:
            if not re.match(r"(https?:)?//|data:|#", url):
                file = path.parent / url.split("?")[0].split("#")[0]
                assert file.exists(), f"{path.name} loads {url}"


def test_every_link_inside_the_book_has_its_target(site, pages):
    """The file of every local link is there, and the place in it that the link names. Terms of the
    glossary are such links; Sphinx itself stops at one that is not defined (-n -W).
    """
    files = {str(file) for file in site.rglob("*")}
    places = {str(path): page.ids for path, page in pages.items()}
    nowhere = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (
                os.path.normpath(path.parent / unquote(parts.path)) if parts.path else str(path)
            )
            place = unquote(parts.fragment)
            if target not in files or (place and place not in places.get(target, {place})):
                nowhere.append((path.name, link))
    assert not nowhere


def test_every_figure_has_a_text(site, pages):
    """40–250 characters for whoever cannot see the figure, and none of them a file name."""
    for chapter in CHAPTERS:
        figures = pages[site / f"notebooks/{chapter}.html"].images
        assert any("_images/" in source for source, _ in figures), chapter
    short = {
        (path.name, text)
        for path, page in pages.items()
        for source, text in page.images
        if source.startswith("data:") or "_images/" in source
        if not 40 <= len(text) <= 250 or re.search(r"\.(png|svg|jpe?g)\b", text)
    }
    assert not short


def test_pages_with_formulas_have_them(site, pages):
    for name in MATHS:
        text = pages[site / f"{name}.html"].text
        assert 'class="math notranslate' in text and "vendor/mathjax" in text, name


def test_no_header_of_a_table_is_empty(pages):
    empty = re.compile(r"<th\b[^>]*>(\s|&nbsp;|</?p>)*</th>")
    assert not [path.name for path, page in pages.items() if empty.search(page.text)]


def test_the_site_is_small(site):
    """60 MB, icons drawn from a font, notebooks to download without their pictures, and no page
    with more than its words: maps are files of their own.
    """
    large = [page for page in site.rglob("*.html") if page.stat().st_size > 5e5]
    assert not large and len([*site.glob("_static/maps/*.js")]) >= 3
    assert sum(file.stat().st_size for file in site.rglob("*") if file.is_file()) <= 60e6
    assert not [*site.rglob("*.map"), *site.rglob("fontawesome.js")]
    for chapter in CHAPTERS:
        file = site / f"_sources/notebooks/{chapter}.ipynb"
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        assert code and not any(cell["outputs"] for cell in code)
