"""Icons of a made-up site, with the font that matplotlib brings in place of the theme's."""

import shutil
from pathlib import Path

import matplotlib
from fontTools.ttLib import TTFont

from lsa_helpers.runner.icons import keep_icons

BARS, STAR = 0xEF00, 0xEF01  # of its private use area


def test_icons_of_the_pages_are_left_in_the_sheet_and_in_the_font(tmp_path):
    fonts = tmp_path / "_static/fonts"
    fonts.mkdir(parents=True)
    whole = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"
    shutil.copyfile(whole, fonts / "fa.ttf")
    (tmp_path / "page.html").write_text('<i class="fa-solid fa-bars"></i>')
    sheet = tmp_path / "_static/book-0.css"
    bars = f'.fa-bars:before,.fa-navicon:before{{content:"\\{BARS:x}"}}'
    star = f'.fa-star:before{{content:"\\{STAR:x}"}}'
    source = 'src:url(fonts/fa.woff2) format("woff2"),url(fonts/fa.ttf) format("truetype")'
    sheet.write_text(f"@font-face{{{source}}}{star}{bars}a{{b:c}}")
    keep_icons(tmp_path, [sheet])
    font = 'src:url("fonts/fa.woff") format("woff")'
    assert sheet.read_text() == f"@font-face{{{font}}}{bars}a{{b:c}}"
    with TTFont(whole) as before, TTFont(fonts / "fa.woff") as after:
        assert {BARS, STAR} <= set(before.getBestCmap()), "else this font shows nothing"
        assert set(after.getBestCmap()) == {BARS}
