"""What the labels of strangers' inventories and images call a landslide."""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import pandas as pd

from lsa_helpers.errors import InputError, note

# Found anywhere in a label, whose spaces and accents are taken out.
_STEMS = """
    landslid landslip slide slump debrisflow debrisavalanche rockavalanche mudflow earthflow
    rockfall topple massmovement masswasting lateralspread lahar
    滑坡 滑塌 崩塌 崩滑 泥石流 塌方 山崩 土石流 地滑 地すべり 土砂崩 がけ崩 崖崩 斜面崩壊 산사태
    frana frane franos scivolament colata crollo
    deslizamient derrumbe desprendimient remocionenmasa movimientoenmasa flujodedetritos huaico
    glissement eboulement coulee chutedebloc mouvementdeterrain mouvementsdeterrain
    rutsch bergsturz felssturz murgang steinschlag
    deslizament escorregament movimentodemassa corridadedetritos
    heyelan оползен оползн longsor gerakantanah satlo truotlo truotdat
    jordskred steinsprang flomskred losmasseskred osuwisk sesuv alunecar κατολισθ klizist
    aardverschuiving पहिरो भूस्खलन ดินถล่ม
"""
# Too short to be looked for inside other words.
_WORDS = "slip creep mure skred plaz ls"
_YES = "1 true yes y t presence present positive oui si ja sim vrai wahr 是 有"
_NO = """
    0 -1 false no n f none absence absent negative background bg nothing stable non nein falso
    faux falsch nao nej 否 无 背景 稳定
"""
# A label that begins with one of these, or has the word, denies what follows.
_DENIED = re.compile(
    r"^((non?|not|keine?)(\b|(?=land|slid|fran|rutsch))|非|无|無|不是|未)"
    r"|\b(without|sans|senza|sin|free)\b"
)


_NAME_THEM = "Name those that are landslides with `landslide_labels: […]` in catalog.yml"


def _plain(label) -> str:
    """A label in small letters without accents, words apart; numbers without a decimal point."""
    text = unicodedata.normalize("NFKD", str(label).strip())
    text = "".join(mark for mark in text if not unicodedata.combining(mark))
    text = unicodedata.normalize("NFKC", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)).casefold()
    text = " ".join(re.split(r"[\s_/,;.:()-]+", re.sub(r"^(-?\d+)[.,]0*$", r"\1", text)))
    return str(label).strip() if re.fullmatch(r"-\d+", str(label).strip()) else text.strip()


_STEMS = [_plain(stem) for stem in _STEMS.split()]
_WORDS, _YES, _NO = (set(words.split()) for words in (_WORDS, _YES, _NO))


def is_landslide(label) -> bool | None:
    """Whether a label means landslide, as far as its name tells.

    Parameters
    ----------
    label : str, int, float or bool
        A category such as "Debris_Flow" or "滑坡", or 1 or 0, true or false, yes or no.

    Returns
    -------
    bool or None
        True a landslide, False none ("stable", "non-landslide", 0), None when its name does not
        tell ("river", 7).

    Examples
    --------
    >>> [is_landslide(label) for label in ("Debris_Flow", "滑坡", "1.0", "non-landslide", "river")]
    [True, True, True, False, None]
    """
    text = _plain(label)
    if text in _YES or text in _NO:
        return text in _YES
    words, joined = set(text.split()), text.replace(" ", "")
    slides = any(stem in joined for stem in _STEMS) or bool(_WORDS & words)
    if _DENIED.search(text) or ("stable" in words and not slides):
        return False
    # A slide of snow is none, and no stable ground either; a stable slide may be an old one.
    return True if slides and not {"snow", "stable"} & words else None


def tell_landslides(labels: pd.Series, chosen: Sequence, where) -> np.ndarray:
    """What each label is: 1 landslide, 0 surely none, −1 something else or nothing.

    Parameters
    ----------
    labels : Series
        Numbers, texts or booleans, its name that of the column; NaN where there is none.
    chosen : sequence of str or int
        The labels that are landslides; empty: guessed by their names, and said.
    where : path
        The file they come from.

    Returns
    -------
    ndarray of int, shape (n,)

    Raises
    ------
    InputError
        When a label is a fraction, or none of them is a landslide.
    """
    known = labels[labels.notna() & (labels.astype(str).str.strip() != "")]
    counts = known.astype(str).value_counts()
    wanted = {_plain(label) for label in chosen}
    _refuse_numbers(known, counts, not wanted, where)
    meaning = {text: is_landslide(text) for text in counts.index}
    if wanted:  # what is denied is none, the rest is something else
        denied = {text: False if told is False else None for text, told in meaning.items()}
        meaning = {text: _plain(text) in wanted or denied[text] for text in meaning}
    told = {True: 1, False: 0, None: -1}
    numbers = known.astype(str).map(lambda label: told[meaning[label]]).astype(int)
    numbers = numbers.reindex(labels.index, fill_value=-1).to_numpy(int)
    if not (numbers == 1).any():
        what = f'no label in "{labels.name}" is known as landslide'
        found = _counted(counts)
        fix = _NAME_THEM
        raise InputError(what, where=where, found=found, fix=fix)
    _say(counts, meaning, len(labels) - len(known), labels.name, where)
    return numbers


def _refuse_numbers(known: pd.Series, counts: pd.Series, guessed: bool, where) -> None:
    """Refuse fractions, and numbers that nobody has said the meaning of."""
    numbers = pd.to_numeric(known, errors="coerce").dropna()
    if (numbers != numbers.round()).any():
        what = f'the labels in "{known.name}" are no whole numbers'
        found = sorted(set(known.astype(str)))[:5]
        fix = "Write 1 for landslide, 0 for none"
        raise InputError(what, where=where, found=found, fix=fix)
    if guessed and not numbers.isin([-1, 0, 1]).all():
        what = f'the labels in "{known.name}" are numbers other than 1 and 0'
        found = _counted(counts)
        fix = _NAME_THEM
        raise InputError(what, where=where, found=found, fix=fix)


def _counted(counts: pd.Series) -> str:
    """Labels and how often each occurs, the most frequent first."""
    return ", ".join(f"{text} ({count})" for text, count in counts.head(12).items()) or "none"


def _say(counts: pd.Series, meaning: dict, missing: int, column: str, where) -> None:
    """Say how labels were understood; 1 and 0 alone say it themselves."""
    if {_plain(text) for text in counts.index} <= {"0", "1", "true", "false"} and not missing:
        return
    parts = [
        f"{word}: {_counted(counts[[meaning[text] is kind for text in counts.index]])}"
        for word, kind in (("landslide", True), ("none", False), ("left out", None))
        if kind in meaning.values()
    ]
    if missing:
        parts.append(f"left out without a label: {missing}")
    fix = "Name the landslides with `landslide_labels` in catalog.yml, if that is wrong"
    note(f'labels of "{column}" were understood', where=where, found="; ".join(parts), fix=fix)
