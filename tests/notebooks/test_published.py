"""The chapter on printed tables, with the published ones and with a table of one's own."""

import pandas as pd
import pytest

from lsa_helpers.errors import StageError
from lsa_helpers.paper import OTHERS
from lsa_helpers.runner.cells import cell_of, notebooks_dir
from lsa_helpers.runner.kernel import execute_notebook
from lsa_helpers.runner.params import PUBLISHED, PublishedParams

NOTEBOOK = notebooks_dir() / f"{PUBLISHED}.ipynb"


def test_the_parameters_cell_is_the_model():
    values = {name: value for name, (value, _) in cell_of(PUBLISHED).items()}
    assert PublishedParams.from_cell(values).model_dump() == values == {"run_dir": "", "table": ""}


@pytest.mark.notebooks
@pytest.mark.slow
def test_published_tables_and_a_table_of_ones_own(tmp_path):
    """Its exercise holds; the own table is audited beside the others."""
    (tmp_path / "own.csv").write_text(
        "class,area (%),landslides (%)\nLow,70.0,20.0\nHigh,31.0,80.0\n"
    )
    execute_notebook(NOTEBOOK, tmp_path, {"run_dir": ".", "table": "own.csv"})
    tables = {file.stem for file in (tmp_path / "tables").glob("*.csv")}
    read = {"table_4", "table_5", *OTHERS, "of_others", "own"}
    assert tables == {f"audit_{name}" for name in read} | {"auc_in_text"}
    kinds = pd.read_csv(tmp_path / "tables/audit_of_others.csv").set_index("table")
    assert kinds["impossible"].to_dict() == dict.fromkeys(OTHERS, 0) | {"hoang2025_table3_8": 1}
    assert kinds["rows"].to_dict() | {"oh2010_table2": 154} == kinds["rows"].to_dict()
    texts = pd.read_csv(tmp_path / "tables/auc_in_text.csv")["can be of this map"]
    assert texts.tolist() == ["yes", "no", "no", "no"]
    own = pd.read_csv(tmp_path / "tables/audit_own.csv")
    assert own.query("verdict == 'impossible'")["check"].tolist() == ["sum of area shares"]
    assert (tmp_path / "figures/roc_bounds.png").stat().st_size > 5000


@pytest.mark.notebooks
@pytest.mark.slow
def test_a_wrong_table_stops_it_with_one_sentence(tmp_path):
    (tmp_path / "own.csv").write_text("a,b\n1,2\n")
    with pytest.raises(StageError, match="columns are not understood"):
        execute_notebook(NOTEBOOK, tmp_path, {"run_dir": ".", "table": "own.csv"})
