"""``lsa bench``: ratios by hand, failures and misspelt names."""

import io

import pytest
from rich.console import Console

from lsa_helpers.errors import InputError, LsaError
from lsa_helpers.runner.bench import compare_medians, run_benchmarks

QUICK = """
import pytest
@pytest.mark.benchmark(group="sums")
@pytest.mark.parametrize("n", [10, 100_000], ids=["ours", "rival"])
def test_sum(benchmark, n):
    whole = {"process_mb": 3456} if n == 10 else {}
    benchmark.extra_info.update(work=n, unit="numbers", peak_mb=12, **whole)
    benchmark.pedantic(lambda: sum(range(n)), rounds=5)
"""


def test_ratios_are_against_the_first_of_a_group():
    """Ours 2 s for 10 chips, a rival 6 s: three times, 5 and 1.67 a second; another group begins
    anew.
    """
    stats = [("a", "test_x[ours]", 2.0), ("a", "test_x[rival]", 6.0), ("b", "test_y", 5.0)]
    items = [
        {
            "group": g,
            "name": n,
            "stats": {"median": m},
            "extra_info": {"work": 10, "unit": "chips", "peak_mb": 7},
        }
        for g, n, m in stats
    ]
    table = compare_medians({"benchmarks": items})
    assert table["what"].tolist() == ["ours", "rival", "y"]
    assert table["times"].tolist() == [1, 3, 1]
    assert table["per_second"].tolist() == pytest.approx([5, 10 / 6, 2])
    assert table["peak_mb"].tolist() == [7, 7, 7] and table["process_mb"].isna().all()


@pytest.mark.slow
def test_benchmarks_run_and_are_kept(tmp_path):
    """A folder's benchmark is run by pytest, its plain command told, its JSON kept on request."""
    (tmp_path / "test_sums.py").write_text(QUICK)
    told = []
    table = run_benchmarks("sums", tmp_path / "figures.json", told.append, tmp_path)
    assert told[0].startswith("pytest ") and "test_sums.py --benchmark-only" in told[0]
    assert table["what"].tolist() == ["ours", "rival"] and table["times"].iloc[1] > 1
    assert (tmp_path / "figures.json").exists()
    assert "test_sum[ours] PASSED" in told[1], "each is told when it ends"
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(told[-1])
    lines = console.export_text().splitlines()
    assert any("median" in line and "MB added / whole" in line for line in lines)
    assert any("ours" in line and "12 / 3456" in line for line in lines)
    assert any("rival" in line and "12 / –" in line for line in lines)


@pytest.mark.slow
def test_mistakes_are_named(tmp_path):
    """No benchmarks, a misspelt one, and one that fails."""
    with pytest.raises(InputError, match="checkout"):
        run_benchmarks("all", None, print, tmp_path)
    (tmp_path / "test_sums.py").write_text(QUICK.replace("sum(range(n))", "1 / 0"))
    with pytest.raises(InputError, match="sums"):
        run_benchmarks("sum", None, print, tmp_path)
    with pytest.raises(LsaError, match="ZeroDivisionError"):
        run_benchmarks("all", None, lambda line: None, tmp_path)
