"""Factors: what is made, what is dropped with a note, and that they survive writing."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.ndimage import gaussian_filter
from shapely.geometry import Polygon, box

from lsa_helpers.errors import InputError, remarks
from lsa_helpers.factors.build import FACTORS, build_factors, describe, factors_to_make
from lsa_helpers.raster import known_cells, on_grid, read_factors, write_factors, write_raster
from lsa_helpers.sources import Entry


def test_missing_sources_drop_their_factors_with_a_note(catalog):
    factors, notes = build_factors(catalog, cell_size_m=10.0)
    assert set(FACTORS) - set(factors) == {"distance_to_river", "distance_to_fault", "ndvi"}
    left_out = [note.split(" is left out")[0] for note in notes if "is left out" in note]
    assert left_out == ["Distance to river", "Distance to fault", "NDVI"]
    assert any("3 stations" in note for note in notes)
    assert any("coarser than the grid" in note for note in notes)


def test_factors_survive_writing(catalog, tmp_path):
    factors, _ = build_factors(catalog, cell_size_m=10.0)
    write_factors(tmp_path / "factors.tif", factors)
    again = read_factors(tmp_path / "factors.tif")
    xr.testing.assert_equal(again, factors)
    assert all(again[name].attrs == factors[name].attrs for name in factors)
    assert (again.rio.crs, again.rio.transform()) == (factors.rio.crs, factors.rio.transform())
    assert list(read_factors(tmp_path / "factors.tif", ["twi", "slope"])) == ["twi", "slope"]
    assert len(describe(factors)) == len(factors)


def test_factors_in_chunks_are_the_same_file(catalog, tmp_path):
    """None of them is left in memory, and the bytes written are those of factors in memory."""
    factors, notes = build_factors(catalog, cell_size_m=10.0)
    (tmp_path / "parts").mkdir()
    how = {"cell_size_m": 10.0, "chunk": 16, "folder": tmp_path / "parts"}
    chunked, same_notes = build_factors(catalog, **how)
    assert notes == same_notes
    assert all(factor.chunks == ((16, 16, 8), (16, 16, 16, 12)) for factor in chunked.values())
    for name, made in (("memory", factors), ("chunks", chunked)):
        write_factors(tmp_path / f"{name}.tif", made)
    for ending in ("tif", "json"):
        files = [(tmp_path / f"{name}.{ending}").read_bytes() for name in ("memory", "chunks")]
        assert files[0] == files[1]
    pd.testing.assert_frame_equal(describe(factors), describe(chunked))


def test_only_the_factors_wanted(catalog):
    factors, _ = build_factors(catalog, cell_size_m=10.0, wanted=["slope", "profile_curvature"])
    assert list(factors) == ["slope", "profile_curvature"]
    with pytest.raises(InputError, match='Did you mean "slope"'):
        build_factors(catalog, cell_size_m=10.0, wanted=["slop"])


def test_a_ready_made_raster_replaces_its_factor(catalog):
    entry = Entry(path="dem.tif", unit="°", scale=0.01)
    ready = catalog.model_copy(update={"factors": {"slope": entry}})
    factors, _ = build_factors(ready, cell_size_m=10.0, wanted=["altitude", "slope"])
    np.testing.assert_allclose(factors["slope"], factors["altitude"] / 100, rtol=1e-6)


def test_shaking_may_be_zones_instead_of_stations(catalog, folder, frame):
    """Polygons of equal shaking are burnt in, and nothing is said of stations, because there are
    none.
    """
    zones = gpd.GeoDataFrame(
        {"pga": [120.0]}, geometry=[box(*frame.rio.bounds())], crs=frame.rio.crs
    )
    zones.to_file(folder / "zones.gpkg")
    zoned = catalog.model_copy(update={"stations": Entry(path="zones.gpkg", attribute="pga")})
    factors, notes = build_factors(zoned, cell_size_m=10.0, wanted=["pga"])
    assert (factors["pga"] == 120).all()
    assert not [note for note in notes if "stations" in note]


def test_an_extra_factor_joins_the_stack(catalog):
    more = catalog.model_copy(
        update={"extra": {"snow": Entry(path="dem.tif", unit="m", label="Snow depth", scale=0.001)}}
    )
    factors, _ = build_factors(more, cell_size_m=10.0)
    assert list(factors)[-1] == "snow"
    assert factors["snow"].attrs["long_name"] == "Snow depth"
    np.testing.assert_allclose(factors["snow"], factors["altitude"] / 1000, rtol=1e-6)


def test_rows_outside_the_study_area_are_nodata(catalog, folder, frame):
    left, bottom, right, top = frame.rio.bounds()
    gpd.GeoDataFrame(
        geometry=[Polygon([(left, top), (right, top), (left, bottom)])], crs=frame.rio.crs
    ).to_file(folder / "mask.gpkg")
    factors, _ = build_factors(
        catalog.model_copy(update={"mask": Entry(path="mask.gpkg")}), cell_size_m=10.0
    )
    assert known_cells(factors)[0, 0]
    assert factors[{"y": -1, "x": -1}].to_dataarray().isnull().all()


@pytest.mark.known_by("an identity", "Terrain inside a study mask")
def test_terrain_inside_a_mask_is_that_of_the_whole_dem(catalog, folder, frame):
    """Cutting first would lose the water from above the mask and flatten its outer ring."""
    rng = np.random.default_rng(0)
    hills = gaussian_filter(rng.standard_normal(frame.shape), 4) * 200 + 1000
    write_raster(folder / "dem.tif", on_grid(hills.astype(np.float32), frame, "altitude", "m"))
    left, _, _, top = frame.rio.bounds()
    area = box(left + 150, top - 300, left + 400, top - 150)
    gpd.GeoDataFrame(geometry=[area], crs=frame.rio.crs).to_file(folder / "mask.gpkg")
    terrain = ["altitude", "slope", "aspect", "plan_curvature", "profile_curvature", "twi", "tri"]
    whole, _ = build_factors(catalog, wanted=terrain)
    masked = catalog.model_copy(update={"mask": Entry(path="mask.gpkg")})
    part, _ = build_factors(masked, wanted=terrain)
    assert part["twi"].shape == (15, 25)
    for name in terrain:
        xr.testing.assert_allclose(part[name], whole[name].sel(x=part.x, y=part.y), atol=1e-5)


def test_factors_are_described_by_hand(frame):
    """A number by its range and a class by its count, to three decimals."""
    cells = frame[:1, :4]
    attrs = {"source": "us", "native_resolution_m": 30.0}
    height = on_grid(
        np.array([[3.00049, 1, 2, np.nan]]),
        cells,
        "a",
        "m",
        long_name="Height",
        classes={},
        **attrs,
    )
    height.attrs["kind"] = "continuous"
    rock = on_grid(np.array([[1.0, 1, 2, 2]]), cells, "b", long_name="Rock", **attrs)
    rock.attrs |= {"kind": "categorical", "classes": {1: "shale", 2: "lime", 3: "none"}}
    table = describe(xr.Dataset({"a": height, "b": rock}))
    assert table.columns.tolist() == [
        "factor",
        "unit",
        "source",
        "native resolution (m)",
        "classes",
        "minimum",
        "median",
        "maximum",
        "cells with a value (%)",
    ]
    first, second = (["" if value != value else value for value in row] for row in table.values)
    assert first == ["Height", "m", "us", 30, "", 1, 2, 3, 75]
    assert second == ["Rock", "class", "us", 30, 3, "", "", "", 100]


def test_what_costs_most_of_the_area_is_said(catalog, folder, frame):
    """A raster of 20 of the 60 columns leaves a third of the area; one of half of it is no loss."""
    snow = on_grid(np.ones(frame.shape, np.float32), frame, "snow", "m")
    for columns, share in ((20, "33%"), (30, None)):
        write_raster(folder / "snow.tif", snow.where(np.arange(60) < columns))
        more = catalog.model_copy(
            update={"extra": {"snow": Entry(path="snow.tif", unit="m", label="Snow depth")}}
        )
        with remarks() as said:
            build_factors(more, wanted=["altitude", "slope", "snow"])
        losses = [str(line) for line in said if "value of every factor" in str(line)]
        assert len(losses) == (share is not None)
        for line in losses:
            assert line.startswith(f"{folder}: only {share} of the study area")
            assert "Found: Snow depth 67% of" in line and "Altitude" not in line


def test_a_unit_that_is_told_is_kept(catalog, frame, folder):
    """Else it is that of Table 2; the notes name sources more than ten times coarser than cells."""
    factors, notes = build_factors(catalog, wanted=["altitude", "rainfall", "pga", "lithology"])
    units = {name: factor.attrs["units"] for name, factor in factors.items()}
    assert units == {"altitude": "m", "rainfall": "mm/yr", "pga": "cm/s²", "lithology": "1"}
    assert factors["rainfall"].attrs["long_name"] == "Rainfall"
    assert factors["lithology"].attrs["kind"] == "categorical"
    assert set(factors["lithology"].attrs["classes"].values()) == {"shale", "granite"}
    assert factors["altitude"].attrs["classes"] == {}
    assert factors["altitude"].attrs["native_resolution_m"] == 10
    coarse = [note for note in notes if "coarser than the" in note]
    assert len(coarse) == 1 and coarse[0].startswith("Rainfall comes from a source of ")


def test_the_factors_that_can_be_made_are_known_before(catalog):
    mountain = factors_to_make(None, [])
    assert mountain == list(FACTORS) and factors_to_make(None, ["twi"]) == ["twi"]
    made = factors_to_make(catalog, [])
    assert [name for name in FACTORS if name not in made] == [
        "distance_to_river",
        "distance_to_fault",
        "ndvi",
    ]
    assert factors_to_make(catalog, ["ndvi", "slope"]) == ["slope"]
    with pytest.raises(InputError, match="No wanted factor can be made|no wanted factor"):
        factors_to_make(catalog, ["ndvi"])
    with pytest.raises(InputError, match="parameter factors"):
        factors_to_make(catalog, ["slop"])


def test_a_plane_is_as_steep_at_the_border_as_inside(catalog):
    """The hand-made DEM falls 3 m a row and 1 m a column of 10 m."""
    factors, _ = build_factors(catalog, wanted=["slope", "plan_curvature"])
    np.testing.assert_allclose(
        factors["slope"], np.degrees(np.arctan(np.hypot(0.3, 0.1))), atol=1e-3
    )
    np.testing.assert_allclose(factors["plan_curvature"], 0, atol=1e-6)
