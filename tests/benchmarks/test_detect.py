"""Detection against plain torchvision and pycocotools in the same run: ``lsa bench detect``."""

import contextlib
import io

import numpy as np
import pytest
import rasterio
import torch
import torchvision
from affine import Affine
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torchmetrics.detection import MeanAveragePrecision
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.ops import MultiScaleRoIAlign

from lsa_helpers.detect.images import as_unit, open_image
from lsa_helpers.detect.inventory import polygonize
from lsa_helpers.detect.model import DetectorConfig, build_detector
from lsa_helpers.detect.muon import MuonAdamW
from lsa_helpers.detect.pyramid import use_bfloat16
from lsa_helpers.detect.regionpool import RegionPool
from lsa_helpers.detect.scene import (
    open_scene,
    read_tile,
    score_pixels,
    scores_on_disk,
    tile_starts,
    tiles,
)
from lsa_helpers.detect.score import ScoreSweep, score_row
from lsa_helpers.reproducible import reproducible
from lsa_helpers.runner.inputs import find_params, read_params

PIXELS, BATCH, SCENE, LARGE = 192, 4, 1024, 20_000


def own_config() -> DetectorConfig:
    """The detector of the parameter file quick, doing what the others do: one view, four stages,
    four layers in the mask head.
    """
    params = read_params(find_params("quick"))["02_detector"].model_dump()
    same = {"tta": 1, "backbone_stages": 4, "mask_layers": 4}
    return DetectorConfig.pick(params | same)


def own() -> torch.nn.Module:
    config = own_config()
    return use_bfloat16(build_detector(config)).to(memory_format=torch.channels_last)


def plain(**sizes) -> MaskRCNN:
    """The usual set-up: torchvision's Mask R-CNN on ResNet18 with a pyramid 64 wide, in float32."""
    body = torchvision.models.resnet18(weights=None)
    backbone = BackboneWithFPN(
        body, {f"layer{i + 1}": str(i) for i in range(4)}, [64, 128, 256, 512], 64
    )
    anchors = AnchorGenerator(tuple((8 * 2**i,) for i in range(5)), ((0.5, 1.0, 2.0),) * 5)
    return MaskRCNN(
        backbone, 2, min_size=PIXELS, max_size=SCENE, rpn_anchor_generator=anchors, **sizes
    )


def plain_small() -> MaskRCNN:
    """The same with as few regions as quick has."""
    config = own_config()
    passed = {
        "rpn_post_nms_top_n_train": config.rpn_post_nms_top_n,
        "rpn_pre_nms_top_n_train": config.rpn_post_nms_top_n,
    }
    return plain(box_batch_size_per_image=config.box_batch_size_per_image, **passed)


@pytest.fixture(scope="module")
def batch() -> tuple[list, list]:
    """Four noisy chips with three bright landslides each."""
    rng = np.random.default_rng(0)
    images, targets = [], []
    for _ in range(BATCH):
        image, masks = (
            torch.tensor(rng.random((3, PIXELS, PIXELS), np.float32)) * 0.3,
            torch.zeros(3, PIXELS, PIXELS, dtype=torch.uint8),
        )
        corners = torch.tensor(rng.integers(0, PIXELS - 40, (3, 2)))
        for mask, (x, y) in zip(masks, corners, strict=True):
            mask[y : y + 40, x : x + 25] = 1
            image[:, y : y + 40, x : x + 25] += 0.6
        boxes = torch.cat([corners, corners + torch.tensor([25, 40])], dim=1).float()
        images.append(image)
        targets.append({"boxes": boxes, "labels": torch.ones(3, dtype=torch.int64), "masks": masks})
    return images, targets


@pytest.mark.benchmark(group="training step")
@pytest.mark.parametrize(
    "model",
    [own, plain_small, plain],
    ids=["ours, quick", "plain torchvision, as few regions", "plain torchvision"],
)
def test_training_step(timed, batch, model):
    with reproducible(0, 2):
        network = model().train()
        optimizer = torch.optim.AdamW(network.parameters(), 1e-4)

        def step():
            optimizer.zero_grad()
            sum(network(*batch).values()).backward()
            optimizer.step()

        timed(step, rounds=7, work=(BATCH, "chips"))


@pytest.mark.benchmark(group="regions pooled, with their gradient")
@pytest.mark.parametrize("pool", [RegionPool, MultiScaleRoIAlign], ids=["ours", "torchvision"])
def test_regions(timed, pool):
    torch.manual_seed(0)
    maps = {
        name: torch.randn(BATCH, 64, 48 // 2**i, 48 // 2**i, requires_grad=True)
        for i, name in enumerate("0123")
    }
    corners = [torch.rand(96, 2) * 120 for _ in range(BATCH)]
    boxes = [torch.cat([corner, corner + 10 + torch.rand(96, 2) * 60], dim=1) for corner in corners]
    module = pool(list("0123"), 7, 1)
    with reproducible(0, 2):
        timed(
            lambda: module(maps, boxes, [(PIXELS, PIXELS)] * BATCH).sum().backward(),
            rounds=15,
            work=(BATCH * 96, "regions"),
        )


def inner_matrices() -> list[torch.nn.Parameter]:
    """What Muon steps of quick's detector, one row for each output, with gradients."""
    shapes = [(64, 576)] * 14 + [
        (128, 576),
        (128, 1152),
        (128, 1152),
        (128, 1152),
        (256, 1152),
        (256, 2304),
        (256, 2304),
        (256, 2304),
        (256, 3136),
    ]
    torch.manual_seed(0)
    values = [torch.nn.Parameter(torch.randn(shape)) for shape in shapes]
    for value in values:
        value.grad = torch.randn_like(value)
    return values


def our_muon(values) -> torch.optim.Optimizer:
    return MuonAdamW(values, 1e-3)


def torch_muon(values) -> torch.optim.Optimizer:
    return torch.optim.Muon(values, 3e-3, adjust_lr_fn="match_rms_adamw")


@pytest.mark.benchmark(group="an update with Muon")
@pytest.mark.parametrize("make", [our_muon, torch_muon], ids=["ours", "torch.optim.Muon"])
def test_muon(timed, make):
    with reproducible(0, 2):
        values = inner_matrices()
        gradients, optimizer = [value.grad for value in values], make(values)

        def step():
            for value, gradient in zip(values, gradients, strict=True):
                value.grad = gradient
            optimizer.step()

        timed(step, rounds=15, work=(len(values), "matrices"))


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A noisy scene of 1024² pixels with 60 bright landslides."""
    rng, path = np.random.default_rng(1), tmp_path_factory.mktemp("scene") / "scene.tif"
    pixels = rng.integers(0, 80, (3, SCENE, SCENE), np.uint8)
    for x, y in rng.integers(0, SCENE - 40, (60, 2)):
        pixels[:, y : y + 40, x : x + 25] += 120
    profile = dict(driver="GTiff", count=3, height=SCENE, width=SCENE, dtype="uint8", tiled=True)
    with rasterio.open(
        path, "w", **profile, crs="EPSG:32648", transform=Affine(2.5, 0, 5e5, 0, -2.5, 33e5)
    ) as file:
        file.write(pixels)
    return path


def whole_scene(model, path):
    """Ours: tiles to scores to polygons of the ground."""
    frame = open_scene(path)
    scores = scores_on_disk(frame, path.parent)
    with open_image(path) as file:
        for tile, weight in tiles(frame, 512, 128):
            pixels = read_tile(file, frame, tile)
            if pixels.any():
                image = torch.from_numpy(as_unit(pixels)).permute(2, 0, 1)
                scores[tile.toslices()] += weight * score_pixels(model, image)
    return polygonize(scores, frame.transform, frame.crs, low=0.05)


def window_loop(model, path):
    """The rival: the same windows one at a time, masks turned into polygons."""
    from rasterio.features import shapes

    with rasterio.open(path) as file, torch.inference_mode():
        pixels = torch.tensor(file.read()).float() / 255
    for row in tile_starts(SCENE, 512, 128):
        for col in tile_starts(SCENE, 512, 128):
            with torch.inference_mode():
                (found,) = model([pixels[:, row : row + 512, col : col + 512]])
            for mask in found["masks"][found["scores"] >= 0.05, 0]:
                list(shapes((mask > 0.5).numpy().astype(np.uint8), mask=(mask > 0.5).numpy()))


@pytest.mark.benchmark(group="scene search")
@pytest.mark.parametrize(
    ("model", "search"),
    [(own, whole_scene), (plain, window_loop)],
    ids=["ours, quick", "plain torchvision"],
)
def test_scene_search(timed, scene, model, search):
    with reproducible(0, 2):
        network = model().eval()
        if model is plain:
            network.transform.min_size = (512,)
        timed(lambda: search(network, scene), rounds=3, work=(SCENE**2 / 1e6, "megapixels"))


@pytest.fixture(scope="module")
def large_scene(tmp_path_factory):
    """A scene of 20,000² pixels in tiles of 512, a tenth of them grey with a bright landslide, the
    others empty and not stored.
    """
    rng, path, tile = np.random.default_rng(3), tmp_path_factory.mktemp("large") / "scene.tif", 512
    profile = dict(
        driver="GTiff",
        count=3,
        height=LARGE,
        width=LARGE,
        dtype="uint8",
        tiled=True,
        blockxsize=tile,
        blockysize=tile,
    )
    placed = dict(
        crs="EPSG:32648",
        transform=Affine(0.5, 0, 5e5, 0, -0.5, 33e5),
        SPARSE_OK=True,
        compress="deflate",
        interleave="pixel",
    )
    with rasterio.open(path, "w", **profile, **placed) as file:
        for number in rng.choice((LARGE // tile) ** 2, 150, replace=False):
            pixels = rng.integers(30, 60, (3, tile, tile), np.uint8)
            pixels[:, 200:320, 220:300] = 200
            row, col = divmod(int(number), LARGE // tile)
            file.write(pixels, window=rasterio.windows.Window(col * tile, row * tile, tile, tile))
    return path


class BrightPixels(torch.nn.Module):
    """A detector that costs next to nothing: what is bright is one landslide."""

    def forward(self, images):
        return [
            {"masks": (image[None, :1] > 0.5).float(), "scores": torch.full((1,), 0.9)}
            for image in images
        ]


@pytest.mark.benchmark(group="search of a scene of 400 megapixels, without a network")
def test_search_of_a_large_scene(timed, benchmark, large_scene):
    """A course's laptop has 8 GB. The scores of 1.6 GB lie on disk; most of what is held here is
    GDAL's cache of blocks, a twentieth of the machine's memory, and pages that may be dropped.
    """
    found = []
    timed(
        lambda: found.append(whole_scene(BrightPixels(), large_scene)),
        rounds=1,
        work=(LARGE**2 / 1e6, "megapixels"),
    )
    assert len(found[0]) == 150
    assert benchmark.extra_info["process_mb"] < 6000


@pytest.fixture(scope="module")
def findings() -> tuple[list, list]:
    """Detections and truths of a hundred chips: each truth shifted by a few pixels, with a random
    score.
    """
    rng, found, truths = np.random.default_rng(2), [], []
    for _ in range(100):
        corners = rng.integers(10, PIXELS - 60, (5, 2))
        pairs = []
        for shift in (np.zeros((5, 2), int), rng.integers(-6, 7, (5, 2))):
            masks = np.zeros((5, PIXELS, PIXELS), bool)
            for mask, (x, y) in zip(masks, corners + shift, strict=True):
                mask[y : y + 40, x : x + 25] = True
            boxes = np.hstack([corners + shift, corners + shift + [25, 40]]).astype(np.float32)
            pairs.append(
                {
                    "boxes": torch.tensor(boxes),
                    "labels": torch.ones(5, dtype=torch.int64),
                    "masks": torch.tensor(masks),
                }
            )
        truths.append(pairs[0] | {"masks": pairs[0]["masks"].to(torch.uint8)})
        found.append(
            pairs[1]
            | {"scores": torch.tensor(np.sort(rng.random(5).astype(np.float32))[::-1].copy())}
        )
    return found, truths


def our_scores(found, truths):
    """COCO figures, and precision, recall, F1 and pixel IoU over nineteen thresholds."""
    coco = MeanAveragePrecision(iou_type=("segm", "bbox"), backend="pycocotools")
    coco.update(found, truths)
    sweep = ScoreSweep()
    sweep.update(found, truths)
    return score_row(coco.compute(), sweep)


def cocoeval(found, truths):
    """The rival: pycocotools alone, COCO figures only."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco, ids = COCO(), iter(range(1, 10**6))
        coco.dataset = {
            "images": [{"id": i, "height": PIXELS, "width": PIXELS} for i in range(len(truths))],
            "categories": [{"id": 1}],
            "annotations": _notes(truths, ids),
        }
        coco.createIndex()
        said = COCO()
        said.dataset = coco.dataset | {"annotations": _notes(found, ids)}
        said.createIndex()
        for kind in ("segm", "bbox"):
            judge = COCOeval(coco, said, kind)
            judge.evaluate()
            judge.accumulate()
            judge.summarize()


def _notes(sets, ids) -> list[dict]:
    notes = []
    for i, each in enumerate(sets):
        coded = rle.encode(np.asfortranarray(each["masks"].numpy().transpose(1, 2, 0), np.uint8))
        for k, (mask, box) in enumerate(zip(coded, each["boxes"].tolist(), strict=True)):
            xywh = [box[0], box[1], box[2] - box[0], box[3] - box[1]]
            note = {
                "id": next(ids),
                "image_id": i,
                "category_id": 1,
                "iscrowd": 0,
                "bbox": xywh,
                "segmentation": mask,
            }
            notes.append(
                note
                | {"area": float(rle.area(mask))}
                | ({"score": float(each["scores"][k])} if "scores" in each else {})
            )
    return notes


@pytest.mark.benchmark(group="evaluation of 100 chips")
@pytest.mark.parametrize(
    "judge", [our_scores, cocoeval], ids=["ours, all figures", "pycocotools alone"]
)
def test_evaluation(timed, findings, judge):
    timed(lambda: judge(*findings), rounds=5, work=(len(findings[0]), "chips"))
