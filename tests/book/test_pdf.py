"""The book as one page of HTML, and printed as a PDF."""

import os
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lsa_helpers.errors import InputError
from lsa_helpers.run import Run
from lsa_helpers.runner.one_page import one_page, parts_of
from lsa_helpers.runner.pdf import cover, find_chromium, link_pdf, print_page, write_pdf
from tests.browser import NAMES

TITLE = "<title>A page — A book of slopes</title>"
MENU = """<nav class="bd-links"><ul><li class="toctree-l1"><a href="#">Home</a></li></ul>
<p class="caption">First part</p><ul>
<li class="toctree-l1"><a href="../notebooks/01_data.html">1 Data</a>
  <ul><li class="toctree-l2"><a href="api/room.html">A room</a></li></ul></li>
<li class="toctree-l1"><a href="limits.html">Limits</a></li></ul></nav>"""
HOME = """<section id="top"><h1>A book<a class="headerlink" href="#top">#</a></h1><p>
<a href="../notebooks/01_data.html#slope">To the slope</a> <a href="limits.html">To the limits</a>
<a href="api/room.html#door">To the room</a> <a href="https://example.org/x">Out</a></p></section>"""
DATA = r"""<section id="top"><h1>1 Data &amp; <em>more</em></h1>
<h2 id="slope">Slope</h2><p>It is <span class="math notranslate">\(\tan\beta\)</span>.</p>
<p><a href="#slope">Up</a> <a href="../book/limits.html#gone">A heading that is gone</a></p>
<details><summary>Folded</summary><p>But open on paper.</p></details>
<div class="exercise admonition" id="ex"><p class="admonition-title">Exercise 1</p><p>Ask.</p></div>
<div class="solution dropdown admonition" id="sol"><p class="admonition-title">Solution</p>
<p>Forty-two.</p></div></section>"""
LIMITS = (
    '<section id="top"><h1>Limits</h1><img src="../_images/a%20b.png" loading="lazy"></section>'
)


class Links(HTMLParser):
    """Ids and links of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.ids, self.links = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.links += [attributes["href"]] if tag == "a" and "href" in attributes else []


@pytest.fixture
def small(tmp_path) -> Path:
    """Something like a built book of three pages, with one page below a page."""
    site = tmp_path / "run" / "book"
    pages = {"book/index": HOME, "notebooks/01_data": DATA, "book/limits": LIMITS}
    for name, article in pages.items():
        file = site / f"{name}.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        text = f"{TITLE}<h1>A book</h1>{MENU}<article>{article}</article>"
        file.write_text(text, encoding="utf-8")
    return site


def program() -> str:
    """Chromium, or the test is skipped."""
    if not (os.environ.get("CHROMIUM") or any(map(shutil.which, NAMES))):
        pytest.skip("no Chromium here: install one, or name it in the variable CHROMIUM")
    return find_chromium()


def test_links_between_pages_lead_inside_the_one(small):
    """To a heading, to a page, to a page whose heading is gone; what is left out is words, or leads
    to the site on the web; other sites stay.
    """
    assert [part.places for part in parts_of(small)] == [
        ["book/index.html"],
        ["notebooks/01_data.html", "book/limits.html"],
    ]
    text = one_page(small, "")
    for link in (
        '<a href="#notebooks-01_data--slope">To the slope</a>',
        '<a href="#book-limits">To the limits</a>',
        '<a href="#notebooks-01_data--slope">Up</a>',
        '<a href="#book-limits">A heading that is gone</a>',
        '<a href="https://example.org/x">Out</a>',
    ):
        assert link in text
    assert "\nTo the room <a" in text
    address = "https://example.org/lsa/"
    assert f'<a href="{address}">site</a>' in cover(Run(small.parent), small, address)
    online = one_page(small, "", address)
    assert '<a href="https://example.org/lsa/book/api/room.html#door">To the room</a>' in online


def test_what_is_folded_is_open_and_solutions_stand_at_the_end(small):
    """Exercise and solution lead to one another; pictures are found from anywhere."""
    text = one_page(small, "")
    assert '<details open="">' in text and "headerlink" not in text
    to_solution = text.index('<a href="#notebooks-01_data--sol">Solution of Exercise 1</a>')
    end = text.index('id="solutions"')
    assert text.index("Ask.") < to_solution < text.index(">Limits</h2>") < end
    assert end < text.index('<a href="#notebooks-01_data--ex">Exercise 1</a>') < text.index("Forty")
    picture = (small / "_images" / "a b.png").resolve().as_uri()
    assert f'<img src="{picture}"/>' in text


def test_every_link_of_the_whole_book_has_its_target(site):
    """No id twice, no link to a page of the site, and each of its chapters is there."""
    text = one_page(site, "")
    found = Links(text)
    assert len(found.ids) == len(set(found.ids))
    inside = {link[1:] for link in found.links if link.startswith("#")}
    assert len(inside) > 100 and inside <= set(found.ids)
    others = {link for link in found.links if not link.startswith("#")}
    assert all(re.match("(https?|mailto):", link) for link in others)
    assert "notebooks-14_using_the_map" in found.ids and "book-limits" in found.ids
    assert not re.search(r'(src|href)="\.\./', text)
    assert re.search(r'<script src="file://[^"]*/maps/lsa-map-', text)


def test_a_pdf_has_links_an_outline_and_formulas(small, site, tmp_path):
    """Pages: cover, contents, front, data, limits, solutions. The contents and the front page lead
    to the slope, which is on the fourth; formulas are in MathJax' own type.
    """
    (small / "_static").symlink_to(site / "_static")
    page, file = tmp_path / "book.html", tmp_path / "new" / "book.pdf"
    page.write_text(one_page(small, cover(Run(small.parent), small)), encoding="utf-8")
    print_page(page, file, program())
    pdf = file.read_bytes()
    pages = re.findall(rb"(\d+) 0 R", re.search(rb"/Kids \[(.*?)\]", pdf)[1])
    assert len(pages) == 6
    front = re.search(rb"/Annots \[(\d+) 0 R", pdf[pdf.index(b"\n%s 0 obj" % pages[2]) :])[1]
    link = pdf[pdf.index(b"\n%s 0 obj" % front) :]
    assert re.search(rb"/Dest /(\S+)", link)[1] == b"notebooks-01_data--slope"
    assert re.search(rb"/notebooks-01_data--slope \[(\d+) 0 R", pdf)[1] == pages[3]
    for title in (b"Contents", b"A book", b"First part", b"1 Data & more", b"Slope", b"Solutions"):
        assert b"/Title (%s)\n/Dest" % title in pdf
    assert b"+MathJax_Math-Italic" in pdf
    assert b"file:/" not in pdf
    assert [item.name for item in file.parent.iterdir()] == ["book.pdf"]


def test_the_site_leads_to_its_pdf(small):
    """From the front page, below the heading of the article, with its size; not from others."""
    (small / "book.pdf").write_bytes(bytes(2_600_000))
    link_pdf(small, small / "book.pdf")
    text = (small / "book/index.html").read_text(encoding="utf-8")
    link = '<p class="lsa-pdf"><a href="../book.pdf">The whole book as a PDF, 3 MB</a></p>'
    assert text.count(link) == 1
    assert text.index("<article") < text.index(link) < text.index("To the slope")
    assert "book.pdf" not in (small / "book/limits.html").read_text(encoding="utf-8")


def test_what_is_missing_is_said(small, tmp_path, monkeypatch):
    """No book, no Chromium: a sentence each, and nothing is written."""
    with pytest.raises(InputError, match="not built yet. First: lsa book other"):
        write_pdf(Run(tmp_path / "other"))
    monkeypatch.setenv("CHROMIUM", "no-such-program")
    with pytest.raises(InputError, match="no-such-program: a PDF is printed by Chromium"):
        write_pdf(Run(small.parent))
    assert [item.name for item in small.parent.iterdir()] == ["book"]
