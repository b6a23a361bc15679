"""Nodes that say where the model is unsure, and what leaving those tiles open is worth."""

from __future__ import annotations

import pandas as pd
from pyspark.sql import DataFrame

from aerial_kedro.accuracy import abstention
from aerial_kedro.labels.classes import UNSURE
from aerial_kedro.maps.mapping import MapSettings
from aerial_kedro.report.certainty import UnsureTiles


def evaluate_abstention(
    test_predictions: DataFrame, settings: MapSettings
) -> abstention.AbstentionSummary:
    """Judge on the test tiles what abstaining wins and costs."""
    tiles = test_predictions.select("label", "pred_label", "probability").toPandas()
    return abstention.evaluate_abstention(
        (tiles["label"] == tiles["pred_label"]).to_numpy(bool),
        tiles["probability"].to_numpy(float),
        settings.min_probability,
    )


def count_unsure(mapped: pd.DataFrame) -> dict[str, UnsureTiles]:
    """Count, for each year, the tiles that the map leaves open and those that smoothing changed."""
    counts = {}
    for year, tiles in mapped.groupby("year"):
        is_unsure = tiles["mapped_class"] == UNSURE
        changed = tiles["mapped_class"] != tiles["pred_label"]
        counts[str(year)] = UnsureTiles(
            tiles=len(tiles),
            unsure=int(is_unsure.sum()),
            smoothed=int((changed & ~is_unsure & tiles["mapped_class"].notna()).sum()),
        )
    return counts
