"""A built book as one page of HTML, to be printed: the articles of its pages in the order of the
table of contents, with every link between pages as a link inside the one.
"""

import html
import json
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from bs4 import BeautifulSoup, Tag

from lsa_helpers.runner.articles import (
    lead_inside,
    lower_headings,
    page_name,
    read_article,
    take_solutions,
    target,
    words,
)

_FILES = resources.files("lsa_helpers.runner")
HOME = "book/index.html"
_SOLUTIONS = "solutions"
_ARTICLE = """<article class="bd-article" id="{name}"><h1>{title}</h1>
{content}
</article>"""
_CONTENTS_PART = '<p class="lsa-contents-part"><a href="#{name}">{title}</a></p>'
_CONTENT = '<p><a href="#{name}">{title}</a></p>'
_CONTENTS = """<nav class="lsa-contents"><h1>Contents</h1>
{lines}
</nav>"""
_PAGE = """<!doctype html>
<html lang="en" data-theme="light"><head><meta charset="utf-8"><title>{title}</title>
{sheets}
<style>
{style}
{rules}
</style>
<script>window.MathJax = {{options: {{enableMenu: false, processHtmlClass: "math"}}}};</script>
<script defer src="{mathjax}"></script>
</head><body>
{body}
<script>
{script}
</script></body></html>
"""


class Part(NamedTuple):
    """A part of a book.

    Parameters
    ----------
    caption : str
        Empty for the front page.
    places : list of str
        Of its pages in the site.
    """

    caption: str
    places: list[str]


def book_title(site: Path) -> str:
    """Title of a built book, with which each page's own title ends.

    Parameters
    ----------
    site : Path
        The folder with the site's ``index.html``.
    """
    return words(_front(site).title).split("\N{EM DASH}")[-1].strip()


def parts_of(site: Path) -> list[Part]:
    """The table of contents of a built book; pages below a page are left out.

    Parameters
    ----------
    site : Path
        The folder with the site's ``index.html``.

    Returns
    -------
    list of Part
        The first holds the front page.
    """
    parts = [Part("", [HOME])]
    for item in _front(site).select(".bd-links :is(.caption, .toctree-l1)"):
        if item.name == "p":
            parts.append(Part(words(item), []))
        elif (place := target(HOME, item.a["href"])[0]) != HOME:
            parts[-1].places.append(place)
    return parts


def one_page(site: Path, cover: str, address: str = "") -> str:
    """All pages of a built book in one.

    Parameters
    ----------
    site : Path
        The folder with the site's ``index.html``.
    cover : str
        HTML of what stands before the contents.
    address : str
        Of the site on the web, with a slash at its end: links to pages that are left out, as those
        of the module's reference, lead there. Empty: they are words.

    Returns
    -------
    str
        HTML. Pictures, styles and MathJax are those in `site`, by their whole address. Solutions
        of exercises stand at the end; what is folded on the site is open.
    """
    parts = parts_of(site)
    articles = {place: read_article(site, place) for part in parts for place in part.places}
    ids = {item["id"] for article in articles.values() for item in [article, *article(id=True)]}
    for place, article in articles.items():
        lead_inside(article, place, ids, address)
    titles = {place: words(article.h1) for place, article in articles.items()}
    solved = {place: take_solutions(article) for place, article in articles.items()}
    solutions = _solutions({titles[place]: found for place, found in solved.items() if found})
    for part in parts:
        _put_under(part.caption, [articles[place] for place in part.places])
    contents = _contents(parts, titles, bool(solutions))
    named = {page_name(place): title for place, title in titles.items()}
    rules = [_page_rule(*item) for item in (named | {_SOLUTIONS: "Solutions"}).items()]
    return _page(site, rules, [cover, contents, *articles.values(), solutions])


def _page(site: Path, rules: list[str], body: list) -> str:
    """The one page of all that is in its body."""
    sheets = sorted((site / "_static/styles").glob("book-*.css"))
    return _PAGE.format(
        title=html.escape(book_title(site)),
        sheets="\n".join(f'<link rel="stylesheet" href="{_address(file)}">' for file in sheets),
        style=(_FILES / "pdf.css").read_text(encoding="utf-8"),
        rules="\n".join(rules),
        mathjax=_address(site / "_static/vendor/mathjax/tex-mml-chtml.js"),
        body="\n".join(map(str, body)),
        script=(_FILES / "pdf.js").read_text(encoding="utf-8"),
    )


def _front(site: Path) -> BeautifulSoup:
    """The front page."""
    return BeautifulSoup((site / HOME).read_text(encoding="utf-8"), "html.parser")


def _address(file: Path) -> str:
    """Of a file on this machine."""
    return html.escape(file.resolve().as_uri())


def _put_under(caption: str, articles: list[Tag]) -> None:
    """Make a part of articles: its caption is the heading of the first where that says the same,
    or comes before it; the others' headings are below.
    """
    if not articles or not caption:
        return
    opened = words(articles[0].h1) == caption
    for article in articles[opened:]:
        lower_headings(article)
    if not opened:
        heading = Tag(name="h1")
        heading.string = caption
        articles[0].insert(0, heading)


def _contents(parts: list[Part], titles: dict[str, str], solutions: bool) -> str:
    """The table of contents, with a link to each page."""
    lines = []
    for part in parts:
        if part.caption and part.places:
            first = page_name(part.places[0])
            lines.append(_CONTENTS_PART.format(name=first, title=html.escape(part.caption)))
        named = {page_name(place): titles[place] for place in part.places}
        lines += [
            _CONTENT.format(name=name, title=html.escape(title))
            for name, title in named.items()
            if title != part.caption
        ]
    if solutions:
        lines.append(_CONTENT.format(name=_SOLUTIONS, title="Solutions"))
    return _CONTENTS.format(lines="\n".join(lines))


def _solutions(solved: dict[str, list[Tag]]) -> str:
    """The solutions of all chapters; empty without any."""
    if not solved:
        return ""
    sections = [
        "\n".join([f"<h2>{html.escape(title)}</h2>", *map(str, found)])
        for title, found in solved.items()
    ]
    return _ARTICLE.format(name=_SOLUTIONS, title="Solutions", content="\n".join(sections))


def _page_rule(name: str, title: str) -> str:
    """The rule of CSS that writes an article's title above its pages."""
    content = json.dumps(title, ensure_ascii=False).replace("<", "\\3c ")  # a string of CSS as well
    head = f"@page {name} {{ @top-right {{ content: {content}; }} }}"
    return f"{head}\n#{name} {{ page: {name}; }}"
