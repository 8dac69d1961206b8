"""Pages mended by hand-made examples, each a few elements of what Sphinx writes."""

import json
import re

import pytest
from PIL import Image

from lsa_helpers.runner.site import mend_page, mend_site


def test_empty_headers_become_cells_and_the_others_stay():
    row = '<tr><th class="blank" >&nbsp;</th><th><p></p></th><th scope="col">rf</th><td></td></tr>'
    mended = '<tr><td class="blank" ></td><td></td><th scope="col">rf</th><td></td></tr>'
    assert mend_page(row) == mended


def test_a_header_can_break_after_an_underscore():
    assert mend_page("<th>mean_fold_error</th>") == "<th>mean_<wbr>fold_<wbr>error</th>"
    assert mend_page("<td>mean_fold</td><th>mean</th>") == "<td>mean_fold</td><th>mean</th>"


def test_a_number_is_not_parted_from_its_unit():
    assert mend_page('<td class="data">-2.1 %</td>') == '<td class="data">-2.1&nbsp;%</td>'
    assert mend_page("<td>1,200 m²</td>") == "<td>1,200&nbsp;m²</td>"
    words = "<td>2 of three</td><td>1 2 %</td><p>3 %</p>"
    assert mend_page(words) == words


def test_folded_parts_of_the_contents_have_a_name():
    part = '<summary><span class="toctree-toggle" role="presentation"></span></summary>'
    assert mend_page(part).startswith('<summary aria-label="Pages below this one"><span')
    assert mend_page("<summary>Values used</summary>") == "<summary>Values used</summary>"


def test_lines_of_code_know_their_indent_and_keep_their_text():
    code = 'if a:\n    <span class="n">b</span> = &quot;  &quot;\n\nc\n'
    block = (
        f'<div class="highlight-python notranslate"><div class="highlight"><pre>{code}</pre></div>'
    )
    mended = mend_page(block)
    assert re.findall(r'--in:(\d+)"', mended) == ["0", "4", "0", "0"]
    assert re.sub("<[^>]*>", "", mended) == re.sub("<[^>]*>", "", code)
    printed = block.replace("python", "myst-ansi")
    assert mend_page(printed) == printed


def test_scripts_are_not_waited_for_but_one_that_the_page_itself_uses():
    assert mend_page('<script src="a.js"></script>') == '<script defer src="a.js"></script>'
    tabs = '<script data-tabs="x" src="a.js"></script>'
    assert mend_page(tabs) == tabs.replace("script data", "script defer data")
    stays = '<script src="_static/documentation_options.js"></script><script>let a = 1;</script>'
    assert mend_page(stays) == stays


@pytest.fixture
def built(tmp_path):
    """A site of one page in a folder, with two style sheets, a figure and its notebook."""
    for folder in ("_static/styles", "_images", "_sources/notebooks", "notebooks"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "_static/styles/theme.css").write_text("a { b: url(../vendor/font.woff2) }")
    (tmp_path / "_static/documentation_options.js").write_text("const OPTIONS = {};")
    (tmp_path / "_static/own.css").write_text("c { d: url('dot.png'); e: url(data:image/png,0) }")
    Image.new("RGB", (3, 2)).save(tmp_path / "_images/map.png")
    sheets = ("styles/theme.css", "own.css?v=1")
    links = "".join(f'<link rel="stylesheet" href="../_static/{name}" />' for name in sheets)
    options = '<script src="../_static/documentation_options.js?v=1"></script>'
    head = f'<head>{links}{options}<link rel="next" href="b.html"></head>'
    figure = '<img alt="A" src="../_images/map.png" />'
    figure = f"<article>{figure}{'words ' * 100}{figure}"
    (tmp_path / "notebooks/page.html").write_text(head + figure)
    code = {"cell_type": "code", "source": "1", "outputs": [{"text": "1"}], "execution_count": 3}
    code["metadata"] = {"papermill": {"duration": 1}, "execution": {}, "tags": []}
    metadata = {"widgets": {}, "papermill": {"input_path": "/home/ann"}, "language": "python"}
    notebook = {"cells": [code], "metadata": metadata}
    (tmp_path / "_sources/notebooks/page.ipynb").write_text(json.dumps(notebook))
    mend_site(tmp_path)
    return tmp_path


def test_a_page_asks_for_one_style_sheet_whose_addresses_still_lead_there(built):
    page = (built / "notebooks/page.html").read_text()
    assert page.startswith(
        '<head><link rel="stylesheet" href="../_static/styles/book-0.css">'
        '<script>const OPTIONS = {};</script><link rel="next" href="b.html"></head>'
    )
    theme, own = (built / "_static/styles/book-0.css").read_text().split("\n")
    assert theme == 'a { b: url("../vendor/font.woff2") }'
    assert own == 'c { d: url("../dot.png"); e: url(data:image/png,0) }'


def test_a_figure_says_its_size_and_comes_when_it_is_in_sight(built):
    figure = '<img alt="A" src="../_images/map.png" width="3" height="2" {} />'
    page = (built / "notebooks/page.html").read_text()
    assert page.endswith(figure.format('loading="lazy"'))
    assert f"<article>{figure.format('fetchpriority="high"')}" in page, "in sight from the start"


def test_a_notebook_to_download_has_its_code_and_no_outputs_or_paths_of_a_machine(built):
    notebook = json.loads((built / "_sources/notebooks/page.ipynb").read_text())
    code = {"cell_type": "code", "source": "1", "outputs": [], "execution_count": None}
    code["metadata"] = {"tags": []}
    assert notebook == {"cells": [code], "metadata": {"language": "python"}}
