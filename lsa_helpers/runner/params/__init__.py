"""Parameters: one pydantic model per chapter, parameter files, and errors that name the key."""

from lsa_helpers.runner.params.base import Parameters
from lsa_helpers.runner.params.chapters import (
    CHAPTERS,
    DataParams,
    DetectorParams,
    FrequencyRatioParams,
    InventoryParams,
    SampleParams,
    SelectionParams,
    ShapParams,
    SusceptibilityParams,
    ValidationParams,
    chapter_name,
)
from lsa_helpers.runner.params.files import (
    find_params,
    notebooks_dir,
    read_params,
    resolve,
    to_sections,
)

__all__ = [
    "CHAPTERS",
    "DataParams",
    "DetectorParams",
    "FrequencyRatioParams",
    "InventoryParams",
    "Parameters",
    "SampleParams",
    "SelectionParams",
    "ShapParams",
    "SusceptibilityParams",
    "ValidationParams",
    "chapter_name",
    "find_params",
    "notebooks_dir",
    "read_params",
    "resolve",
    "to_sections",
]
