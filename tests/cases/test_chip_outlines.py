"""Outlines of annotation tools: labels, sizes, several files, folders of parts."""

import json

import pytest
from PIL import Image

from lsa_helpers.detect.chips import check_chips, read_chip, usable_chips
from lsa_helpers.detect.layouts import find_chips, list_chips
from lsa_helpers.errors import InputError, remarks
from tests.cases.conftest import CHIP, Folder, picture


@pytest.fixture
def folder(tmp_path) -> Folder:
    return Folder(tmp_path, {"name": "outlined"})


def _read(folder, **entry):
    """Chips, their report, and what is said."""
    folder.content["images"] = {"path": "."} | entry
    with remarks() as said:
        chips = list_chips(folder.catalog())
        report = check_chips(chips)
    return chips, report, list(map(str, said))


def _ring(x, y, edge=10):
    return [[x, y, x + edge, y, x + edge, y + edge, x, y + edge]]


def _coco(folder, file, names, drawn, categories=None, **of_image):
    """Images, and on each of them the outlines `drawn`: (category, ring or run lengths)."""
    path = folder.path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    images, notes = [], []
    for number, name in enumerate(names):
        image = path.parent / name
        image.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(len(notes))).save(image)
        images.append({"id": number, "file_name": name, "width": CHIP, "height": CHIP} | of_image)
        for category, ring in drawn:
            extra = {"id": len(notes), "image_id": number, "category_id": category}
            notes.append(extra | {"segmentation": ring, "iscrowd": int(isinstance(ring, dict))})
    content = {"images": images, "annotations": notes}
    if categories is not None:
        content["categories"] = [{"id": i, "name": name} for i, name in categories.items()]
    path.write_text(json.dumps(content))


THREE = [(1, _ring(10, 20)), (2, _ring(40, 20)), (3, _ring(70, 20))]


def test_categories_are_told_by_their_names(folder):
    """Debris flows and rockfalls are landslides, roads are background, and the counts are said."""
    names = {0: "objects", 1: "Debris_Flow", 2: "rockfall", 3: "road"}
    _coco(folder, "coco.json", ["a.png", "b.png"], THREE, names)
    _, report, said = _read(folder, format="coco")
    assert report["landslides"].tolist() == [2, 2]
    assert "Debris_Flow (2), rockfall (2)" in said[0] and "road (2)" in said[0]


@pytest.mark.parametrize("chosen", [["scar"], [1], ["Scar", "road"]])
def test_categories_can_be_chosen(folder, chosen):
    """By name in any letters, or by id."""
    _coco(folder, "coco.json", ["a.png"], THREE, {1: "scar", 2: "field", 3: "road"})
    with pytest.raises(InputError, match=r"coco.json: no label.*scar \(1\).*landslide_labels"):
        _read(folder, format="coco")
    _, report, _ = _read(folder, format="coco", landslide_labels=chosen)
    assert report["landslides"].tolist() == [len(chosen)]


def test_one_category_of_any_name_is_taken(folder):
    _coco(folder, "coco.json", ["a.png"], THREE[:1], {0: "none", 1: "polygon_1"})
    _, report, said = _read(folder, format="coco")
    assert report["landslides"].tolist() == [1]
    assert '"polygon_1" and is taken for landslide' in said[0]


def test_one_category_that_is_no_landslide_is_refused(folder):
    _coco(folder, "coco.json", ["a.png"], THREE[:1], {1: "non-landslide"})
    with pytest.raises(InputError, match="no label"):
        _read(folder, format="coco")


def test_numbers_without_names_are_asked_about(folder):
    _coco(folder, "coco.json", ["a.png"], THREE)
    with pytest.raises(InputError, match=r"category 1 \(1\), category 2 \(1\)"):
        _read(folder, format="coco")


def test_run_lengths_with_iscrowd(folder):
    """Some tools write every brushed outline so: each is one landslide; column by column."""
    runs = {"counts": [5 * CHIP + 10, 20, CHIP * CHIP - 5 * CHIP - 30], "size": [CHIP, CHIP]}
    _coco(folder, "coco.json", ["a.png"], [(1, runs)], {1: "landslide"})
    chips, report, said = _read(folder, format="coco")
    assert report["landslides"].tolist() == [1]
    assert read_chip(chips[0])[1][0, 10:30, 5].all()
    assert "iscrowd" in said[0]


def test_a_category_decision_spans_files(folder):
    """One file has only roads, another only landslides."""
    _coco(folder, "x/a.json", ["a.png"], [(1, _ring(1, 1))], {1: "road"})
    _coco(folder, "y/b.json", ["b.png"], [(1, _ring(1, 1))], {1: "landslide"})
    _, report, _ = _read(folder, path=["x/a.json", "y/b.json"], format="coco")
    assert report["landslides"].tolist() == [0, 1]


def test_numbers_that_mean_different_categories(folder):
    """A name is clear, a number is not."""
    _coco(folder, "x/a.json", ["a.png"], [(1, _ring(1, 1))], {1: "field"})
    _coco(folder, "y/b.json", ["b.png"], [(1, _ring(1, 1))], {1: "scar"})
    both = {"path": ["x/a.json", "y/b.json"], "format": "coco"}
    with pytest.raises(InputError, match="1 field.*1 scar.*names"):
        _read(folder, **both, landslide_labels=[1])
    _, report, _ = _read(folder, **both, landslide_labels=["scar"])
    assert report["landslides"].tolist() == [0, 1]


@pytest.mark.parametrize("path", ["*/_annotations.coco.json", "."])
def test_a_folder_for_every_part(folder, path):
    """As Roboflow exports it; all ids begin with 0 in each file, and names are the same."""
    for part, count in (("train", 5), ("valid", 2), ("test", 3)):
        names = [f"a{number}.png" for number in range(count)]
        _coco(folder, f"{part}/_annotations.coco.json", names, THREE[:1], {1: "landslide"})
    chips, report, said = _read(folder, path=path, format="coco")
    splits = [chip.split for chip in chips]
    assert [splits.count(part) for part in ("train", "val", "test")] == [5, 2, 3]
    assert report["landslides"].tolist() == [1] * 10 and not said
    assert len({chip.scene for chip in chips}) == 10


def test_a_file_for_every_part(folder):
    """``annotations/instances_train2017.json`` with images in ``train2017``."""
    for part, count in (("train2017", 3), ("val2017", 2), ("test2017", 1)):
        names = [f"{part}_{number}.png" for number in range(count)]
        _coco(folder, f"annotations/instances_{part}.json", names, THREE[:1], {1: "landslide"})
        (folder.path / part).mkdir()
        for name in names:
            (folder.path / "annotations" / name).rename(folder.path / part / name)
    chips, report, _ = _read(folder, path="annotations/*.json", format="coco")
    assert sorted(chip.split for chip in chips) == ["test", "train", "train", "train", "val", "val"]
    assert not report["bad"].any()


def test_an_image_of_two_files_is_told(folder):
    _coco(folder, "train.json", ["a.png"], THREE[:1], {1: "landslide"})
    _coco(folder, "test.json", ["a.png"], THREE[:1], {1: "landslide"})
    with pytest.raises(InputError, match=r"a.png: an image is named more than once.*2 times"):
        _read(folder, path="*.json", format="coco")


def test_folders_of_which_some_are_parts(folder):
    for part in ("train", "test", "extra"):
        _coco(folder, f"{part}/coco.json", ["a.png"], THREE[:1], {1: "landslide"})
    with pytest.raises(InputError, match="named after training.*extra"):
        _read(folder, path="*/coco.json", format="coco")


def test_names_of_windows(folder):
    _coco(folder, "coco.json", ["a.png"], THREE[:1], {1: "landslide"})
    text = (folder.path / "coco.json").read_text().replace('"a.png"', r'"C:\\data\\images\\a.png"')
    (folder.path / "coco.json").write_text("\ufeff" + text, encoding="utf-8")
    _, report, _ = _read(folder, format="coco")
    assert not report["bad"].any()


def test_annotations_of_no_image_are_told(folder):
    _coco(folder, "coco.json", ["a.png"], THREE[:1], {1: "landslide"})
    text = (folder.path / "coco.json").read_text().replace('"image_id": 0', '"image_id": 77')
    (folder.path / "coco.json").write_text(text)
    with pytest.raises(InputError, match="coco.json.*does not list.*77"):
        _read(folder, format="coco")


def test_images_that_were_resized(folder):
    """The file says 512 pixels, the image has 96."""
    _coco(folder, "coco.json", ["a.png"], THREE[:1], {1: "landslide"}, width=512, height=512)
    _, report, _ = _read(folder, format="coco")
    assert report["bad"].all()
    assert "a.png" in report["problem"][0] and "512×512" in report["problem"][0]
    assert "96×96" in report["problem"][0]


def test_a_fault_of_all_chips_is_told_once(folder):
    names = [f"a{number}.png" for number in range(30)]
    _coco(folder, "coco.json", names, THREE[:1], {1: "landslide"}, width=512, height=512)
    chips, report, _ = _read(folder, format="coco")
    with pytest.raises(InputError, match="(?s)30 of 30 chips.*others: a1.png, a2.*, …") as told:
        usable_chips(chips, report)
    assert str(told.value).count("512×512") == 1


@pytest.mark.parametrize(
    ("ring", "words"),
    [
        (_ring(300, 20), "outside the image of 96×96 pixels.*columns 300 to 310"),
        (_ring(20, -40), "outside.*rows -40 to -30"),
        ([[0.1, 0.1, 0.3, 0.1, 0.3, 0.4]], "in shares of the image"),
    ],
)
def test_outlines_off_the_image(folder, ring, words):
    """Where the file does not say the size."""
    drawn = [(1, ring)]
    _coco(folder, "coco.json", ["a.png"], drawn, {1: "landslide"}, width=None, height=None)
    chips, report, _ = _read(folder, format="coco")
    assert report["bad"].all()
    with pytest.raises(InputError, match=f"a.png.*{words}"):
        read_chip(chips[0])


def _square(x, y, edge=10):
    return [[x, y], [x + edge, y], [x + edge, y + edge], [x, y + edge]]


def _labelme(folder, name, shapes, size=(CHIP, CHIP), **changes):
    (folder.path / name).parent.mkdir(exist_ok=True)
    Image.fromarray(picture()).save(folder.path / f"{name}.png")
    shapes = [
        {"label": label, "points": points, "shape_type": kind} for label, points, kind in shapes
    ]
    content = {"imagePath": f"{name.split('/')[-1]}.png", "shapes": shapes} | changes
    content |= {"imageHeight": size[0], "imageWidth": size[1]}
    (folder.path / f"{name}.json").write_text(json.dumps(content))


def test_labels_of_labelme(folder):
    """River and ``_background_`` are none, whatever their shape; 滑坡 is a landslide."""
    river = ("river", [[1, 1], [50, 50]], "linestrip")
    rest = ("_background_", _square(0, 70, 20), "polygon")
    _labelme(folder, "a", [("landslide", _square(20, 20), "polygon"), river, rest])
    _labelme(folder, "b", [("滑坡", _square(40, 20), "polygon"), rest])
    chips, report, said = _read(folder, format="labelme")
    assert report["landslides"].tolist() == [1, 1]
    assert read_chip(chips[1])[1][0, 20:30, 40:50].all()
    assert "river (1)" in said[0] and "_background_ (2)" in said[0]


def test_a_landslide_of_labelme_must_be_an_area(folder):
    _labelme(folder, "a", [("landslide", [[1, 1], [50, 50]], "line")])
    _, report, _ = _read(folder, format="labelme")
    assert "neither a polygon nor a rectangle" in report["problem"][0]


def test_labelme_in_folders_of_parts(folder):
    for name in ("train/a", "train/b", "val/a", "test/a"):
        _labelme(folder, name, [("slide", _square(20, 20), "polygon")])
    chips, report, said = _read(folder, format="labelme")
    assert [chip.split for chip in chips] == ["test", "train", "train", "val"]
    assert {chip.area for chip in chips} == {""} and not said


def test_labelme_files_by_wildcard(folder):
    for name in ("a", "b"):
        _labelme(folder, name, [("slide", _square(20, 20), "polygon")])
    assert len(_read(folder, path="?.json", format="labelme")[0]) == 2


def test_the_size_in_labelme_is_compared(folder):
    _labelme(folder, "a", [("slide", _square(20, 20), "polygon")], size=(480, 640))
    _, report, _ = _read(folder, format="labelme")
    assert "640×480 pixels, the image has 96×96" in report["problem"][0]


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_photographs_on_their_side_are_refused(folder, orientation):
    """Annotation tools show and outline the turned picture, GDAL reads it as stored."""
    _labelme(folder, "a", [("landslide", _square(20, 20), "polygon")], imagePath="a.jpg")
    image = Image.fromarray(picture())
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(folder.path / "a.jpg", exif=exif)
    _, report, _ = _read(folder, format="labelme")
    assert ("a.jpg: the photograph lies on its side" in report["problem"][0]) == (orientation > 1)


def _yolo(folder, names=None, image="images/train/a.png", lines=("0 .1 .1 .3 .1 .3 .3 .1 .3",)):
    path = folder.path / image
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture()).save(path)
    text = folder.path / image.replace("images", "labels")
    text.parent.mkdir(parents=True, exist_ok=True)
    text.with_suffix(".txt").write_text("\n".join(lines) + "\n")
    if names is not None:
        (folder.path / "data.yaml").write_text(json.dumps({"nc": len(names), "names": names}))


@pytest.mark.parametrize("names", [["landslide", "road"], {0: "landslide", 1: "road"}])
def test_yolo_outlines(folder, names):
    """In shares of width and height; the second class is no landslide."""
    lines = ["0 .125 .25 .375 .25 .375 .5 .125 .5", "1 .1 .1 .2 .1 .2 .2"]
    _yolo(folder, names, lines=lines)
    for part in ("val", "test"):
        _yolo(folder, names, image=f"images/{part}/b.png")
    chips, report, said = _read(folder, format="yolo")
    assert report["landslides"].tolist() == [1, 1, 1]
    assert [chip.split for chip in chips] == ["test", "train", "val"]
    mask = read_chip(chips[1])[1][0]
    assert mask[24:48, 12:36].all() and mask.sum() == 24 * 24
    assert "road (1)" in said[0]


def test_yolo_folders_of_parts(folder):
    """``train/images`` and ``train/labels``; an image without a text has no landslide."""
    _yolo(folder, ["landslide"], image="train/images/a.png")
    _yolo(folder, ["landslide"], image="valid/images/a.png")
    _yolo(folder, ["landslide"], image="test/images/a.png")
    (folder.path / "test/labels/a.txt").unlink()
    chips, report, said = _read(folder, format="yolo")
    assert [chip.split for chip in chips] == ["test", "train", "val"]
    assert report["landslides"].tolist() == [0, 1, 1]
    assert "without a file of outlines" in said[0] and "1 of 3" in said[0]


@pytest.mark.parametrize("lines", [["0 .5 .5 .2 .2"], ["0 .5 .5 .2 .2 .93"]])
def test_yolo_boxes_are_refused(folder, lines):
    _yolo(folder, ["landslide"], lines=lines)
    with pytest.raises(InputError, match=r"a.txt, line 1: a box is no outline.*segmentation"):
        _read(folder, format="yolo")


def test_yolo_without_names(folder):
    """One class is taken, of several the number must be named."""
    _yolo(folder)
    _, _, said = _read(folder, format="yolo")
    assert '"class 0" and is taken' in said[0]
    _yolo(folder, lines=["0 .1 .1 .3 .1 .3 .3", "1 .5 .5 .7 .5 .7 .7"])
    with pytest.raises(InputError, match="class 0"):
        _read(folder, format="yolo")
    _, report, _ = _read(folder, format="yolo", landslide_labels=[1])
    assert report["landslides"].tolist() == [1]


def test_no_coco_file_at_all(folder):
    (folder.path / "labels.csv").write_text("a,b\n")
    with pytest.raises(InputError, match="no readable COCO.*labels.csv"):
        _read(folder, format="coco")


def test_json_of_another_tool(folder):
    (folder.path / "via.json").write_text('{"a.png123": {"filename": "a.png", "regions": []}}')
    with pytest.raises(InputError, match="via.json.*no readable COCO file.*no key 'images'"):
        _read(folder, path="via.json", format="coco")


def test_images_of_the_catalog_are_found_without_reading_pixels(folder):
    """What a run hashes."""
    _coco(folder, "coco.json", ["a.png", "b.png"], THREE[:1], {1: "landslide"})
    folder.content["images"] = {"path": "coco.json", "format": "coco"}
    assert [chip.image.name for chip in find_chips(folder.catalog())] == ["a.png", "b.png"]
