"""Slides made of the figures of executed chapters."""

import base64
import io
import json

import pytest
from PIL import Image

from lsa_helpers.errors import InputError
from lsa_helpers.run import Run
from lsa_helpers.runner.slides import chapter_slides, write_slides

LEARN = """| you will learn | the experiment that shows it |
|---|---|
| how `this` works | a trial |
| why {term}`that <it>` is so | {ref}`exercise <ex>` |"""
TEXT = f"# 1 A title\n\n{LEARN}\n\nMore."


@pytest.fixture
def run(tmp_path):
    """A run with one executed chapter that has one figure."""
    file = io.BytesIO()
    Image.new("RGB", (4, 3), "red").save(file, "png")
    shown = {
        "output_type": "display_data",
        "data": {"image/png": base64.b64encode(file.getvalue()).decode()},
    }
    about = {"figure": {"caption": "A <b> map."}, "image": {"alt": 'Red "everywhere"'}}
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": TEXT},
        {"cell_type": "markdown", "metadata": {}, "source": "## Where\n\nHere."},
        {"cell_type": "code", "metadata": {"mystnb": about}, "source": "x", "outputs": [shown]},
        {"cell_type": "code", "metadata": {}, "source": "y", "outputs": [shown]},
    ]
    (tmp_path / "notebooks").mkdir()
    file = tmp_path / "notebooks" / "01_data.ipynb"
    file.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    return Run(tmp_path)


def test_a_chapter_is_its_title_and_its_figures(run):
    """Objectives one by one without their experiments, roles and marks as plain words; a picture
    without a name is none.
    """
    title, figure = chapter_slides(run.path / "notebooks/01_data.ipynb")
    assert "<h1>1 A title</h1>" in title
    assert "<ul><li>how this works</li><li>why that is so</li></ul>" in title
    assert "<h2>Where</h2>" in figure and "A &lt;b&gt; map." in figure
    assert 'alt="Red &quot;everywhere&quot;"' in figure


def test_each_part_has_one_file(run):
    """It names no other file or server; parts without chapters have none."""
    (file,) = write_slides(run)
    text = file.read_text(encoding="utf-8")
    assert file == run.path / "slides" / "from_images_to_an_inventory.html"
    assert text.count("<section>") == 2 and "http" not in text
    (run.path / "notebooks/01_data.ipynb").unlink()
    with pytest.raises(InputError, match="no executed chapters"):
        write_slides(run)
