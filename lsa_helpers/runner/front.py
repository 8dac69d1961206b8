"""The front page of a run's book: its map, and a card for every chapter."""

import json
import re
from pathlib import Path

import matplotlib.pyplot as plt
from PIL import Image

from lsa_helpers.raster import read_factors, read_raster
from lsa_helpers.run import Run
from lsa_helpers.runner.cells import notebooks_dir
from lsa_helpers.runner.manifest import read_manifest
from lsa_helpers.samples import load_landslides
from lsa_helpers.show import style
from lsa_helpers.show.front import front_map

# The figure on a chapter's card, where it is not the first that the chapter made.
_PICTURE = {
    "01_data": "study_area",
    "02_detector": "detection_pairs",
    "03_inventory": "detection_scene",
    "05_susceptibility": "susceptibility",
    "06_frequency_ratio": "classes",
    "07_shap": "shap_importance",
    "08_shapley_maps": "shap_maps",
    "09_validation": "rate_curves",
}
_MAP, _CARDS = "<!-- the map -->", "<!-- the chapters -->"
_CARD_PX = 480

_FIGURE = """```{{figure}} front/map.webp
:alt: {alt}
:width: 100%

{caption}
```"""

_CARD = """:::{{grid-item-card}} {title}
:link: ../notebooks/{chapter}
:link-type: doc
{picture}
{time}
:::"""


def front_page(text: str, run: Run, folder: Path) -> str:
    """Fill the front page of a book.

    Parameters
    ----------
    text : str
        The page, with a comment where the map and where the cards go.
    run : Run
        With executed chapters.
    folder : Path
        Where the pictures are written; the page must call it ``front``.

    Returns
    -------
    str
    """
    folder.mkdir(parents=True)
    text = text.replace(_MAP, _map(run, folder))
    stages = [stage for stage in read_manifest(run)["stages"] if stage["status"] == "done"]
    cards = "\n\n".join(_card(run, stage, folder) for stage in stages)
    return text.replace(_CARDS, f"::::{{grid}} 1 2 2 3\n:gutter: 3\n\n{cards}\n\n::::")


def _map(run: Run, folder: Path) -> str:
    """The map of the model with the highest score of spatial folds; empty without one."""
    if not run.table("scores_spatial").exists():
        return ""
    scores = run.read_table("scores_spatial").set_index("model")["auc_within"]
    there = [name for name in scores.index if run.has(f"susceptibility_{name}.tif")]
    if not there:
        return ""
    best = scores[there].idxmax()
    susceptibility = read_raster(run.product(f"susceptibility_{best}.tif"))["susceptibility"]
    landslides = load_landslides(run.product("inventory.gpkg"), "auto")
    with plt.rc_context():
        style.use()
        relief = style.relief(read_factors(run.product("factors.tif")))
        figure = front_map(susceptibility, relief, landslides)
        figure.savefig(folder / "map.png", dpi=200)
    plt.close(figure)
    _shrink(folder / "map.png", folder / "map.webp", 1400)
    (folder / "map.png").unlink()
    name, layer = style.MODEL_LABELS[best], landslides.attrs["layer"]
    caption = (
        f"The area of this book as its {name} maps it, with the {layer} landslides that it learned "
        f"from, over the relief. On ground where it knew none its AUC is {scores[best]:.2f}: 0.5 "
        "is guessing, 1 would be perfect."
    )
    alt = f"Map of susceptibility from 0 to 1 by {name} over shaded relief, landslides outlined"
    return _FIGURE.format(caption=caption, alt=alt)


def _card(run: Run, stage: dict, folder: Path) -> str:
    """One chapter: title, picture, and how long it took to run."""
    chapter = stage["name"]
    cells = json.loads((notebooks_dir() / f"{chapter}.ipynb").read_text(encoding="utf-8"))["cells"]
    title = "".join(cells[0]["source"]).split("\n", 1)[0].removeprefix("# ")
    figures = [Path(name).stem for name in stage["outputs"] if name.startswith("figures/")]
    picture = ""
    if figures:
        name = _PICTURE.get(chapter, figures[0])
        name = name if name in figures else figures[0]
        _shrink(run.figure(name), folder / f"{chapter}.webp", _CARD_PX)
        picture = f":img-top: front/{chapter}.webp\n:img-alt: {_alt(cells, name)}\n"
    return _CARD.format(
        chapter=chapter, title=title, picture=picture, time=f"{stage['seconds']:.0f} s to run"
    )


def _alt(cells: list[dict], figure: str) -> str:
    """What a figure shows, in the words of the cell that draws it."""
    for cell in cells:
        if re.search(rf'run, "{figure}"', "".join(cell["source"])):
            words = cell["metadata"].get("mystnb", {}).get("image", {}).get("alt")
            if words:
                return words
    return f"Figure {figure.replace('_', ' ')}"


def _shrink(source: Path, target: Path, width: int) -> None:
    """A picture at most `width` pixels wide, as WebP."""
    with Image.open(source) as image:
        image = image.convert("RGB")
        image.thumbnail((width, width))
        image.save(target, quality=80, method=6)
