"""Tables of points: text, spreadsheets and Parquet, with the coordinates found."""

import io
import re
import warnings
from contextlib import suppress
from pathlib import Path

import geopandas as gpd
import pandas as pd
from pyproj import CRS
from pyproj.exceptions import CRSError

from lsa_helpers.errors import InputError, note
from lsa_helpers.sources.catalog import TABLES, Entry

TEXTS = {".csv", ".txt", ".tsv"}
_DEGREES = (
    "lon long lng longitude longitud longitudine decimallongitude 经度 經度 东经 東経",
    "lat latitude latitud latitudine decimallatitude 纬度 緯度 北纬 北緯",
)
_METRES = (
    "x easting east este e utmx utmeast utme xcoord coordx pointx rechtswert 东坐标 x坐标",
    "y northing north norte n utmy utmnorth utmn ycoord coordy pointy hochwert 北坐标 y坐标",
)
_WKT = "wkt geometry geom thegeom wktgeom shape geo"
_MISSING = {"", "nan", "null", "<null>", "<na>", "n/a", "#n/a", "-", "--", "nodata", "no data"}


def is_table(file: Path) -> bool:
    """Whether a file is read as a table rather than as a vector file."""
    return file.suffix.lower() in TABLES | TEXTS | {".xlsm", ".xlsb", ".ods", ".geoparquet"}


def read_table(file: Path, entry: Entry) -> gpd.GeoDataFrame:
    """A table with coordinates, or with geometries as WKT, as features.

    Parameters
    ----------
    file : Path
    entry : Entry
        Its `x`, `y`, `crs`, `sheet` and `encoding` count; columns of other usual names are looked
        for where the named ones are missing, and said.

    Returns
    -------
    GeoDataFrame
        In EPSG:4326, or without a CRS if the entry names one; no geometry where a coordinate is
        missing.

    Raises
    ------
    InputError
        When a column is missing, or a coordinate is no number.
    """
    table = open_table(file, entry)
    if isinstance(table, gpd.GeoDataFrame):
        return table
    table = table.rename(columns=lambda name: str(name).strip())
    crs = None if entry.crs else "EPSG:4326"
    shapes = _find(table, _WKT)
    if shapes and not {entry.x, entry.y} <= set(table.columns):
        texts = table[shapes].astype("string").str.replace(r"^SRID=\d+;", "", regex=True)
        geometry = gpd.GeoSeries.from_wkt(texts.where(texts.notna(), None).to_numpy(object))
    else:
        east, north = (numbers(table[name], file) for name in _coordinates(table, entry, file))
        geometry = gpd.GeoSeries(gpd.points_from_xy(east, north)).where((east + north).notna())
    return gpd.GeoDataFrame(table, geometry=geometry.to_numpy(), crs=crs)


def open_table(file: Path, entry: Entry) -> pd.DataFrame:
    """A table as it stands in its file; a GeoDataFrame where it has geometries."""
    suffix = file.suffix.lower()
    if suffix.endswith("parquet"):
        with suppress(ValueError):  # no geometries
            return gpd.read_parquet(file)
        return pd.read_parquet(file)
    if suffix not in TEXTS:
        with pd.ExcelFile(file, engine="calamine") as book:
            sheets = book.sheet_names
        if entry.sheet and entry.sheet not in sheets:
            fix = "Correct `sheet`"
            raise InputError(f'no sheet "{entry.sheet}"', where=file, found=sheets, fix=fix)
        if len(sheets) > 1 and not entry.sheet:
            fix = "Name another with `sheet`"
            note("the first sheet is read", where=file, found=sheets, fix=fix)
        return pd.read_excel(file, engine="calamine", sheet_name=entry.sheet or 0)
    return _read_text(file, entry)


def _read_text(file: Path, entry: Entry) -> pd.DataFrame:
    """A table of text, its encoding and what sets its fields apart found out."""
    content = file.read_bytes()
    encoding = entry.encoding or guess_encoding(content)
    text = content.decode(encoding)
    if not entry.encoding and not encoding.startswith("utf"):
        say_encoding(encoding, text, file)
    text = re.sub(r"^sep=.\r?\n", "", text)
    head = text.lstrip().split("\n")[0]
    separator = max(",;\t|", key=head.count)
    separator = separator if separator in head else r"\s+"
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)  # fields would be lost
        try:
            return pd.read_csv(io.StringIO(text), sep=separator, index_col=False)
        except pd.errors.ParserWarning:
            raise InputError(
                "its rows have more fields than the first line has names",
                where=file,
                found=f"{head.strip():.60}; {text.lstrip().split(chr(10))[1].strip():.60}",
                fix="With decimal commas the fields must be set apart by something else, such as ;",
            ) from None


def _coordinates(table: pd.DataFrame, entry: Entry, file: Path) -> tuple[str, str]:
    """The columns of the east and the north coordinate."""
    named = [_find(table, entry.x), _find(table, entry.y)]
    if None not in named:
        return tuple(named)
    kinds = [_DEGREES, _METRES]
    with suppress(CRSError):
        if entry.crs and CRS.from_user_input(entry.crs).is_projected:
            kinds.reverse()
    if (entry.x, entry.y) == ("x", "y"):
        for kind in kinds:
            found = tuple(_find(table, names) for names in kind)
            if None not in found:
                fix = "Name others with `x` and `y`"
                note("columns taken for the coordinates", where=file, found=found, fix=fix)
                return found
    missing = entry.x if named[0] is None else entry.y
    what = f'the table has no column "{missing}"'
    raise InputError(what, where=file, found=list(table.columns), fix="Name it in catalog.yml")


def _find(table: pd.DataFrame, names: str) -> str | None:
    """The first column of one of these names, however it is written; units in brackets aside."""
    plain = {re.sub(r"[(\[（].*|[\W_]", "", name).casefold(): name for name in table.columns[::-1]}
    if names in table:
        return names
    known = (re.sub(r"[\W_]", "", name).casefold() for name in names.split())
    return next((plain[name] for name in known if name in plain), None)


def numbers(values: pd.Series, where) -> pd.Series:
    """Numbers of a column, also of texts and with decimal commas; NaN where there is none.

    Raises
    ------
    InputError
        When something else stands there.
    """
    if pd.api.types.is_numeric_dtype(values):
        return values.astype(float)
    texts = values.astype("string").str.strip().fillna("")
    result = pd.to_numeric(texts.str.replace(",", "."), errors="coerce").astype(float)
    wrong = result.isna() & ~texts.str.casefold().isin(_MISSING)
    if wrong.any():
        raise InputError(
            f'the column "{values.name}" does not hold numbers',
            where=where,
            found=texts[wrong].unique()[:3].tolist(),
            fix="Write plain numbers (angles as decimal degrees), or name another column in "
            "catalog.yml",
        )
    if texts.str.contains(",").any():
        note(f'decimal commas in "{values.name}"', where=where, found=texts.iloc[0])
    return result


def is_missing(values: pd.Series) -> pd.Series:
    """Where a column holds nothing, or a text that says so."""
    return values.isna() | values.astype("string").str.strip().str.casefold().isin(_MISSING)


def guess_encoding(content: bytes) -> str:
    """The likeliest encoding of a text: UTF-8 (or 16) if it is valid, else Chinese or Western.

    Examples
    --------
    >>> [guess_encoding(text.encode(code)) for text, code in (("片岩", "gbk"), ("Höhe", "cp1252"))]
    ['gb18030', 'cp1252']
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    with suppress(UnicodeDecodeError):
        content.decode("utf-8-sig")
        return "utf-8-sig"
    with suppress(UnicodeDecodeError):
        content.decode("gbk")
        # Characters in use are pairs of high bytes, the first of them before D8.
        firsts = re.findall(rb"([\x80-\xff])[\x80-\xff]", content)
        usual = sum(first < b"\xd8" for first in firsts)
        if 2 * len(firsts) == sum(code > 127 for code in content) and 2 * usual > len(firsts):
            return "gb18030"
    return "cp1252"


def say_encoding(encoding: str, text: str, where) -> None:
    """Say how texts were decoded, with one of them."""
    sample = next(iter(re.findall(r"[^\x00-\x7f\W][\w ]*|\w*[^\x00-\x7f\W][\w ]*", text)), "")
    fix = "Name another with `encoding`, if they are wrong"
    note(f"texts read as {encoding}", where=where, found=sample.strip()[:20], fix=fix)
