"""Nodes that judge beyond the test split: mixed tiles, and areas corrected by the errors."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict
from pyspark.sql import DataFrame

from aerial_kedro.accuracy.area import Estimate, UnsampledClassError, adjusted_areas
from aerial_kedro.accuracy.evaluation import Evaluation, evaluate
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.models.comparison import TrainingSummary
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.report import content as page

LOGGER = logging.getLogger(__name__)
_MIXED = "mixed tiles, against their largest class"


class Subsets(BaseModel):
    """The chosen model on other sets of tiles than the test split.

    Parameters
    ----------
    evaluations
        Description to accuracy.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    evaluations: dict[str, Evaluation]


def evaluate_mixed_tiles(
    predictions: DataFrame, tile_catalog: DataFrame, model: TrainedModel, seed: int
) -> Subsets:
    """Judge the model on the mixed tiles of the test blocks, against their majority class.

    They are in no split, having no label; but training keeps the buffer's distance from the whole
    of a test block, so they are as unseen as the test tiles.
    """
    test_blocks = predictions.filter("split = 'test'").select("block_id").distinct()
    mixed = (
        predictions.filter("label is null and purity is not null")
        .join(test_blocks, "block_id", "left_semi")
        .join(tile_catalog.select("image_id", "fractions"), "image_id")
        .select("fractions", "pred_label", "probabilities", "block_id")
        .toPandas()
    )
    mixed["majority"] = [max(each, key=lambda name: each[name]) for each in mixed["fractions"]]
    mixed = mixed[mixed["majority"].isin(model.card.classes)]
    if not len(mixed):
        return Subsets(evaluations={})
    found = evaluate(
        mixed["majority"].tolist(),
        mixed["pred_label"].tolist(),
        model.card.classes,
        probabilities=np.array(
            [[each[name] for name in model.card.classes] for each in mixed["probabilities"]]
        ),
        blocks=mixed["block_id"].tolist(),
        seed=seed,
    )
    return Subsets(evaluations={_MIXED: found})


def measure_areas(
    mapped: pd.DataFrame, summary: TrainingSummary, subsets: Subsets, classes: LandCoverClasses
) -> dict[str, list[page.AreaRow]]:
    """Measure each class's area for each year: as mapped, and corrected by the confusion matrix.

    The correction (Olofsson et al. 2014) counts pure and mixed tiles of the test blocks together,
    since the map shows both. It is left out where it cannot be had: for classes that the model
    never learned, and for all if a class on the map has too few test tiles.
    """
    sample = [summary.models[summary.chosen].test, *subsets.evaluations.values()]
    areas = {}
    for year, tiles in mapped.groupby("year"):
        squares = (tiles["xmax"] - tiles["xmin"]) * (tiles["ymax"] - tiles["ymin"]) / 1e6
        total = float(squares.sum())
        by_class = squares.groupby(tiles["pred_label"])
        counts, sums = by_class.size().to_dict(), by_class.sum().to_dict()
        adjusted = _adjusted({str(k): float(v) for k, v in sums.items()}, classes.names, sample)
        areas[str(year)] = [
            page.AreaRow(
                class_name=name,
                tiles=int(counts[name]),
                area_km2=float(sums[name]),
                share=float(sums[name]) / total,
                adjusted_km2=adjusted[name].value if name in adjusted else None,
                adjusted_interval=adjusted[name].interval if name in adjusted else None,
            )
            for name in classes.names
            if name in counts
        ]
    return areas


def _adjusted(
    sums: dict[str, float], names: list[str], sample: list[Evaluation]
) -> dict[str, Estimate]:
    counts = pd.DataFrame(0, index=names, columns=names)
    for found in sample:
        table = pd.DataFrame(found.confusion, index=found.classes, columns=found.classes)
        counts = counts.add(table, fill_value=0)
    judged = [name for name in names if counts.loc[name].sum() or counts[name].sum()]
    mapped = [float(sums.get(name, 0.0)) for name in judged]
    # The estimator's rows are the map's classes, a confusion matrix's the reference's.
    by_map_class = counts.loc[judged, judged].to_numpy().T
    try:
        areas = adjusted_areas(mapped, by_map_class, judged)
    except UnsampledClassError as error:
        LOGGER.warning("Areas are not corrected: %s", error)
        return {}
    return {name: each.area for name, each in areas.per_class.items()}
