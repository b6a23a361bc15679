"""Scoring a folder of unlabelled tiles with a model of an earlier run, with and without places."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from PIL import Image

from tests.integration.kedro_project import Project
from tests.integration.tile_images import (
    CLASSES,
    ODD_NAME,
    SIDE_M,
    ZONE,
    draw_tile,
    write_summaries,
)

SIZE = SIDE_M
ORIGIN = (500_077.7, 4_040_031.3)  # on no grid
COLUMNS, ROWS = 5, 4
SUFFIXES = (".png", ".jpg", ".TIFF")


@pytest.fixture(scope="module")
def trained(divided: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the trained project: what scoring replaces, others still look at."""
    folder = tmp_path_factory.mktemp("trained")
    shutil.copytree(
        divided.data, folder / "data", ignore=shutil.ignore_patterns("mlflow", "01_raw")
    )
    uri = f"sqlite:///{divided.data / 'mlflow' / 'mlflow.db'}"
    return replace(divided, data=folder / "data", tracking_uri=uri)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiles side by side, in folders of any depth, with their corners in `tile_summaries.csv`.

    Their class is in their name; the last one has no row, and one row has no tile.
    """
    root = tmp_path_factory.mktemp("unlabelled")
    rng = np.random.default_rng(12)
    origins = {"gone.png": ORIGIN}
    for number in range(COLUMNS * ROWS + 1):
        name = CLASSES[number % len(CLASSES)]
        folder = root / "/".join(["deep"] * (number % 3))
        folder.mkdir(exist_ok=True, parents=True)
        path = folder / f"{name}_{number}{SUFFIXES[number % 3]}"
        Image.fromarray(draw_tile(name, rng)).save(path)
        if number < COLUMNS * ROWS:
            row, column = divmod(number, COLUMNS)
            origins[path.name] = (ORIGIN[0] + column * SIZE, ORIGIN[1] + row * SIZE)
    write_summaries(root, origins)
    return root


@pytest.fixture(scope="module")
def scored(trained: Project, root: Path) -> tuple[Project, list[str]]:
    said = trained.run("score_folder", score_root=str(root), model_name="forest", year=2018)
    return trained, said


def class_of(path: str) -> str:
    name = Path(path).name.split("_")[0]
    return ODD_NAME if name == "Plain" else name


def test_predictions_csv_has_every_tile_with_an_empty_label(
    scored: tuple[Project, list[str]], root: Path
) -> None:
    frame = pd.read_csv(scored[0].data / "07_model_output/predictions.csv")
    assert list(frame.columns) == ["filepath", "label", "pred_label"]
    images = {str(path) for path in root.rglob("*_*") if path.suffix in SUFFIXES}
    assert set(frame["filepath"]) == images
    assert frame["label"].isna().all()
    right = frame["pred_label"] == frame["filepath"].map(class_of)
    assert right.mean() >= 0.8


def test_the_map_shows_each_tile_in_its_cell(scored: tuple[Project, list[str]]) -> None:
    project, _ = scored
    predictions = project.table("07_model_output/predictions")
    classes = project.json("06_models/forest/model.json")["classes"]
    with rasterio.open(project.data / "07_model_output/map_2018.tif") as raster:
        drawn, transform = raster.read(1), raster.transform
        assert raster.crs.to_epsg() == ZONE
    assert drawn.shape == (ROWS, COLUMNS)
    assert (transform.c, transform.f) == pytest.approx(
        (ORIGIN[0], ORIGIN[1] + ROWS * SIZE), abs=0.1
    )
    assert transform.a == pytest.approx(SIZE, abs=0.05)
    for href, found in zip(predictions["href"], predictions["pred_label"], strict=True):
        number = int(Path(href).stem.split("_")[-1])
        if number < COLUMNS * ROWS:
            value = drawn[ROWS - 1 - number // COLUMNS, number % COLUMNS]
            assert classes[value - 1] == found


def test_tiles_parquet_has_the_tiles_with_a_place(scored: tuple[Project, list[str]]) -> None:
    tiles = gpd.read_parquet(scored[0].data / "07_model_output/tiles.parquet")
    assert len(tiles) == COLUMNS * ROWS
    assert tiles["label"].isna().all()
    assert set(tiles["year"]) == {2018}
    area = tiles.to_crs(ZONE).area
    assert np.allclose(area, SIZE**2, rtol=1e-3)
    bounds = tiles.to_crs(ZONE).total_bounds
    assert bounds[:2] == pytest.approx(ORIGIN, abs=0.1)


def test_tiles_without_a_row_are_scored_without_a_place(
    scored: tuple[Project, list[str]],
) -> None:
    project, said = scored
    catalog = project.table("03_primary/score_catalog")
    assert len(catalog) == COLUMNS * ROWS + 1
    without = catalog[catalog["epsg"].isna()]
    assert without["href"].str.contains(f"_{COLUMNS * ROWS}.").tolist() == [True]
    assert without[["xmin", "ymin", "xmax", "ymax", "lon", "lat"]].isna().all(axis=None)
    assert any("1 of 21 tile(s) have no row in tile_summaries.csv" in line for line in said)
    assert any("1 row(s) of tile_summaries.csv name no image here: gone.png" in x for x in said)


def test_the_tiles_of_each_class_are_counted(scored: tuple[Project, list[str]]) -> None:
    project, said = scored
    summary = project.json("07_model_output/score_summary.json")
    found = project.table("07_model_output/predictions")["pred_label"].value_counts().to_dict()
    classes = project.json("06_models/forest/model.json")["classes"]
    assert summary == {
        "model": "forest", "tiles": 21, "scored": 21, "quarantined": 0, "located": 20,
        "by_class": {name: found.get(name, 0) for name in classes},
    }  # fmt: skip
    assert any("21 of 21 tiles scored with forest" in line for line in said)


def test_what_training_made_is_kept(scored: tuple[Project, list[str]], divided: Project) -> None:
    project, _ = scored
    for name in ("03_primary/tile_catalog", "07_model_output/test_predictions"):
        key = "image_id"
        first, second = (each.table(name).sort_values(key) for each in (project, divided))
        assert first[key].tolist() == second[key].tolist()
    assert project.json("06_models/latest.json") == divided.json("06_models/latest.json")


def test_what_is_featurized_is_not_done_again(
    scored: tuple[Project, list[str]], root: Path
) -> None:
    """Without a name the latest model is used; without a year the map has none."""
    project, _ = scored
    before = project.feature_files()
    said = project.run("score_folder", score_root=str(root))
    assert any("21 tiles to featurize, 21 are done already" in line for line in said)
    assert before.items() <= project.feature_files().items()
    assert sorted(path.name for path in (project.data / "07_model_output").glob("*.tif")) == [
        "map.tif"
    ]
    assert gpd.read_parquet(project.data / "07_model_output/tiles.parquet")["year"].isna().all()


def test_without_places_there_are_predictions_and_no_map(
    scored: tuple[Project, list[str]], root: Path, tmp_path: Path
) -> None:
    """Of another folder's tiles of the same names nothing is taken for done; one is broken."""
    project, _ = scored
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    (copy / "tile_summaries.csv").unlink()
    (copy / "broken.png").write_bytes(b"no image")
    said = project.run("score_folder", score_root=str(copy), max_quarantine_fraction=0.1)
    assert any("22 tiles to featurize, 0 are done already" in line for line in said)
    assert len(pd.read_csv(project.data / "07_model_output/predictions.csv")) == 21
    assert project.json("07_model_output/score_summary.json")["quarantined"] == 1
    assert project.table("04_feature/quarantine")["href"].tolist() == [str(copy / "broken.png")]
    assert not list((project.data / "07_model_output").glob("*.tif"))
    assert len(gpd.read_parquet(project.data / "07_model_output/tiles.parquet")) == 0


# What is refused -----------------------------------------------------------------------------


def refused(project: Project, root: Path | str, *parameters: str) -> str:
    given = ",".join([f"score_root={root}", *parameters])
    return project.refusal("--pipeline=score_folder", f"--params={given}")


def test_no_folder_given(trained: Project) -> None:
    message = trained.refusal("--pipeline=score_folder")
    assert "score_root is not set" in message
    assert "--params=score_root=DIR" in message
    assert "score_root is not set" in refused(trained, "")


def test_a_folder_that_is_not_there(trained: Project, tmp_path: Path) -> None:
    message = refused(trained, tmp_path / "nowhere")
    assert f"score_root={tmp_path / 'nowhere'} does not exist" in message


def test_a_folder_without_images(trained: Project, tmp_path: Path) -> None:
    message = refused(trained, tmp_path)
    assert f"{tmp_path} holds no tile image" in message
    assert "--params=score_root=DIR" in message
    (tmp_path / "notes.txt").touch()
    assert "only other files: 1 .txt" in refused(trained, tmp_path)


def test_nothing_but_broken_images(trained: Project, tmp_path: Path) -> None:
    """Predictions of an earlier run stay as they are."""
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(b"no image")
    before = (trained.data / "07_model_output/predictions.csv").read_bytes()
    message = refused(trained, tmp_path)
    assert "no image that is read" in message
    assert "04_feature/quarantine" in message
    assert (trained.data / "07_model_output/predictions.csv").read_bytes() == before


def test_a_model_that_is_not_there(trained: Project, root: Path) -> None:
    message = refused(trained, root, "model_name=woods")
    assert "no model called 'woods'" in message
    assert "forest" in message


def test_no_model_at_all(project: Project, root: Path) -> None:
    message = refused(project, root)
    assert "There is no trained model" in message
    assert "kedro run" in message


def test_another_backbone_than_the_models_is_refused(trained: Project, root: Path) -> None:
    message = refused(trained, root, "model_name=forest", "backbone=efficientnet_lite1")
    assert "backbone=efficientnet_lite0" in message
    assert "Leave backbone=efficientnet_lite1 out" in message


def test_a_model_of_before_models_had_backbones_is_refused(
    trained: Project, root: Path, tmp_path: Path
) -> None:
    shutil.copytree(trained.data / "06_models/forest", tmp_path / "06_models/forest")
    card = tmp_path / "06_models/forest/model.json"
    fields = json.loads(card.read_text(encoding="utf-8"))
    card.write_text(json.dumps({k: v for k, v in fields.items() if k != "engine"}))
    message = refused(replace(trained, data=tmp_path), root, "model_name=forest")
    assert "'forest'" in message
    assert "Train the model again" in message


def test_corners_that_make_no_tile(trained: Project, root: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(root, tmp_path / "copy")
    with (copy / "tile_summaries.csv").open("a") as file:
        file.write(f"\nChecks_{COLUMNS * ROWS}.TIFF,36.6,-75.1,36.5,-75.0")
    message = refused(trained, copy)
    assert "Row 22 below the heading" in message
    assert "south-west" in message
