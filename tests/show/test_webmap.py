"""The interactive map: what it carries is what the rasters hold, and in a browser it shows its
layers, answers a click by their values, asks nobody, and takes no name for markup.
"""

import base64
import json
import re
import zlib

import geopandas as gpd
import numpy as np
import pytest
import xarray as xr
from shapely.geometry import LineString, MultiPoint, Point, Polygon, box

from lsa_helpers.raster import empty_grid, on_grid
from lsa_helpers.show import maplayers, webmap

LEFT, TOP, CELL = 600_000, 3_291_000, 25
GRID = empty_grid((LEFT, TOP - 40 * CELL, LEFT + 60 * CELL, TOP), "EPSG:32648", CELL)
EVIL = "<script>document.title = 'evil'</script>"
CLASSES = np.where(np.arange(60) < 30, 1, 2) * np.ones((40, 1), int)
RISING = np.arange(2400.0).reshape(40, 60) / 100
MODELS = ("cnn", "rf")


def _landslides(geometries, layer: str) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame(geometry=geometries, crs=GRID.rio.crs)
    frame.attrs["layer"] = layer
    return frame


DETECTED = _landslides([box(LEFT + 250, TOP - 500, LEFT + 500, TOP - 250)], "detected")
REFERENCE = _landslides([Point(LEFT + 1000, TOP - 500)], EVIL)


def _factors() -> xr.Dataset:
    """Slope rises to the right and down; aspect 90 everywhere; a class with a nasty name."""
    slope = on_grid(RISING.copy(), GRID, units="°", kind="continuous", long_name="Slope")
    slope[0, 0] = np.nan
    aspect = on_grid(np.full(GRID.shape, 90.0), GRID, units="°", kind="circular")
    rock = on_grid(np.full(GRID.shape, 3.0), GRID, kind="categorical", long_name=EVIL)
    rock.attrs["classes"] = {3: EVIL}
    return xr.Dataset({"slope": slope, "aspect": aspect, "lithology": rock})


def _contributions() -> dict:
    """Slope leads in the west, lithology in the east; the forest knows only slope and aspect."""
    west = CLASSES == 1
    values = {"slope": np.where(west, 2.5, 0.25), "aspect": np.full(GRID.shape, -0.5)}
    values |= {"lithology": np.where(west, 0.125, -1.5), "base": np.zeros(GRID.shape)}
    maps = xr.Dataset(
        {name: on_grid(band, GRID, name, "log-odds") for name, band in values.items()}
    )
    return {"cnn": maps, "rf": maps[["slope", "aspect", "base"]]}


def _web(**changed) -> webmap.WebMap:
    """Two models' classes, a coarse raster, factors, contributions, two layers of landslides."""
    classes = on_grid(CLASSES.astype(np.uint8), GRID, kind="ordinal", classes={1: "Low", 2: EVIL})
    coarse = empty_grid(GRID.rio.bounds(), GRID.rio.crs, 4 * CELL)
    coarse = on_grid(np.arange(150.0).reshape(10, 15), coarse, units="log-odds")
    layers = {"Class": {"cnn": classes, "rf": 3 - classes.assign_attrs(classes.attrs)}}
    layers["Class"]["rf"].attrs |= classes.attrs
    given = {"factors": _factors(), "contributions": _contributions()}
    given |= {"landslides": [DETECTED, REFERENCE]}
    shade = on_grid(np.full(GRID.shape, 0.8), GRID)
    return webmap.web_map(shade, layers | {"Doubt": {EVIL: coarse}}, **given | changed)


def _content(web: webmap.WebMap) -> dict:
    """What the script of the page reads."""
    (text,) = re.findall(r'<script type="application/json">(.*?)</script>', web.html, re.DOTALL)
    return json.loads(text)


def _numbers(content: dict, plane: int) -> np.ndarray:
    """A plane as the script unpacks it."""
    plane = content["planes"][plane]
    low, high = np.frombuffer(
        zlib.decompress(base64.b64decode(plane["numbers"])), np.uint8
    ).reshape(2, -1)
    steps = (low.astype(np.uint16) + 256 * high.astype(np.uint16)).view(np.int16)
    return np.cumsum(steps, dtype=np.int16).reshape(-1, plane["columns"])


@pytest.mark.parametrize("max_bytes", [10**7, 1000])
def test_every_value_is_that_of_a_cell_of_the_raster(max_bytes):
    """Also of a map that is thinned because it would become too large."""
    rng = np.random.default_rng(0)
    noise = on_grid(rng.normal(size=GRID.shape), GRID, units="m")
    content = _content(_web(factors=xr.Dataset({"noise": noise}), max_bytes=max_bytes))
    step = content["step"]
    assert (step == 1) == (max_bytes == 10**7)
    (layer,) = [layer for layer in content["layers"] if layer["group"] == "Factors"]
    assert (layer["name"], layer["units"], layer["decimals"]) == ("Noise", "m", 2)
    expected = noise.values[step // 2 :: step, step // 2 :: step]
    got = _numbers(content, layer["plane"])
    assert got.shape == (content["rows"], content["columns"])
    assert np.array_equal(got, np.rint(100 * expected))


def test_unknown_cells_stay_unknown_and_large_values_fit():
    values = np.array([[np.nan, -40_000.0, 0.0], [1.5, np.inf, 70_000.0]])
    numbers, decimals = maplayers.whole_numbers(values)
    assert decimals == -1
    assert numbers.tolist() == [[-32768, -4000, 0], [0, -32768, 7000]]
    assert maplayers.whole_numbers(np.full((1, 2), np.nan))[0].tolist() == [[-32768, -32768]]


def test_a_coarser_raster_is_told_by_the_cell_that_holds_the_place():
    content = _content(_web())
    (layer,) = [layer for layer in content["layers"] if layer["group"] == "Doubt"]
    expected = np.arange(150).reshape(10, 15).repeat(4, axis=0).repeat(4, axis=1)
    assert np.array_equal(_numbers(content, layer["plane"]) / 10 ** layer["decimals"], expected)


def test_the_three_largest_contributions_by_hand():
    content = _content(_web())
    cnn, rf = content["contributions"]
    assert (cnn["name"], cnn["units"], cnn["decimals"], len(rf["parts"])) == (
        "CNN",
        "log-odds",
        2,
        2,
    )
    for column, factors, values in (
        (0, ["Slope", "Aspect", EVIL], [2.5, -0.5, 0.125]),
        (59, [EVIL, "Aspect", "Slope"], [-1.5, -0.5, 0.25]),
    ):
        planes = [
            (_numbers(content, part["factor"]), _numbers(content, part["value"]))
            for part in cnn["parts"]
        ]
        assert [cnn["factors"][codes[5, column]] for codes, _ in planes] == factors
        assert [sizes[5, column] / 100 for _, sizes in planes] == pytest.approx(values, abs=0.006)
    leading = [layer for layer in content["layers"] if layer["group"] == "Largest contribution"]
    assert [layer["name"] for layer in leading] == ["CNN", "Random forest"]
    assert [name for _, name in leading[0]["legend"]] == ["Slope", "Aspect", EVIL]


def test_outlines_lie_in_cells_of_the_grid_and_the_largest_are_kept():
    frame = _landslides([box(LEFT, TOP - 250, LEFT + 100, TOP), DETECTED.geometry[0]], "detected")
    path = webmap.outline_path(frame.to_crs(4326), GRID, most=1)
    points = np.array(re.findall(r"(-?\d+\.\d) (-?\d+\.\d)", path), float)
    assert path.startswith("M") and path.endswith("Z")
    assert points.min(axis=0).tolist() == [10, 10] and points.max(axis=0).tolist() == [20, 20]
    hole = Polygon(box(0, 0, 9, 9).exterior, [box(3, 3, 6, 6).exterior])
    assert webmap.outline_path(_landslides([hole], ""), GRID).count("M") == 2
    places = _landslides([MultiPoint([(LEFT + 1000, TOP - 500), (LEFT, TOP)])], "")
    assert re.findall(r"M(\S+ \S+?)a", webmap.outline_path(places, GRID)) == [
        "39.6 20.0",
        "-0.4 0.0",
    ]
    others = [LineString([(0, 0), (1, 1)]), None, Polygon()]
    for nothing in ([], others):
        assert webmap.outline_path(_landslides(nothing, ""), GRID) == ""


def test_a_map_of_nothing_but_relief_and_one_of_dask_chunks():
    assert _content(webmap.web_map(on_grid(np.full((4, 6), 0.5), GRID[:4, :6]), {}))["layers"] == []
    lazy = _web(factors=_factors().chunk(x=16, y=16))
    assert lazy.html == _web().html, "the same bytes, too"


PIXEL = """([column, row]) => {
  const canvas = document.querySelector(".lsa-map canvas");
  const [x, y] = [column / 60 * canvas.width, row / 40 * canvas.height].map(Math.floor);
  return [...canvas.getContext("2d").getImageData(x, y, 1, 1).data];
}"""


@pytest.fixture
def opened(page, tmp_path):
    """The map on a page of its own in Chromium, drawn."""
    file = tmp_path / "map.html"
    head = "<!doctype html><meta charset=utf-8><title>map</title><body style='margin: 8px'>"
    file.write_text(head + _web().html, encoding="utf-8")
    page.goto(file.as_uri())
    page.wait_for_selector(".lsa-map li")
    yield page
    assert page.title() == "map", "nothing of the data ran"
    assert (page.asked, page.wrong) == ([], [])


def _pixel(page, column: float, row: float) -> list[int]:
    """Red, green, blue of the map at a place, in cells from the upper left corner."""
    return page.evaluate(PIXEL, [column, row])[:3]


def _answer(page, column: int, row: int) -> str:
    """What the map says, once it is of that cell."""
    x, y = LEFT + (column + 0.5) * CELL, TOP - (row + 0.5) * CELL
    page.wait_for_selector(f".lsa-map [data-part=told] >> text=x {x}, y {y}")
    return page.locator(".lsa-map [data-part=told]").inner_text()


def _click(page, column: int, row: int) -> str:
    """Click on the middle of a cell."""
    canvas = page.locator(".lsa-map canvas")
    size = canvas.bounding_box()
    x, y = (column + 0.5) / 60 * size["width"], (row + 0.5) / 40 * size["height"]
    canvas.click(position={"x": x, "y": y})
    return _answer(page, column, row)


@pytest.mark.book
def test_layers_opacity_and_landslides(opened):
    """At full opacity a cell has the colour of its legend, at none that of the relief."""
    opacity = opened.get_by_label("Opacity")
    opacity.fill("100")
    classes = _content(_web())["layers"][0]["classes"]
    low, high = ([int(classes[code][1][i : i + 2], 16) for i in (1, 3, 5)] for code in "12")
    assert (_pixel(opened, 2, 30), _pixel(opened, 58, 30)) == (low, high)
    opened.get_by_label("Layer", exact=True).select_option(label="Random forest")
    opened.wait_for_function(
        "document.querySelector('.lsa-map-names').innerText.includes('forest')"
    )
    assert (_pixel(opened, 2, 30), _pixel(opened, 58, 30)) == (high, low)
    opacity.fill("0")
    red, green, blue = _pixel(opened, 2, 30)
    assert red == green == blue != 0
    on_edge = _pixel(opened, 15, 10)
    assert on_edge[0] > on_edge[2] + 50, "vermilion"
    opened.get_by_label("Landslides (detected)").uncheck()
    assert _pixel(opened, 15, 10) == [red, green, blue]


@pytest.mark.book
def test_two_layers_beside_each_other(opened):
    """The divider stands between them; it is moved by its slider, by keys or on the map."""
    opened.get_by_label("Opacity").fill("100")
    low, high = _pixel(opened, 2, 30), _pixel(opened, 58, 30)
    divider = opened.get_by_label("Divider")
    assert divider.is_hidden()
    opened.get_by_label("Layer beside it").select_option(label="Random forest")
    divider.wait_for(state="visible")
    assert _pixel(opened, 2, 30) == _pixel(opened, 58, 30) == low
    divider.fill("10")
    assert (_pixel(opened, 2, 30), _pixel(opened, 20, 30)) == (low, high)
    divider.press("Home")
    assert _pixel(opened, 2, 30) == high
    divider.fill("50")
    size = opened.locator(".lsa-map canvas").bounding_box()
    opened.mouse.move(size["x"] + size["width"] / 2, size["y"] + 50)
    opened.mouse.down()
    opened.mouse.move(size["x"] + size["width"] * 0.9, size["y"] + 50, steps=3)
    opened.mouse.up()
    assert float(divider.input_value()) == pytest.approx(90, abs=1)
    assert _pixel(opened, 40, 30) == high
    assert opened.locator(".lsa-map-legend ul").count() == 2


@pytest.mark.book
def test_a_click_tells_the_values_of_its_cell(opened):
    """Those of the rasters, in words; what lies at or below is counted over the area."""
    told = _click(opened, 12, 13).splitlines()
    assert told[0] == "x 600312.5, y 3290662.5; inside: Landslides (detected)"
    answers = dict(zip(told, told[1:], strict=False))
    assert answers["Class"] == "CNN" and answers["CNN"] == "Low"
    assert answers[EVIL].startswith("48 log-odds, more than in 32 % of the area")
    slope = "7.9°, more than in 32 % of the area"  # 784 of 2399 are 7.8 or less
    contributions = told[told.index("The three largest contributions") :]
    assert contributions[1:5] == [
        "CNN (log-odds)",
        f"Slope +2.50 ({slope})",
        "Aspect −0.50 (90°, facing east)",
        f"{EVIL} +0.12 ({EVIL})",
    ]
    assert contributions[5] == "Random forest (log-odds)"
    opened.get_by_text("Factors", exact=True).last.click()
    assert f"Slope\n{slope}" in opened.locator("details").inner_text()
    assert "inside" not in _click(opened, 40, 20), "a point has no inside"
    assert "unknown" in _click(opened, 0, 0)
    assert opened.locator("details[open]").count() == 1, "stays as the reader left it"


@pytest.mark.book
def test_everything_by_keyboard(opened):
    """Arrow keys move the mark and tell, with Shift cell by cell, and the view goes with it."""
    opened.locator(".lsa-map canvas").focus()
    opened.keyboard.press("Enter")
    opened.wait_for_selector(".lsa-map dd")
    told = opened.locator(".lsa-map [data-part=told]").inner_text()
    x, y = map(float, re.match(r"x (\S+), y ([0-9.]+)", told).groups())
    column, row = round((x - LEFT) / CELL - 0.5), round((TOP - y) / CELL - 0.5)
    assert abs(column - 30) <= 1 and abs(row - 20) <= 1, "begins in the middle"
    opened.keyboard.press("Shift+ArrowLeft")
    _answer(opened, column - 1, row)
    opened.keyboard.press("ArrowUp")
    _answer(opened, column - 1, row - 1)
    for _ in range(5):
        opened.keyboard.press("+")
    for _ in range(10):
        opened.keyboard.press("Shift+ArrowRight")
    _answer(opened, column + 9, row - 1)
    size = opened.locator(".lsa-map canvas").bounding_box()
    seen = 40 / 1.5**5  # rows, round the middle of the area
    x, y = 0.95 * size["width"], (row - 0.5 - 20 + seen / 2) / seen * size["height"]
    opened.mouse.click(size["x"] + x, size["y"] + y + 1)
    _answer(opened, column + 9, row - 1)
    opened.keyboard.press("0")
    _click(opened, 59, 39)


@pytest.mark.book
def test_on_a_phone_nothing_is_wider_and_nothing_lies_on_the_map(opened):
    opened.set_viewport_size({"width": 390, "height": 800})
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    boxes = [
        opened.locator(f".lsa-map {part}").bounding_box()
        for part in ("canvas", ".lsa-map-controls", ".lsa-map-legend")
    ]
    tops = sorted((box["y"], box["y"] + box["height"]) for box in boxes)
    assert all(end <= start for (_, end), (start, _) in zip(tops, tops[1:], strict=False))
    _click(opened, 45, 13)
