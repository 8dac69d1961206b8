"""What Sphinx leaves open in the pages it builds: empty headers of tables, controls without a name,
figures without a size; and notebooks to download, made small.
"""

import json
import os
import re
from pathlib import Path

from PIL import Image

from lsa_helpers.runner.icons import keep_icons
from lsa_helpers.runner.later import with_map_later, with_mathjax_later

# pandas writes a header over and beside the index, which often has no name.
_EMPTY_HEADER = re.compile(r"<th\b([^>]*)>((?:\s|&nbsp;|<p>|</p>)*)</th>")
_HEADER = re.compile(r"(<th\b[^>]*>)([^<]*_[^<]*)(?=</th>)")
_NUMBER_AND_UNIT = re.compile(r"(<td\b[^>]*>[-−+]?[\d.,]+) ([^\s<]{1,4}</td>)")
_FIGURE = re.compile(r'<img\b([^>]*?)src="((?:\.\./)*_images/[^"]+)"([^>]*?)/?>')
# Program text, not what it printed.
_CODE = re.compile(
    r'(<div class="highlight-(?!myst-ansi|none)[^>]*><div class="highlight">)<pre>(.*?)</pre>', re.S
)
# Scripts that hold up the page until they are there; one is used by the words of the page itself,
# where its few lines are put.
_WAITED_FOR = re.compile(r"<script (?=[^>]*src=)(?![^>]*(?:defer|async|documentation_options))")
_OPTIONS = re.compile(r"<script [^>]*documentation_options\.js[^>]*></script>")
_SHEET = re.compile(r'\s*<link\b(?=[^>]*rel="stylesheet")[^>]*href="([^"?]+)[^"]*"[^>]*>')
_ADDRESS = re.compile(r"""url\((["']?)(?!data:|#)([^)"']+)\1\)""")
# Letters of an article that fill a small screen.
_FIRST_SCREEN = 400
# A list to assistive technology, which then looks in vain for its items.
_CITATIONS = '<div role="list" class="citation-list">'
# Times, and paths with names of people in them.
_OF_THE_MACHINE = ("papermill", "execution", "lsa_made_from")
_FOLDED_PART = '<summary><span class="toctree-toggle"'


def mend_site(site: Path) -> None:
    """Mend every page of a built site where it lies, and take the outputs out of its notebooks.

    Parameters
    ----------
    site : Path
        The folder that Jupyter Book wrote.
    """
    sheets = {}
    options = (site / "_static/documentation_options.js").read_text(encoding="utf-8")
    options = f"<script>{options}</script>"
    for page in site.rglob("*.html"):
        if site / "_static" in page.parents:  # the theme's templates
            continue
        text = page.read_text(encoding="utf-8")
        text = with_map_later(text, page.parent, site / "_static/maps")
        text = _with_sizes(mend_page(text), page.parent)
        text = _with_one_sheet(text, page.parent, site / "_static/styles", sheets)
        page.write_text(_OPTIONS.sub(lambda _: options, text), encoding="utf-8")
    keep_icons(site, list(sheets.values()))
    for notebook in (site / "_sources").rglob("*.ipynb"):
        notebook.write_text(_without_outputs(notebook), encoding="utf-8")


def mend_page(text: str) -> str:
    """A page in which empty headers of tables are plain cells, the others can break after an
    underscore, numbers keep to their units, folded parts of the table of contents say what they
    are, lines of code can wrap below where they begin, no script is waited for, and MathJax is
    loaded where a formula comes near.

    Parameters
    ----------
    text : str
        HTML as Sphinx writes it.

    Returns
    -------
    str
    """
    text = _EMPTY_HEADER.sub(r"<td\1></td>", text)
    text = _HEADER.sub(lambda found: found[1] + found[2].replace("_", "_<wbr>"), text)
    text = _NUMBER_AND_UNIT.sub(r"\1&nbsp;\2", text)
    text = _CODE.sub(_with_lines, text)
    text = with_mathjax_later(text)
    text = _WAITED_FOR.sub("<script defer ", text)
    text = text.replace(_CITATIONS, '<div class="citation-list">')
    name = ' aria-label="Pages below this one"'
    return text.replace(_FOLDED_PART, _FOLDED_PART.replace("<summary", f"<summary{name}"))


def _with_lines(code: re.Match) -> str:
    """A block of code in which every line is an element that knows how far it is indented."""
    opening, content = code.groups()
    lines = []
    for line in content.removesuffix("\n").split("\n"):
        plain = re.sub(r"<[^>]*>", "", line)
        indent = len(plain) - len(plain.lstrip(" "))
        lines.append(f'<span class="lsa-line" style="--in:{indent}">{line}\n</span>')
    return f'{opening}<pre class="lsa-code">{"".join(lines)}</pre>'


def _with_sizes(text: str, folder: Path) -> str:
    """A page whose figures say their size, so that nothing moves when they arrive, and arrive when
    they come into sight; what is in sight from the start comes first.
    """

    def sized(found: re.Match) -> str:
        before, address, after = found.groups()
        with Image.open(folder / address) as image:
            width, height = image.size
        above = re.sub(r"<[^>]*>|\s", "", text[text.find("<article") : found.start()])
        comes = 'fetchpriority="high"' if len(above) < _FIRST_SCREEN else 'loading="lazy"'
        size = f'width="{width}" height="{height}" {comes}'
        return f'<img{before}src="{address}"{after.rstrip()} {size} />'

    return _FIGURE.sub(sized, text)


def _with_one_sheet(text: str, folder: Path, styles: Path, sheets: dict) -> str:
    """A page that asks for one style sheet in place of ten, each of which holds up its first words;
    `sheets` keeps which files went into which.
    """
    parts = tuple((folder / name).resolve() for name in _SHEET.findall(text))
    if not parts:
        return text
    if parts not in sheets:
        sheets[parts] = styles / f"book-{len(sheets)}.css"
        joined = "\n".join(_moved(part, styles) for part in parts)
        sheets[parts].write_text(joined, encoding="utf-8")
    address = Path(os.path.relpath(sheets[parts], folder)).as_posix()
    text = _SHEET.sub(f'<link rel="stylesheet" href="{address}">', text, count=1)
    first, rest = text.split(address, 1)
    return first + address + _SHEET.sub("", rest)


def _moved(sheet: Path, folder: Path) -> str:
    """A style sheet as it reads in another folder."""

    def moved(found: re.Match) -> str:
        target = os.path.relpath(sheet.parent / found[2], folder)
        return f'url("{Path(target).as_posix()}")'

    return _ADDRESS.sub(moved, sheet.read_text(encoding="utf-8"))


def _without_outputs(path: Path) -> str:
    """A notebook to download: its outputs are on the page, and were a third of the book; when and
    in which folders of a machine it was executed is nobody's business.
    """
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for key in ("widgets", *_OF_THE_MACHINE):
        notebook["metadata"].pop(key, None)
    for cell in notebook["cells"]:
        for key in _OF_THE_MACHINE:
            cell["metadata"].pop(key, None)
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    return json.dumps(notebook, ensure_ascii=False, indent=1)
