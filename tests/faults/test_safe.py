"""A stranger's files run no code: neither when they are read nor in the reader's browser."""

import ast
import json
import re
import zipfile

import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from markdown_it import MarkdownIt
from shapely.geometry import box

from lsa_helpers.raster import empty_grid, on_grid
from lsa_helpers.run import Run
from lsa_helpers.runner import pages
from lsa_helpers.show import data, explain, style, webmap
from lsa_helpers.sources import load_catalog, source_table
from lsa_helpers.sources.fetch import fetch
from tests.data_folder import CONTENT

EVIL = "<img src=x onerror=alert(1)>"


def calls(root):
    """Every call in the module and the chapters: file, its dotted name, its keywords."""
    files = [*root.glob("lsa_helpers/**/*.py"), *root.glob("notebooks/*.py")]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                keys = {key.arg: ast.unparse(key.value) for key in node.keywords}
                yield file.name, ast.unparse(node.func), keys


def test_nothing_that_is_read_can_run_code(root):
    """No pickles, only plain values from YAML, only listed types from saved models, and no archive
    that unpacks where it wants.
    """
    seen = set()
    for file, name, keys in calls(root):
        last = name.split(".")[-1]
        seen.add(name)
        assert not re.search(r"pickle|marshal|shelve|dill", name), (file, name)
        assert last not in ("extractall", "unpack_archive", "load_from_checkpoint"), (file, name)
        assert name not in ("eval", "exec", "joblib.load", "os.system", "tarfile.open"), file
        if name in ("torch.load", "torch.hub.load_state_dict_from_url"):
            assert keys.get("weights_only") == "True", file
        if "ckpt_path" in keys:
            assert keys.get("weights_only") == "True", file
        if re.fullmatch(r"yaml\.\w+", name):
            assert last in ("safe_load", "safe_dump"), (file, name)
        if name == "skops.io.load":
            assert keys == {"trusted": "TRUSTED"}, file
        assert keys.get("allow_pickle", "False") == "False", file
        assert keys.get("shell", "False") == "False", file
    assert {"torch.load", "skops.io.load", "yaml.safe_load"} <= seen, "or nothing was looked at"


def test_no_module_that_unpickles_is_imported(root):
    for file in [*root.glob("lsa_helpers/**/*.py"), *root.glob("notebooks/*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in getattr(node, "names", []) if hasattr(alias, "name")]
            names += [getattr(node, "module", None) or ""]
            packages = {str(name).split(".")[0] for name in names}
            assert not packages & {"pickle", "dill", "cloudpickle", "marshal", "shelve"}, file


def test_an_archive_does_not_leave_its_folder(tmp_path, monkeypatch):
    """Names with ``..`` and absolute ones end inside the folder."""
    import pooch

    made = tmp_path / "evil.zip"
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("../outside.txt", "x")
        archive.writestr(f"{tmp_path}/absolute.txt", "x")
        archive.writestr("inside.txt", "x")

    def download(url, output_file, *rest, **more):
        with open(output_file, "wb") as file:
            file.write(made.read_bytes())

    monkeypatch.setattr(pooch.core, "choose_downloader", lambda *a, **k: download)
    folder = tmp_path / "data" / "here"
    files = fetch("https://example.org/evil.zip", folder)
    assert len(files) == 3 and all(file.resolve().is_relative_to(folder) for file in files)
    assert not (tmp_path / "data" / "outside.txt").exists()
    assert not (tmp_path / "absolute.txt").exists()


@pytest.fixture
def evil(folder):
    """The data folder with a catalog whose every free text is markup."""
    text = {"source": EVIL, "license": EVIL, "resolution": EVIL}
    entries = {
        name: entry | text if isinstance(entry, dict) else entry for name, entry in CONTENT.items()
    }
    entries["lulc"] |= {"names": {10: EVIL, 20: EVIL}}
    content = entries | {"name": EVIL}
    (folder / "catalog.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return load_catalog(folder)


def cell_with(root, words: str) -> str:
    """The last line of the cell of chapter 01 that holds some words, as the chapter has it."""
    cells = json.loads((root / "notebooks/01_data.ipynb").read_text(encoding="utf-8"))["cells"]
    (found,) = [cell for cell in cells if words in "".join(cell["source"]) and "outputs" in cell]
    return "".join(found["source"]).splitlines()[-1]


def test_the_table_of_sources_shows_markup_as_text(evil, root):
    sources = source_table(evil)
    assert (sources["source"] == EVIL).any()
    page = eval(cell_with(root, "source_table("), {"sources": sources}).to_html()
    assert EVIL not in page and "&lt;img src=x" in page


def test_the_table_of_factors_shows_markup_as_text(root):
    columns = ["factor", "unit", "minimum", "median", "maximum", "native resolution (m)"]
    narrow = pd.DataFrame([[EVIL, EVIL, 1.0, 2.0, 3.0, 4.0]], columns=columns)
    page = eval(cell_with(root, "narrow ="), {"narrow": narrow}).to_html()
    assert EVIL not in page and page.count("&lt;img src=x") == 2


def test_every_styled_table_of_a_chapter_says_that_it_escapes(root):
    """pandas escapes plain tables by itself and styled ones only when told; the paper's own tables
    come with the package.
    """
    for file in root.glob("notebooks/*.py"):
        for line in file.read_text(encoding="utf-8").splitlines():
            if ".style." in line and "published_table(" not in line:
                assert 'escape="html"' in line, line


def test_a_layer_shows_its_attributes_as_text():
    grid = empty_grid((600_000, 3_290_000, 600_050, 3_290_050), "EPSG:32648", 25)
    layer = on_grid(np.zeros(grid.shape, np.float32), grid, EVIL, long_name=EVIL, source=EVIL)
    assert EVIL not in layer._repr_html_() and "&lt;img" in layer._repr_html_()
    assert EVIL not in layer.to_dataset()._repr_html_()


def test_the_web_map_shows_names_as_text():
    """No name ends the element its data stand in; attributes are left out. In a browser:
    `tests/show/test_webmap.py`.
    """
    grid = empty_grid((600_000, 3_290_000, 600_500, 3_290_500), "EPSG:32648", 25)
    band = on_grid(np.ones(grid.shape, np.uint8), grid, EVIL, EVIL, kind="categorical")
    band.attrs |= {"classes": {1: EVIL}, "long_name": EVIL, "source": "left out"}
    shapley = xr.Dataset({EVIL: band.astype(float), "base": band.astype(float)})
    relief = style.hillshade(on_grid(np.ones(grid.shape, np.float32), grid))
    slides = gpd.GeoDataFrame({"left out": [EVIL]}, geometry=[box(6e5, 3.29e6, 6.001e5, 3.2901e6)])
    slides = slides.set_crs(grid.rio.crs)
    slides.attrs["layer"] = EVIL
    of_factors = {"factors": band.to_dataset(name=EVIL), "contributions": {EVIL: shapley}}
    web = webmap.web_map(relief, {EVIL: {EVIL: band}}, landslides=[slides], **of_factors)
    assert EVIL not in web.html and "left out" not in web.html
    assert web.html.count(EVIL.replace("<", "\\u003c").replace('"', '\\"')) > 10
    assert EVIL not in repr(web)


def test_figures_show_a_dollar_as_a_dollar(folder, frame):
    """Two of them enclose mathematics elsewhere, and these ones are none."""
    cash = "$_{$"
    (folder / "catalog.yml").write_text(yaml.safe_dump(CONTENT | {"name": cash}), encoding="utf-8")
    classes = on_grid(np.ones(frame.shape, np.float32), frame, "lulc", kind="categorical")
    classes.attrs |= {"classes": {1: cash}, "long_name": "Land cover"}
    area = data.study_area(load_catalog(folder), classes, entries=[])
    panels = data.factor_panels(classes.to_dataset(), columns=1)
    ax = plt.figure().gca()
    explain._class_positions(ax, np.ones(3), {1: cash})
    for figure in (area, panels, ax.figure):
        figure.canvas.draw()
        plt.close(figure)


def test_generated_pages_show_markup_as_text(tmp_path):
    """A parameter and the reason of a skipped chapter, through a reader of Markdown that lets HTML
    pass, as the book's does.
    """
    nasty = [
        EVIL,
        f"`{EVIL}`",
        f"``{EVIL}",
        f"| {EVIL}",
        f"a\n\n{EVIL}",
        f"\\{EVIL}",
        f"\\`{EVIL}`",
    ]
    stages = []
    for number, text in enumerate(nasty):
        run = Run(tmp_path / str(number))
        run.path.mkdir()
        content = yaml.safe_dump({"shared": {"profile": text, "data": text}})
        (run.path / "params.yml").write_text(content, encoding="utf-8")
        stages = [{"name": "02_detector", "status": "skipped", "reason": text}]
        (run.path / "manifest.json").write_text(json.dumps({"stages": stages}))
        texts = [pages.parameters_page(run), *pages.skipped_pages(run).values()]
        for page in texts:
            shown = MarkdownIt("commonmark", {"html": True}).enable("table").render(page)
            assert "<img" not in shown and "&lt;img" in shown, (text, shown)
