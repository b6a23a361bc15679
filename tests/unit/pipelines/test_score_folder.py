"""Scoring a folder: what is refused before a tile is read, and the values of the map."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from kedro.pipeline import Pipeline

from aerial_kedro.cells.describe import CellInputs
from aerial_kedro.errors import AerialError
from aerial_kedro.features.engine_choice import EngineChoice
from aerial_kedro.features.source import FeatureRequest, FeatureSource
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.pipelines import from_folders, reporting, score_folder
from aerial_kedro.pipelines.change.pipeline import create_evaluation
from aerial_kedro.pipelines.main_job import create_scene_pipelines
from aerial_kedro.pipelines.score_folder.nodes import (
    check_readable,
    take_source,
    take_source_of_both,
)
from aerial_kedro.pipelines.scoring.nodes import draw_maps
from aerial_kedro.tiles.records import QuarantineSummary
from tests.builders import CLASSES, cell_of_origin, grid_tiles
from tests.models import make_card, make_source

SOURCE = make_source()


def model(
    source: FeatureSource = SOURCE, classes: tuple[str, ...] = ("Forest", "Developed")
) -> TrainedModel:
    return TrainedModel((), make_card(source, classes=list(classes)), source)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"backbone": "lite", "engine": "onnxruntime", "precision": "fp32"},
        {"engine": "auto", "precision": "auto", "pooling": "auto"},
    ],
)
def test_a_model_brings_what_computes_its_features(asked: dict[str, str]) -> None:
    card, found = take_source(model(), FeatureRequest(**asked), "onnxruntime")
    assert found is SOURCE
    assert card.name == "county"


@pytest.mark.parametrize(
    "asked",
    [
        {"backbone": "heavy"},
        {"engine": "openvino"},
        {"precision": "int8"},
        {"weights_path": "a.pth"},
        {"pooling": "last"},
    ],
)
def test_other_features_than_the_models_are_refused(asked: dict[str, str]) -> None:
    ((name, value),) = asked.items()
    with pytest.raises(
        AerialError,
        match=rf"'county'.*backbone=lite, engine=onnxruntime, precision=fp32.*"
        rf"Leave {name}={value} out",
    ):
        take_source(model(), FeatureRequest(**asked), "onnxruntime")


def test_another_gsd_m_than_the_models_is_refused_and_its_own_is_not() -> None:
    """What counts is the input that it makes: 1 m a pixel is the network's own."""
    learned = model().with_tile_size(224)
    assert learned.card.gsd_m == 1
    for own in (None, 1.0):
        assert take_source(learned, FeatureRequest(gsd_m=own), "onnxruntime")[1] is SOURCE
    with pytest.raises(AerialError, match=r"'county'.*precision=fp32, gsd_m=1,.*Leave gsd_m=2 out"):
        take_source(learned, FeatureRequest(gsd_m=2.0), "onnxruntime")
    # Learned from tiles without a place.
    with pytest.raises(AerialError, match="Leave gsd_m=1 out"):
        take_source(model(), FeatureRequest(gsd_m=1.0), "onnxruntime")


def test_a_model_of_java_features_asks_for_their_engine() -> None:
    source = make_source("synapseml")
    with pytest.raises(AerialError, match="--params=engine=synapseml"):
        take_source(model(source), FeatureRequest(), "auto")
    # Wherever it is set: Spark was started with it.
    assert take_source(model(source), FeatureRequest(), "synapseml")[1] == source


def test_an_engine_that_is_not_here_is_named() -> None:
    source = FeatureSource(SOURCE.backbone, EngineChoice(engine="abacus", precision="fp32"))
    with pytest.raises(AerialError, match=r"'county'.*'abacus'.*another model"):
        take_source(model(source), FeatureRequest(), "onnxruntime")


def of_cells(source: FeatureSource = SOURCE, **changes: Any) -> TrainedModel:
    inputs = CellInputs(scales=(1.0,), infrared=False, means=(0.0,) * 6, deviations=(1.0,) * 6)
    return TrainedModel((), make_card(source, cells=inputs, **changes), source)


def test_a_map_of_cells_takes_the_features_of_both_models() -> None:
    _, found = take_source_of_both(model(), of_cells(), FeatureRequest(), "onnxruntime")
    assert found is SOURCE


def test_a_model_of_tiles_is_refused_for_cells_before_a_tile_is_read() -> None:
    with pytest.raises(AerialError, match=r"'county' classifies tiles.*grain=cell.*grain=tile"):
        take_source_of_both(model(), model(), FeatureRequest(), "onnxruntime")


def test_a_model_of_cells_is_refused_for_tiles() -> None:
    with pytest.raises(AerialError, match=r"'county' classifies cells.*grain=tile.*grain=cell"):
        take_source(of_cells(), FeatureRequest(), "onnxruntime")


def test_models_of_two_runs_make_no_map_of_cells() -> None:
    other = of_cells(make_source(weights_sha256="b" * 64), name="older")
    with pytest.raises(AerialError, match=r"'older' of cells and 'county' of tiles.*weights \(b"):
        take_source_of_both(model(), other, FeatureRequest(), "onnxruntime")


@pytest.mark.parametrize("grain", ["cell", "tile"])
def test_only_scenes_are_mapped_by_cells(grain: str) -> None:
    """Class folders and tiles of a folder need nothing of cells, whatever the grain."""
    scenes = create_scene_pipelines(grain)["score_scenes"]
    assert ("cell_model" in scenes.inputs()) == (grain == "cell")
    for pipeline in (from_folders.create_pipeline(), score_folder.create_pipeline()):
        assert not [name for name in pipeline.datasets() if "cell" in name]


def test_a_file_of_weights_may_be_called_by_digits() -> None:
    assert FeatureRequest.model_validate({"weights_path": 2018}).weights_path == "2018"


def test_nothing_is_scored_where_nothing_could_be_read() -> None:
    broken = QuarantineSummary(tiles=3, quarantined=3, reasons={"broken": 3}, examples=[])
    with pytest.raises(AerialError, match=r"None of the 3 tiles.*broken"):
        check_readable(SOURCE, broken)
    assert check_readable(SOURCE, broken.model_copy(update={"quarantined": 2})) is SOURCE


@pytest.mark.parametrize(
    ("classes", "value"), [(("Developed", "Forest"), 3), (("Checks", "Developed"), 2)]
)
def test_the_map_has_the_values_of_the_table_or_of_the_model(
    classes: tuple[str, ...], value: int
) -> None:
    tiles = grid_tiles([cell_of_origin()]).assign(mapped_class="Developed", probability=0.5)
    maps = draw_maps(tiles, CLASSES, model(classes=classes).card)
    assert list(maps) == ["map_2018"]
    assert maps["map_2018"].pixels[0].tolist() == [[value]]


def test_a_map_without_a_year_is_called_map() -> None:
    tiles = grid_tiles([cell_of_origin()]).assign(
        mapped_class="Forest", probability=0.5, year=pd.array([None], dtype="Int32")
    )
    assert list(draw_maps(tiles, CLASSES, model().card)) == ["map"]
    assert draw_maps(tiles.iloc[:0], CLASSES, model().card) == {}


@pytest.mark.parametrize(
    "create", [reporting.create_pipeline, score_folder.create_scene_pipeline, create_evaluation]
)
def test_what_is_wired_by_grain_leaves_its_default_to_the_caller(
    create: Callable[..., Pipeline],
) -> None:
    assert inspect.signature(create).parameters["grain"].default is inspect.Parameter.empty
