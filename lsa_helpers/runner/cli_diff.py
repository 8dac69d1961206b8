"""``lsa diff``: what sets two runs apart."""

import json
from typing import Annotated

import pandas as pd
import typer

from lsa_helpers.runner.cli_options import AsJson, console, print_table, short_hash

# Files of data that are named one by one; a simulated mountain has thousands.
_MOST_FILES = 8

RunName = Annotated[str, typer.Argument(help="name of a run in runs/, or its folder")]


def diff(first: RunName, second: RunName, as_json: AsJson = False) -> None:
    """What sets two runs apart: parameters, code, data, packages; scores with their intervals."""
    from lsa_helpers.runner.comparison import compare_facts, compare_scores
    from lsa_helpers.runner.registry import find_run

    a, b = find_run(first), find_run(second)
    facts, scores = compare_facts(a, b), compare_scores(a, b)
    if as_json:
        tables = {"facts": facts, "scores": scores}
        answer = {
            name: json.loads(table.to_json(orient="records")) for name, table in tables.items()
        }
        console.print(json.dumps(answer, ensure_ascii=False, indent=1))
        return
    console.print(f"A: {a}\nB: {b}")
    _print_facts(facts)
    _print_scores(scores)


def _print_facts(facts: pd.DataFrame) -> None:
    """What the runs were made from and with."""
    data = facts[facts["kind"] == "data"]
    shown = facts.drop(data.index[_MOST_FILES:])
    rows = [
        [row.kind, row.name, *(short_hash(text) for text in (row.a, row.b))]
        for row in shown.itertuples(index=False)
    ]
    if rows:
        print_table(["what", "name", "A", "B"], rows)
    else:
        console.print("Parameters, code, data, packages and machine are the same.")
    if len(data) > _MOST_FILES:
        console.print(f"and {len(data) - _MOST_FILES} more files of data")


def _print_scores(scores: pd.DataFrame) -> None:
    """The scores, table by table, and how many differ by more than chance."""
    from lsa_helpers.runner.comparison import PAIRED

    if scores.empty:
        console.print("There is no score with an interval in both runs.")
        return
    head = ["of", "score", "A", "B", "B − A", "more than chance", "by"]
    for name, part in scores.groupby("table", sort=False):
        print_table(head, [_score(row) for row in part.to_dict("records")], title=str(name))
    paired, sure = (scores["method"] == PAIRED).sum(), scores["more_than_chance"].sum()
    console.print(
        f"{sure} of {len(scores)} scores differ by more than chance. The same samples, drawn again "
        f"in pairs, decide on {paired}; whether 95 % intervals exclude each other on the rest."
    )


def _score(row: dict) -> list[str]:
    """A score in both runs as readers see it."""
    return [
        row["row"],
        row["score"],
        _span(row["a"], row["a_low"], row["a_high"]),
        _span(row["b"], row["b_low"], row["b_high"]),
        _span(row["difference"], row["low"], row["high"], sign="+"),
        "yes" if row["more_than_chance"] else "no",
        row["method"],
    ]


def _span(value: float, low: float, high: float, sign: str = "") -> str:
    """A value with its interval, where it has one."""
    ends = "" if pd.isna(low) else f" [{low:{sign}.3f}, {high:{sign}.3f}]"
    return f"{value:{sign}.3f}{ends}"
