"""The stack: what is made, what is dropped with a note, and that it survives writing and reading."""

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import Polygon, box

from lsa_helpers.errors import InputError
from lsa_helpers.factors import describe, read_stack, write_stack
from lsa_helpers.factors.build import FACTORS, build_factors
from lsa_helpers.run import Run
from lsa_helpers.sources import Entry


def test_missing_sources_drop_their_factors_with_a_note(catalog):
    stack, notes = build_factors(catalog, cell_size=10.0)
    assert set(FACTORS) - set(stack.names) == {"distance_to_river", "distance_to_fault", "ndvi"}
    assert sum("is left out" in note for note in notes) == 3
    assert any("3 stations" in note for note in notes)
    assert any("coarser than the grid" in note for note in notes)


def test_a_stack_survives_writing(catalog, tmp_path):
    stack, _ = build_factors(catalog, cell_size=10.0)
    write_stack(stack, Run(tmp_path))
    again = read_stack(Run(tmp_path))
    assert again.names == stack.names
    assert again.info == stack.info
    assert again.grid == stack.grid
    np.testing.assert_array_equal(again.values, stack.values)
    assert read_stack(Run(tmp_path), ["twi", "slope"]).names == ("twi", "slope")
    assert len(describe(stack)) == len(stack.names)


def test_only_the_factors_wanted(catalog):
    stack, _ = build_factors(catalog, cell_size=10.0, wanted=["slope", "profile_curvature"])
    assert stack.names == ("slope", "profile_curvature")
    with pytest.raises(InputError, match='Did you mean "slope"'):
        build_factors(catalog, cell_size=10.0, wanted=["slop"])


def test_a_ready_made_raster_replaces_its_factor(catalog):
    ready = catalog.model_copy(update={"factors": {"slope": Entry(path="dem.tif", unit="°")}})
    stack, _ = build_factors(ready, cell_size=10.0, wanted=["altitude", "slope"])
    np.testing.assert_array_equal(stack.band("slope"), stack.band("altitude"))


def test_shaking_may_be_zones_instead_of_stations(catalog, folder, frame):
    """Polygons of equal shaking are burnt in, and nothing is said of stations, because there are
    none.
    """
    zones = gpd.GeoDataFrame({"pga": [120.0]}, geometry=[box(*frame.bounds)], crs=frame.crs)
    zones.to_file(folder / "zones.gpkg")
    zoned = catalog.model_copy(update={"stations": Entry(path="zones.gpkg", attribute="pga")})
    stack, notes = build_factors(zoned, cell_size=10.0, wanted=["pga"])
    assert (stack.band("pga") == 120).all()
    assert not [note for note in notes if "stations" in note]


def test_an_extra_factor_joins_the_stack(catalog):
    more = catalog.model_copy(
        update={"extra": {"snow": Entry(path="dem.tif", unit="m", label="Snow depth", scale=0.001)}}
    )
    stack, _ = build_factors(more, cell_size=10.0)
    assert stack.names[-1] == "snow"
    assert stack.info["snow"]["label"] == "Snow depth"
    np.testing.assert_allclose(stack.band("snow"), stack.band("altitude") / 1000, rtol=1e-6)


def test_rows_outside_the_study_area_are_nodata(catalog, folder, frame):
    left, bottom, right, top = frame.bounds
    gpd.GeoDataFrame(
        geometry=[Polygon([(left, top), (right, top), (left, bottom)])], crs=frame.crs
    ).to_file(folder / "mask.gpkg")
    stack, _ = build_factors(
        catalog.model_copy(update={"mask": Entry(path="mask.gpkg")}), cell_size=10.0
    )
    assert stack.valid[0, 0]
    assert not stack.valid[-1, -1]
    assert np.isnan(stack.values[:, -1, -1]).all()
