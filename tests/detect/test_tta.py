"""Test-time augmentation: views turned there and back, fused by hand-checkable means."""

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.models.detection.roi_heads import paste_masks_in_image

from lsa_helpers.detect.model import DetectorConfig, build_detector, load_detector, save_detector
from lsa_helpers.detect.score import predict
from lsa_helpers.detect.tta import _mean_mask, _turn, predict_tta


class _SeesBright(torch.nn.Module):
    """Stands for a detector: the bright pixels of the first band are one landslide, whose score is
    `scores[view]`; 0: not seen.

    Its masks have 28 × 28 cells over their box, as Mask R-CNN's.
    """

    roi_heads = SimpleNamespace(detections_per_img=10, nms_thresh=0.3)

    def __init__(self, *scores: float):
        super().__init__()
        self.scores = scores

    def outlines(self, images):
        return [self._found(image, score) for image, score in zip(images, self.scores, strict=True)]

    def _found(self, image, score):
        mask = (image[0] > 0.5).float()
        rows, columns = torch.nonzero(mask).T
        box = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]).float()
        within, n = (
            mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1],
            int(score > 0),
        )
        return {
            "boxes": box[None][:n],
            "scores": torch.tensor([score])[:n],
            "labels": torch.ones(n, dtype=torch.int64),
            "masks": torch.nn.functional.interpolate(within[None, None], (28, 28))[:n],
        }


@pytest.fixture()
def image():
    """An L that no turn or flip maps onto itself, in an image that is no square."""
    values = torch.zeros(3, 120, 200)
    values[:, 20:90, 40:60] = 1
    values[:, 70:90, 40:150] = 1
    return values


@pytest.mark.parametrize("views", [2, 4, 8])
def test_what_every_view_sees_comes_back_in_place(image, views):
    """All views see the landslide alike, so their mean is what one of them saw: same box, mask and
    score.
    """
    found = predict_tta(_SeesBright(*[0.8] * views), image, views)
    assert found["boxes"][0].tolist() == pytest.approx([40, 20, 150, 90], abs=1)
    seen, true = found["masks"][0, 0] > 0.5, image[0] > 0.5
    assert (seen & true).sum() > 0.9 * (
        seen | true
    ).sum()  # a cell of the mask is up to four pixels wide; exact drawing: below
    assert found["scores"].tolist() == pytest.approx([0.8])


def test_views_differ_and_are_all_turns_of_a_square():
    """The eight views of a square without symmetry are eight different images, the four turns by
    90° among them.
    """
    square = torch.arange(9.0).reshape(1, 3, 3)
    seen = [_turn(square, view) for view in range(8)]
    assert len({tuple(each.flatten().tolist()) for each in seen}) == 8
    assert all(
        any(torch.equal(square.rot90(quarter, (1, 2)), each) for each in seen)
        for quarter in range(4)
    )


def test_a_score_is_the_mean_over_all_views(image):
    """Seen by two of four views with 0.9 and 0.5: (0.9 + 0.5) / 4; seen by none: nothing."""
    found = predict_tta(_SeesBright(0.9, 0.0, 0.5, 0.0), image, 4)
    assert found["scores"].tolist() == pytest.approx([0.35])
    nothing = predict_tta(_SeesBright(0.0, 0.0), image, 2)
    assert len(nothing["scores"]) == 0 and nothing["masks"].shape == (0, 1, 120, 200)


class _Listed(_SeesBright):
    """Detections of each view, (left, right, score) in columns of the image, rows 10 to 70."""

    def __init__(self, *views):
        super().__init__()
        self.views = views

    def outlines(self, images):
        found = []
        for view, (image, listed) in enumerate(zip(images, self.views, strict=True)):
            edges = [(240 - b, 240 - a) if view & 1 else (a, b) for a, b, _ in listed]
            boxes = [[left, 10.0, right, 70.0] for left, right in edges]
            n = len(listed)
            found.append(
                {
                    "boxes": torch.tensor(boxes).reshape(n, 4),
                    "scores": torch.tensor([score for *_, score in listed]),
                    "labels": torch.ones(n, dtype=torch.int64),
                    "masks": torch.ones(n, 1, 28, 28),
                }
            )
            assert image.shape[-2:] == (80, 240)
        return found


@pytest.mark.parametrize(("left", "count"), [(70, 1), (100, 2)])
def test_what_overlaps_by_a_third_is_one_landslide(left, count):
    """Columns 0–100 in one view and 40–140 in two others overlap by 60 of 140: they are fused, and
    two against one draw the box at 40–140. A weaker one apart from the first, 100 columns wide,
    then overlaps that box by 70 of 130, more than two fifths, and is dropped, or by 40 of 160, and
    stays.
    """
    other = (left, left + 100, 0.3)
    views = [(0, 100, 0.5), other], [(40, 140, 0.45)], [(40, 140, 0.45)], []
    found = predict_tta(_Listed(*views), torch.zeros(3, 80, 240), 4)
    assert found["scores"].tolist() == pytest.approx([0.35, 0.075][:count])
    assert found["boxes"][0].tolist() == pytest.approx([40, 10, 140, 70], abs=1.5)


def test_masks_are_means_weighted_by_score_and_boxes_enclose_them():
    """Two views whose masks differ: between them the mean is as sure as the second view, so the box
    ends with the first one's mask.
    """

    class Apart(_SeesBright):
        def _found(self, image, score):
            edge = 100 if score == 0.75 else 140
            left = 0 if score == 0.75 else 200 - edge  # the second view is flipped
            box = torch.tensor([[left, 10.0, left + edge, 70.0]])
            return {
                "boxes": box,
                "scores": torch.tensor([score]),
                "labels": torch.ones(1, dtype=torch.int64),
                "masks": torch.ones(1, 1, 28, 28),
            }

    found = predict_tta(Apart(0.75, 0.25), torch.zeros(3, 80, 200), 2)
    assert found["boxes"][0].tolist() == pytest.approx([0, 10, 100, 70], abs=1)
    row = found["masks"][0, 0, 40]
    assert (
        row[5:95].tolist() == [1.0] * 90
        and row[105:130].tolist() == [0.25] * 25
        and row[150:].max() == 0
    )
    assert found["masks"][0, 0, :8].max() == 0 and found["masks"][0, 0, 73:].max() == 0
    assert found["scores"].tolist() == [0.5]


@given(seed=st.integers(0, 10_000), count=st.integers(1, 4))
@settings(max_examples=40)
@pytest.mark.known_by("torchvision", "Masks drawn where they lie")
def test_masks_drawn_where_they_lie_are_torchvisions_on_the_whole_image(seed, count):
    """Only the ground that a group covers is drawn; put into the image it is the weighted mean of
    masks drawn over all of it.
    """
    rng, (height, width) = torch.Generator().manual_seed(seed), (70, 110)
    low = torch.rand(count, 2, generator=rng) * torch.tensor([width - 4.0, height - 4.0])
    high = (
        low
        + 1
        + torch.rand(count, 2, generator=rng) * (torch.tensor([float(width), height]) - low - 1)
    )
    boxes, masks = torch.cat([low, high], 1), torch.rand(count, 1, 28, 28, generator=rng)
    scores = 0.1 + torch.rand(count, generator=rng)
    (left, top), mean = _mean_mask(boxes, masks, scores, (height, width))
    found = torch.zeros(height, width)
    found[top : top + mean.shape[0], left : left + mean.shape[1]] = mean
    whole = paste_masks_in_image(masks, boxes, (height, width))[:, 0]
    torch.testing.assert_close(found, torch.tensordot(scores / scores.sum(), whole, 1))


def test_what_the_views_outline_nowhere_alike_is_none(image):
    """Two views that are sure of one box and in doubt of every pixel in it (0.4) leave no outline,
    so no landslide.
    """

    class Doubting(_SeesBright):
        def _found(self, image, score):
            found = super()._found(image, score)
            return found | {"masks": 0.4 * found["masks"]}

    assert len(predict_tta(Doubting(0.9, 0.9), image, 2)["scores"]) == 0
    found = predict_tta(Doubting(0.9, 0.0), image, 2)
    assert found["boxes"].shape == (0, 4) and found["masks"].shape == (0, 1, 120, 200)


def test_a_detector_keeps_its_views(tmp_path):
    """The number of views is stored with the detector; once it is set, the detector answers as ever
    but looks several times.
    """
    config = DetectorConfig(fpn_width=16, rpn_post_nms_top_n=20, chip_size=64, tta=4)
    torch.manual_seed(0)
    save_detector(tmp_path / "d.safetensors", build_detector(config), config)
    model, read = load_detector(tmp_path / "d.safetensors")
    assert (read.tta, model.tta) == (4, 1)
    model.tta = read.tta
    picture = torch.rand(3, 48, 64)
    with torch.inference_mode():
        expected = predict_tta(model, picture, 4)
    found = predict(model, [picture])[0]
    assert torch.equal(found["boxes"], expected["boxes"]) and found["masks"].shape[1:] == (48, 64)
    model.tta = 1
    one = predict(model, [picture])[0]
    with torch.inference_mode():
        assert torch.equal(one["scores"], model.outlines([picture])[0]["scores"])
