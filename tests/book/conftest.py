"""The book of the smallest run, built once for all tests that look at it."""

import os
from pathlib import Path

import pytest
from filelock import FileLock

from lsa_helpers.runner.publish import build_book

CHAPTERS = (
    "mountain",
    "01_data",
    "02_detector",
    "03_inventory",
    "04_factor_selection",
    "05_susceptibility",
    "06_frequency_ratio",
    "07_shap",
    "08_shapley_maps",
    "09_validation",
    "10_samples",
    "11_inventory_errors",
    "12_uncertainty",
    "13_mapping_units",
    "14_using_the_map",
    "15_published_tables",
)


@pytest.fixture(scope="session")
def site(tiny, tmp_path_factory) -> Path:
    """Folder of the book of the smallest run: one for all workers, none of which writes in it."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    index = shared / "site" / "book" / "index.html"
    with FileLock(shared / "site.lock"):
        if not index.is_file():
            assert build_book(tiny.run, index.parent) == index
    return index.parent
