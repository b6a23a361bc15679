"""The projection of cells is fitted once, on the ground of training blocks; folders have none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from aerial_kedro.errors import AerialError
from aerial_kedro.features import cell_projection, quantization
from aerial_kedro.features.artifact import Backbone, CellEmbedding, WeightsFile
from aerial_kedro.features.engine_choice import EngineChoice
from aerial_kedro.pipelines.featurization import preparation
from tests.models import make_backbone

WEIGHTS = WeightsFile("lite", b"weights", "a.pth", "file a.pth", "a" * 64)
CHOICE = EngineChoice(engine="onnxruntime", precision="fp32")
EXPORTED = make_backbone(b"fp32", cell_layers=("blocks.6",))
WITHOUT = make_backbone(b"without")


def catalog(spark: SparkSession, kind: str = "window", version: str = "v1") -> DataFrame:
    """Tiles of training blocks, pure (``p``) and mixed (``m``); others of which none may teach."""
    rows = [(f"p{number}", "train", "train", "Forest") for number in range(100)]
    rows += [(f"m{number}", None, "train", None) for number in range(100)]
    rows += [(f"test{number}", "test", "test", "Forest") for number in range(9)]
    rows += [(f"mixed-test{number}", None, "test", None) for number in range(9)]
    rows += [(f"validation{number}", None, "validation", None) for number in range(9)]
    rows += [(f"buffer{number}", None, None, "Forest") for number in range(9)]
    return spark.createDataFrame(
        [(*row, kind, version, 0.0 if number % 5 else 0.6) for number, row in enumerate(rows)],
        "image_id string, split string, cell_split string, label string, kind string, "
        "source_version string, nodata_fraction double",
    )


class Recorded:
    """Stands for reading and fitting, and remembers what it was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fits: list[list[str]] = []
        self.calibrations: list[list[str]] = []
        self._names: list[str] = []
        monkeypatch.setattr(preparation, "_read", self._read)
        monkeypatch.setattr(cell_projection, "project_cells", self._project)
        monkeypatch.setattr(quantization, "quantize_backbone", self._quantize)
        monkeypatch.setattr(cell_projection, "without_cells", lambda _: WITHOUT)
        monkeypatch.setattr(preparation, "choose_engine", lambda *_, **__: CHOICE)

    def _read(self, _tiles: Any, drawn: pd.DataFrame, size: int) -> dict[str, np.ndarray]:
        self._names = sorted(drawn["image_id"])
        return {name: np.zeros((size, size, 3), np.uint8) for name in self._names}

    def _project(self, exported: Backbone, tiles: np.ndarray, fitted_on: str) -> Backbone:
        assert len(tiles) == len(self._names)
        self.fits.append(self._names)
        cells = CellEmbedding(
            layers=exported.card.cell_layers,
            channels=9,
            scales=(1.0,),
            explained=0.9,
            fitted_tiles=len(tiles),
            fitted_on=fitted_on,
            projection_sha256="c" * 64,
        )
        return Backbone(b"projected", exported.card.model_copy(update={"cells": cells}))

    def _quantize(self, exported: Backbone, tiles: np.ndarray, calibration: str) -> Backbone:
        self.calibrations.append(self._names)
        changes = {"precision": "int8", "calibration": calibration}
        return Backbone(b"int8", exported.card.model_copy(update=changes))


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    return Recorded(monkeypatch)


def prepare(
    exported: Backbone,
    tiles: DataFrame,
    grain: str = "cell",
    *,
    seed: int = 1,
    engine: str = "onnxruntime",
    precision: str = "fp32",
    gsd_m: float | None = None,
) -> Backbone:
    found = preparation.prepare_backbone(
        exported, WEIGHTS, tiles, engine, precision, grain, gsd_m, 0.5, seed
    )
    return found.backbone


def test_it_is_fitted_on_pure_and_mixed_ground_of_training_blocks_alone(
    spark_session: SparkSession, recorded: Recorded
) -> None:
    prepare(EXPORTED, catalog(spark_session))
    (names,) = recorded.fits
    assert len(names) == preparation.CALIBRATION_TILES
    assert {name.rstrip("0123456789") for name in names} == {"p", "m"}
    # A fifth of the tiles shows hardly anything.
    assert not {"p0", "p5", "m0"} & set(names)


def test_it_is_taken_as_it_is_where_it_was_fitted_on_the_same_tiles(
    spark_session: SparkSession, recorded: Recorded
) -> None:
    tiles = catalog(spark_session)
    fitted = prepare(EXPORTED, tiles)
    assert prepare(fitted, tiles.repartition(3)) is fitted
    assert len(recorded.fits) == 1


@pytest.mark.parametrize("changes", [{"version": "v2"}, {"seed": 2}])
def test_other_tiles_fit_it_again(
    changes: dict[str, Any], spark_session: SparkSession, recorded: Recorded
) -> None:
    fitted = prepare(EXPORTED, catalog(spark_session))
    version, seed = changes.get("version", "v1"), changes.get("seed", 1)
    again = prepare(fitted, catalog(spark_session, version=version), seed=seed)
    assert len(recorded.fits) == 2
    assert again.card.cells is not None
    assert fitted.card.cells is not None
    assert again.card.cells.fitted_on != fitted.card.cells.fitted_on


def test_folders_and_maps_of_tiles_get_no_cells(
    spark_session: SparkSession, recorded: Recorded
) -> None:
    assert prepare(EXPORTED, catalog(spark_session, kind="file")) is WITHOUT
    assert prepare(EXPORTED, catalog(spark_session), grain="tile") is WITHOUT
    assert recorded.fits == []


@pytest.mark.parametrize("grain", ["cell", "tile"])
def test_int8_is_calibrated_on_no_ground_that_is_tested(
    grain: str, spark_session: SparkSession, recorded: Recorded
) -> None:
    """Mixed tiles of test blocks have no split of their own; their cells are tested."""
    few = catalog(spark_session).filter("image_id rlike '[0-4]$'")
    assert prepare(EXPORTED, few, grain=grain, precision="int8").card.precision == "int8"
    (names,) = recorded.calibrations
    # Too few of training blocks: those that are in no split at all help out.
    assert {name.rstrip("0123456789") for name in names} == {"p", "m", "buffer"}


def test_metres_a_pixel_are_not_asked_of_image_files(
    spark_session: SparkSession, recorded: Recorded
) -> None:
    with pytest.raises(AerialError, match=r"gsd_m=2 .*Image files.*gsd_m=null"):
        prepare(EXPORTED, catalog(spark_session, kind="file"), gsd_m=2.0)
    assert prepare(EXPORTED, catalog(spark_session), gsd_m=2.0).card.cells is not None


def test_a_network_without_maps_is_refused_with_what_to_do(
    spark_session: SparkSession, recorded: Recorded
) -> None:
    with pytest.raises(AerialError, match=r"'lite' has no maps.*grain=tile"):
        prepare(make_backbone(), catalog(spark_session))
    assert recorded.fits == []


def test_an_engine_without_cells_is_refused_by_name(
    spark_session: SparkSession, recorded: Recorded
) -> None:
    with pytest.raises(AerialError, match=r"'synapseml'.*not of their cells.*engine=onnxruntime"):
        prepare(EXPORTED, catalog(spark_session), engine="synapseml")
    assert recorded.fits == []
    for kind, grain in (("file", "cell"), ("window", "tile")):
        found = prepare(EXPORTED, catalog(spark_session, kind), grain=grain, engine="synapseml")
        assert found is WITHOUT
