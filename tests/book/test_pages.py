"""What the written pages promise about files is what the parameter files read."""

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def test_the_data_page_names_the_papers_files_as_moxi_reads_them():
    """Every path of ``moxi.catalog.yml`` stands on the page that says which file goes where."""
    page = (ROOT / "book/data.md").read_text(encoding="utf-8")
    catalog = yaml.safe_load(
        (ROOT / "notebooks/params/moxi.catalog.yml").read_text(encoding="utf-8")
    )
    paths = [entry["path"] for entry in catalog.values() if isinstance(entry, dict)]
    assert len(paths) >= 10
    assert not [path for path in paths if path not in page]
