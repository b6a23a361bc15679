"""A run ends with where its results are, and with what to do next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kedro.io import DataCatalog

from aerial_kedro.datasets.model_folder import CARD
from aerial_kedro.framework.console import describe_results


def catalog(root: str) -> DataCatalog:
    """The entries of the results, as `conf/base` has them."""
    entries: dict[str, dict[str, Any]] = {
        "report": {"type": "text.TextDataset", "filepath": f"{root}/08_reporting/report.html"},
        "digits_page": {"type": "text.TextDataset", "filepath": f"{root}/08_reporting/digits.html"},
        "maps": {
            "type": "aerial_kedro.datasets.rasters.RasterFolderDataset",
            "path": f"{root}/07_model_output",
        },
        "mapped_tiles": {
            "type": "pandas.ParquetDataset",
            "filepath": f"{root}/07_model_output/tiles.parquet",
        },
        "predictions_csv": {
            "type": "pandas.CSVDataset",
            "filepath": f"{root}/07_model_output/predictions.csv",
        },
        "trained_model": {
            "type": "aerial_kedro.datasets.models.ModelStoreDataset",
            "path": f"{root}/06_models",
            "spark_path": f"{root}/06_models",
            "model_name": "county",
        },
    }
    return DataCatalog.from_config(entries)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A data folder with a model, as far as its name goes."""
    card = tmp_path / "06_models" / "county" / CARD
    card.parent.mkdir(parents=True)
    card.write_text("{}")
    return tmp_path


MAIN: dict[str, list[str]] = {
    "report": [],
    "maps": ["map_2012", "map_2018"],
    "mapped_tiles": [],
    "predictions_csv": [],
    "trained_model": [],
    "tile_features": [],
}


def test_the_main_job_ends_with_five_lines(stored: Path) -> None:
    assert describe_results(MAIN, catalog(str(stored))) == [
        f"Report: {stored}/08_reporting/report.html",
        f"Map:    {stored}/07_model_output/map_2012.tif, map_2018.tif",
        f"Tables: {stored}/07_model_output/tiles.parquet, {stored}/07_model_output/predictions.csv",
        f"Model:  {stored}/06_models/county",
        "Next:   kedro run --pipeline=score_scenes --params=scenes_root=DIR,model_name=county",
    ]


@pytest.mark.parametrize(
    ("made", "command"),
    [
        (["report", "trained_model"], "score_folder --params=score_root=DIR,model_name=county"),
        (["trained_model"], "scoring"),
        (["predictions", "test_predictions"], "reporting"),
        (["report"], "explain --params=explain.tiles=A/B"),
        (["tile_catalog"], "featurization"),
        (["tile_features"], "training"),
    ],
)
def test_what_is_next_follows_from_what_was_made(
    stored: Path, made: list[str], command: str
) -> None:
    lines = describe_results({name: [] for name in made}, catalog(str(stored)))
    assert lines[-1] == f"Next:   kedro run --pipeline={command}"


def test_only_what_the_run_made_is_named(tmp_path: Path) -> None:
    made: dict[str, list[str]] = {"digits_page": [], "digits_metrics": []}
    assert describe_results(made, catalog(str(tmp_path))) == [
        f"Report: {tmp_path}/08_reporting/digits.html",
        "Next:   kedro mlflow ui",
    ]


def test_a_run_without_results_for_people_ends_without_a_line(tmp_path: Path) -> None:
    assert describe_results({"served_model": []}, catalog(str(tmp_path))) == []


def test_addresses_in_storage_are_whole_and_without_signatures() -> None:
    root = "memory://container/data"
    lines = describe_results({"report": [], "maps": ["map_2018"]}, catalog(root))
    assert lines[:2] == [
        f"Report: {root}/08_reporting/report.html",
        f"Map:    {root}/07_model_output/map_2018.tif",
    ]
