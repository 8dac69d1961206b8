"""The front page of a run's book."""

import re

import pytest
from PIL import Image

from lsa_helpers.run import Run
from lsa_helpers.runner.cells import notebooks_dir
from lsa_helpers.runner.front import front_page
from lsa_helpers.runner.manifest import read_manifest

PAGE = "# Title\n\n<!-- the map -->\n\nWords.\n\n<!-- the chapters -->\n"


@pytest.mark.notebooks
def test_every_executed_chapter_has_a_card_and_the_map_its_numbers(tiny, tmp_path):
    """Pictures are there and small; the score is that of the table."""
    text = front_page(PAGE, tiny.run, tmp_path / "front")
    done = [s for s in read_manifest(tiny.run)["stages"] if s["status"] == "done"]
    assert re.findall(r":link: \.\./notebooks/(\w+)", text) == [stage["name"] for stage in done]
    for file in re.findall(r"front/([\w.]+)", text):
        with Image.open(tmp_path / "front" / file) as image:
            assert image.width <= 1400
    assert sum(file.stat().st_size for file in (tmp_path / "front").iterdir()) < 600_000
    alts = re.findall(r":(?:img-)?alt: (.+)", text)
    assert len(alts) == text.count("front/") and all(len(alt) >= 40 for alt in alts)
    best = tiny.run.read_table("scores_spatial").set_index("model")["auc_within"].max()
    assert f"its AUC is {best:.2f}" in text
    assert "<!--" not in text


def test_a_run_without_maps_has_cards_only(tmp_path):
    """Nothing is promised that is not there; a chapter without figures has a card of words."""
    run = Run(tmp_path / "run")
    run.path.mkdir()
    stage = '{"name": "01_data", "status": "done", "seconds": 61.2, "outputs": {}}'
    (run.path / "manifest.json").write_text(f'{{"stages": [{stage}]}}', encoding="utf-8")
    text = front_page(PAGE, run, tmp_path / "front")
    assert "figure" not in text and "img-top" not in text and "61 s to run" in text


def test_the_front_page_has_its_places():
    """The two comments that are filled, once each; and the last sentence of the page Limits."""
    book = notebooks_dir().parent / "book"
    index, limits = (book / name for name in ("index.md", "limits.md"))
    text = index.read_text(encoding="utf-8")
    assert text.count("<!-- the map -->") == text.count("<!-- the chapters -->") == 1
    assert limits.read_text(encoding="utf-8").strip().splitlines()[-1] in text
