"""A book on a web server: where its source lies, cards for links to it, a map of the site, and
versions side by side.
"""

import html
import json
import re
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw, ImageFont

from lsa_helpers.errors import InputError
from lsa_helpers.runner.one_page import book_title
from lsa_helpers.runner.publish import put_in_place, refuse_other_things

_CARD = (1200, 630)  # pixels of the picture that others show with a link
# Whose addresses the theme makes buttons for: it finds the name in the address.
_PROVIDERS = ("github", "gitlab", "bitbucket")
_ELSEWHERE = """<details><summary>Run this page elsewhere</summary>
<p>Binder needs nothing. On Colab, or in any Jupyter with Python 3.12 or newer, run this in a first
cell, and restart the session if it asks you to:</p>
<pre tabindex="0">{line}</pre>
<p>Then run the cells from the top. What they need from earlier chapters is made first, at the
smallest size, in some minutes.</p></details>"""
_GOES_ON = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta http-equiv="refresh" content="0; url={version}/index.html"></head>'
    '<body><a href="{version}/index.html">{title}</a></body></html>\n'
)
_VERSIONS = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Versions: {title}</title>'
    "</head><body><h1>Versions</h1><ul>{items}</ul></body></html>\n"
)


class Online(NamedTuple):
    """Where a book stands and where it comes from.

    Parameters
    ----------
    address : str
        Of the site, with ``https://``; empty where it is not known yet.
    repository : str
        Address of the repository, on GitHub, GitLab or Bitbucket; empty: no buttons for source,
        issues and edits, Binder or Colab, and no line that installs the module from there.
    branch : str
        Of the repository, for these buttons.
    version : str
        Name of the folder of this version; empty: the site has no versions.
    """

    address: str = ""
    repository: str = ""
    branch: str = "main"
    version: str = ""

    def check(self) -> None:
        """Refuse what is no address, or no name of a folder.

        Raises
        ------
        InputError
        """
        for name in ("address", "repository"):
            value = getattr(self, name)
            if value and not re.fullmatch(r"https?://[^\s\"'<>]+", value):
                fix = "Give it whole, as in https://example.org/book"
                raise InputError(f"the {name} is no web address", found=value, fix=fix)
        if self.repository and not self.provider:
            what = (
                f"the buttons know only repositories with {' or '.join(_PROVIDERS)} in the address"
            )
            fix = "Leave --repository out, and the book is made without them"
            raise InputError(what, found=self.repository, fix=fix)
        if self.version and not re.fullmatch(r"\w[\w.-]*", self.version):
            fix = "Use letters, digits, dots and dashes"
            raise InputError("the version is no name of a folder", found=self.version, fix=fix)

    @property
    def provider(self) -> str:
        """Who keeps the repository; empty where the theme does not know."""
        host = self.repository.lower().strip("/").rsplit("/", 2)[0]
        return next((name for name in _PROVIDERS if name in host), "")

    @property
    def install(self) -> str:
        """A notebook's cell that installs the module and its packages from the repository."""
        return f'%pip install -q "lsa-helpers[networks] @ git+{self.repository}@{self.branch}"'

    @property
    def root(self) -> str:
        """Address of this version's pages, with a slash at its end; empty without an address."""
        if not self.address:
            return ""
        return "/".join(filter(None, (self.address.rstrip("/"), self.version))) + "/"

    def config(self) -> dict:
        """What it adds to Jupyter Book's ``_config.yml``."""
        config = {"html": {"baseurl": self.root}}
        if self.repository:
            config["repository"] = {"url": self.repository, "branch": self.branch}
            config["html"] |= dict.fromkeys(
                ("use_repository_button", "use_issues_button", "use_edit_page_button"), True
            )
            config["launch_buttons"] = {
                "notebook_interface": "jupyterlab",
                "binderhub_url": "https://mybinder.org",
            }
            if self.provider == "github":  # Colab opens no others
                config["launch_buttons"]["colab_url"] = "https://colab.research.google.com"
        return config


def put_online(built: Path, out: Path, online: Online) -> Path:
    """Add to a built book what a web server needs.

    Parameters
    ----------
    built : Path
        Folder of a built book; it is changed, and copied from there.
    out : Path
        Folder of the site. With a version, the book lies in a folder of that name beside the
        others; ``index.html`` leads to the newest, that is the one put online last.
    online : Online

    Returns
    -------
    Path
        The page that a reader opens first.

    Raises
    ------
    InputError
        When the folder to write holds something else than a site, or versions and this has none.
    """
    site = out / online.version if online.version else out
    refuse_other_things(site)
    if not online.version and (out / "versions.json").is_file():
        raise InputError("this site holds versions", where=out, fix="Name this one: --version v2")
    title = book_title(built)
    _social_card(built, title)
    for page in sorted(built.rglob("*.html")):
        text = page.read_text(encoding="utf-8")
        place = page.relative_to(built).as_posix()
        text = with_card(text, online.root, place)
        if online.repository and place.startswith("notebooks/"):
            text = with_install(text, online.install)
        if online.version:
            text = _with_versions(text, place)
        page.write_text(text, encoding="utf-8")
    put_in_place(built, site)
    if online.version:
        _add_version(out, online, html.escape(title))
    (out / "robots.txt").write_text(_robots(online), encoding="utf-8")
    if online.root:
        (out / "sitemap.xml").write_text(sitemap(site, online.root), encoding="utf-8")
    return out / "index.html"


def with_card(text: str, root: str, place: str) -> str:
    """A page that says in its head what others may show with a link to it (Open Graph).

    Parameters
    ----------
    text : str
        HTML.
    root : str
        Address of the site, with a slash at its end, or empty.
    place : str
        Of the page in the site, for example ``notebooks/01_data.html``.
    """
    title = _first(r"<title>(.*?)</title>", text)
    article = text[text.find("<article") :]
    words = re.sub(r"<[^>]+>", "", _first(r"<p>(.*?)</p>", article))
    words = " ".join(html.unescape(words).replace("¶", "").split())
    words = html.escape(words if len(words) <= 200 else f"{words[:199].rsplit(' ', 1)[0]} …")
    facts = {"og:type": "article", "og:title": title, "og:description": words}
    if root:
        facts |= {"og:url": f"{root}{place}", "og:image": f"{root}social-card.png"}
    tags = [f'<meta property="{name}" content="{value}">' for name, value in facts.items()]
    tags += [f'<meta name="description" content="{words}">']
    tags += ['<meta name="twitter:card" content="summary_large_image">']
    return text.replace("</head>", "\n".join(tags) + "\n</head>", 1)


def with_install(text: str, line: str) -> str:
    """A page with a notebook's first cell below its title, for machines without the module."""
    head, article, rest = text.partition("<article")
    below = f"</h1>{_ELSEWHERE.format(line=html.escape(line))}"
    return head + article + rest.replace("</h1>", below, 1)


def _with_versions(text: str, place: str) -> str:
    """A page whose footer leads to the list of versions, which lies beside their folders."""
    up = "../" * (place.count("/") + 1)
    return text.replace("</footer>", f'<p><a href="{up}versions.html">Versions</a></p></footer>', 1)


def sitemap(site: Path, root: str) -> str:
    """Addresses of all pages of a site, as search engines read them (sitemaps.org 0.9)."""
    pages = sorted(page.relative_to(site).as_posix() for page in site.rglob("*.html"))
    pages = [page for page in pages if not page.startswith(("_", "genindex", "search"))]
    urls = "\n".join(f"<url><loc>{escape(root + page)}</loc></url>" for page in pages)
    schema = "http://www.sitemaps.org/schemas/sitemap/0.9"
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f'{head}\n<urlset xmlns="{schema}">\n{urls}\n</urlset>\n'


def _robots(online: Online) -> str:
    """All may read all; where the map of the site lies."""
    text = "User-agent: *\nAllow: /\n"
    return f"{text}Sitemap: {online.address.rstrip('/')}/sitemap.xml\n" if online.address else text


def _add_version(out: Path, online: Online, title: str) -> None:
    """Write this version into the list of all, newest first, as JSON and as a page."""
    file = out / "versions.json"
    known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
    this = {
        "name": online.version,
        "version": online.version,
        "url": online.root,
        "preferred": True,
    }
    others = [item | {"preferred": False} for item in known if item["version"] != online.version]
    text = json.dumps([this, *others], indent=1, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")
    items = "".join(
        f'<li><a href="{item["version"]}/index.html">{item["version"]}</a></li>'
        for item in [this, *others]
    )
    (out / "versions.html").write_text(_VERSIONS.format(title=title, items=items), encoding="utf-8")
    page = _GOES_ON.format(title=title, version=online.version)
    (out / "index.html").write_text(page, encoding="utf-8")


def _social_card(site: Path, title: str) -> None:
    """The front page's map, cut to the form of a card, with the title below."""
    width, height = _CARD
    card = Image.new("RGB", _CARD, "white")
    for file in (site / "_images").glob("map*.webp"):
        with Image.open(file) as picture:
            scaled = picture.convert("RGB").resize((width, picture.height * width // picture.width))
            card.paste(scaled.crop((0, 0, width, height - 110)), (0, 0))
    font = ImageFont.load_default(46)
    ImageDraw.Draw(card).text((width / 2, height - 55), title, "black", font, anchor="mm")
    card.save(site / "social-card.png", optimize=True)


def _first(pattern: str, text: str) -> str:
    """What the first match of a pattern holds; empty without one."""
    found = re.search(pattern, text, re.DOTALL)
    return found[1].strip() if found else ""
