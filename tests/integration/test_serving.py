"""A model that is served: registered, loaded without Spark and torch, asked over loopback."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import requests
from PIL import Image
from pyspark.sql import SparkSession

from aerial_kedro.datasets.models import ModelStoreDataset
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.models.serving.assembly import assemble_model
from aerial_kedro.models.settings import (
    ClassifierSettings,
    LogisticRegressionSettings,
    RandomForestSettings,
)
from aerial_kedro.models.training import fit_model
from aerial_kedro.scenes.reader import SceneReader
from aerial_kedro.tiles.reading import SOURCE_COLUMNS, read_tile
from tests.integration.kedro_project import PROJECT, Project
from tests.models import make_card, make_source

MODEL = "models:/aerial_kedro_tiles/latest"
START_S = 120
ABSENT = ("pyspark", "torch", "torchvision", "timm", "kedro")

# Put in front of every import of a served model's process: what it must do without is not there.
BLOCKER = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {ABSENT}:
            raise ImportError(name + " is not installed here")

sys.meta_path.insert(0, Absent())
"""


def scored(project: Project) -> pd.DataFrame:
    """Features of the tiles that the model decided on, beside what Spark made of them."""
    predictions = project.table("07_model_output/predictions").query("decided_by == 'model'")
    return predictions.merge(project.features()[["image_id", "features"]], on="image_id")


@pytest.mark.parametrize(
    "settings",
    [
        LogisticRegressionSettings(max_iter=12, reg_param=0.01),
        RandomForestSettings(num_trees=10, max_depth=5),
    ],
    ids=lambda settings: type(settings).__name__,
)
def test_probabilities_are_those_of_spark(
    county: Project,
    settings: ClassifierSettings,
    tmp_path: Path,
    spark_session: SparkSession,
) -> None:
    """Of each classifier, whichever the county's validation happened to choose."""
    rows = spark_session.read.parquet(str(county.data / "05_model_input/labelled_features"))
    classes = sorted(row["label"] for row in rows.select("label").distinct().collect())
    source = make_source()
    card = make_card(source, classes=classes, column=settings.column, temperature=1.7)
    model = TrainedModel(fit_model(rows, settings, classes, seed=1)[0], card, source)
    models = str(tmp_path)
    ModelStoreDataset(path=models, spark_path=models, model_name="one").save(model)

    tiles = model.predict(rows).select("features", "class_probabilities").toPandas()
    found = assemble_model(ModelStoreDataset(path=models).load()).probabilities(
        np.stack(tiles["features"].tolist())
    )
    assert len(found) > 30
    np.testing.assert_allclose(found, np.stack(tiles["class_probabilities"].tolist()), atol=1e-5)


@pytest.fixture(scope="module")
def packaged(county: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The county's model, registered in a registry of its own."""
    uri = f"sqlite:///{tmp_path_factory.mktemp('registry') / 'mlflow.db'}"
    project = replace(county, tracking_uri=uri)
    said = project.run("serving")
    assert any(line.startswith("Registered: models:/aerial_kedro_tiles/1 (") for line in said)
    return project


@pytest.fixture(scope="module")
def tiles(county: Project) -> pd.DataFrame:
    """Some tiles of several classes, with their pixels as lossless base64."""
    catalog = county.table("03_primary/tile_catalog")[SOURCE_COLUMNS]
    chosen = scored(county).sort_values("image_id").groupby("pred_label").head(2)
    with SceneReader() as reader:
        pixels = {
            row["image_id"]: read_tile(row, 224, reader)
            for row in catalog.astype(object).where(catalog.notna(), None).to_dict("records")
            if row["image_id"] in set(chosen["image_id"])
        }
    return chosen.assign(image=[encoded(pixels[each]) for each in chosen["image_id"]])


def encoded(pixels: np.ndarray, kind: str = "PNG") -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.fixture(scope="module")
def environment(packaged: Project, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables of a process without Spark, torch and Kedro, and without this checkout's path."""
    folder = tmp_path_factory.mktemp("blocker")
    (folder / "sitecustomize.py").write_text(BLOCKER, encoding="utf-8")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, **packaged.variables(), "PYTHONPATH": str(folder), "PATH": path}


@pytest.fixture(scope="module")
def server(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of ``mlflow models serve``, run as the README has it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(str(Path(sys.executable).parent / "mlflow"), "models", "serve", "-m", MODEL),
                *("--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)),
            ],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(address, process, log)
            yield address
        finally:
            # The server is a child of the command: both are of the session that was begun here.
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            if requests.get(f"{address}/ping", timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.2)
    pytest.fail(f"the server did not start:\n{log.read_text()[-3000:]}")


def ask(server: str, body: Any) -> requests.Response:
    return requests.post(f"{server}/invocations", json=body, timeout=60)


def split(*images: object) -> dict[str, Any]:
    return {"dataframe_split": {"columns": ["image"], "data": [[each] for each in images]}}


def test_the_server_gives_the_classes_of_the_main_job(server: str, tiles: pd.DataFrame) -> None:
    answer = ask(server, split(*tiles["image"]))
    assert answer.status_code == 200, answer.text
    found = answer.json()["predictions"]
    assert [row["class"] for row in found] == tiles["pred_label"].tolist()
    expected = tiles["probability"].tolist()
    assert [row["probability"] for row in found] == pytest.approx(expected, abs=1e-4)
    for row, spark in zip(found, tiles["probabilities"], strict=True):
        assert row["probabilities"] == pytest.approx(dict(spark), abs=1e-4)
        assert sum(row["probabilities"].values()) == pytest.approx(1)
    for row, *known in zip(found, tiles["expected_accuracy"], tiles["outside"], strict=True):
        expected, outside = (None if pd.isna(each) else each for each in known)
        assert row["expected_accuracy"] == pytest.approx(expected, abs=1e-4)
        assert row["outside"] == outside


def test_inputs_and_records_give_the_same(server: str, tiles: pd.DataFrame) -> None:
    images = tiles["image"].tolist()
    expected = ask(server, split(*images)).json()
    assert ask(server, {"inputs": {"image": images}}).json() == expected
    records = [{"image": each} for each in images]
    assert ask(server, {"dataframe_records": records}).json() == expected


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_other_formats_and_sizes_are_read(server: str, kind: str) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    answer = ask(server, split(encoded(pixels, kind)))
    assert answer.status_code == 200, answer.text


GREY = encoded(np.full((64, 64, 3), 128, np.uint8))
DEEP = encoded(np.full((64, 64), 40_000, np.uint16))


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("not base64!", "not base64"),
        ("", "empty"),
        (base64.b64encode(b"only text").decode(), "no image that is read"),
        (GREY[: len(GREY) // 2 // 4 * 4], "broken"),
        (DEEP, "16-bit"),
        ("A" * (32 * 2**20 + 4), "characters"),
        (None, ""),
        (7, ""),
    ],
    ids=["text", "empty", "no image", "cut off", "16 bits", "too large", "null", "number"],
)
def test_a_bad_image_is_refused_with_a_reason(server: str, image: object, reason: str) -> None:
    answer = ask(server, split(GREY, image))
    assert 400 <= answer.status_code < 500, answer.text[:500]
    said = json.loads(answer.text)
    assert reason in said["message"]
    assert "predictions" not in said
    if reason:
        assert "row 1" in said["message"]


def test_an_image_that_claims_too_many_pixels_is_refused(server: str) -> None:
    """A few kilobytes that would be gigabytes of pixels."""
    buffer = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(buffer, "PNG")
    answer = ask(server, split(base64.b64encode(buffer.getvalue()).decode()))
    assert answer.status_code == 400
    assert "pixels" in answer.json()["message"]


@pytest.mark.parametrize("body", [split(), split(*[GREY] * 257), {"inputs": {"picture": [GREY]}}])
def test_a_request_without_images_or_with_too_many_is_refused(server: str, body: Any) -> None:
    answer = ask(server, body)
    assert answer.status_code == 400, answer.text[:500]


def test_the_server_still_answers(server: str) -> None:
    """After all that it was asked above."""
    assert ask(server, split(GREY)).status_code == 200


def test_the_model_brings_its_code_and_needs_neither_spark_nor_torch(
    packaged: Project, environment: dict[str, str]
) -> None:
    script = (
        "import mlflow, pandas\n"
        f"model = mlflow.pyfunc.load_model({MODEL!r})\n"
        f"found = model.predict(pandas.DataFrame({{'image': [{GREY!r}]}}))\n"
        "import aerial_kedro\n"
        "print(found['class'].iloc[0])\n"
        "print(aerial_kedro.__file__)\n"
        f"print(mlflow.pyfunc.get_model_dependencies({MODEL!r}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    label, code, requirements = done.stdout.splitlines()[-3:]
    assert label in ModelStoreDataset(path=str(packaged.data / "06_models")).load().card.classes
    assert Path(code).parts[-3:-1] == ("code", "aerial_kedro")
    assert not Path(code).is_relative_to(PROJECT)
    names = {line.split("==")[0] for line in Path(requirements).read_text().split()}
    assert {"mlflow", "onnxruntime", "rasterio"} <= names
    assert names.isdisjoint(ABSENT)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("weights_sha256", "was trained on features"),
        ("onnx_sha256", "is not the file that"),
    ],
)
def test_a_model_whose_backbone_is_anothers_is_refused(
    packaged: Project, field: str, said: str
) -> None:
    (card,) = (packaged.data / "06_models").glob("*/backbone.json")
    before = card.read_text(encoding="utf-8")
    changed = {**json.loads(before), field: "0" * 64}
    card.write_text(json.dumps(changed), encoding="utf-8")
    try:
        message = packaged.refusal("--pipeline=serving")
    finally:
        card.write_text(before, encoding="utf-8")
    assert said in message
    assert "Train the model again." in message


def test_a_model_is_needed(project: Project) -> None:
    assert "There is no trained model" in project.refusal("--pipeline=serving")
