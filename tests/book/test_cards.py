"""A card for every source of a run's data."""

import pandas as pd

from lsa_helpers.run import Run
from lsa_helpers.runner.cards import data_cards

SOURCE = {"kind": "raster", "crs": "EPSG:32648", "resolution": "12.5 m", "unit": "m", "files": 1}


def test_every_source_has_its_card_and_its_words_stay_words(tmp_path):
    """What is missing is said to be missing; markup in a catalog is no markup of the page."""
    run = Run(tmp_path)
    rows = [
        SOURCE | {"entry": "dem", "file": "dem.tif", "source": "A | B", "license": "CC0"},
        SOURCE | {"entry": "snow", "file": "s.tif", "source": "<script>x</script>", "license": ""},
    ]
    run.write_table(pd.DataFrame(rows), "sources")
    text = data_cards(run)
    dem, snow = text.split("\n## ")[1:]
    assert "| source | A \\| B |" in dem and "| licence | CC0 |" in dem and "flatter" in dem
    assert "<script>" not in snow and "not stated: ask" not in dem
    assert "not stated\\: ask before" in snow and "Not known here" in snow
    assert data_cards(Run(tmp_path / "none")) == ""
