"""Images of strangers: scales, formats, folders of other names, splits, scenes of several files."""

import numpy as np
import pytest
import rasterio
import xarray as xr
from affine import Affine
from PIL import Image

from lsa_helpers.detect.chips import check_chips, need_training, read_chip, read_image, usable_chips
from lsa_helpers.detect.images import Bands, open_image, pixel_metres
from lsa_helpers.detect.layouts import list_chips
from lsa_helpers.detect.scene import open_scene
from lsa_helpers.detect.split import split_chips
from lsa_helpers.errors import InputDoubt, InputError, InputNote, remarks
from lsa_helpers.runner.checks import read_images
from tests.cases.conftest import CHIP, CRS, Folder, blob, picture, write_masks

GROUND = np.random.default_rng(0).gamma(4, 0.02, (12, 3, CHIP, CHIP))  # reflectances about 0.08


@pytest.fixture
def folder(tmp_path) -> Folder:
    return Folder(tmp_path, {"name": "images"})


def _tif(path, bands, dtype, nodata=None, west=5e5, names=(), crs=CRS):
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = dict(zip(("count", "height", "width"), bands.shape, strict=True))
    frame |= {"transform": Affine(10, 0, west, 0, -10, 33e5), "crs": crs, "nodata": nodata}
    with rasterio.open(path, "w", driver="GTiff", dtype=dtype, **frame) as file:
        file.write(bands.astype(dtype))
        file.descriptions = names or file.descriptions


def _stored(folder, store, dtype, nodata=None):
    """Twelve georeferenced chips of GROUND, as `store` writes them, far from each other."""
    for number, ground in enumerate(GROUND):
        west = 5e5 + 2000 * number
        _tif(folder.path / f"images/a{number}.tif", store(ground), dtype, nodata, west)
        mask = Image.fromarray(blob().astype(np.uint8))
        (folder.path / "masks").mkdir(exist_ok=True)
        mask.save(folder.path / f"masks/a{number}.png")
    folder.entry("images", path=".", format="masks")
    return folder.catalog()


def _read_all(catalog, bands=None):
    with remarks() as said:
        chips = list_chips(catalog, bands or Bands())
        images = np.stack([read_image(chip, bands or Bands()) for chip in chips])
    return images.astype(np.float32), list(map(str, said))


@pytest.mark.parametrize(
    ("store", "dtype", "words"),
    [
        (lambda x: x, "float32", "fractions"),
        (lambda x: x * 255, "float32", "8-bit numbers"),
        (lambda x: x * 10_000, "float64", "reflectances × 10,000:"),
        (lambda x: x * 10_000, "uint16", "reflectances × 10,000:"),
        (lambda x: x * 10_000, "int16", "reflectances × 10,000:"),
        (lambda x: x * 10_000 + 1000, "uint16", "1000 added"),
        (lambda x: (x + 0.2) / 2.75e-5, "uint16", "Landsat's Collection 2"),
        (lambda x: x * 255, "uint16", "8-bit numbers"),
        (lambda x: np.clip(x / 0.3, 0, 1) * 4095, "uint16", "12-bit numbers"),
        (lambda x: np.clip(x / 0.3, 0, 1) * 2047, "int16", "11-bit numbers"),
        (lambda x: np.clip(x / 0.3, 0, 1) * 65535, "uint16", "16-bit numbers"),
    ],
)
def test_the_scale_is_found(folder, store, dtype, words):
    """From all chips together: also the darkest of them is read like the others."""
    images, said = _read_all(_stored(folder, store, dtype))
    expected = GROUND[[0, 1, 10, 11, *range(2, 10)]].transpose(0, 2, 3, 1)
    expected = np.clip(expected / 0.3, 0, 1) if "-bit" in words and words[0] == "1" else expected
    assert np.abs(images - expected).max() < (0.005 if "8-bit" in words else 0.001)
    assert len(said) == 1 and words in said[0]


def test_one_decision_for_light_and_dark_chips(folder):
    """A chip whose own values would pass for 8-bit numbers is divided like the others."""
    catalog = _stored(folder, lambda x: x * 10_000, "uint16")
    _tif(folder.path / "images/a3.tif", GROUND[3] * 1000, "uint16")
    images, _ = _read_all(catalog)
    assert images[5].max() < 0.06 and images[0].max() > 0.2


def test_eight_bits_stay_as_stored(folder):
    catalog = _stored(folder, lambda x: x * 800, "uint8")
    (first, *_) = chips = list_chips(catalog)
    assert read_image(first).dtype == np.uint8 and all(chip.scale is None for chip in chips)
    np.testing.assert_array_equal(read_image(first)[..., 0], (GROUND[0, 0] * 800).astype(np.uint8))


def test_a_given_scale_is_believed(folder):
    """And nothing is said of it."""
    catalog = _stored(folder, lambda x: x * 10_000 + 1000, "uint16")
    images, said = _read_all(catalog, Bands(reflectance_scale=5000, reflectance_offset=500))
    np.testing.assert_allclose(images[0, 0, 0], GROUND[0, :, 0, 0] * 2 + 0.1, atol=2e-4)
    assert not said


def test_what_is_empty_stays_black(folder):
    """0 of Sentinel-2, undeclared −9999, NaN: 0 in all bands, whatever the offset."""

    def holes(ground):
        stored = ground * 10_000 + 1000
        stored[:, :10], stored[:, 10:20], stored[:, 20:30] = 0, -9999, np.nan
        return stored

    images, said = _read_all(_stored(folder, holes, "float32"))
    assert not images[:, :30].any() and images[:, 30:].min() >= 0
    assert "31.2% of the pixels without data" in said[0]


def test_the_largest_number_does_not_set_the_scale(folder):
    """65535 as undeclared nodata or saturation."""

    def corner(ground):
        stored = ground * 10_000
        stored[:, :10] = 65535
        return stored

    images, said = _read_all(_stored(folder, corner, "uint16"))
    np.testing.assert_allclose(images[0, 10:], GROUND[0, :, 10:].transpose(1, 2, 0), atol=2e-4)
    assert "reflectances" in said[0]


def test_negative_values_are_said(folder):
    _, said = _read_all(_stored(folder, lambda x: x - 0.05, "float32"))
    assert "% of the values negative" in said[0]


def test_standardised_values_are_doubted(folder):
    """As Landslide4Sense and others divide by mean and deviation: no scale is right."""
    with pytest.warns(InputDoubt, match="fit no usual scale"):
        list_chips(_stored(folder, lambda x: (x - 0.08) / 0.04, "float32"))


def test_two_scales_in_one_collection_are_doubted(folder):
    catalog = _stored(folder, lambda x: x * 800, "uint8")
    _tif(folder.path / "images/a3.tif", GROUND[3], "float32")
    images, said = _read_all(catalog)
    assert "do not have one scale" in "".join(said) and 0.05 < images[5].mean() < 0.12


@pytest.mark.parametrize(("store", "doubted"), [(1, True), (10_000, False)])
def test_a_scene_that_is_stored_otherwise_is_doubted(folder, store, doubted):
    catalog = _stored(folder, lambda x: x * 10_000, "uint16")
    kind = "float32" if store == 1 else "uint16"
    _tif(folder.path / "scene.tif", GROUND[0] * store, kind)
    folder.entry("scene", path="scene.tif")
    with remarks() as said:
        read_images(folder.catalog(), Bands())
        frame = open_scene(catalog.folder / "scene.tif")
    assert frame.bands.reflectance_scale == store
    assert any("stored otherwise than the chips" in str(line) for line in said) == doubted


@pytest.mark.parametrize("path", [["b_right.tif", "a_left.tif"], "?_*.tif", "."])
def test_a_scene_of_several_files(folder, path):
    """Two halves in any order; a catalog may name them, a wildcard or their folder."""
    _tif(folder.path / "b_right.tif", np.full((3, 20, 30), 200), "uint8", west=5e5 + 400)
    _tif(folder.path / "a_left.tif", np.full((3, 20, 40), 100), "uint8")
    folder.entry("scene", path=path)
    catalog = folder.catalog()
    frame = open_scene(catalog.files(catalog.scene))
    assert (frame.height, frame.width, frame.bounds[:2]) == (20, 70, (5e5, 33e5 - 200))
    with open_image(frame.path) as file:
        pixels = frame.bands.read(file)
    assert (pixels[:, :40] == 100).all() and (pixels[:, 40:] == 200).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [({"crs": "EPSG:32647"}, "CRS"), ({"count": 4}, "bands"), ({"dtype": "uint16"}, "type")],
)
def test_files_of_a_scene_that_do_not_fit(folder, change, words):
    _tif(folder.path / "a.tif", np.full((3, 20, 20), 100), "uint8")
    bands = np.full((change.pop("count", 3), 20, 20), 100)
    _tif(folder.path / "b.tif", bands, **{"dtype": "uint8", "west": 6e5} | change)
    with pytest.raises(InputError, match=f"b.tif.*same {words}.*a.tif has"):
        open_scene([folder.path / "a.tif", folder.path / "b.tif"])


def _pair(folder, image, mask, number=0):
    for name, pixels in (
        (image, picture(number)),
        (mask, blob().astype(np.uint8) * 255),
    ):
        (folder.path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder.path / name)


@pytest.mark.parametrize("layout", ["masks", "cas"])
@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("image/a{}.PNG", "label/a{}.TIF"),
        ("imgs/a{}.JPG", "masks/a{}.png"),
        ("JPEGImages/a{}.jpg", "SegmentationClass/a{}.png"),
        ("a{}.bmp", "a{}_mask.png"),
        ("img/image_{}.webp", "mask/mask_{}.png"),
        ("train_images/{}_sat.jpeg", "train_masks/{}_mask.png"),
        ("Images/a-{}.png", "GroundTruth/a-{}_gt.png"),
        ("images/north/a{}.png", "masks/north/a{}.png"),
        ("north/images_png/a{}.png", "north/labels_png/a{}.png"),
        ("tiles/a{}.jp2", "tiles/a{}_label.png"),
        ("images/a{}.png", "images/masks/a{}.png"),
        ("a{}.png", "masks/a{}.png"),
    ],
)
def test_names_of_folders_and_files(folder, image, mask, layout):
    for number in (1, 2):
        _pair(folder, image.format(number), mask.format(number), number)
    folder.entry("images", path=".", format=layout)
    report = check_chips(list_chips(folder.catalog()))
    assert report["landslides"].tolist() == [1, 1] and not report["bad"].any()


def test_images_and_masks_told_apart_by_nothing_but_their_ending(folder):
    for number in (1, 2):
        _pair(folder, f"a{number}.jpg", f"a{number}.png", number)
    folder.entry("images", path=".", format="masks")
    with pytest.raises(
        InputError, match="no image chip was found.*2 .(png|jpg), 2 .(png|jpg).*`masks`"
    ):
        list_chips(folder.catalog())


@pytest.mark.parametrize(("other", "said"), [("label", 0), ("gt", 0), ("masks", 1)])
def test_two_folders_of_masks(folder, other, said):
    """CAS has pictures of its masks in ``label``; two usual names are told."""
    _pair(folder, "img/a1.png", "mask/a1.png")
    _pair(folder, "img/a1.png", f"{other}/a1.png")
    Image.fromarray(np.full((CHIP, CHIP), 9, np.uint8)).save(folder.path / other / "a1.png")
    folder.entry("images", path=".", format="cas")
    with remarks() as lines:
        (chip,) = list_chips(folder.catalog())
    assert chip.truth.parent.name == "mask" and len(lines) == said


def test_folders_of_several_regions_are_joined(folder):
    """Their images have the same names, and are scenes of their own."""
    for region in ("north", "south"):
        _pair(folder, f"{region}/images/a.png", f"{region}/masks/a.png")
    folder.entry("images", path=["north", "south"], format="masks")
    chips = list_chips(folder.catalog())
    assert [chip.scene for chip in chips] == ["north/a", "south/a"]
    folder.entry("images", path="*th", format="masks")
    assert len(list_chips(folder.catalog())) == 2


@pytest.mark.parametrize(
    "image", ["{}/images/a{}.png", "images/{}/a{}.png", "{}Data/img/a{}.png", "{}_img/a{}.png"]
)
def test_folders_of_parts(folder, image):
    """The folders' names are the split."""
    for part, count in (("Train", 3), ("Valid", 2), ("Test", 1)):
        for number in range(count):
            name = image.format(part, number)
            mask = name.replace("images", "masks").replace("img", "mask")
            _pair(folder, name, mask)
    folder.entry("images", path=".", format="masks")
    chips = list_chips(folder.catalog())
    assert [chip.split for chip in chips].count("train") == 3
    assert {chip.split for chip in chips} == {"train", "val", "test"}


def test_what_was_found_is_said(folder):
    (folder.path / "pictures").mkdir()
    for number in range(3):
        (folder.path / f"pictures/a{number}.npy").write_bytes(b"")
    folder.entry("images", path="pictures", format="cas")
    with pytest.raises(InputError, match="no image chip.*Found: 3 .npy.*`img`"):
        list_chips(folder.catalog())


def _netcdf(path, name, values, **others):
    dims = ("y", "x", "b")[: values.ndim]
    data = {name: (dims, values)} | {key: (("n",), np.zeros(3)) for key in others}
    path.parent.mkdir(parents=True, exist_ok=True)
    xr.Dataset(data).to_netcdf(path, engine="netcdf4")


@pytest.mark.parametrize("axes", ["rows first", "bands first"])
def test_hdf5(folder, axes):
    """The last axis holds fourteen bands, or the first one does."""
    values = np.random.default_rng(0).random((64, 64, 14)) * 0.1
    values[..., 3] = 0.7
    mask = blob()[:64, :64].astype(np.uint8)
    for number in (1, 2):
        given = values if axes == "rows first" else values.transpose(2, 0, 1)
        _netcdf(folder.path / f"img/image_{number}.h5", "img", given)
        _netcdf(folder.path / f"mask/mask_{number}.h5", "mask", mask)
    folder.entry("images", path=".", format="cas")
    bands = Bands(("B2", "B3", "B4", "B5"))
    with pytest.warns(InputNote, match="fractions"):
        chip = list_chips(folder.catalog(), bands)[0]
    image, masks = read_chip(chip, bands)
    assert image.shape == (64, 64, 4) and image[..., 3] == pytest.approx(0.7)
    assert masks[0].sum() == mask.sum()


def test_hdf5_of_several_data_sets(folder):
    values = np.ones((3, 64, 64))
    path = folder.path / "a.h5"
    xr.Dataset({name: (("b", "y", "x"), values) for name in ("dem", "slope")}).to_netcdf(path)
    with pytest.raises(InputError, match=r"a.h5: .*several.*dem.*slope"), open_image(path):
        pass


INDEX = "id,split\n"


def _index(chips, parts):
    write_masks(chips, lambda m: m.astype(np.uint8))
    rows = "".join(f"a{number}.png,{part}\n" for number, part in enumerate(parts))
    (chips.path / "index.csv").write_text(INDEX + rows, encoding="utf-8-sig")
    return chips.catalog()


@pytest.mark.parametrize(
    ("words", "counts"),
    [
        (["train", "valid", "test"], (10, 1, 1)),
        (["Training", "Validation", "Testing"], (10, 1, 1)),
        (["TRAIN ", "dev", "eval"], (10, 1, 1)),
        (["train", "eval", "holdout"], (10, 1, 1)),
    ],
)
def test_names_of_splits(chips, words, counts):
    catalog = _index(chips, [words[0]] * 10 + words[1:])
    splits = [chip.split for chip in split_chips(list_chips(catalog), 0)]
    assert tuple(splits.count(part) for part in ("train", "val", "test")) == counts


def test_unknown_names_of_splits_are_listed(chips):
    catalog = _index(chips, ["train"] * 8 + ["fold1"] * 3 + ["x"])
    with pytest.raises(
        InputError, match=r'index.csv.*"fold1" \(3\), "x" \(1\).*train, val or test'
    ):
        list_chips(catalog)


def test_half_a_split_is_doubted(chips):
    catalog = _index(chips, ["train"] * 8 + ["test"] * 2 + [""] * 2)
    with pytest.warns(InputDoubt, match="only some of the chips have a split.*10 of 12"):
        split_chips(list_chips(catalog), 0)


@pytest.mark.parametrize(
    ("parts", "empty", "words"),
    [
        (["train"] * 10 + ["val"] * 2, [], "no test chips. Found: train 10, val 2, test 0"),
        (["train"] * 10 + ["test"] * 2, [], "no validation chips"),
        (["train"] * 10 + ["val", "test"], [11], "no test chips with a landslide"),
        (["train"] * 10 + ["val", "test"], [10], "no validation chips with a landslide"),
        (["train"] * 10 + ["val", "test"], range(10), "no training chips with a landslide"),
    ],
)
def test_parts_that_cannot_be_used_are_told_before_training(chips, parts, empty, words):
    catalog = _index(chips, parts)
    for number in empty:
        Image.fromarray(np.zeros((CHIP, CHIP), np.uint8)).save(chips.path / f"masks/a{number}.png")
    read = list_chips(catalog)
    read = usable_chips(read, check_chips(read))
    with pytest.raises(InputError, match=f"{words}.*(split|mark some)"):
        need_training(split_chips(read, 0))


def test_no_landslide_in_any_chip(chips):
    write_masks(chips, lambda m: np.zeros_like(m, np.uint8))
    read = list_chips(chips.catalog())
    read = usable_chips(read, check_chips(read))
    with pytest.raises(InputError, match="none of the 12 chips has a landslide"):
        need_training(split_chips(read, 0))


def test_polygons_of_several_layers_on_several_images(folder):
    """Two images, two files of outlines; one GeoPackage of several layers must be told which."""
    from shapely.geometry import box

    for number in range(2):
        west = 5e5 + 3000 * number
        image = np.random.default_rng(number).integers(1, 255, (3, 64, 64))
        _tif(folder.path / f"scene_{number}.tif", image, "uint8", west=west)
        square = [box(west + 100, 33e5 - 300, west + 200, 33e5 - 200)]
        folder.vector(f"slides_{number}.gpkg", square)
    entry = {"path": "scene_*.tif", "format": "polygons", "chip_px": 64}
    folder.entry("images", **entry, polygons="slides_*.gpkg")
    assert [len(chip.truth) for chip in list_chips(folder.catalog())] == [1, 1]
    folder.vector("slides_0.gpkg", [box(0, 0, 1, 1)], layer="roads")
    folder.entry("images", **entry, polygons="slides_0.gpkg")
    with pytest.raises(InputError, match="one layer must be named.*slides_0.*roads"):
        list_chips(folder.catalog())
    folder.entry("images", **entry, polygons="slides_0.gpkg", layer="slides_0")
    assert sum(len(chip.truth) for chip in list_chips(folder.catalog())) == 1


def test_labelled_polygons(folder):
    """Stable ground beside a landslide is no landslide."""
    from shapely.geometry import box

    image = np.random.default_rng(0).integers(1, 255, (3, 64, 64))
    _tif(folder.path / "scene.tif", image, "uint8")
    corner = [
        box(5e5 + 100, 33e5 - 300, 5e5 + 200, 33e5 - 200),
        box(5e5, 33e5 - 90, 5e5 + 90, 33e5),
    ]
    folder.vector("areas.gpkg", corner, columns={"kind": ["landslide", "stable"]})
    entry = {"path": "scene.tif", "format": "polygons", "chip_px": 64, "polygons": "areas.gpkg"}
    folder.entry("images", **entry, label="kind")
    with pytest.warns(InputNote, match="none: stable"):
        (chip,) = list_chips(folder.catalog())
    assert len(chip.truth) == 1
    folder.entry("images", **entry, label="what")
    with pytest.raises(InputError, match='areas.gpkg: the attribute "what" does not.*kind'):
        list_chips(folder.catalog())


@pytest.mark.parametrize("names", [("B2", "B3", "B4"), ("SR_B2", "SR_B3", "SR_B4", "SR_B5")])
def test_bands_named_by_numbers_are_said(folder, names):
    """Blue, green and red of satellites, in this order."""
    _tif(folder.path / "a.tif", np.ones((len(names), 9, 9)), "uint16", names=names)
    with pytest.warns(InputNote, match="bands are which: the first are taken for red, green"):
        open_scene(folder.path / "a.tif")


@pytest.mark.parametrize(("count", "kind"), [(3, None), (4, InputNote), (12, InputDoubt)])
def test_bands_that_nobody_names_are_said(folder, count, kind):
    with remarks() as said:
        list_chips(_stored(folder, lambda x: np.repeat(x * 10_000, 4, axis=0)[:count], "uint16"))
    said = [text for text in said if f"which of its {count} bands are which" in str(text)]
    assert [type(text) for text in said] == [kind] * bool(kind)


@pytest.mark.parametrize(
    ("crs", "metres"), [(CRS, 10), ("EPSG:2249", 3.048), ("EPSG:3857", 8.8), ("EPSG:4326", np.nan)]
)
def test_pixels_are_measured_on_the_ground(folder, crs, metres):
    path = folder.path / "a.tif"
    west = 100 if crs == "EPSG:4326" else 5e5  # Mercator: 28.4° north
    transform = Affine(10, 0, west, 0, -10, 33e5)
    if crs == "EPSG:4326":
        transform = Affine(1e-4, 0, 100, 0, -1e-4, 30)
    frame = {"height": 9, "width": 9, "count": 3, "dtype": "uint8", "transform": transform}
    with rasterio.open(path, "w", driver="GTiff", crs=crs, **frame) as file:
        file.write(np.full((3, 9, 9), 7, np.uint8))
    with open_image(path) as file:
        assert pixel_metres(file) == pytest.approx(metres, rel=1e-3, nan_ok=True)
    if metres != 10:
        with pytest.raises(InputError, match=r"the scene has no CRS in metres.*gdalwarp"):
            open_scene(path)
