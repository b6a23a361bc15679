"""Nodes that say how far a model holds on what it has mapped."""

import logging
from typing import Literal

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.accuracy.applicability import ApplicabilitySummary, HeldGround

LOGGER = logging.getLogger(__name__)


def summarise_tiles(predictions: DataFrame) -> ApplicabilitySummary:
    """Say how far the classifier of tiles holds, and log it: first of all where it mostly does not.

    Tiles that the land cover decided are left out.
    """
    outside = F.col("outside").cast("double").alias("outside_share")
    return _summarise(predictions.select("year", "expected_accuracy", outside), "tiles")


def summarise_cells(cell_predictions: DataFrame) -> ApplicabilitySummary:
    """Do what `summarise_tiles` does for the classifier of cells."""
    return _summarise(cell_predictions, "cells")


def _summarise(predictions: DataFrame, units: Literal["cells", "tiles"]) -> ApplicabilitySummary:
    rows = (
        predictions.filter("expected_accuracy is not null")
        .groupBy("year")
        .agg(
            F.count("*").alias("tiles"),
            F.avg("expected_accuracy").alias("expected_accuracy"),
            F.avg("outside_share").alias("outside_share"),
        )
        .orderBy("year")
        .collect()
    )
    summary = ApplicabilitySummary.of_years(
        units,
        [
            (
                row["year"],
                HeldGround(
                    tiles=row["tiles"],
                    expected_accuracy=row["expected_accuracy"],
                    outside_share=row["outside_share"],
                ),
            )
            for row in rows
        ],
    )
    if summary.warning:
        LOGGER.warning("%s", summary.warning)
    LOGGER.info("%s", summary)
    return summary
