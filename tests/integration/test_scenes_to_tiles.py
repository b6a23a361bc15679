"""From scenes to tiles: samples of the places, overlapping scenes, scenes that are damaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.integration.kedro_project import COUNTY, Project
from tests.integration.rasters import NORTH, WEST, write_land_cover, write_raster, write_scene

TILE = 112


@pytest.fixture
def place(project: Project, tmp_path: Path) -> Project:
    """Land cover of two classes in squares, and a folder for scenes of it."""
    rows, cols = np.mgrid[:60, :60] // 7
    codes = np.where((rows + cols) % 2, 41, 82).astype(np.uint8)
    write_land_cover(tmp_path / "nlcd_2019.tif", codes)
    parameters = {
        "scenes_root": str(tmp_path / "scenes"),
        "landcover_path": str(tmp_path / "nlcd_2019.tif"),
        "tile_size_m": TILE,
        "split": {"block_size_m": 2 * TILE, "buffer_m": 0},
        "labels": {"min_purity": 0.5},
    }
    return replace(project, parameters=parameters)


def scene_path(project: Project, name: str) -> Path:
    return Path(project.parameters["scenes_root"]) / name


def lay_tiles(project: Project, **parameters: object) -> pd.DataFrame:
    project.run("data_ingestion", to_outputs=["labelled_tiles"], **parameters)
    return project.table("02_intermediate/labelled_tiles")


def halve(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.fixture(scope="module")
def samples(county: Project, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """The county's places: all, half of them, the same half again, a half by another seed."""
    sample = county.data / "01_raw/sample"
    parameters = {
        **COUNTY,
        "scenes_root": str(sample / "scenes"),
        "landcover_path": str(sample / "land_cover"),
    }
    uri = f"sqlite:///{county.data / 'mlflow' / 'mlflow.db'}"
    project = Project(tmp_path_factory.mktemp("samples"), parameters, uri)
    return {
        "all": county.table("03_primary/tile_catalog"),
        "half": lay_tiles(project, sample_fraction=0.5),
        "again": lay_tiles(project, sample_fraction=0.5),
        "other seed": lay_tiles(project, sample_fraction=0.5, seed=12),
    }


def test_half_a_sample_is_about_half_of_the_places(samples: dict[str, pd.DataFrame]) -> None:
    everything, half = (set(samples[name]["tile_id"]) for name in ("all", "half"))
    assert half < everything
    assert 0.35 < len(half) / len(everything) < 0.65


def test_a_sample_is_of_the_same_places_in_both_years(samples: dict[str, pd.DataFrame]) -> None:
    half = samples["half"]
    first, second = (set(half.loc[half["year"] == year, "tile_id"]) for year in (2012, 2018))
    assert first == second


def test_the_same_seed_takes_the_same_sample(samples: dict[str, pd.DataFrame]) -> None:
    assert sorted(samples["half"]["image_id"]) == sorted(samples["again"]["image_id"])
    assert set(samples["half"]["image_id"]) != set(samples["other seed"]["image_id"])


def test_overlapping_scenes_give_a_place_once(place: Project) -> None:
    write_scene(scene_path(place, "a_2018.tif"))
    write_scene(scene_path(place, "b_2018.tif"), west=WEST + TILE)
    tiles = lay_tiles(place)
    assert tiles["image_id"].is_unique
    assert set(tiles["href"].str[-10:]) == {"a_2018.tif", "b_2018.tif"}


def test_a_place_is_taken_from_the_scene_that_shows_it(place: Project) -> None:
    """The other scene is black there."""
    pixels = np.full((3, 400, 400), 90, np.uint8)
    write_raster(scene_path(place, "b_2018.tif"), pixels, resolution_m=1)
    pixels[:, :, :300] = 0
    write_raster(scene_path(place, "a_2018.tif"), pixels, resolution_m=1)
    tiles = lay_tiles(place)
    assert (tiles["nodata_fraction"] == 0).all()
    shown = tiles["href"].str.endswith("b_2018.tif")
    assert shown[tiles["xmin"] < WEST + 300].all()


def test_a_place_is_taken_from_the_scene_that_can_be_read(place: Project) -> None:
    write_scene(scene_path(place, "b_2018.tif"))
    damaged = write_scene(scene_path(place, "a_2018.tif"))
    halve(damaged)
    tiles = lay_tiles(place)
    lower = tiles[tiles["ymin"] < NORTH - 250]
    assert len(lower)
    assert lower["href"].str.endswith("b_2018.tif").all()


def test_tiles_of_a_damaged_scene_are_quarantined(place: Project) -> None:
    path = write_scene(scene_path(place, "half_2018.tif"), side=900)
    halve(path)
    place.run("data_ingestion")
    tiles = place.table("03_primary/tile_catalog")
    place.run("featurization", max_quarantine_fraction=0.9)
    lost = set(place.table("04_feature/quarantine")["image_id"])
    # Lines of 900 pixels in four bands follow each other down the file.
    lower = set(tiles.loc[tiles["ymax"] < NORTH - 500, "image_id"])
    upper = set(tiles.loc[tiles["ymin"] > NORTH - 400, "image_id"])
    assert lower
    assert upper
    assert lower <= lost
    assert not upper & lost
    assert set(place.features()["image_id"]) == set(tiles["image_id"]) - lost
    reasons = place.table("04_feature/quarantine")["reason"]
    assert reasons.str.contains("half_2018.tif").all()


def test_two_land_cover_years_label_each_scene_by_the_nearer(place: Project) -> None:
    folder = Path(place.parameters["landcover_path"]).parent / "land_cover"
    for year, code in ((2011, 11), (2019, 41)):
        write_land_cover(folder / f"nlcd_{year}.tif", np.full((40, 40), code, np.uint8))
    for year in (2012, 2016):
        write_scene(scene_path(place, f"scene_{year}.tif"))
    tiles = lay_tiles(place, landcover_path=str(folder))
    found = tiles.groupby("year")[["label", "label_year", "year_gap"]].agg(set)
    assert found.loc[2012].tolist() == [{"Water"}, {2011}, {1}]
    assert found.loc[2016].tolist() == [{"Forest"}, {2019}, {3}]


def test_tiles_outside_the_land_cover_have_no_label(place: Project) -> None:
    write_scene(scene_path(place, "scene_2018.tif"), side=600)
    land_cover = Path(place.parameters["landcover_path"]).with_name("part_2019.tif")
    write_land_cover(land_cover, np.full((20, 20), 41, np.uint8))  # ends 300 m into the scene
    tiles = lay_tiles(place, landcover_path=str(land_cover))
    inside = (tiles["xmax"] <= WEST + 300) & (tiles["ymin"] >= NORTH - 300)
    assert 0 < inside.sum() < len(tiles)
    assert (tiles.loc[inside, "label"] == "Forest").all()
    assert tiles.loc[~inside, ["label", "purity", "label_year"]].isna().all(axis=None)
