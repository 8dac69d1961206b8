"""What a page of the book loads only when a reader comes near what needs it: MathJax and its fonts,
and the numbers of the interactive map. ``book/_static/lsa.js`` does the loading.
"""

import json
import os
import re
from pathlib import Path

# Asked for by name in a page, and by no browser of itself.
_LATER = '<script type="lsa/later" data-near="{near}" data-src="{address}"></script>'
_MATHJAX = re.compile(r'\s*<script[^>]*src="([^"]*vendor/mathjax/[^"]*)"[^>]*></script>')
_FORMULA = ".math.notranslate"
_MAP = re.compile(
    r'<div class="lsa-map"(?P<attributes>[^>]*id="(?P<name>lsa-map-\w+)")>(?P<skeleton>.*?)'
    r'<script type="application/json">(?P<data>.*?)</script>\s*'
    r"<script>(?P<script>.*?)</script>",
    re.S,
)
_WAITING = re.compile(r'(<p data-part="waiting">)[^<]*')
# What stood in the page is put back into it, and then runs as it did there.
_PUT_BACK = """{{
const own = document.currentScript;
const holder = document.createElement("script");
holder.type = "application/json";
holder.textContent = {data};
own.before(holder);
own.closest(".lsa-map").style.aspectRatio = "";
}}
{script}
"""


def with_mathjax_later(text: str) -> str:
    """A page that loads MathJax (1.2 MB, and seconds of a phone's processor) when a formula comes
    near, and never without one.

    Parameters
    ----------
    text : str
        HTML as Sphinx writes it.

    Returns
    -------
    str
    """
    if "math notranslate" not in text:
        return _MATHJAX.sub("", text)
    return _MATHJAX.sub(lambda found: _LATER.format(near=_FORMULA, address=found[1]), text)


def with_map_later(text: str, folder: Path, maps: Path) -> str:
    """A page whose interactive maps, up to 4 MB, are files of their own.

    Parameters
    ----------
    text : str
        HTML.
    folder : Path
        Where the page lies.
    maps : Path
        Folder for these files, which are scripts: a page opened from a disk may read no others.

    Returns
    -------
    str
        The room of a map is kept free, so that nothing moves when it arrives.
    """

    def moved(found: re.Match) -> str:
        maps.mkdir(parents=True, exist_ok=True)
        file = maps / f"{found['name']}.js"
        put_back = _PUT_BACK.format(data=json.dumps(found["data"]), script=found["script"])
        file.write_text(put_back, encoding="utf-8")
        shape = json.loads(found["data"])
        room = f'style="aspect-ratio: {shape["width"]} / {shape["height"]}"'
        skeleton = _WAITING.sub(r"\1The map is on its way; it needs scripts.", found["skeleton"])
        address = Path(os.path.relpath(file, folder)).as_posix()
        waiting = _LATER.format(near=f"#{found['name']}", address=address)
        return f'<div class="lsa-map"{found["attributes"]} {room}>{skeleton}{waiting}'

    return _MAP.sub(moved, text)
