"""What pages load later, by hand-made examples; the browser's side is in tests/book."""

import json

from lsa_helpers.runner.later import with_map_later, with_mathjax_later


def test_mathjax_waits_for_formulas_and_is_gone_without_any():
    script = '<script defer="defer" src="../_static/vendor/mathjax/tex-mml-chtml.js?v=1"></script>'
    formula = '<span class="math notranslate nohighlight">x</span>'
    assert with_mathjax_later(f"<head>{script}</head>") == "<head></head>"
    later = with_mathjax_later(script + formula)
    assert later.endswith(formula)
    assert 'data-src="../_static/vendor/mathjax/tex-mml-chtml.js?v=1"' in later
    assert " src=" not in later, "no browser asks for it of itself"


def test_a_map_is_a_file_of_its_own_that_holds_what_stood_in_the_page(tmp_path):
    data = json.dumps({"width": 64, "height": 48, "layers": ['a "quoted" \\u003cb> name']})
    page = (
        '<p>before</p><div class="lsa-map" id="lsa-map-0a"><style>a</style>'
        '<p data-part="waiting">Trust the notebook.</p>'
        f'<script type="application/json">{data}</script>\n<script>{{ draw(); }}</script>\n</div>'
    )
    mended = with_map_later(page, tmp_path / "notebooks", tmp_path / "_static/maps")
    assert "layers" not in mended and "draw" not in mended and "Trust" not in mended
    assert mended.startswith('<p>before</p><div class="lsa-map" id="lsa-map-0a" style="aspect-rat')
    assert "aspect-ratio: 64 / 48" in mended
    assert 'data-src="../_static/maps/lsa-map-0a.js"' in mended
    script = (tmp_path / "_static/maps/lsa-map-0a.js").read_text()
    line = next(line for line in script.splitlines() if line.startswith("holder.textContent = "))
    assert json.loads(line.removeprefix("holder.textContent = ").removesuffix(";")) == data
    assert script.endswith("{ draw(); }\n")


def test_a_page_without_a_map_stays(tmp_path):
    page = '<div class="figure"><script>1</script></div>'
    assert with_map_later(page, tmp_path, tmp_path / "maps") == page
    assert not (tmp_path / "maps").exists()
