"""Sentences about a run's numbers, shown as text of the page."""


class Reading(str):
    """What a table or figure says: the last value of a cell, and the page shows it as Markdown.
    Names from a user's files do not belong in it: their markup would become the page's.

    Examples
    --------
    >>> Reading("Half of them were found.")
    Read it. Half of them were found.
    """

    def __repr__(self) -> str:
        return f"Read it. {self}"

    def _repr_markdown_(self) -> str:
        return f"**Read it.** {self}"


def span(values) -> str:
    """The least and the greatest of some numbers, or the one there is.

    Examples
    --------
    >>> span([0.5, 0.75, 0.6]), span([0.5])
    ('0.5 to 0.75', '0.5')
    """
    low, high = min(values, default=float("nan")), max(values, default=float("nan"))
    return f"{low:g}" if not low < high else f"{low:g} to {high:g}"
