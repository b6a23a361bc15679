"""The configuration: every dataset can be made in every environment, what is missing is named."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession

from aerial_kedro.labels.rules import LabelSource
from aerial_kedro.pipelines.main_job import create_scene_pipelines
from tests.integration.kedro_project import PROJECT, Project

CONTAINER = "abfss://naip@account.dfs.core.windows.net/middlesex"
CLUSTER = {
    "AERIAL_ROOT": CONTAINER,
    "AERIAL_SPARK_ROOT": CONTAINER,
    "AERIAL_SPARK_MASTER": "spark://master:7077",
    "AERIAL_DRIVER_HOST": "10.0.0.4",
    "AZURE_STORAGE_ACCOUNT_NAME": "account",
}
PIPELINES = {
    "__default__", "sample_data", "data_ingestion", "featurization", "training", "scoring",
    "reporting", "from_folders", "score_folder", "digits", "serving", "training_synapseml",
    "folder_ingestion", "compare_models", "score_scenes", "explain",
    "export_embeddings",
}  # fmt: skip


@contextmanager
def context_of(project: Project, env: str | None) -> Iterator[KedroContext]:
    with (
        project.environment(),
        KedroSession.create(PROJECT, env=env, runtime_params=dict(project.parameters)) as session,
    ):
        yield session.load_context()


@pytest.fixture
def cluster(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with the variables of the cluster set; its run history stays on this machine."""
    for name, value in CLUSTER.items():
        monkeypatch.setenv(name, value)
    return project


def assert_every_dataset_can_be_made(context: KedroContext) -> None:
    catalog = context.catalog
    names = [name for name in context.config_loader["catalog"] if not name.startswith("_")]
    assert len(names) > 20
    for name in names:
        assert catalog.get(name) is not None, name


@pytest.mark.parametrize("env", ["base", "local", None])
def test_every_dataset_can_be_made(project: Project, env: str | None) -> None:
    with context_of(project, env) as context:
        assert_every_dataset_can_be_made(context)


def test_every_dataset_can_be_made_on_the_cluster(cluster: Project) -> None:
    with context_of(cluster, "cluster") as context:
        assert_every_dataset_can_be_made(context)


def test_the_environment_of_a_plain_run_is_local(project: Project) -> None:
    with context_of(project, None) as context:
        assert context.config_loader.default_run_env == "local"
        assert context.config_loader.base_env == "base"


@pytest.mark.usefixtures("_kedro")
def test_the_pipelines_of_the_contract_are_there() -> None:
    assert set(pipelines) >= PIPELINES


@pytest.mark.parametrize("name", sorted(PIPELINES))
def test_what_a_pipeline_reads_is_configured(project: Project, name: str) -> None:
    with context_of(project, "base") as context:
        known = set(context.config_loader["catalog"]) | {
            key for key in context.catalog if key.startswith("params:")
        }
        resolver = context.catalog.config_resolver
    missing = pipelines[name].inputs() - known
    assert [each for each in missing if resolver.match_dataset_pattern(each) is None] == []


@pytest.mark.parametrize(
    ("grain", "labels"), [("tile", "land_cover"), ("cell", "own"), ("cell", "both")]
)
def test_what_other_main_jobs_read_is_configured(
    project: Project, grain: str, labels: LabelSource
) -> None:
    with context_of(project, "base") as context:
        known = set(context.config_loader["catalog"]) | {
            key for key in context.catalog if key.startswith("params:")
        }
        resolver = context.catalog.config_resolver
    missing = create_scene_pipelines(grain, labels)["__default__"].inputs() - known
    assert [each for each in missing if resolver.match_dataset_pattern(each) is None] == []


def test_every_configured_dataset_is_used(project: Project) -> None:
    with context_of(project, "base") as context:
        configured = set(context.config_loader["catalog"])
        resolver = context.catalog.config_resolver
    wired = [*pipelines.values(), *create_scene_pipelines("tile").values()]
    wired += [*create_scene_pipelines(labels="own").values()]
    used = {name for pipeline in wired for name in pipeline.datasets()}
    used |= {resolver.match_dataset_pattern(name) for name in used - configured}
    assert configured - used == set()


def test_outputs_lie_below_the_folder_that_the_environment_names(project: Project) -> None:
    assert paths_of(project, "base")
    for name, path in paths_of(project, "base").items():
        assert path.startswith(str(project.data)), name


def test_a_relative_folder_is_the_projects_wherever_the_command_is_given(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a subfolder or a notebook: model, card and run history stay together."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    relative = Project(Path(os.path.relpath(tmp_path / "data", PROJECT)))
    with context_of(relative, "base") as context:
        models = context.catalog.get("trained_model")
        paths = {Path(models._path).resolve(), Path(models._spark_path).resolve()}
    assert paths == {tmp_path / "data/06_models"}
    assert list(elsewhere.iterdir()) == []
    assert (tmp_path / "data/mlflow/mlflow.db").is_file()


def test_outputs_on_the_cluster_lie_in_the_container(cluster: Project) -> None:
    """No entry keeps a path of this machine."""
    for name, path in paths_of(cluster, "cluster").items():
        assert path.startswith(CONTAINER), name


def paths_of(project: Project, env: str) -> dict[str, str]:
    """All paths in the catalog: ``dataset.option`` to path."""
    with context_of(project, env) as context:
        return {
            f"{name}.{option}": entry[option]
            for name, entry in context.config_loader["catalog"].items()
            for option in ("path", "filepath", "spark_path")
            if entry.get(option)
        }


def test_the_keys_are_the_same_in_the_container_as_on_the_disk(cluster: Project) -> None:
    local, remote = paths_of(cluster, "base"), paths_of(cluster, "cluster")
    assert {name: path.removeprefix(str(cluster.data)) for name, path in local.items()} == {
        name: path.removeprefix(CONTAINER) for name, path in remote.items()
    }


def test_spark_on_the_cluster_is_the_master_that_the_environment_names(cluster: Project) -> None:
    with context_of(cluster, "cluster") as context:
        settings = context.config_loader["spark"]
    assert settings["spark.master"] == "spark://master:7077"
    assert settings["spark.speculation"] is False  # base's, kept by the soft merge
    # Else each worker keeps decoded blocks up to a twentieth of its machine's memory.
    assert int(settings["spark.executorEnv.GDAL_CACHEMAX"]) <= 128


@pytest.mark.parametrize("missing", ["AERIAL_ROOT", "AERIAL_SPARK_MASTER", "MLFLOW_TRACKING_URI"])
def test_a_variable_of_the_cluster_that_is_not_set_is_named(
    cluster: Project, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    without = Project(cluster.data, tracking_uri=None) if missing.startswith("MLFLOW") else cluster
    monkeypatch.delenv(missing, raising=False)
    message = without.refusal(env="cluster")
    assert missing in message
    assert "conf/cluster/README.md" in message
    assert "AERIAL_DRIVER_HOST" not in message


def test_all_variables_that_are_not_set_are_named_at_once(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in CLUSTER:
        monkeypatch.delenv(name, raising=False)
    message = project.refusal(env="cluster")
    for name in ("AERIAL_ROOT", "AERIAL_SPARK_ROOT", "AERIAL_SPARK_MASTER", "AERIAL_DRIVER_HOST"):
        assert name in message


def test_the_readme_of_the_cluster_names_every_variable() -> None:
    text = Path(PROJECT, "conf/cluster/README.md").read_text(encoding="utf-8")
    for name in [*CLUSTER, "MLFLOW_TRACKING_URI"]:
        assert f"`{name}`" in text
