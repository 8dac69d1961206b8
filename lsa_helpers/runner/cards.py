"""A card for every source of a run's data: where it is from, what it is, and how it misleads."""

import pandas as pd

from lsa_helpers.run import Run
from lsa_helpers.runner.pages import markdown_table, plain

_BIAS = {
    "dem": "Slope and curvature depend on the cell size: the coarser, the flatter. Where radar saw "
    "nothing, in shadow and layover, heights are filled in.",
    "roads": "Tracks and new roads are missing at this scale. The distance to a road also says "
    "where people, valleys and gentle slopes are.",
    "buildings": "New and small ones are missing; a footprint says nothing of who is inside.",
    "rivers": "Small channels are missing at this scale, and lines need not lie in the valleys of "
    "another source's terrain.",
    "faults": "Drawn where rocks are seen; hidden ones, and which way they dip, are missing.",
    "lithology": "Borders are lines for what is gradual, units lump rocks of unlike strength, and "
    "names change from map to map.",
    "lulc": "Of one date and one classifier. A fresh landslide may be a class of its own.",
    "ndvi": "Of one date and season. Taken after the event it shows the landslide itself.",
    "rainfall": "Cells of kilometres say nothing about a single slope, and a mean hides the storm.",
    "stations": "A few points carry the whole map; between them it is a guess.",
    "pga": "A few points, or one model of one earthquake, carry the whole map.",
    "images": "Some platforms, seasons and regions only; who drew the outlines decided what a "
    "landslide is.",
    "scene": "One date, one light. What lies in shadow or under cloud was not seen.",
    "inventory": "What was overlooked counts as stable. Small, old and forested ones go first.",
    "reference": "What was overlooked counts as stable. Small, old and forested ones go first.",
}
_OTHER = "Not known here. Ask who made it for what, when, at which scale, and what was left out."
_PAGE = """# Data cards

What this run was made from, source by source, as its catalog says it and its files hold it. The
last line of a card is what to think of before a factor made from it is believed.

"""


def data_cards(run: Run) -> str:
    """The page, from the table of sources that chapter 01 wrote; empty without it.

    Parameters
    ----------
    run : Run

    Returns
    -------
    str
        MyST Markdown; what files and catalogs say is shown letter by letter.
    """
    if not run.table("sources").exists():
        return ""
    cards = [_card(row) for row in run.read_table("sources").fillna("").to_dict("records")]
    return _PAGE + "\n".join(cards)


def _card(source: dict) -> str:
    """One source."""
    facts = {
        "source": source["source"] or "not stated",
        "licence": source["license"] or "not stated: ask before you pass anything on",
        "kind": source["kind"],
        "reference system": source["crs"] or "none, or that of another file",
        "resolution or scale": source["resolution"] or "not stated",
        "unit": source["unit"] or "none stated",
        "files": f"{source['files']}, {source['file']}",
    }
    rows = [(name, plain(str(value))) for name, value in facts.items() if not pd.isna(value)]
    rows.append(("how it may mislead", _BIAS.get(source["entry"], _OTHER)))
    return f"## {plain(source['entry'])}\n\n{markdown_table(('', ''), rows)}"
