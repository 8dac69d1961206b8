"""Factors: what is made, what is dropped with a note, and that they survive writing."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.ndimage import gaussian_filter
from shapely.geometry import Polygon, box

from lsa_helpers.errors import InputError
from lsa_helpers.factors.build import FACTORS, build_factors, describe
from lsa_helpers.raster import known_cells, on_grid, read_factors, write_factors, write_raster
from lsa_helpers.sources import Entry


def test_missing_sources_drop_their_factors_with_a_note(catalog):
    factors, notes = build_factors(catalog, cell_size_m=10.0)
    assert set(FACTORS) - set(factors) == {"distance_to_river", "distance_to_fault", "ndvi"}
    assert sum("is left out" in note for note in notes) == 3
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


def test_a_plane_is_as_steep_at_the_border_as_inside(catalog):
    """The hand-made DEM falls 3 m a row and 1 m a column of 10 m."""
    factors, _ = build_factors(catalog, wanted=["slope", "plan_curvature"])
    np.testing.assert_allclose(
        factors["slope"], np.degrees(np.arctan(np.hypot(0.3, 0.1))), atol=1e-3
    )
    np.testing.assert_allclose(factors["plan_curvature"], 0, atol=1e-6)
