"""The whole book as one PDF: all chapters on one page, printed by Chromium, which keeps the links
and draws tables and figures as on the site; LaTeX would need its own pictures of tables, and
gigabytes.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from lsa_helpers.errors import InputError, StageError
from lsa_helpers.run import Run, whole_file
from lsa_helpers.runner.publish import jupyter_book, make_stage

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_PRINT = "--headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run"
_AS_PAPER = """<style>
@page { size: A4; margin: 18mm 16mm; }
.bd-sidebar-primary, .bd-sidebar-secondary, .bd-header, .bd-header-article, .header-article,
.prev-next-footer, footer, .copybtn { display: none !important; }
.bd-main .bd-content .bd-article-container { max-width: none; }
section > h1 { break-before: page; }
img, figure, table, .admonition { break-inside: avoid; max-width: 100%; }
pre { white-space: pre-wrap; }
</style></head>"""


def write_pdf(run: Run, file: Path) -> Path:
    """Print the book of a run.

    Parameters
    ----------
    run : Run
        With executed notebooks.
    file : Path
        The PDF.

    Raises
    ------
    InputError
        When there is no Chromium.
    StageError
        When the page cannot be built or printed.
    """
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        fix = "Install it (Debian: apt install chromium), or leave --pdf out"
        raise InputError("a PDF is printed by Chromium, which is not there", fix=fix)
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder) / "stage"
        make_stage(run, stage)
        page = jupyter_book(stage, Path(folder) / "built", "singlehtml") / "book" / "index.html"
        text = page.read_text(encoding="utf-8").replace("</head>", _AS_PAPER, 1)
        page.write_text(text, encoding="utf-8")
        with whole_file(file) as part:
            command = [browser, *_PRINT.split(), f"--user-data-dir={folder}/user"]
            command += ["--no-pdf-header-footer", "--virtual-time-budget=60000"]
            command += [f"--print-to-pdf={part.resolve()}", page.as_uri()]
            done = subprocess.run(command, capture_output=True, text=True)
            if not part.is_file():
                raise StageError(f"Chromium printed nothing:\n{done.stderr[-1000:]}")
    return file
