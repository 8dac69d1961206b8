"""False alarms and what they were taken from."""

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import box

from lsa_helpers.detect.lookalikes import count_causes, false_alarms, ground_causes
from lsa_helpers.factors.stack import FactorStack
from lsa_helpers.grid import Grid

CRS = "EPSG:32648"
GRID = Grid.from_bounds((0, 0, 1000, 1000), CRS, 10)


def _stack():
    """A road along the left edge, bare rock in the upper half, fields below."""
    x, y = GRID.centres()
    road = np.broadcast_to(x[None] - 5, GRID.shape)
    lulc = np.broadcast_to(np.where(y > 500, 90, 10)[:, None], GRID.shape)
    names = ("distance_to_road", "lulc")
    return FactorStack(
        np.stack([road, lulc]).astype(np.float32), GRID, names, dict.fromkeys(names, {})
    )


def _layer(*shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=CRS)


def test_each_false_alarm_gets_its_cause():
    """On the road, on rock, on fields, on an old scar (asked before the rock under it); what is
    true is no alarm.
    """
    shapes = (
        box(0, 300, 20, 340),
        box(500, 700, 540, 740),
        box(500, 200, 540, 240),
        box(700, 700, 740, 740),
        box(300, 300, 340, 340),
    )
    detected = _layer(*shapes, score=[0.9, 0.8, 0.7, 0.6, 0.5])
    known, scars = _layer(box(300, 300, 340, 345)), _layer(box(700, 700, 740, 745))
    alarms = false_alarms(detected, known, ground_causes(_stack(), scars=scars))
    assert alarms["cause"].tolist() == ["road", "bare rock", "field", "old scar"]
    table = count_causes(alarms)
    assert table["cause"].tolist() == ["old scar", "road", "bare rock", "field"]
    assert table["area_m2"].tolist() == pytest.approx([1600, 800, 1600, 1600])


def test_without_maps_the_cause_is_other_ground():
    detected = _layer(box(0, 0, 10, 10), score=[0.9])
    stack = FactorStack(np.zeros((1, *GRID.shape), np.float32), GRID, ("slope",), {"slope": {}})
    alarms = false_alarms(detected, _layer(box(500, 500, 510, 510)), ground_causes(stack))
    assert alarms["cause"].tolist() == ["other ground"] and alarms["true_share"].tolist() == [0]
