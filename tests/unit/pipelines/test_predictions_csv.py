"""`predictions.csv` has the lines that the 2017 sample's file has."""

from __future__ import annotations

from pathlib import Path

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


def test_rows_are_in_order_and_missing_labels_empty(
    spark_session: SparkSession, tmp_path: Path
) -> None:
    columns = "kind string, href string, image_id string, label string, pred_label string"
    entry = yaml.safe_load(CATALOG.read_text(encoding="utf-8"))["predictions_csv"]
    path = tmp_path / "predictions.csv"
    dataset = AbstractDataset.from_config("predictions_csv", {**entry, "filepath": str(path)})
    dataset.save(tabulate_predictions(spark_session.createDataFrame(ROWS, columns)))
    assert path.read_bytes().decode() == (
        "filepath,label,pred_label\r\n"
        '"Forêt, ""old""/1.png",Forêt,Forest\r\n'
        "scene.tif#u18_1_2018,Shrub,Shrub\r\n"
        "scene.tif#u18_2_2018,,Forest\r\n"
    )
