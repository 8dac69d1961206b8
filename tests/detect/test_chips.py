"""Collections: layouts, instances, sizes, errors, the split."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from lsa_helpers.detect.chips import (
    check_chips,
    count_table,
    need_training,
    read_chip,
    usable_chips,
)
from lsa_helpers.detect.layouts import list_chips, read_collection
from lsa_helpers.detect.outlines import instances
from lsa_helpers.detect.split import split_chips
from lsa_helpers.errors import InputDoubt, InputError
from lsa_helpers.runner.checks import check_inputs
from lsa_helpers.runner.inputs import resolve
from lsa_helpers.runner.manifest import data_hashes
from lsa_helpers.show.chips import chip_gallery
from lsa_helpers.sources import load_catalog


def test_cas_names_with_full_width_brackets(cas_folder):
    """Area, platform and resolution come out of the folder's name; "GF-1" is a platform, not a
    resolution.
    """
    chips = read_collection(cas_folder, "cas")
    assert {(chip.area, chip.platform) for chip in chips} == {
        ("Moxi town", "UAV"),
        ("Longxi river", "GF-1"),
    }
    assert {chip.resolution_m for chip in chips if chip.platform == "UAV"} == {1.0}
    assert all(np.isnan(chip.resolution_m) for chip in chips if chip.platform == "GF-1")
    table = count_table(split_chips(chips, 0))
    assert table["images"].tolist() == [12, 12]
    assert (table[["train", "val", "test"]].sum(axis=1) == 12).all()


def test_cas_georeferenced_pixel_wins_over_the_name(tmp_path):
    """A chip's own georeference is believed before the folder's name."""
    import rasterio
    from affine import Affine

    for part, count in (("img", 3), ("mask", 1)):
        folder = tmp_path / "Wenchuan（Landsat-5m）" / part
        folder.mkdir(parents=True)
        with rasterio.open(
            folder / "a_1.tif",
            "w",
            driver="GTiff",
            width=32,
            height=32,
            count=count,
            dtype="uint8",
            crs="EPSG:32648",
            transform=Affine(3.5, 0, 5e5, 0, -3.5, 3e6),
        ) as file:
            file.write(np.ones((count, 32, 32), np.uint8))
    (chip,) = read_collection(tmp_path, "cas")
    assert chip.resolution_m == 3.5


def test_empty_mask_is_a_negative(cas_folder):
    """A chip without landslide is read, with no instance."""
    image, masks = read_chip(read_collection(cas_folder, "cas")[11])
    assert image.shape == (64, 64, 3)
    assert masks.shape == (0, 64, 64)


def test_touching_landslides_become_one():
    """Two squares that share a corner are one component, a third apart from them another; a small
    one is dropped.
    """
    mask = np.zeros((30, 30), bool)
    mask[2:8, 2:8] = mask[8:14, 8:14] = mask[20:26, 20:26] = True
    mask[28, 0:5] = True
    found = instances(mask, min_pixels=20)
    assert sorted(found.sum((1, 2))) == [36, 72]


@pytest.mark.parametrize("fault", ["larger", "missing", "corrupt"])
def test_bad_files_are_named(masks_folder, fault):
    """A mask larger than its image, a missing mask and a truncated image end in an error that names
    the file.
    """
    mask, image = masks_folder / "masks" / "a2.png", masks_folder / "images" / "a2.png"
    if fault == "larger":
        from tests.detect.conftest import bright_square, write_image

        write_image(mask, bright_square(80)[1])
    elif fault == "missing":
        mask.unlink()
    else:
        image.write_bytes(image.read_bytes()[:500])
    with pytest.raises(InputError, match="a2"):
        read_chip(read_collection(masks_folder, "masks")[2])


def test_all_bad_chips_stand_in_one_report(masks_folder):
    """Mask larger than the image, corrupt file, grey image, nothing but nodata, no mask: bad, each
    by its name; an empty mask is a note.
    """
    from tests.detect.conftest import bright_square, write_image

    write_image(masks_folder / "masks" / "a0.png", bright_square(80)[1])
    (masks_folder / "images" / "a1.png").write_bytes(b"no image")
    write_image(masks_folder / "images" / "a2.png", np.full((64, 64), 90, np.uint8))
    write_image(masks_folder / "images" / "a3.png", np.zeros((64, 64, 3), np.uint8))
    (masks_folder / "masks" / "a4.png").unlink()
    write_image(masks_folder / "masks" / "a5.png", np.zeros((64, 64), np.uint8))
    report = check_chips(read_collection(masks_folder, "masks"))
    assert [path.stem for path in report["image"]] == [f"a{i}" for i in range(6)]
    assert report["bad"].tolist() == [True] * 5 + [False]
    for words, problem in zip(
        ("80×80", "cannot be read", "1 band", "nodata", "no mask", "empty"),
        report["problem"],
        strict=True,
    ):
        assert words in problem


def test_missing_images_stand_in_the_same_report(masks_folder):
    """Two images of the index are gone and one is corrupt: three bad chips, each by its name; with
    `skip_bad` the others are used.
    """
    for name in ("a0", "a2"):
        (masks_folder / "images" / f"{name}.png").unlink()
    (masks_folder / "images" / "a3.png").write_bytes(b"no image")
    report = check_chips(read_collection(masks_folder, "masks"))
    assert report["bad"].tolist() == [True, False, True, True, False, False]
    assert all(words in report["problem"][0] for words in ("a0", "missing", "index.csv"))
    good = usable_chips(read_collection(masks_folder, "masks"), report, skip_bad=True)
    assert [chip.image.stem for chip in good] == ["a1", "a4", "a5"]


def test_bad_chips_stop_the_chapter_unless_it_skips_them(masks_folder):
    """One message names all of them; with `skip_bad` the others are used."""
    (masks_folder / "images" / "a1.png").write_bytes(b"no image")
    (masks_folder / "masks" / "a4.png").unlink()
    chips = read_collection(masks_folder, "masks")
    report = check_chips(chips)
    with pytest.raises(InputError, match="(?s)2 of 6 chips.*a1.png.*a4.png.*skip_bad"):
        usable_chips(chips, report)
    good = usable_chips(chips, report, skip_bad=True)
    assert [chip.image.stem for chip in good] == ["a0", "a2", "a3", "a5"]
    assert [chip.landslides for chip in good] == [1] * 4
    with pytest.raises(InputError, match="(?s)2 of 2 chips"):  # nothing would be left
        bad = [chips[1], chips[4]]
        usable_chips(bad, report.iloc[[1, 4]].reset_index(drop=True), skip_bad=True)


def test_a_collection_without_training_chips_is_named(masks_folder):
    """Nothing can be learned from validation and test chips; no chips at all are no fault."""
    chips = split_chips(read_collection(masks_folder, "masks"), 0)
    need_training(chips)
    need_training([])
    with pytest.raises(InputError, match="images.*no training chips"):
        need_training(chips[4:])


def test_bad_chips_are_no_hindrance_when_they_are_skipped(masks_folder, tmp_path):
    """What the check lets pass the chapter can train on; a chapter that does not look at chips does
    not read them.
    """
    (masks_folder / "images" / "a1.png").write_bytes(b"no image")
    (masks_folder / "catalog.yml").write_text("images: {path: ., format: masks}")
    sections = {"shared": {"data": str(masks_folder), "catalog": str(masks_folder / "catalog.yml")}}
    values = resolve(sections | {"02_detector": {"skip_bad": True}}, "test")
    with pytest.warns(InputDoubt, match="only 3 chips to train on"):
        check_inputs(values, ["01_data", "02_detector"], tmp_path)
    values = resolve(sections, "test")
    with pytest.raises(InputError, match="no chapter can be run.*names no DEM"):
        check_inputs(values, ["01_data"], tmp_path)
    with pytest.raises(InputError, match="1 of 6 chips"):
        check_inputs(values, ["02_detector"], tmp_path)


def test_the_gallery_leaves_out_chips_that_cannot_be_read(masks_folder):
    """Chapter 02 shows the four good ones of six."""
    (masks_folder / "images" / "a1.png").write_bytes(b"no image")
    (masks_folder / "masks" / "a4.png").unlink()
    figure = chip_gallery(read_collection(masks_folder, "masks"))
    assert [ax.get_title() for ax in figure.axes] == ["a0", "a2", "a3", "a5"]


def test_unknown_layout_and_empty_folder(tmp_path):
    """Both are errors of the user, not of the program."""
    with pytest.raises(InputError, match="no layout"):
        read_collection(tmp_path, "voc")
    with pytest.raises(InputError, match="no image chip.*`img`"):
        read_collection(tmp_path, "cas")
    with pytest.raises(InputError, match="no image chip.*`images`"):
        read_collection(tmp_path, "masks")


def test_coco_polygon(tmp_path):
    """A COCO polygon 10 × 5 pixels gives a mask of 50 pixels."""
    from tests.detect.conftest import bright_square, write_image

    write_image(tmp_path / "one.png", bright_square()[0])
    note = {"image_id": 7, "segmentation": [[10, 20, 20, 20, 20, 25, 10, 25]]}
    content = {
        "images": [{"id": 7, "file_name": "one.png", "split": "test"}],
        "annotations": [note],
    }
    (tmp_path / "coco.json").write_text(json.dumps(content))
    (chip,) = read_collection(tmp_path, "coco")
    _, masks = read_chip(chip)
    assert masks.shape == (1, 64, 64)
    assert masks[0, 20:25, 10:20].all() and masks.sum() == 50


@pytest.mark.parametrize(
    ("note", "found"),
    [
        ({}, ""),
        ({"segmentation": []}, r"\[\]"),
        ({"segmentation": [[]]}, r"\[\[\]\]"),
        (
            {"segmentation": [[10, 20, 30, 40]]},
            "10, 20, 30, 40",
        ),  # four numbers are a box, not an outline
        ({"segmentation": [[1, 2, 3, 4, 5]]}, "4, 5"),
        ({"segmentation": [["a", 2, 3, 4, 5, 6]]}, "'a'"),
        ({"segmentation": {"size": [64, 64]}}, "size"),
    ],
)
def test_a_coco_annotation_without_outline_is_named(tmp_path, note, found):
    """Image and annotation stand in the message; an image that is not there is told in the same
    report.
    """
    from tests.detect.conftest import bright_square, write_image

    write_image(tmp_path / "one.png", bright_square()[0])
    images = [{"id": 7, "file_name": "one.png"}, {"id": 8, "file_name": "two.png"}]
    (tmp_path / "coco.json").write_text(
        json.dumps({"images": images, "annotations": [{"id": 31, "image_id": 7} | note]})
    )
    report = check_chips(read_collection(tmp_path, "coco"))
    assert report["bad"].tolist() == [True, True]
    assert re.search(f"one.png.*annotation 31 has no outline.*{found}", report["problem"][0])
    assert re.search("two.png.*missing.*coco.json", report["problem"][1])


def test_a_coco_file_of_any_name(tmp_path):
    """Its images count from where it lies, also in a folder above; the catalog may name it."""
    from tests.detect.conftest import bright_square, write_image

    write_image(tmp_path / "pictures" / "one.png", bright_square()[0])
    (tmp_path / "notes").mkdir()
    note = {"image_id": 7, "segmentation": [[10, 20, 20, 20, 20, 25, 10, 25]]}
    content = {"images": [{"id": 7, "file_name": "../pictures/one.png"}], "annotations": [note]}
    (tmp_path / "notes" / "slides.json").write_text(json.dumps(content))
    (tmp_path / "catalog.yml").write_text("images: {path: notes/slides.json, format: coco}")
    catalog = load_catalog(tmp_path)
    (chip,) = list_chips(catalog)
    assert read_chip(chip)[1].sum() == 50
    assert set(data_hashes(catalog)) == {
        "catalog",
        "data/notes/slides.json",
        "data/pictures/one.png",
    }


def test_masks_without_an_index(masks_folder):
    """Files of the same name are pairs, split 8 : 1 : 1; half a pair is told with the half that is
    missing.
    """
    from tests.detect.conftest import bright_square, write_image

    (masks_folder / "index.csv").unlink()
    for i in range(6, 20):
        image, mask = bright_square(seed=i)
        write_image(masks_folder / "images" / f"a{i}.jpg", image)
        write_image(masks_folder / "masks" / f"a{i}.png", mask)
    chips = read_collection(masks_folder, "masks")
    assert len(chips) == 20 and not check_chips(chips)["bad"].any()
    assert (
        sorted(chip.split for chip in split_chips(chips, 0))
        == ["test"] * 2 + ["train"] * 16 + ["val"] * 2
    )
    (masks_folder / "images" / "a1.png").unlink()
    (masks_folder / "masks" / "a2.png").unlink()
    report = check_chips(read_collection(masks_folder, "masks")).set_index("image")
    bad = report[report["bad"]]
    assert [path.stem for path in bad.index] == ["a1", "a2"]
    assert "image is missing" in bad["problem"].iloc[0] and "no mask" in bad["problem"].iloc[1]


def _labelme(folder, shapes, **changes):
    Image.new("RGB", (40, 30)).save(folder / "a.png")
    content = {
        "imagePath": "a.png",
        "imageHeight": 30,
        "imageWidth": 40,
        "shapes": shapes,
    } | changes
    (folder / "a.json").write_text(json.dumps(content))
    return read_collection(folder, "labelme")


def test_labelme_polygon_and_rectangle(tmp_path):
    """A drawn square of 10 pixels has 100, a rectangle 5 × 8 has 40; outlines that touch stay two
    landslides.
    """
    square = {
        "label": "landslide",
        "shape_type": "polygon",
        "points": [[10, 5], [20, 5], [20, 15], [10, 15]],
    }
    rectangle = {"label": "slump", "shape_type": "rectangle", "points": [[25, 13], [20, 5]]}
    (chip,) = _labelme(tmp_path, [square, rectangle])
    _, masks = read_chip(chip)
    assert masks.sum((1, 2)).tolist() == [100, 40]
    assert masks[0, 5:15, 10:20].all() and masks[1, 5:13, 20:25].all()


@pytest.mark.parametrize(
    ("shapes", "changes", "message"),
    [
        (
            [{"shape_type": "circle", "points": [[1, 1], [3, 3]]}],
            {},
            "neither a polygon nor a rectangle",
        ),
        ([], {"imageHeight": 31}, "another size"),
        ([{"points": 3}], {}, "no readable LabelMe"),
    ],
)
def test_wrong_labelme_files_are_named(tmp_path, shapes, changes, message):
    """Every mistake names the file."""
    with pytest.raises(InputError, match=f"a.(json|png).*{message}"):
        read_chip(_labelme(tmp_path, shapes, **changes)[0])


def test_wrong_labelme_files_do_not_hide_each_other(tmp_path):
    """One names an image that is not there, one is no JSON, one is good."""
    _labelme(tmp_path, [])
    (tmp_path / "b.json").write_text('{"imagePath": "z.png", "shapes": []}')
    (tmp_path / "c.json").write_text("{")
    report = check_chips(read_collection(tmp_path, "labelme"))
    assert report["bad"].tolist()[1:] == [True, True]
    assert re.search("z.png: the image is missing.*b.json", report["problem"][1])
    assert re.search("c.json: this is no readable LabelMe file", report["problem"][2])


@pytest.mark.real_data
def test_bijie_components_equal_its_coco_file(shared_data):
    """Our components of the masks are the instances somebody else wrote into coco.json: the same
    number and areas.
    """
    by_mask = {
        chip.image.name: read_chip(chip)[1]
        for chip in read_collection(shared_data / "bijie", "masks")
    }
    by_coco = {
        chip.image.name: read_chip(chip)[1]
        for chip in read_collection(shared_data / "bijie", "coco")
    }
    assert len(by_mask) == 300
    assert by_mask.keys() == by_coco.keys()
    assert all(len(by_mask[name]) == len(by_coco[name]) for name in by_mask)
