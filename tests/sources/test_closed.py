"""Files are closed when they have been read: a command that opens rasters ends in silence."""

import subprocess
import sys

import pytest
import rasterio
import rioxarray

from lsa_helpers.errors import InputError
from lsa_helpers.sources import Entry, check_catalog
from lsa_helpers.sources.rasterfiles import open_source
from lsa_helpers.sources.rasters import mosaic


def test_data_check_says_nothing_on_stderr(folder):
    """An open raster shows when Python ends, as "Error in sys.excepthook"."""
    code = "from lsa_helpers.runner.cli import main; main()"
    command = [sys.executable, "-c", code, "data", "check", folder, "--cell-size", "10"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "6 entries: 6 found, 0 doubtful, 0 wrong" in " ".join(done.stdout.split())


@pytest.fixture
def opened(monkeypatch) -> list:
    """Every raster that rioxarray opens, with a note when it is closed."""
    rasters = []
    open_rasterio = rioxarray.open_rasterio

    def watched(*args, **options):
        raster = open_rasterio(*args, **options)
        close = raster._close
        raster.set_close(lambda: (rasters.remove(args[0]), close()))
        rasters.append(args[0])
        return raster

    monkeypatch.setattr(rioxarray, "open_rasterio", watched)
    return rasters


def test_every_raster_is_closed(catalog, opened):
    check_catalog(catalog, need_dem=True, cell_size=10.0)
    assert opened == []


def test_a_raster_is_closed_after_an_error_too(catalog, folder, frame, opened):
    with pytest.raises(InputError, match=r"dem\.tif: band 2 does not exist.*1 bands"):
        mosaic(catalog, Entry(path="dem.tif", band=2), frame, rasterio.enums.Resampling.nearest)
    with pytest.raises(ZeroDivisionError), open_source(folder / "dem.tif", catalog.dem):
        assert opened == [folder / "dem.tif"]
        raise ZeroDivisionError
    assert opened == []


def test_a_raster_that_breaks_off_is_named(catalog, folder):
    """The file opens, and only reading its last block fails."""
    file = folder / "dem.tif"
    file.write_bytes(file.read_bytes()[:-3000])
    with (
        pytest.raises(InputError, match=r"dem\.tif: .*(read to its end|cannot be opened)"),
        open_source(file, catalog.dem) as dem,
    ):
        dem.load()
