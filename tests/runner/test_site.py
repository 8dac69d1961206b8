"""Pages mended by hand-made examples, each a few elements of what Sphinx writes."""

import re

from lsa_helpers.runner.site import mend_page


def test_empty_headers_become_cells_and_the_others_stay():
    row = '<tr><th class="blank" >&nbsp;</th><th><p></p></th><th scope="col">rf</th><td></td></tr>'
    mended = '<tr><td class="blank" ></td><td></td><th scope="col">rf</th><td></td></tr>'
    assert mend_page(row) == mended


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


def test_mathjax_is_loaded_for_formulas_only():
    script = '<script defer="defer" src="../_static/vendor/mathjax/tex-mml-chtml.js?v=1"></script>'
    formula = '<span class="math notranslate nohighlight">x</span>'
    assert mend_page(f"<head>{script}</head>") == "<head></head>"
    assert mend_page(script + formula) == script + formula
