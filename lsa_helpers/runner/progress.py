"""What a running chapter is doing, and how long the rest will take."""

import time
from collections.abc import Callable, Iterable, Mapping

from lsa_helpers.run import Run
from lsa_helpers.runner.manifest import read_manifest
from lsa_helpers.runner.params import CHAPTERS

# Seconds of the chapters, in their order, on two quiet cores, for a run that was never made here.
KNOWN_SECONDS = {
    "tiny": (33, 45, 19, 12, 31, 8, 14, 25, 38, 12, 24, 30, 12, 8),
    "quick": (112, 326, 103, 43, 176, 9, 80, 170, 85, 75, 100, 90, 40, 20),
}


class Progress:
    """Says which cell of which chapter runs and about how long the run will go on.

    In a terminal it is one live line; where the output goes into a file, one line a minute.

    Parameters
    ----------
    show : callable
        Called with a line of text: to replace the live line, or to print it.
    live : bool
        Whether `show` replaces the line before.
    seconds : mapping
        Chapter → seconds it took before; chapters never made here are left out.
    """

    def __init__(self, show: Callable[[str], None], live: bool, seconds: Mapping[str, float]):
        self.show = show
        self.pause = 0.2 if live else 60.0
        self.seconds = seconds
        self.begin("", [])

    def begin(self, chapter: str, ahead: Iterable[str]) -> None:
        """A chapter begins, and after it come those `ahead`."""
        self.chapter = chapter
        self.ahead = list(ahead)
        self.begun = self.shown = time.monotonic()

    def update(self, text: str) -> None:
        """What the chapter is doing now; shown unless the last line is too young."""
        now = time.monotonic()
        if now - self.shown < self.pause:
            return
        self.shown = now
        elapsed = now - self.begun
        line = f"{self.chapter}: {elapsed:.0f} s"
        known = [self.seconds[name] for name in self.ahead if name in self.seconds]
        if self.chapter in self.seconds and len(known) == len(self.ahead):
            left = max(self.seconds[self.chapter] - elapsed, 0) + sum(known)
            line += f", about {max(1, round(left / 60))} min left in all"
        self.show(f"{line}; {text}")


def expected_seconds(run: Run, profile: str) -> dict[str, float]:
    """Seconds each chapter took in the last run, else what the profile is known to take.

    Parameters
    ----------
    run : Run
    profile : str
        Name of the parameter set.

    Returns
    -------
    dict
        Chapter → seconds; chapters of which nothing is known are left out.
    """
    seconds = dict(zip(CHAPTERS, KNOWN_SECONDS.get(profile, ()), strict=False))
    done = (item for item in read_manifest(run)["stages"] if item["status"] == "done")
    return seconds | {item["name"]: item["seconds"] for item in done}
