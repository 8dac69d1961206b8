"""From landslides and factors to what a model learns from: a table, spatial folds, coded columns,
windows.
"""

from lsa_helpers.samples.coding import Encoder, extract_windows, pad_reflect
from lsa_helpers.samples.context import add_context
from lsa_helpers.samples.inventory import on_grid, read_inventory, read_landslides
from lsa_helpers.samples.table import (
    KEYS,
    block_folds,
    block_ids,
    landslide_centres,
    landslide_groups,
    make_samples,
    spatial_folds,
    write_samples,
)

__all__ = [
    "KEYS",
    "Encoder",
    "add_context",
    "block_folds",
    "block_ids",
    "extract_windows",
    "landslide_centres",
    "landslide_groups",
    "make_samples",
    "on_grid",
    "pad_reflect",
    "read_inventory",
    "read_landslides",
    "spatial_folds",
    "write_samples",
]
