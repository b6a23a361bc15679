"""Node that explains the most confident errors."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.classifiers.stored import StoredModel
from aerial_kedro.errors import AerialError
from aerial_kedro.explain.tiles import (
    HEAT_COLUMNS,
    NEIGHBOUR_COLUMNS,
    explain_tiles,
    find_neighbours,
)
from aerial_kedro.pipelines.reporting.nodes import ReportSettings
from aerial_kedro.pipelines.serving.nodes import assemble_model
from aerial_kedro.report.explained import ExplainedError, Neighbour
from aerial_kedro.report.pictures import TilePicture
from aerial_kedro.serving.model import ServedModel
from aerial_kedro.tiles.catalog import ddl
from aerial_kedro.tiles.pictures import PICTURE_COLUMNS, picture_tiles
from aerial_kedro.tiles.reading import SOURCE_COLUMNS

LOGGER = logging.getLogger(__name__)
_PICTURE_PX = 160
_PATCHES = 6
_NEIGHBOURS = 3


def explain_errors(
    test_predictions: DataFrame,
    tile_catalog: DataFrame,
    labelled_features: DataFrame,
    model: StoredModel,
    settings: ReportSettings,
) -> list[ExplainedError]:
    """Explain the most confident errors: what in the picture spoke for the wrong class.

    Parameters
    ----------
    test_predictions
        `aerial_kedro.schemas.PREDICTION_COLUMNS`; the model below made them.
    tile_catalog
        Where the tiles are.
    labelled_features
        Of the training tiles, and of the errors.
    model
        What decided.
    settings
        How many errors.

    Returns
    -------
    list of ExplainedError
        The surest first. Empty where the model cannot be run outside Spark, which the log says.
    """
    try:
        served = assemble_model(model)
    except AerialError as error:
        LOGGER.warning("The report explains no errors. %s", error)
        return []
    order = [F.desc("probability"), F.asc("image_id")]
    wrong = (
        test_predictions.filter("label != pred_label")
        .orderBy(*order)
        .select("image_id", "label", "pred_label", "probability")
        .limit(settings.explained_errors)
        .toPandas()
    )
    if not len(wrong):
        return []
    near = _nearest_training_tiles(labelled_features, wrong["image_id"].tolist())
    pictures = _pictures(tile_catalog, [*wrong["image_id"], *near["neighbour"]])
    heat = _heat(tile_catalog, wrong, served)
    return [
        ExplainedError(
            tile=TilePicture(
                picture=pictures[row["image_id"]],
                label=row["label"],
                predicted=row["pred_label"],
                probability=float(row["probability"]),
                image_id=row["image_id"],
            ),
            overlay=heat[row["image_id"]].overlay,
            largest_drop=heat[row["image_id"]].largest_drop,
            neighbours=_neighbours(near[near["image_id"] == row["image_id"]], pictures),
        )
        for row in wrong.to_dict("records")
        if row["image_id"] in pictures and row["image_id"] in heat
    ]


@dataclass(frozen=True)
class _Heat:
    overlay: bytes
    largest_drop: float


def _heat(tile_catalog: DataFrame, wrong: pd.DataFrame, served: ServedModel) -> dict[str, _Heat]:
    explain = partial(
        explain_tiles,
        model=served,
        classes=dict(zip(wrong["image_id"], wrong["pred_label"], strict=True)),
        patches=_PATCHES,
        picture_px=_PICTURE_PX,
    )
    tiles = _tiles(tile_catalog, wrong["image_id"].tolist())
    # A tile is hundreds of pictures to the network: spread them over the cores.
    spread = tiles.repartition(len(wrong), "image_id")
    rows = spread.mapInPandas(explain, ddl(HEAT_COLUMNS)).toPandas().to_dict("records")
    return {row["image_id"]: _Heat(bytes(row["overlay"]), row["largest_drop"]) for row in rows}


def _nearest_training_tiles(labelled_features: DataFrame, image_ids: list[str]) -> pd.DataFrame:
    """Find the nearest training tiles of each image, the nearest first."""
    chosen = labelled_features.filter(F.col("image_id").isin(image_ids))
    queries = {row["image_id"]: row["features"] for row in chosen.collect()}
    if not queries:
        return pd.DataFrame(columns=list(NEIGHBOUR_COLUMNS))
    search = partial(find_neighbours, queries=queries, count=_NEIGHBOURS)
    training = labelled_features.filter("split = 'train'").select("image_id", "label", "features")
    found = training.mapInPandas(search, ddl(NEIGHBOUR_COLUMNS)).toPandas()
    ordered = found.sort_values(["similarity", "neighbour"], ascending=[False, True])
    return ordered.groupby("image_id").head(_NEIGHBOURS)


def _pictures(tile_catalog: DataFrame, image_ids: list[str]) -> dict[str, bytes]:
    tiles = _tiles(tile_catalog, image_ids)
    taken = tiles.mapInPandas(partial(picture_tiles, size=_PICTURE_PX), ddl(PICTURE_COLUMNS))
    rows = taken.toPandas().to_dict("records")
    return {row["image_id"]: bytes(row["picture"]) for row in rows}


def _tiles(tile_catalog: DataFrame, image_ids: list[str]) -> DataFrame:
    wanted = sorted(set(image_ids))
    return tile_catalog.filter(F.col("image_id").isin(wanted)).select(*SOURCE_COLUMNS)


def _neighbours(near: pd.DataFrame, pictures: dict[str, bytes]) -> list[Neighbour]:
    return [
        Neighbour(
            tile=TilePicture(
                picture=pictures[row["neighbour"]], label=row["label"], image_id=row["neighbour"]
            ),
            similarity=float(row["similarity"]),
        )
        for row in near.to_dict("records")
        if row["neighbour"] in pictures
    ]
