"""A run in int8: calibrated once, measured, and used again by what scores with its model."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aerial_kedro.features.quantization import name_calibration
from tests.integration.kedro_project import FOLDERS, Project
from tests.integration.tile_images import draw_class_folders


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_class_folders(tmp_path_factory.mktemp("folders"), tiles=20, seed=5)


@pytest.fixture(scope="module")
def quantized(
    _kedro: None, folders: Path, tmp_path_factory: pytest.TempPathFactory, tracking_uri: str
) -> Project:
    """A model on int8 features, its engine chosen by measurement."""
    parameters = {**FOLDERS, "model_name": "small", "engine": "auto", "precision": "int8"}
    made = Project(tmp_path_factory.mktemp("int8"), parameters, tracking_uri)
    said = made.run("from_folders", folders_root=str(folders), classifier="logistic_regression")
    assert any(line.startswith("Calibrating int8 on ") for line in said)
    # On a busy machine the second, and no engine counts as measured.
    assert any(line.startswith(("engine=auto takes ", "engine=auto keeps ")) for line in said)
    return made


def test_the_loss_is_measured_and_told(quantized: Project) -> None:
    found = quantized.json("08_reporting/metrics.json")["precision"]
    assert found["precision"] == "int8"
    assert found["doubt"] or set(found["milliseconds"]) == {"onnxruntime", "openvino"}
    assert 0.98 < found["mean_cosine"] < 0.99999
    assert found["tiles"] == found["probe"]["evaluated_tiles"] > 5
    assert abs(found["probe"]["fp32"] - found["probe"]["precision"]) < 0.25
    report = (quantized.data / "08_reporting/report.html").read_text(encoding="utf-8")
    assert "int8; cosine with fp32 on" in report


def test_both_backbones_are_kept(quantized: Project) -> None:
    fp32, int8 = (
        quantized.json(f"06_models/{name}.json") for name in ("backbone", "backbone_int8")
    )
    assert (fp32["precision"], int8["precision"]) == ("fp32", "int8")
    assert fp32["calibration"] is None
    assert fp32["onnx_sha256"] != int8["onnx_sha256"]


def test_int8_is_calibrated_on_training_tiles_alone(quantized: Project) -> None:
    tiles = quantized.table("03_primary/tile_catalog")
    training = tiles[tiles["split"].astype(str) == "train"]
    assert 10 < len(training) < len(tiles)
    pairs = list(zip(training["image_id"], training["source_version"], strict=True))
    assert quantized.json("06_models/backbone_int8.json")["calibration"] == name_calibration(pairs)


def test_another_run_calibrates_on_the_same_tiles_once(quantized: Project, folders: Path) -> None:
    features = quantized.features()
    stamp = (quantized.data / "06_models/backbone_int8.onnx").read_bytes()
    choice = quantized.json("04_feature/precision_summary.json")["engine"]
    said = quantized.run(
        "from_folders", to_outputs=["tile_features"], folders_root=str(folders), engine=choice
    )
    assert not any(line.startswith("Calibrating") for line in said)
    assert (quantized.data / "06_models/backbone_int8.onnx").read_bytes() == stamp
    assert len(quantized.features()) == len(features)


def test_a_model_in_int8_scores_where_nothing_else_of_its_run_is(
    quantized: Project, folders: Path, tmp_path: Path
) -> None:
    """Its folder is enough: the calibrated network is in it, and the card says what runs it."""
    shutil.copytree(quantized.data / "06_models/small", tmp_path / "06_models/small")
    alone = replace(quantized, data=tmp_path, parameters={})
    said = alone.run("score_folder", score_root=str(folders), model_name="small")
    assert any("precision=int8" in line for line in said)
    assert not list((tmp_path / "06_models").glob("*.onnx"))
    predictions = pd.read_csv(tmp_path / "07_model_output/predictions.csv")
    label = predictions["filepath"].str.extract(r"/([A-Za-z]+)_\d+\.png$")[0]
    assert len(predictions) == 80
    assert np.mean(label == predictions["pred_label"]) > 0.8


def test_scoring_in_another_precision_is_refused(quantized: Project, folders: Path) -> None:
    message = quantized.refusal(
        "--pipeline=score_folder",
        f"--params=score_root={folders},model_name=small,precision=fp32",
    )
    assert "Leave precision=fp32 out" in message


@pytest.mark.parametrize(
    "choice", ["engine=synapseml,precision=int8", "precision=fp16", "engine=torch,precision=int8"]
)
def test_what_cannot_run_is_refused_with_what_can(choice: str, project: Project) -> None:
    message = project.refusal("--pipeline=featurization", f"--params={choice}")
    assert "There is: onnxruntime: fp32, int8; openvino: fp32, int8" in message
