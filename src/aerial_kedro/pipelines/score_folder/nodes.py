"""Nodes that score tiles without labels, of a folder or of scenes."""

import logging

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.errors import AerialError
from aerial_kedro.features.engines import is_plug_in
from aerial_kedro.features.source import FeatureRequest, FeatureSource
from aerial_kedro.maps.mapping import MapSettings
from aerial_kedro.models.model import ModelCard, TrainedModel
from aerial_kedro.pipelines.scoring.nodes import map_located
from aerial_kedro.tiles.catalog import LABEL_COLUMNS, NO_TILE, SPLIT_COLUMNS, TILE_COLUMNS
from aerial_kedro.tiles.records import QuarantineSummary, ScoreSummary

LOGGER = logging.getLogger(__name__)


def catalog_without_labels(tiles: DataFrame) -> DataFrame:
    """Make the tile catalog of scenes that no land cover is known of.

    Parameters
    ----------
    tiles
        `TILE_COLUMNS`.

    Returns
    -------
    DataFrame
        The columns of the catalog; those of labels and splits are null.

    Raises
    ------
    AerialError
        If there is no tile.
    """
    if tiles.isEmpty():
        raise AerialError(NO_TILE)
    unknown = {**LABEL_COLUMNS, **SPLIT_COLUMNS}
    return tiles.select(
        *TILE_COLUMNS, *[F.lit(None).cast(kind).alias(name) for name, kind in unknown.items()]
    )


def take_source(
    model: TrainedModel, request: FeatureRequest, engine: str
) -> tuple[ModelCard, FeatureSource]:
    """Take what computes a model's features: the model brings it.

    Parameters
    ----------
    model
        The model that is to score the tiles.
    request
        What the command asks of features; a model answers with its own.
    engine
        The run parameter, by which Spark was started.

    Returns
    -------
    tuple
        The model's card, and its feature source.

    Raises
    ------
    AerialError
        If the model is of cells, the command asks for others, or this machine cannot compute the
        model's.
    """
    model.check_grain("tile")
    return _take(model, request, engine)


def take_cell_source(
    cell_model: TrainedModel, request: FeatureRequest, engine: str
) -> tuple[ModelCard, FeatureSource]:
    """Do what `take_source` does for a model of cells that has none of tiles beside it."""
    cell_model.check_grain("cell")
    return _take(cell_model, request, engine)


def _take(
    model: TrainedModel, request: FeatureRequest, engine: str
) -> tuple[ModelCard, FeatureSource]:
    source, name = model.source, model.card.name
    others = request.others_than(source.named)
    others += request.other_gsd(model.card.tile_size_m, source.backbone.card.input_size)
    if others:
        pixels = "" if model.card.gsd_m is None else f", gsd_m={model.card.gsd_m:.4g}"
        raise AerialError(
            f"The model {name!r} was trained on features of {source}{pixels}, brings what "
            f"computes them, and fits no others. Leave {', '.join(others)} out of the command, or "
            "choose another model with model_name=NAME."
        )
    own = source.choice.engine
    if is_plug_in(own) and engine != own:
        raise AerialError(
            f"The model {name!r} was trained on features of {source}, which Spark computes with "
            f"Java parts of its own. Add --params=engine={own}, so that Spark starts with them."
        )
    source.check_engine(name)
    LOGGER.info("Features as %s learned them: %s", name, source)
    return model.card, source


def take_source_of_both(
    model: TrainedModel, cell_model: TrainedModel, request: FeatureRequest, engine: str
) -> tuple[ModelCard, FeatureSource]:
    """Do what `take_source` does for a map of cells: both classifiers must fit what it computes.

    Parameters
    ----------
    model, cell_model
        The classifiers of tiles and of their cells.
    request, engine
        As `take_source` takes them.

    Raises
    ------
    AerialError
        As `take_source` does; and if ``cell_model`` is none of cells, or was trained on other
        features than the other.
    """
    cell_model.check_grain("cell")
    if cell_model.card.feature_key != model.card.feature_key:
        raise AerialError(
            f"The latest models are of two runs: {cell_model.card.name!r} of cells and "
            f"{model.card.name!r} of tiles learned from different features "
            f"({'; '.join(cell_model.source.differences(model.source))}). Name those of one run: "
            "--params=model_name=NAME; or map tiles: --params=grain=tile."
        )
    return take_source(model, request, engine)


def check_readable(source: FeatureSource, quarantine: QuarantineSummary) -> FeatureSource:
    """Hand on the feature source once the quarantine is checked: nothing is replaced before.

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
    return source


def map_scored(predictions: DataFrame, settings: MapSettings) -> pd.DataFrame:
    """Map the tiles with coordinates (`map_located`): none, where `tile_summaries.csv` is not."""
    mapped = map_located(predictions, settings)
    if not len(mapped):
        LOGGER.info(
            "No tile has coordinates, so no map is drawn: it needs tile_summaries.csv beside them"
        )
    return mapped


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
