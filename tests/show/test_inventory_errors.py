"""The figures of chapter 11 show every version where it belongs, or nothing where there is none."""

import numpy as np
import pandas as pd
import pytest

from lsa_helpers.show import inventory_errors as show

CHANCE = pd.DataFrame({"auc_change": [-0.01, 0.01], "map_rank": [0.9, 0.95]})


def versions(*names) -> pd.DataFrame:
    """Two seeds of each (kind, amount); the nth has n km² missed and loses n tenths of AUC."""
    rows = [
        {"kind": kind, "amount": amount, "seed": seed, "missed_km2": n, "false_km2": 0.0}
        | {"wrong_km2": n, "auc_change": -0.1 * n + 0.02 * seed, "map_rank": 0.5}
        for n, (kind, amount) in enumerate(names, 1)
        for seed in (0, 1)
    ]
    columns = ["kind", "amount", "missed_km2", "false_km2", "wrong_km2", "auc_change", "map_rank"]
    return pd.DataFrame(rows, columns=[*columns, "seed"])


FOUND = versions(("detected", 0.3), ("detected", 0.7), ("chapter 3", 0.6))


def test_thresholds_stand_in_their_order_and_chapter_3_at_its_own():
    figure = show.threshold_panels(FOUND, CHANCE)
    areas, changes, _ = figure.axes
    np.testing.assert_allclose(areas.lines[0].get_xydata(), [[0.3, 1], [0.7, 2]])
    swept, own = (bars.lines[0].get_xydata() for bars in changes.containers)
    np.testing.assert_allclose(swept, [[0.3, -0.09], [0.7, -0.19]])
    np.testing.assert_allclose(own, [[0.6, -0.29]])


def test_each_kind_of_error_is_a_line_in_the_order_of_its_area():
    errors = versions(("position", 200.0), ("boundary", 20.0), ("position", 50.0))
    axes = show.error_costs(errors, FOUND, CHANCE).axes[0]
    lines = {bars.get_label(): bars.lines[0].get_xydata() for bars in axes.containers}
    np.testing.assert_allclose(lines["wrong positions"], [[1, -0.09], [3, -0.29]])
    np.testing.assert_allclose(lines["outlines moved"], [[2, -0.19]])
    assert sorted(text.get_text() for text in axes.texts) == ["20", "200", "50"]


@pytest.mark.parametrize("chance", [CHANCE, CHANCE.head(0)])
def test_nothing_is_drawn_of_nothing(chance):
    assert not show.threshold_panels(versions(), chance).axes[1].containers
    assert not show.error_costs(versions(), versions(), chance).axes[0].containers
