"""Nodes that draw the cells to learn from and to evaluate on."""

import logging
from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.cells.describe import CellInputs, measure_statistics, read_statistics
from aerial_kedro.cells.drawing import CellRules, Quotas, candidate_cells, set_quotas
from aerial_kedro.cells.grid import COUNT
from aerial_kedro.errors import AerialError
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.models.neighbourhoods import PLACE_COLUMNS, map_neighbourhoods
from aerial_kedro.pipelines.cells.workers import describe_drawn
from aerial_kedro.schemas import CELL_SAMPLE_COLUMNS
from aerial_kedro.tiles.catalog import ddl

LOGGER = logging.getLogger(__name__)
_DRAWN_FROM = ("image_id", "cell_split", "cell_labels", "cell_purity")
# Tiles whose statistics say how the training cells' are spread.
_MEASURED_TILES = 2_000
_FEWEST_CLASSES = 2


def plan_draw(
    tile_catalog: DataFrame, rules: CellRules, classes: LandCoverClasses, seed: int
) -> Quotas:
    """Decide how many of the cells of each class and split are drawn.

    Raises
    ------
    AerialError
        If the training blocks have pure cells of fewer than two classes.
    """
    candidates = (
        _labelled(tile_catalog)
        .mapInPandas(
            partial(candidate_cells, rules=rules, seed=seed),
            "kind string, cells long, numbers array<double>",
        )
        .toPandas()
    )
    quotas = set_quotas(candidates, rules)
    found = {classes.names[code - 1]: weight for code, weight in quotas.weights.items()}
    if len(found) < _FEWEST_CLASSES:
        raise AerialError(
            f"The training blocks have pure cells of {len(found)} class(es) "
            f"({', '.join(found) or 'none'}); a map of cells needs two. Give a larger area, or "
            "lower `cells.drawn.min_purity`."
        )
    return quotas


def measure_inputs(
    tile_features: DataFrame, tile_catalog: DataFrame, source: FeatureSource, seed: int
) -> CellInputs:
    """Find out which bands all tiles have, and how their statistics are spread in training tiles.

    Raises
    ------
    AerialError
        If the features hold no cells.
    """
    embedding = source.backbone.card.cells
    if embedding is None:
        raise AerialError(
            f"The features are of {source}, which embeds no cells. Compute them again: `kedro run "
            "--pipeline=featurization --params=grain=cell` with scenes. Tiles of folders have "
            "none: --params=grain=tile trains classifiers of tiles alone."
        )
    # Not all that is stored: scenes that were scored with the same network may have other bands.
    features = (
        tile_features.filter(F.col("feature_key") == source.key)
        .select("image_id", "source_version", "cell_statistics")
        .join(tile_catalog, ["image_id", "source_version"])
    )
    found = features.agg(
        F.min(F.length("cell_statistics")).alias("least"),
        F.max(F.length("cell_statistics")).alias("most"),
    ).collect()[0]
    infrared = found["least"] == found["most"] and found["least"] > 6 * COUNT
    if found["least"] != found["most"]:
        LOGGER.warning(
            "Some scenes have near infrared and some have none: the cells are classified without it"
        )
    training = (
        features.filter("cell_split = 'train'")
        .orderBy(F.xxhash64("image_id", F.lit(seed)), "image_id")
        .select("cell_statistics")
        .limit(_MEASURED_TILES)
        .toPandas()
    )
    statistics = read_statistics(training["cell_statistics"].tolist(), infrared=infrared)
    means, deviations = measure_statistics(statistics.reshape(-1, statistics.shape[-1]))
    return CellInputs(
        scales=embedding.scales, infrared=infrared, means=means, deviations=deviations
    )


def sample_cells(
    tile_features: DataFrame,
    tile_catalog: DataFrame,
    source: FeatureSource,
    inputs: CellInputs,
    quotas: Quotas,
    rules: CellRules,
    classes: LandCoverClasses,
    seed: int,
) -> DataFrame:
    """Describe the cells that are drawn: a row a cell.

    Returns
    -------
    DataFrame
        `CELL_SAMPLE_COLUMNS`.
    """
    features = tile_features.filter(F.col("feature_key") == source.key).select(
        "image_id", "source_version", "cells", "cell_statistics"
    )
    places = tile_catalog.select(
        *_DRAWN_FROM[1:], "image_id", "source_version", "block_id", *PLACE_COLUMNS
    )
    tiles = places.join(features, ["image_id", "source_version"]).drop("source_version")
    describe = partial(
        describe_drawn, inputs=inputs, quotas=quotas, rules=rules, names=classes.names, seed=seed
    )
    # In no order: to sort them, Spark would describe them twice, and what reads them has its own.
    return map_neighbourhoods(tiles, describe, ddl(CELL_SAMPLE_COLUMNS))


def _labelled(tile_catalog: DataFrame) -> DataFrame:
    return tile_catalog.filter("cell_split is not null and cell_labels is not null").select(
        *_DRAWN_FROM
    )
