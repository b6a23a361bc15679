"""What a run leaves in MLflow: parameters, facts, figures, pages, and a registered model."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from kedro.framework.session import KedroSession
from mlflow.entities import Run

from tests.integration.kedro_project import PREDICTIONS, PROJECT, Project, predictions_of

FIRST = "models:/aerial_kedro/1"


@pytest.fixture
def copy(divided: Project, tmp_path: Path) -> Project:
    """The trained project and its run history, to be changed.

    The next run has the history point to the copied artifacts.
    """
    shutil.copytree(divided.data, tmp_path / "data", ignore=shutil.ignore_patterns("01_raw"))
    return replace(divided, data=tmp_path / "data")


@pytest.fixture
def client(copy: Project) -> mlflow.MlflowClient:
    uri = f"sqlite:///{copy.data / 'mlflow' / 'mlflow.db'}"
    return mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)


@pytest.fixture
def run(copy: Project, client: mlflow.MlflowClient) -> Run:
    """The only run of `from_folders`."""
    (experiment,) = client.search_experiments(filter_string="name = 'aerial_kedro'")
    runs = client.search_runs([experiment.experiment_id])
    return next(each for each in runs if each.info.run_name == "from_folders")


def test_parameters_are_logged_one_by_one(run: Run) -> None:
    """With those that the catalog reads, and without those of other pipelines."""
    found = run.data.params
    assert found["random_forest.num_trees"] == "10"
    assert found["split.test"] == "0.25"
    assert found["model_name"] == "forest"
    assert found["folders_root"].endswith("divided0")
    assert not [name for name in found if name.startswith(("digits.", "sample_county"))]
    assert not [text for text in found.values() if "=" in text], "a model written as one text"


def test_the_data_are_known_by_a_digest_of_the_catalog(copy: Project, run: Run) -> None:
    """Worked out again without Spark, from the definition."""
    catalog = copy.table("03_primary/tile_catalog")
    sums = [0, 0, 0, 0]
    for values in catalog[["image_id", "source_version", "label", "split"]].itertuples(index=False):
        row = "\x1f".join("\x00" if pd.isna(value) else value for value in values)
        digest = hashlib.sha256(row.encode()).hexdigest()
        sums = [total + int(digest[15 * i : 15 * i + 15], 16) for i, total in enumerate(sums)]
    text = "\x1f".join(map(str, [len(catalog), *sums]))
    assert run.data.tags["data.fingerprint"] == hashlib.sha256(text.encode()).hexdigest()
    assert run.data.tags["data.images"] == str(len(catalog))


def test_the_split_check_and_the_choice_are_told(copy: Project, run: Run) -> None:
    assert run.data.tags["split_check"] == copy.json("03_primary/split_check.json")["description"]
    assert run.data.tags["split_check.is_spatial"] == "false"
    assert run.data.tags["chosen"] == "random_forest"
    assert run.data.tags["code.version"] == "0.1.0"


def test_each_class_has_its_figures(copy: Project, run: Run) -> None:
    test = copy.json("08_reporting/metrics.json")["models"]["random_forest"]["test"]
    names = {"Checks": "Checks", "Plain <b>& simple": "Plain _b__ simple"}
    for name, logged in names.items():
        figure = run.data.metrics[f"random_forest.test.{logged}.producers_accuracy"]
        assert figure == pytest.approx(test["per_class"][name]["producers_accuracy"])


def test_the_time_of_each_step_is_told(run: Run) -> None:
    steps = {name for name in run.data.metrics if name.startswith("seconds.")}
    assert steps >= {f"seconds.{name}" for name in ("featurization", "training", "reporting")}
    total = sum(run.data.metrics[name] for name in steps)
    assert 0 < total <= (run.info.end_time - run.info.start_time) / 1000
    assert total > 0.5 * (run.info.end_time - run.info.start_time) / 1000


def test_the_report_and_its_figures_are_kept(copy: Project, run: Run) -> None:
    kept = Path(run.info.artifact_uri.removeprefix("file://"))
    report = (copy.data / "08_reporting/report.html").read_text(encoding="utf-8")
    assert (kept / "report.html").read_text(encoding="utf-8") == report
    assert (kept / "metrics.json").is_file()


def test_the_first_model_is_the_best_one(
    copy: Project, client: mlflow.MlflowClient, run: Run
) -> None:
    version = client.get_model_version_by_alias("aerial_kedro", "best")
    card = copy.json("06_models/forest/model.json")
    assert version.run_id == run.info.run_id
    assert float(version.tags["validation_macro_f1"]) == card["validation"]["macro_f1"]
    assert version.tags["data.fingerprint"] == run.data.tags["data.fingerprint"]
    assert version.tags["model_name"] == "forest"


def test_an_equal_model_does_not_become_the_best_unless_asked(
    copy: Project, client: mlflow.MlflowClient
) -> None:
    first = client.get_model_version_by_alias("aerial_kedro", "best").version
    known = {each.version for each in client.search_model_versions("name = 'aerial_kedro'")}
    for promote in ("better", "always"):
        copy.run("training", model_name=f"again_{promote}", registry={"promote": promote})
        now = {each.version for each in client.search_model_versions("name = 'aerial_kedro'")}
        (new,) = now - known
        best = client.get_model_version_by_alias("aerial_kedro", "best").version
        assert best == (first if promote == "better" else new)
        known = now


def test_a_best_one_that_nobody_can_load_any_more_loses_the_alias(
    copy: Project, client: mlflow.MlflowClient
) -> None:
    """Even to an equal one: training again is what its refusal advises."""
    held = client.get_model_version_by_alias("aerial_kedro", "best")
    client.set_model_version_tag("aerial_kedro", held.version, "format", "1")
    said = copy.run("training", model_name="newer")
    assert client.get_model_version_by_alias("aerial_kedro", "best").version != held.version
    assert any(f"Version {held.version}, which was 'best', is of another" in line for line in said)


@pytest.mark.parametrize("address", [FIRST, "models:/aerial_kedro@best"])
def test_a_registered_model_scores_as_the_stored_one_does(copy: Project, address: str) -> None:
    """Its card comes with it: nothing is left of the one that was stored."""
    before = predictions_of(copy)
    shutil.rmtree(copy.data / "06_models/forest")
    shutil.rmtree(copy.data / PREDICTIONS)
    copy.run("scoring", to_outputs=["predictions_csv"], model_name=address)
    pd.testing.assert_frame_equal(predictions_of(copy), before)


def test_a_registered_model_is_served(copy: Project) -> None:
    said = copy.run("serving", model_name="models:/aerial_kedro@best")
    assert any(
        line.startswith("Registered: models:/aerial_kedro_tiles/") and line.endswith(f"({FIRST})")
        for line in said
    )


def test_mlflow_loads_the_registered_model_by_itself(copy: Project) -> None:
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{copy.data / 'mlflow' / 'mlflow.db'}")
    try:
        stages = mlflow.spark.load_model(FIRST)
    finally:
        mlflow.set_tracking_uri(before)
    assert "RandomForest" in type(stages.stages[-1]).__name__


@pytest.mark.parametrize("address", ["models:/aerial_kedro/99", "models:/aerial_kedro@worst"])
def test_a_version_that_is_not_there_is_missed_by_its_address(copy: Project, address: str) -> None:
    message = copy.refusal("--pipeline=scoring", f"--params=model_name={address}")
    assert address in message
    assert f"{FIRST}, models:/aerial_kedro@best" in message


def test_an_address_is_not_trained_under(copy: Project) -> None:
    message = copy.refusal("--pipeline=training", f"--params=model_name={FIRST}")
    assert "only read" in message


def test_two_runs_of_one_process_are_two_runs_of_the_history(
    copy: Project, client: mlflow.MlflowClient
) -> None:
    """As in a notebook: nobody ends the first, and their parameters differ."""
    (experiment,) = (each for each in client.search_experiments() if each.name == "aerial_kedro")
    before = {run.info.run_id for run in client.search_runs([experiment.experiment_id])}
    with copy.environment():
        for name in ("one", "two"):
            given = {**copy.parameters, "model_name": name}
            with KedroSession.create(PROJECT, env="base", runtime_params=given) as session:
                session.run(pipeline_names=["training"], to_outputs=["classes"])
        mlflow.end_run()
    runs = client.search_runs([experiment.experiment_id])
    names = [run.data.params["model_name"] for run in runs if run.info.run_id not in before]
    assert sorted(names) == ["one", "two"]
