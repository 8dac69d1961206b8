"""Every chapter through papermill at the smallest size: the products, tables and figures that
DESIGN promises.
"""

import shutil

import geopandas as gpd
import nbformat
import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr
import yaml
from scipy.special import expit

from lsa_helpers import answers
from lsa_helpers.factors.build import FACTORS
from lsa_helpers.models import load
from lsa_helpers.raster import known_cells, read_factors, read_raster
from lsa_helpers.run import Run, sha256
from lsa_helpers.runner.assumptions import assumptions_page
from lsa_helpers.runner.execute import execute
from lsa_helpers.runner.inputs import find_params, load_run_params
from lsa_helpers.runner.params import CHAPTERS
from lsa_helpers.validation import at_samples

pytestmark = pytest.mark.notebooks
MODELS = ("cnn", "rf", "xgboost")
SCORES = "model,auc,auc_low,auc_high,accuracy,precision,recall,f1,kappa,pr_auc,mcc,brier,ece"
MAP_SCORES = (
    "capture_5,capture_10,capture_20,capture_30,area_under,boyce,descents,"
    "different_neighbours,isolated"
)
ERRORS = (
    "kind,amount,seed,landslides,area_km2,missed_km2,false_km2,n,right_positives,"
    "missed_negatives,auc,auc_change,fr,fr_change,map_rank,class_changed,shapley_rank,problem"
)
COLUMNS = {
    "factor_means": "factor,in landslides,50–150 m around,all land",
    "detection_scores": "backbone,optimizer,split,AP_segm,AP50_segm,AP75_segm,AP_bbox,AP50_bbox,"
    "AP75_bbox,AR_segm,AR_bbox,precision,f1,recall,threshold",
    "vif": "factor,vif,tolerance,dropped_at",
    "importance": "factor,method,mean,low,high",
    "scores_random": SCORES,
    "scores_spatial": SCORES,
    "scores_apparent": SCORES,
    "frequency_ratio": "model,susceptibility,area_km2,area_ratio_pct,landslide_area_km2,"
    "landslide_area_ratio_pct,fr",
    "shap_importance": "model,factor,mean_abs_shap,rank",
    "companion": "r2,rms",
    "companion_values": "factor,mean_exact,correlation",
    "shapley_sums": "model,largest_gap,mean_residual,cells",
    "shapley_map_importance": "factor,cnn,rf,xgboost",
    "shapley_agreement": "first,second,median,opposed",
    "shapley_seeds": "factor,same_sign,rank_correlation",
    "shapley_pairs": "first,second,mean_abs",
    "optimism": "model,apparent,random,spatial,optimism,spatial_in_block,one_block",
    "paired_differences": "first,second,difference,low,high,p",
    "rate_curves": "model,map,area,landslides,low,high",
    "map_scores": f"model,map,{MAP_SCORES}",
    "fair_comparison": f"model,{MAP_SCORES}",
    "context_gain": "first,second,difference,low,high",
    "learning_gain": "first,second,difference,low,high,p,labels",
    "unit_segmentation": "max_variance,units,mean_m2,within,between",
    "unit_scores": "model,by,share,kind,auc,low,high",
    "unit_sensitivity": "max_variance,model,units,slope unit,square,difference",
    "unit_gain": "model,by,share,first,second,difference,low,high,p",
    "class_density": "model,susceptibility,landslides,land_ha,land_pct,share_pct,per_100_ha,low,"
    "high",
    "exposure": "model,susceptibility,road_km",
    "agreement": "highest_class_by,land_pct,share_pct,per_100_ha,low,high,road_km",
    "zoning": "model,zones,changed_pct,patches,highest_pct,per_100_ha,low,high",
    "sampling_laboratory": "positives,buffer_m,slope_floor,ratio,seed,n,right_positives,"
    "sample_auc,map_auc,problem",
    "inventory_thresholds": "low,high,min_area_m2",
    "inventory_detected": ERRORS,
    "inventory_errors": ERRORS,
    "inventory_error_costs": "kind,auc_lost_per_km2,low,high,beyond_chance",
    "inventory_cleaning": ERRORS.replace("kind,amount", "inventory,way"),
    "spread_shares": "repetition,seed,samples,landslides,folds,rest",
    "bivariate": "susceptibility,doubt,land,sd,landslides",
    "expected_area": "model,seed,correction,expected_to_true,mean_fold_error,brier,reliability,"
    "resolution,uncertainty,within",
    "expected_landslides": "low,high,area_km2,expected_km2,true_km2,expected_n,true_n,n_low,n_high",
    "coverage": "sets,seed,stable,landslide,landslide_by_block,all,both,none",
    "coverage_by_place": "place,sets,stable,landslide,landslide_by_block,all,both,none",
    "transfer": "seed,here,transferred,own,oracle",
    "transfer_in_time": "seed",
    "transfer_inside": "where,seed,land,landslides,transferred,own,oracle",
    "applicability": "seed,space,place,median,limit,outside",
}


def said(notebook) -> str:
    """What an executed notebook printed and showed as text, without its source."""
    outputs = [
        output
        for cell in nbformat.read(notebook, as_version=4).cells
        for output in cell.get("outputs", [])
    ]
    return "\n".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in outputs
    )


def test_a_chapter_opened_alone_makes_what_it_needs(tiny):
    """Papermill made chapters 01 to 05 first, and the runner then finds them unchanged."""
    assert tiny.executed == list(CHAPTERS)[5:]
    (line,) = [
        line
        for line in said(tiny.run.path.parent.parent / "out.ipynb").splitlines()
        if "Made first in runs/alone" in line
    ]
    assert "05_susceptibility" in line


def test_a_second_run_does_nothing(tiny):
    values = load_run_params(find_params("tiny"), {}, None, tiny.run.path)
    assert execute(tiny.run, values, list(CHAPTERS)) == []


@pytest.mark.parametrize("name", COLUMNS)
def test_tables_have_their_columns(tiny, name):
    columns = tiny.run.read_table(name).columns.tolist()
    assert columns[: len(COLUMNS[name].split(","))] == COLUMNS[name].split(",")


def test_the_register_of_assumptions_reads_tables_that_there_are(tiny, root):
    """And columns: a row may be missing at this size, a column may not."""
    entries = yaml.safe_load((root / "book/assumptions.yml").read_text(encoding="utf-8"))
    measured = [each for entry in entries for each in entry.get("measured", ())]
    assert len(measured) > 5
    for each in measured:
        columns = tiny.run.read_table(each["table"]).columns
        assert {each["value"], *each["where"], *each.get("minus", ())} <= set(columns), each
    assert "*This run*" in assumptions_page(root / "book/assumptions.yml", tiny.run)


def test_rasters_are_georeferenced_and_named(tiny):
    grids = []
    for name in [
        "factors",
        "truth/probability",
        *(f"{kind}_{model}" for kind in ("susceptibility", "classes") for model in MODELS),
    ]:
        with rasterio.open(tiny.run.product(f"{name}.tif")) as raster:
            assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert raster.crs.to_epsg() == 32648
            assert all(raster.descriptions)
            assert all(raster.units)
            assert raster.nodata is not None
        grid = read_raster(tiny.run.product(f"{name}.tif")).rio
        grids.append((grid.crs, grid.transform(), grid.shape))
    assert all(grid == grids[0] for grid in grids)


def test_all_fifteen_factors_are_there(tiny):
    factors = read_factors(tiny.run.product("factors.tif"))
    assert list(factors) == list(FACTORS)
    assert known_cells(factors).mean() > 0.99


@pytest.mark.parametrize("model", MODELS)
def test_maps_are_probabilities(tiny, model):
    values = read_raster(tiny.run.product(f"susceptibility_{model}.tif"))["susceptibility"]
    assert 0 <= np.nanmin(values) < np.nanmax(values) <= 1


def test_frequency_ratios_share_out_all_area(tiny):
    table = tiny.run.read_table("frequency_ratio")
    sums = table.groupby("model")[["area_ratio_pct", "landslide_area_ratio_pct"]].sum()
    np.testing.assert_allclose(sums, 100, atol=1e-6)
    assert set(table["model"]) == set(MODELS)


def test_the_inventory_has_both_layers(tiny):
    file = tiny.run.product("inventory.gpkg")
    reference = gpd.read_file(file, layer="reference")
    assert len(reference) > 3
    assert set(reference.columns) == {"id", "area_m2", "geometry"}
    layers = gpd.list_layers(file)["name"].tolist()
    assert "detected" in layers
    assert set(gpd.read_file(file, layer="detected").columns) == {
        "id",
        "score",
        "area_m2",
        "geometry",
    }


def test_samples_keep_landslides_together(tiny):
    samples = pd.read_parquet(tiny.run.product("samples.parquet"))
    assert {"x", "y", "label", "landslide_id", "fold", *FACTORS} - set(samples.columns) <= set(
        FACTORS
    )
    slides = samples[samples["label"] == 1]
    assert (slides.groupby("landslide_id")["fold"].nunique() == 1).all()


def test_scores_on_true_labels_stand_beside_those_on_detected_ones_and_the_bounds(tiny):
    """And no bound stands in a table of scores on detected labels."""
    effects = tiny.run.read_json("truth/effects.json")
    for scheme in ("apparent", "random", "spatial"):
        table = tiny.run.read_table(f"scores_{scheme}").set_index("model")
        assert {*MODELS, "coordinates"} <= set(table.index)
        assert table["auc_true"].between(0, 1).all()
        assert not {"oracle", "reachable"} & set(table.index)
    against = tiny.run.read_table("scores_truth").set_index(["model", "map"])["auc_map"]
    assert against["oracle", "bound"] == pytest.approx(effects["oracle_auc"], abs=0.02)
    for model in MODELS:
        assert {(model, "fitted"), (model, "held out")} <= set(against.index)


def test_the_explained_cnn_is_the_mapped_one(tiny):
    """Base and values add up to the logit of the map's own value in the same cell, not merely to
    that of one network or of another mean.
    """
    factors = read_factors(tiny.run.product("factors.tif"))
    samples = pd.read_parquet(tiny.run.product("samples.parquet"))
    cnn = load(tiny.run.product("models/cnn"), factors)
    (mapped,) = read_raster(tiny.run.product("susceptibility_cnn.tif")).values()
    values = at_samples(mapped, samples)
    known = np.isfinite(values)
    np.testing.assert_allclose(
        expit(cnn.decision_function(samples[known])), values[known], atol=1e-5
    )


def test_a_map_that_is_used_knows_its_doubt_its_reasons_and_its_slopes(tiny):
    """Chapter 14 after chapters 8, 12 and 13: nothing of theirs is left out, and classes are zoned
    by slope unit; the doubt lies on the analysis grid.
    """
    text = said(tiny.run.path / "notebooks" / "14_using_the_map.ipynb")
    left_out = [line for line in text.splitlines() if line.startswith("Left out")]
    assert left_out == ["Left out: buildings, for the catalog names none."]
    assert "slope units" in set(tiny.run.read_table("zoning")["zones"])
    doubt, grid = (
        read_raster(tiny.run.product(f"{name}.tif")).rio for name in ("doubt", "factors")
    )
    assert doubt.crs == grid.crs
    np.testing.assert_allclose(doubt.bounds(), grid.bounds(), atol=doubt.resolution()[0])


def test_the_same_seed_gives_the_same_bytes(tiny):
    """Chapter 06 once more: its rasters and tables do not change by a byte."""
    before = {
        name: sha256(tiny.run.path / name)
        for name in (
            "products/classes_cnn.tif",
            "tables/frequency_ratio.csv",
            "products/breaks.json",
        )
    }
    values = load_run_params(find_params("tiny"), {}, None, tiny.run.path)
    execute(tiny.run, values, ["06_frequency_ratio"], force=True)
    assert {name: sha256(tiny.run.path / name) for name in before} == before


def test_no_output_is_an_error_or_a_warning(tiny):
    for chapter in CHAPTERS:
        for cell in nbformat.read(
            tiny.run.path / "notebooks" / f"{chapter}.ipynb", as_version=4
        ).cells:
            for output in cell.get("outputs", []):
                assert output.output_type != "error"
                assert output.get("name") != "stderr", f"{chapter}: {output.text[:500]}"


def test_the_papers_own_layout_is_what_the_mountain_writes(tiny, tmp_path):
    """``moxi.yml`` with its catalog, on the folder the simulated mountain wrote: the same factors
    to the last bit.
    """
    folder = tmp_path / "moxi"
    shutil.copytree(tiny.run.world, folder, ignore=shutil.ignore_patterns("catalog.yml", "truth"))
    run = Run(tmp_path / "run")
    values = load_run_params(find_params("moxi"), {}, folder, run.path)
    execute(run, values, ["01_data"])
    assert not run.has("truth/probability.tif")
    ours, theirs = (read_raster(one.product("factors.tif")) for one in (run, tiny.run))
    xr.testing.assert_equal(ours, theirs)
    assert ours.rio.transform() == theirs.rio.transform()


def test_every_chapter_has_an_answer_that_can_be_checked(tiny):
    chapters = {label.split("-")[1] for label in answers.asked(tiny.run)}
    assert chapters == {f"{number:02d}" for number in range(1, 15)}


def test_a_folder_without_images_hands_its_inventory_on(folder, tmp_path):
    """Terrain and points only: chapters 02 and 03 are skipped, and the known inventory is what the
    later chapters find.
    """
    places = {
        "x": 300_000 + np.arange(10) * 50.0 + 5,
        "y": 3_300_000 - np.arange(10) * 30.0 - 5,
    }
    pd.DataFrame(places).to_csv(folder / "slides.csv", index=False)
    catalog = folder / "catalog.yml"
    catalog.write_text(catalog.read_text() + "inventory: {path: slides.csv, crs: EPSG:32648}\n")
    run = Run(tmp_path / "run")
    values = load_run_params(find_params("tiny"), {"cell_size_m": "10"}, folder, run.path)
    executed = execute(run, values, ["01_data", "02_detector", "03_inventory"])
    assert executed == ["01_data"]
    assert not run.has("detector.safetensors")
    assert gpd.list_layers(run.product("inventory.gpkg"))["name"].tolist() == ["reference"]
    assert len(gpd.read_file(run.product("inventory.gpkg"))) == 10


@pytest.mark.real_data
def test_images_alone_run_to_chapter_two(shared_data, tmp_path):
    """Real image chips without a map: chapter 01 is skipped, chapter 02 trains and scores them."""
    run = Run(tmp_path / "bijie")
    small = {"epochs": "1", "chip_size": "64", "tta": "1"}
    values = load_run_params(find_params("bijie"), small, shared_data / "bijie", run.path)
    assert execute(run, values, ["01_data", "02_detector"]) == ["02_detector"]
    test = run.read_table("detection_scores").set_index("split").loc["test"]
    figures = [
        "AP_segm",
        "AP50_segm",
        "AP75_segm",
        "AP_bbox",
        "AP50_bbox",
        "AP75_bbox",
        "recall",
        "f1",
        "pixel_iou",
    ]
    assert test[figures].astype(float).between(0, 100).all(), test
    # one epoch may end, on some processors, without a score above the threshold: then there is no
    # precision to speak of
    assert test["recall"] == 0 if np.isnan(test["precision"]) else 0 <= test["precision"] <= 100
    assert not run.has("factors.tif")


@pytest.mark.real_data
def test_ecuador_runs_on_real_terrain(shared_data, tmp_path):
    """Real terrain and points, no images: maps, frequency ratios and Shapley values, and the
    published logistic scores.
    """
    run = Run(tmp_path / "ecuador")
    small = {
        "cnn_epochs": "2",
        "cnn_seeds": "1",
        "rf_trees": "50",
        "cnn_window": "7",
        "n_explain": "20",
        "n_background": "16",
        "n_orders": "2",
        "tree_background": "8",
        "companion_trees": "20",
        "refits": "0",
        "n_pairs": "0",
        "error_model": "logistic",
        "error_seeds": "1",
        "true_draws": "2",
        "doubt_model": "logistic",
        "doubt_seeds": "1",
        "doubt_step": "4",
        "conformal_splits": "2",
        "logistic_repeats": "10",
    }
    values = load_run_params(find_params("ecuador"), small, shared_data / "ecuador_lsl", run.path)
    execute(run, values, list(CHAPTERS))
    for model in MODELS:
        assert run.has(f"susceptibility_{model}.tif")
        assert run.has(f"classes_{model}.tif")
    assert set(run.read_table("shap_importance")["model"]) == set(MODELS)
    assert gpd.list_layers(run.product("inventory.gpkg"))["name"].tolist() == ["reference"]
    apparent = run.read_table("scores_apparent").set_index("model").loc["logistic", "auc"]
    assert apparent == pytest.approx(0.8216, abs=0.0005)
    protocol = run.read_table("scores_protocol").set_index("scheme")["auc"]
    assert protocol["random"] == pytest.approx(0.8097, abs=0.01)
    assert protocol["spatial"] == pytest.approx(0.7726, abs=0.01)


def test_a_run_in_blocks_is_the_run_in_memory(tiny, tmp_path):
    """Samples, maps and classes come out byte for byte where chapters read and write blocks of 64
    cells and maps are computed by other processes. A window and trees stand for all models;
    factors have their own tests.
    """
    models = ("cnn", "xgboost")
    blocks = Run(tmp_path / "blocks")
    shutil.copytree(tiny.run.path, blocks.path)
    how = {"chunk": "64", "scheduler": "local", "models": str(list(models))}
    values = load_run_params(find_params("tiny"), how, None, blocks.path)
    chapters = ["05_susceptibility", "06_frequency_ratio"]
    assert execute(blocks, values, chapters, force=True) == chapters
    same = ["samples.parquet"]
    same += [
        f"{kind}_{model}.tif"
        for kind in ("susceptibility", "heldout", "classes")
        for model in models
    ]
    files = [run.product(name) for name in same for run in (tiny.run, blocks)]
    hashes = [sha256(file) for file in files]
    assert hashes[::2] == hashes[1::2]


@pytest.mark.slow
def test_explanations_in_blocks_are_those_in_memory(tiny, tmp_path):
    """Chapter 08 of blocks of 128 cells: the CNN's and the trees' values to rounding."""
    blocks = Run(tmp_path / "blocks")
    shutil.copytree(tiny.run.path, blocks.path)
    how = {"chunk": "128", "refits": "0", "n_pairs": "0"}
    values = load_run_params(find_params("tiny"), how, None, blocks.path)
    assert execute(blocks, values, ["08_shapley_maps"], force=True) == ["08_shapley_maps"]
    for model in ("cnn", "xgboost"):
        name = f"shap_{model}.tif"
        whole, parts = (read_raster(run.product(name)) for run in (tiny.run, blocks))
        for band in whole:
            np.testing.assert_allclose(whole[band], parts[band], atol=1e-5)
