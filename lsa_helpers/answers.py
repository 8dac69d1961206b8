"""Answers to exercises: kept as hashes beside a run, so that they can be checked without a teacher
or the internet, and not be read.
"""

import hashlib
import json
import math
from numbers import Real
from pathlib import Path

from lsa_helpers.errors import InputError
from lsa_helpers.run import Run, whole_file


def record(
    run: Run, exercise: str, answer: float | str, within: float = 0.0, *, what: str = ""
) -> None:
    """Keep the answer to an exercise in ``answers/<exercise>.json``, as hashes.

    Parameters
    ----------
    run : Run
    exercise : str
        Its label in the book, for example ``ex-05-auc``.
    answer : float or str
        A number, or a name; of a name neither spaces nor capitals count.
    within : float
        How far from the number an answer may be; needed for a number.
    what : str
        Which number of the exercise it is, with its unit; told to who asks.

    Raises
    ------
    ValueError
        When a number has no `within`, or is none.

    Notes
    -----
    The line of numbers is cut into steps as wide as `within`, and the hashes of the answer's step
    and of its two neighbours are kept. So everything within `within` is right, and what is up to
    twice as far may be.
    """
    texts = _texts(answer, within) if isinstance(answer, Real) else [_plain(answer)]
    right = [_hash(exercise, text) for text in texts]
    kept = {"within": within, "right": right} | ({"what": what} if what else {})
    with whole_file(_file(run, exercise)) as part:
        part.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def check(run: Run, exercise: str, answer: float | str) -> str:
    """Say whether an answer is that of the page.

    Parameters
    ----------
    run : Run
        The run of the page, or a copy of it.
    exercise : str
        Its label, as the exercise says it.
    answer : float or str
        What you found.

    Returns
    -------
    str
        One sentence.

    Raises
    ------
    InputError
        When the run holds no answer to such an exercise.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> run = Run(Path(mkdtemp()))
    >>> record(run, "ex-00-sum", 4.0, within=0.1, what="the sum, m")
    >>> check(run, "ex-00-sum", 2 + 2.05)
    'Right: as on the page, within 0.1.'
    >>> check(run, "ex-00-sum", 5)
    'Not what the page has, even within 0.1. Asked is the sum, m.'
    """
    file = _file(run, exercise)
    if not file.is_file():
        known = ", ".join(sorted(path.stem for path in file.parent.glob("*.json"))) or "none"
        fix = f"Exercises with an answer here: {known}"
        raise InputError("there is no answer to this exercise", where=exercise, fix=fix)
    kept = json.loads(file.read_text(encoding="utf-8"))
    number = isinstance(answer, Real) and kept["within"] > 0
    text = _texts(answer, kept["within"])[1] if number else _plain(answer)
    within = f", within {kept['within']:g}" if kept["within"] else ""
    if _hash(exercise, text) in kept["right"]:
        return f"Right: as on the page{within}."
    asked = f" Asked is {kept['what']}." if "what" in kept else ""
    return f"Not what the page has{within.replace(', ', ', even ')}.{asked}"


def asked(run: Run) -> dict[str, str]:
    """Which exercises of a run have an answer here, and which number of each is asked for; empty
    where that is not said.

    Parameters
    ----------
    run : Run

    Returns
    -------
    dict
        Label → what `record` was told.
    """
    files = sorted((run.path / "answers").glob("*.json"))
    kept = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}
    return {label: values.get("what", "") for label, values in kept.items()}


def _file(run: Run, exercise: str) -> Path:
    """Where an answer lies."""
    return run.path / "answers" / f"{exercise}.json"


def _texts(number: float, within: float) -> list[str]:
    """The step before a number's, its own, and the one after it."""
    if not (within > 0 and math.isfinite(number)):
        raise ValueError("a number needs to be finite, and how far an answer may be from it")
    step = math.floor(number / within)
    return [str(near) for near in (step - 1, step, step + 1)]


def _plain(answer: float | str) -> str:
    """A name without spaces and capitals."""
    return "".join(str(answer).lower().split())


def _hash(exercise: str, text: str) -> str:
    """Of an answer together with its exercise: equal answers do not look equal."""
    return hashlib.sha256(f"{exercise}: {text}".encode()).hexdigest()
