"""Tiles of one's own choice, explained after the main job."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aerial_kedro.report.wording import percent
from tests.integration.kedro_project import Project, copy_of


@pytest.fixture(scope="module")
def page(county: Project) -> str:
    """Of a training tile by its image, and of a place in both years."""
    found = county.table("07_model_output/predictions").sort_values("image_id")
    (image, *_) = found.loc[found["split"].astype(str) == "train", "image_id"]
    (place, *_) = found.loc[found["split"].isna() & found["label"].isna(), "tile_id"]
    said = county.run("explain", explain={"tiles": [image, place], "patches": 4, "neighbours": 2})
    path = county.data / "08_reporting/explained.html"
    assert f"Report: {path}" in said
    return path.read_text(encoding="utf-8")


def test_each_image_is_shown_with_its_probabilities(county: Project, page: str) -> None:
    shown = re.findall(r'<h2 id="tile-\d+">([^<]+)</h2>', page)
    found = county.table("07_model_output/predictions").set_index("image_id")
    places = found.loc[shown[1:], "tile_id"]
    assert places.nunique() == 1
    assert len(shown) == 1 + (found["tile_id"] == places.iloc[0]).sum()
    for image in shown:
        chance = max(dict(found.loc[image, "probabilities"]).values())
        assert f'<td class="num">{percent(chance)}</td>' in page


def test_neighbours_are_training_tiles_and_never_the_tile_itself(
    county: Project, page: str
) -> None:
    tiles = county.table("03_primary/tile_catalog").set_index("image_id")
    shown = re.findall(r'<h2 id="tile-\d+">([^<]+)</h2>', page)
    near = re.findall(r'alt="Training tile of [^"]*, ([^",]+)"', page)
    assert len(near) == 2 * len(shown)
    assert set(tiles.loc[near, "split"].astype(str)) == {"train"}
    assert shown[0] not in near[:2]
    assert page.count("learned from this tile") == 1


def test_predictions_of_another_model_are_refused(county: Project, tmp_path: Path) -> None:
    """It would tell one model's answers and another one's reasons."""
    copy = copy_of(county, tmp_path)
    (image, *_) = copy.table("07_model_output/predictions")["image_id"]
    chosen = copy.json("08_reporting/metrics.json")["chosen"]
    (other,) = {"logistic_regression", "random_forest"} - {chosen}
    copy.run("training", classifier=other, model_name="another", grain="tile")
    message = copy.refusal("--pipeline=explain", f"--params=explain.tiles={image}")
    assert f"The prediction of '{image}' is not the model 'another''s" in message
    assert "model_name=NAME" in message


def test_predictions_of_other_tiles_are_refused(county: Project, tmp_path: Path) -> None:
    """As of a folder whose tiles have the same names."""
    copy = copy_of(county, tmp_path)
    path = copy.data / "07_model_output/predictions"
    told = pq.read_table(path)
    (image, *_) = told["image_id"].to_pylist()
    elsewhere = pa.array(["elsewhere.png"] * len(told))
    shutil.rmtree(path)
    path.mkdir()
    place = told.schema.get_field_index("href")
    pq.write_table(told.set_column(place, "href", elsewhere), path / "part-0.parquet")
    (path / "_SUCCESS").touch()
    message = copy.refusal("--pipeline=explain", f"--params=explain.tiles={image}")
    assert "there is none with features of its kind" in message


def test_a_name_that_is_not_there_is_refused(county: Project) -> None:
    message = county.refusal("--pipeline=explain", "--params=explain.tiles=nowhere")
    assert "There is no tile 'nowhere'" in message
    assert "tiles.parquet" in message


def test_an_explanation_needs_a_run_before_it(project: Project) -> None:
    message = project.refusal("--pipeline=explain", "--params=explain.tiles=a")
    assert "predictions" in message
    assert "kedro run" in message
