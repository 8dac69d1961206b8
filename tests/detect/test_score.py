"""Scores against pycocotools and by hand, of our detector and of torchvision's."""

import contextlib
import io
import json

import geopandas as gpd
import lightning
import numpy as np
import pytest
import shapely
import torch
import torchvision
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch.utils.data import DataLoader
from torchmetrics.detection import MeanAveragePrecision
from torchvision.ops import masks_to_boxes

from lsa_helpers.detect.dataset import ChipSet, collate
from lsa_helpers.detect.layouts import read_collection
from lsa_helpers.detect.matching import mask_iou, match, polygon_iou
from lsa_helpers.detect.model import DetectorConfig, build_detector
from lsa_helpers.detect.score import ScoreSweep, predict, score_row
from lsa_helpers.detect.train import DetectorTraining, TrainConfig, trainer_options
from lsa_helpers.errors import InputDoubt
from lsa_helpers.reproducible import reproducible

# The names in `score_row` of what COCOeval summarises, in its order; recalls with 1 and 10
# detections are not in it.
STATS = (
    "AP",
    "AP50",
    "AP75",
    "AP_small",
    "AP_medium",
    "AP_large",
    "",
    "",
    "AR",
    "AR_small",
    "AR_medium",
    "AR_large",
)


def _square(size, top, left, edge):
    mask = np.zeros((size, size), bool)
    mask[top : top + edge, left : left + edge] = True
    return mask


def _case(truth, found):
    """Truth squares and found (score, square) on a 60 × 60 image, as the scorer wants them."""
    pack = [
        np.stack(squares) if squares else np.zeros((0, 60, 60), bool)
        for squares in (truth, [square for _, square in found])
    ]
    masks = [torch.tensor(part) for part in pack]
    edge = torch.tensor([0.0, 0.0, 1.0, 1.0])
    boxes = [masks_to_boxes(part) + edge if len(part) else torch.zeros(0, 4) for part in masks]
    labels = [torch.ones(len(part), dtype=torch.int64) for part in pack]
    target = {"boxes": boxes[0], "labels": labels[0], "masks": masks[0].to(torch.uint8)}
    return {
        "boxes": boxes[1],
        "labels": labels[1],
        "masks": masks[1],
        "scores": torch.tensor([s for s, _ in found]),
    }, target


@pytest.fixture()
def three_images():
    """Image 1: one right, one double, one shifted below IoU 0.5. Image 2: missed and a weak one.
    Image 3: a false alarm.
    """
    return [
        _case(
            [_square(60, 5, 5, 20), _square(60, 35, 35, 20)],
            [
                (0.9, _square(60, 5, 5, 20)),
                (0.8, _square(60, 6, 6, 20)),
                (0.7, _square(60, 43, 35, 16)),
            ],
        ),
        _case([_square(60, 10, 10, 10), _square(60, 40, 5, 12)], [(0.3, _square(60, 10, 11, 10))]),
        _case([], [(0.6, _square(60, 20, 20, 8))]),
    ]


def _scores(cases):
    sweep = ScoreSweep()
    sweep.update(*zip(*cases, strict=True)) if cases else None
    return sweep


def _row(cases):
    """The row of the table of scores, as chapter 02 makes it."""
    coco = MeanAveragePrecision(iou_type=("segm", "bbox"), backend="pycocotools")
    detections, truths = zip(*cases, strict=True)
    coco.update(list(detections), list(truths))
    return score_row(coco.compute(), _scores(cases))


@pytest.mark.known_by("values by hand", "Precision, recall and F1 of landslides")
def test_precision_recall_f1_by_hand(three_images):
    """At 0.5: one hit, three false alarms, three misses; at 0.25 the weak one is a hit too."""
    sweep = _scores(three_images).landslides().set_index("score")
    assert sweep.loc[0.5, ["tp", "fp", "fn"]].tolist() == [1, 3, 3]
    assert (
        sweep.loc[0.5, "precision"] == 0.25
        and sweep.loc[0.5, "recall"] == 0.25
        and sweep.loc[0.5, "f1"] == 0.25
    )
    assert sweep.loc[0.25, ["tp", "fp", "fn"]].tolist() == [2, 3, 2]
    assert sweep.loc[0.95, ["tp", "fp", "fn"]].tolist() == [0, 0, 4] and np.isnan(
        sweep.loc[0.95, "precision"]
    )


def test_every_chip_says_what_became_of_its_landslides(three_images):
    """Sums over chips are those of the sweep; the third shows nothing and has a false alarm."""
    chips = _scores(three_images).chips(0.5)
    assert chips["hit"].tolist() == [1, 0, 0]
    assert chips["false_alarm"].tolist() == [2, 0, 1]
    assert chips["missed"].tolist() == [1, 2, 0]
    assert ScoreSweep().chips().empty


def test_pixel_iou_by_hand():
    """A square of 100 pixels found shifted by half: 50 shared of 150."""
    row = _row([_case([_square(60, 10, 10, 10)], [(0.9, _square(60, 10, 15, 10))])])
    assert row["pixel_iou"] == pytest.approx(100 / 3)


def test_best_threshold_drops_the_false_alarm():
    """A right detection at 0.9 and a false one at 0.4: pixel F1 is best above 0.4, as is IoU."""
    found = [(0.9, _square(60, 10, 10, 10)), (0.4, _square(60, 40, 40, 10))]
    sweep = _scores([_case([_square(60, 10, 10, 10)], found)])
    assert 0.4 < sweep.best_threshold() <= 0.9
    pixels = sweep.pixels().set_index("score")
    assert pixels["iou"][sweep.best_threshold()] == pixels["iou"].max() == 1
    assert pixels["iou"][0.1] == 0.5 and pixels["precision"][0.1] == 0.5


def _cocoeval(cases, folder):
    """Truths and predictions as COCO's JSON files, read and judged by pycocotools alone: names of
    `score_row` and fractions.
    """

    def code(mask):
        coded = rle.encode(np.asfortranarray(mask.numpy().astype(np.uint8)))
        return coded | {"counts": coded["counts"].decode()}

    def note(number, box, mask):
        x0, y0, x1, y1 = box.tolist()
        return {
            "image_id": number,
            "category_id": 1,
            "bbox": [x0, y0, x1 - x0, y1 - y0],
            "segmentation": code(mask),
        }

    images, notes, results = [], [], []
    for number, (found, target) in enumerate(cases, 1):
        images.append(
            dict(zip(("height", "width"), target["masks"].shape[1:], strict=True)) | {"id": number}
        )
        for box, mask in zip(target["boxes"], target["masks"], strict=True):
            notes.append(
                note(number, box, mask)
                | {"id": len(notes) + 1, "iscrowd": 0, "area": int(mask.sum())}
            )
        for box, mask, sure in zip(found["boxes"], found["masks"], found["scores"], strict=True):
            results.append(note(number, box, mask) | {"score": float(sure)})
    truth = {
        "info": {},
        "images": images,
        "annotations": notes,
        "categories": [{"id": 1, "name": "landslide"}],
    }
    for name, content in (("truth", truth), ("results", results)):
        (folder / f"{name}.json").write_text(json.dumps(content))
    figures = {}
    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO(folder / "truth.json")
        for kind in ("segm", "bbox"):
            judge = COCOeval(known, known.loadRes(str(folder / "results.json")), kind)
            judge.evaluate(), judge.accumulate(), judge.summarize()
            figures |= {
                f"{name}_{kind}": value if value >= 0 else np.nan
                for name, value in zip(STATS, judge.stats, strict=True)
                if name
            }
    return figures


@pytest.mark.known_by("pycocotools", "Average precision and recall")
def test_coco_figures_equal_pycocotools(three_images, tmp_path):
    """AP and AR for mask and box equal COCOeval called directly."""
    row = _row(three_images)
    for name, value in _cocoeval(three_images, tmp_path).items():
        assert row[name] / 100 == pytest.approx(value, abs=1e-6, nan_ok=True), name


def _torchvisions_own():
    """The one line by which chapter 02's detector is replaced, at a small size."""
    return torchvision.models.detection.maskrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=2, min_size=64, box_detections_per_img=5
    )


SMALL = DetectorConfig(
    fpn_width=16, box_batch_size_per_image=8, rpn_post_nms_top_n=50, chip_size=64
)


@pytest.mark.parametrize(
    "make", [lambda: build_detector(SMALL), _torchvisions_own], ids=["ours", "torchvision's"]
)
def test_any_detector_of_torchvisions_interface_is_trained_and_scored(masks_folder, tmp_path, make):
    """One epoch, then detections, COCO's figures and the sweep, as the chapter does it; every COCO
    figure is what pycocotools says of the same detections.
    """
    chips = read_collection(masks_folder, "masks")
    learn, judged = (ChipSet(some, SMALL) for some in (chips[:4], chips))
    config = TrainConfig(epochs=1, batch_size=2, validate_every=1, n_jobs=1)
    with reproducible(0, 1):
        model = make()
        before = [value.clone() for value in model.parameters()]
        training = DetectorTraining(model, config, learn, judged)
        trainer = lightning.Trainer(max_epochs=1, **trainer_options(tmp_path / "ck", config))
        trainer.fit(training)
    assert np.isfinite(training.history[["loss", "loss_mask", "val_ap50"]].to_numpy()).all()
    assert any(not torch.equal(*pair) for pair in zip(before, model.parameters(), strict=True))
    model.roi_heads.score_thresh = 0.0  # so soon it is sure of nothing
    cases = []
    for images, truths in DataLoader(judged, 4, collate_fn=collate):
        cases += zip(predict(model.eval(), images), truths, strict=True)
    assert len(cases) == len(chips) and sum(len(found["scores"]) for found, _ in cases) > 0
    row = _row(cases)
    for name, value in _cocoeval(cases, tmp_path).items():
        assert row[name] / 100 == pytest.approx(value, abs=1e-6, nan_ok=True), name
    once = _scores(cases).draws(np.ones((1, len(cases)), int))
    assert {name: row[name] for name in once} == pytest.approx(
        {name: values.item() for name, values in once.items()}, abs=1e-4, nan_ok=True
    )


def test_match_is_one_to_one():
    """The second detection of a landslide is false, unless another landslide is free for it."""
    assert match(np.array([[0.9], [0.8]])).tolist() == [True, False]
    assert match(np.array([[0.9, 0.6], [0.8, 0.7]])).tolist() == [True, True]
    assert match(np.zeros((2, 0))).tolist() == [False, False]


def test_a_perfect_score_is_doubted():
    """Ten landslides of ten found and nothing else: the chips are suspected, not the network."""
    truth = np.zeros((40, 40), bool)
    truth[10:20, 10:30] = True
    with pytest.warns(InputDoubt, match="AP50 is 100"):
        assert _row([_case([truth], [(0.9, truth)])] * 10)["AP50_segm"] == 100
    assert _row([_case([truth], [(0.9, truth)])] * 9)["AP50_segm"] == 100


def test_half_an_overlap_is_a_match():
    """IoU of exactly 0.5 counts, as with COCO; 99 pixels of 200 do not."""
    assert match(np.array([[0.5]])).tolist() == [True]
    assert match(np.array([[np.nextafter(0.5, 0)]])).tolist() == [False]
    truth = np.zeros((60, 60), bool)
    truth[10:20, 10:30] = True  # 200 pixels
    half = truth & (np.arange(60) < 20)
    less = half.copy()
    less[10, 10] = False
    for found, right in ((half, 1), (less, 0)):
        cases = [_case([truth], [(0.9, found)])]
        assert mask_iou(found[None], truth[None]).item() == found.sum() / 200
        assert _scores(cases).landslides()["tp"].max() == right
        assert _row(cases)["AP50_segm"] == 100 * right


def test_polygons_are_matched_one_to_one():
    """By hand: the surer of two detections of one landslide takes it, though the other covers it
    better; a half of a square is a match, a quarter is none.
    """
    known = gpd.GeoDataFrame(geometry=list(shapely.box([0, 50, 90], 0, [10, 60, 99], [10, 10, 9])))
    detected = gpd.GeoDataFrame(
        geometry=[
            shapely.box(0, 0, 10, 8),
            shapely.box(0, 0, 10, 10),
            shapely.box(50, 0, 60, 5),
            shapely.box(90, 0, 94.5, 4.5),
        ]
    )
    iou = polygon_iou(detected, known)
    expected = np.array([[0.8, 0, 0], [1, 0, 0], [0, 0.5, 0], [0, 0, 0.25]])
    np.testing.assert_allclose(iou, expected)
    assert match(iou).tolist() == [True, False, True, False]
    assert polygon_iou(detected[:0], known).shape == (0, 3)
    assert polygon_iou(detected, known[:0]).shape == (4, 0)


def test_a_score_of_exactly_the_threshold_is_kept():
    """A detection of 0.5 counts at the threshold 0.5 and not at 0.55, in landslides and pixels."""
    square = _square(60, 10, 10, 10)
    sweep = _scores([_case([square], [(0.5, square)])])
    assert sweep.landslides().set_index("score")["tp"][[0.5, 0.55]].tolist() == [1, 0]
    assert sweep.pixels().set_index("score")["recall"][[0.5, 0.55]].tolist() == [1, 0]


def _random_cases(seed, count):
    """Images with up to four landslides and detections near them, beside them and of any score."""
    rng = np.random.default_rng(seed)
    cases = []
    for _ in range(count):
        corners = rng.integers(2, 40, (rng.integers(0, 5), 2))
        places = np.vstack(
            [corners + rng.integers(-3, 4, corners.shape), rng.integers(2, 40, (2, 2))]
        )
        found = [(float(rng.random()), _square(60, max(0, y), max(0, x), 12)) for y, x in places]
        found.sort(key=lambda pair: -pair[0])
        cases.append(_case([_square(60, y, x, 12) for y, x in corners], found))
    return cases


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.known_by("torchmetrics", "Intervals of detection scores")
def test_draws_are_the_scores_of_chips_drawn_again(seed):
    """A chip that counts twice gives what torchmetrics says of it twice, one that counts not, of
    the others; the first row, each chip once, is the table's.
    """
    cases = _random_cases(seed, 12)
    weights = np.random.default_rng(seed).multinomial(12, [1 / 12] * 12, 3)
    drawn = _scores(cases).draws(np.vstack([np.ones(12, int), weights]), threshold=0.3)
    for i, row in enumerate([[1] * 12, *weights]):
        again = [case for case, times in zip(cases, row, strict=True) for _ in range(times)]
        coco = MeanAveragePrecision(iou_type=("segm", "bbox"), backend="pycocotools")
        coco.update(*map(list, zip(*again, strict=True)))
        expected = score_row(coco.compute(), _scores(again), 0.3)
        for name, values in drawn.items():
            assert values[i] == pytest.approx(expected[name], abs=1e-4), name
    assert list(drawn) == ["AP50_segm", "precision", "f1", "recall", "pixel_iou"]


def test_a_pixel_counts_with_its_surest_detection():
    """A sure detection inside a weak one, both of one landslide: its pixels stay at 0.8, those
    around it go at 0.35.
    """
    whole, part = _square(60, 10, 10, 20), _square(60, 10, 10, 10)
    sweep = _scores([_case([whole], [(0.8, part), (0.3, whole)])])
    recall = sweep.pixels().set_index("score")["recall"]
    assert recall[[0.3, 0.35, 0.8, 0.85]].tolist() == [1, 0.25, 0.25, 0]


def test_no_right_pixel_leaves_the_threshold_at_a_half():
    """One false alarm and one miss: F1 is 0 at every threshold, so none is best."""
    sweep = _scores([_case([_square(60, 5, 5, 9)], [(0.9, _square(60, 40, 40, 9))])])
    assert sweep.pixels()["f1"].max() == 0 and sweep.best_threshold() == 0.5


def test_a_half_hearted_pixel_is_not_in_the_mask():
    """A detector's mask of exactly 0.5 is no landslide, as in the scene."""

    class Half(torch.nn.Linear):
        def forward(self, images):
            mask = torch.tensor([[[[0.5, 0.51]]]])
            return [{"masks": mask, "scores": torch.tensor([0.9])} for _ in images]

    (found,) = predict(Half(1, 1), [torch.zeros(3, 1, 2)])
    assert found["masks"].tolist() == [[[False, True]]]


def test_no_landslide_in_a_draw_leaves_ap_undefined(three_images):
    """Only the third image is drawn, which shows none: no recall, no AP; its false alarm counts."""
    drawn = _scores(three_images).draws(np.array([[0, 0, 1]]))
    assert np.isnan(drawn["AP50_segm"]).all() and np.isnan(drawn["recall"]).all()
    assert drawn["precision"].tolist() == [0] and drawn["pixel_iou"].tolist() == [0]


def test_no_chips_give_no_numbers():
    """Without chips every share is undefined and the threshold is 0.5."""
    sweep = ScoreSweep()
    assert np.isnan(sweep.landslides()["f1"]).all() and np.isnan(sweep.pixels()["iou"]).all()
    assert sweep.best_threshold() == 0.5
    drawn = sweep.draws(np.ones((2, 0), int))
    assert all(np.isnan(values).tolist() == [True, True] for values in drawn.values())
