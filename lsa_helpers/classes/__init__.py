"""Susceptibility classes (chapter 06): thresholds, frequency ratios, class maps."""

from lsa_helpers.classes.breaks import (
    MODELS,
    SCHEMES,
    class_names,
    classify,
    find_breaks,
    read_breaks,
)
from lsa_helpers.classes.chapter import make_classes, scheme_sensitivity
from lsa_helpers.classes.ratio import COLUMNS, frequency_ratio, landslide_cells, ratios

__all__ = [
    "COLUMNS",
    "MODELS",
    "SCHEMES",
    "class_names",
    "classify",
    "find_breaks",
    "frequency_ratio",
    "landslide_cells",
    "make_classes",
    "ratios",
    "read_breaks",
    "scheme_sensitivity",
]
