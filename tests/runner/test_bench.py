"""``lsa bench``: what it runs and keeps, failures and misspelt names."""

import json

import pytest

from lsa_helpers.errors import InputError, LsaError
from lsa_helpers.runner import cli_scale

QUICK = """
import pytest
@pytest.mark.benchmark(group="sums")
@pytest.mark.parametrize("n", [10, 100_000], ids=["ours", "rival"])
def test_sum(timed, n):
    timed(lambda: sum(range(n)), work=(n, "numbers"))
"""


@pytest.fixture
def sums(tmp_path, monkeypatch, root):
    """A folder of benchmarks with the fixtures of the project's own and one file."""
    (tmp_path / "conftest.py").write_text((root / "tests/benchmarks/conftest.py").read_text())
    (tmp_path / "test_sums.py").write_text(QUICK)
    monkeypatch.setattr(cli_scale, "BENCHMARKS", tmp_path)
    # benchmarks are off in a worker of pytest-xdist, and what a worker starts looks like one
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    return tmp_path


@pytest.mark.slow
def test_benchmarks_run_and_are_kept(sums, capfd):
    """A folder's benchmark is run by pytest, its plain command told, its JSON kept on request;
    speed and memory stand below the times.
    """
    cli_scale.bench("sums", sums / "figures.json")
    shown = capfd.readouterr().out
    assert shown.startswith("pytest ") and "test_sums.py --benchmark-only" in shown
    assert "benchmark 'sums': 2 tests" in shown and "(1.0)" in shown
    assert "test_sum[ours]: " in shown and "numbers a second" in shown and "MB in all" in shown
    names = [item["name"] for item in json.loads((sums / "figures.json").read_text())["benchmarks"]]
    assert names == ["test_sum[ours]", "test_sum[rival]"]


@pytest.mark.slow
def test_a_benchmark_that_fails_is_shown(sums, capfd):
    (sums / "test_sums.py").write_text(QUICK.replace("sum(range(n))", "1 / 0"))
    with pytest.raises(LsaError, match="a benchmark failed"):
        cli_scale.bench("all", sums / "figures.json")
    assert "ZeroDivisionError" in capfd.readouterr().out
    assert not (sums / "figures.json").exists()


def test_mistakes_are_named(sums):
    """A misspelt benchmark, and no benchmarks."""
    with pytest.raises(InputError, match="sums"):
        cli_scale.bench("sum", None)
    (sums / "test_sums.py").unlink()
    with pytest.raises(InputError, match="checkout"):
        cli_scale.bench("all", None)
