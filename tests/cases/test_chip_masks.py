"""Masks of strangers: which of their values are landslide, decided for the whole collection."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from PIL import Image

from lsa_helpers.detect.chips import check_chips, read_chip
from lsa_helpers.detect.layouts import list_chips
from lsa_helpers.errors import InputDoubt, InputError, remarks
from tests.cases.conftest import CHIP, blob, write_masks

SHARE = blob().mean()  # of every chip
FOURTH = 5  # place of a3 among a0, a1, a10, a11, a2, a3, …


def _shares(folder) -> tuple[np.ndarray, list[str]]:
    """Share of landslide of each chip, and what is said."""
    with remarks() as said:
        report = check_chips(list_chips(folder.catalog()))
    assert not report["bad"].any(), report["problem"].tolist()
    return report["share"].to_numpy(), list(map(str, said))


def _tif(folder, paint, nodata=None, dtype="uint8"):
    profile = {"driver": "GTiff", "count": 1, "height": CHIP, "width": CHIP, "dtype": dtype}
    profile["transform"] = Affine(2, 0, 0, 0, -2, 0)
    for number in range(12):
        path = folder.path / f"masks/a{number}.tif"
        with rasterio.open(path, "w", nodata=nodata, **profile) as file:
            file.write(np.asarray(paint(blob(30 + 3 * number)), dtype), 1)


def _grey(landslide, inside, outside):
    return np.where(landslide, inside, outside).astype(np.uint8)


def _rgba(landslide, inside, outside):
    """Two colours with alpha."""
    return np.where(landslide[..., None], inside, outside).astype(np.uint8)


@pytest.mark.parametrize(
    "paint",
    [
        lambda m: _grey(m, 1, 0),
        lambda m: _grey(m, 38, 0),
        lambda m: m,  # one bit
        lambda m: _rgba(m, [255, 255, 255, 255], [0, 0, 0, 255]),
        lambda m: _rgba(m, [255, 0, 0], [0, 0, 0]),
        lambda m: _rgba(m, [255, 255, 255], [0, 0, 0]),
        lambda m: np.dstack([_grey(m, 255, 0), np.full_like(m, 255, np.uint8)]),
    ],
    ids=["0 and 1", "0 and 38", "bits", "opaque RGBA", "red", "RGB", "grey and alpha"],
)
def test_background_and_one_more_value(chips, paint):
    """What is not black is landslide, and nothing need be said."""
    write_masks(chips, paint)
    shares, said = _shares(chips)
    np.testing.assert_allclose(shares, SHARE)
    assert not said


@pytest.mark.parametrize(
    "inside", [[255, 255, 255, 255], [0, 0, 0, 255], [200, 30, 30, 255]], ids=str
)
def test_transparent_is_no_landslide(chips, inside):
    """Only what is opaque was painted, be it black."""
    write_masks(chips, lambda m: _rgba(m, inside, [*inside[:3], 0]))
    shares, said = _shares(chips)
    np.testing.assert_allclose(shares, SHARE)
    assert len(said) == 1 and "transparent" in said[0]


@pytest.mark.parametrize("nodata", [255, 0])
def test_declared_nodata_is_no_landslide(chips, nodata):
    _tif(chips, lambda m: np.where(m, 1, nodata), nodata)
    shares, said = _shares(chips)
    np.testing.assert_allclose(shares, SHARE)
    assert "1 is landslide" in said[0] and "6.6%" in said[0]


def test_a_nodata_value_can_be_the_landslide(chips):
    """Where the catalog says so; else it is asked."""
    _tif(chips, lambda m: np.where(m, 255, 0), 255)
    with pytest.raises(InputError, match=r"0 \(93.4%\), no data"):
        list_chips(chips.catalog())
    chips.content["images"]["landslide_values"] = [255]
    np.testing.assert_allclose(_shares(chips)[0], SHARE)


def test_labels_are_not_for_masks(chips):
    write_masks(chips, lambda m: _grey(m, 1, 0))
    chips.content["images"]["landslide_labels"] = ["landslide"]
    with pytest.warns(InputDoubt, match="says nothing of this format.*landslide_values"):
        list_chips(chips.catalog())


def test_nan_is_no_landslide(chips):
    _tif(chips, lambda m: np.where(m, 1, np.nan), dtype="float32")
    np.testing.assert_allclose(_shares(chips)[0], SHARE)


def test_shares_of_pixels_are_cut_at_one_half(chips):
    _tif(chips, lambda m: np.where(m, 0.7, 0.2), dtype="float32")
    np.testing.assert_allclose(_shares(chips)[0], SHARE)


@pytest.mark.parametrize("suffix", ["jpg", "JPG", "webp"])
def test_noise_of_lossy_files_is_no_landslide(chips, suffix):
    """About 0 and about 255, with ripples around edges."""
    for number in range(12):
        mask = Image.fromarray(_grey(blob(30 + 3 * number), 255, 0)).convert("RGB")
        mask.save(chips.path / f"masks/a{number}.{suffix}", quality=60)
    shares, said = _shares(chips)
    np.testing.assert_allclose(shares, SHARE, atol=0.002)
    assert len(said) == 1 and "blurred" in said[0]


def test_red_in_jpeg(chips):
    for number in range(12):
        mask = Image.fromarray(_rgba(blob(30 + 3 * number), [255, 0, 0], [0, 0, 0]))
        mask.save(chips.path / f"masks/a{number}.jpg", quality=90)
    np.testing.assert_allclose(_shares(chips)[0], SHARE, atol=0.004)


def test_resampled_masks_are_cut_half_way(chips):
    """Grey rims, as a bicubic resize leaves them."""

    def resized(landslide):
        small = Image.fromarray(_grey(landslide, 255, 0)).resize((70, 70), Image.BICUBIC)
        return np.asarray(small.resize((CHIP, CHIP), Image.BICUBIC))

    write_masks(chips, resized)
    np.testing.assert_allclose(_shares(chips)[0], SHARE, atol=0.003)


def test_one_and_two(chips):
    """Without a 0 the rarer of two values is the landslide, also in chips of one value alone."""
    write_masks(chips, lambda m: _grey(m, 2, 1))
    full = np.full((CHIP, CHIP), 1, np.uint8)
    Image.fromarray(full).save(chips.path / "masks/a3.png")
    shares, said = _shares(chips)
    np.testing.assert_allclose(np.delete(shares, FOURTH), SHARE)
    assert shares[FOURTH] == 0
    assert "the rarer value 2 is landslide" in said[0]


def test_a_chip_that_is_all_landslide_is_doubted(chips):
    write_masks(chips, lambda m: _grey(m, 255, 0))
    Image.fromarray(np.full((CHIP, CHIP), 255, np.uint8)).save(chips.path / "masks/a3.png")
    with pytest.warns(InputDoubt, match=r"1 of 12 chips are landslide from edge to edge.*a3"):
        report = check_chips(list_chips(chips.catalog()))
    assert report["share"][FOURTH] == 1


def test_inverted_masks_are_doubted(chips):
    write_masks(chips, lambda m: _grey(m, 0, 255))
    _, said = _shares(chips)
    assert "landslides cover 93%" in said[0] and "landslide_values" in said[0]
    chips.content["images"]["landslide_values"] = [0]
    shares, said = _shares(chips)
    np.testing.assert_allclose(shares, SHARE)
    assert not said


def _palette(folder, paint, *palettes):
    """Indexed PNG files, palettes by turns."""
    for number in range(12):
        which = number % len(palettes)
        image = Image.fromarray(paint(blob(30 + 3 * number), which))
        image.putpalette(sum(palettes[which], []))
        image.save(folder.path / f"masks/a{number}.png")


def test_a_palette_is_read_by_its_colours(chips):
    """As in the folders ``SegmentationClass`` of VOC; the numbers behind them are not asked for."""
    _palette(chips, lambda m, _: _grey(m, 1, 0), [[0, 0, 0], [128, 0, 0]])
    shares, said = _shares(chips)
    np.testing.assert_allclose(shares, SHARE)
    assert not said
    chips.content["images"]["landslide_values"] = [1]
    with pytest.raises(InputError, match=r"no mask has any.*0x800000 \(6.6%\)"):
        list_chips(chips.catalog())


def test_a_palette_whose_first_colour_is_white(chips):
    """Black is the background whatever its index, and palettes may differ from file to file."""
    black_first, white_first = [[0, 0, 0], [255, 255, 255]], [[255, 255, 255], [0, 0, 0]]
    _palette(chips, lambda m, which: _grey(m, 1 - which, which), black_first, white_first)
    np.testing.assert_allclose(_shares(chips)[0], SHARE)


def test_coloured_palettes_that_differ(chips):
    red = [[0, 0, 0], [9, 9, 9], [255, 0, 0]]
    _palette(
        chips, lambda m, which: _grey(m, 2 - which, 0), red, [[0, 0, 0], [255, 0, 0], [9, 9, 9]]
    )
    np.testing.assert_allclose(_shares(chips)[0], SHARE)


def _three(m):
    """Landslide 1, water 2, the rest 0."""
    values = _grey(m, 1, 0)
    values[-20:] = 2
    return values


def test_several_classes_must_be_named(chips):
    write_masks(chips, _three)
    with pytest.raises(InputError, match=r"do not tell.*0 \(72.6%\), 1 \(6.6%\), 2 .*landslide_v"):
        list_chips(chips.catalog())
    chips.content["images"]["landslide_values"] = [1]
    np.testing.assert_allclose(_shares(chips)[0], SHARE)
    chips.content["images"]["landslide_values"] = [1, 2]
    np.testing.assert_allclose(_shares(chips)[0], SHARE + 20 / CHIP)
    chips.content["images"]["landslide_values"] = [7]
    with pytest.raises(InputError, match="no mask has any of the `landslide_values`"):
        list_chips(chips.catalog())


def test_several_colours_must_be_named(chips):
    """A colour is named as 0xRRGGBB."""
    colours = np.array([[0, 0, 0], [255, 0, 0], [0, 0, 255]], np.uint8)
    write_masks(chips, lambda m: colours[_three(m)])
    with pytest.raises(InputError, match=r"0x0000ff \(20.8%\), 0xff0000 \(6.6%\)"):
        list_chips(chips.catalog())
    chips.content["images"]["landslide_values"] = [0xFF0000]
    np.testing.assert_allclose(_shares(chips)[0], SHARE)


def test_undeclared_nodata_is_asked_about(chips):
    """Chips of nothing but 255 among 0 and 1 are not taken for one large landslide."""
    write_masks(chips, lambda m: _grey(m, 1, 0))
    Image.fromarray(np.full((CHIP, CHIP), 255, np.uint8)).save(chips.path / "masks/a3.png")
    with pytest.raises(InputError, match=r"255 \(8.3%\)"):
        list_chips(chips.catalog())
    chips.content["images"]["landslide_values"] = [1]
    assert _shares(chips)[0][FOURTH] == 0


@pytest.mark.parametrize("value", [1, 255])
def test_one_value_alone_does_not_tell(chips, value):
    write_masks(chips, lambda m: _grey(m, value, value))
    with pytest.raises(InputError, match=rf"do not tell.*{value} \(100.0%\)"):
        list_chips(chips.catalog())


def test_many_landslides_with_numbers_are_not_blurred(chips):
    """Instances of 1 to 60 are classes to be named, not noise."""
    rng = np.random.default_rng(0)
    write_masks(chips, lambda m: m * rng.integers(1, 61, m.shape).astype(np.uint8))
    with pytest.raises(InputError, match="and 49 others"):
        list_chips(chips.catalog())


def test_a_chip_reads_what_the_check_counted(chips):
    """The code travels with the chip."""
    write_masks(chips, lambda m: _grey(m, 2, 1))
    with remarks():
        chip = list_chips(chips.catalog())[0]
    assert read_chip(chip)[1].sum() == blob(30).sum()
