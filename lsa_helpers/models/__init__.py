"""Maps of trained estimators, and their files. Nothing heavy is imported."""

from lsa_helpers.models.area import check_area, describe_area, fitted_coder
from lsa_helpers.models.files import can_load, load, save, saved_window
from lsa_helpers.models.infinite_slope import InfiniteSlope
from lsa_helpers.models.maps import (
    bf16_error,
    compute_on,
    cross_validated_cells,
    cross_validated_map,
    dask_client,
    predict_map,
)

__all__ = [
    "InfiniteSlope",
    "bf16_error",
    "can_load",
    "check_area",
    "compute_on",
    "cross_validated_cells",
    "cross_validated_map",
    "dask_client",
    "describe_area",
    "fitted_coder",
    "load",
    "predict_map",
    "save",
    "saved_window",
]
