"""Exercises in a chapter: without their solutions it is the chapter that students get."""

import re
from collections.abc import Callable

_START, _END = "```{solution-start}", "```{solution-end}"
_FENCES = re.compile(
    rf"^({re.escape(_START)}|{re.escape(_END)}\n```[ \t]*\n*)", re.MULTILINE
)  # with the group, `split` keeps the fences
_YOUR_TURN = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}


def without_solutions(
    cells: list[dict], your_turn: Callable[[str], str] | None = None
) -> list[dict]:
    """The cells of a notebook without what stands between ``solution-start`` and ``solution-end``.

    Parameters
    ----------
    cells : list of dict
        Of an ``.ipynb`` file.
    your_turn : callable, optional
        Label of an exercise → code for a cell where its solution was; without it there is none.

    Returns
    -------
    list of dict
        Of a text cell that holds more than a solution, the rest.
    """
    kept, inside = [], False
    for cell in cells:
        if cell["cell_type"] != "markdown":
            kept += [] if inside else [cell]
            continue
        pieces = _FENCES.split("".join(cell["source"]))
        for number, piece in enumerate(pieces):
            own = {"id": f"{cell['id']}-{number}"} if number else {}
            if piece == _START:
                if your_turn:
                    label = pieces[number + 1].split()[0]
                    kept += [_YOUR_TURN | {"source": your_turn(label)} | own]
                inside = True
            elif piece.startswith(_END):
                inside = False
            elif not inside and piece.strip():
                kept.append(cell | {"source": piece.rstrip("\n")} | own)
    return kept
