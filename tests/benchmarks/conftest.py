"""Speed and peak memory beside the times: a thread looks at the process while the function runs."""

import threading
import time

import psutil
import pytest


def peak_memory(function) -> tuple[float, float]:
    """Most memory that `function` adds to the process while it runs, and most that the process and
    its children then hold, MB.

    Memory that an earlier function freed and the process kept is not seen in the first, so the
    second is what a limit is held against.
    """
    process, done, peak = psutil.Process(), threading.Event(), [0]
    before = process.memory_info().rss

    def watch():
        while not done.is_set():
            children = sum(
                child.memory_info().rss for child in process.children() if child.is_running()
            )
            peak[0] = max(peak[0], process.memory_info().rss + children - before)
            time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        function()
    finally:
        done.set()
        watcher.join()
    return peak[0] / 1e6, (before + peak[0]) / 1e6


COSTS = pytest.StashKey[list[str]]()


@pytest.fixture()
def costs(request):
    """Takes a line that is to stand below the table of times."""
    return request.config.stash.setdefault(COSTS, []).append


@pytest.fixture()
def timed(benchmark, costs, request):
    """Time a function, and note its peak memory from one more call; `work` is what one call does,
    such as ``(4.2, "megapixels")``.
    """

    def run(function, *, rounds: int = 5, work: tuple[float, str]):
        if rounds == 1:  # minutes long: once must do
            added, whole = peak_memory(lambda: benchmark.pedantic(function, rounds=1))
        else:
            added, whole = peak_memory(function)  # this call also warms up
            benchmark.pedantic(function, rounds=rounds)
        amount, unit = work
        speed = f"{amount / benchmark.stats.stats.median:.3g} {unit} a second"
        benchmark.extra_info |= {"work": amount, "unit": unit}
        benchmark.extra_info |= {"peak_mb": round(added), "process_mb": round(whole)}
        line = f"{request.node.name}: {speed}, {added:.0f} MB added, {whole:.0f} MB in all"
        costs(line)

    return run


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter, config):
    """Below the table of times: what goes through in a second, and the peak memory."""
    for line in config.stash.get(COSTS, []):
        terminalreporter.write_line(line)
