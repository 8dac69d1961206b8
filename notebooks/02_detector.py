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
# that outlines landslides in satellite images and lets it search a whole scene, sections 3.1 and 4.1 of {cite:t}`yao2026`.
#
# **You will learn** (1) how {term}`instance segmentation` with Mask R-CNN works and how it is trained from scratch, (2) how to read average
# precision, precision, recall and F1, and why a score needs its threshold, (3) how detections in overlapping windows become one inventory of
# polygons, (4) how good such an inventory is by area.
#
# **Before you start**
#
# | concept | needed | notes |
# |---|---|---|
# | convolutional networks | helpful | what a layer and a loss are |
# | precision and recall | helpful | defined below |
# | chapter 1 | necessary | it makes the data; made first at the smallest size when you open this chapter alone |
#
# **Time to learn** about 40 minutes. The time to run is on the page *How long it took*.

# %% tags=["parameters"]
run_dir: str = ""  # folder of the run; empty: runs/alone here, earlier chapters made first at the smallest size
seed: int = 0  # seed of every random choice
profile: str = "quick"  # name of the parameter set, shown in the book
data: str = ""  # data folder; empty: the built-in simulated mountain
catalog: str = ""  # catalog.yml that describes the data folder; empty: the one inside it
n_jobs: int = 2  # processor cores to use
backbone: str = "resnet18"  # convolutional network under the pyramid
stages: int = 4  # stages of the backbone that are used; the last is most of its weights
optimizer: str = "adamw"  # how weights are updated
epochs: int = 30  # passes over the training chips
batch_size: int = 4  # chips per update
learning_rate: float = 1e-3  # learning rate at the start
final_learning_rate: float = 5e-6  # learning rate at the end
schedule: str = "cosine"  # how it falls from the one to the other
weight_decay: float = 0.05  # weight decay (about 0.05 with adamw, 1e-4 with sgd)
muon_width: int = 256  # muon: layers of up to so many channels, wider ones go as with adamw
validate_every: int = 0  # epochs between scores on the validation chips; 0: only at the end
patience: int = 0  # such scores without a better one that end the training; 0: all epochs are done
compare_epochs: int = 0  # epochs of each of Table 4's four detectors; 0: the table is left out
compare_chips: int = 0  # training chips these four learn from; 0: all
region_epochs: int = 0  # epochs of each detector that never sees one platform; 0: that table is left out
detector: str = ""  # local file of a trained detector, used as it is; empty: one is trained here
weights: str = ""  # backbone's weights: local file, or a name like IMAGENET1K_V1 to download; empty: from scratch
bf16: bool = True  # backbone in bfloat16 where the processor or GPU multiplies so in hardware
bands: list = ["red", "green", "blue"]  # bands the network sees, by name or in the file's order
white: float = 0.0  # stored value that becomes 1; 0: 255 in 8-bit files, 10000 in others
chip_size: int = 192  # longest edge of a chip as the network sees it, pixels
resolution_m: float = 0.0  # pixel of chips and scene for the network, m; 0: chips scaled to chip_size
brightness: float = 0.2  # brightness of training chips varies by this fraction
tint: float = 0.0  # every band of training chips varies by this fraction of its own
zoom: float = 0.0  # scale of training chips varies by this fraction
rotation: float = 0.0  # training chips are turned by up to this to either side, degrees
paste: float = 0.0  # share of training chips that get landslides of another chip pasted on
match_colours: bool = False  # bring the colours of every source of images to one mean and spread
semantic_weight: float = 0.0  # weight of a loss that tells landslide from ground in every cell
fpn_width: int = 64  # channels of the feature pyramid
head_width: int = 256  # neurons of the box head
mask_layers: int = 4  # convolutions of the mask head
rois_per_image: int = 32  # regions per chip the heads learn from
roi_samples: int = 2  # points per direction at which each bin of a region is sampled
anchor_px: int = 8  # smallest anchor, pixels; it doubles at each of five levels
proposals: int = 200  # regions the proposal network passes on per image
detections: int = 50  # most landslides reported per image
nms_iou: float = 0.3  # of two detections whose boxes overlap more than this the weaker is dropped
views: int = 1  # views of an image that are searched and put together: as it is, flipped, turned
min_pixels: int = 20  # smallest landslide of a chip's mask, pixels of the chip
skip_bad: bool = False  # leave out chips that cannot be used instead of stopping
score_threshold: float = 0.0  # lowest score in the inventory; 0: the best on the validation chips
landslide_share: float = 0.02  # share of the scene that landslides may cover; corrects that best score
window_px: int = 512  # window over the scene, pixels
overlap_px: int = 128  # overlap of neighbouring windows, pixels
min_area_m2: float = 100.0  # smallest landslide of the inventory, m²

# %%
from lsa_helpers.detect import chapter, compare
from lsa_helpers.detect.chips import count_table
from lsa_helpers.detect.scene import open_scene
from lsa_helpers.runner import pipeline
from lsa_helpers.runner.params import DetectionParams
from lsa_helpers.show import detection as show
from lsa_helpers.show import style

style.use()
p = DetectionParams.from_cell(globals())
run = pipeline.open_run(p, "02_detector")

# %% [markdown]
# ## The collection
#
# The network learns from *chips*, small images whose landslides somebody has outlined. Masks of the CAS Landslide Dataset {cite:p}`xu2024`, and
# of most collections, are *semantic*: they say which pixels are landslide, not which landslide. Every connected patch becomes one landslide, so
# two landslides that touch count as one. Where outlines are drawn one by one, the column *merged* counts how many a mask would have lost so. A chip without landslide is kept: the network must also learn what is *not* one.
#
# The chips are split 8 : 1 : 1 into training, validation and test chips. Chips of one scene stay together, because neighbours look alike and a
# network tested on the neighbours of its training chips would look better than it is. A collection that brings its own split keeps it.

# %%
sources = pipeline.open_catalog(p, run)
chips = chapter.collect(sources, p)
count_table(
    chips
) if chips else "This data folder holds no images: there is nothing to train on, and the known inventory is passed on as it is."

# %% [markdown]
# Platforms differ in sun, haze and sensor. With `match_colours` the colours of every source, the scene's too, get one mean and spread
# {cite:p}`yuan1996`, so that the network need not learn six palettes; no truth is used for that.
#
# While training, chips are flipped at random and, as far as `brightness`, `tint`, `zoom` and `rotation` allow, made brighter, redder, larger or
# turned; with `paste` some get landslides cut out of another chip {cite:p}`ghiasi2021`. So the network seldom sees the same chip twice, which matters
# most where chips are few. The outline must follow; here is one training chip as the network meets it five times.

# %% mystnb={"figure": {"caption": "One training chip in five epochs: it is flipped, and where the parameters say so its colours, scale and direction change; the outline (yellow) follows.", "name": "fig-02-augmented"}, "image": {"alt": "The same image chip five times as training sees it, flipped at random, its landslide outlined in yellow each time"}}
sets = chapter.chip_sets(chips, p) if chips else None
style.save(show.augmented(sets["train"]), run, "detection_augmented") if chips else None

# %% [markdown]
# ## The network
#
# Mask R-CNN {cite:p}`he2017` looks at an image in two steps. A residual network {cite:p}`he2016` with a *feature pyramid* {cite:p}`lin2017`
# turns the image into maps of features at several scales, and a small network proposes *regions* that may hold something. Each region is then
# classified, its box refined, and its outline drawn, with a score between 0 and 1. Five losses are added up: two for the regions, two for the
# boxes, one for the mask. Where `semantic_weight` is above 0, a sixth asks of every cell of 4 × 4 pixels whether it lies in a landslide
# {cite:p}`chen2019`: a few dozen regions teach random weights little, all cells of an image a lot. What this branch sees joins the finest map of
# features, so that the regions profit from it.
#
# The last of a residual network's four stages holds three quarters of a ResNet18's weights and sees 32 × 32 pixels as one cell. It was made for
# things that fill a photograph. Without it the scores on landslides a few dozen pixels long differ by no more than chance, and an update takes over
# a fifth less time (see the page *Measured*): `stages: 3` leaves it out. The learning rate falls from its first to its last value along a cosine {cite:p}`loshchilov2017`,
# as in the paper, or with `schedule: linear` along a straight line {cite:p}`defazio2023`, which did better in a short training.
#
# The paper compares the optimizers SGD and AdamW. The parameter `optimizer` also knows Muon {cite:p}`jordan2024`: gradients of a convolution
# point mostly along a few directions of its weights, and Muon steps equally far along all of them. It learns in a third of the epochs what
# AdamW learns here (see the page *Measured*), which is why a whole training fits into this chapter.
#
# All weights start at random, and nothing is downloaded unless the parameter `weights` asks for it. This has a trap: ready-made builders freeze the normalisation and the first layers, which
# is right for pretrained weights and fatal for random ones. Here every weight learns. A detector that was trained before, on a larger machine or on
# another area, can be used instead: the parameter `detector` names its file. With `-p weights IMAGENET1K_V1` the backbone starts from what a
# million photographs of everyday things taught it; without a network `weights` names a file that was downloaded elsewhere.

# %%
model, history = chapter.learn(sets, p, run, report=print)

# %% mystnb={"figure": {"caption": "Training: the losses and their sum (left), the learning rate, and mask AP50 on the validation chips where `validate_every` asks for it.", "name": "fig-02-training"}, "image": {"alt": "Line chart of falling training losses and their sum over the epochs, beside the falling curve of the learning rate and, where measured, the average precision"}}
style.save(show.training_curve(history), run, "detection_training") if history is not None else print("No detector was trained here.")

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
#   the recall averaged over the limits with up to 100 detections per image. Both exist for boxes (bbox) and masks (segm).
# - **Pixel IoU** ignores which landslide is which: shared over joint area of all detected and all true pixels, at a score of 0.5 and
#   (`pixel_iou_chosen`) at the score where it is best on the validation chips.
#
# With the parameter `views` above 1 an image is searched several times, as it is, flipped and turned, and what overlaps is put together: masks
# are averaged {cite:p}`solovyev2021`, boxes drawn around them, and a score is the mean over all views, so that what only one view shows falls behind. The scene
# below is searched in the same way.
#
# All in per cent, with the row of the paper's Table 4 for the same network, or its rows for both optimizers where this run's is a third one. The
# paper's chips are other chips, so the rows can be set beside each other but not ranked; and the paper does not say at which threshold its
# precision and F1 hold.

# %%
scores, threshold = chapter.score(model, sets, p, run)
show.scores_beside_paper(run.read_table("detection_scores")) if chips else None

# %% mystnb={"figure": {"caption": "Test chips with true outlines (above, yellow) and detected outlines with their scores (below, blue), drawn from the threshold of the inventory up.", "name": "fig-02-pairs"}, "image": {"alt": "Six test image chips in two rows, true landslide outlines in yellow above and detected outlines in blue with scores below"}}
style.save(show.side_by_side(model, sets["test"], threshold), run, "detection_pairs") if chips else None

# %% [markdown]
# The chips are taken at equal steps through the test set, not picked by result. Where is the network wrong, and does it confuse landslides with
# fields, river bars, roads or bare rock?
#
# ### Four detectors
#
# The paper's Table 4 compares two backbones and two optimizers. For a fair comparison all four learn from the same chips (`compare_chips` of them, or
# all) for the same number of epochs, `compare_epochs`, and are scored on the same test chips in one view. A short budget favours the small network
# and the fast optimizer, so look at the rows *epochs* and *updates* first. One training each also says nothing about luck: two columns a few per cent
# apart are not different. The row *loss* is the mean over the last epoch of training: after a few updates
# no detector has found much, and it alone tells them apart.

# %%
comparison = compare.four_detectors(chips, p, run, report=print) if chips else None
if comparison is not None:
    display(show.scores_beside_paper(comparison, f"this run, {comparison['updates'][0]} updates"))

# %% [markdown]
# What a larger budget does, measured once: the parameter file `paper`, four epochs over 2,880 chips on a graphics processor (see the page
# *Measured*). They rank by how fast they learn. AdamW gives every weight a step of its own size, which random weights need; SGD needs far more
# epochs, or weights that know images already. Whether the paper's did, it does not say.

# %%
if chips:
    display(show.scores_beside_paper(compare.dated("four_detectors"), "26 November 2026, four epochs"))

# %% [markdown]
# ### A platform it has never seen
#
# Will the detector work on images of another satellite, over other ground? Each platform of the collection is left out of one training and then
# looked at. Columns that end in *seen* are of a detector that learned from all platforms, on the same chips: the difference is what an unseen
# platform costs. The chips of a platform are few, so differences of a few per cent are chance.

# %%
regions = compare.leave_one_out(model, chips, p, run, report=print) if chips else None
if regions is not None:
    display(regions.round(1))
elif chips:
    print("Not made here: one training for every platform. This table is of 25 November")
    print("2026, parameter file course, ten epochs each; -p region_epochs 10 makes it anew.")
    display(compare.dated("platforms").round(1))

# %% [markdown]
# ### Which threshold?
#
# A low threshold finds more landslides and more that are none. The inventory of the next section needs one threshold, and choosing it on the
# scene we want to map would be cheating: the scene's truth is not known to anybody who has to map it. It is chosen on the validation chips,
# where F1 of landslide *pixels* is best, because an inventory is used by area. Chips are cut where landslides are, though, and a scene is not: so
# the false alarms of the chips are first weighed up to ground of which `landslide_share` is landslide, by Bayes' rule.

# %% mystnb={"figure": {"caption": "Precision, recall and F1 on the test chips against the score threshold, counted in landslides (left) and in pixels (right, with IoU). The grey line is the threshold of the inventory.", "name": "fig-02-sweep"}, "image": {"alt": "Two line charts of precision, recall and F1 against the score threshold, for landslides and for pixels, with the chosen threshold marked"}}
objects, pixels = (scores["test"].sweep(), scores["test"].pixels()) if chips else (None, None)
panels = {"landslides (mask IoU at least 0.5)": objects, "pixels": pixels} if chips else None
style.save(show.sweep(panels, threshold), run, "score_sweep") if chips else None

# %% [markdown]
# ## The scene
#
# The network now searches the whole scene in overlapping windows, read one batch at a time, so the scene may be larger than memory; what each
# window gave is kept on disk, so that an interrupted search goes on. A landslide
# on the edge of a window is seen in pieces. Two pieces are taken as one landslide when, on the ground that both windows saw, they share at least
# half of the smaller one. A window that sees only the end of a landslide is less sure of it; where such a piece agrees with a sure one on common
# ground and goes on beyond its window, it is kept although it scores below the threshold. And what a window's edge cuts is looked at again, from
# a smaller window with the landslide in its middle. Ground that two landslides still share belongs to the surer one, so that no area
# counts twice.

# %%
search = chapter.search_scene(model, sources, p, run)
detected = chapter.inventory(search, threshold, p)
known = chapter.reference(sources, run)
chapter.write_inventory(run, detected, known)
print(chapter.describe(detected, known))

# %% mystnb={"figure": {"caption": "The scene with detected (blue) and known (yellow) outlines, and the surroundings of the most central landslide enlarged.", "name": "fig-02-scene"}, "image": {"alt": "Satellite scene with detected landslide outlines in blue and true outlines in yellow, whole on the left and enlarged on the right"}}
frame = open_scene(sources.path(sources.scene)) if detected is not None else None
style.save(show.scene_map(frame, detected, known), run, "detection_scene") if frame else None

# %% [markdown]
# Where the true landslides are known, as on the simulated mountain, the inventory can be judged by area: the share of detected area that is true
# (precision) and the share of true area that was detected (recall). A landslide counts as hit when at least half of its area was found.

# %%
areas = chapter.area_scores(detected, known)
run.write_table(areas, "inventory_scores") if areas is not None else None
areas.round(3) if areas is not None else "No reference polygons to compare with."

# %% [markdown]
# How would another threshold have done? This sweep looks at the truth of the mapped ground, so it can only tell, not choose.

# %% mystnb={"figure": {"caption": "Precision, recall, F1 and IoU of the mapped area against the score threshold. The grey line is the threshold that the validation chips chose.", "name": "fig-02-inventory-sweep"}, "image": {"alt": "Line chart of precision, recall, F1 and IoU of the inventory by area against the score threshold, with the chosen threshold marked"}}
judged = chapter.judge(search, detected, known, run)
style.save(show.sweep({"mapped area of the scene": judged["sweep"]}, threshold), run, "inventory_sweep") if judged else None

# %% [markdown]
# ### Sizes
#
# Landslides come in all sizes, and the small ones are the many: their frequency falls with a power of the area, and below a *rollover* falls again
# {cite:p}`malamud2004`. In a mapped inventory the rollover also shows what could not be seen. The rollover below is the mode of a fitted
# inverse-gamma law. *Touching* landslides are closer than a pixel of the network: a semantic mask would merge so many into a neighbour.

# %%
judged["statistics"].round({"total_km2": 3} | dict.fromkeys(["mean_m2", "median_m2", "largest_m2", "rollover_m2"], 0)) if judged else None

# %% mystnb={"figure": {"caption": "Left: probability density of landslide areas in the detected and the known inventory. Right: by size, the share of known landslides of which less than half was found, and of detections of which less than half is true.", "name": "fig-02-sizes"}, "image": {"alt": "Left, size-frequency curves of the detected and the known inventory on logarithmic axes; right, bars of the fraction of landslides missed and of false detections for each class of area"}}
style.save(show.sizes({"detected": detected, "known": known}, judged["sizes"]), run, "inventory_sizes") if judged else None

# %% [markdown]
# ### What was mistaken for a landslide?
#
# Each false alarm is laid over the maps: is there an old scar, a road, a river, bare rock, a field, or only shadow? The first of them that covers a
# third of it is named its cause. It is a suspicion, not a proof: a network does not say why.

# %%
wrong = chapter.mistakes(search, detected, known, run)
wrong[2].round(2) if wrong else None

# %% mystnb={"figure": {"caption": "The worst errors. Above: the false alarms with the highest scores and what lies there. Below: the largest landslides of which less than half was found.", "name": "fig-02-worst"}, "image": {"alt": "Two rows of image cut-outs, false alarms outlined in blue with score and cause, and missed landslides outlined in yellow with their area"}}
style.save(show.worst(search.frame, wrong[0], wrong[1]), run, "detection_worst") if wrong else None

# %% [markdown]
# ## Try it
#
# ```{exercise-start}
# :label: ex-02-threshold
# ```
#
# A civil protection office would rather look at ten false alarms than miss one landslide. Which threshold would you give it, and what does it
# cost? Use the sweep of the test chips.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} ex-02-threshold
# :class: dropdown
# ```

# %%
if chips:
    # The highest threshold that still finds nearly all that any threshold finds.
    at = objects[objects["recall"] >= 0.95 * objects["recall"].max()].iloc[-1]
    print(f"At {at['score']:.2f} recall is {at['recall']:.2f}; {at['fp']:.0f} of {at['fp'] + at['tp']:.0f} detections are false alarms.")

# %% [markdown]
# ```{solution-end}
# ```
#
# Three changes to make with papermill, each a command in a terminal:
#
# - `papermill notebooks/02_detector.ipynb out.ipynb -p optimizer sgd -p weight_decay 1e-4`: the other optimizer of the paper.
# - `papermill notebooks/02_detector.ipynb out.ipynb -p score_threshold 0.9`: what is left of the inventory, and how much of it is true?
# - `papermill notebooks/02_detector.ipynb out.ipynb -p overlap_px 0`: what do landslides on the seams look like?

# %% [markdown]
# ## Summary
#
# The detector is stored as `detector.safetensors`, the landslides it found as layer `detected` of `inventory.gpkg`, each with a score and an area,
# beside the layer `reference` where one is known. Scores on chips do not tell how good the inventory of a scene is: area precision and recall do.
#
# ## What's next
#
# Chapter 4 asks which of the factors are worth keeping before landslides and factors meet in chapter 5.
#
# ## References
#
# All references are on the page *References*; here mainly {cite:p}`yao2026,xu2024,he2017,lin2017,lin2014`.
