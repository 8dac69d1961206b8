"""Slides of each part of the book: every figure of the executed chapters under its heading, 16 to
9, in one file that needs nothing else.
"""

import base64
import html
import json
import re
from pathlib import Path

import yaml

from lsa_helpers.errors import InputError
from lsa_helpers.run import Run, whole_file
from lsa_helpers.runner.cells import notebooks_dir

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
@page {{ size: 16in 9in; margin: 0; }}
html {{ scroll-snap-type: y mandatory; font: 2.2vmin system-ui, sans-serif; background: #555; }}
body {{ margin: 0; }}
section {{ box-sizing: border-box; width: min(100vw, 177.78vh); height: min(56.25vw, 100vh);
  margin: 0 auto; padding: 2.5vmin 4vmin; background: #fff; color: #111; overflow: hidden;
  scroll-snap-align: start; display: flex; flex-direction: column; break-after: page; }}
h1, h2 {{ margin: 0 0 1.5vmin; }}
figure {{ margin: 0; flex: 1; min-height: 0; display: flex; flex-direction: column; gap: 1.5vmin; }}
img {{ flex: 1; min-height: 0; object-fit: contain; }}
ul {{ font-size: 3vmin; line-height: 1.5; }}
</style></head><body>
{slides}
<script>
addEventListener("keydown", event => {{
  const step = {{ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1,
    ArrowLeft: -1, ArrowUp: -1, PageUp: -1}}[event.key];
  if (!step) return;
  event.preventDefault();
  const slides = [...document.querySelectorAll("section")];
  const height = slides[0].getBoundingClientRect().height;
  const now = slides.findIndex(one => one.getBoundingClientRect().top > -height / 2);
  slides[Math.min(Math.max(now + step, 0), slides.length - 1)].scrollIntoView();
}});
</script></body></html>
"""


def write_slides(run: Run) -> list[Path]:
    """Write one file of slides for each part of the book that the run has chapters of.

    Parameters
    ----------
    run : Run
        With executed notebooks.

    Returns
    -------
    list of Path
        ``slides/<part>.html`` in the run's folder, to be shown by any browser: arrow keys go on
        and back, and printing makes a PDF of 16 by 9 inches.

    Raises
    ------
    InputError
        When the table of contents is not there, or the run has no executed chapters.
    """
    toc = notebooks_dir().parent / "_toc.yml"
    if not toc.is_file():
        raise InputError("the table of contents is not here", where=toc, fix="Use a checkout")
    files = []
    for part in yaml.safe_load(toc.read_text(encoding="utf-8"))["parts"]:
        names = [item["file"] for item in part["chapters"] if "notebooks/" in item["file"]]
        found = [run.path / f"{name}.ipynb" for name in names]
        slides = [slide for file in found if file.is_file() for slide in chapter_slides(file)]
        if slides:
            name = re.sub(r"\W+", "_", part["caption"].lower())
            file = run.path / "slides" / f"{name}.html"
            with whole_file(file) as made:
                page = _PAGE.format(title=html.escape(part["caption"]), slides="\n".join(slides))
                made.write_text(page, encoding="utf-8")
            files.append(file)
    if not files:
        fix = f"First: lsa run {run.path.name}"
        raise InputError("the run has no executed chapters", where=run.path, fix=fix)
    return files


def chapter_slides(notebook: Path) -> list[str]:
    """The slides of one executed chapter: its title with what is learned, then its figures.

    Parameters
    ----------
    notebook : Path

    Returns
    -------
    list of str
        Each a ``section`` of HTML.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    heading, slides = "", []
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            titles = re.findall(r"^#+ (.+)$", source, flags=re.MULTILINE)
            heading = titles[-1] if titles else heading
            if not slides and titles:
                slides.append(_first(titles[0], source))
        figure = cell["metadata"].get("mystnb", {}).get("figure")
        picture = _picture(cell) if figure else None
        if picture:
            alt = cell["metadata"]["mystnb"].get("image", {}).get("alt", "")
            slides.append(_slide(heading, picture, figure.get("caption", ""), alt))
    return slides


def _first(title: str, text: str) -> str:
    """The title, and what a reader will learn as a list."""
    items = "".join(f"<li>{_words(point.strip(' ,.'))}</li>" for point in _objectives(text))
    return f"<section><h1>{_words(title)}</h1><ul>{items}</ul></section>"


def _objectives(text: str) -> list[str]:
    """What a reader will learn: the first column of the table of objectives."""
    table = re.search(r"^\| you will learn \|.*\n\|[-| ]+\n((?:\|.*(?:\n|$))+)", text, re.MULTILINE)
    return [row.split("|")[1] for row in table[1].splitlines()] if table else []


def _slide(heading: str, picture: str, caption: str, alt: str) -> str:
    """One figure."""
    source = f"data:image/png;base64,{picture}"
    image = f'<img src="{source}" alt="{html.escape(alt, quote=True)}">'
    words = f"<figcaption>{_words(caption)}</figcaption>"
    return f"<section><h2>{_words(heading)}</h2><figure>{image}{words}</figure></section>"


def _picture(cell: dict) -> str | None:
    """The PNG that a cell shows, in base 64; None without one."""
    for output in cell.get("outputs", []):
        data = output.get("data", {}).get("image/png")
        if data:
            return base64.b64encode(base64.b64decode("".join(data))).decode()
    return None


def _words(text: str) -> str:
    """Text of a chapter without MyST's roles and marks."""
    text = re.sub(r"\{\w+(?::\w+)?\}`([^`<]+?)(?: <[^`]*>)?`", r"\1", text)
    return html.escape(re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", text))
