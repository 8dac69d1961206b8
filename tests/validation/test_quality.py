"""Boyce index, texture and the quality of a map, by hand."""

import numpy as np
import pytest
import xarray as xr

from lsa_helpers import validation


def _raster(values):
    return xr.DataArray(np.atleast_2d(values), dims=("y", "x"))


@pytest.mark.parametrize(
    ("slides", "expected"),
    [
        # Landslides per window 1, 1, 2, 2, 2: ratios 5/6, 5/4, 5/3, 5/2, 5/3, of ranks 1, 2, 3.5,
        # 5, 3.5.
        ([2, 3], 8 / np.sqrt(9.5 * 10)),
        # 0, 0, 1, 1, 2: ratios 0, 0, 5/6, 5/4, 5/3; the second 0 repeats the first.
        ([3, 4], 1),
        ([0, 1], -1),
        # 1, 0, 0, 0, 1: ratios 5/6, 0, 5/6 are left.
        ([0, 4], 0),
        # 0, 0, 0, 0, 1: two ratios make no order.
        ([4], np.nan),
        ([], np.nan),
    ],
)
@pytest.mark.known_by("values by hand", "Boyce index")
def test_boyce_index_by_hand(slides, expected):
    """Cells of 0, 1, 2, 3 and 4, and windows 2 wide from there on: [0, 2], [0.5, 2.5], … hold 3, 2,
    3, 2 and 3 of them. An unknown cell is none, though a landslide lies on it.
    """
    values = _raster([4, np.nan, 0, 2, 1, 3])
    landslide = values.isin(slides) | values.isnull()
    index = validation.boyce_index(values, landslide, width=0.5, steps=5)
    assert index == pytest.approx(expected, nan_ok=True, abs=1e-12)


def test_windows_without_a_cell_do_not_count():
    """Cells of 0, 1, 9 and 10, windows 2 wide at 1, 3, 5, 7 and 9 or at 1, 2, …, 9."""
    values = _raster([0, 1, 9, 10])
    landslide = _raster([True, False, True, True])
    # That is no order: only the ratios 2/3 and 4/3 at both ends are left.
    assert np.isnan(validation.boyce_index(values, landslide, width=0.2, steps=5))
    # They hold 2, 1, 0, 0, 0, 0, 0, 1 and 2 cells, and 1, 0, …, 1, 2 landslides.
    index = validation.boyce_index(values, landslide, width=0.2, steps=9)
    # Ratios 2/3, 0, 4/3 and 4/3, of which the last repeats the third: ranks 2, 1, 3.
    assert index == pytest.approx(0.5)


def test_texture_by_hand():
    """Eight ones around a two, and three more cells, one of them unknown: of 26 pairs of known
    neighbours the two's eight differ. Of the two cells inside, one has an unknown neighbour, so it
    is not known to be alone or not.
    """
    spot = validation.texture(_raster([[1, 1, 1, 0], [1, 2, 1, 1], [1, 1, 1, 1]]))
    assert spot == pytest.approx({"different_neighbours": 8 / 26, "isolated": 1})
    corner = validation.texture(_raster([[3, 3, 0], [0, 3, 0], [0, 0, 5]]))
    # Three pairs of threes, and the five in the corner with the three in the middle.
    assert corner["different_neighbours"] == pytest.approx(1 / 4)
    assert np.isnan(corner["isolated"])


def test_descents_count_falls_and_empty_highest_classes():
    """Equal ratios are no descent; landslides on unknown cells are none."""
    classes = _raster(np.repeat([0, 1, 2, 3], 4))
    equal = _raster(np.tile([1, 1, 0, 0], 4)) == 1
    assert validation.ratio_descents(classes, equal) == 0
    # A class of one cell counts, one without a cell does not.
    single, slides = _raster([1, 1, 2, 4, 4]), _raster([1, 1, 0, 1, 0]) == 1
    assert validation.ratio_descents(single, slides) == 1
    lowest = _raster(np.arange(16) < 6) == 1
    assert validation.ratio_descents(classes, lowest) == 1


def test_the_quality_of_a_map_by_hand():
    """Three heights make three classes; landslides on half of the low, none of the middle and all
    of the high cells: one descent. Unknown cells belong to no class.
    """
    values = _raster([[0.1, 0.1, 0.5, 0.5], [0.1, 0.1, 0.5, np.nan], [0.9, 0.9, 0.5, 0.5]])
    landslide = _raster([[1, 1, 0, 0], [0, 0, 0, 1], [1, 1, 0, 0]]) == 1
    quality = validation.map_quality(values.astype(np.float32), landslide, n_classes=3)
    classes = _raster([[1, 1, 2, 2], [1, 1, 2, 0], [3, 3, 2, 2]])
    assert quality == pytest.approx(
        {
            "boyce": validation.boyce_index(values, landslide),
            "descents": 1,
            **validation.texture(classes),
        },
        nan_ok=True,
    )
    # Of 29 pairs of neighbours five hold the unknown cell; 6 of the low square are alike, 6 of the
    # middle cells and the pair of high ones.
    assert quality["different_neighbours"] == pytest.approx(1 - 13 / 24)


def test_breaks_of_a_large_map_are_found_from_cells_that_the_seed_draws():
    values = _raster(np.random.default_rng(0).random((80, 80)))
    first, again, other = (
        validation.map_quality(values, values > 0.9, n_classes=3, seed=seed) for seed in (3, 3, 6)
    )
    assert first == again
    assert first["different_neighbours"] != other["different_neighbours"]
    assert first["boyce"] == other["boyce"]


def test_a_map_of_as_many_values_as_classes_is_cut_between_them():
    values = _raster([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    quality = validation.map_quality(values, values > 0.45, n_classes=6)
    assert (quality["descents"], quality["different_neighbours"]) == (0, 1)


def test_what_is_measured_unless_asked_otherwise():
    """Windows of a tenth at a hundred places; five classes; the first seed."""
    rng = np.random.default_rng(1)
    values = _raster(rng.random((80, 80)))
    landslide = values > rng.random((80, 80)) * 3
    index = validation.boyce_index(values, landslide)
    assert index == validation.boyce_index(values, landslide, width=0.1, steps=100)
    assert index not in [
        validation.boyce_index(values, landslide, width=0.1, steps=steps) for steps in (99, 101)
    ]
    quality = validation.map_quality(values, landslide)
    assert quality == validation.map_quality(values, landslide, n_classes=5, seed=0)
    assert quality["boyce"] == index
