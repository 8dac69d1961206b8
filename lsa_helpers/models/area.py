"""What a model remembers of the area it learned from, and whether it may map another one."""

from lsa_helpers.errors import InputError
from lsa_helpers.factors import FactorStack

# share by which the cells under a window may be larger or smaller than those it learned on
MOST_CELL_GAP = 0.01


def describe_area(stack: FactorStack, factors) -> dict:
    """What the numbers of a stack mean, for a model's ``config.json``.

    Parameters
    ----------
    stack : FactorStack
    factors : iterable of str
        Those the model uses.

    Returns
    -------
    dict
        ``cell_size_m``, and for each of the ``factors`` its ``kind``, ``unit`` and ``classes``
        (code as text → name).
    """
    kept = {
        name: {key: stack.info[name].get(key) for key in ("kind", "unit")}
        | {"classes": _classes(stack.info[name])}
        for name in factors
    }
    return {"cell_size_m": stack.grid.cell_size, "factors": kept}


def check_area(learned: dict, halo: int, stack: FactorStack) -> None:
    """Refuse to map an area whose numbers do not mean what they meant where the model learned.

    Parameters
    ----------
    learned : dict
        From `describe_area`; empty for a model saved before this was kept: then only the CRS is
        checked.
    halo : int
        Cells around a cell that the model looks at; with none the size of a cell does not matter.
    stack : FactorStack
        The area to map, with the model's factors.

    Raises
    ------
    InputError
        When the CRS is not in metres, a factor has another unit, kind or meaning of its codes, or a
        window would span another distance.
    """
    crs = stack.grid.crs
    if crs is None or not crs.is_projected or crs.linear_units_factor[1] != 1:
        fix = "Make the factors on a grid in metres, such as the area's UTM zone"
        raise InputError(
            "models map only grids in metres",
            where="CRS of the factors",
            found=crs or "none",
            fix=fix,
        )
    for name, own in learned.get("factors", {}).items():
        _check_factor(name, own, stack.info[name])
    edges, cell = (stack.grid.transform.a, -stack.grid.transform.e), learned.get("cell_size_m")
    if halo and cell and max(abs(edge / cell - 1) for edge in edges) > MOST_CELL_GAP:
        fix = (
            f"Make the factors in cells of {cell:g} m, or use a model that sees one cell at a time"
        )
        found = f"cells of {edges[0]:g} × {edges[1]:g} m, a window of {2 * halo + 1} cells learned at {cell:g} m"
        raise InputError(
            "the model's window would span another distance than it learned",
            where="factors",
            found=found,
            fix=fix,
        )


def _check_factor(name: str, own: dict, info: dict) -> None:
    """Compare what a factor was with what it is; what either side does not say is not held against
    it.
    """
    for key in ("kind", "unit"):
        known, found = own.get(key), info.get(key)
        if known is not None and found is not None and (known or "1") != (found or "1"):
            fix = f"Give the factor as the model learned it: {known or 1}"
            raise InputError(
                f"the model learned another {key}",
                where=f'factor "{name}"',
                found=f"{found or 1} instead of {known or 1}",
                fix=fix,
            )
    known, found = own.get("classes", {}), _classes(info)
    other = next((code for code in known if found.get(code, known[code]) != known[code]), None)
    if other is not None:
        wrong, fix = (
            f"{other} is {found[other]}, the model learned {known[other]}",
            "Number the classes as in the model's config.json",
        )
        raise InputError(
            "a code means another class", where=f'factor "{name}"', found=wrong, fix=fix
        )


def _classes(info: dict) -> dict[str, str]:
    """Code as text → name, of the classes that have a name of their own."""
    return {
        str(code): label
        for code, label in (info.get("classes") or {}).items()
        if str(code) != str(label)
    }
