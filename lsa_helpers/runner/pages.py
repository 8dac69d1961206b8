"""The generated pages of a book: how long the run took, its parameters, and why a chapter is not
there.
"""

import json

import yaml

from lsa_helpers.run import Run
from lsa_helpers.runner.params import CHAPTERS, notebooks_dir


def skipped_pages(run: Run) -> dict[str, str]:
    """A page for every chapter that was skipped, which says why: chapter → MyST Markdown."""
    manifest = json.loads((run.path / "manifest.json").read_text(encoding="utf-8"))
    texts = {}
    for stage in manifest["stages"]:
        if stage["status"] == "skipped":
            source = json.loads(
                (notebooks_dir() / f"{stage['name']}.ipynb").read_text(encoding="utf-8")
            )
            title = "".join(source["cells"][0]["source"]).splitlines()[0]
            why = f"This chapter was not run: {stage['reason']}."
            texts[stage["name"]] = f"{title}\n\n{why}\n"
    return texts


def timings_page(run: Run) -> str:
    """Time and memory of every chapter, with the machine they were measured on."""
    manifest = json.loads((run.path / "manifest.json").read_text(encoding="utf-8"))
    rows = [
        [
            stage["name"],
            f"{stage['seconds']:.0f}",
            f"{stage['peak_memory_mb'] / 1000:.1f}",
            _slowest_cell(run, stage["name"]),
        ]
        for stage in manifest["stages"]
        if stage["status"] == "done"
    ]
    total = sum(stage["seconds"] for stage in manifest["stages"])
    facts = (
        {"Run": manifest["name"], "Made": manifest["created"]}
        | _flat("Code", manifest["code"])
        | _flat("Machine", manifest["machine"])
    )
    return "\n".join(
        [
            "# How long it took",
            "",
            f"All chapters of this run together took {total / 60:.1f} minutes. A chapter is not",
            "repeated while its inputs, parameters and code stay the same. Memory is the peak of",
            "the chapter's own process.",
            "",
            _table(["chapter", "seconds", "peak memory (GB)", "slowest cell (s)"], rows),
            "## Where it was made",
            "",
            _table(["", ""], [[key, f"`{value}`"] for key, value in facts.items()]),
            "## With which packages",
            "",
            _table(["package", "version"], [list(item) for item in manifest["packages"].items()]),
        ]
    )


def _flat(name: str, value) -> dict[str, str]:
    """A fact, or one line per part of it."""
    return (
        {f"{name}, {key}": str(part) for key, part in value.items()}
        if isinstance(value, dict)
        else {name: str(value)}
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
    path = run.path / "params.yml"
    sections = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    text = ["# Parameters of this run", "", "Values that differ from the default are bold.", ""]
    for name, section in sections.items():
        fields = (
            next(iter(CHAPTERS.values())).model_fields
            if name == "shared"
            else CHAPTERS[name].model_fields
        )
        rows = []
        for key, value in section.items():
            mark = "**" if value != fields[key].default else ""
            rows.append(
                [
                    f"`{key}`",
                    f"{mark}{_value(value)}{mark}",
                    _value(fields[key].default),
                    fields[key].description,
                ]
            )
        text += [
            f"## {name}",
            "",
            _table(["parameter", "value", "default", "meaning"], rows)
            if rows
            else "No parameters of its own.\n",
        ]
    return "\n".join(text)


def _value(value) -> str:
    """A value as readers see it."""
    return f"`{value}`" if value not in ("", None, [], {}) else "(empty)"


def _table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines) + "\n"
