"""From landslides and factors to the table a model learns from, and the coding of its columns."""

from lsa_helpers.samples.coding import (
    FactorCoder,
    coded_groups,
    factor_coder,
    focal_statistics,
    sine_cosine,
)
from lsa_helpers.samples.landslides import (
    load_landslides,
    reproject_landslides,
    resample_landslides,
)
from lsa_helpers.samples.table import KEYS, landslide_numbers, make_samples, write_samples

__all__ = [
    "KEYS",
    "FactorCoder",
    "coded_groups",
    "factor_coder",
    "focal_statistics",
    "landslide_numbers",
    "load_landslides",
    "make_samples",
    "reproject_landslides",
    "resample_landslides",
    "sine_cosine",
    "write_samples",
]
