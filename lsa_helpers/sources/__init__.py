"""Reading a user's data folder: its catalog, its rasters and vectors on one grid, and a check before anything is made."""

from lsa_helpers.sources.catalog import Catalog, Entry, load_catalog
from lsa_helpers.sources.check import check_catalog, source_table
from lsa_helpers.sources.layers import (
    categorical,
    continuous,
    distance_to,
    read_dem,
    read_features,
    read_inventory,
    study_mask,
    target_grid,
)

__all__ = [
    "Catalog", "Entry", "categorical", "check_catalog", "continuous", "distance_to", "load_catalog", "read_dem", "read_features",
    "read_inventory", "source_table", "study_mask", "target_grid",
]  # fmt: skip
