"""The folders that the cases change are themselves read right, and nothing is said of them."""

import numpy as np
import pytest

from lsa_helpers.detect.chips import check_chips
from lsa_helpers.detect.layouts import list_chips
from tests.cases.conftest import blob, centres, steepness, write_masks


def test_the_hillside(hill):
    factors, said = hill.factors()
    assert not [line for line in said if "left out" not in line]
    inner = slice(1, -1), slice(1, -1)  # at the border the slope is one-sided
    expected = steepness(*centres())
    np.testing.assert_allclose(factors["slope"].values[inner], expected[inner], atol=0.3)
    assert float(factors["distance_to_road"].min()) == 0
    assert set(np.unique(factors["lithology"])) == {1, 2}
    rows, said = hill.check()
    assert len(rows) == 6 and not said


def test_the_chips(chips):
    write_masks(chips, lambda landslide: landslide.astype(np.uint8) * 255)
    report = check_chips(list_chips(chips.catalog()))
    assert report["landslides"].tolist() == [1] * 12
    assert blob().mean() == pytest.approx(0.066, abs=1e-3)
