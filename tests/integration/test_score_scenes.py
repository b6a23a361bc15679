"""Scenes without land cover, mapped with a model that was trained elsewhere."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import rasterio

from aerial_kedro.tiles.catalog import LABEL_COLUMNS, SPLIT_COLUMNS
from tests.integration.kedro_project import Project


@pytest.fixture(scope="module")
def mapped(county: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The county's scenes again, in a folder that holds its models and nothing else."""
    data = tmp_path_factory.mktemp("score_scenes") / "data"
    shutil.copytree(county.data / "06_models", data / "06_models")
    scenes = county.data / "01_raw/sample/scenes"
    parameters = {**county.parameters, "scenes_root": str(scenes), "landcover_path": "/nowhere"}
    project = Project(data, parameters)
    project.run("score_scenes")
    return project


def test_no_land_cover_is_asked_for_or_made_up(mapped: Project) -> None:
    catalog = mapped.table("03_primary/score_catalog")
    assert len(catalog)
    unknown = [*LABEL_COLUMNS, *SPLIT_COLUMNS]
    assert catalog[unknown].isna().all(axis=None)
    predictions = mapped.table("07_model_output/predictions")
    assert set(predictions["decided_by"]) == {"model"}
    assert predictions["probability"].between(0, 1).all()


def test_predictions_are_those_of_the_main_job(mapped: Project, county: Project) -> None:
    """Same tiles, same features, same model: what the land cover decided is all that differs."""
    here, there = (
        project.table("07_model_output/predictions").set_index("image_id").sort_index()
        for project in (mapped, county)
    )
    assert list(here.index) == list(there.index)
    by_model = there["decided_by"] == "model"
    assert by_model.any()
    pd.testing.assert_series_equal(
        here.loc[by_model, "pred_label"], there.loc[by_model, "pred_label"]
    )
    assert here.loc[by_model, "probability"].to_numpy() == pytest.approx(
        there.loc[by_model, "probability"].to_numpy(), abs=1e-4
    )


def test_the_model_knows_how_large_its_tiles_were(county: Project) -> None:
    (card,) = (county.data / "06_models").glob("*/model.json")
    size = json.loads(card.read_text(encoding="utf-8"))["tile_size_m"]
    assert size == county.parameters["tile_size_m"]


def test_tiles_of_another_size_are_warned_of(mapped: Project, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(mapped.data / "06_models", data / "06_models")
    said = replace(mapped, data=data).run(
        "score_scenes", to_outputs=["predictions"], tile_size_m=224
    )
    assert any("learned from tiles of 112 m and these are of 224 m" in line for line in said)


def test_maps_tables_and_change_are_there(mapped: Project) -> None:
    output = mapped.data / "07_model_output"
    for year in (2012, 2018):
        with rasterio.open(output / f"map_{year}.tif") as raster:
            assert raster.read(1).any()
    change = pd.read_parquet(output / "change.parquet")
    assert set(zip(change["year_before"], change["year_after"], strict=True)) == {(2012, 2018)}
    places = mapped.table("07_model_output/predictions").groupby("tile_id").size()
    assert len(change) == (places == 2).sum()
    assert (output / "tiles.parquet").is_file()
    assert (output / "predictions.csv").is_file()


def test_a_model_of_other_features_is_refused_before_any_are_computed(
    mapped: Project, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(mapped.data / "06_models", data / "06_models")
    for card in (data / "06_models").glob("*/model.json"):
        fields = json.loads(card.read_text(encoding="utf-8"))
        card.write_text(json.dumps({**fields, "feature_key": "0" * 16}), encoding="utf-8")
    other = replace(mapped, data=data)
    message = refusal(other)
    assert "was trained on features 0000" in message
    assert not (data / "04_feature/tile_features").exists()


def test_scenes_smaller_than_a_tile_are_refused(mapped: Project) -> None:
    assert "No tile lies whole inside a scene" in refusal(mapped, "tile_size_m=5000")


def test_a_model_is_needed(project: Project, mapped: Project) -> None:
    message = refusal(replace(mapped, data=project.data))
    assert "There is no trained model" in message


def refusal(project: Project, *parameters: str) -> str:
    given = [f"scenes_root={project.parameters['scenes_root']}", *parameters]
    if not any(each.startswith("tile_size_m") for each in parameters):
        given.append(f"tile_size_m={project.parameters['tile_size_m']}")
    return project.refusal("--pipeline=score_scenes", f"--params={','.join(given)}")
