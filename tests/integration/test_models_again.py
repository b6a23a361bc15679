"""Trained models: saved, found again by name, refused or replaced, kept in the run history."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import mlflow
import pandas as pd
import pytest

from tests.integration.kedro_project import PREDICTIONS, Project, copy_of, predictions_of
from tests.integration.tile_images import ODD_NAME


@pytest.fixture
def copy(divided: Project, tmp_path: Path) -> Project:
    """The trained project, to be changed."""
    return copy_of(divided, tmp_path)


def test_a_model_has_a_folder_of_its_own(divided: Project) -> None:
    card = divided.json("06_models/forest/model.json")
    assert card["name"] == "forest"
    assert card["classifier"] == "random_forest"
    assert card["classes"] == ["Checks", "Noise", ODD_NAME, "Stripes"]
    assert card["feature_key"] == divided.json("06_models/backbone_source.json")["feature_key"]
    assert card["tile_size_m"] is None


def test_only_the_classifier_that_was_asked_for_is_trained(divided: Project) -> None:
    metrics = divided.json("08_reporting/metrics.json")
    assert set(metrics["models"]) == {"random_forest"}
    assert metrics["chosen"] == "random_forest"


@pytest.fixture(scope="module")
def retrained(divided: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A second model beside the forest, trained without a name: the latest one."""
    project = copy_of(divided, tmp_path_factory.mktemp("retrained"))
    project.run("training", classifier="logistic_regression")
    return project


def test_a_model_without_a_name_gets_one(retrained: Project) -> None:
    names = {path.parent.name for path in (retrained.data / "06_models").glob("*/model.json")}
    (new,) = names - {"forest"}
    assert new.startswith("efficientnet_lite0-logistic_regression-")


def test_a_saved_model_gives_the_same_predictions_again(retrained: Project) -> None:
    """Found by its name, though another one is the latest."""
    before = predictions_of(retrained)
    shutil.rmtree(retrained.data / PREDICTIONS)
    retrained.run("scoring", to_outputs=["predictions_csv"], model_name="forest")
    pd.testing.assert_frame_equal(predictions_of(retrained), before)


def test_without_a_name_the_latest_model_is_used(retrained: Project) -> None:
    retrained.run("scoring", to_outputs=["predictions_csv"])
    latest = predictions_of(retrained)
    retrained.run("scoring", to_outputs=["predictions_csv"], model_name="forest")
    assert not predictions_of(retrained)["probability"].equals(latest["probability"])


def test_scoring_tiles_without_a_place_makes_no_map_and_no_traceback(copy: Project) -> None:
    shutil.rmtree(copy.data / "07_model_output")
    message = copy.refusal("--pipeline=scoring", "--params=model_name=forest,grain=tile")
    assert "coordinates" in message


def test_a_name_that_is_taken_is_refused_before_anything_runs(divided: Project) -> None:
    shown = (divided.data / "06_models/forest/model.json").read_text()
    with divided.environment():
        before = stamps(divided.data)
    message = divided.refusal(
        "--pipeline=from_folders",
        f"--params=folders_root={divided.parameters['folders_root']},model_name=forest",
    )
    assert "'forest'" in message
    assert "overwrite=true" in message
    assert stamps(divided.data) == before
    assert (divided.data / "06_models/forest/model.json").read_text() == shown


def stamps(folder: Path) -> dict[str, int]:
    """When each file was written, but for the run history and the lock that every run takes."""
    return {
        str(path.relative_to(folder)): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and "mlflow" not in path.parts and path.name != ".run.lock"
    }


def test_a_refused_run_is_not_in_the_history(copy: Project) -> None:
    before = history(copy)
    copy.refusal("--pipeline=training", "--params=model_name=forest")
    assert len(history(copy)) == len(before)


def test_a_model_is_not_replaced_by_a_no(copy: Project) -> None:
    """YAML's other words for false are no reason to overwrite."""
    before = copy.json("06_models/forest/model.json")
    message = copy.refusal("--pipeline=training", "--params=model_name=forest,overwrite=no")
    assert "overwrite" in message
    assert copy.json("06_models/forest/model.json") == before


def test_a_model_is_replaced_where_that_is_asked_for(copy: Project) -> None:
    copy.run("training", classifier="logistic_regression", model_name="forest", overwrite=True)
    card = copy.json("06_models/forest/model.json")
    assert card["classifier"] == "logistic_regression"


def test_a_model_that_is_not_there_is_missed_by_name(divided: Project) -> None:
    message = divided.refusal("--pipeline=scoring", "--params=model_name=woods,grain=tile")
    assert "'woods'" in message
    assert "forest" in message


def test_a_model_is_refused_on_features_that_it_was_not_trained_on(copy: Project) -> None:
    copy.run("featurization", backbone="efficientnet_lite1")
    message = copy.refusal("--pipeline=scoring", "--params=model_name=forest,grain=tile")
    assert "'forest'" in message
    assert "efficientnet_lite0" in message
    assert "backbone" in message


def history(project: Project) -> pd.DataFrame:
    database = project.tracking_uri or f"sqlite:///{project.data / 'mlflow' / 'mlflow.db'}"
    client = mlflow.MlflowClient(tracking_uri=database)
    (experiment,) = client.search_experiments(filter_string="name = 'aerial_kedro'")
    runs = client.search_runs([experiment.experiment_id])
    return pd.DataFrame(
        {
            "name": run.info.run_name,
            "status": run.info.status,
            "parameters": run.data.params,
            "metrics": run.data.metrics,
            "artifacts": experiment.artifact_location,
        }
        for run in runs
    )


def test_the_run_history_has_the_run_with_its_parameters_and_figures(divided: Project) -> None:
    found = history(divided)
    run = found[found["name"] == "from_folders"].iloc[-1]
    assert run["status"] == "FINISHED"
    parameters = run["parameters"]
    assert parameters["backbone"] == "efficientnet_lite0"
    assert parameters["engine"] == "onnxruntime"
    assert parameters["seed"] == "2017"
    settings = {key: text for key, text in parameters.items() if key.startswith("random_forest")}
    assert re.search(r"num_trees\W+10\b", str(settings))
    test = divided.json("08_reporting/metrics.json")["models"]["random_forest"]["test"]
    (name,) = [key for key in run["metrics"] if key.endswith("random_forest.test.accuracy")]
    assert run["metrics"][name] == pytest.approx(test["accuracy"])


def test_the_run_history_lies_with_the_data(divided: Project) -> None:
    assert (divided.data / "mlflow" / "mlflow.db").stat().st_size > 0
    assert str(divided.data) in history(divided)["artifacts"].iloc[0]


def test_the_chosen_model_is_registered(divided: Project) -> None:
    uri = f"sqlite:///{divided.data / 'mlflow' / 'mlflow.db'}"
    client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
    versions = client.search_model_versions("name = 'aerial_kedro'")
    assert len(versions) >= 1
