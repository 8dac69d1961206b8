"""What every chapter's parameters have in common, and errors that name the key."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lsa_helpers.errors import InputError, explain_invalid

# Names IPython itself puts into a notebook's globals.
_IPYTHON_NAMES = {"In", "Out", "exit", "quit", "open", "get_ipython"}


class Parameters(BaseModel):
    """What every chapter knows: its run's folder, the seed, the data folder and how many cores it
    may use.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    run_dir: str = Field(
        "",
        description="folder of the run; empty: runs/alone here, earlier chapters made first at the "
        "smallest size",
    )
    seed: int = Field(0, ge=0, lt=2**31, description="seed of every random choice")
    profile: str = Field("quick", description="name of the parameter set, shown in the book")
    data: str = Field("", description="data folder; empty: the built-in simulated mountain")
    catalog: str = Field(
        "", description="catalog.yml that describes the data folder; empty: the one inside it"
    )
    n_jobs: int = Field(2, ge=1, le=1024, description="processor cores to use")

    @classmethod
    def check(cls, values: dict[str, Any], where: str) -> Self:
        """Build the model from plain values; every mistake becomes one line of an `InputError`
        naming the key.
        """
        try:
            return cls(**values)
        except ValidationError as error:
            wrong = explain_invalid(error, "parameter", lambda place: cls.model_fields)
            raise InputError(wrong, where=where) from None

    @classmethod
    def from_cell(cls, variables: dict[str, Any]) -> Self:
        """Build the model from a notebook's ``globals()`` right after its parameters cell.

        Papermill only warns about a parameter the notebook does not have; here it is an error,
        because plain values that are no parameter can only have come from a misspelt one.

        Raises
        ------
        InputError
            For an unknown name or a value out of range.
        """
        plain = {
            name: value
            for name, value in variables.items()
            if not name.startswith("_")
            and name not in _IPYTHON_NAMES
            and isinstance(value, (int, float, str, list, dict, type(None)))
        }
        return cls.check(plain, "parameters cell")
