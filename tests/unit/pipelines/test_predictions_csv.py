"""`predictions.csv` has the lines that the 2017 sample's file has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from kedro.io import AbstractDataset
from pyspark.sql import SparkSession

from aerial_kedro.pipelines.scoring.nodes import tabulate_predictions

CATALOG = Path(__file__).parents[3] / "conf/base/scoring/catalog.yml"
ROWS = [
    ("window", "scene.tif", "u18_2_2018", None, "Forest"),
    ("window", "scene.tif", "u18_1_2018", "Shrub", "Shrub"),
    ("file", 'Forêt, "old"/1.png', "foret-1", "Forêt", "Forest"),
]

COLUMNS = "kind string, href string, image_id string, label string, pred_label string"
# Words that some reader of tables takes for nothing, a number, a truth value or a formula.
NAMES = ["NA", "None", "null", "nan", "N/A", "<NA>", "1", "01", "1e3", "true", "=1+1", "-inf"]


def predictions_csv(path: Path) -> AbstractDataset[Any, pd.DataFrame]:
    entry = yaml.safe_load(CATALOG.read_text(encoding="utf-8"))["predictions_csv"]
    return AbstractDataset.from_config("predictions_csv", {**entry, "filepath": str(path)})


def test_a_class_of_any_name_is_the_same_when_the_file_is_loaded_again(tmp_path: Path) -> None:
    saved = pd.DataFrame({"filepath": NAMES, "label": NAMES, "pred_label": NAMES[::-1]})
    saved.loc[len(saved)] = ["a.png", None, "NA"]
    dataset = predictions_csv(tmp_path / "predictions.csv")
    dataset.save(saved)
    loaded = dataset.load()
    assert loaded["filepath"].tolist() == [*NAMES, "a.png"]
    assert loaded["label"].tolist()[:-1] == NAMES
    assert pd.isna(loaded["label"].iloc[-1]), "a tile without a label has none"
    assert loaded["pred_label"].tolist() == [*NAMES[::-1], "NA"]


@pytest.mark.parametrize("file", sorted(CATALOG.parents[1].glob("*/catalog.yml")))
def test_no_table_of_the_catalog_is_read_with_names_taken_for_nothing(file: Path) -> None:
    for name, entry in yaml.safe_load(file.read_text(encoding="utf-8")).items():
        if entry["type"] == "pandas.CSVDataset":
            assert entry["load_args"]["keep_default_na"] is False, name


def test_rows_are_in_order_and_missing_labels_empty(
    spark_session: SparkSession, tmp_path: Path
) -> None:
    path = tmp_path / "predictions.csv"
    frame = spark_session.createDataFrame(ROWS, COLUMNS)
    predictions_csv(path).save(tabulate_predictions(frame))
    assert path.read_bytes().decode() == (
        "filepath,label,pred_label\r\n"
        '"Forêt, ""old""/1.png",Forêt,Forest\r\n'
        "scene.tif#u18_1_2018,Shrub,Shrub\r\n"
        "scene.tif#u18_2_2018,,Forest\r\n"
    )
