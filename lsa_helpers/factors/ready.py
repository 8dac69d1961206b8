"""Doubts about factors: ready-made ones that do not fit the DEM, gaps that cost much land."""

from collections.abc import Mapping

import numpy as np

from lsa_helpers.errors import InputError, doubt

# How many times larger or smaller than the DEM's the median may be: slopes depend on the cells
# (percent are 1.75 times degrees or more), curvatures and TRI on the definition too.
_MOST_TIMES = {"altitude": 1.5, "slope": 1.7, "tri": 8}
_MOST_TIMES |= {"plan_curvature": 20, "profile_curvature": 20}
_MOST_TURNED = 45  # degrees


def doubt_ready(name: str, values, own, cell: float, file) -> None:
    """Doubt a ready-made factor in another unit than is taken, or of other ground.

    Parameters
    ----------
    name : str
        One of the fifteen factors.
    values : array_like, shape (height, width)
        As read.
    own : callable
        Without arguments, the factor as the DEM gives it (height, width).
    cell : float
        Edge of the cells, m.
    file : Path
    """
    values, found = np.asarray(values), ""
    if name.startswith("distance_to") and np.nanmax(values) < cell:
        found = f"up to {np.nanmax(values):g} m, in cells of {cell:g} m"
    elif name == "aspect":
        other = np.asarray(own())
        turned = np.abs((values - other + 180) % 360 - 180)[(values >= 0) & (other >= 0)]
        if turned.size and np.median(turned) > _MOST_TURNED:
            found = f"half of the ground is turned by more than {np.median(turned):.0f}°"
    elif name in _MOST_TIMES:
        here, there = (float(np.nanmedian(np.abs(part))) for part in (values, np.asarray(own())))
        most = _MOST_TIMES[name]
        if there > 0 and not there / most <= here <= there * most:
            found = f"half of the cells above {here:.3g}, by the DEM above {there:.3g}"
    if found:
        fix = "Name its `unit` or `scale`, or leave it out so that it is computed"
        doubt(f"the ready-made {name} does not fit the ground", where=file, found=found, fix=fix)


def doubt_gaps(shares: Mapping[str, float], left: float, folder) -> None:
    """Say what each factor costs where less than half of the area is left with all of them.

    Parameters
    ----------
    shares : mapping
        Long name of a factor → share of the study area that has a value of it.
    left : float
        Share that has a value of every factor.
    folder : Path

    Raises
    ------
    InputError
        When nothing is left.
    """
    if left == 0:
        raise InputError(
            "no cell has a value for every factor",
            where=folder,
            found={name: f"{share:.0%}" for name, share in shares.items()},
            fix="Leave out the emptiest source",
        )
    if left >= 0.5:
        return
    costs = sorted((share, name) for name, share in shares.items() if share < 0.995)
    doubt(
        f"only {left:.0%} of the study area has a value of every factor",
        where=folder,
        found=", ".join(f"{name} {1 - share:.0%}" for share, name in costs)
        + " of the area without a value",
        fix="Leave out the emptiest sources, or give a `mask` of what they cover",
    )
