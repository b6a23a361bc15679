"""Nodes that settle what computes the features, and say what that costs."""

from __future__ import annotations

import logging
from functools import partial

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.features import engines
from aerial_kedro.features.artifact import Backbone, BackboneCard
from aerial_kedro.features.engines import EngineChoice, open_engine
from aerial_kedro.features.precision_loss import (
    PrecisionSummary,
    compare_features,
    run_in_batches,
)
from aerial_kedro.features.sampling import PIXEL_COLUMNS, read_pixels, stack_pixels
from aerial_kedro.tiles.catalog import ddl
from aerial_kedro.tiles.reading import SOURCE_COLUMNS

LOGGER = logging.getLogger(__name__)

CALIBRATION_TILES = 128
_PROBE_TRAINING_TILES = 240
_PROBE_JUDGED_TILES = 160


def prepare_backbone(
    exported: Backbone,
    stored: list[Backbone],
    tile_catalog: DataFrame,
    precision: str,
    max_nodata_fraction: float,
    seed: int,
) -> Backbone:
    """Hand the export through, or quantize it where the run is in int8.

    Parameters
    ----------
    exported
        In fp32.
    stored
        The int8 backbone of an earlier run, if there is one: taken if it is of the same network
        and calibrated on the same tiles.
    tile_catalog
        Training tiles are calibrated on; tiles in no split where those are too few.
    precision
        The run parameter.
    max_nodata_fraction
        Tiles with more nodata are left out.
    seed
        Draws the tiles.
    """
    if precision != "int8":
        return exported
    from aerial_kedro.features import quantization  # noqa: PLC0415  # loads slowly

    wanted = tile_catalog.filter("split is null or split = 'train'")
    sample = _draw(wanted, max_nodata_fraction, seed, CALIBRATION_TILES)
    pairs = [(str(a), str(b)) for a, b in zip(sample["image_id"], sample["version"], strict=True)]
    calibration = quantization.name_calibration(pairs)
    for each in stored:
        if _same_network(each.card, exported.card) and each.card.calibration == calibration:
            LOGGER.info("The int8 backbone that is stored was calibrated on these tiles already")
            return each
    pixels = _read(wanted, sample, exported.card.input_size)
    LOGGER.info("Calibrating int8 on %d tiles", len(pixels))
    return quantization.quantize_backbone(exported, np.array(list(pixels.values())), calibration)


def _same_network(first: BackboneCard, second: BackboneCard) -> bool:
    """Whether two backbones have the same weights, preprocessing and features."""
    fields = ("architecture", "weights_sha256", "input_size", "mean", "std", "stages")
    return all(getattr(first, name) == getattr(second, name) for name in fields)


def choose_engine(backbone: Backbone, engine: str, precision: str, seed: int) -> EngineChoice:
    """Settle ``engine=auto`` and ``precision=auto`` by a short measurement."""
    return engines.choose_engine(backbone, engine, precision, seed)


def measure_precision(
    exported: Backbone,
    backbone: Backbone,
    choice: EngineChoice,
    tile_catalog: DataFrame,
    max_nodata_fraction: float,
    seed: int,
) -> PrecisionSummary:
    """Measure what a precision below fp32 costs, on labelled tiles apart by block.

    The test split is left alone: a linear classifier is fitted on training tiles and judged on
    validation tiles, with features of both precisions.
    """
    known = PrecisionSummary(**choice.model_dump())
    if choice.precision == "fp32":
        return known
    labelled = tile_catalog.filter("label is not null")
    parts = [
        (name == "train", labelled.filter(F.col("split") == name), count)
        for name, count in (("train", _PROBE_TRAINING_TILES), ("validation", _PROBE_JUDGED_TILES))
    ]
    # Another draw than the calibration's.
    drawn = [_draw(part, max_nodata_fraction, seed + 1, count) for _, part, count in parts]
    pixels = [
        _read(part, sample, exported.card.input_size)
        for (_, part, _), sample in zip(parts, drawn, strict=True)
    ]
    ids = [name for each in pixels for name in each]
    label_of = pd.concat(drawn).set_index("image_id")["label"]
    is_training = np.repeat([True, False], [len(each) for each in pixels])
    if not ids:
        return known
    tiles = np.array([tile for each in pixels for tile in each.values()])
    fp32 = run_in_batches(open_engine("onnxruntime", "fp32", exported.onnx), tiles)
    opened = open_engine(choice.engine, choice.precision, backbone.network_for(choice.engine))
    found = compare_features(
        fp32, run_in_batches(opened, tiles), [str(label_of[name]) for name in ids], is_training
    )
    quantized = CALIBRATION_TILES if choice.precision == "int8" else None
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
    rows = (
        tiles.filter(F.col("image_id").isin(names))
        .select(*SOURCE_COLUMNS)
        .mapInArrow(partial(read_pixels, size=size), ddl(PIXEL_COLUMNS))
        .collect()
    )
    found = sorted((row["image_id"], bytes(row["pixels"])) for row in rows)
    stacked = stack_pixels([content for _, content in found], size)
    return {name: tile for (name, _), tile in zip(found, stacked, strict=True)}
