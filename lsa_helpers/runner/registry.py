"""The runs of a folder: what each one is and what it scored."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from lsa_helpers.errors import InputError
from lsa_helpers.runner.extends import find_params, parse_yaml
from lsa_helpers.runner.inputs import read_params, to_sections

#: Models whose AUC of spatial folds stands in the list of runs.
MODELS = ("cnn", "rf", "xgboost")
#: Shared parameters that change no result, or only say where things lie.
_NO_CHANGE = {"run_dir", "profile", "n_jobs", "catalog", "chunk"}


def find_run(name: str, folder: Path = Path("runs")) -> Path:
    """A run by its name in a folder of runs, or by its own folder.

    Raises
    ------
    InputError
        When there is no such run.
    """
    for path in (Path(name), folder / name):
        if (path / "manifest.json").is_file():
            return path
    raise InputError(
        "there is no such run",
        where=name,
        found=[path.name for path in find_runs(folder)] or "no runs",
        fix="Make it first: "
        + ("make book, or lsa run quick" if name == "quick" else "lsa run NAME"),
    )


def find_comparison(name: str, folder: Path = Path("runs")) -> Path | None:
    """A comparison of runs by its name in a folder of runs, or by its own folder; None where there
    is none.

    Raises
    ------
    InputError
        When it is a sweep whose runs were not compared yet.
    """
    for path in (Path(name), folder / name):
        if (path / "comparison.json").is_file():
            return path
        if (path / "sweep.yml").is_file():
            fix = f"First: lsa compare {path}"
            raise InputError("the runs of this sweep were not compared yet", where=path, fix=fix)
    return None


def find_runs(folder: Path) -> list[Path]:
    """The folders directly in a folder that hold a manifest, by name."""
    return sorted(file.parent for file in folder.glob("*/manifest.json") if file.is_file())


def load_manifest(run: Path) -> dict[str, Any]:
    """The manifest of a run, checked.

    Raises
    ------
    InputError
        When it is damaged, or no manifest of a run.
    """
    file = run / "manifest.json"
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError("the manifest cannot be read", where=file, found=str(error)) from None
    if not _is_manifest(content):
        raise InputError("this is no manifest of a run", where=file, found=str(content)[:60])
    return content


def _is_manifest(content: Any) -> bool:
    """Whether a manifest has what is read here and in `lsa_helpers.runner.comparison`."""
    if not (isinstance(content, dict) and isinstance(content.get("stages"), list)):
        return False
    facts = all(isinstance(content.get(key, {}), dict) for key in ("code", "packages", "machine"))
    return facts and all(
        isinstance(stage, dict)
        and isinstance(stage.get("seconds", 0), int | float)
        and all(isinstance(stage.get(key, {}), dict) for key in ("inputs", "outputs"))
        for stage in content["stages"]
    )


def read_sections(run: Path) -> dict[str, dict[str, Any]]:
    """The sections of a run's ``params.yml`` as they stand, even of a version with other
    parameters; empty where there is none.

    Raises
    ------
    InputError
        When it is no readable YAML.
    """
    file = run / "params.yml"
    if not file.is_file():
        return {}
    content = parse_yaml(file.read_text(encoding="utf-8", errors="replace"), str(file))
    content = content if isinstance(content, dict) else {}
    return {name: values for name, values in content.items() if isinstance(values, dict)}


def flat_parameters(sections: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Parameters by the keys that ``-p`` takes, without those that change no result.

    Examples
    --------
    >>> flat_parameters({"shared": {"seed": 0, "n_jobs": 2}, "07_shap": {"n_explain": 20}})
    {'seed': 0, '07.n_explain': 20}
    """
    return {
        key if section == "shared" else f"{section[:2]}.{key}": value
        for section, values in sections.items()
        for key, value in values.items()
        if not (section == "shared" and key in _NO_CHANGE)
    }


def changed_parameters(run: Path) -> dict[str, Any] | None:
    """The parameters of a run that are not as in the set its profile names.

    Parameters
    ----------
    run : Path
        The run's folder.

    Returns
    -------
    dict or None
        Key as ``-p`` takes it → the run's value; None where the run's parameters cannot be read or
        no set of that name comes with the book.
    """
    try:
        sections = read_sections(run)
        profile = sections.get("shared", {}).get("profile", "")
        usual = flat_parameters(to_sections(read_params(find_params(f"{profile}"))))
    except InputError:
        return None
    own = flat_parameters(sections)
    return {key: value for key, value in own.items() if key not in usual or usual[key] != value}


def list_runs(folder: Path = Path("runs")) -> pd.DataFrame:
    """One row for every run of a folder, the oldest first.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    DataFrame
        ``name, created`` (ISO 8601, UTC), ``commit, profile, changed`` (from `changed_parameters`),
        ``auc_cnn, auc_rf, auc_xgboost`` (of spatial folds; NaN where there is none), ``seconds``
        (all chapters together), ``done`` (number of chapters) and ``problem``: why the manifest
        cannot be read, else empty.
    """
    rows = [_describe(path) for path in find_runs(folder)]
    columns = ["name", "created", "commit", "profile", "changed"]
    columns += [*(f"auc_{model}" for model in MODELS), "seconds", "done", "problem"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("created", kind="stable", na_position="first", ignore_index=True)


def _describe(run: Path) -> dict[str, Any]:
    """A row of `list_runs`."""
    row = {"name": run.name, "problem": ""}
    try:
        manifest = load_manifest(run)
    except InputError as error:
        return row | {"problem": str(error), "done": 0}
    try:
        profile = read_sections(run).get("shared", {}).get("profile", "")
    except InputError:
        profile = ""
    stages = manifest["stages"]
    return row | {
        "created": str(manifest.get("created", "")),
        "commit": str(manifest.get("code", {}).get("commit", "")),
        "profile": profile,
        "changed": changed_parameters(run),
        "seconds": float(sum(own_seconds(stage) for stage in stages)),
        "done": sum(stage.get("status") == "done" for stage in stages),
        **_spatial_areas(run),
    }


def own_seconds(stage: dict[str, Any]) -> float:
    """Seconds of a stage; none where the run took it over from another of its sweep."""
    return 0.0 if "linked_from" in stage else stage.get("seconds", 0.0)


def _spatial_areas(run: Path) -> dict[str, float]:
    """AUC of spatial folds of each of `MODELS`, as far as the run's table has them."""
    try:
        areas = pd.read_csv(run / "tables" / "scores_spatial.csv").set_index("model")["auc"]
        return {f"auc_{model}": float(areas[model]) for model in MODELS if model in areas.index}
    except (OSError, ValueError, KeyError):
        return {}
