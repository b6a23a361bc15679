"""Nodes that score a folder of unlabelled tiles."""

from __future__ import annotations

import logging

import pandas as pd
from pyspark.sql import DataFrame

from aerial_kedro.backbones.artifact import Backbone, feature_key
from aerial_kedro.backbones.engines import ENGINES
from aerial_kedro.classifiers.model import TrainedModel
from aerial_kedro.errors import AerialError
from aerial_kedro.pipelines.scoring.nodes import collect_mapped, draw_years
from aerial_kedro.tiles.classes import LandCoverClasses
from aerial_kedro.tiles.folder_catalog import remarks_on, rows_of_files
from aerial_kedro.tiles.folders import TileTree
from aerial_kedro.tiles.quarantine import QuarantineSummary
from aerial_kedro.tiles.raster import Raster
from aerial_kedro.tiles.reading import READING_VERSION
from aerial_kedro.tiles.scores import ScoreSummary

LOGGER = logging.getLogger(__name__)


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


def check_backbone(model: TrainedModel, backbone: str) -> str:
    """Refuse a model of another backbone, before time is spent on this one.

    Returns
    -------
    str
        The backbone.

    Raises
    ------
    AerialError
        Saying which one to ask for.
    """
    if model.card.backbone != backbone:
        raise AerialError(
            f"The model {model.card.name!r} was trained on features of the backbone "
            f"{model.card.backbone!r}, and this run's is {backbone!r}. Add --params=backbone="
            f"{model.card.backbone}, or choose another model with model_name=NAME."
        )
    return backbone


def check_features(
    model: TrainedModel, exported: Backbone, stored: list[Backbone], key: str
) -> str:
    """Refuse a model of other features of the same backbone.

    Returns
    -------
    str
        The ``feature_key``.

    Raises
    ------
    AerialError
        Saying which engine and precision, or which weights, to ask for.
    """
    if model.card.feature_key == key:
        return key
    said = (
        f"The model {model.card.name!r} was trained on other features ({model.card.feature_key}) "
        f"of the backbone {model.card.backbone!r} than this run's ({key})."
    )
    for engine, precisions in ENGINES.items():
        for precision in precisions:
            for each in stored if precision == "int8" else [exported]:
                found = feature_key(each.card, engine, precision, READING_VERSION)
                if found == model.card.feature_key:
                    raise AerialError(
                        f"{said} Add --params=backbone={model.card.backbone},engine={engine},"
                        f"precision={precision}."
                    )
    raise AerialError(
        f"{said} It had other weights, an int8 calibration of its own (06_models/backbone_int8 "
        "beside the model is what it needs), or another version of this project: add "
        f"--params=backbone={model.card.backbone},weights_path=FILE with the file that it was "
        "trained with (leave weights_path out for the backbone's own), or train it again."
    )


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
    mapped: pd.DataFrame, model: TrainedModel, classes: LandCoverClasses
) -> dict[str, Raster]:
    """Draw the map in the values of the land-cover table, or in the model's own classes."""
    names = classes.names
    if not set(model.card.classes) <= set(names):
        names = model.card.classes
    return draw_years(mapped, names)


def summarise_scores(
    predictions: DataFrame, quarantine: QuarantineSummary, model: TrainedModel
) -> ScoreSummary:
    """Count the tiles of each class, and log it."""
    counted = {
        row["pred_label"]: int(row["count"])
        for row in predictions.groupBy("pred_label").count().collect()
    }
    summary = ScoreSummary(
        model=model.card.name,
        tiles=quarantine.tiles,
        scored=sum(counted.values()),
        quarantined=quarantine.quarantined,
        located=predictions.filter("epsg is not null").count(),
        by_class={name: counted.get(name, 0) for name in model.card.classes},
    )
    LOGGER.info("%s", summary)
    return summary
