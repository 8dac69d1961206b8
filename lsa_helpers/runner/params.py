"""Parameters: one model per chapter, with types and ranges."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from lsa_helpers.errors import InputError, did_you_mean
from lsa_helpers.runner.cells import Cell

Fraction = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1, le=1000)]
CountOrNone = Annotated[int, Field(ge=0, le=1000)]
Trees = Annotated[int, Field(ge=10, le=10_000)]
# YAML reads 2022-09-05 as a date and 2022 as a number.
Words = Annotated[
    str, BeforeValidator(lambda value: str(value) if isinstance(value, date | int) else value)
]
Landslides = Literal["auto", "detected", "reference"]
Positives = Literal["cells", "point", "scarp"]
Model = Literal["cnn", "rf", "xgboost", "logistic", "infinite_slope", "svm"]


class Parameters(Cell):
    """What every chapter knows: its run's folder, the seed, the data folder, how many cores it may
    use and how rasters are read.
    """

    run_dir: str
    seed: int = Field(ge=0, lt=2**31)
    profile: str
    data: str
    catalog: str
    n_jobs: int = Field(ge=1, le=1024)
    chunk: int = Field(ge=0, le=65_536)

    @classmethod
    def _meant(cls, key: str) -> str:
        """What an unknown key may be: another chapter's parameter, or a name like one here."""
        there = " and ".join(owners(key))
        return f"It is a parameter of {there}" if there else did_you_mean(key, cls.model_fields)


class DataParams(Parameters):
    """Chapter 01: the world or the data folder, the grid and the fifteen factors."""

    width_km: float = Field(ge=2, le=25)
    height_km: float = Field(ge=2, le=25)
    chips_per_platform: int = Field(ge=4, le=5000)
    cell_size_m: float = Field(ge=0, le=1000)
    crs: str
    factors: list[str]


class DetectorParams(Parameters):
    """Chapter 02: Mask R-CNN trained and scored on chips."""

    backbone: Literal["resnet18", "resnet50"]
    backbone_stages: Literal[2, 3, 4]
    fpn_width: int = Field(ge=8, le=1024)
    mask_layers: int = Field(ge=1, le=8)
    box_batch_size_per_image: int = Field(ge=4, le=2048)
    sampling_ratio: int = Field(ge=1, le=4)
    rpn_post_nms_top_n: int = Field(ge=10, le=4000)
    semantic_weight: float = Field(ge=0, le=100)
    tta: Literal[1, 2, 4, 8]
    optimizer: Literal["adamw", "sgd", "muon"]
    muon_max_channels: int = Field(ge=16, le=4096)
    epochs: Count
    batch_size: int = Field(ge=1, le=256)
    learning_rate: float = Field(gt=0, le=1)
    lr_schedule: Literal["cosine", "linear"]
    weight_decay: float = Field(ge=0, le=1)
    validate_every: CountOrNone
    compare_epochs: CountOrNone
    detector: str
    weights: str
    bands: list[str] = Field(min_length=1, max_length=20)
    reflectance_scale: float = Field(ge=0)
    reflectance_offset: float
    chip_size: int = Field(ge=32, le=2048)
    resolution_m: float = Field(ge=0, le=100)
    normalise_radiometry: bool
    brightness: Fraction
    channel_jitter: Fraction
    scale_jitter: float = Field(ge=0, le=3)
    rotation: float = Field(ge=0, le=180)
    skip_bad: bool


class InventoryParams(Parameters):
    """Chapter 03: the detector over a scene, and the landslides it finds as polygons."""

    window_px: int = Field(ge=64, le=4096)
    overlap_px: int = Field(ge=0, le=2048)
    landslide_share: float = Field(gt=0, lt=1)
    score_threshold: Fraction
    extent_threshold: Fraction
    min_area_m2: float = Field(ge=0)


class SampleParams(Parameters):
    """How samples are drawn from the inventory, alike in chapters 04 and 05."""

    inventory: Landslides
    max_per_landslide: int = Field(ge=1, le=10_000)
    max_positives: int = Field(ge=10, le=1_000_000)
    positives: Positives
    cells_by: Literal["landslide", "area", "score"]
    negative_ratio: float = Field(gt=0, le=10)
    negative_buffer_m: float = Field(ge=0, le=1000)
    min_slope_negatives: float = Field(ge=0, le=60)
    block_m: float = Field(gt=0)
    cluster_m: float = Field(ge=0)
    n_folds: int = Field(ge=2, le=20)

    def sampling(self) -> dict[str, Any]:
        """The keyword arguments of `lsa_helpers.samples.make_samples`."""
        landslides = {"max_per_landslide", "max_positives", "positives", "cells_by"}
        others = {"negative_ratio", "negative_buffer_m", "min_slope_negatives"}
        return self.model_dump(include={"seed"} | landslides | others)


class SelectionParams(SampleParams):
    """Chapter 04: collinearity and importance of the factors."""

    vif_max: float = Field(gt=1)
    vif_flag: float = Field(ge=1)
    correlation: Literal["spearman", "pearson"]
    keep_factors: list[str]
    n_probes: int = Field(ge=1, le=100)
    drop_below_probe: bool
    importance_trees: int = Field(ge=10, le=5000)
    importance_repeats: int = Field(ge=1, le=100)


class SusceptibilityParams(SampleParams):
    """Chapter 05: samples, the models, maps and scores."""

    scheduler: str
    models: list[Model] = Field(min_length=1)
    coding: dict[str, Literal["continuous", "circular", "categorical"]]
    tune_draws: CountOrNone
    cnn_window: Literal[1, 7, 11, 15, 23, 31]
    cnn_epochs: Count
    cnn_patience: Count
    cnn_seeds: int = Field(ge=1, le=50)
    rf_trees: Trees
    xgb_rounds: Trees
    xgb_depth: int = Field(ge=1, le=20)
    xgb_eta: float = Field(gt=0, le=1)
    logistic_factors: list[str]


class FrequencyRatioParams(Parameters):
    """Chapter 06: susceptibility classes and frequency ratios."""

    n_classes: int = Field(ge=2, le=10)
    scheme: Literal["fisher_jenks", "equal", "quantile", "deviation", "geometric"]
    maps: Literal["heldout", "fitted"]
    breaks_from: str
    inventory: Landslides


class ShapParams(Parameters):
    """Chapter 07: Shapley values of the three models."""

    n_explain: int = Field(ge=10, le=100_000)
    n_background: int = Field(ge=2, le=1000)


class ShapleyMapParams(Parameters):
    """Chapter 08: Shapley values of every cell."""

    tree_background: int = Field(ge=2, le=1000)
    n_orders: int = Field(ge=2, le=10_000)
    companion_cells: int = Field(ge=100, le=10_000_000)
    companion_trees: Trees
    refits: CountOrNone
    n_pairs: int = Field(ge=0, le=100_000)


class ValidationParams(Parameters):
    """Chapter 09: what the scores of chapter 05 are worth."""

    inventory: Landslides
    one_block_models: list[Model]
    logistic_repeats: CountOrNone
    prevalence: Fraction


class SamplingParams(Parameters):
    """Chapter 10: what the choice of samples does."""

    inventory: Landslides
    lab_model: Literal["rf", "xgboost", "logistic"]
    lab_positives: list[Positives]
    lab_buffers_m: list[float] = Field(min_length=1)
    lab_slopes: list[float] = Field(min_length=1)
    lab_ratios: list[float] = Field(min_length=1)
    lab_seeds: int = Field(ge=1, le=50)


class InventoryErrorsParams(Parameters):
    """Chapter 11: what errors of the inventory do to the map."""

    error_model: Literal["rf", "xgboost", "logistic"]
    detected_thresholds: list[Annotated[float, Field(gt=0, lt=1)]] = Field(min_length=1)
    omission_shares: list[Fraction]
    commission_shares: list[Annotated[float, Field(gt=0)]]
    boundary_m: list[float]
    merging_m: list[Annotated[float, Field(ge=0)]]
    position_m: list[Annotated[float, Field(ge=0)]]
    true_draws: int = Field(ge=2, le=50)
    error_seeds: int = Field(ge=1, le=50)
    score_step: int = Field(ge=1, le=100)


class UncertaintyParams(Parameters):
    """Chapter 12: how sure a map is, and where it may be used."""

    inventory: Landslides
    doubt_model: Literal["rf", "xgboost", "logistic"]
    doubt_seeds: int = Field(ge=1, le=50)
    doubt_step: int = Field(ge=1, le=100)
    confidence: float = Field(gt=0.5, lt=1)
    conformal_splits: int = Field(ge=1, le=1000)
    other_seed: int = Field(ge=0, lt=2**31)
    other_km: float = Field(ge=2.5, le=12)


class UnitsParams(Parameters):
    """Chapter 13: slope units, and scores by unit."""

    inventory: Landslides
    stream_m2: float = Field(gt=0)
    min_unit_m2: float = Field(gt=0)
    max_variance: float = Field(ge=0, le=1)
    variances: list[Annotated[float, Field(ge=0, le=1)]] = Field(min_length=1)
    unit_shares: list[Fraction] = Field(min_length=1)
    high_share: float = Field(gt=0, lt=1)


class UseParams(Parameters):
    """Chapter 14: what a map can be used for, and the files for a GIS and for paper."""

    inventory: Landslides
    zone_area_m2: float = Field(ge=0, le=1e7)
    sheet_model: Literal["", "cnn", "rf", "xgboost"]
    trigger: Words = Field(max_length=120)
    surveyed: Words = Field(max_length=40)


class ComparisonParams(Cell):
    """The chapter that compares runs, which belongs to no run."""

    run_dir: str
    runs: list[str] = Field(min_length=1)


#: Its notebook.
COMPARISON = "16_comparison"


class PublishedParams(Cell):
    """The chapter on printed tables, which reads no run."""

    run_dir: str
    table: str


#: Its notebook.
PUBLISHED = "15_published_tables"


class MountainParams(Cell):
    """The page on how the simulated mountain was made, which reads its run's own parameters."""

    run_dir: str


#: Its notebook, which has no number: it tells of the data and is no step of the chain.
MOUNTAIN = "mountain"

CHAPTERS: dict[str, type[Parameters]] = {
    "01_data": DataParams,
    "02_detector": DetectorParams,
    "03_inventory": InventoryParams,
    "04_factor_selection": SelectionParams,
    "05_susceptibility": SusceptibilityParams,
    "06_frequency_ratio": FrequencyRatioParams,
    "07_shap": ShapParams,
    "08_shapley_maps": ShapleyMapParams,
    "09_validation": ValidationParams,
    "10_samples": SamplingParams,
    "11_inventory_errors": InventoryErrorsParams,
    "12_uncertainty": UncertaintyParams,
    "13_mapping_units": UnitsParams,
    "14_using_the_map": UseParams,
}


def owners(name: str) -> list[str]:
    """The chapters that have a parameter of this name; none where all of them share it."""
    having = [chapter for chapter, model in CHAPTERS.items() if name in model.model_fields]
    return [] if name in Parameters.model_fields else having


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
    start = text.zfill(2) if text.isdigit() else text
    names = [name for name in CHAPTERS if name.startswith(start)]
    if len(names) != 1:
        raise InputError(f'no chapter is called "{text}"', fix=did_you_mean(text, CHAPTERS))
    return names[0]
