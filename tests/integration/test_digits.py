"""The digits tutorial: ``kedro run --pipeline=digits``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from mlflow.tracking import MlflowClient
from PIL import Image
from sklearn.datasets import load_digits

from aerial_kedro.examples.digits.files import ROLES, read_file, spellings
from tests.integration.kedro_project import PROJECT, Project
from tests.integration.test_console import CHATTER, run_process, steps_in, steps_of
from tests.unit.examples.digits.idx_files import four_files, idx
from tests.unit.examples.digits.test_datasets import serve

QUICK: Mapping[str, Any] = {
    "digits": {"network": {"steps": 100}, "sweep": {"values": [0.1, 10.0], "images": 300}}
}


# In a process of its own: in this one, other tests have started Spark.
RUN = """
import json, sys
from pathlib import Path
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from pyspark import SparkContext
bootstrap_project(Path(sys.argv[1]))
with KedroSession.create(
    Path(sys.argv[1]), env="base", runtime_params=json.loads(sys.argv[2])
) as session:
    session.run(pipeline_names=["digits"])
print("Java:", SparkContext._gateway is not None)
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """The tutorial on scikit-learn's digits, with a run history of its own, and what it printed."""
    project = Project(tmp_path_factory.mktemp("tutorial"), {**QUICK, "regularization": 0.5})
    done = run_process(project, "-c", RUN, str(PROJECT), json.dumps(project.parameters))
    assert done.returncode == 0, done.stdout
    return project, done.stdout


@pytest.fixture
def tutorial(finished: tuple[Project, str]) -> Project:
    return finished[0]


@pytest.fixture
def history(tutorial: Project) -> MlflowClient:
    return MlflowClient(f"sqlite:///{tutorial.data / 'mlflow' / 'mlflow.db'}")


def test_the_figures_are_written(tutorial: Project) -> None:
    metrics = tutorial.json("08_reporting/digits_metrics.json")
    assert metrics["regularization"] == 0.5
    assert 0.94 < metrics["accuracy"] < 1
    assert np.trace(metrics["confusion"]) / np.sum(metrics["confusion"]) == metrics["accuracy"]
    assert 0.9 < metrics["network"]["accuracy"] <= 1
    assert [each["regularization"] for each in metrics["sweep"]["points"]] == [0.1, 10.0]
    assert metrics["sweep"]["fitted"] == 300


def test_the_dataset_is_described_and_versioned(tutorial: Project) -> None:
    record = tutorial.json("03_primary/digits_dataset.json")
    assert record["name"] == "scikit-learn's digits"
    assert (record["train"], record["test"], record["rows"]) == (1347, 450, 8)
    assert re.fullmatch("[0-9a-f]{16}", record["version"])
    assert "CC BY 4.0" in record["licence"]


def test_the_picture_of_random_digits_is_drawn(tutorial: Project) -> None:
    with Image.open(tutorial.data / "08_reporting/digits_sample.png") as picture:
        assert picture.width > 600


def test_the_page_is_whole_and_asks_for_nothing(tutorial: Project) -> None:
    page = (tutorial.data / "08_reporting/digits.html").read_text(encoding="utf-8")
    accuracy = tutorial.json("08_reporting/digits_metrics.json")["accuracy"]
    assert f"accuracy {accuracy:.4f}" in page
    missed = round(450 * (1 - accuracy))
    assert page.count('<span class="wrong">Read ') == min(missed, 24)
    assert "test images of a" in page  # confusions in words
    assert "30 training images, drawn at random with seed 42" in page
    assert re.findall(r'(?:src|href)="(?!data:|#)', page) == []


def test_the_model_is_found_again_by_name(tutorial: Project) -> None:
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tutorial.data / 'mlflow' / 'mlflow.db'}")
    try:
        model = mlflow.sklearn.load_model("models:/digits/latest")
    finally:
        mlflow.set_tracking_uri(before)
    digits = load_digits()
    right = model.predict(digits.data / 16) == digits.target
    assert right.mean() > 0.94


def test_the_run_history_holds_parameters_figures_and_data(
    tutorial: Project, history: MlflowClient
) -> None:
    experiment = history.get_experiment_by_name("aerial_kedro")
    (run,) = history.search_runs([experiment.experiment_id])
    assert run.data.params["regularization"] == "0.5"
    assert run.data.params["digits.seed"] == "42"
    metrics = tutorial.json("08_reporting/digits_metrics.json")
    assert run.data.metrics["accuracy"] == metrics["accuracy"]
    assert run.data.metrics["network.accuracy"] == metrics["network"]["accuracy"]
    (used,) = run.inputs.dataset_inputs
    assert used.dataset.name == "scikit-learn's digits"
    assert used.dataset.digest == metrics["data"]["version"]


def test_the_same_run_gives_the_same_figures(tutorial: Project, project: Project) -> None:
    project.run("digits", regularization=0.5, **QUICK)
    assert project.json("08_reporting/digits_metrics.json") == tutorial.json(
        "08_reporting/digits_metrics.json"
    )


@pytest.mark.usefixtures("_kedro")
def test_its_log_has_each_step_once_and_no_chatter(finished: tuple[Project, str]) -> None:
    """Nor MLflow's, although the run makes the history that it is kept in."""
    project, said = finished
    assert steps_in(said) == steps_of("digits")
    assert [word for word in CHATTER if word in said] == []
    *_, report, following, java = said.splitlines()
    assert [line.split(maxsplit=2)[2] for line in (report, following)] == [
        f"Report: {project.data}/08_reporting/digits.html",
        "Next:   kedro mlflow ui",
    ]
    assert java == "Java: False"


@pytest.fixture
def own_digits(tmp_path: Path) -> Path:
    for role, content in four_files(train=120, test=40).items():
        (tmp_path / spellings(role)[0]).write_bytes(content)
    return tmp_path


def test_other_digits_are_read_where_it_is_said(project: Project, own_digits: Path) -> None:
    settings = {**QUICK["digits"], "check_hashes": False}
    project.run("digits", digits_root=str(own_digits), digits=settings)
    record = project.json("03_primary/digits_dataset.json")
    assert (record["kind"], record["train"], len(record["files"])) == ("own", 120, 4)
    assert record["source"] == str(own_digits)


def test_files_that_are_not_mnist_are_refused(project: Project, own_digits: Path) -> None:
    message = project.refusal("--pipeline=digits", f"--params=digits_root={own_digits}")
    assert "train-images-idx3-ubyte.gz is not MNIST's file" in message
    assert "it holds 120 images, MNIST's has 60,000" in message


def test_a_download_that_is_not_mnist_is_not_kept(project: Project, own_digits: Path) -> None:
    with serve(own_digits) as base_url:
        message = project.refusal(
            "--pipeline=digits_download", f"--params=digits_download.base_url={base_url}"
        )
    assert "train-images-idx3-ubyte.gz cannot be fetched" in message
    assert "It must be MNIST's file, with the md5 f68b3c2dcbeaaa9fbdd348bbdeb94873" in message
    assert not (project.data / "01_raw").exists()


@pytest.mark.parametrize("value", ["0", "-1", "half", "nan"])
def test_a_silly_regularization_is_refused(project: Project, value: str) -> None:
    message = project.refusal("--pipeline=digits", f"--params=regularization={value}")
    assert f"regularization={value}" in message.replace("'", "")


def test_settings_that_make_no_sense_are_refused(project: Project) -> None:
    message = project.refusal("--pipeline=digits", "--params=digits.sampel=3")
    assert "sampel" in message


@pytest.mark.shared_data
def test_mnist_is_fetched_and_kept(project: Project, shared_data: Path) -> None:
    with serve(shared_data / "mnist") as base_url:
        project.run("digits_download", digits_download={"base_url": base_url})
    for role in ROLES:
        name = spellings(role)[0]
        kept = (project.data / "01_raw/mnist" / name).read_bytes()
        assert kept == (shared_data / "mnist" / name).read_bytes()


@pytest.mark.shared_data
def test_a_part_of_mnist_is_read_nearly_as_well(
    project: Project, shared_data: Path, tmp_path: Path
) -> None:
    """The tutorial's 0.92 needs all 60,000; with 3,000 it is 0.88."""
    for role, size in zip(ROLES, (3000, 3000, 2000, 2000), strict=True):
        name = spellings(role)[0]
        values = read_file(role, name, (shared_data / "mnist" / name).read_bytes()).values
        (tmp_path / spellings(role)[1]).write_bytes(idx(values[:size]))
    settings = {**QUICK["digits"], "check_hashes": False}
    project.run("digits", digits_root=str(tmp_path), digits=settings)
    metrics = project.json("08_reporting/digits_metrics.json")
    assert 0.83 < metrics["accuracy"] < 0.92
    assert metrics["network"]["accuracy"] > metrics["accuracy"]
