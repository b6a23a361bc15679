"""Nodes that score a folder of unlabelled tiles."""

from __future__ import annotations

import logging

import pandas as pd
from pyspark.sql import DataFrame

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Backbone
from aerial_kedro.features.engines import JAVA_ENGINE, EngineChoice
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.models.model import ModelCard, TrainedModel
from aerial_kedro.pipelines.score_folder.parameters import FeatureRequest
from aerial_kedro.pipelines.scoring.nodes import collect_mapped, draw_years
from aerial_kedro.scenes.raster import Raster
from aerial_kedro.tiles.folder_catalog import remarks_on, rows_of_files
from aerial_kedro.tiles.folders import TileTree
from aerial_kedro.tiles.records import QuarantineSummary, ScoreSummary

LOGGER = logging.getLogger(__name__)
_OF_ENGINE = {"engine", "precision"}


def catalog_unlabelled(tree: TileTree, year: int | None) -> pd.DataFrame:
    """Make one row a tile image, without labels (`rows_of_files`).

    Parameters
    ----------
    tree
        The files, with their places where `tile_summaries.csv` tells them.
    year
        Of all images, if it is known.
    """
    for remark in remarks_on(tree):
        LOGGER.warning("%s", remark)
    return rows_of_files(tree, year)


def take_source(
    model: TrainedModel, request: FeatureRequest, engine: str
) -> tuple[ModelCard, Backbone, EngineChoice, str]:
    """Take what computes a model's features: the model brings it.

    Parameters
    ----------
    model
        That is to score the tiles.
    request
        What the command asks of features; a model answers with its own.
    engine
        The run parameter, by which Spark was started.

    Returns
    -------
    tuple
        The model's card, its backbone, what runs that, and the ``feature_key``.

    Raises
    ------
    AerialError
        If the command asks for others, or this machine cannot compute the model's.
    """
    source, name = model.source, model.card.name
    if source is None:
        raise ValueError(f"the model {name} was not stored")
    own = {"backbone": source.backbone.card.name, **source.choice.model_dump(include=_OF_ENGINE)}
    said = ", ".join(f"{each}={value}" for each, value in own.items())
    others = request.others_than(own)
    if others:
        raise AerialError(
            f"The model {name!r} was trained on features of {said}, brings what computes them, and "
            f"fits no others. Leave {', '.join(others)} out of the command, or choose another "
            "model with model_name=NAME."
        )
    if source.choice.engine == JAVA_ENGINE != engine:
        raise AerialError(
            f"The model {name!r} was trained on features of {said}, which SynapseML computes in "
            f"Java. Add --params=engine={JAVA_ENGINE}, so that Spark starts with it."
        )
    source.check_engine(name)
    LOGGER.info("Features as %s learned them: %s", name, said)
    return model.card, source.backbone, source.choice, source.key


def release_features(key: str, quarantine: QuarantineSummary) -> str:
    """Let scoring begin once the quarantine is checked: nothing is replaced before.

    Returns
    -------
    str
        The ``feature_key``.

    Raises
    ------
    AerialError
        If no tile could be read at all, whatever the run allows.
    """
    if quarantine.quarantined >= quarantine.tiles:
        raise AerialError(
            f"None of the {quarantine.tiles:,} tiles could be read. Commonest "
            f"reason: {next(iter(quarantine.reasons), 'none')}. All are in 04_feature/quarantine; "
            "give scenes, or a folder of images, with 8-bit RGB."
        )
    return key


def gather_located(predictions: DataFrame) -> pd.DataFrame:
    """Bring the tiles with coordinates to the driver: none, where `tile_summaries.csv` is not."""
    located = collect_mapped(predictions)
    if not len(located):
        LOGGER.info(
            "No tile has coordinates, so no map is drawn: it needs tile_summaries.csv beside them"
        )
    return located


def draw_scored_maps(
    mapped: pd.DataFrame, card: ModelCard, classes: LandCoverClasses
) -> dict[str, Raster]:
    """Draw the map in the values of the land-cover table, or in the model's own classes."""
    names = classes.names
    if not set(card.classes) <= set(names):
        names = card.classes
    return draw_years(mapped, names)


def summarise_scores(
    predictions: DataFrame, quarantine: QuarantineSummary, card: ModelCard
) -> ScoreSummary:
    """Count the tiles of each class, and log it."""
    counted = {
        row["pred_label"]: int(row["count"])
        for row in predictions.groupBy("pred_label").count().collect()
    }
    summary = ScoreSummary(
        model=card.name,
        tiles=quarantine.tiles,
        scored=sum(counted.values()),
        quarantined=quarantine.quarantined,
        located=predictions.filter("epsg is not null").count(),
        by_class={name: counted.get(name, 0) for name in card.classes},
    )
    LOGGER.info("%s", summary)
    return summary
