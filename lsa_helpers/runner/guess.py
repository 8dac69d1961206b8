"""Which file of a folder is what: guesses from names and values, each with its reason."""

import re
from typing import NamedTuple

import pandas as pd

from lsa_helpers.factors.build import FACTORS
from lsa_helpers.runner.look import Found

# Words in names of files, folders and bands, in the languages data are published in.
ROLES = {
    "truth": r"truth",
    "inventory": r"landslid|(^|[\W_])slides?([\W_]|$)|inventor|fran[ae]|desliz|lsl|glc|滑坡",
    "dem": r"dem|dtm|elev|altitud|srtm|aster|hgt|高程",
    "roads": r"road|street|highway|lrdl|strad|stra(ß|ss)e|carreter|道路",
    "buildings": r"building|bldg|house|edific|gebäude|gebaeude|fabbricat|房屋|建筑|居民地",
    "rivers": r"river|stream|hydl|hydro|drain|waterway|fium|河",
    "faults": r"fault|falla|faglie|断层",
    "lithology": r"lith|geolog|rock|岩",
    "lulc": r"lulc|land_?(use|cover)|lc\d+|globeland|corine|worldcover|土地",
    "ndvi": r"ndvi",
    "rainfall": r"rain|precip|(^|[\W_])pre([\W_]|$)|chirps|ppt|雨|降水",
    "stations": r"station|pga|strong_motion|shak",
    "scene": r"scene|ortho|sentinel|jilin|planet|影像",
    "mask": r"mask|boundary|aoi|study_?area|区界",
}
# The same for bands and files that are themselves a factor; the first that fits counts.
READY = {
    "altitude": ROLES["dem"],
    "distance_to_road": r"dist.*road|road.*dist",
    "distance_to_river": r"dist.*(river|stream|drain)|(river|stream).*dist",
    "distance_to_fault": r"dist.*fault|fault.*dist",
    "slope": r"slope|steep|坡度",
    "aspect": r"aspect|坡向",
    "plan_curvature": r"c?plan(_|c|$)",
    "profile_curvature": r"c?prof(_|i|c|$)",
    "twi": r"(^|[\W_])(twi|cti)([\W_]|$)|wetness",
    "tri": r"(^|[\W_])tri([\W_]|$)|rugged",
    "ndvi": ROLES["ndvi"],
    "rainfall": ROLES["rainfall"],
    "pga": r"(^|[\W_])pga",
}
X_NAMES = ("x", "lon", "longitude", "east", "easting", "经度")
Y_NAMES = ("y", "lat", "latitude", "north", "northing", "纬度")
_LABEL = r"label|lslpts|landslide|class|type"
_CODE = r"code|lith|rock|unit|symbol|name|glg"


class Guess(NamedTuple):
    """An entry of the catalog: where it belongs, its keys, why, and what is not sure."""

    role: str
    keys: dict
    reason: str
    points: int
    question: str = ""


def guess(found: Found) -> list[Guess]:
    """What a group of files may be, the best guess first; none where nothing fits.

    Parameters
    ----------
    found : Found

    Returns
    -------
    list of Guess
        ``role`` is an entry, or "factors.NAME", "extra.NAME". Of a raster with several named bands
        every band has its guess, all with the same points.
    """
    if found.bands:
        named = [band for band in found.bands if band["name"]]
        if len(named) > 1 and not _is_picture(found):
            return [_band_guess(found, number) for number in range(len(found.bands))]
        guesses = _raster_guesses(found)
    elif found.geometry == "point":
        guesses = _point_guesses(found)
    else:
        guesses = _shape_guesses(found)
    by_name = _named(found.name, ROLES)
    ready = _named(found.name, READY)
    scored = []
    for item in guesses:
        role = item.role
        if ready and ready not in ("altitude", "ndvi", "rainfall") and found.bands:
            role = f"factors.{ready}"
        said = f'its name says "{by_name}"' if role == by_name else ""
        reason = ", ".join(filter(None, [said, item.reason]))
        scored.append(item._replace(role=role, reason=reason, points=item.points + 3 * bool(said)))
    return sorted(scored, key=lambda item: -item.points)


def _named(name: str, words: dict[str, str]) -> str:
    """The role that a path's words speak of, those of the file before those of its folders."""
    for part in reversed(name.lower().split("/")):
        for role, pattern in words.items():
            if re.search(pattern, part):
                return role
    return ""


def _is_picture(found: Found) -> bool:
    """Whether a raster looks like an image: three bands or more of one range."""
    highs = [band["high"] for band in found.bands]
    return len(highs) >= 3 and min(highs) > 0.2 * max(highs) and len({*highs}) > 1


def _span(band: dict) -> str:
    """Range of a band for a sentence."""
    return f"{band['low']:.4g} to {band['high']:.4g}"


def _band_guess(found: Found, number: int) -> Guess:
    """A band by its name: a standard factor, or one of the user's own."""
    band = found.bands[number]
    name = _named(band["name"], READY)
    keys = {"path": found.path, "band": number + 1}
    reason = f'the band is called "{band["name"]}", {_span(band)}'
    if name == "altitude":
        return Guess("dem", keys, reason, 5)
    if re.search(r"_km$", band["name"].lower()) and name.startswith("distance"):
        keys["scale"] = 1000.0
    if name in FACTORS:
        return Guess(f"factors.{name}", keys, reason, 5)
    own = re.sub(r"\W+", "_", band["name"]).strip("_").lower() or f"band_{number + 1}"
    question = "is this a cause, or what you want to predict?" if "target" in own else ""
    return Guess(f"extra.{own}", keys, reason, 5, question)


def _raster_guesses(found: Found) -> list[Guess]:
    """What a raster may be, by its values."""
    keys = found.keys
    if not found.bands or not found.bands[0]["values"]:
        return []
    band, guesses = found.bands[0], []
    low, high = band["low"], band["high"]
    if _is_picture(found):
        reason = f"{len(found.bands)} bands of {_span(band)}"
        return [Guess("scene", keys, reason, 2)]
    over_time = len(found.bands) > 1 and (found.kind == "netcdf" or len(found.bands) == 12)
    few = band["whole"] and band["values"] <= 40 and low >= 0 and not over_time
    if few:
        reason = f"{band['values']} different whole numbers"
        guesses += [Guess("lulc", keys, reason, 2), Guess("lithology", keys, reason, 1)]
        if band["values"] <= 2:
            guesses.append(Guess("inventory", keys, reason, 2))
    if over_time:
        guesses.append(Guess("rainfall", keys, f"layers over time, {_span(band)}", 2))
    if not few and -430 <= low < high <= 8850 and high - low > 20 and band["rough"] < 0.05:
        guesses.append(Guess("dem", keys, f"smooth, {_span(band)}", 3))
    if low >= -1 and 0 < high <= 1 and not few:
        guesses.append(Guess("ndvi", keys, _span(band), 2))
    elif low >= -10000 and 1000 < high <= 10000 and not few:
        keys = keys | {"scale": 0.0001}
        guesses.append(Guess("ndvi", keys, f"{_span(band)}, as NDVI times 10,000", 1))
    if low >= 0 and 50 < high < 12000 and not few:
        guesses.append(Guess("rainfall", found.keys, _span(band), 1))
    return guesses


def _point_guesses(found: Found) -> list[Guess]:
    """Landslides or stations, by their columns."""
    keys = found.keys
    lower = {name.lower(): name for name in found.columns}
    if found.kind == "table":
        x, y = (
            next((lower[name] for name in names if name in lower), "")
            for names in (X_NAMES, Y_NAMES)
        )
        if not (x and y):
            return []
        keys |= {"x": x, "y": y} | _table_crs(found, x, y)
    guesses = []
    label = next((name for name, values in found.columns.items() if _is_label(name, values)), "")
    if label:
        reason = f'points with a column "{label}" of 0 and 1'
        guesses.append(Guess("inventory", keys | {"label": label}, reason, 3 + found.count // 1000))
    elif found.count:
        guesses += _by_role(found, ("inventory", "buildings"), f"{found.count} points")
    value = next((name for name in found.columns if re.search(READY["pga"], name.lower())), "")
    if value:
        question = "in which unit is it? (`unit: g`, `cm/s²` …)"
        guesses.append(Guess("stations", keys | {"value": value}, f'column "{value}"', 4, question))
    return guesses


def _table_crs(found: Found, x: str, y: str) -> dict:
    """The CRS of a table whose coordinates are degrees; nothing where they are not."""
    places = found.columns[x], found.columns[y]
    if not all(pd.api.types.is_numeric_dtype(values) for values in places):
        return {}
    degrees = places[0].abs().max() <= 360 and places[1].abs().max() <= 90
    return {"crs": "EPSG:4326"} if degrees else {}


def _is_label(name: str, values: pd.Series) -> bool:
    """Whether a column tells landslides from other places."""
    return bool(re.search(_LABEL, name.lower())) and set(values.dropna().unique()) == {0, 1}


def _by_role(found: Found, roles: tuple[str, ...], reason: str) -> list[Guess]:
    """Roles that only a name tells apart."""
    return [Guess(role, found.keys, reason, 1) for role in roles]


def _shape_guesses(found: Found) -> list[Guess]:
    """Lines and polygons, by their number and columns."""
    keys = found.keys
    if found.geometry == "line":
        return _by_role(found, ("roads", "rivers", "faults"), f"{found.count} lines")
    if found.geometry != "polygon":
        return []
    reason = f"{found.count} polygons over {found.share:.0%} of their frame"
    label = next((name for name, values in found.columns.items() if _is_label(name, values)), "")
    labelled = {"label": label} if label else {}
    scattered = found.count >= 5 and found.share < 0.3
    guesses = [Guess("inventory", keys | labelled, reason, 1 + scattered + bool(label))]
    guesses += _by_role(found, ("buildings",) * scattered, reason)
    codes = [name for name, values in found.columns.items() if 2 <= values.nunique() <= 40]
    code = next((name for name in codes if re.search(_CODE, name.lower())), next(iter(codes), ""))
    if code:
        reason_code = f'{reason} with {found.columns[code].nunique()} values of "{code}"'
        covering = found.share > 0.6
        guesses.append(Guess("lithology", keys | {"attribute": code}, reason_code, 1 + covering))
    if found.count <= 3:
        guesses.append(Guess("mask", keys, reason, 2))
    return guesses
