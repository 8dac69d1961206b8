"""A sweep: many runs that differ in a few parameters, read from one small file."""

import functools
import itertools
import random
import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lsa_helpers.errors import InputError, did_you_mean, explain_invalid
from lsa_helpers.runner.cells import notebooks_dir
from lsa_helpers.runner.inputs import find_params, load_run_params
from lsa_helpers.runner.manifest import digest
from lsa_helpers.runner.params import CHAPTERS, Parameters, chapter_name
from lsa_helpers.runner.pipeline import ALSO_READS, NEEDS

Changes = dict[str, Any]


class Range(BaseModel):
    """Where a random number may lie."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: float
    high: float
    log: bool = Field(False, description="every order of magnitude alike; needs a low above 0")
    whole: bool = Field(False, description="whole numbers")

    @model_validator(mode="after")
    def _ordered(self):
        if self.low >= self.high or (self.log and self.low <= 0):
            raise ValueError("low must lie below high, and above 0 with log")
        return self

    def draw(self, generator: random.Random) -> float:
        """One number."""
        draw = generator.uniform
        value = (
            self.low * (self.high / self.low) ** draw(0, 1)
            if self.log
            else draw(self.low, self.high)
        )
        return round(value) if self.whole else float(f"{value:.4g}")


class Random(BaseModel):
    """Values drawn at random, each run by itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    runs: int = Field(ge=1, le=10_000)
    seed: int = 0
    over: dict[str, list | Range] = Field(min_length=1)

    def changes(self) -> list[Changes]:
        """What each run changes."""
        generator = random.Random(self.seed)
        return [
            {
                key: values.draw(generator)
                if isinstance(values, Range)
                else generator.choice(values)
                for key, values in self.over.items()
            }
            for _ in range(self.runs)
        ]


class Sweep(BaseModel):
    """The content of a sweep's file.

    A key is a parameter as ``-p`` takes it, ``cnn_window`` or ``05.cnn_window``, several chapters
    at once, ``04+05.positives``, or ``data``, whose values are data folders seen from the file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str = Field("quick", description="the parameter set that the runs change")
    until: str = Field("14", description="last chapter")
    grid: dict[str, list] = Field({}, description="every value with every other")
    runs: list[Changes] = Field([], alias="list", description="the runs one by one")
    random: Random | None = None

    @model_validator(mode="after")
    def _one_way(self):
        if sum(map(bool, (self.grid, self.runs, self.random))) != 1:
            raise ValueError('give one of "grid", "list" and "random"')
        return self

    def changes(self) -> list[Changes]:
        """What each run changes."""
        if self.random:
            return self.random.changes()
        if self.runs:
            return self.runs
        rows = itertools.product(*self.grid.values())
        return [dict(zip(self.grid, row, strict=True)) for row in rows]


def find_sweep(name_or_file: str) -> Path:
    """A sweep's file by its path, or by the name of one that comes with the book.

    Raises
    ------
    InputError
        When there is no such file.
    """
    known = notebooks_dir() / "sweeps"
    for file in (Path(name_or_file), known / f"{name_or_file}.yml"):
        if file.is_file():
            return file
    names = sorted(file.stem for file in known.glob("*.yml"))
    fix = did_you_mean(name_or_file, names)
    raise InputError("there is no such sweep", where=name_or_file, fix=fix)


def read_sweep(file: Path) -> Sweep:
    """Read and check a sweep's file.

    Raises
    ------
    InputError
        When it is no YAML mapping, has an unknown key, or does not say what to change.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        return Sweep.model_validate(content or {})
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        found = " ".join(str(error).split())
        raise InputError("the sweep cannot be read", where=file, found=found) from None
    except ValidationError as error:
        allowed = [field.alias or name for name, field in Sweep.model_fields.items()]
        wrong = explain_invalid(error, "key", lambda place: did_you_mean(str(place[-1]), allowed))
        raise InputError(wrong, where=file) from None


def sweep_runs(
    sweep: Sweep, file: Path, folder: Path, n_jobs: int
) -> dict[str, dict[str, Parameters]]:
    """The runs of a sweep.

    Parameters
    ----------
    sweep : Sweep
    file : Path
        Where it was read, from which data folders count.
    folder : Path
        Folder of the sweep, in which every run has its own.
    n_jobs : int
        Cores that each run may use; they change no result.

    Returns
    -------
    dict
        Name of the run → chapter → its parameters.

    Raises
    ------
    InputError
        For an unknown parameter, a bad value, or two runs alike.
    """
    base, runs = find_params(sweep.base), {}
    for changes in sweep.changes():
        name = run_name(changes)
        if name in runs:
            raise InputError("two runs of the sweep are alike", where=file, found=name)
        data = changes.get("data")
        others = {key: value for key, value in changes.items() if key != "data"}
        texts = {keys: yaml.safe_dump(value) for keys, value in others.items()}
        overrides = {"n_jobs": str(n_jobs)} | texts
        place = file.parent / data if data else None
        runs[name] = load_run_params(base, overrides, place, folder / name)
    return runs


def run_name(changes: Changes) -> str:
    """A folder's name that says what a run changes.

    Examples
    --------
    >>> run_name({"04+05.positives": "point", "seed": 3})
    'positives=point,seed=3'
    """
    parts = (f"{keys.rpartition('.')[2]}={value}" for keys, value in changes.items())
    name = re.sub(r"[^\w.,=+-]+", "_", ",".join(parts))
    return name if len(name) <= 100 else f"{name[:80]}-{digest(changes)[:8]}"


def same_stage(params: dict[str, Parameters], chapter: str) -> str:
    """What tells whether a chapter of two runs of a sweep makes the same: a digest of its
    parameters and of those of the chapters it needs.
    """

    @functools.cache
    def of(name: str) -> str:
        own = params[name].model_dump(exclude={"run_dir", "n_jobs"})
        reads = (*NEEDS[name], *ALSO_READS.get(name, ()))
        return digest(own, [of(need) for need in reads])

    return of(chapter)


def owners(runs: dict[str, dict[str, Parameters]], chapters: list[str]) -> dict[tuple, str]:
    """Which run makes each stage for all runs that share it.

    Parameters
    ----------
    runs : dict
        Name of the run → chapter → its parameters.
    chapters : list of str

    Returns
    -------
    dict
        (run, chapter) → name of the first run in which that chapter is the same.
    """
    first: dict[tuple, str] = {}
    return {
        (name, chapter): first.setdefault((chapter, same_stage(params, chapter)), name)
        for name, params in runs.items()
        for chapter in chapters
    }


def chapters_until(until: str) -> list[str]:
    """The chapters up to one."""
    return [name for name in CHAPTERS if name <= chapter_name(until)]
