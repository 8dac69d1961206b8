"""The built book of the smallest run: nothing from the network, every figure described, and alive
in a browser.
"""

import os
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lsa_helpers.runner.publish import build_book

pytestmark = pytest.mark.book

MATHS = (
    "01_data",
    "04_factor_selection",
    "06_frequency_ratio",
    "07_shap",
    "14_published_tables",
)
CHAPTERS = (
    "01_data",
    "02_detector",
    "03_inventory",
    "04_factor_selection",
    "05_susceptibility",
    "06_frequency_ratio",
    "07_shap",
    "08_shapley_maps",
    "09_validation",
    "10_samples",
    "11_inventory_errors",
    "12_uncertainty",
    "13_mapping_units",
    "14_published_tables",
)


@pytest.fixture(scope="module")
def site(tiny, tmp_path_factory) -> Path:
    """Folder of the book of the smallest run."""
    index = build_book(tiny.run, tmp_path_factory.mktemp("site") / "book")
    assert index.name == "index.html" and index.is_file()
    return index.parent


class _Loads(HTMLParser):
    """Collects what a page loads by itself, and its images with their texts."""

    def __init__(self, text: str):
        super().__init__()
        self.loads, self.images = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag in ("script", "img", "iframe", "source", "embed", "object", "video", "audio"):
            self.loads += [found[key] for key in ("src", "data", "srcset") if found.get(key)]
        if tag == "link" and found.get("rel") not in (
            "canonical",
            "next",
            "prev",
            "search",
            "index",
            "author",
        ):
            self.loads.append(found.get("href", ""))
        if tag == "img":
            self.images.append((found.get("src", ""), found.get("alt", "")))


def test_nothing_is_loaded_from_the_network(site):
    """No page, style sheet or script names a server it would fetch from by itself."""
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        outside = [url for url in _Loads(text).loads if re.match(r"(https?:)?//", url)]
        assert not outside, f"{page.name} loads {outside}"
        assert (
            "unpkg.com" not in text.replace('"attribution"', "") and "cdn.jsdelivr.net" not in text
        ), page.name
    for sheet in site.rglob("*.css"):
        assert not re.search(
            r"(@import|url\()\s*['\"]?(https?:)?//", sheet.read_text(encoding="utf-8")
        ), sheet.name


def test_local_files_that_pages_load_are_there(site):
    for page in site.rglob("*.html"):
        for url in _Loads(page.read_text(encoding="utf-8")).loads:
            if not re.match(r"(https?:)?//|data:|#", url):
                assert (page.parent / url.split("?")[0].split("#")[0]).exists(), (
                    f"{page.name} loads {url}"
                )


def test_every_figure_of_a_chapter_has_a_text(site):
    """40–250 characters for whoever cannot see the figure, and none of them a file name."""
    for chapter in CHAPTERS:
        page = _Loads((site / "notebooks" / f"{chapter}.html").read_text(encoding="utf-8"))
        figures = [alt for src, alt in page.images if "_images/" in src]
        assert figures, chapter
        assert all(40 <= len(alt) <= 250 for alt in figures), (chapter, figures)


@pytest.fixture(scope="module")
def browser():
    """Chromium, without a network."""
    sync_api = pytest.importorskip("playwright.sync_api")
    program = (
        os.environ.get("CHROMIUM")
        or shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if not program:
        pytest.skip("no Chromium here: install one, or name it in the variable CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        program = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield program
        program.close()


@pytest.fixture
def page(browser):
    """A page that refuses everything but local files and keeps what went wrong."""
    context = browser.new_context(viewport={"width": 1300, "height": 900}, offline=True)
    page = context.new_page()
    page.asked, page.wrong = [], []

    def gate(route):
        if route.request.url.startswith(("file:", "data:", "blob:")):
            route.continue_()
        else:
            page.asked.append(route.request.url)
            route.abort()

    context.route("**/*", gate)
    page.on(
        "console",
        lambda message: page.wrong.append(message.text) if message.type == "error" else None,
    )
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    yield page
    context.close()


# Tables and code wider than the text, where nothing around them scrolls.
CUT_OFF = """() => [...document.querySelectorAll("article table, article pre")].filter(item => {
  let box = item;
  while (box.tagName !== "ARTICLE") {
    if (["auto", "scroll"].includes(getComputedStyle(box).overflowX)) return false;
    box = box.parentElement;
  }
  return item.scrollWidth > box.clientWidth + 1;
}).map(item => item.textContent.slice(0, 60))"""


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_chapter_in_the_browser(site, page, chapter):
    """Figures are drawn, maths is typeset, the network is asked nothing, nothing goes wrong."""
    page.goto((site / "notebooks" / f"{chapter}.html").as_uri(), wait_until="load")
    formulas = page.locator(".math.notranslate").count()
    assert formulas or chapter not in MATHS
    if formulas:
        page.wait_for_function(
            f"document.querySelectorAll('mjx-container').length >= {formulas}", timeout=20_000
        )
        assert page.locator(".MathJax_Error, mjx-merror").count() == 0
    widths = page.eval_on_selector_all(
        "article img[src*='_images/']", "images => images.map(image => image.naturalWidth)"
    )
    assert widths and min(widths) > 100
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), (
        "the page is wider than the window"
    )
    assert page.evaluate(CUT_OFF) == [], "wider than the text, and cut instead of scrolled"
    assert (page.asked, page.wrong) == ([], [])


@pytest.mark.parametrize("chapter", ["06_frequency_ratio", "08_shapley_maps"])
def test_the_map_of_a_chapter_answers_a_click(site, page, chapter):
    page.goto((site / "notebooks" / f"{chapter}.html").as_uri())
    page.locator(".lsa-map canvas").click()
    page.wait_for_selector(".lsa-map dd")
    assert page.locator(".lsa-map [data-part=told]").inner_text().startswith("x ")
    assert (page.asked, page.wrong) == ([], [])


def test_start_page_leads_to_every_chapter(site, page):
    page.goto((site / "index.html").as_uri())
    page.wait_for_selector("article h1")
    links = page.eval_on_selector_all(
        ".bd-sidebar-primary a", "links => links.map(link => link.getAttribute('href'))"
    )
    for chapter in CHAPTERS:
        assert any(link and link.endswith(f"{chapter}.html") for link in links), chapter
    assert "Text CC BY 4.0" in page.content()
    assert (page.asked, page.wrong) == ([], [])


def test_the_reference_shows_signatures_and_equations(site, page):
    page.goto((site / "book" / "api" / "lsa_helpers.factors.terrain.html").as_uri())
    page.wait_for_selector("mjx-container", timeout=20_000)
    page.goto((site / "book" / "api" / "lsa_helpers.factors.build.html").as_uri())
    assert "cell_size_m=0.0" in page.locator("dt.sig", has_text="build_factors").inner_text()
    assert (page.asked, page.wrong) == ([], [])
