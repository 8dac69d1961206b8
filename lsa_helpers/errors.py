"""The errors a user can meet: each says what is wrong, where, what was found and what to do."""

import difflib
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager


class LsaError(Exception):
    """Base class of every error this package raises on purpose."""

    exit_code = 1


class InputError(LsaError, ValueError):
    """A file, folder or parameter given by the user cannot be used (the command line exits with 2).

    Parameters
    ----------
    what : str
        What is wrong, in one sentence without a final full stop.
    where : path or str, optional
        The file, folder or parameter concerned.
    found : object, optional
        What was found instead.
    fix : str, optional
        What the user can do about it.

    Examples
    --------
    >>> print(InputError("the DEM has no CRS", where="dem.tif", fix="Set one with gdal_edit."))
    dem.tif: the DEM has no CRS. Set one with gdal_edit.
    """

    exit_code = 2

    def __init__(self, what: str, *, where=None, found=None, fix: str | None = None):
        super().__init__(sentence(what, where=where, found=found, fix=fix))


class StageError(LsaError):
    """A chapter failed while it ran; what was finished before it is kept (exit code 1)."""


class InputNote(UserWarning):
    """How a user's file was understood, where it could be understood otherwise."""


class InputDoubt(InputNote):
    """A user's file was read, but probably does not hold what is meant."""


def sentence(what: str, *, where=None, found=None, fix: str | None = None) -> str:
    """What is wrong, where, what was found and what to do, as `InputError` says it."""
    parts = [f"{where}: {what}" if where is not None else what[:1].upper() + what[1:]]
    if found is not None:
        parts.append(f"Found: {found}")
    if fix:
        parts.append(fix)
    return ". ".join(part.rstrip(".") for part in parts) + "."


def note(what: str, **parts) -> None:
    """Warn with an `InputNote`; the parts are those of `sentence`."""
    warnings.warn(InputNote(sentence(what, **parts)), stacklevel=3)


def doubt(what: str, **parts) -> None:
    """Warn with an `InputDoubt`; the parts are those of `sentence`."""
    warnings.warn(InputDoubt(sentence(what, **parts)), stacklevel=3)


@contextmanager
def remarks() -> Iterator[list[InputNote]]:
    """Gather the notes and doubts that come up inside the ``with`` block.

    Yields
    ------
    list of InputNote
        Filled when the block ends, each sentence once; other warnings are given again.

    Examples
    --------
    >>> with remarks() as said:
    ...     note("the heights are in feet", where="dem.tif", fix="Correct `unit`, if not")
    >>> print(said[0])
    dem.tif: the heights are in feet. Correct `unit`, if not.
    """
    gathered = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield gathered
    told = set()
    for warning in caught:
        if not isinstance(warning.message, InputNote):
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
        elif str(warning.message) not in told:
            told.add(str(warning.message))
            gathered.append(warning.message)


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """Suggest the nearest allowed name, or list them all.

    Parameters
    ----------
    name : str
        The unknown name.
    allowed : iterable of str
        The names that exist.

    Returns
    -------
    str
        One sentence for the end of an error message.

    Examples
    --------
    >>> did_you_mean("n_clases", ["n_classes", "seed"])
    'Did you mean "n_classes"?'
    >>> did_you_mean("zebra", ["n_classes", "seed"])
    'Allowed: n_classes, seed.'
    """
    allowed = list(allowed)
    close = difflib.get_close_matches(name, allowed, n=1, cutoff=0.6)
    return f'Did you mean "{close[0]}"?' if close else f"Allowed: {', '.join(allowed)}."


def need_factors(names: Iterable[str], known: Iterable[str], where=None) -> None:
    """Refuse the first of the names that is no known factor.

    Parameters
    ----------
    names, known : iterable of str
    where : Path or str, optional
        File or parameter that named it.

    Raises
    ------
    InputError
    """
    known = [str(name) for name in known]
    for name in names:
        if name not in known:
            fix = did_you_mean(name, known)
            raise InputError(f'there is no factor "{name}"', where=where, fix=fix)


def explain_invalid(error, noun: str, advice: Callable[[tuple], str]) -> str:
    """What pydantic finds wrong, as sentences that name the key.

    Parameters
    ----------
    error : pydantic.ValidationError
    noun : str
        What a key is to the user: "parameter", "key".
    advice : callable
        From the place of an unknown key (tuple of its parts) to a sentence on what is meant, such
        as `did_you_mean` gives.

    Returns
    -------
    str
        The middle of an `InputError`.
    """
    sentences = []
    for item in error.errors():
        place = item["loc"]
        key = ".".join(map(str, place)) or "(all)"
        if item["type"] == "extra_forbidden":
            sentences.append(f'unknown {noun} "{key}". {advice(place).rstrip(".")}')
        else:
            sentences.append(f'{noun} "{key}": {item["msg"].lower()}, got {item["input"]!r}')
    return "; ".join(sentences)
