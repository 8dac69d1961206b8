"""The book as a PDF: its built pages as one, printed by Chromium, which draws tables, figures and
formulas as on the site, and keeps links and headings.
"""

import html
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import yaml

from lsa_helpers.errors import InputError, StageError
from lsa_helpers.run import Run, whole_file
from lsa_helpers.runner.cells import notebooks_dir
from lsa_helpers.runner.one_page import HOME, book_title, one_page

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
_CHROMIUM += ("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",)
# The last: so many milliseconds of the page's own clock, in which formulas and maps are drawn.
_PRINT = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--no-first-run", "--no-pdf-header-footer", "--generate-pdf-document-outline"),
    "--virtual-time-budget=60000",
]
_LONGEST_S = 1800
_COVER = """<section class="lsa-cover"><p class="lsa-cover-title">{title}</p>
<p>{authors}</p>
<p>Version {version}, {date}. {doi}</p>
<p>Run: {run}</p>
<p>Text CC BY 4.0, code {licence}.</p>
<p>Printed from the book's {site}, which has more: the reference of the module, interactive maps,
and notebooks to run. Solutions of the exercises are at the end.</p></section>"""


def write_pdf(
    run: Run, site: Path | None = None, file: Path | None = None, address: str = ""
) -> Path:
    """Print the built book of a run.

    Parameters
    ----------
    run : Run
    site : Path, optional
        Folder of its built book; by default ``book`` in the run's folder.
    file : Path, optional
        The PDF; by default ``book.pdf`` in the run's folder.
    address : str
        Of the site on the web, with a slash at its end: links to what the PDF leaves out.

    Returns
    -------
    Path
        The PDF: A4, an outline of parts, chapters and sections, links that work inside.

    Raises
    ------
    InputError
        When the book is not built, or there is no Chromium.
    StageError
        When Chromium prints nothing.
    """
    site = run.path / "book" if site is None else site
    file = run.path / "book.pdf" if file is None else file
    if not (site / HOME).is_file():
        fix = f"First: lsa book {run.path.name}"
        raise InputError("the book is not built yet", where=site, fix=fix)
    program = find_chromium()
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        page = Path(folder) / "book.html"
        page.write_text(one_page(site, cover(run, site, address), address), encoding="utf-8")
        print_page(page, file, program)
    return file


def find_chromium() -> str:
    """The program that prints: the one that the variable CHROMIUM names, or an installed one.

    Raises
    ------
    InputError
        When there is none.
    """
    named = os.environ.get("CHROMIUM")
    for name in [named] if named else _CHROMIUM:
        if program := shutil.which(name):
            return program
    fix = "Install it (Debian: apt install chromium), or name it in the variable CHROMIUM"
    raise InputError("a PDF is printed by Chromium, which is not here", where=named, fix=fix)


def cover(run: Run, site: Path, address: str = "") -> str:
    """HTML of the first page: title, version, run and licences.

    Parameters
    ----------
    run : Run
    site : Path
        Folder of its built book.
    address : str
        Of the site on the web, to which the page leads.

    Raises
    ------
    InputError
        When ``CITATION.cff`` is not there.
    """
    citation = notebooks_dir().parent / "CITATION.cff"
    if not citation.is_file():
        raise InputError("how to cite the book is not here", where=citation, fix="Use a checkout")
    facts = yaml.safe_load(citation.read_text(encoding="utf-8"))
    names = [
        item.get("name") or f"{item['given-names']} {item['family-names']}"
        for item in facts["authors"]
    ]
    words = {
        "title": book_title(site),
        "authors": ", ".join(names),
        "version": facts["version"],
        "date": facts["date-released"],
        "doi": f"DOI: {facts['doi']}." if "doi" in facts else "It has no DOI yet.",
        "run": run.path.resolve().name,
        "licence": facts["license"],
    }
    words = {key: html.escape(str(value)) for key, value in words.items()}
    link = f'<a href="{html.escape(address)}">site</a>' if address else "site"
    return _COVER.format(**words, site=link)


def print_page(page: Path, file: Path, program: str) -> None:
    """Print a page of HTML.

    Parameters
    ----------
    page : Path
    file : Path
        The PDF, replaced when the new one is whole.
    program : str
        Chromium.

    Raises
    ------
    StageError
        When Chromium prints nothing.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    # beside the PDF, since some systems let Chromium see no other folder
    user = tempfile.TemporaryDirectory(dir=file.parent, ignore_cleanup_errors=True)
    with user, whole_file(file) as part:
        places = [f"--user-data-dir={Path(user.name).resolve()}", page.resolve().as_uri()]
        command = [program, *_PRINT, f"--print-to-pdf={part.resolve()}", *places]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_S)
        except subprocess.TimeoutExpired as error:
            raise StageError(f"Chromium printed nothing in {_LONGEST_S} seconds.") from error
        if done.returncode or not part.is_file():
            raise StageError(f"Chromium printed nothing:\n{done.stderr[-1000:]}")


def link_pdf(site: Path, file: Path) -> None:
    """Lead from the front page of a built book, and from how to cite it, to its PDF.

    Parameters
    ----------
    site : Path
        Its pages are changed.
    file : Path
        The PDF, in this folder.
    """
    words = f"The whole book as a PDF, {file.stat().st_size / 1e6:.0f} MB"
    link = f'<p class="lsa-pdf"><a href="../{file.name}">{words}</a></p>'
    for page in (site / HOME, site / "book/cite.html"):
        if page.is_file():
            before, article, after = page.read_text(encoding="utf-8").partition("<article")
            after = after.replace("</h1>", f"</h1>\n{link}", 1)
            page.write_text(before + article + after, encoding="utf-8")
