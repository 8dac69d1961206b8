"""The network: built from parts, nothing frozen, nothing downloaded, stored and read back."""

import socket
from dataclasses import replace
from urllib.error import URLError

import numpy as np
import pytest
import torch
import torchvision
from torch import nn
from torchvision.models.detection.rpn import RPNHead
from torchvision.ops import MultiScaleRoIAlign

from lsa_helpers.detect.maskrcnn import LandslideRCNN, ProposalHead, semantic_loss
from lsa_helpers.detect.model import DetectorConfig, build_detector, load_detector, save_detector
from lsa_helpers.detect.pyramid import FeaturePyramid, use_bfloat16
from lsa_helpers.detect.regionpool import RegionPool
from lsa_helpers.errors import InputError
from lsa_helpers.reproducible import reproducible

SMALL = {
    "fpn_width": 16,
    "box_batch_size_per_image": 8,
    "rpn_post_nms_top_n": 20,
    "chip_size": 64,
}


@pytest.mark.parametrize("backbone", ["resnet18", "resnet50"])
def test_nothing_is_frozen_and_nothing_downloaded(backbone, monkeypatch):
    """All parameters learn, norms are real batch norms, and no socket or hub is touched while
    building.
    """

    def refuse(*args, **kwargs):
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", refuse)
    model = build_detector(DetectorConfig(backbone=backbone, **SMALL))
    assert all(parameter.requires_grad for parameter in model.parameters())
    norms = [module for module in model.modules() if "BatchNorm" in type(module).__name__]
    assert norms and all(type(module) is nn.BatchNorm2d for module in norms)


@pytest.mark.parametrize("training", [True, False])
def test_images_are_not_scaled(training):
    """In training and in use the network sees images as they are; torchvision would enlarge them to
    800 pixels in use.
    """
    model = build_detector(DetectorConfig(**SMALL)).train(training)
    images, _ = model.transform([torch.rand(3, 64, 48)])
    assert images.image_sizes == [(64, 48)]


def test_scores_are_weighed_by_the_masks_before_these_are_drawn():
    """A mask of 0.9 within its outline makes 0.4 the root of 0.36, a vague one less; the masks then
    cover the image, in the new order.
    """
    model = build_detector(DetectorConfig(**SMALL)).eval()
    masks = torch.stack([torch.full((1, 28, 28), 0.55), torch.full((1, 28, 28), 0.9)])
    found = {
        "boxes": torch.tensor([[0.0, 0, 20, 20], [30, 30, 60, 60]]),
        "scores": torch.tensor([0.5, 0.4]),
        "masks": masks,
    }
    (drawn,) = model.transform.postprocess([found], [(64, 64)], [(64, 64)])
    np.testing.assert_allclose(drawn["scores"], [0.36**0.5, 0.275**0.5], rtol=1e-5)
    assert drawn["masks"].shape == (2, 1, 64, 64) and drawn["masks"][0, 0, 45, 45] == pytest.approx(
        0.9
    )
    assert drawn["masks"][0, 0, 10, 10] == 0 and drawn["boxes"][0].tolist() == [30, 30, 60, 60]


def test_outlines_are_the_detections_before_drawing():
    """The same boxes and scores as the drawn ones, with masks of the head's 28 × 28 cells."""
    torch.manual_seed(1)
    model, picture = build_detector(DetectorConfig(**SMALL)).eval(), torch.rand(3, 64, 96)
    with torch.inference_mode():
        (small,), (drawn,) = model.outlines([picture]), model([picture])
    assert (
        torch.equal(small["boxes"], drawn["boxes"])
        and torch.equal(small["scores"], drawn["scores"])
        and len(drawn["scores"])
    )
    assert small["masks"].shape[1:] == (1, 28, 28) and drawn["masks"].shape[1:] == (1, 64, 96)


@pytest.mark.parametrize("gpu", [True, False])
def test_a_gpu_is_not_asked_for_repeatable_sums(gpu, monkeypatch):
    """There torchvision would compile its RoIAlign for every size of image; on a processor sums
    repeat. Both end as they began.
    """
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    before = torch.are_deterministic_algorithms_enabled()
    with reproducible(0, 1):
        assert torch.are_deterministic_algorithms_enabled() is not gpu
    assert torch.are_deterministic_algorithms_enabled() is before


def test_the_chapters_pieces_are_the_stored_detector():
    """Chapter 02 puts the detector together in sight; what `build_detector` builds has the same
    weights, so that the file can be read.
    """
    torch.manual_seed(0)
    body = torchvision.models.get_model("resnet18", weights=None)
    pyramid = FeaturePyramid(body, 3, 16, semantic=True)
    ours = LandslideRCNN(pyramid, num_classes=2, rpn_post_nms_top_n=20, semantic_weight=1.0)
    torch.manual_seed(0)
    config = DetectorConfig(fpn_width=16, backbone_stages=3, semantic_weight=1.0)
    again = build_detector(config).state_dict()
    assert again.keys() == ours.state_dict().keys()
    assert all(torch.equal(again[name], value) for name, value in ours.state_dict().items())


def test_a_detector_of_other_images_is_refused():
    """Bands, scale, resolution and radiometry must be those it learned; the way out is named. The
    size of chips matters only where the resolution is not known.
    """
    stored = DetectorConfig(normalise_radiometry=True, chip_size=64, resolution_m=2.0)
    stored.need_same_images(replace(stored, chip_size=96, tta=4), "d.safetensors")
    with pytest.raises(InputError, match="d.safetensors.*prepared otherwise") as caught:
        stored.need_same_images(replace(stored, normalise_radiometry=False), "d.safetensors")
    assert "normalise_radiometry: True" in str(caught.value)
    with pytest.raises(InputError, match="chip_size: 64"):
        replace(stored, resolution_m=0.0).need_same_images(
            replace(stored, resolution_m=0.0, chip_size=96), "d.safetensors"
        )


def test_stored_detector_predicts_the_same(tmp_path):
    """Weights and configuration survive the safetensors file."""
    torch.manual_seed(0)
    config = DetectorConfig(**SMALL)
    model = use_bfloat16(build_detector(config).eval()).to(memory_format=torch.channels_last)
    again, read = load_detector(save_detector(tmp_path / "d.safetensors", model, config))
    image = [torch.rand(3, 64, 48)]
    with torch.inference_mode():
        one, two = model(image)[0], again(image)[0]
    assert read == config
    torch.testing.assert_close(one["boxes"], two["boxes"])
    torch.testing.assert_close(one["masks"], two["masks"])


def _targets(height=64, width=48):
    masks = torch.zeros(1, height, width, dtype=torch.uint8)
    masks[:, 8:40, 8:30] = 1
    return [
        {
            "boxes": torch.tensor([[8.0, 8, 30, 40]]),
            "labels": torch.ones(1, dtype=torch.int64),
            "masks": masks,
        }
    ]


def test_semantic_branch_teaches_and_joins_the_finest_level():
    """It adds one loss while training, sends its gradient into the backbone, and changes the finest
    level alone.
    """
    torch.manual_seed(0)
    plain, taught = (
        build_detector(DetectorConfig(semantic_weight=weight, **SMALL)).train()
        for weight in (0.0, 2.0)
    )
    images = [torch.rand(3, 64, 48)]
    assert "loss_semantic" not in plain(images, _targets())
    losses = taught(images, _targets())
    assert taught.backbone.logits is None  # nothing of the batch is kept
    losses["loss_semantic"].backward()
    assert taught.backbone.body.conv1.weight.grad.abs().sum() > 0
    assert taught.semantic_weight == 2.0 and set(taught.eval()(images)[0]) == {
        "boxes",
        "labels",
        "scores",
        "masks",
    }
    with torch.inference_mode():
        joined = taught.backbone(torch.stack(images))
        taught.backbone.semantic = None
        alone = taught.backbone(torch.stack(images))
    assert [bool(torch.equal(joined[name], alone[name])) for name in "0123"] == [
        False,
        True,
        True,
        True,
    ]


def test_a_shorter_backbone_keeps_its_levels_and_pools_the_others():
    """Without its last stage a ResNet18 has a quarter of its weights; five levels stay, those it
    has no stage for are every second cell.
    """
    whole, short = (
        build_detector(DetectorConfig(backbone_stages=stages, semantic_weight=1.0)).eval()
        for stages in (4, 3)
    )
    assert sum(each.numel() for each in short.backbone.body.parameters()) < 0.26 * sum(
        each.numel() for each in whole.backbone.body.parameters()
    )
    with torch.inference_mode():
        full, maps = (
            list(each.backbone(torch.rand(1, 3, 96, 128)).values()) for each in (whole, short)
        )
    assert [each.shape for each in maps] == [each.shape for each in full]
    assert maps[0].shape == (1, 64, 24, 32)
    assert torch.equal(maps[3], maps[2][..., ::2, ::2]) and torch.equal(
        maps[4], maps[3][..., ::2, ::2]
    )
    assert torch.equal(full[4], full[3][..., ::2, ::2]) and not torch.equal(
        full[3], full[2][..., ::2, ::2]
    )
    assert short.roi_heads.mask_roi_pool.featmap_names == [
        "0",
        "1",
        "2",
    ]  # regions look where something was learned
    assert build_detector(DetectorConfig(backbone_stages=2)).backbone.levels == ["0", "1"]
    losses = short.train()([torch.rand(3, 64, 48)], _targets())
    sum(losses.values()).backward()
    assert all(each.grad is not None for each in short.backbone.parameters())


@pytest.mark.parametrize(("size", "samples"), [(7, 1), (14, 2)])
@pytest.mark.known_by("torchvision", "Pooling of regions")
def test_regions_are_pooled_as_torchvision_pools_them(size, samples):
    """Values and gradients equal MultiScaleRoIAlign's: regions of every level, on edges, smaller
    than a cell; an image without any.
    """
    torch.manual_seed(0)
    boxes = [
        torch.tensor([[3.0, 4, 50, 60], [0, 0, 480, 500], [10, 10, 12, 11]]),
        torch.zeros(0, 4),
        torch.tensor([[300.0, 10, 512, 512]]),
    ]
    results = []
    for kind in (MultiScaleRoIAlign, RegionPool):
        torch.manual_seed(1)
        maps = {
            name: torch.randn(3, 8, 128 // 2**i, 128 // 2**i, requires_grad=True)
            for i, name in enumerate("0123")
        }
        found = kind(list("0123"), size, samples)(maps, boxes, [(512, 512)] * 3)
        (found * torch.linspace(-1, 1, found.numel()).reshape(found.shape)).sum().backward()
        results.append([found, *(maps[name].grad for name in "023")])
    for theirs, ours in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, atol=2e-4, rtol=1e-4)
    none = RegionPool(list("0123"), size, samples)(maps, [torch.zeros(0, 4)] * 3, [(512, 512)] * 3)
    assert none.shape == (0, 8, size, size)
    none.sum().backward()


def test_semantic_loss_by_hand():
    """Logits of 0 against two landslide cells of four: cross-entropy ln 2, Dice 1 - (2·1 + 1) / (2
    + 2 + 1); cells outside do not count.
    """
    mask = torch.zeros(1, 8, 8, dtype=torch.uint8)
    mask[:, :, :4] = 1
    expected = np.log(2) + 1 - 3 / 5
    assert semantic_loss(torch.zeros(1, 2, 2), [mask]).item() == pytest.approx(expected, abs=1e-6)
    wider = torch.zeros(1, 2, 5)
    wider[..., 2:] = 50
    assert semantic_loss(wider, [mask]).item() == pytest.approx(expected, abs=1e-6)
    nothing = torch.zeros(0, 8, 8, dtype=torch.uint8)
    assert semantic_loss(torch.full((1, 2, 2), -30.0), [nothing]).item() == pytest.approx(
        0, abs=1e-6
    )


def test_wrong_files_are_named(tmp_path):
    """A broken detector and weights of another network are errors of the user."""
    (tmp_path / "d.safetensors").write_bytes(b"nothing")
    with pytest.raises(InputError, match="d.safetensors"):
        load_detector(tmp_path / "d.safetensors")
    torch.save({"conv1.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "w.pth")
    with pytest.raises(InputError, match="w.pth.*missing"):
        build_detector(DetectorConfig(**SMALL), weights=tmp_path / "w.pth")


def test_local_weights_are_used(tmp_path):
    """A local state dict of the backbone arrives in the network."""
    torch.manual_seed(1)
    body = torchvision.models.resnet18(weights=None)
    torch.save(body.state_dict(), tmp_path / "w.pth")
    model = build_detector(DetectorConfig(**SMALL), weights=tmp_path / "w.pth")
    torch.testing.assert_close(model.backbone.body["conv1"].weight, body.conv1.weight)


@pytest.mark.parametrize("name", ["IMAGENET1K_V1", "ResNet18_Weights.IMAGENET1K_V1"])
def test_weights_by_name_are_downloaded_when_asked_for(name, monkeypatch):
    """Either name asks torchvision's own address for ResNet18's file, to be checked by its hash,
    and the weights arrive.
    """
    torch.manual_seed(1)
    body, asked = torchvision.models.resnet18(weights=None), []
    monkeypatch.setattr(
        torch.hub,
        "load_state_dict_from_url",
        lambda url, **how: (asked.append((url, how)), body.state_dict())[1],
    )
    model = build_detector(DetectorConfig(**SMALL), weights=name)
    torch.testing.assert_close(model.backbone.body["conv1"].weight, body.conv1.weight)
    ((url, how),) = asked
    assert url == torchvision.models.ResNet18_Weights.IMAGENET1K_V1.url
    assert how["check_hash"] and how["weights_only"]


def test_weights_that_cannot_be_downloaded_say_what_to_do(monkeypatch):
    """Without a network the message names the address and the parameter that takes the file from
    there.
    """

    def offline(*args, **kwargs):
        raise URLError("Name or service not known")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", offline)
    with pytest.raises(
        InputError, match="parameter weights: the weights IMAGENET1K_V2 cannot be downloaded"
    ) as caught:
        build_detector(DetectorConfig(backbone="resnet50", **SMALL), weights="IMAGENET1K_V2")
    for words in (
        "Name or service not known",
        torchvision.models.ResNet50_Weights.IMAGENET1K_V2.url,
        "on another machine",
        "`weights`",
    ):
        assert words in str(caught.value)


@pytest.mark.parametrize("name", ["IMAGENET1K_V2", "ResNet50_Weights.IMAGENET1K_V1", "IMAGENET"])
def test_unknown_weights_are_named_before_anything_is_downloaded(name, monkeypatch):
    """ResNet18 has one set of weights: a name of ResNet50's or of nothing is refused, and the
    message says which there is.
    """
    monkeypatch.setattr(
        torch.hub,
        "load_state_dict_from_url",
        lambda *args, **how: pytest.fail("the network was used"),
    )
    with pytest.raises(
        InputError, match=f"no such weights for resnet18.*{name}.*IMAGENET1K_V1.*local file"
    ):
        build_detector(DetectorConfig(**SMALL), weights=name)


def test_proposals_in_bfloat16_are_those_of_float32():
    """Logits and shifts come back as float32 and differ by no more than bfloat16 rounds; without it
    nothing changes.
    """
    torch.manual_seed(0)
    head, plain = ProposalHead(16, 3), RPNHead(16, 3)
    plain.load_state_dict(head.state_dict())
    maps = [torch.randn(2, 16, edge, edge) for edge in (12, 6)]
    expected = plain(maps)
    for value, other in zip(sum(head(maps), []), sum(expected, []), strict=True):
        assert torch.equal(value, other)
    head.bf16 = True
    for value, other in zip(sum(head(maps), []), sum(expected, []), strict=True):
        assert value.dtype == torch.float32 and not torch.equal(value, other)
        assert (value - other).abs().max() < 0.02 * other.abs().max()
