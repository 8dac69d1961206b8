"""What lies in the simulated mountain's folder: its catalog."""

from lsa_helpers.mountain.geology import ROCKS
from lsa_helpers.mountain.landscape import LAND_COVER
from lsa_helpers.mountain.terrain import CRS


def describe_files() -> dict:
    """The catalog of the folder, also valid for the paper's own data laid out the same way.

    Returns
    -------
    dict
        What ``catalog.yml`` holds; paths are relative to the folder.
    """
    topography = ("1:50,000 national fundamental geographic information", "1:50,000")
    geology = ("1:200,000 national geological spatial database", "1:200,000")
    rocks = {"attribute": "code", "names": ROCKS["name"].to_dict()}
    year = {"variable": "pre", "scale": 0.1, "statistic": "annual_sum"}
    columns = {"x": "lon", "y": "lat", "value": "pga", "crs": "EPSG:4326", "unit": "cm/s²"}
    return {
        "name": "Simulated mountain",
        "crs": CRS,
        "dem": _entry("dem/AP_*_RT1.dem.tif", "ALOS PALSAR DEM", "12.5 m"),
        "roads": _entry("vector_50k/LRDL.shp", *topography),
        "rivers": _entry("vector_50k/HYDL.shp", *topography),
        "faults": _entry("geology_200k/faults.shp", *geology),
        "lithology": _entry("geology_200k/lithology.shp", *geology, **rocks),
        "lulc": _entry(
            "lulc/n48_*_2020lc030.tif", "GlobeLand30", "30 m", names=LAND_COVER["name"].to_dict()
        ),
        "ndvi": _entry("ndvi/*.tif", "China annual maximum NDVI 2000-2022", "30 m", scale=0.0001),
        "rainfall": _entry("rainfall/pre_2022.nc", "China monthly precipitation", "1 km", **year),
        "stations": _entry(
            "strong_motion/*.xls",
            "Mainland China M4.0+ strong-motion parameter dataset",
            "/",
            **columns,
        ),
        "images": _entry("images", "CAS Landslide Dataset and Jilin-1", "0.2-5 m", format="cas"),
        "scene": _entry("scene/scene.tif", "Jilin-1", "2.5 m", platform="Jilin-1"),
        "truth": {"path": "truth"},
    }


def _entry(path: str, source: str, resolution: str, **how_to_read) -> dict:
    """One entry of the catalog."""
    about = {"source": source, "resolution": resolution, "license": "simulated, CC0"}
    return {"path": path, **how_to_read, **about}
