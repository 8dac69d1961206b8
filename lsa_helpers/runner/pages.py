"""The generated pages of a book: how long the run took, its parameters, and why a chapter is not
there.
"""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from lsa_helpers.run import Run
from lsa_helpers.runner.cells import cell_of, notebooks_dir
from lsa_helpers.runner.manifest import read_manifest

_TIMINGS = """# How long it took

All chapters of this run together took {minutes:.1f} minutes. A chapter is not repeated while its
inputs, parameters and code stay the same. Memory is the peak of all processes of the chapter.

{chapters}{older}
## Where and with what it was made

```yaml
{facts}
```
"""


_CITE = """# How to cite

Version {version} of this book and its module, {date}. {doi}

```bibtex
@software{{landslide_book_{year},
  author = {{{authors}}},
  title = {{{title}}},
  version = {{{version}}},
  year = {{{year}}},{bib_doi}
}}
```

Please cite the paper whose workflow it follows as well: {{cite:t}}`yao2026`. A result that came
from one of the methods belongs to its authors too; each chapter ends with them. The file
`CITATION.cff` of the repository says the same to programs.
"""

_COMPARED = """# Runs compared: {name}

The chapter that follows puts these runs side by side. The first is the one that the others are held
against.

{runs}"""

_KEYS = """# Every key of the catalog

A data folder's `catalog.yml` names its files. This page is made from the model that reads it, so
it holds every key there is; the page [Your own data](own_data.md) says how to use them.

## Entries

Every entry may be absent. `name` is the area's name, and `crs` the CRS in metres of the analysis
grid where it is not to be the DEM's, or its UTM zone.

{entries}
## Keys of an entry

Only `path` is needed; which others matter depends on what the file is.

{keys}"""


def catalog_keys_page() -> str:
    """Entries and keys of a catalog, from its model."""
    from lsa_helpers.sources import Catalog, Entry

    entries = [
        (f"`{name}`", field.description)
        for name, field in Catalog.model_fields.items()
        if name not in ("folder", "name", "crs")
    ]
    keys = [
        (f"`{name}`", _value(None if field.is_required() else field.default), field.description)
        for name, field in Entry.model_fields.items()
    ]
    return _KEYS.format(
        entries=markdown_table(("entry", "what it is"), entries),
        keys=markdown_table(("key", "default", "meaning"), keys),
    )


def cite_page(citation: Path) -> str:
    """How to cite this version, from ``CITATION.cff``; its DOI once it has one (key ``doi``)."""
    facts = yaml.safe_load(citation.read_text(encoding="utf-8"))
    doi = facts.get("doi", "")
    return _CITE.format(
        version=facts["version"],
        date=facts["date-released"],
        year=str(facts["date-released"])[:4],
        title=facts["title"],
        authors=" and ".join(_author(person) for person in facts["authors"]),
        doi=f"DOI: [{doi}](https://doi.org/{doi})." if doi else "It has no DOI yet.",
        bib_doi=f"\n  doi = {{{doi}}}," if doi else "",
    )


def _author(person: dict) -> str:
    """A name as BibTeX reads it; a group's stays whole."""
    if "name" in person:
        return f"{{{person['name']}}}"
    return f"{person['family-names']}, {person['given-names']}"


def skipped_pages(run: Run) -> dict[str, str]:
    """A page for every chapter that was skipped, which says why: chapter → MyST Markdown."""
    texts = {}
    for stage in read_manifest(run)["stages"]:
        if stage["status"] == "skipped":
            source = (notebooks_dir() / f"{stage['name']}.ipynb").read_text(encoding="utf-8")
            title = json.loads(source)["cells"][0]["source"][0].strip()
            why = f"This chapter was not run: {plain(stage['reason'])}."
            texts[stage["name"]] = f"{title}\n\n{why}\n"
    return texts


def compared_page(run: Run) -> str:
    """The runs of a comparison, with links to their own books where these were built."""
    folders = json.loads((run.path / "comparison.json").read_text(encoding="utf-8"))["runs"]
    rows = []
    for folder in folders:
        there = (run.path / folder / "book" / "index.html").is_file()
        # The book of the comparison is one folder further down.
        link = f"<a href='../{folder}/book/index.html'>its book</a>" if there else "not built"
        rows.append((Path(folder).name, link))
    return _COMPARED.format(
        name=run.path.resolve().name, runs=markdown_table(("run", "book"), rows)
    )


def timings_page(run: Run) -> str:
    """Time and memory of every chapter, with the machine they were measured on."""
    facts = read_manifest(run)
    stages = facts.pop("stages")
    rows = [
        (
            stage["name"],
            f"{stage['seconds']:.0f}",
            f"{stage['peak_memory_mb'] / 1000:.1f}",
            _slowest_cell(run, stage["name"]),
        )
        for stage in stages
        if stage["status"] == "done"
    ]
    older = [stage["name"] for stage in stages if stage.get("figures_by_older_code")]
    told = f"\nThe code of the figures changed since these were made: {', '.join(older)}.\n"
    return _TIMINGS.format(
        older=told if older else "",
        minutes=sum(stage["seconds"] for stage in stages) / 60,
        chapters=markdown_table(
            ("chapter", "seconds", "peak memory (GB)", "slowest cell (s)"), rows
        ),
        facts=yaml.safe_dump(facts, sort_keys=False, allow_unicode=True),
    )


def _slowest_cell(run: Run, chapter: str) -> str:
    """Duration of the slowest cell of an executed notebook, from papermill's own record; empty
    where there is none.
    """
    path = run.path / "notebooks" / f"{chapter}.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"] if path.is_file() else []
    durations = [cell["metadata"].get("papermill", {}).get("duration") or 0 for cell in cells]
    return f"{max(durations):.0f}" if durations else ""


def parameters_page(run: Run) -> str:
    """Every parameter of the run with its value, default and meaning."""
    sections = yaml.safe_load((run.path / "params.yml").read_text(encoding="utf-8"))
    text = ["# Parameters of this run\n\nValues that differ from the default are bold.\n"]
    for section, values in sections.items():
        cell = cell_of("01_data" if section == "shared" else section)
        rows = []
        for name, value in values.items():
            default, meaning = cell[name]
            mark = "**" if value != default else ""
            rows.append((f"`{name}`", f"{mark}{_value(value)}{mark}", _value(default), meaning))
        text.append(
            f"## {section}\n\n{markdown_table(('parameter', 'value', 'default', 'meaning'), rows)}"
        )
    return "\n".join(text)


def _value(value: Any) -> str:
    """A value as readers see it."""
    if value in ("", None, [], {}):
        return "(empty)"
    text = str(value)
    return plain(text) if re.search(r"[`|\n]", text) else f"`{text}`"


def plain(text: str) -> str:
    """Any text as Markdown that shows it letter by letter: what a user's files say is no markup."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))


def markdown_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
