"""One model per chapter: its parameters with their ranges, units and meaning."""

from typing import Any, Literal

from pydantic import Field

from lsa_helpers.errors import InputError, did_you_mean
from lsa_helpers.runner.params.base import Parameters


class DataParams(Parameters):
    """Chapter 01: the world or the data folder, the grid and the fifteen factors."""

    width_km: float = Field(
        8.0, ge=2, le=25, description="east-west size of the simulated mountain, km"
    )
    height_km: float = Field(
        6.0, ge=2, le=25, description="north-south size of the simulated mountain, km"
    )
    chips_per_platform: int = Field(
        60, ge=4, le=5000, description="image chips simulated for each platform of Table 1"
    )
    cell_size_m: float = Field(12.5, gt=0, le=1000, description="cell size of the analysis grid, m")
    crs: str = Field(
        "", description="CRS in metres of the analysis grid; empty: the DEM's, or its UTM zone"
    )
    factors: list[str] = Field([], description="factors to use; empty: all that the sources allow")
    coarse_ratio: float = Field(
        10.0, ge=1, description="warn when a source is this many times coarser than the grid"
    )


class DetectorParams(Parameters):
    """Chapter 02: Mask R-CNN trained and scored on chips."""

    backbone: Literal["resnet18", "resnet50"] = Field(
        "resnet18", description="convolutional network under the pyramid"
    )
    backbone_stages: Literal[2, 3, 4] = Field(
        4, description="stages of the backbone that are used; the last is most of its weights"
    )
    fpn_width: int = Field(64, ge=8, le=1024, description="channels of the feature pyramid")
    mask_layers: int = Field(4, ge=1, le=8, description="convolutions of the mask head")
    box_batch_size_per_image: int = Field(
        32, ge=4, le=2048, description="regions per chip the heads learn from"
    )
    sampling_ratio: int = Field(
        2, ge=1, le=4, description="points per direction at which each bin of a region is sampled"
    )
    rpn_post_nms_top_n: int = Field(
        200, ge=10, le=4000, description="regions the proposal network passes on per image"
    )
    semantic_weight: float = Field(
        0.0,
        ge=0,
        le=100,
        description="weight of a loss that tells landslide from ground in every cell",
    )
    tta: Literal[1, 2, 4, 8] = Field(
        1, description="test-time augmentation: views of an image searched, flipped and turned"
    )
    optimizer: Literal["adamw", "sgd", "muon"] = Field(
        "adamw", description="how weights are updated"
    )
    muon_max_channels: int = Field(
        256,
        ge=16,
        le=4096,
        description="muon: layers of up to so many channels, wider ones go as with adamw",
    )
    epochs: int = Field(30, ge=1, le=1000, description="passes over the training chips")
    batch_size: int = Field(4, ge=1, le=256, description="chips per update")
    learning_rate: float = Field(
        1e-3, gt=0, le=1, description="learning rate at the start; it ends at 5e-6"
    )
    lr_schedule: Literal["cosine", "linear"] = Field(
        "cosine", description="learning-rate schedule: how it falls"
    )
    weight_decay: float = Field(
        0.05, ge=0, le=1, description="weight decay (about 0.05 with adamw, 1e-4 with sgd)"
    )
    validate_every: int = Field(
        0,
        ge=0,
        le=1000,
        description="epochs between scores on the validation chips; 0: only at the end",
    )
    compare_epochs: int = Field(
        0,
        ge=0,
        le=1000,
        description="epochs of each of Table 4's four detectors; 0: the table is left out",
    )
    detector: str = Field(
        "",
        description="local file of a trained detector, used as it is; empty: one is trained here",
    )
    weights: str = Field(
        "",
        description="backbone's weights: local file, or a name like IMAGENET1K_V1 to download; "
        "empty: from scratch",
    )
    bands: list[str] = Field(
        ["red", "green", "blue"],
        min_length=1,
        max_length=20,
        description="bands the network sees, by name or in the file's order",
    )
    reflectance_scale: float = Field(
        0.0, ge=0, description="stored value that becomes 1; 0: 255 in 8-bit files, 10000 in others"
    )
    chip_size: int = Field(
        192, ge=32, le=2048, description="longest edge of a chip as the network sees it, pixels"
    )
    resolution_m: float = Field(
        0.0,
        ge=0,
        le=100,
        description="pixel of chips and scene for the network, m; 0: chips scaled to chip_size",
    )
    normalise_radiometry: bool = Field(
        False, description="bring the colours of every source of images to one mean and spread"
    )
    brightness: float = Field(
        0.2, ge=0, lt=1, description="brightness of training chips varies by this fraction"
    )
    channel_jitter: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="every band of training chips varies by this fraction of its own",
    )
    scale_jitter: float = Field(
        0.0, ge=0, le=3, description="scale of training chips varies by this fraction"
    )
    rotation: float = Field(
        0.0,
        ge=0,
        le=180,
        description="training chips are turned by up to this to either side, degrees",
    )
    skip_bad: bool = Field(
        False, description="leave out chips that cannot be used instead of stopping"
    )


class InventoryParams(Parameters):
    """Chapter 03: the detector over a scene, and the landslides it finds as polygons."""

    window_px: int = Field(512, ge=64, le=4096, description="edge of a tile of the scene, pixels")
    overlap_px: int = Field(256, ge=0, le=2048, description="overlap of neighbouring tiles, pixels")
    landslide_share: float = Field(
        0.02,
        gt=0,
        lt=1,
        description="share of the scene that landslides may cover, for the choice of thresholds",
    )
    score_threshold: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="score that a landslide reaches somewhere; 0: the best on the validation chips",
    )
    extent_threshold: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="score down to which a landslide extends; 0: the best on the validation chips",
    )
    min_area_m2: float = Field(100.0, ge=0, description="smallest landslide of the inventory, m²")


class SampleParams(Parameters):
    """How samples are drawn from the inventory, alike in chapters 04 and 05."""

    inventory: Literal["auto", "detected", "reference"] = Field(
        "auto", description="landslides to learn from; auto: detected, else reference"
    )
    max_per_landslide: int = Field(
        15, ge=1, le=10_000, description="most cells sampled inside one landslide"
    )
    positives: Literal["cells", "point", "scarp"] = Field(
        "cells",
        description="cells of a landslide: random ones, or only its middle or its highest one",
    )
    negative_ratio: float = Field(
        1.0, gt=0, le=10, description="cells without landslide per landslide cell"
    )
    negative_buffer_m: float = Field(
        100.0,
        ge=0,
        le=1000,
        description="distance of cells without landslide from any landslide, m",
    )
    min_slope_negatives: float = Field(
        0.0, ge=0, le=60, description="cells without landslide are at least so steep, degrees"
    )
    block_m: float = Field(
        1000.0, gt=0, description="edge of the spatial blocks that are dealt to folds, m"
    )
    n_folds: int = Field(5, ge=2, le=20, description="number of cross-validation folds")

    def sampling(self) -> dict[str, Any]:
        """The keyword arguments of `lsa_helpers.samples.make_samples`."""
        names = (
            "max_per_landslide",
            "positives",
            "negative_ratio",
            "negative_buffer_m",
            "min_slope_negatives",
            "seed",
        )
        return {name: getattr(self, name) for name in names}


class SelectionParams(SampleParams):
    """Chapter 04: collinearity and importance of the factors."""

    vif_max: float = Field(
        10.0, gt=1, description="variance inflation factor at which a factor is dropped"
    )
    vif_flag: float = Field(
        5.0, ge=1, description="variance inflation factor above which a kept factor is flagged"
    )
    correlation: Literal["spearman", "pearson"] = Field(
        "spearman", description="kind of correlation shown"
    )
    drop_below_probe: bool = Field(
        False, description="also drop factors less important than a random column"
    )
    importance_trees: int = Field(
        200, ge=10, le=5000, description="trees of the forests that rank the factors"
    )
    importance_repeats: int = Field(
        5, ge=1, le=100, description="permutations of each factor in each fold"
    )


class SusceptibilityParams(SampleParams):
    """Chapter 05: samples, the models, maps and scores."""

    models: list[Literal["cnn", "rf", "xgboost", "logistic", "svm"]] = Field(
        ["cnn", "rf", "xgboost", "logistic"], min_length=1, description="models to train"
    )
    coding: dict[str, Literal["continuous", "circular", "categorical"]] = Field(
        {},
        description="factor: how models code it, where not by its kind (z-score, sine and cosine, "
        "one column per class)",
    )
    tune_draws: int = Field(
        0,
        ge=0,
        le=1000,
        description="settings tried in nested tuning of rf, xgboost and svm; 0: the settings below",
    )
    cnn_window: Literal[1, 7, 11, 15, 23, 31] = Field(
        15, description="edge of the window the CNN sees, cells"
    )
    cnn_epochs: int = Field(20, ge=1, le=1000, description="most epochs of the CNN")
    cnn_patience: int = Field(
        4, ge=1, le=1000, description="epochs without improvement before the CNN stops"
    )
    cnn_seeds: int = Field(3, ge=1, le=50, description="networks whose mean is the CNN")
    rf_trees: int = Field(500, ge=10, le=10_000, description="trees of the random forest")
    xgb_rounds: int = Field(400, ge=10, le=10_000, description="boosting rounds of XGBoost")
    xgb_depth: int = Field(6, ge=1, le=20, description="depth of XGBoost's trees")
    xgb_eta: float = Field(0.05, gt=0, le=1, description="learning rate of XGBoost")
    logistic_factors: list[str] = Field(
        [], description="factors of the logistic regression; empty: all selected"
    )
    logistic_repeats: int = Field(
        0,
        ge=0,
        le=1000,
        description="repetitions of its cross-validation (k-means folds); 0: as the others",
    )


class FrequencyRatioParams(Parameters):
    """Chapter 06: susceptibility classes and frequency ratios."""

    n_classes: int = Field(5, ge=2, le=10, description="number of susceptibility classes")
    scheme: Literal["fisher_jenks", "equal", "quantile", "deviation", "geometric"] = Field(
        "fisher_jenks", description="how the class breaks are found"
    )
    breaks_from: str = Field(
        "", description="breaks.json of another run whose class breaks are used; empty: own breaks"
    )
    inventory: Literal["auto", "detected", "reference"] = Field(
        "auto", description="landslides counted; auto: detected ones, else reference"
    )


class ShapParams(Parameters):
    """Chapter 07: Shapley values of the three models."""

    n_explain: int = Field(
        200,
        ge=10,
        le=100_000,
        description="cells explained, half of them landslide where there are enough",
    )
    n_background: int = Field(
        64, ge=2, le=1000, description="background windows of the CNN's Deep SHAP"
    )
    additivity_tolerance: float = Field(
        1e-3, gt=0, le=0.01, description="largest allowed gap between value sum and model output"
    )


class ValidationParams(Parameters):
    """Chapter 08: what the scores of chapter 05 are worth."""

    inventory: Literal["auto", "detected", "reference"] = Field(
        "auto",
        description="landslides the maps are judged by; auto: the true ones where known, else "
        "detected, else reference",
    )
    heldout_models: list[Literal["cnn", "rf", "xgboost", "logistic", "svm"]] = Field(
        ["cnn", "rf", "xgboost", "logistic"],
        min_length=1,
        description="models mapped block by block without knowing the block",
    )
    one_block_models: list[Literal["cnn", "rf", "xgboost", "logistic", "svm"]] = Field(
        ["rf", "xgboost", "logistic"],
        description="models also scored with one block left out at a time",
    )
    lab_model: Literal["rf", "xgboost", "logistic"] = Field(
        "xgboost", description="model that is trained on many kinds of samples"
    )
    lab_positives: list[Literal["cells", "point", "scarp"]] = Field(
        ["cells", "point", "scarp"],
        description="cells of a landslide that are compared; empty: nothing is",
    )
    lab_buffers_m: list[float] = Field(
        [0.0, 100.0, 200.0], min_length=1, description="distances of cells without landslide, m"
    )
    lab_slopes: list[float] = Field(
        [0.0, 10.0], min_length=1, description="least slopes of cells without landslide, degrees"
    )
    lab_ratios: list[float] = Field(
        [1.0, 10.0], min_length=1, description="cells without landslide per landslide cell"
    )
    lab_seeds: int = Field(2, ge=1, le=50, description="repetitions of every kind of samples")


CHAPTERS: dict[str, type[Parameters]] = {
    "01_data": DataParams,
    "02_detector": DetectorParams,
    "03_inventory": InventoryParams,
    "04_factor_selection": SelectionParams,
    "05_susceptibility": SusceptibilityParams,
    "06_frequency_ratio": FrequencyRatioParams,
    "07_shap": ShapParams,
    "08_validation": ValidationParams,
}


def chapter_name(text: str) -> str:
    """Full name of a chapter from its number or any start of its name, for example ``"05"``.

    Raises
    ------
    InputError
        When no chapter, or more than one, begins so.

    Examples
    --------
    >>> chapter_name("05")
    '05_susceptibility'
    """
    found = [
        name for name in CHAPTERS if name.startswith(text.zfill(2) if text.isdigit() else text)
    ]
    if len(found) != 1:
        raise InputError(f'no chapter is called "{text}"', fix=did_you_mean(text, CHAPTERS))
    return found[0]
