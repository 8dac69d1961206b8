"""The theme's icons: of two thousand, those that the pages show, in a font of a few kilobytes and a
sheet without the others.
"""

import re
from pathlib import Path

# A rule that gives an icon its place in the font; one icon can have several names.
_ICON = re.compile(r'((?:\.fa-[\w-]+:{1,2}before,?)+)\{content:"\\([0-9a-f]+)"\}')
_PLACE = re.compile(r'"\\([ef][0-9a-f]{3})')
# The fonts as the theme brings them, packed in two ways; only the second can be read by what is
# installed here.
_FONT = re.compile(
    r'url\("?([^)"]+)\.woff2"?\) ?format\("woff2"\), ?url\("?[^)"]+\.ttf"?\) ?format\("truetype"\)'
)


def keep_icons(site: Path, sheets: list[Path]) -> None:
    """Leave in style sheets the icons that the pages and scripts of a site name, and cut the fonts
    to these.

    Parameters
    ----------
    site : Path
    sheets : list of Path
        Changed where they lie; the new fonts are written beside the old.
    """
    names = _names(site)

    def kept(found: re.Match) -> str:
        return found[0] if names & set(re.findall(r"fa-[\w-]+", found[1])) else ""

    texts = {sheet: _ICON.sub(kept, sheet.read_text(encoding="utf-8")) for sheet in sheets}
    places = {int(place, 16) for text in texts.values() for place in _PLACE.findall(text)}
    fonts = set()
    for sheet, text in texts.items():
        fonts |= {(sheet.parent / f"{found[1]}.ttf").resolve() for found in _FONT.finditer(text)}
        sheet.write_text(_FONT.sub(r'url("\1.woff") format("woff")', text), encoding="utf-8")
    for font in fonts:
        _cut_font(font, places)


def _names(site: Path) -> set[str]:
    """Names of the icons in pages and scripts, as ``fa-bars``; some are names of styles, which does
    no harm.
    """
    files = [*site.rglob("*.html"), *site.glob("_static/**/*.js")]
    texts = (file.read_text(encoding="utf-8") for file in files)
    return {name for text in texts for name in re.findall(r"\bfa-[a-z0-9-]+", text)}


def _cut_font(file: Path, places: set[int]) -> None:
    """Write a font with the glyphs at some places (code points) of another, beside it."""
    from fontTools import subset

    options = subset.Options(flavor="woff", notdef_outline=True)
    with subset.load_font(file, options) as font:
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=places)
        cutter.subset(font)
        subset.save_font(font, file.with_suffix(".woff"), options)
