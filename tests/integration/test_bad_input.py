"""What cannot end well is refused in words: one message with the thing, the place, the remedy."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.integration.kedro_project import PROJECT, Project
from tests.integration.rasters import write_land_cover, write_scene
from tests.integration.tile_images import draw_class_folders

# Run parameters ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        ("sample_fraction=0", ["sample_fraction=0", "greater than 0"]),
        ("sample_fraction=2", ["sample_fraction=2", "less than or equal to 1"]),
        ("tile_sise_m=50", ["'tile_sise_m'", "did you mean 'tile_size_m'"]),
        ("colour=red", ["'colour'", "there are: scenes_root"]),
        ("model_name=a/b", ["model_name='a/b'", "letters, digits, - and _"]),
        ("model_name=../up", ["model_name='../up'", "letters, digits, - and _"]),
        ("classifier=svm", ["classifier='svm'", "logistic_regression"]),
        ("seed=today", ["seed='today'"]),
        ("seed=-1", ["seed=-1"]),
        ("seed=1e3", ["seed=1000.0"]),
        ("tile_size_m=0", ["tile_size_m=0", "greater than 0"]),
        ("gsd_m=0", ["gsd_m=0", "greater than 0"]),
        ("gsd_m=fine", ["gsd_m='fine'"]),
        ("year=18", ["year=18", "1930"]),
        ("overwrite=perhaps", ["overwrite='perhaps'"]),
        ("labels.min_purity=7", ["min_purity", "less than or equal to 1"]),
        ("labels.min_purety=0.7", ["min_purety", "labels"]),
        ("mapping.min_probability=50", ["min_probability", "less than or equal to 1"]),
        ("mapping.smooth=true", ["mapping", "smooth"]),
        ("split.tests=0.3", ["split", "tests"]),
        ("split.test=0.9", ["split", "leave nothing to train"]),
        ("random_forest.num_trees=0", ["num_trees", "greater than 0"]),
        ("report.groups=abc", ["report", "names with values"]),
        ("report.groups.Green=Woods", ["report", "give a list"]),
        ("land_cover.codes=5", ["land_cover", "names with values"]),
    ],
)
def test_a_run_parameter_that_makes_no_sense(
    project: Project, parameter: str, expected: list[str]
) -> None:
    message = project.refusal(f"--params={parameter}")
    for part in expected:
        assert part in message
    assert not project.data.joinpath("03_primary").exists()


def test_a_backbone_beside_the_grid(project: Project) -> None:
    message = project.refusal("--pipeline=compare_models", "--params=backbone=efficientnet_lite0")
    assert "--params=compare_models.backbones=efficientnet_lite0" in message
    assert not project.data.joinpath("03_primary").exists()


def test_metres_a_pixel_of_folders(project: Project, tmp_path: Path) -> None:
    given = f"--params=folders_root={tmp_path},gsd_m=2"
    message = project.refusal("--pipeline=from_folders", given)
    assert "gsd_m=2 is of tiles that are cut from scenes" in message
    assert not project.data.joinpath("03_primary").exists()


def test_a_name_of_digits_is_a_name(project: Project) -> None:
    """The command line reads a number; what is refused here is the lack of features."""
    message = project.refusal("--pipeline=training", "--params=model_name=2024")
    assert "There is no" in message
    assert "model_name" not in message


def test_every_wrong_parameter_is_named_at_once(project: Project) -> None:
    message = project.refusal("--params=sample_fraction=0,model_name=a/b,sed=1")
    assert all(name in message for name in ("sample_fraction", "model_name", "'sed'"))


def test_a_pipeline_that_is_not_there(project: Project) -> None:
    message = project.refusal("--pipeline=featurisation")
    assert "'featurisation'" in message
    assert "featurization" in message


@pytest.mark.parametrize("pipeline", ["featurization", "__default__"])
def test_an_unknown_backbone(project: Project, pipeline: str) -> None:
    """Before anything is done: the whole job would lay its tiles first."""
    message = project.refusal(f"--pipeline={pipeline}", "--params=backbone=resnet81")
    assert "'resnet81'" in message
    assert "resnet" in message.split("did you mean", 1)[1]
    assert "efficientnet_lite0" in message


@pytest.mark.parametrize("parameter", ["engine=abacus", "precision=int4"])
def test_an_engine_that_is_not_available(project: Project, parameter: str) -> None:
    """Refused before anything is read: there are no scenes here, and they are not missed."""
    message = project.refusal(f"--params={parameter}")
    assert f"'{parameter.split('=')[1]}'" in message
    assert "onnxruntime: fp32" in message


def test_synapseml_on_scenes(project: Project) -> None:
    message = project.refusal("--params=engine=synapseml")
    assert "PNG or JPEG files, and this run reads scenes" in message
    assert "engine=onnxruntime or engine=openvino" in message


def test_synapseml_in_a_spark_that_runs_without_it(project: Project) -> None:
    message = project.refusal("--pipeline=featurization", "--params=engine=synapseml")
    assert "synapseml" in message
    assert message.endswith("r run engine=onnxruntime or engine=openvino or engine=torch.")


# Weights -------------------------------------------------------------------------------------


def test_weights_that_are_not_there(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    message = project.refusal("--pipeline=featurization", f"--params=weights_path={path}")
    assert str(path) in message
    assert "weights_path" in message


class MakesFolder:
    """Makes a folder when it is unpickled, as it could run any command."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return (os.mkdir, (str(self.path),))


@pytest.mark.parametrize("name", ["text.pth", "text.safetensors", "empty.pth", "code.pth"])
def test_weights_that_are_no_weights(project: Project, tmp_path: Path, name: str) -> None:
    path, trace = tmp_path / name, tmp_path / "trace"
    content = {
        "text": b"These are no weights.",
        "empty": b"",
        "code": pickle.dumps({"conv.weight": MakesFolder(trace)}),
    }
    path.write_bytes(content[path.stem])
    message = project.refusal("--pipeline=featurization", f"--params=weights_path={path}")
    assert str(path) in message
    assert "safetensors" in message
    assert not trace.exists()


# Class folders -------------------------------------------------------------------------------


def refused_folders(project: Project, root: Path | str) -> str:
    return project.refusal("--pipeline=from_folders", f"--params=folders_root={root}")


def test_no_folder_given(project: Project) -> None:
    message = project.refusal("--pipeline=from_folders")
    assert "folders_root is not set" in message
    assert "--params=folders_root=" in message


def test_a_folder_that_is_not_there(project: Project, tmp_path: Path) -> None:
    message = refused_folders(project, tmp_path / "nowhere")
    assert f"{tmp_path / 'nowhere'} does not exist" in message
    assert "--params=folders_root=" in message


@pytest.mark.parametrize("files", [[], ["notes.txt"], ["A/notes.txt", "B/notes.txt"]])
def test_a_folder_without_images(project: Project, tmp_path: Path, files: list[str]) -> None:
    root = tmp_path / "tiles"
    root.mkdir()
    for name in files:
        root.joinpath(name).parent.mkdir(exist_ok=True)
        root.joinpath(name).touch()
    message = refused_folders(project, root)
    assert f"{root} holds no tile image" in message


def test_a_class_with_one_tile(project: Project, tmp_path: Path) -> None:
    root = draw_class_folders(tmp_path / "tiles", tiles=4, seed=1)
    for number in (1, 2, 3):
        (root / "Plain" / f"Plain_{number}.png").unlink()
    message = refused_folders(project, root)
    assert "'Plain' has 1 tile" in message


def test_a_class_with_one_training_tile(project: Project, tmp_path: Path) -> None:
    root = tmp_path / "tiles"
    draw_class_folders(root / "train", tiles=4, seed=1)
    draw_class_folders(root / "test", tiles=1, seed=1)
    for number in (1, 2, 3):
        (root / "train" / "Plain" / f"Plain_{number}.png").unlink()
    message = refused_folders(project, root)
    assert "'Plain' has 1 tile" in message


def test_classes_that_differ_in_case(project: Project, tmp_path: Path) -> None:
    root = draw_class_folders(tmp_path / "tiles", tiles=4, seed=1)
    (root / "Noise").rename(root / "plain")
    message = refused_folders(project, root)
    assert "'Plain' and 'plain'" in message
    assert "Rename" in message


def test_one_class_only(project: Project, tmp_path: Path) -> None:
    root = draw_class_folders(tmp_path / "tiles", tiles=4, seed=1)
    message = refused_folders(project, root / "Plain")
    assert "no class folder" in message
    (tmp_path / "one").mkdir()
    (root / "Plain").rename(tmp_path / "one" / "Plain")
    assert "one class only ('Plain')" in refused_folders(project, tmp_path / "one")


def test_a_test_class_that_is_not_in_training(project: Project, tmp_path: Path) -> None:
    root = tmp_path / "tiles"
    draw_class_folders(root / "train", tiles=4, seed=1)
    draw_class_folders(root / "test", tiles=1, seed=1)
    (root / "test" / "Plain").rename(root / "test" / "Plane")
    message = refused_folders(project, root)
    assert "['Plane']" in message
    assert "train" in message


def test_tiles_that_are_all_bad(project: Project, tmp_path: Path) -> None:
    root = tmp_path / "tiles"
    for name in ("A", "B"):
        for number in range(3):
            path = root / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    message = refused_folders(project, root)
    assert "6 of 6 tiles" in message
    assert "empty" in message


# Scenes and land cover -----------------------------------------------------------------------


def refused_scenes(project: Project, scenes: Path, land_cover: Path, *parameters: str) -> str:
    given = [f"scenes_root={scenes}", f"landcover_path={land_cover}", "tile_size_m=112"]
    return project.refusal(
        "--pipeline=data_ingestion", f"--params={','.join([*given, *parameters])}"
    )


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A scene folder and a land-cover raster with nothing wrong about them."""
    root = tmp_path_factory.mktemp("good")
    write_scene(root / "scenes" / "scene_2018.tif")
    return root / "scenes", write_land_cover(root / "nlcd_2019.tif")


def test_scenes_that_are_not_there(project: Project, good: tuple[Path, Path]) -> None:
    message = refused_scenes(project, Path("/nowhere"), good[1])
    assert "scenes_root=/nowhere does not exist" in message
    assert "--params=scenes_root=" in message


def test_the_sample_before_it_is_drawn(project: Project) -> None:
    message = project.refusal()
    assert "kedro run --pipeline=sample_data" in message


def test_land_cover_that_is_not_there(project: Project, good: tuple[Path, Path]) -> None:
    message = refused_scenes(project, good[0], Path("/nowhere.tif"))
    assert "landcover_path=/nowhere.tif does not exist" in message


def test_a_scene_folder_without_scenes(
    project: Project, good: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    message = refused_scenes(project, tmp_path / "empty", good[1])
    assert f"scenes_root={tmp_path / 'empty'} holds no GeoTIFF" in message


def test_a_land_cover_folder_without_rasters(
    project: Project, good: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    message = refused_scenes(project, good[0], tmp_path / "empty")
    assert f"landcover_path={tmp_path / 'empty'}" in message


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"crs": None}, "no coordinate reference system"),
        ({"crs": "EPSG:4326", "west": -78.0, "north": 37.0}, "in degrees"),
        ({"bands": 2}, "2 band(s)"),
    ],
)
def test_a_scene_that_cannot_be_used(
    project: Project,
    good: tuple[Path, Path],
    tmp_path: Path,
    fault: dict[str, object],
    expected: str,
) -> None:
    path = write_scene(tmp_path / "scenes" / "odd_2018.tif", **fault)  # type: ignore[arg-type]
    message = refused_scenes(project, tmp_path / "scenes", good[1])
    assert str(path) in message
    assert expected in message


def test_a_scene_that_is_a_text(project: Project, good: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "scenes" / "text_2018.tif"
    path.parent.mkdir()
    path.write_text("This is a text.")
    message = refused_scenes(project, path.parent, good[1])
    assert f"{path} cannot be opened as a GeoTIFF" in message


def test_a_scene_without_a_year(project: Project, good: tuple[Path, Path], tmp_path: Path) -> None:
    write_scene(tmp_path / "scenes" / "scene.tif")
    message = refused_scenes(project, tmp_path / "scenes", good[1])
    assert "scene.tif does not say its year" in message
    assert "--params=year=" in message


def test_land_cover_without_a_year(
    project: Project, good: tuple[Path, Path], tmp_path: Path
) -> None:
    path = write_land_cover(tmp_path / "nlcd.tif")
    message = refused_scenes(project, good[0], path)
    assert "nlcd.tif does not say its year" in message
    assert "land cover" in message


def test_tiles_larger_than_the_scenes(project: Project, good: tuple[Path, Path]) -> None:
    message = refused_scenes(project, *good, "tile_size_m=500")
    assert "No tile lies whole inside a scene" in message
    assert "tile_size_m" in message


def test_land_cover_without_a_crs(
    project: Project, good: tuple[Path, Path], tmp_path: Path
) -> None:
    path = write_land_cover(tmp_path / "nlcd_2019.tif", crs=None)
    message = refused_scenes(project, good[0], path)
    assert f"{path} has no coordinate reference system" in message


def test_land_cover_of_another_region(
    project: Project, good: tuple[Path, Path], tmp_path: Path
) -> None:
    path = write_land_cover(tmp_path / "nlcd_2019.tif", west=700_000)
    message = refused_scenes(project, good[0], path)
    assert "covers none of the 9 tiles" in message
    assert "landcover_path" in message


def test_land_cover_that_is_recoded(
    project: Project, good: tuple[Path, Path], tmp_path: Path
) -> None:
    codes = np.resize(np.arange(1, 9, dtype=np.uint8), (40, 40))
    path = write_land_cover(tmp_path / "nlcd_2019.tif", codes)
    message = refused_scenes(project, good[0], path)
    assert str(path) in message
    assert "1, 2, 3, 4, 5, 6, 7, 8" in message
    assert "land_cover.codes" in message


def test_a_strange_code_that_a_glance_misses(
    project: Project, good: tuple[Path, Path], tmp_path: Path
) -> None:
    """Large land cover is looked at thinned out; what labels are made of is read in full."""
    codes = np.full((2200, 2200), 41, np.uint8)
    codes[11, 11] = codes[13, 14] = 77
    path = write_land_cover(tmp_path / "nlcd_2019.tif", codes, compress="deflate")
    message = refused_scenes(project, good[0], path)
    assert str(path) in message
    assert "77" in message


def test_an_area_too_small_to_be_divided(project: Project, good: tuple[Path, Path]) -> None:
    message = refused_scenes(project, *good)
    assert "Give a larger area" in message
    assert "split.block_size_m" in message


# Steps out of order --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pipeline", "before"),
    [
        ("featurization", "data_ingestion"),
        ("training", "kedro run"),
        ("scoring", "kedro run"),
        ("reporting", "kedro run"),
    ],
)
def test_a_step_before_the_one_that_it_needs(project: Project, pipeline: str, before: str) -> None:
    message = project.refusal(f"--pipeline={pipeline}")
    assert "There is no" in message
    assert before in message


# The command itself --------------------------------------------------------------------------


def test_the_command_line_shows_the_message_alone(project: Project) -> None:
    """What the other tests see through click is what the installed command prints."""
    found = subprocess.run(
        [Path(sys.executable).parent / "kedro", "run", "--env=base", "--params=sample_fraction=0"],
        cwd=PROJECT,
        env={**os.environ, **project.variables()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1
    assert "Traceback" not in found.stdout + found.stderr
    (line,) = [line for line in found.stderr.splitlines() if line.startswith("Error: ")]
    assert "cannot start" in line
    assert "sample_fraction=0" in found.stderr
