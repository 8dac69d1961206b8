"""Reading a user's data folder: its catalog, its rasters and vectors on one grid, and a check
before anything is made.
"""

from lsa_helpers.sources.areas import study_mask
from lsa_helpers.sources.catalog import Catalog, Entry, load_catalog
from lsa_helpers.sources.categories import categorical
from lsa_helpers.sources.check import check_catalog, source_outlines, source_table
from lsa_helpers.sources.crs import parse_crs
from lsa_helpers.sources.distance import distance_to
from lsa_helpers.sources.inventory import read_inventory
from lsa_helpers.sources.kinds import is_raster, kind_of
from lsa_helpers.sources.layers import continuous, read_dem, target_grid
from lsa_helpers.sources.rasters import native_resolution
from lsa_helpers.sources.vectors import inverse_distance, read_features, station_error

__all__ = [
    "Catalog",
    "Entry",
    "categorical",
    "check_catalog",
    "continuous",
    "distance_to",
    "inverse_distance",
    "is_raster",
    "kind_of",
    "load_catalog",
    "native_resolution",
    "parse_crs",
    "read_dem",
    "read_features",
    "read_inventory",
    "source_outlines",
    "source_table",
    "station_error",
    "study_mask",
    "target_grid",
]
