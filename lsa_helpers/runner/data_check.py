"""A stranger's data folder on one screen: what was found, what is doubtful, what is missing, and
what can be made of it.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from lsa_helpers.errors import InputDoubt, InputError, remarks
from lsa_helpers.factors.build import FACTORS, build_factors, known_factors
from lsa_helpers.runner.checks import check_inputs, missing_inputs
from lsa_helpers.runner.inputs import find_params, load_run_params
from lsa_helpers.runner.params import CHAPTERS
from lsa_helpers.sources import (
    Catalog,
    read_features,
    read_inventory,
    source_table,
    study_mask,
)

STATES = ("found", "doubtful", "wrong")
_COLUMNS = ["entry", "state", "file", "what", "crs", "resolution", "values", "covers_pct"]
_COLUMNS += ["remarks"]


def examine(catalog: Catalog, cell_size: float = 0.0, bands=None) -> pd.DataFrame:
    """Read every source of a catalog as a run does, each by itself, so that one that cannot be used
    does not hide the others.

    Parameters
    ----------
    catalog : Catalog
    cell_size : float
        Cell size of the grid in metres; 0: the DEM's own.
    bands : lsa_helpers.detect.images.Bands, optional
        What the network sees of images; its default: red, green and blue.

    Returns
    -------
    DataFrame
        One row per entry: entry; state ("found", "doubtful", "wrong"); file (the first); what (kind
        and count); crs; resolution; values (range with unit, classes or counts); covers_pct (of the
        study area, %; NaN where that means nothing); remarks (list of sentences).
    """
    # A mask that is wrong is left out, so that it does not hide the others.
    usable, area = catalog.model_copy(update={"mask": None}), None
    rows = []
    first = {"dem": 0, "mask": 1}
    for name in sorted(catalog.entries(), key=lambda name: first.get(name, 2)):
        row = _examine_entry(catalog if name == "mask" else usable, name, area, cell_size, bands)
        rows.append(row)
        if row["state"] != "wrong" and (name == "dem" or name == "mask" and area is not None):
            usable = catalog if name == "mask" else usable
            with remarks():
                area = build_factors(usable, cell_size_m=cell_size, wanted=["altitude"])[0]
    return pd.DataFrame(rows, columns=_COLUMNS)


def _examine_entry(catalog: Catalog, name: str, area, cell_size: float, bands) -> dict:
    """One row of `examine`."""
    row = dict.fromkeys(_COLUMNS, "") | {"entry": name, "covers_pct": np.nan}
    wrong = []
    with remarks() as said:
        try:
            facts = source_table(catalog, [name]).iloc[0]
            row |= {"what": facts["kind"], **facts[["file", "crs", "resolution"]]}
            row |= _read(catalog, name, area, cell_size, bands)
        except InputError as error:
            wrong = [str(error)]
    doubts = [line for line in said if isinstance(line, InputDoubt)]
    state = STATES[2 if wrong else 1 if doubts else 0]
    return row | {"state": state, "remarks": [*wrong, *map(str, said)]}


def _read(catalog: Catalog, name: str, area: xr.Dataset | None, cell_size: float, bands) -> dict:
    """What one entry holds: its values, counts and share of the study area."""
    if name == "images":
        return _read_chips(catalog, bands)
    if name == "scene":
        return _read_scene(catalog, bands)
    if name == "truth" or (area is None and name != "dem"):
        return {}
    if name == "mask":
        return {"covers_pct": 100 * float(study_mask(catalog, area).mean())}
    if name == "inventory":
        return _count_landslides(catalog, area)
    if name == "buildings":
        return {
            "values": f"{len(read_features(catalog, catalog.buildings, area.rio.crs))} buildings"
        }
    factor = next((key for key in known_factors(catalog) if _makes(catalog, name, key)), None)
    made, notes = build_factors(catalog, cell_size_m=cell_size, wanted=[factor])
    values = made[factor]
    whole = values if area is None else area["altitude"]
    covers = 100 * float(values.notnull().sum() / whole.notnull().sum())
    return {"values": _range(values), "covers_pct": covers}


def _makes(catalog: Catalog, entry: str, factor: str) -> bool:
    """Whether an entry is what a factor is made from."""
    if entry in catalog.factors or entry in catalog.extra:
        return entry == factor
    return FACTORS[factor].entry == entry if factor in FACTORS else False


def _range(values: xr.DataArray) -> str:
    """Range and unit of amounts, count and names of classes."""
    if values.attrs["kind"] == "categorical":
        names = list(values.attrs["classes"].values())
        return f"{len(names)} classes: {', '.join(names[:4])}{' …' if len(names) > 4 else ''}"
    low, high = np.nanmin(values), np.nanmax(values)
    unit = "" if values.attrs["units"] == "1" else f" {values.attrs['units']}"
    name = "distance: " if str(values.name).startswith("distance") else ""
    return f"{name}{low:,.4g} to {high:,.4g}{unit}"


def _count_landslides(catalog: Catalog, area: xr.Dataset) -> dict:
    """How many landslides of the inventory lie in the area, and how large they are."""
    landslides = read_inventory(catalog, area)
    if "label" in landslides:
        yes = int((landslides["label"] == 1).sum())
        return {"values": f"{yes} landslides, {len(landslides) - yes} places without"}
    low, middle, high = landslides["area_m2"].quantile([0, 0.5, 1])
    text = f"{len(landslides)} landslides of {low:,.0f} to {high:,.0f} m², half above {middle:,.0f}"
    return {"values": text}


def _read_chips(catalog: Catalog, bands) -> dict:
    """How many chips and landslides there are; an error that names all chips that are no use."""
    from lsa_helpers.detect.chips import check_chips, usable_chips
    from lsa_helpers.detect.images import AS_RGB
    from lsa_helpers.detect.layouts import list_chips

    chips = list_chips(catalog, bands or AS_RGB)
    report = check_chips(chips, bands or AS_RGB)
    usable_chips(chips, report)
    empty = int((report["landslides"] == 0).sum())
    text = f"{report['landslides'].sum():.0f} landslides, {empty} chips without one"
    if merged := report["merged"].sum():
        text += f", {merged:.0f} of them touch another"
    return {"what": f"{len(chips)} chips", "values": text}


def _read_scene(catalog: Catalog, bands) -> dict:
    """Size and pixel of the scene."""
    from lsa_helpers.detect.images import AS_RGB
    from lsa_helpers.detect.scene import open_scene

    frame = open_scene(catalog.files(catalog.scene), bands=bands or AS_RGB)
    size = f"{frame.width:,} × {frame.height:,} pixels"
    return {"what": "image", "crs": frame.crs.to_string(), "values": size} | {
        "resolution": f"{frame.pixel_m:.3g} m"
    }


def outcome(catalog: Catalog, overrides: dict[str, str], name_or_file: str = "quick") -> dict:
    """What a run can make of a folder, and what would stop it.

    Parameters
    ----------
    catalog : Catalog
    overrides : dict
        Parameters other than those of the file, as `load_run_params` takes them.
    name_or_file : str
        Parameter file of the run.

    Returns
    -------
    dict
        ``factors`` that can be made, ``lacking`` ones with the entry they need, ``chapters`` that
        run, ``skipped`` chapters with the reason, and what would ``stop`` the run ("" if nothing).
    """
    lacking = {
        name: about.entry
        for name, about in FACTORS.items()
        if name not in catalog.factors and getattr(catalog, about.entry) is None
    }
    skipped = missing_inputs(catalog)
    chapters = [name for name in CHAPTERS if name not in skipped]
    stop = ""
    with remarks():  # which stand in the rows of `examine`
        try:
            params = load_run_params(
                find_params(name_or_file), overrides, catalog.folder, Path("runs/check")
            )
            check_inputs(params, list(CHAPTERS), Path("runs/check"))
        except InputError as error:
            stop = str(error)
    made = [name for name in known_factors(catalog) if name not in lacking]
    return {
        "factors": made if catalog.dem else [],
        "lacking": lacking,
        "chapters": chapters,
        "skipped": skipped,
        "stop": stop,
    }


def as_text(catalog: Catalog, rows: pd.DataFrame, result: dict) -> str:
    """What `examine` and `outcome` found as one screen of text."""
    shown = rows.sort_values("state", key=lambda states: states.map(STATES.index), kind="stable")
    shown = shown[_COLUMNS[:-1]].rename(columns={"covers_pct": "covers"})
    percent = [f"{share:.0f} %" if np.isfinite(share) else "" for share in shown["covers"]]
    table = shown.assign(covers=percent).to_string(index=False, justify="left", max_colwidth=50)
    lines = [f"{catalog.folder}: {catalog.name or 'no name'}", table, ""]
    for row in rows.itertuples():
        lines += [f"{row.entry} ({row.state}): {line}" for line in row.remarks]
    lines += _what_can_be_made(result)
    doubts, wrong = ((rows["state"] == state).sum() for state in STATES[1:])
    lines.append(
        f"{len(rows)} entries: {len(rows) - doubts - wrong} found, {doubts} doubtful, "
        f"{wrong} wrong."
    )
    return "\n".join(lines)


def _what_can_be_made(result: dict) -> list[str]:
    """Missing factors and chapters, and what would stop a run, a line each."""
    lines = []
    if result["lacking"]:
        lacking = pd.Series(result["lacking"])
        makes = lacking.groupby(lacking, sort=False).groups
        named = "; ".join(f"`{entry}` ({', '.join(names)})" for entry, names in makes.items())
        lines.append(f"missing: {named}.")
    made = f"{len(result['factors'])} factors" if result["factors"] else "no factors"
    chapters = ", ".join(name[:2] for name in result["chapters"]) or "none"
    lines.append(f"A run makes {made}; chapters: {chapters}.")
    reasons = pd.Series(result["skipped"], dtype=str)
    for reason, names in reasons.groupby(reasons, sort=False).groups.items():
        lines.append(f"Not made: {', '.join(name[:2] for name in names)}, for {reason}.")
    if result["stop"]:
        lines.append(f"A run would stop: {result['stop']}")
    return lines


def draw(catalog: Catalog, rows: pd.DataFrame, cell_size: float, file: Path) -> Path | None:
    """Write a picture of all layers that can be read over the relief, because what lies in a wrong
    place is seen, not read; None without a DEM or where the file cannot be written.
    """
    import matplotlib.pyplot as plt

    from lsa_helpers.run import whole_file
    from lsa_helpers.show.data import study_area

    good = rows["entry"][rows["state"] != "wrong"].tolist()
    if "dem" not in good:
        return None
    area, _ = build_factors(catalog, cell_size_m=cell_size, wanted=["altitude"])
    layers = [name for name in good if name != "dem"]
    figure = study_area(catalog, area["altitude"], layers)
    try:
        with whole_file(file) as part:
            figure.savefig(part, format="png", dpi=120)
    except OSError:
        return None
    finally:
        plt.close(figure)
    return file
