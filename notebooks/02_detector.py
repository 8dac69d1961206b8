# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 2 Finding landslides in images
#
# ## Overview
#
# Every susceptibility map begins with an inventory: where have slopes failed? Drawing one by hand takes weeks. This chapter trains a network
# that outlines landslides in satellite images, sections 3.1 and 4.1 of {cite:t}`yao2026`; the next one lets it search a whole scene.
#
# **You will learn** (1) how {term}`instance segmentation` with Mask R-CNN works and how it is trained from scratch, (2) how to read average
# precision, precision, recall and F1, (3) why a score needs its threshold, and how one is chosen without looking at the ground to be mapped.
#
# **Before you start**
#
# | concept | needed | notes |
# |---|---|---|
# | convolutional networks | helpful | what a layer and a loss are |
# | precision and recall | helpful | defined below |
# | chapter 1 | necessary | it makes the data; made first at the smallest size when you open this chapter alone |
#
# **Time to learn** about 30 minutes. The time to run is on the page *How long it took*.

# %% tags=["parameters"]
run_dir: str = ""  # folder of the run; empty: runs/alone here, earlier chapters made first at the smallest size
seed: int = 0  # seed of every random choice
profile: str = "quick"  # name of the parameter set, shown in the book
data: str = ""  # data folder; empty: the built-in simulated mountain
catalog: str = ""  # catalog.yml that describes the data folder; empty: the one inside it
n_jobs: int = 2  # processor cores to use
chunk: int = 0  # edge of a block of cells, for areas larger than memory (512 is good); 0: rasters in memory
backbone: str = "resnet18"  # convolutional network under the pyramid
backbone_stages: int = 4  # stages of the backbone that are used; the last is most of its weights
fpn_width: int = 64  # channels of the feature pyramid
mask_layers: int = 4  # convolutions of the mask head
box_batch_size_per_image: int = 32  # regions per chip the heads learn from
sampling_ratio: int = 2  # points per direction at which each bin of a region is sampled
rpn_post_nms_top_n: int = 200  # regions the proposal network passes on per image
semantic_weight: float = 0.0  # weight of a loss that tells landslide from ground in every cell
tta: int = 1  # test-time augmentation: views of an image searched, flipped and turned
optimizer: str = "adamw"  # how weights are updated
muon_max_channels: int = 256  # muon: layers of up to so many channels, wider ones go as with adamw
epochs: int = 30  # passes over the training chips
batch_size: int = 4  # chips per update
learning_rate: float = 1e-3  # learning rate at the start; it ends at 5e-6
lr_schedule: str = "cosine"  # learning-rate schedule: how it falls
weight_decay: float = 0.05  # weight decay (about 0.05 with adamw, 1e-4 with sgd)
validate_every: int = 0  # epochs between scores on the validation chips; 0: only at the end
compare_epochs: int = 0  # epochs of each of Table 4's four detectors; 0: the table is left out
detector: str = ""  # local file of a trained detector, used as it is; empty: one is trained here
weights: str = ""  # backbone's weights: local file, or a name like IMAGENET1K_V1 to download; empty: from scratch
bands: list = ["red", "green", "blue"]  # bands the network sees, by name or in the file's order
reflectance_scale: float = 0.0  # by what stored values are divided; 0: 255 in 8-bit files, found in others
reflectance_offset: float = 0.0  # stored value that becomes 0 (1000: Sentinel-2 since 2022)
chip_size: int = 192  # longest edge of a chip as the network sees it, pixels
resolution_m: float = 0.0  # pixel of chips and scene for the network, m; 0: chips scaled to chip_size
normalise_radiometry: bool = False  # bring the colours of every source of images to one mean and spread
brightness: float = 0.2  # brightness of training chips varies by this fraction
channel_jitter: float = 0.0  # every band of training chips varies by this fraction of its own
scale_jitter: float = 0.0  # scale of training chips varies by this fraction
rotation: float = 0.0  # training chips are turned by up to this to either side, degrees
skip_bad: bool = False  # leave out chips that cannot be used instead of stopping

# %%
import shutil
import time
from dataclasses import replace

import lightning
import pandas as pd
import torch
import torchvision
from torch.utils.data import DataLoader
from torchmetrics.detection import MeanAveragePrecision
from torchvision.models.detection.anchor_utils import AnchorGenerator

from lsa_helpers.detect import chips as read
from lsa_helpers.detect import dated, layouts, train
from lsa_helpers.detect.dataset import ChipSet, augmentation, collate
from lsa_helpers.detect.maskrcnn import LandslideRCNN
from lsa_helpers.detect.model import DetectorConfig, load_detector, on_gpu, save_detector
from lsa_helpers.detect.pyramid import FeaturePyramid, use_bfloat16
from lsa_helpers.detect.score import ScoreSweep, predict, score_row
from lsa_helpers.detect.split import split_chips, split_table
from lsa_helpers.detect.weights import prepare_backbone
from lsa_helpers.errors import remarks
from lsa_helpers.reproducible import reproducible
from lsa_helpers.runner.params import DetectorParams
from lsa_helpers.runner.pipeline import open_catalog, open_run
from lsa_helpers.show import detector as show
from lsa_helpers.show import style
from lsa_helpers.show.chips import chip_gallery
from lsa_helpers.validation import block_weights, interval

# %%
style.use()
p = DetectorParams.from_cell(globals())
run = open_run(p, "02_detector")
config = DetectorConfig.pick(p.model_dump())  # what the detector is made of and how it sees images
settings = train.TrainConfig.pick(p.model_dump())  # how it is trained

# %% [markdown]
# ## The collection
#
# The network learns from *chips*, small images whose landslides somebody has outlined. The paper uses five parts of the CAS Landslide Dataset
# {cite:p}`xu2024` and images of its own (Table 1). Masks of that dataset, and
# of most collections, are *semantic*: they say which pixels are landslide, not which landslide. Every connected patch becomes one landslide, so
# two landslides that touch count as one. Where outlines are drawn one by one, the column *merged* counts how many a mask would have lost so. A chip without landslide is kept: the network must also learn what is *not* one.
#
# The chips are split about 8 : 1 : 1 into training, validation and test chips, by *scenes*: mountains, valleys, images. Neighbouring chips show the
# same light, the same rock and often the same landslide, and a network tested on the neighbours of its training chips would look better than it is.
# So a scene, and all that meets it on the ground, goes to one part. A collection cut from fewer than five scenes is split by its place on the
# ground: a strip at one end tests, one at the other validates, and the chips less than a chip away from either are in no part. Where neither scene
# nor place is known, neighbours in the list of files stay together, but chips on both sides of a cut may still be neighbours. The column
# *neighbours* counts them: chips that share an edge, a corner or ground with a chip of another part. A collection that brings its own split keeps it.

# %%
with remarks() as said:
    chips = layouts.list_chips(open_catalog(p, run), config.inputs)  # files, and what their values mean
    report = read.check_chips(chips, config.inputs)  # every chip is read once, and what is wrong with it is noted
print("\n".join(map(str, said)) or "Nothing about the images is in doubt.")
chips = split_chips(read.usable_chips(chips, report, skip_bad=p.skip_bad), p.seed)
read.need_training(chips)
counts = read.count_table(chips)
run.write_table(counts, "image_table")
counts

# %%
parts = split_table(chips)
run.write_table(parts, "image_split")
parts

# %% mystnb={"figure": {"caption": "Examples of the image collection. Yellow lines outline the mapped landslides; the width of each image on the ground stands below it.", "name": "fig-02-chips"}, "image": {"alt": "Six satellite image chips of mountain slopes from different platforms, mapped landslides outlined in yellow"}}
style.save(chip_gallery(chips), run, "chips")

# %% [markdown]
# Platforms differ in sun, haze and sensor. With `normalise_radiometry` the colours of every source, the scene's too, get one mean and spread
# {cite:p}`yuan1996`, so that the network need not learn six palettes; no truth is used for that.
#
# While training, chips are flipped at random and, as far as `brightness`, `channel_jitter`, `scale_jitter` and `rotation` allow, made brighter,
# redder, larger or turned. So the network seldom sees the same chip twice, which matters most where chips are few. The outline must follow; here
# is one training chip as the network meets it five times.

# %% mystnb={"figure": {"caption": "One training chip in five epochs: it is flipped, and where the parameters say so its colours, scale and direction change; the outline (yellow) follows.", "name": "fig-02-augmented"}, "image": {"alt": "The same image chip five times as training sees it, flipped at random, its landslide outlined in yellow each time"}}
jitter = {"brightness": p.brightness, "channel_jitter": p.channel_jitter, "scale_jitter": p.scale_jitter}
augment = augmentation(p.chip_size, rotation=p.rotation, **jitter)
train_chips = ChipSet([chip for chip in chips if chip.split == "train"], config, augment)
val_chips = ChipSet([chip for chip in chips if chip.split == "val"], config)
test_chips = ChipSet([chip for chip in chips if chip.split == "test"], config)
style.save(show.augmented(train_chips), run, "detection_augmented")

# %% [markdown]
# ## The network
#
# Mask R-CNN {cite:p}`he2017` looks at an image in two steps. A residual network {cite:p}`he2016` with a *feature pyramid* {cite:p}`lin2017`
# turns the image into maps of features at several scales, and a small network proposes *regions* that may hold something, each a shifted and
# stretched *anchor*. Each region is then classified, its box refined, and its outline drawn, with a score between 0 and 1. Five losses are added
# up: two for the regions, two for the boxes, one for the mask. Where `semantic_weight` is above 0, a sixth asks of every cell of 4 × 4 pixels
# whether it lies in a landslide {cite:p}`chen2019`: a few dozen regions teach random weights little, all cells of an image a lot. What this
# branch sees joins the finest map of features, so that the regions profit from it.
#
# The last of a residual network's four stages holds three quarters of a ResNet18's weights and sees 32 × 32 pixels as one cell. It was made for
# things that fill a photograph. Without it the scores on landslides a few dozen pixels long differ by no more than chance, and an update takes over
# a fifth less time (see the page *Measured*): `backbone_stages: 3` leaves it out.
#
# All weights start at random, and nothing is downloaded unless the parameter `weights` asks for it. This has a trap: ready-made builders freeze the normalisation and the first layers, which
# is right for pretrained weights and fatal for random ones. Here every weight learns. With `-p weights IMAGENET1K_V1` the backbone starts from what a
# million photographs of everyday things taught it; without a network `weights` names a file that was downloaded elsewhere.

# %%
with reproducible(p.seed, p.n_jobs):
    body = torchvision.models.get_model(p.backbone, weights=None)  # a residual network, its weights random
    prepare_backbone(body, p.backbone, config.bands, p.weights)  # other bands, or given weights
    pyramid = FeaturePyramid(body, p.backbone_stages, p.fpn_width, semantic=p.semantic_weight > 0)
    model = LandslideRCNN(  # torchvision's MaskRCNN with smaller heads
        pyramid,
        num_classes=2,  # background and landslide
        n_bands=len(p.bands),
        rpn_anchor_generator=AnchorGenerator(((8,), (16,), (32,), (64,), (128,)), ((0.5, 1.0, 2.0),) * 5),
        rpn_post_nms_top_n=p.rpn_post_nms_top_n,
        box_batch_size_per_image=p.box_batch_size_per_image,
        sampling_ratio=p.sampling_ratio,
        mask_layers=p.mask_layers,
        semantic_weight=p.semantic_weight,
        box_nms_thresh=0.3,  # of two detections whose boxes overlap more, the weaker is dropped
    )
model = use_bfloat16(model).to(memory_format=torch.channels_last)  # twice as fast where the processor can
pd.Series({name: sum(w.numel() for w in part.parameters()) for name, part in model.named_children()}, name="weights")

# %% [markdown]
# What stands here has torchvision's interface: a list of images and targets in, a dict of losses out while it trains, and in use `boxes`,
# `labels`, `scores` and `masks` for every image. So torchvision's own detector can be put in its place in one line, and all that follows in
# this chapter works (with three bands, and slower: see the page *Measured*); only the next one reads no other detector's file:
#
# ```python
# model = torchvision.models.detection.maskrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=2)
# ```
#
# ## Training
#
# The paper compares the optimizers SGD and AdamW. The parameter `optimizer` also knows Muon {cite:p}`jordan2024`: gradients of a convolution
# point mostly along a few directions of its weights, and Muon steps equally far along all of them. It learns in a third of the epochs what
# AdamW learns here (see the page *Measured*), which is why a whole training fits into this chapter. The learning rate falls from its first to its
# last value along a cosine {cite:p}`loshchilov2017`, as in the paper, or with `lr_schedule: linear` along a straight line {cite:p}`defazio2023`,
# which did better in a short training.
#
# A detector that was trained before, on a larger machine or on another area, can be used instead: the parameter `detector` names its file.

# %%
training = train.DetectorTraining(model, settings, train_chips, val_chips, report=print)
if p.detector:
    model, stored = load_detector(p.detector)
    stored.need_same_images(config, p.detector)
    config = replace(stored, tta=p.tta)
else:
    checkpoints = train.checkpoint_folder(run.path / "checkpoints", train_chips, settings, p.weights)
    with reproducible(p.seed, p.n_jobs):
        trainer = lightning.Trainer(max_epochs=p.epochs, gradient_clip_val=10.0, **train.trainer_options(checkpoints, settings))
        trainer.fit(training, ckpt_path="last", weights_only=True)  # an interrupted training goes on
    run.write_table(training.history, "detection_training")
model = on_gpu(model.eval())
model.tta = p.tta

# %% mystnb={"figure": {"caption": "Training: the losses and their sum (left), the learning rate, and mask AP50 on the validation chips where `validate_every` asks for it.", "name": "fig-02-training"}, "image": {"alt": "Line chart of falling training losses and their sum over the epochs, beside the falling curve of the learning rate and, where measured, the average precision"}}
style.save(show.training_curve(training.history), run, "detection_training")

# %% [markdown]
# ## Scores on chips
#
# A detection is right when its mask and a true mask overlap enough: their {term}`IoU`, shared area over joint area, must reach a limit. Each true
# landslide can be matched once, and detections are matched from the highest score down.
#
# - **Precision** is the share of detections that are right, **recall** the share of landslides that were found, **F1** their harmonic mean. All
#   three need a score threshold; here 0.5, with IoU at least 0.5. A detection's score is the geometric mean of how sure the network is of the
#   class and of the pixels within the outline {cite:p}`wang2021`.
# - **AP** {cite:p}`lin2014` averages precision over all recalls, and over IoU limits from 0.50 to 0.95; AP50 and AP75 use one limit. **AR** is
#   the recall averaged over the limits with up to 100 detections per image. Both exist for boxes and masks.
# - **Pixel IoU** ignores which landslide is which: shared over joint area of all detected and all true pixels.
#
# With the parameter `tta` above 1 an image is searched several times, as it is, flipped and turned (*test-time augmentation*), and what overlaps
# is put together: masks are averaged {cite:p}`solovyev2021`, boxes drawn around them, and a score is the mean over all views, so that what only
# one view shows falls behind.
#
# Another mountain would have given other scores. How far others could be shows a bootstrap over scenes {cite:p}`efron1993`: as many scenes as the
# part has are drawn from it with replacement, some twice and some not at all, and scored again, a thousand times. 95 % of the scores so drawn lie in
# the interval. From six scenes it is a rough one, rather too narrow; from one scene there is none.


# %%
def evaluate(model, chips):
    """COCO's figures, and right and wrong detections at every score."""
    coco = MeanAveragePrecision(iou_type=("segm", "bbox"), backend="pycocotools")
    sweep = ScoreSweep(min_iou=0.5)
    with reproducible(p.seed, p.n_jobs):
        for images, truths in DataLoader(chips, p.batch_size, collate_fn=collate):
            detections = predict(model, images)
            coco.update(detections, truths)
            sweep.update(detections, truths)
    return coco.compute(), sweep


val_coco, val_sweep = evaluate(model, val_chips)
test_coco, test_sweep = evaluate(model, test_chips)
landslides = test_sweep.landslides()
tp, fp, fn = landslides.set_index("score").loc[0.5, ["tp", "fp", "fn"]]
print(f"Test chips, score at least 0.5: {tp:.0f} landslides found, {fn:.0f} missed, {fp:.0f} false alarms.")
print(f"Precision {tp / max(1, tp + fp):.3f}, recall {tp / max(1, tp + fn):.3f}; mask AP50 {test_coco['segm_map_50']:.3f}")

# %% [markdown]
# ### Which threshold?
#
# A low threshold finds more landslides and more that are none. Choosing it on the test chips would be cheating: they stand for images whose truth
# nobody knows. It is chosen on the validation chips, where F1 of landslide *pixels* is best, because an inventory is used by area. Chips are cut
# where landslides are, though, and a scene is not: the next chapter weighs the false alarms up to such ground before it chooses.

# %% mystnb={"figure": {"caption": "Precision, recall and F1 on the test chips against the score threshold, counted in landslides (left) and in pixels (right, with IoU). The grey line is the threshold that the validation chips chose.", "name": "fig-02-sweep"}, "image": {"alt": "Two line charts of precision, recall and F1 against the score threshold, for landslides and for pixels, with the chosen threshold marked"}}
threshold = val_sweep.best_threshold()
print(f"On the validation chips a score of {threshold:.2f} is best: pixel F1 {val_sweep.pixels()['f1'].max():.3f}.")
run.write_table(landslides, "score_sweep")
style.save(show.sweep({"landslides (mask IoU at least 0.5)": landslides, "pixels": test_sweep.pixels()}, threshold), run, "score_sweep")

# %% [markdown]
# All figures in per cent, some with their interval in brackets, and with the row of the paper's Table 4 for the same network, or its rows for both
# optimizers where this run's is a third one. The paper's chips are other chips, so the rows can be set beside each other but not ranked; and the
# paper does not say at which threshold its precision and F1 hold. What stands at the chosen threshold is a little too good in the row of the
# validation chips, which chose it.

# %%
save_detector(run.product("detector.safetensors"), model, config)
rows = []
for name, part, coco, sweep in (("val", val_chips, val_coco, val_sweep), ("test", test_chips, test_coco, test_sweep)):
    row = {"backbone": config.backbone, "optimizer": p.optimizer, "split": name} | score_row(coco, sweep)
    row |= {"chosen_threshold": threshold, "pixel_iou_chosen": 100 * sweep.pixels().set_index("score")["iou"][threshold]}
    weights = block_weights([chip.scene for chip in part.chips], n_draws=1000, seed=p.seed)  # how often each chip counts
    for score, drawn in sweep.draws(weights).items():
        _, row[f"{score}_low"], row[f"{score}_high"] = interval(drawn)
    rows.append(row)
run.write_table(pd.DataFrame(rows), "detection_scores")
show.scores_beside_paper(pd.DataFrame(rows))

# %% mystnb={"figure": {"caption": "Test chips with true outlines (above, yellow) and detected outlines with their scores (below, blue), drawn from the chosen threshold up.", "name": "fig-02-pairs"}, "image": {"alt": "Six test image chips in two rows, true landslide outlines in yellow above and detected outlines in blue with scores below"}}
style.save(show.side_by_side(model, test_chips, threshold), run, "detection_pairs")

# %% [markdown]
# The chips are taken at equal steps through the test set, not picked by result. Where is the network wrong, and does it confuse landslides with
# fields, river bars, roads or bare rock?
#
# ### Four detectors
#
# The paper's Table 4 compares two backbones and two optimizers. With `compare_epochs` above 0 all four learn here from the same chips for the same
# number of epochs and are scored on the same test chips in one view. A short budget favours the small network and the fast optimizer. One
# training each also says nothing about luck: two columns a few per cent apart are not different. SGD and AdamW need different weight decays; where
# `weight_decay` is one of the two usual values each gets its own, any other value, such as the 0.5 the paper prints, goes for both.

# %%
rows = []
usual = {"sgd": 1e-4, "adamw": 0.05}  # weight decay
trainings = [(backbone, optimizer) for backbone in ("resnet18", "resnet50") for optimizer in usual]
for backbone, optimizer in trainings if p.compare_epochs else []:
    decay = usual[optimizer] if p.weight_decay in usual.values() else p.weight_decay
    rate = 1e-3 if p.optimizer == "muon" else p.learning_rate  # Muon's is not theirs
    budget = replace(settings, optimizer=optimizer, weight_decay=decay, learning_rate=rate, lr_schedule="cosine", epochs=p.compare_epochs)
    same_chips = ChipSet(train_chips.chips, replace(config, backbone=backbone, backbone_stages=4), augment)
    begun = time.perf_counter()
    rival, history = train.train_detector(same_chips, budget, run.path / "checkpoints", validation=val_chips, report=print)
    minutes = round((time.perf_counter() - begun) / 60, 1)
    row = {"backbone": backbone, "optimizer": optimizer, "split": "test"} | score_row(*evaluate(rival, test_chips))
    updates = budget.epochs * -(-len(same_chips) // p.batch_size)
    row |= {"loss": history["loss"].iloc[-1], "epochs": budget.epochs, "updates": updates, "minutes": minutes, "weight_decay": decay}
    rows.append(row)
if rows:
    run.write_table(pd.DataFrame(rows), "detection_comparison")
    display(show.scores_beside_paper(pd.DataFrame(rows), f"this run, {updates} updates"))

# %% [markdown]
# What a larger budget does, measured once: the parameter file `paper`, four epochs over 2,880 chips on a graphics processor (see the page
# *Measured*). They rank by how fast they learn. AdamW gives every weight a step of its own size, which random weights need; SGD needs far more
# epochs, or weights that know images already. Whether the paper's did, it does not say.

# %%
show.scores_beside_paper(dated.dated_table("four_detectors"), "26 November 2026, four epochs")

# %% [markdown]
# ### A platform it has never seen
#
# Will the detector work on images of another satellite, over other ground? Each platform of the collection was left out of one training and then
# looked at (25 November 2026, parameter file `course`, ten epochs each). Columns that end in *seen* are of a detector that learned from all
# platforms, on the same chips: the difference is what an unseen platform costs. The chips of a platform are few, so differences of a few per cent
# are chance.

# %%
words = {"AP50_segm": "AP50 of masks", "f1": "F1", "pixel_iou": "pixel IoU"}
seen = {f"{name}_seen": f"{text}, seen" for name, text in words.items()}
dated.dated_table("platforms").round(1).rename(columns=words | seen)

# %% [markdown]
# ## Try it
#
# ```{exercise-start}
# :label: ex-02-threshold
# ```
#
# A civil protection office would rather look at ten false alarms than miss one landslide. Which threshold would you give it, and what does it
# cost? Choose on the validation chips and look at the test chips.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-02-threshold
# :class: dropdown
# ```

# %%
val_landslides = val_sweep.landslides()
cost = val_landslides["fp"] + 10 * val_landslides["fn"]  # one missed landslide is as bad as ten false alarms
best = landslides.loc[cost.idxmin()]  # the same threshold, on the test chips
print(f"At {best['score']:.2f} recall is {best['recall']:.2f}; {best['fp']:.0f} of {best['fp'] + best['tp']:.0f} detections are false alarms.")

# %% [markdown]
# ```{solution-end}
# ```
#
# Three changes to try, each a command in a terminal. It repeats the chapter beside the book's run, which stays as it is, and prints the page's
# numbers and yours.
#
# - `lsa try quick 02 -p optimizer adamw`: another optimizer, as many epochs. Look at the training's loss and at AP50 of the masks; the detector is trained anew.
# - `lsa try quick 02 -p detector runs/quick/products/detector.safetensors -p tta 1`: this page's detector, each image seen once. What did the other views add?
# - `lsa try quick 02 -p semantic_weight 0`: no loss in every cell. Does it help a training this short?

# %%
shutil.rmtree(run.path / "checkpoints", ignore_errors=True)  # all is stored: there is nothing to go on from

# %% [markdown]
# ## Summary
#
# The detector is stored as `detector.safetensors`. AP ranks detectors without a threshold; precision, recall and F1 need one, and it is only right
# for ground as full of landslides as it was chosen for. Scores on chips do not tell how good the inventory of a scene is.
#
# ## What's next
#
# Chapter 3 lets the detector search the scene, and turns what it finds into an inventory.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`yao2026,xu2024,he2017,lin2017,lin2014`.
