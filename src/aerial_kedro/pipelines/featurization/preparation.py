"""Nodes that prepare what computes the features, and measure what its precision costs."""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Backbone, WeightsFile
from aerial_kedro.features.engine_timing import choose_engine
from aerial_kedro.features.engines import is_plug_in, name_engines_for, open_engine
from aerial_kedro.features.grain import NO_GSD_OF_FILES
from aerial_kedro.features.precision_loss import (
    PrecisionSummary,
    compare_cells,
    compare_features,
)
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.pipelines.pictures import collect_pixels

LOGGER = logging.getLogger(__name__)

CALIBRATION_TILES = 128
_PROBE_TRAINING_TILES = 240
_PROBE_TEST_TILES = 160


def prepare_backbone(
    exported: Backbone,
    weights: WeightsFile,
    tile_catalog: DataFrame,
    engine: str,
    precision: str,
    grain: str,
    gsd_m: float | None,
    max_nodata_fraction: float,
    seed: int,
) -> FeatureSource:
    """Fit what embeds cells, quantize the network where the run is in int8, choose what runs it.

    Tiles of scenes have cells; image files have none, and their network gives none.

    Parameters
    ----------
    exported
        The network, in fp32.
    weights
        Its weights, with what earlier runs left: a backbone that was fitted or calibrated on the
        same tiles is taken, and the engine that was measured under the same conditions.
    tile_catalog
        The tiles. The projection of cells is fitted and int8 calibrated on those of training
        blocks; on tiles in no split where those are too few.
    engine, precision, grain, gsd_m
        The run parameters.
    max_nodata_fraction
        Tiles with a greater share of nodata are not learned from.
    seed
        Seed of every draw of tiles.

    Raises
    ------
    AerialError
        If ``gsd_m`` is asked of image files, or cells of a network without maps.
    """
    from aerial_kedro.features.cell_projection import without_cells  # noqa: PLC0415

    if gsd_m is not None and _are_image_files(tile_catalog):
        raise AerialError(NO_GSD_OF_FILES.format(gsd_m))
    if grain == "tile" or _are_image_files(tile_catalog):
        prepared = without_cells(exported)
    else:
        prepared = _project_once(exported, tile_catalog, engine, max_nodata_fraction, seed)
    backbone = prepared
    if precision == "int8":
        backbone = _quantize_once(prepared, weights.stored, tile_catalog, max_nodata_fraction, seed)
    choice = choose_engine(
        backbone, engine, precision, seed, exported=prepared, known=weights.measured
    )
    return FeatureSource(backbone, choice, prepared if backbone is not prepared else None)


def _are_image_files(tile_catalog: DataFrame) -> bool:
    return tile_catalog.filter("kind = 'window'").isEmpty()


def _project_once(
    exported: Backbone, tile_catalog: DataFrame, engine: str, max_nodata_fraction: float, seed: int
) -> Backbone:
    """Fit the projection of cells on tiles of training blocks, pure and mixed, unless it is."""
    from aerial_kedro.features import cell_projection, quantization  # noqa: PLC0415  # slow

    if is_plug_in(engine):
        raise AerialError(
            f"The engine {engine!r} computes features of whole tiles only, not of their cells. Run "
            f"{name_engines_for('fp32')}, or map with one class a tile: --params=grain=tile."
        )
    if not exported.card.cell_layers:
        raise AerialError(
            f"The backbone {exported.card.name!r} has no maps before its last layers, so it cannot "
            "tell the cells of a tile apart. Use another backbone, such as efficientnet_lite0, or "
            "draw the map with one class a tile: --params=grain=tile."
        )
    wanted = _without_test_ground(tile_catalog)
    sample = _draw(wanted, max_nodata_fraction, seed, CALIBRATION_TILES)
    fitted_on = quantization.name_calibration(_versions(sample))
    if exported.card.cells and exported.card.cells.fitted_on == fitted_on:
        return exported
    pixels = _read(wanted, sample, exported.card.input_size)
    projected = cell_projection.project_cells(exported, np.array(list(pixels.values())), fitted_on)
    LOGGER.info("Cells: %s", projected.card.cells)
    return projected


def _without_test_ground(tile_catalog: DataFrame) -> DataFrame:
    """Keep tiles of training blocks, pure and mixed, and those of no block: in a buffer, say."""
    ground = tile_catalog.withColumn("split", F.coalesce("split", "cell_split"))
    return ground.filter("split is null or split = 'train'")


def _versions(sample: pd.DataFrame) -> list[tuple[str, str]]:
    return [(str(a), str(b)) for a, b in zip(sample["image_id"], sample["version"], strict=True)]


def _quantize_once(
    exported: Backbone,
    stored: Sequence[Backbone],
    tile_catalog: DataFrame,
    max_nodata_fraction: float,
    seed: int,
) -> Backbone:
    from aerial_kedro.features import quantization  # noqa: PLC0415  # loads slowly

    wanted = _without_test_ground(tile_catalog)
    sample = _draw(wanted, max_nodata_fraction, seed, CALIBRATION_TILES)
    calibration = quantization.name_calibration(_versions(sample))
    # The same weights, preprocessing, features and cells.
    preprocessing = {"input_size", "mean", "std"}
    same = {"architecture", "weights_sha256", "stages", "pooling", "cells", *preprocessing}
    expected = {**exported.card.model_dump(include=same), "calibration": calibration}
    for each in stored:
        if each.card.model_dump(include=set(expected)) == expected:
            LOGGER.info("The int8 backbone that is stored was calibrated on these tiles already")
            return each
    pixels = _read(wanted, sample, exported.card.input_size)
    LOGGER.info("Calibrating int8 on %d tiles", len(pixels))
    return quantization.quantize_backbone(exported, np.array(list(pixels.values())), calibration)


def measure_precision(
    source: FeatureSource,
    tile_catalog: DataFrame,
    max_nodata_fraction: float,
    seed: int,
) -> PrecisionSummary:
    """Measure what a precision below fp32 costs, on labelled tiles apart by block.

    The test split is left alone: a linear classifier is fitted on training tiles and evaluated on
    validation tiles, with features of both precisions; and so with the embeddings of their cells.
    """
    known = PrecisionSummary(**source.choice.model_dump(exclude={"conditions"}))
    if known.precision == "fp32":
        return known
    exported = source.exported or source.backbone
    tiles: list[np.ndarray] = []
    labels: list[str] = []
    is_training: list[bool] = []
    for split, count in (("train", _PROBE_TRAINING_TILES), ("validation", _PROBE_TEST_TILES)):
        part = tile_catalog.filter("label is not null").filter(F.col("split") == split)
        # Another draw than the calibration's.
        drawn = _draw(part, max_nodata_fraction, seed + 1, count)
        label_of = drawn.set_index("image_id")["label"]
        for name, pixels in _read(part, drawn, exported.card.input_size).items():
            tiles.append(pixels)
            labels.append(str(label_of[name]))
            is_training.append(split == "train")
    if not tiles:
        return known
    stacked = np.array(tiles)
    (fp32, cells), (lower, lower_cells) = (
        engine.run_all(stacked)
        for engine in (open_engine("onnxruntime", "fp32", exported.onnx), source.open())
    )
    found = compare_features(fp32, lower, labels, np.array(is_training))
    if exported.card.cells and cells is not None and lower_cells is not None:
        scales = np.asarray(exported.card.cells.scales, dtype=np.float32)
        found |= compare_cells(cells * scales, lower_cells * scales, labels, np.array(is_training))
    quantized = CALIBRATION_TILES if known.precision == "int8" else None
    summary = known.model_copy(update={"calibration_tiles": quantized, **found})
    LOGGER.info("Precision: %s", summary)
    return summary


def _draw(tiles: DataFrame, max_nodata_fraction: float, seed: int, count: int) -> pd.DataFrame:
    """Draw tiles by a hash of their name: training tiles first, in an order of the seed's.

    Returns
    -------
    pandas.DataFrame
        ``image_id, version, label``.
    """
    shown = F.coalesce("nodata_fraction", F.lit(0.0)) <= max_nodata_fraction
    order = [F.col("split").isNull(), F.xxhash64("image_id", F.lit(seed)), F.col("image_id")]
    return (
        tiles.filter(shown)
        .orderBy(*order)
        .select("image_id", F.col("source_version").alias("version"), "label")
        .limit(count)
        .toPandas()
    )


def _read(tiles: DataFrame, drawn: pd.DataFrame, size: int) -> dict[str, np.ndarray]:
    """Pixels of the tiles that could be read, in the order of their names."""
    names = drawn["image_id"].tolist()
    return collect_pixels(tiles.filter(F.col("image_id").isin(names)), size)
