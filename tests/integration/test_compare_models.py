"""A grid of models on one catalog: features once for each backbone, the best one registered."""

from __future__ import annotations

import json
from typing import Any

import mlflow
import pandas as pd
import pytest
from kedro_viz.integrations.kedro.data_loader import load_data

from tests.integration.kedro_project import FOLDERS, PROJECT, Project
from tests.integration.tile_images import CLASSES, draw_class_folders

BACKBONES = ["efficientnet_lite0", "efficientnet_lite1"]
GRID: dict[str, Any] = {
    "backbones": BACKBONES,
    "logistic_regression": {"weak_penalty": {"max_iter": 5}, "strong_penalty": None},
    # One tree that asks one question: it knows two classes at best, and must come last.
    "random_forest": {"deep": None, "stump": {"num_trees": 1, "max_depth": 1}},
}
MODELS = {
    f"{backbone}.{rest}"
    for backbone in BACKBONES
    for rest in ("logistic_regression.weak_penalty", "random_forest.stump")
}
TILES = 12


@pytest.fixture(scope="module")
def compared(_kedro: None, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Class folders, catalogued and compared: two commands, as the documentation has them."""
    folders = draw_class_folders(tmp_path_factory.mktemp("folders"), tiles=TILES, seed=21)
    parameters = {**FOLDERS, "folders_root": str(folders), "compare_models": GRID}
    project = Project(tmp_path_factory.mktemp("compared"), parameters)
    project.run("folder_ingestion")
    project.run("compare_models")
    return project


@pytest.fixture
def client(compared: Project) -> mlflow.MlflowClient:
    uri = f"sqlite:///{compared.data / 'mlflow' / 'mlflow.db'}"
    return mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)


def table_of(project: Project) -> pd.DataFrame:
    return pd.read_csv(project.data / "08_reporting/comparison.csv")


def test_features_are_computed_once_for_each_backbone(compared: Project) -> None:
    rows = compared.features().groupby("feature_key")["image_id"].agg(["count", "nunique"])
    assert rows.to_numpy().tolist() == [[TILES * len(CLASSES)] * 2] * len(BACKBONES)


def test_every_model_of_the_grid_has_its_row_the_best_one_first(compared: Project) -> None:
    table = table_of(compared)
    found = table["backbone"] + "." + table["classifier"] + "." + table["setting"]
    assert set(found) == MODELS
    assert table["validation_macro_f1"].is_monotonic_decreasing
    assert table["rank"].iloc[0] == 1
    assert set(table["setting"].tail(2)) == {"stump"}
    assert (table["seconds_to_fit"] > 0).all()
    assert (table["milliseconds_per_tile"] > 0).all()


def test_the_page_has_every_model(compared: Project) -> None:
    page = (compared.data / "08_reporting/comparison.html").read_text(encoding="utf-8")
    assert page.count('<th scope="row">') == len(MODELS)
    assert page.count('<span class="tag">best</span>') == 1
    for name in MODELS:
        backbone, classifier, setting = name.split(".")
        assert f"<br>{classifier.replace('_', ' ')}, {setting}<br>" in page, name
        assert f'<th scope="row">{backbone}' in page


def test_each_model_is_a_run_below_the_comparison_on_the_same_data(
    compared: Project, client: mlflow.MlflowClient
) -> None:
    (experiment,) = client.search_experiments(filter_string="name = 'aerial_kedro'")
    runs = client.search_runs([experiment.experiment_id])
    (parent,) = [each for each in runs if each.info.run_name == "compare_models"][-1:]
    children = [
        each for each in runs if each.data.tags.get("mlflow.parentRunId") == parent.info.run_id
    ]
    assert {each.info.run_name for each in children} == MODELS
    assert {each.data.tags["data.fingerprint"] for each in children} == {
        parent.data.tags["data.fingerprint"]
    }
    assert {each.info.status for each in [parent, *children]} == {"FINISHED"}
    forest = next(
        each for each in children if each.info.run_name == f"{BACKBONES[1]}.random_forest.stump"
    )
    assert forest.data.params["random_forest.num_trees"] == "1"
    row = (
        table_of(compared)
        .set_index(["backbone", "classifier"])
        .loc[(BACKBONES[1], "random_forest")]
    )
    assert forest.data.metrics["validation.macro_f1"] == pytest.approx(row["validation_macro_f1"])


def test_the_alias_is_the_best_ones_by_validation(
    compared: Project, client: mlflow.MlflowClient
) -> None:
    version = client.get_model_version_by_alias("aerial_kedro", "best")
    best = table_of(compared).iloc[0]
    assert (
        version.tags["model_name"] == f"{best['backbone']}.{best['classifier']}.{best['setting']}"
    )
    assert float(version.tags["validation_macro_f1"]) == pytest.approx(best["validation_macro_f1"])
    # That alone goes to the registry, and the main job's own model is left alone.
    assert len(client.search_model_versions("name = 'aerial_kedro'")) == 1
    assert not (compared.data / "06_models/latest.json").exists()


def test_the_best_one_alone_is_calibrated(compared: Project) -> None:
    """It is the one that is kept; the order asks for no probabilities."""
    (path,) = (compared.data / "mlflow").rglob("model.json")
    card = json.loads(path.read_text(encoding="utf-8"))
    assert card["temperature"] != 1
    assert card["validation"]["reliability"]
    best, *_ = compared.json("08_reporting/comparison.json")["models"]
    assert not best["model"]["validation"]["reliability"]
    assert best["model"]["validation"]["macro_f1"] == pytest.approx(card["validation"]["macro_f1"])


def test_the_best_one_scores_by_its_alias(compared: Project) -> None:
    """Its backbone comes with it, whichever that is."""
    best = table_of(compared).iloc[0]["backbone"]
    said = compared.run(
        "score_folder",
        score_root=str(compared.parameters["folders_root"]),
        model_name="models:/aerial_kedro@best",
    )
    assert any(f"learned them: backbone={best}, engine=onnxruntime" in line for line in said)
    predictions = pd.read_csv(compared.data / "07_model_output/predictions.csv")
    said = predictions["filepath"].str.extract(r"/([A-Za-z]+)_\d+\.png$")[0]
    assert (said == predictions["pred_label"]).mean() > 0.8


def test_another_comparison_computes_no_features(compared: Project) -> None:
    before = compared.feature_files()
    outputs = [f"compare_models.{backbone}.tile_features" for backbone in BACKBONES]
    said = compared.run("compare_models", to_outputs=outputs)
    done = f"{TILES * len(CLASSES)} tiles to featurize, {TILES * len(CLASSES)} are done already"
    assert said.count(done) == len(BACKBONES)
    features = compared.features()
    assert not features.duplicated(["image_id", "feature_key"]).any()
    assert before.items() <= compared.feature_files().items()


def test_the_graph_shows_a_namespace_for_each_backbone_with_its_models_within(
    compared: Project,
) -> None:
    """As kedro-viz reads it: without the project's hooks, with the grid of the configuration."""
    with compared.environment():
        _, wired, _ = load_data(PROJECT, env="base")
    spaces = {node.namespace for node in wired["compare_models"].nodes}
    for backbone in ("efficientnet_lite0", "efficientnet_lite2"):
        inside = f"compare_models.{backbone}"
        assert {f"{inside}.featurization", f"{inside}.random_forest.deep"} <= spaces


def test_an_unknown_backbone_is_refused_with_the_known_ones(project: Project) -> None:
    message = project.refusal(
        "--pipeline=compare_models",
        "--params=compare_models.backbones=efficientnet_lite0/efficientnet_light2",
    )
    assert "'efficientnet_light2'" in message
    assert "efficientnet_lite2" in message
    assert not project.data.joinpath("04_feature").exists()


@pytest.mark.parametrize(
    ("parameter", "named"),
    [
        ("compare_models.backbone=efficientnet_lite0", "compare_models.backbone: there is no such"),
        ("compare_models.random_forest.deep.trees=3", "random_forest.deep.trees: there is no such"),
        ("compare_models.backbones=efficientnet_lite0/efficientnet_lite0", "named twice"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused(
    project: Project, parameter: str, named: str
) -> None:
    assert named in project.refusal("--pipeline=compare_models", f"--params={parameter}")
