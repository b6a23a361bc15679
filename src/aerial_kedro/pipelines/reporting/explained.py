"""Node that explains the most confident errors."""

from __future__ import annotations

import logging

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.errors import AerialError
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.pipelines.explain.images import explain_images
from aerial_kedro.pipelines.reporting.nodes import ReportSettings
from aerial_kedro.pipelines.serving.nodes import assemble_model
from aerial_kedro.report.pictures import ExplainedTile

LOGGER = logging.getLogger(__name__)
_PATCHES = 6
_NEIGHBOURS = 3


def explain_errors(
    test_predictions: DataFrame,
    tile_catalog: DataFrame,
    labelled_features: DataFrame,
    model: TrainedModel,
    settings: ReportSettings,
) -> list[ExplainedTile]:
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
    list of ExplainedTile
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
    chosen = labelled_features.filter(F.col("image_id").isin(wrong["image_id"].tolist()))
    queries = {row["image_id"]: row["features"] for row in chosen.collect()}
    training = labelled_features.filter("split = 'train'")
    return explain_images(wrong, queries, tile_catalog, training, served, _PATCHES, _NEIGHBOURS)
