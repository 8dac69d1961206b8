"""``lsa publish``, ``lsa pdf`` and ``lsa slides``: a run's book for a web server and for paper, its
figures for a class.
"""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from lsa_helpers.runner.cli_options import console


def publish(
    run: Annotated[str, typer.Argument(help="name of a run in runs/, or its folder")] = "quick",
    out: Annotated[Path, typer.Option(help="folder of the site")] = Path("site"),
    address: Annotated[
        str, typer.Option(help="where the site will stand, https://…: links, cards, sitemap")
    ] = "",
    repository: Annotated[
        str, typer.Option(help="the repository, https://…: source, issue, edit, Binder, Colab")
    ] = "",
    branch: Annotated[str, typer.Option(help="of the repository")] = "main",
    version: Annotated[
        str, typer.Option(help="folder of this version beside others, for example v1.0")
    ] = "",
    pdf: Annotated[
        bool, typer.Option("--pdf", help="the whole book as a PDF too (needs Chromium)")
    ] = False,
) -> None:
    """Build the book of a run for any static web server: copy the folder there, and it works."""
    from lsa_helpers.run import Run
    from lsa_helpers.runner.online import Online, put_online
    from lsa_helpers.runner.pdf import find_chromium, link_pdf, write_pdf
    from lsa_helpers.runner.publish import build_book, refuse_other_things
    from lsa_helpers.runner.registry import find_run

    online = Online(address, repository, branch, version)
    online.check()
    refuse_other_things(out / version)  # said before a minute of building
    if pdf:
        find_chromium()
    folder = Run(find_run(run))
    with console.status("building the book, about a minute"), tempfile.TemporaryDirectory() as tmp:
        built = build_book(folder, Path(tmp) / "book", online.config()).parent
        if pdf:
            link_pdf(built, write_pdf(folder, built, built / "book.pdf", online.root))
        index = put_online(built, out, online)
    console.print(f"{index}. Copy {out} to the server; try it: python -m http.server -d {out}")


def pdf(
    run: Annotated[str, typer.Argument(help="name of a run in runs/, or its folder")] = "quick",
    out: Annotated[
        Path | None, typer.Option(dir_okay=False, help="the PDF; by default book.pdf in the run")
    ] = None,
    address: Annotated[
        str, typer.Option(help="where the site stands, https://…: links to what the PDF leaves out")
    ] = "",
) -> None:
    """Print the built book of a run (`lsa book`) as one PDF, by Chromium: links work inside."""
    from lsa_helpers.run import Run
    from lsa_helpers.runner.online import Online
    from lsa_helpers.runner.pdf import write_pdf
    from lsa_helpers.runner.registry import find_run

    online = Online(address)
    online.check()
    with console.status("printing the book, about a minute"):
        file = write_pdf(Run(find_run(run)), file=out, address=online.root)
    console.print(f"{file}, {file.stat().st_size / 1e6:.0f} MB")


def slides(
    run: Annotated[str, typer.Argument(help="name of a run in runs/, or its folder")] = "quick",
) -> None:
    """Make slides of the figures, a file for each part: arrow keys go on and back."""
    from lsa_helpers.run import Run
    from lsa_helpers.runner.registry import find_run
    from lsa_helpers.runner.slides import write_slides

    for file in write_slides(Run(find_run(run))):
        console.print(str(file))
