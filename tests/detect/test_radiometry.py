"""Radiometric normalisation of sources."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lsa_helpers.detect.dataset import ChipSet
from lsa_helpers.detect.layouts import read_collection
from lsa_helpers.detect.model import DetectorConfig
from lsa_helpers.detect.radiometry import (
    MEAN,
    SPREAD,
    Colours,
    measure_colours,
    normalise_radiometry,
)


def _image(seed=0):
    return np.random.default_rng(seed).integers(1, 256, (20, 30, 3), np.uint8)


def _normalised(pixels):
    image = torch.tensor(pixels).permute(2, 0, 1).float() / 255
    return normalise_radiometry(image, measure_colours(pixels.reshape(-1, 3)))


def test_normalised_source_has_the_common_mean_and_spread():
    """Mean and standard deviation of each band are the ones every source is brought to."""
    flat = _normalised(_image()).flatten(1)
    torch.testing.assert_close(flat.mean(1), torch.tensor(MEAN), atol=1e-4, rtol=0)
    torch.testing.assert_close(flat.std(1, correction=0), torch.tensor(SPREAD), atol=1e-4, rtol=0)


@given(gain=st.floats(0.3, 0.9), haze=st.integers(0, 20))
def test_gain_and_haze_of_a_platform_vanish(gain, haze):
    """A darker sensor behind a veil gives the same image, up to rounding to grey levels."""
    pixels = _image()
    dull = np.clip(np.rint(pixels * gain + haze), 1, 255).astype(np.uint8)
    torch.testing.assert_close(
        _normalised(dull), _normalised(pixels), atol=0.5 / 255 / gain / 0.2, rtol=0
    )


def test_nodata_and_flat_sources():
    """Black pixels are not looked at; a source of one colour or of nodata alone stays finite."""
    one = np.full((5, 3), 100, np.uint8)
    assert measure_colours(np.vstack([one, np.zeros((9, 3), np.uint8)])) == measure_colours(one)
    assert measure_colours(np.zeros((4, 3), np.uint8)) == Colours(MEAN, SPREAD)
    assert torch.isfinite(_normalised(np.full((4, 4, 3), 7, np.uint8))).all()


def test_each_source_of_a_collection_is_normalised_by_itself(cas_folder):
    """Chips of every platform have the common mean together, whatever their own was; masks stay as
    they are.
    """
    chips = read_collection(cas_folder, "cas")
    plain, normalised = (
        ChipSet(chips, DetectorConfig(chip_size=64, normalise_radiometry=on))
        for on in (False, True)
    )
    for source in {(chip.area, chip.platform) for chip in chips}:
        own = [i for i, chip in enumerate(chips) if (chip.area, chip.platform) == source]
        # The sources are measured on every fourth pixel.
        mean = torch.cat([normalised[i][0].flatten(1) for i in own], 1).mean(1)
        assert mean.numpy() == pytest.approx(MEAN, abs=0.05)
        assert all(torch.equal(plain[i][1]["masks"], normalised[i][1]["masks"]) for i in own)
