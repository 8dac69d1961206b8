"""Bands and bit depths: what reaches the network, and what a figure shows."""

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st

from lsa_helpers.detect.chips import Chip
from lsa_helpers.detect.dataset import ChipSet
from lsa_helpers.detect.images import AS_RGB, Bands, as_picture, as_unit, bands_to_show, open_image
from lsa_helpers.detect.model import DetectorConfig, build_detector
from lsa_helpers.detect.score import predict
from lsa_helpers.errors import InputError


def write_bands(path, pixels, names=(), nodata=None):
    """A GeoTIFF of any type whose bands are described; returns its path."""
    count, height, width = pixels.shape
    profile = dict(
        driver="GTiff", count=count, height=height, width=width, dtype=pixels.dtype, nodata=nodata
    )
    profile |= dict(crs="EPSG:32648", transform=Affine(10, 0, 5e5, 0, -10, 33e5))
    with rasterio.open(path, "w", **profile) as file:
        file.write(pixels)
        for number, name in enumerate(names, 1):
            file.set_band_description(number, name)
    return path


def _read(path, bands=AS_RGB):
    with open_image(path) as file:
        return bands.read(file)


def _levels(count, dtype=np.uint8, step=10):
    return (np.arange(1, count + 1) * step).astype(dtype)[:, None, None] * np.ones((1, 4, 6), dtype)


def test_described_bands_are_found_by_name(tmp_path):
    """Sentinel-2 order blue, green, red, nir: the network takes red, green, blue and nir as it
    wants them, in any case of letters.
    """
    path = write_bands(tmp_path / "s2.tif", _levels(4), ("Blue", "Green", "Red", "NIR"))
    assert _read(path)[0, 0].tolist() == [30, 20, 10]
    assert _read(path, Bands(("nir", "red")))[0, 0].tolist() == [40, 30]
    with pytest.raises(InputError, match=r's2.tif.*|no band "swir"'):
        _read(path, Bands(("red", "swir")))


def test_bands_without_names_are_the_first(tmp_path):
    """Thirteen undescribed bands: the first three as red, green and blue, all thirteen when
    thirteen are named, an error for fourteen.
    """
    path = write_bands(tmp_path / "many.tif", _levels(13))
    assert _read(path)[0, 0].tolist() == [10, 20, 30]
    assert _read(path, Bands(tuple(f"B{i}" for i in range(13)))).shape == (4, 6, 13)
    with pytest.raises(InputError, match=r"13 band\(s\), 14 are needed"):
        _read(path, Bands(tuple("abcdefghijklmn")))


def test_sixteen_bits_become_reflectance(tmp_path):
    """Reflectance stored times 10,000 becomes a fraction, other values by `reflectance_scale`;
    nodata of whatever value is 0.
    """
    pixels = _levels(3, np.uint16, 1000)
    pixels[:, 0, 0] = 65535
    path = write_bands(tmp_path / "deep.tif", pixels, nodata=65535)
    assert _read(path)[1, 1] == pytest.approx([0.1, 0.2, 0.3])
    assert _read(path, Bands(reflectance_scale=4000.0))[1, 1] == pytest.approx([0.25, 0.5, 0.75])
    assert not _read(path)[0, 0].any()


def test_eight_bits_stay_as_stored(tmp_path):
    """No copy in floats is kept of ordinary images; with another scale they are scaled."""
    path = write_bands(tmp_path / "plain.tif", _levels(3))
    assert _read(path).dtype == np.uint8
    assert _read(path, Bands(reflectance_scale=100.0))[0, 0] == pytest.approx([0.1, 0.2, 0.3])


@given(st.integers(1, 13), st.floats(0, 5))
def test_pictures_can_always_be_drawn(bands, top):
    """Any number of bands and any reflectance gives three channels within 0–1; the brighter pixel
    stays the brighter one.
    """
    pixels = np.linspace(0, top, 12, dtype=np.float32).reshape(3, 4, 1).repeat(bands, axis=2)
    picture = as_picture(pixels)
    assert picture.shape == (3, 4, 3) and picture.min() >= 0 and picture.max() <= 1
    assert (np.diff(picture[..., 0].ravel()) >= 0).all()


def test_figures_show_a_file_with_odd_bands(tmp_path):
    """Two bands, or near infrared without blue, are shown in grey instead of failing; as_unit
    leaves reflectance alone.
    """
    for names, wanted in (
        (("nir", "red"), ("nir",)),
        ((), ("first",)),
        (("blue", "green", "red"), ("red", "green", "blue")),
    ):
        path = write_bands(tmp_path / "x.tif", _levels(max(2, len(names))), names)
        with open_image(path) as file:
            assert bands_to_show(file).names == wanted
    assert as_unit(np.array([0.5], np.float32))[0] == 0.5


@pytest.mark.parametrize("count", [1, 4, 13])
def test_detector_learns_from_any_bands(tmp_path, count):
    """16-bit images of 1, 4 or 13 bands pass from file to loss and from scene to detections,
    colours normalised.
    """
    names = tuple(f"b{i}" for i in range(count))
    rng = np.random.default_rng(0)
    path = write_bands(tmp_path / "a.tif", rng.integers(1, 3000, (count, 64, 48), np.uint16))
    truth = write_bands(
        tmp_path / "mask.tif", np.pad(np.ones((1, 20, 20), np.uint8), ((0, 0), (10, 34), (10, 18)))
    )
    config = DetectorConfig(
        fpn_width=16,
        box_batch_size_per_image=8,
        rpn_post_nms_top_n=20,
        chip_size=64,
        bands=names,
        normalise_radiometry=True,
    )
    image, target = ChipSet([Chip(path, truth)], config)[0]
    assert image.shape == (count, 64, 48) and abs(float(image.mean()) - 0.46) < 0.05
    model = build_detector(config)
    assert all(torch.isfinite(loss) for loss in model.train()([image], [target]).values())
    (found,) = predict(model.eval(), [image])
    assert found["masks"].shape[1:] == (64, 48)


def test_first_filters_of_given_weights_fit_other_bands(tmp_path):
    """Red, green and blue keep their filters, near infrared gets their mean, and a grey image gives
    the same sum as before.
    """
    import torchvision

    torch.manual_seed(0)
    body = torchvision.models.resnet18(weights=None)
    torch.save(body.state_dict(), tmp_path / "w.pth")
    config = DetectorConfig(fpn_width=16, bands=("nir", "red", "green", "blue"))
    filters = build_detector(config, weights=tmp_path / "w.pth").backbone.body.conv1.weight
    own = body.conv1.weight
    torch.testing.assert_close(filters[:, 1:], own * 3 / 4)
    torch.testing.assert_close(filters.sum(1), own.sum(1))
