"""What a stage is made from, and what of it changed since it was made."""

from importlib.util import find_spec

from lsa_helpers.run import Run
from lsa_helpers.runner import manifest
from lsa_helpers.runner.cells import notebooks_dir
from lsa_helpers.runner.inputs import LOCAL_FILES, catalog_of, names_a_file, seen_from
from lsa_helpers.runner.modules import uses
from lsa_helpers.runner.params import CHAPTERS, Parameters
from lsa_helpers.runner.pipeline import ALSO_READS, NEEDS, TRAINS

# Chapters that read the data folder itself, and not only products of earlier chapters.
_READ_DATA = ("01_data", "02_detector", "03_inventory", "14_using_the_map")
# What changes no result: where things lie, which cores and computers are used, and in which blocks.
# What lies there counts by its content, among the inputs.
_PLACES = {"run_dir", "n_jobs", "data", "catalog", "chunk", "scheduler"}
_PARTS = {"params": "parameter", "code": "code", "inputs": "input"}


def made_from(run: Run, params: Parameters, chapter: str, records: dict[str, dict]) -> dict:
    """Everything a stage is made from, as the manifest keeps it.

    Parameters
    ----------
    run : Run
    params : Parameters
        The chapter's own.
    chapter : str
    records : dict
        Chapter → its record in the manifest.

    Returns
    -------
    dict
        ``params``: name → value; ``inputs``: path → SHA-256; ``code`` and ``looks``: module → hash
        (see `lsa_helpers.runner.modules.uses`); ``fingerprint``: one SHA-256 over all but the
        looks.
    """
    values = params.model_dump(mode="json", exclude=_PLACES)
    local = {}
    for name in LOCAL_FILES.get(chapter, ()):
        if names_a_file(name, path := getattr(params, name)):
            file = seen_from(run.path, path)
            local |= manifest.hashes(file.parent, [file.name])
            values[name] = file.name
    inputs = manifest.hashes(run.path, _products_of_earlier(chapter, records)) | local
    if params.data and chapter in _READ_DATA:
        inputs |= manifest.data_hashes(catalog_of(params, run.path))
    values["own_data"] = bool(params.data)
    code, looks = uses(notebooks_dir() / f"{chapter}.ipynb", type(params))
    parts = {"params": values, "code": code, "inputs": inputs}
    return parts | {"looks": looks, "fingerprint": manifest.digest(parts)}


def _products_of_earlier(chapter: str, records: dict[str, dict]) -> list[str]:
    """Paths of what the chapters before a chapter made for it."""
    return [
        name
        for need in (*NEEDS[chapter], *ALSO_READS.get(chapter, ()))
        for name in records.get(need, {"outputs": ()})["outputs"]
        if name.startswith(("products/", "world/"))
    ]


def changes(run: Run, chapter: str, old: dict | None, new: dict) -> list[str]:
    """Why a stage has to be executed, each reason in a few words; none when it is up to date.

    Parameters
    ----------
    run : Run
    chapter : str
    old : dict or None
        Its record in the manifest.
    new : dict
        What it would be made from now, by `made_from`.
    """
    if old is None or old["status"] != "done":
        return ["it was not executed yet"]
    if "code" not in old:
        return ["it was made by a version that did not write down what it used"]
    told = ["the CNN was left out without torch"] * bool(old.get("left_out") and find_spec("torch"))
    for part, noun in _PARTS.items():
        told += _differences(noun, old[part], new[part])
    outputs = manifest.hashes(run.path, old["outputs"])
    told += _differences("result", old["outputs"], outputs)
    return told or ([] if chapter in TRAINS else drawn_otherwise(old, new))


def drawn_otherwise(old: dict, new: dict) -> list[str]:
    """What changed of the code that only draws the figures of a stage."""
    return _differences("drawing code", old.get("looks", {}), new["looks"])


def _differences(noun: str, old: dict, new: dict) -> list[str]:
    """What two mappings differ in; values that are hashes are not shown."""
    told, is_hash = [], noun != "parameter"
    for name in sorted(old.keys() | new.keys()):
        if name not in old:
            told.append(f"{noun} {name} is new")
        elif name not in new or (is_hash and not new[name] and old[name]):
            told.append(f"{noun} {name} is gone")
        elif old[name] != new[name]:
            values = " changed" if is_hash else f": {old[name]} → {new[name]}"
            told.append(f"{noun} {name}{values}")
    return told


def out_of_date(
    run: Run, params: dict[str, Parameters], chapter: str
) -> tuple[dict[str, list[str]], list[str]]:
    """Why a chapter, and those it needs, would be executed now.

    Parameters
    ----------
    run : Run
    params : dict
        Parameters of every chapter.
    chapter : str

    Returns
    -------
    reasons : dict
        Chapter → reasons, in order; without the chapters that are up to date or were skipped, and
        without those before it that would only be drawn anew.
    drawn : list of str
        What changed of the code of the chapter's figures.
    """
    records = {record["name"]: record for record in manifest.read_manifest(run)["stages"]}
    reasons, drawn = {}, []
    for name in (name for name in CHAPTERS if name == chapter or name in all_needs(chapter)):
        old = records.get(name)
        if old is not None and old["status"] != "done":
            continue
        new = made_from(run, params[name], name, records)
        told = changes(run, name, old, new)
        drawn = drawn_otherwise(old, new) if old else []
        if told and (name == chapter or told != drawn):
            reasons[name] = told
    return reasons, drawn


def all_needs(chapter: str) -> set[str]:
    """Every chapter a chapter needs, directly or not."""
    direct = set(NEEDS[chapter])
    return direct.union(*(all_needs(name) for name in direct))
