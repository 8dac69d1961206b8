"""The built book as a reader meets it in a browser: wide and narrow, light and dark, by mouse and
by keyboard, without a network.
"""

import gzip
import importlib.resources
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml

from tests.book.conftest import CHAPTERS
from tests.browser import new_page
from tests.conftest import ROOT

pytestmark = pytest.mark.book

WIDE, NARROW = 1280, 390
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
IN_TOC = [TOC["root"], *(item["file"] for part in TOC["parts"] for item in part["chapters"])]
MODULE = "book/api/lsa_helpers.factors.build"
PAGES = [*IN_TOC, "book/api/lsa_helpers.factors.terrain", MODULE, "search"]

TYPESET = """() => [...document.querySelectorAll(".math.notranslate")]
  .every(formula => formula.querySelector("mjx-container"))"""
ALL_FIGURES = """async () => {
  const images = [...document.querySelectorAll("article img")];
  for (const image of images) { image.loading = "eager"; await image.decode(); }
  return images.map(image => image.naturalWidth);
}"""
# What ends right of the text, or of the cell of a table that it stands in, and is not scrolled.
TOO_WIDE = """() => {
  const text = document.querySelector(".bd-article-container");
  const scrolls = box => ["auto", "scroll"].includes(getComputedStyle(box).overflowX);
  const own = ".lsa-map, mjx-container, svg, .headerlink";
  const cut = item => {
    const { right, width } = item.getBoundingClientRect();
    if (!width) return false;
    for (let box = item.parentElement; text.contains(box); box = box.parentElement) {
      if (scrolls(box)) return false;
      if ((["TD", "TH"].includes(box.tagName) || box === text)
        && right > box.getBoundingClientRect().right + 1) return true;
    }
    return false;
  };
  const found = [...text.querySelectorAll("*")].filter(item => !item.closest(own) && cut(item));
  const page = document.documentElement;
  if (page.scrollWidth > innerWidth + 1) found.push(page);
  return found.map(item => item.tagName + " " + item.textContent.trim().slice(0, 60));
}"""
# What scrolls sideways and no keyboard reaches.
OUT_OF_REACH = """() => [...document.querySelectorAll("article *")].filter(item =>
  ["auto", "scroll"].includes(getComputedStyle(item).overflowX) && item.tabIndex < 0
  && item.scrollWidth > item.clientWidth + 1 && item.clientWidth
  && !["inline", "contents"].includes(getComputedStyle(item).display)
).map(item => item.tagName + " " + item.className)"""


# axe-core measures contrast text by text, which takes seconds where there are thousands: it is
# given one text of each colour, size, weight and opacity on each ground.
CONTRAST = """async (options) => {
  const clear = ["rgba(0, 0, 0, 0)", "transparent"];
  const ground = item => {
    const own = item && getComputedStyle(item).backgroundColor;
    return clear.includes(own) ? ground(item.parentElement) : own;
  };
  const kinds = new Map();
  for (const item of document.querySelectorAll("body *")) {
    const texts = [...item.childNodes].filter(node => node.nodeType === Node.TEXT_NODE);
    if (!texts.some(node => node.data.trim()) || !item.checkVisibility()) continue;
    const { color, fontSize, fontWeight, opacity } = getComputedStyle(item);
    kinds.set([color, fontSize, fontWeight, opacity, ground(item)].join(), item);
  }
  return axe.run({ include: [...kinds.values()] }, { ...options, runOnly: ["color-contrast"] });
}"""
RULES = """options => axe.run(document, {
  ...options,
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
  rules: { "color-contrast": { enabled: false } },
})"""


def _resize(page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")


def _come_near(page) -> None:
    """Scroll to what waits for a reader: the map and the formulas."""
    for waiting in page.locator(".lsa-map").all():
        waiting.scroll_into_view_if_needed()
        waiting.locator("canvas").wait_for()
    formulas = page.locator(".math.notranslate:visible")
    if formulas.count():
        formulas.first.scroll_into_view_if_needed()
        page.wait_for_function(TYPESET, timeout=20_000)


@pytest.fixture(scope="module")
def reader(browser):
    """One page that goes from address to address."""
    page = new_page(browser)
    yield page
    page.context.close()


@pytest.fixture(scope="module", params=PAGES)
def opened(request, site, reader):
    """A page of the book, wide and light, with its maths typeset, for one test after another."""
    reader.asked.clear()
    reader.wrong.clear()
    reader.goto((site / f"{request.param}.html").as_uri(), wait_until="load")
    # sidebars slide for as long as a test takes; what is not laid out yet would not be too wide
    style = "* { transition: none !important } .cell { content-visibility: visible !important }"
    reader.add_style_tag(content=style)
    _come_near(reader)
    return reader


def test_a_page_is_drawn_asks_for_nothing_and_nothing_goes_wrong(opened):
    assert opened.locator(".MathJax_Error, mjx-merror").count() == 0
    assert all(width > 100 for width in opened.evaluate(ALL_FIGURES))
    assert (opened.asked, opened.wrong) == ([], [])


def test_every_solution_opens_by_key(opened):
    """Every chapter has some; they stay open for the tests that follow."""
    solutions = opened.locator(".solution.dropdown")
    assert solutions.count() > 0 or "/notebooks/" not in opened.url
    for number in range(solutions.count()):
        content = solutions.nth(number).locator("section, p:not(.admonition-title)").first
        assert not content.is_visible()
        solutions.nth(number).locator("button.toggle-button").press("Enter")
        content.wait_for(state="visible")


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_nothing_is_wider_than_its_box(opened, width):
    """Neither a table nor a line of code runs out of the text; what scrolls can be reached."""
    _resize(opened, width)
    assert opened.evaluate(TOO_WIDE) == []
    assert opened.evaluate(OUT_OF_REACH) == []


def _grave(page, script: str) -> list:
    """What axe-core finds on the page that is serious or critical, with the elements."""
    found = page.evaluate(script, {"resultTypes": ["violations"], "preload": False})
    grave = [rule for rule in found["violations"] if rule["impact"] in ("serious", "critical")]
    return [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in grave]


def test_axe_finds_nothing_serious(opened):
    """Every rule of WCAG 2.2 A and AA that axe-core knows, and contrast in both modes."""
    carrier = pytest.importorskip("axe_playwright_python")
    _resize(opened, WIDE)
    opened.evaluate("scrollTo(0, 0)")  # elsewhere the header may just lie on a button
    opened.evaluate(importlib.resources.files(carrier).joinpath("axe.min.js").read_text("utf-8"))
    assert _grave(opened, RULES) == []
    for mode in ("light", "dark"):
        opened.evaluate("mode => document.documentElement.dataset.theme = mode", mode)
        assert (mode, _grave(opened, CONTRAST)) == (mode, [])


def test_a_figure_is_enlarged_by_keyboard_and_gives_the_focus_back(site, page):
    page.set_viewport_size({"width": NARROW, "height": 700})
    page.goto((site / "notebooks/05_susceptibility.html").as_uri())
    link, dialog = page.locator("a.lsa-figure").first, page.locator("dialog.lsa-enlarged")
    small = link.locator("img").bounding_box()["width"]
    link.focus()
    page.keyboard.press("Enter")
    assert dialog.locator("img").get_attribute("alt") == link.locator("img").get_attribute("alt")
    assert dialog.locator("img").bounding_box()["width"] > 1.5 * small
    assert dialog.locator("p").inner_text().startswith("Fig.")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('dialog') !== null"), "the focus stays in"
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert page.evaluate("document.activeElement.className") == "lsa-figure"
    link.click()
    dialog.get_by_role("button", name="Close").click()
    dialog.wait_for(state="hidden")
    assert (page.asked, page.wrong) == ([], [])


def test_figures_keep_their_colours_in_dark_mode(site, page):
    page.emulate_media(color_scheme="dark")
    page.goto((site / "notebooks/05_susceptibility.html").as_uri())
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    styles = page.eval_on_selector_all(
        "article img",
        "images => images.map(image => getComputedStyle(image))"
        ".map(({ filter, backgroundColor, opacity }) => [filter, backgroundColor, opacity])",
    )
    assert styles and all(style == ["none", "rgb(255, 255, 255)", "1"] for style in styles)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address(site):
    """The book behind a server of this machine, as a reader of a published one meets it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_search_finds_the_chapter_on_frequency_ratios(address, browser):
    page = new_page(browser, address)
    page.goto(f"{address}/index.html", wait_until="networkidle")  # the button's script has come
    page.get_by_role("button", name="Search").first.click()
    page.locator("dialog input[type=search]").fill("frequency ratio")
    page.keyboard.press("Enter")
    found = page.locator("#search-results a", has_text="Classes and frequency ratios")
    found.first.wait_for()
    found.first.click()
    page.wait_for_url("**/06_frequency_ratio.html*")
    assert (page.asked, page.wrong) == ([], [])
    page.context.close()


def test_the_first_page_is_light(address, browser):
    """At most 1 MB from the address to the drawn page, texts packed as web servers send them."""
    page, sizes = new_page(browser, address), {}

    def measure(answer):
        body = answer.body()
        packed = answer.url.split("?")[0].endswith((".html", ".css", ".js"))
        sizes[answer.url] = len(gzip.compress(body)) if packed else len(body)

    page.on("response", measure)
    page.goto(f"{address}/book/index.html", wait_until="networkidle")
    assert len(sizes) > 10
    assert sum(sizes.values()) <= 1e6, sorted(sizes.items(), key=lambda item: -item[1])[:5]
    page.context.close()


@pytest.mark.parametrize("chapter", ["06_frequency_ratio", "08_shapley_maps", "14_using_the_map"])
def test_the_map_of_a_chapter_answers_a_click(site, page, chapter):
    page.goto((site / "notebooks" / f"{chapter}.html").as_uri())
    assert page.locator(".lsa-map script[data-near]").count() == 1, "its numbers wait"
    _come_near(page)
    page.locator(".lsa-map canvas").click()
    page.wait_for_selector(".lsa-map dd")
    assert page.locator(".lsa-map [data-part=told]").inner_text().startswith("x ")
    assert (page.asked, page.wrong) == ([], [])


@pytest.mark.parametrize("place", ["fig-05-maps", "exercise-content", "summary"])
def test_a_link_leads_to_its_place_on_a_page_that_is_not_laid_out_yet(site, page, place):
    page.goto((site / "notebooks/05_susceptibility.html").as_uri() + f"#{place}")
    held = "place => document.getElementById(place).getBoundingClientRect().top"
    page.wait_for_function(f"place => (({held})(place) - 64) ** 2 < 100", arg=place)
    page.wait_for_timeout(500)  # what comes near is laid out now, and moves nothing
    assert 0 <= page.evaluate(held, place) < 150


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


def test_the_reference_shows_signatures(site, page):
    page.goto((site / f"{MODULE}.html").as_uri())
    assert "cell_size_m=0.0" in page.locator("dt.sig", has_text="build_factors").inner_text()
    assert (page.asked, page.wrong) == ([], [])
