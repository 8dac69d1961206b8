"""A chapter is made by the code it uses and by no other: for every chapter, which modules these
are, and that a change of one of them is noticed by exactly its chapters.
"""

import ast
import shutil
from pathlib import Path

import pytest

import lsa_helpers
from lsa_helpers.runner import modules
from lsa_helpers.runner.cells import notebooks_dir
from lsa_helpers.runner.params import CHAPTERS
from lsa_helpers.runner.pipeline import TRAINS

# Modules a chapter's numbers come from, and some that they do not.
USED = {
    "01_data": ("factors.build", "mountain.erosion", "sources.layers", "runner.world"),
    "02_detector": ("detect.train", "detect.maskrcnn", "validation.bootstrap", "sources.catalog"),
    "03_inventory": ("detect.scene", "detect.maskrcnn", "detect.matching"),
    "04_factor_selection": ("selection.collinear", "samples.table", "validation.splitter"),
    "05_susceptibility": ("cnn.network", "models.maps", "samples.table", "sources.crs"),
    "06_frequency_ratio": ("classes", "paper", "samples.landslides", "raster"),
    "07_shap": ("explain.values", "cnn.window", "models.files"),
    "08_shapley_maps": ("explain.dense", "explain.maps", "explain.cell", "cnn.network"),
    "09_validation": ("models.maps", "validation.bootstrap", "samples.table"),
    "10_samples": ("models.maps", "samples.table", "validation.sensitivity"),
    "11_inventory_errors": ("samples.inventory_errors", "samples.cleaning", "detect.inventory"),
    "12_uncertainty": ("mountain.erosion", "factors.build", "validation.applicability"),
    "13_mapping_units": ("factors.slope_units", "validation.bootstrap", "sources.layers"),
    "14_using_the_map": ("classes", "sources.vectors", "validation.bootstrap"),
}
UNUSED = {
    "01_data": ("detect.train", "models", "classes", "explain.values", "cnn.network"),
    "02_detector": ("mountain.erosion", "samples.table", "classes", "explain.dense"),
    "03_inventory": ("mountain.erosion", "detect.train", "classes", "samples.table"),
    "04_factor_selection": ("detect.maskrcnn", "cnn.network", "classes", "sources.rasterfiles"),
    "05_susceptibility": ("detect.maskrcnn", "selection.decide", "classes", "sources.rasterfiles"),
    "06_frequency_ratio": ("cnn.network", "detect.maskrcnn", "models", "mountain.erosion"),
    "07_shap": ("classes", "detect.maskrcnn", "mountain.erosion", "sources.rasterfiles"),
    "08_shapley_maps": ("classes", "detect.maskrcnn", "mountain.erosion", "sources.layers"),
    "09_validation": ("classes", "detect.maskrcnn", "mountain.erosion", "explain.values"),
    "10_samples": ("classes", "detect.maskrcnn", "mountain.erosion", "explain.values"),
    "11_inventory_errors": ("classes", "detect.maskrcnn", "mountain.erosion", "explain.values"),
    "12_uncertainty": ("classes", "detect.maskrcnn", "explain.values"),
    "13_mapping_units": ("classes", "detect.maskrcnn", "mountain.erosion", "models"),
    "14_using_the_map": ("detect.maskrcnn", "mountain.erosion", "models", "factors.build"),
}


def uses(chapter: str) -> modules.Uses:
    return modules.uses(notebooks_dir() / f"{chapter}.ipynb", CHAPTERS[chapter])


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_uses_its_modules_and_no_others(chapter):
    code, looks = uses(chapter)
    assert {f"lsa_helpers.{name}" for name in USED[chapter]} <= set(code)
    assert not {f"lsa_helpers.{name}" for name in UNUSED[chapter]} & set(code)
    assert "lsa_helpers.show.style" in looks
    assert not [name for name in code if ".show" in name], "what draws makes no number"
    runner = {name for name in [*code, *looks] if name.startswith("lsa_helpers.runner")}
    assert runner == ({"lsa_helpers.runner.world"} if chapter == "01_data" else set())


@pytest.fixture
def package(tmp_path, monkeypatch) -> Path:
    """A copy of the package whose files may be changed."""
    folder = tmp_path / "lsa_helpers"
    home = Path(lsa_helpers.__file__).parent
    shutil.copytree(home, folder, ignore=shutil.ignore_patterns("__pycache__"))
    where = notebooks_dir()
    monkeypatch.setattr(modules.lsa_helpers, "__file__", str(folder / "__init__.py"))
    monkeypatch.setattr(f"{__name__}.notebooks_dir", lambda: where)
    return folder


def change(file: Path) -> None:
    """Another line of code at the end of a module, or of a table."""
    line = "\nCHANGED = 1\n" if file.suffix == ".py" else "1,2,3\n"
    file.write_text(file.read_text(encoding="utf-8") + line, encoding="utf-8")


ALL = [name[:2] for name in CHAPTERS]


@pytest.mark.parametrize(
    ("file", "numbers", "figures"),
    [
        ("classes.py", ["06", "14"], ["08"]),
        ("show/style.py", [], ALL),
        ("show/webmap.py", [], ["06", "08", "14"]),
        ("data/webmap/map.js", [], ["06", "08", "14"]),
        ("show/explain.py", [], ["06", "07", "08", "14"]),
        ("explain/values.py", ["07", "08"], []),
        ("explain/dense.py", ["08"], []),
        ("selection/collinear.py", ["04"], []),
        ("cnn/network.py", ["05", "07", "08", "09", "10", "11", "12"], []),
        ("detect/maskrcnn.py", ["02", "03"], []),
        ("mountain/erosion.py", ["01", "12"], []),
        ("runner/world.py", ["01"], []),
        ("sources/rasterfiles.py", ["01", "02", "03", "11", "12", "13", "14"], []),
        ("errors.py", ALL, []),
        ("data/dated/platforms.csv", ["02"], []),
        ("data/paper/table5_frequency_ratio.csv", ["01", "05", "06"], ["02", "03"]),
        ("__init__.py", [], []),
        ("runner/cli.py", [], []),
        ("runner/params.py", [], []),
        ("runner/execute.py", [], []),
    ],
)
def test_a_change_is_noticed_by_the_chapters_that_use_it(package, file, numbers, figures):
    before = {chapter: uses(chapter) for chapter in CHAPTERS}
    change(package / file)
    after = {chapter: uses(chapter) for chapter in CHAPTERS}
    for part, expected in (("code", numbers), ("looks", figures)):
        differ = [c[:2] for c in CHAPTERS if getattr(before[c], part) != getattr(after[c], part)]
        assert differ == expected, part


def test_comments_are_no_code(package):
    before, file = uses("06_frequency_ratio"), package / "classes.py"
    file.write_text("# a remark\n\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    assert uses("06_frequency_ratio") == before


class Wider(CHAPTERS["06_frequency_ratio"]):
    """A chapter's parameters that allow more."""

    n_classes: int


class Computing(CHAPTERS["06_frequency_ratio"]):
    """A chapter's parameters that compute something."""

    def twice(self) -> int:
        """Twice the classes."""
        return 2 * self.n_classes


def test_only_the_methods_of_a_chapters_own_parameters_count(monkeypatch):
    """A range changes no result, and another chapter's model not even its methods."""
    monkeypatch.setattr(modules, "_NAME", __name__.split(".")[0])
    own, wider, computing = map(modules._methods, (object, Wider, Computing))
    assert wider == own != computing


def test_the_methods_of_sampling_belong_to_the_chapters_that_sample():
    same = [name for name in CHAPTERS if methods(name) == methods("05_susceptibility")]
    assert same == ["04_factor_selection", "05_susceptibility"]


def methods(chapter: str) -> str:
    return uses(chapter).code["the parameters' methods"]


def test_every_form_of_import_is_seen():
    text = """
import lsa_helpers.raster as r
from lsa_helpers import classes, run
from lsa_helpers.samples.table import make_samples
def late():
    import numpy
    from lsa_helpers.explain import check_sum
"""
    found = {name.removeprefix("lsa_helpers.") for name in modules._read(text.encode()).imports}
    assert {"raster", "classes", "run", "samples.table", "explain"} <= found
    assert "numpy" not in found


def test_no_import_is_hidden_from_reading(root):
    """What is read finds everything only where nobody imports by a name made while running, or
    relatively; and a package's ``__init__`` may be passed over only where it re-exports alone.
    """
    for file in (root / "lsa_helpers").rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        calls = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        calls |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert not {"import_module", "__import__"} & calls, file
        relative = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.level]
        assert not relative, file
        if file.name == "__init__.py":
            allowed = ast.ImportFrom | ast.Expr | ast.Assign
            assert all(isinstance(node, allowed) for node in tree.body), file
            names = [n.targets[0].id for n in tree.body if isinstance(n, ast.Assign)]
            assert set(names) <= {"__all__", "__version__"}, file


def test_every_table_of_the_package_belongs_to_a_module(root):
    used = {name for chapter in CHAPTERS for part in uses(chapter) for name in part}
    tables = {f"data/{file.parent.name}/{file.name}" for file in root.glob("lsa_helpers/data/*/*")}
    assert tables and tables <= used


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_chapters_that_train_are_known(root, chapter):
    """They are the ones a figure's colour must not execute."""
    text = (root / f"notebooks/{chapter}.py").read_text(encoding="utf-8")
    text = text.replace("invgamma.fit(", "")  # a law of sizes is no model of landslides
    learns = (".fit(", "cross_val_predict(", "cross_validated_map(")
    assert any(word in text for word in learns) == (chapter in TRAINS)
