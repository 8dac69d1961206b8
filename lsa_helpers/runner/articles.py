"""What a page of a built book says, made fit to stand with all others on one page: ids of its own,
links that stay inside, solutions apart.
"""

import posixpath
import re
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

from bs4 import BeautifulSoup, Tag

# What is there for the screen alone; the parameters of a run have a page of their own.
_ON_SCREEN = ["headerlink", "toctree-wrapper", "tag_injected-parameters", "sd-summary-state-marker"]
# A page that quotes every test under the name of its file: thirty pages.
_TESTS, _QUOTED = "how-we-know", "sd-summary-content"
# Names and brackets of programs have the colour of the text, and are an element each: half of all.
_UNCOLOURED = ".highlight :is(.n, .p, .w)"
# Attributes that name other elements of a page.
_NAME_OTHERS = ("for", "headers", "aria-labelledby", "aria-describedby", "aria-controls")
_TO_SOLUTION = '<p><a href="#{id}">Solution of {name}</a></p>'
_TO_EXERCISE = '<p class="admonition-title"><a href="#{id}">{name}</a></p>'


def page_name(place: str) -> str:
    """What a page is called among the others: an id, and a name of CSS.

    Parameters
    ----------
    place : str
        Of the page in the site, for example ``notebooks/01_data.html``.
    """
    return place.removesuffix(".html").replace("/", "-")


def target(place: str, link: str) -> tuple[str, str]:
    """Where a link leads.

    Parameters
    ----------
    place : str
        Of the page with the link.
    link : str
        As it stands there, without a scheme.

    Returns
    -------
    tuple of str
        Place of a page, and an id on it, which may be empty.
    """
    path, fragment = urldefrag(link)
    if not path:
        return place, fragment
    return posixpath.normpath(posixpath.join(posixpath.dirname(place), path)), fragment


def words(item: Tag) -> str:
    """What an element says, on one line."""
    return " ".join(item.get_text().split())


def read_article(site: Path, place: str) -> Tag:
    """The article of a page: without what is for the screen alone, all that is folded open.

    Parameters
    ----------
    site : Path
        Folder of the built book.
    place : str
        Of the page in it.

    Returns
    -------
    Tag
        Its id is `page_name`; ids inside begin with it. Pictures and scripts have whole addresses.
    """
    text = (site / place).read_text(encoding="utf-8")
    text = text[text.index("<article") : text.rindex("</article>")]  # menus take longer to parse
    article = BeautifulSoup(text, "html.parser").article
    quoted = [item for page in article(id=_TESTS) for item in page(class_=_QUOTED)]
    for item in [*article(class_=_ON_SCREEN), *quoted]:
        item.decompose()
    for item in article.select(_UNCOLOURED):
        item.unwrap()
    for item in article("details"):
        item["open"] = ""
    for picture in article("img", src=True):
        if not urlsplit(picture["src"]).scheme:
            picture["src"] = _whole_address(site, place, picture["src"])
        picture.attrs.pop("loading", None)
    for later in article("script", type="lsa/later"):  # on paper nobody comes near
        later.attrs = {"src": _whole_address(site, place, later["data-src"])}
    _name_apart(article, page_name(place))
    return article


def _whole_address(site: Path, place: str, link: str) -> str:
    """Of a file that a page names as seen from itself."""
    return ((site / place).parent / unquote(link)).resolve().as_uri()


def _name_apart(article: Tag, name: str) -> None:
    """Ids that no other article has, wherever they are used."""
    seen = set()
    for item in article(id=True):
        if item["id"] in seen:  # xarray's icons, which come with each of its tables
            del item["id"]
        else:
            seen.add(item["id"])
            item["id"] = f"{name}--{item['id']}"
    for attribute in _NAME_OTHERS:
        for item in article(**{attribute: True}):
            value = item[attribute]
            others = value if isinstance(value, list) else value.split()
            item[attribute] = " ".join(f"{name}--{other}" for other in others)
    for icon in article("use"):
        icon["xlink:href"] = f"#{name}--{icon['xlink:href'].removeprefix('#')}"
    for sheet in article("style"):  # of pandas' tables
        sheet.string = re.sub("#(?=T_)", f"#{name}--", sheet.get_text())
    article["id"] = name


def lead_inside(article: Tag, place: str, ids: set[str], address: str) -> None:
    """Make links to pages of the book links inside the one page; those out of the site stay.

    Parameters
    ----------
    article : Tag
        From `read_article`; it is changed.
    place : str
        Of its page.
    ids : set of str
        All ids of the one page.
    address : str
        Of the site on the web, with a slash at its end, where links to pages that are not on the
        one page lead; empty: only their words are left.
    """
    for link in article(href=True):
        if urlsplit(link["href"]).scheme or link["href"].startswith("//"):
            continue
        page, fragment = target(place, link["href"])
        inside = f"{page_name(page)}--{fragment}"
        if fragment and inside in ids:
            link["href"] = f"#{inside}"
        elif page_name(page) in ids:
            link["href"] = f"#{page_name(page)}"
        elif address and page.endswith(".html"):
            link["href"] = address + page + (f"#{fragment}" if fragment else "")
        else:
            link.unwrap()


def take_solutions(article: Tag) -> list[Tag]:
    """Take the solutions out of a chapter; each exercise and its solution lead to one another.

    Parameters
    ----------
    article : Tag
        From `read_article`; it is changed.

    Returns
    -------
    list of Tag
    """
    found = []
    for solution in article.select(".solution"):
        exercise = solution.find_previous(class_="exercise")
        name = words(exercise.select_one(".admonition-title"))
        there = BeautifulSoup(_TO_SOLUTION.format(id=solution["id"], name=name), "html.parser")
        back = BeautifulSoup(_TO_EXERCISE.format(id=exercise["id"], name=name), "html.parser")
        solution.replace_with(there)
        solution.select_one(".admonition-title").replace_with(back)
        found.append(solution)
    return found


def lower_headings(article: Tag) -> None:
    """Make each heading of an article one of the next lower rank.

    Parameters
    ----------
    article : Tag
        It is changed.
    """
    for heading in article.find_all(re.compile("^h[1-5]$")):
        heading.name = f"h{int(heading.name[1]) + 1}"
