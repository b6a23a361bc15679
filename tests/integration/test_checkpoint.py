"""Features are a checkpoint: what is done is kept, what is missing or changed is computed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.integration.kedro_project import FOLDERS, PROJECT, Project, lend_backbone
from tests.integration.tile_images import draw_class_folders

TILES = 40


@pytest.fixture(scope="module")
def featurized(
    _kedro: None, tmp_path_factory: pytest.TempPathFactory, tracking_uri: str
) -> Project:
    """A few tile images with their features computed, and a copy of the images."""
    root = draw_class_folders(tmp_path_factory.mktemp("tiles"), tiles=TILES // 4, seed=3)
    shutil.copytree(root, root.with_name("as drawn"))
    data = tmp_path_factory.mktemp("featurized")
    project = Project(data, {**FOLDERS, "folders_root": str(root)}, tracking_uri)
    featurize(project)
    return project


@pytest.fixture
def folder_project(featurized: Project, tmp_path: Path) -> Project:
    """The same, to be changed: images as they were drawn, times of writing included.

    They stay where they are, since another address is another image; the features are a copy.
    """
    root = Path(featurized.parameters["folders_root"])
    shutil.rmtree(root)
    shutil.copytree(root.with_name("as drawn"), root)
    data = shutil.copytree(featurized.data, tmp_path / "data")
    return replace(featurized, data=data)


def featurize(project: Project, **parameters: object) -> list[str]:
    """Run from the folder to the features, and no further."""
    return project.run("from_folders", to_outputs=["quarantine_summary"], **parameters)


def computed_since(project: Project, before: dict[Path, tuple[int, int]]) -> list[str]:
    """Images in the part files that were written since, and the old files are as they were."""
    after = project.feature_files()
    assert {path: after[path] for path in before if path in after} == {
        path: stamp for path, stamp in before.items() if path in after
    }
    new = [path for path in after if path not in before]
    return sorted(
        image for path in new for image in pq.ParquetFile(path).read(["image_id"])[0].to_pylist()
    )


def assert_each_image_once(project: Project, expected: int) -> None:
    features = project.features()
    assert len(features) == expected
    assert not features.duplicated(["image_id", "source_version", "feature_key"]).any()


def test_a_second_run_computes_nothing(folder_project: Project) -> None:
    before = folder_project.feature_files()
    said = featurize(folder_project)
    assert computed_since(folder_project, before) == []
    assert f"{TILES} tiles to featurize, {TILES} are done already" in said
    assert "The backbone efficientnet_lite0 is exported already" in said
    assert_each_image_once(folder_project, TILES)


def test_a_lost_file_is_computed_again_and_nothing_else(folder_project: Project) -> None:
    before = folder_project.feature_files()
    assert len(before) > 1
    lost = min(before)
    images = sorted(pq.ParquetFile(lost).read(["image_id"])[0].to_pylist())
    assert 0 < len(images) < TILES
    lost.unlink()
    checksum = lost.with_name(f".{lost.name}.crc")
    checksum.unlink(missing_ok=True)
    featurize(folder_project)
    assert computed_since(folder_project, before) == images
    assert_each_image_once(folder_project, TILES)


def test_a_changed_image_is_computed_again_and_nothing_else(folder_project: Project) -> None:
    before = folder_project.feature_files()
    old = folder_project.features()
    root = Path(folder_project.parameters["folders_root"])
    shutil.copy(root / "Stripes" / "Stripes_1.png", root / "Plain" / "Plain_0.png")
    featurize(folder_project)
    (computed,) = computed_since(folder_project, before)
    catalog = folder_project.table("03_primary/tile_catalog")
    (changed,) = catalog[catalog["href"].str.endswith("Plain_0.png")].itertuples()
    assert computed == changed.image_id
    new = folder_project.features()
    mine = new[new["image_id"] == computed].set_index("source_version")["features"]
    copied_from = new[new["image_id"].str.startswith("stripes_stripes_1-")]
    np.testing.assert_allclose(
        mine[changed.source_version], copied_from["features"].iloc[0], rtol=1e-4, atol=1e-5
    )
    assert len(new) == len(old) + 1


def test_a_changed_image_is_used_with_its_new_features_only(folder_project: Project) -> None:
    root = Path(folder_project.parameters["folders_root"])
    shutil.copy(root / "Stripes" / "Stripes_1.png", root / "Plain" / "Plain_0.png")
    folder_project.run("from_folders", to_outputs=["labelled_features"])
    used = folder_project.table("05_model_input/labelled_features")
    assert used["image_id"].is_unique
    assert len(used) == TILES


def test_a_removed_image_is_no_longer_used(folder_project: Project) -> None:
    root = Path(folder_project.parameters["folders_root"])
    (root / "Plain" / "Plain_0.png").unlink()
    before = folder_project.feature_files()
    folder_project.run("from_folders", to_outputs=["labelled_features"])
    assert computed_since(folder_project, before) == []
    assert len(folder_project.table("05_model_input/labelled_features")) == TILES - 1


def test_another_backbone_gives_features_beside_the_old_ones(folder_project: Project) -> None:
    before = folder_project.feature_files()
    (old_key,) = folder_project.features()["feature_key"].unique()
    featurize(folder_project, backbone="efficientnet_lite1")
    images = folder_project.table("03_primary/tile_catalog")["image_id"]
    assert computed_since(folder_project, before) == sorted(images)
    assert set(before) <= set(folder_project.feature_files())
    new_key = folder_project.json("06_models/backbone_source.json")["feature_key"]
    assert set(folder_project.features()["feature_key"]) == {old_key, new_key}
    assert new_key != old_key
    assert_each_image_once(folder_project, 2 * TILES)


def test_features_of_tiles_that_are_all_done_survive_a_run_with_none_missing(
    folder_project: Project,
) -> None:
    """A sample of the tiles is a part of what is done: nothing is computed, nothing is lost."""
    before = folder_project.feature_files()
    said = featurize(folder_project, sample_fraction=0.5)
    assert f"{TILES // 2} tiles to featurize, {TILES // 2} are done already" in said
    assert folder_project.feature_files() == before


# A run that is killed -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def killed(
    county: Project, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Project, dict[Path, tuple[int, int]]]:
    """A featurization that was killed (-9) after its first part file, and what it left."""
    project = replace(
        county,
        data=tmp_path_factory.mktemp("killed"),
        tracking_uri=f"sqlite:///{county.data / 'mlflow' / 'mlflow.db'}",
    )
    shutil.copytree(county.data / "03_primary", project.data / "03_primary")
    lend_backbone(project.data)
    kill_at_first_file(project)
    return project, project.feature_files()


def kill_at_first_file(project: Project) -> None:
    command = [
        str(Path(sys.executable).parent / "kedro"),
        "run",
        "--env=base",
        "--pipeline=featurization",
        f"--params={command_line(project)}",
    ]
    log = project.data / "killed.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env={**os.environ, **project.variables()},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + 120
    while not project.feature_files():
        assert process.poll() is None, f"it ended by itself:\n{log.read_text()}"
        assert time.monotonic() < deadline, f"no features after two minutes:\n{log.read_text()}"
        time.sleep(0.01)
    family = [process.pid, *descendants(process.pid)]
    for pid in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()
    while any(Path(f"/proc/{pid}").exists() for pid in family):
        assert time.monotonic() < deadline, f"still running: {family}"
        time.sleep(0.01)


def command_line(project: Project) -> str:
    """Write the parameters that featurization reads as --params takes them."""
    return f"seed={project.parameters['seed']},tile_size_m={project.parameters['tile_size_m']}"


def descendants(pid: int) -> Iterator[int]:
    """All processes below one: the JVM of Spark and its Python workers."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            yield child
            yield from descendants(child)


def test_a_killed_run_was_in_the_middle(
    county: Project, killed: tuple[Project, dict[Path, tuple[int, int]]]
) -> None:
    project, left = killed
    assert left
    rows = sum(pq.ParquetFile(path).metadata.num_rows for path in left)
    assert 0 < rows < len(county.features())
    assert not (project.data / "04_feature" / "quarantine").exists()


@pytest.fixture(scope="module")
def rerun(killed: tuple[Project, dict[Path, tuple[int, int]]]) -> list[str]:
    project, _ = killed
    return project.run("featurization")


def test_a_rerun_after_a_kill_computes_the_rest(
    county: Project, killed: tuple[Project, dict[Path, tuple[int, int]]], rerun: list[str]
) -> None:
    _, left = killed
    rows = sum(pq.ParquetFile(path).metadata.num_rows for path in left)
    total = len(county.features())
    assert f"{total} tiles to featurize, {rows} are done already" in rerun


def test_a_rerun_after_a_kill_leaves_what_was_done_untouched(
    killed: tuple[Project, dict[Path, tuple[int, int]]], rerun: list[str]
) -> None:
    project, left = killed
    after = project.feature_files()
    assert {path: after.get(path) for path in left} == left
    assert len(after) > len(left)


def test_features_after_a_kill_are_those_of_an_undisturbed_run(
    county: Project, killed: tuple[Project, dict[Path, tuple[int, int]]], rerun: list[str]
) -> None:
    found, expected = (by_image(each.features()) for each in (killed[0], county))
    columns = ["image_id", "source_version", "feature_key"]
    pd.testing.assert_frame_equal(found[columns], expected[columns])
    for column in ("features", "statistics"):
        np.testing.assert_allclose(
            np.stack(found[column]), np.stack(expected[column]), rtol=1e-5, atol=1e-6
        )


def by_image(features: pd.DataFrame) -> pd.DataFrame:
    return features.sort_values("image_id", ignore_index=True)


def test_a_run_that_was_killed_before_its_first_file_does_not_bar_the_next(
    county: Project, project: Project
) -> None:
    """Spark's folder for drafts is all that such a run leaves."""
    again = replace(project, parameters=county.parameters)
    shutil.copytree(county.data / "03_primary", again.data / "03_primary")
    (again.data / "04_feature/tile_features/_temporary/0/_temporary").mkdir(parents=True)
    said = again.run("featurization")
    assert f"{len(county.features())} tiles to featurize, 0 are done already" in said
