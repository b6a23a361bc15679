"""How a grid becomes a pipeline, and what its last nodes report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from pyspark.sql import DataFrame, SparkSession

from aerial_kedro.accuracy.ranking import rank_models
from aerial_kedro.cluster.blob_storage import StorageCredential
from aerial_kedro.examples.digits.settings import DIGITS
from aerial_kedro.hooks import ProjectHooks
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.models.settings import Grid, RandomForestSettings
from aerial_kedro.pipelines.compare_models import create_pipeline, nodes
from aerial_kedro.pipelines.compare_models.nodes import (
    calibrate_best,
    choose_on_validation,
    rank,
    record_run,
    tabulate,
)
from aerial_kedro.pipelines.training.nodes import Candidate, Choice
from aerial_kedro.tiles.records import CatalogFingerprint
from tests.models import make_card, make_source
from tests.unit.compared import compared, evaluated

GRID = Grid.model_validate(
    {
        "backbones": ["lite0", "lite2"],
        "logistic_regression": {"plain": {"max_iter": 10, "reg_param": 0.1}},
        "random_forest": {
            "small": {"num_trees": 10, "max_depth": 5},
            "large": {"num_trees": 90, "max_depth": 9},
        },
    }
)
SETTINGS = RandomForestSettings(num_trees=10, max_depth=5)
RANKING = rank_models([compared("lite0.f.x", evaluated(30)), compared("lite2.f.x", evaluated(35))])


@pytest.fixture
def wired() -> Pipeline:
    return create_pipeline(GRID)


def test_features_are_computed_once_for_each_backbone(wired: Pipeline) -> None:
    found = [node.namespace for node in wired.nodes if node.func.__name__ == "featurize_tiles"]
    assert sorted(found) == [f"compare_models.{name}.featurization" for name in GRID.backbones]
    fits = [node for node in wired.nodes if node.func.__name__.startswith("fit_")]
    assert len(fits) == 2 * 3


def test_each_model_takes_its_own_settings(wired: Pipeline) -> None:
    (fit,) = (
        wired.only_nodes_with_namespaces(["compare_models.lite2.random_forest.large"])
        .filter(node_names=["compare_models.lite2.random_forest.large.fit"])
        .nodes
    )
    assert "params:compare_models.random_forest.large" in fit.inputs
    assert "compare_models.lite2.labelled_features" in fit.inputs
    assert "params:seed" in fit.inputs


def test_the_test_split_is_read_after_the_choice(wired: Pipeline) -> None:
    evaluations = [node for node in wired.nodes if node.func.__name__ == "evaluate"]
    assert len(evaluations) == 6
    assert all("choice" in node.inputs for node in evaluations)


def test_what_the_pipeline_needs_is_the_catalog_and_what_a_main_run_has(wired: Pipeline) -> None:
    own = ("params:", "compare_models.")
    needed = {name for name in wired.inputs() if not name.startswith(own)}
    assert needed == {"tile_catalog", "features_done", "run_facts"}


def test_one_classifier_can_be_asked_for() -> None:
    wired = create_pipeline(GRID, "random_forest")
    assert not [node for node in wired.nodes if "logistic" in node.name]


def test_the_best_one_is_calibrated_on_the_features_of_its_own_backbone(
    spark_session: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = [spark_session.range(number) for number in (1, 2)]
    candidates = [
        Candidate(name, SETTINGS, TrainedModel((), make_card(name=name), make_source()))
        for name in ("lite0.f.x", "lite2.f.x")
    ]
    seen: list[int] = []

    def calibrate(candidate: Candidate, rows: DataFrame, seed: int) -> Candidate:
        seen.append(rows.count())
        return candidate

    monkeypatch.setattr(nodes, "calibrate_candidate", calibrate)
    catalog = spark_session.createDataFrame(
        [("train", 26918, 0.0, 0.0, 224.0, 224.0)],
        "split string, epsg int, xmin double, ymin double, xmax double, ymax double",
    )
    choice = Choice("lite2.f.x", SETTINGS, "better")
    found = calibrate_best(choice, catalog, 1, *candidates, *tables)
    assert (found.card.name, found.card.tile_size_m) == ("lite2.f.x", 224)
    assert seen == [2]
    with pytest.raises(ValueError, match="none of the candidates"):
        calibrate_best(replace(choice, name="other"), catalog, 1, *candidates, *tables)


def test_the_best_on_validation_is_chosen() -> None:
    candidates = [
        Candidate(
            name,
            SETTINGS,
            TrainedModel((), make_card(name=name, validation=evaluated(right)), make_source()),
        )
        for name, right in (("lite0.f.x", 30), ("lite2.f.x", 35), ("lite2.f.y", 35))
    ]
    choice = choose_on_validation(*candidates)
    assert choice.name == "lite2.f.x"
    assert "against lite0.f.x" in choice.reason
    assert choose_on_validation(candidates[0]).reason.endswith("no other was trained")


def test_the_ranking_is_the_choice() -> None:
    models = [each.model for each in RANKING.models]
    assert rank(Choice("lite2.f.x", SETTINGS, "better"), *models).best.name == "lite2.f.x"
    with pytest.raises(ValueError, match=r"lite0\.f\.x was chosen"):
        rank(Choice("lite0.f.x", SETTINGS, "worse"), *models)


def test_the_table_has_both_splits() -> None:
    table = tabulate(RANKING)
    assert table["backbone"].tolist() == ["lite2", "lite0"]
    assert table["validation_accuracy"].tolist() == pytest.approx([35 / 40, 30 / 40])
    assert table["test_accuracy"].tolist() == pytest.approx([30 / 40] * 2)
    assert (table["validation_accuracy_lower"] < table["validation_accuracy"]).all()


def test_all_runs_of_a_comparison_name_the_same_data() -> None:
    choice = Choice("lite2.f.x", SETTINGS, "better")
    record = record_run(RANKING, choice, CatalogFingerprint(digest="ab12", images=160))
    assert record.tags["data.fingerprint"] == "ab12"
    assert (record.tags["chosen"], record.tags["compared"]) == ("lite2.f.x", "2")
    runs = record.children
    assert [each.name for each in runs] == ["lite2.f.x", "lite0.f.x"]
    assert {each.tags["data.fingerprint"] for each in runs} == {"ab12"}
    assert runs[0].parameters["f.num_trees"] == "60"
    assert runs[0].metrics["validation.accuracy"] == pytest.approx(35 / 40)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"weights_path": "a.pth"}, "Leave weights_path out"),
        ({"backbone_onnx": "a.onnx", "input_size": 96}, "Leave backbone_onnx, input_size out"),
        ({"backbone": "alexnet"}, r"compare_models\.backbones=alexnet"),
    ],
)
def test_files_of_weights_are_of_no_grid(
    asked: dict[str, object], message: str, tmp_path: Path
) -> None:
    hooks = ProjectHooks()
    hooks._storage = str(tmp_path), StorageCredential()
    catalog = DataCatalog({"params:asked_features": MemoryDataset(asked)})
    digits = [DIGITS, "compare_models"]  # so that no Spark is looked for
    pipeline = Pipeline([Node(lambda x: x, "a", "b", name="any", tags=digits)])
    with pytest.raises(click.ClickException, match=message):
        hooks.before_pipeline_run({}, pipeline, catalog)
