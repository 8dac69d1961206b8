"""Whatever a folder, a catalog or a parameter file holds: an answer, or one sentence. Never another
error.
"""

import os
import random
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from lsa_helpers.errors import InputError, remarks
from lsa_helpers.factors.build import build_factors
from lsa_helpers.runner.inputs import read_params
from lsa_helpers.runner.params import CHAPTERS
from lsa_helpers.sources import Catalog, Entry, check_catalog, load_catalog, read_inventory
from lsa_helpers.sources.kinds import kind_of

#: How many damages of each file are tried; a night may try more.
TIMES = int(os.environ.get("LSA_FUZZ", "6"))
scalars = some.one_of(
    some.none(),
    some.booleans(),
    some.integers(-3, 10**6),
    some.floats(allow_nan=True),
    some.text(max_size=8),
)
anything = some.recursive(
    scalars,
    lambda inner: (
        some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


def answered(read) -> str:
    """What a reader says: "" when it read, else the sentence it refused with."""
    with remarks():
        try:
            read()
        except InputError as error:
            assert "\n" not in str(error).strip() or len(str(error)) < 2000
            return str(error)
    return ""


def read_all(folder: Path) -> None:
    catalog = load_catalog(folder)
    check_catalog(catalog, need_dem=True)
    factors, _ = build_factors(catalog)
    read_inventory(catalog, factors)


def damage(content: bytes, rng: random.Random) -> bytes:
    """Cut the file, or change, repeat or take out a few of its bytes."""
    kind = rng.choice(["cut", "flip", "flip", "zero", "repeat", "empty"])
    if kind == "empty":
        return b""
    at = rng.randrange(len(content))
    if kind == "cut":
        return content[:at]
    length = min(rng.choice([1, 4, 64]), len(content) - at)
    if kind == "repeat":
        return content[: at + length] + content[at:]
    new = bytes(length) if kind == "zero" else rng.randbytes(length)
    return content[:at] + new + content[at + length :]


FILES = ["dem.tif", "roads.gpkg", "lithology.gpkg", "lulc.tif", "landslides.gpkg"]


# rasterio cannot log GDAL's words where they hold bytes of the damaged file that are no text.
unreadable_words = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@unreadable_words
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_read_or_refused(hill, name):
    hill.catalog()
    file = hill.path / name
    whole = file.read_bytes()
    for seed in range(TIMES):
        file.write_bytes(damage(whole, random.Random(f"{name}{seed}")))
        sentence = answered(lambda: read_all(hill.path))
        assert not sentence or str(hill.path) in sentence, (seed, sentence)


# Not stations.xls: its reader, calamine, never ends on a file whose chain of sectors is a ring.
MORE = ["roads.shp", "roads.dbf", "roads.shx", "pre.nc", "lulc_a.tif"]


@unreadable_words
@pytest.mark.parametrize("name", MORE)
def test_a_damaged_file_of_another_format_is_read_or_refused(folder, name):
    file = folder / name
    whole = file.read_bytes()
    for seed in range(TIMES):
        file.write_bytes(damage(whole, random.Random(f"{name}{seed}")))
        sentence = answered(lambda: read_all(folder))
        assert not sentence or str(folder) in sentence, (seed, sentence)


@given(some.data())
@settings(max_examples=10 * TIMES, suppress_health_check=list(HealthCheck))
def test_any_catalog_is_read_or_refused(hill, data):
    content = dict(hill.content)
    section = data.draw(some.sampled_from([*Catalog.model_fields, "other"]))
    if data.draw(some.booleans()) and section in content and isinstance(content[section], dict):
        key = data.draw(some.sampled_from([*Entry.model_fields, "other"]))
        content[section] = content[section] | {key: data.draw(anything)}
    else:
        content[section] = data.draw(anything)
    text = yaml.safe_dump(content, allow_unicode=True)
    (hill.path / "catalog.yml").write_text(text, encoding="utf-8")
    answered(lambda: read_all(hill.path))


@given(some.data())
@settings(max_examples=20 * TIMES, suppress_health_check=list(HealthCheck))
def test_any_parameter_file_is_read_or_refused(tmp_path_factory, data):
    section = data.draw(some.sampled_from(["shared", *CHAPTERS, "other"]))
    keys = list(CHAPTERS[section].model_fields) if section in CHAPTERS else ["seed", "data"]
    content = {section: {data.draw(some.sampled_from(keys)): data.draw(anything)}}
    if data.draw(some.integers(0, 4)) == 0:
        content = data.draw(anything | some.fixed_dictionaries({section: anything}))
    file = tmp_path_factory.mktemp("params") / "mine.yml"
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    answered(lambda: read_params(file))


@given(some.binary(max_size=60))
@settings(max_examples=20 * TIMES, suppress_health_check=list(HealthCheck))
def test_any_bytes_are_no_catalog_but_a_sentence(hill, content):
    (hill.path / "catalog.yml").write_bytes(content)
    answered(lambda: load_catalog(hill.path))
    answered(lambda: read_params(hill.path / "catalog.yml"))


def test_words_of_gdal_that_are_no_text_are_no_traceback(hill, monkeypatch):
    """They hold bytes of the damaged file; then the file is taken for what its name says."""
    hill.catalog()

    def fail(*_, **__):
        raise UnicodeDecodeError("utf-8", b"\xba", 0, 1, "invalid start byte")

    monkeypatch.setattr("lsa_helpers.sources.kinds.rasterio.open", fail)
    assert kind_of(hill.path / "roads.gpkg") == "vector"
    assert kind_of(hill.path / "dem.tif") == "raster"
