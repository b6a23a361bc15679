"""Nodes that judge the chosen classifier on other divisions of the tiles."""

from __future__ import annotations

import logging

import pandas as pd
from pydantic import BaseModel, ConfigDict
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.accuracy.validation import CrossValidation, RandomSplit, ValidationSummary
from aerial_kedro.errors import AerialError
from aerial_kedro.models.cross_validation import cross_validate, evaluate_random_split
from aerial_kedro.models.settings import (
    ClassifierSettings,
    LogisticRegressionSettings,
    RandomForestSettings,
)
from aerial_kedro.pipelines.training.nodes import Choice
from aerial_kedro.pipelines.training.parameters import ValidationSettings
from aerial_kedro.splits.folds import assign_folds
from aerial_kedro.splits.rules import SplitRules

LOGGER = logging.getLogger(__name__)
_NO_BLOCKS = "the tiles have no coordinates, so their split is random already"


class RandomSplitOutcome(BaseModel):
    """A random split's result, or why there is none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    result: RandomSplit | None = None
    skipped: str | None = None


class Folds(BaseModel):
    """A cross-validation's result; None where it was not asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    result: CrossValidation | None = None


def choose_settings(
    choice: Choice,
    logistic_regression: LogisticRegressionSettings,
    random_forest: RandomForestSettings,
) -> ClassifierSettings:
    """Pick the chosen classifier's settings."""
    return {"logistic_regression": logistic_regression, "random_forest": random_forest}[choice.name]


def compare_random_split(
    labelled_features: DataFrame,
    settings: ClassifierSettings,
    rules: SplitRules,
    asked: ValidationSettings,
    seed: int,
) -> RandomSplitOutcome:
    """Fit and judge the chosen classifier on a random split of the same images.

    That it cannot be done is no reason to stop: the run has its result already.
    """
    if not asked.random_split:
        return RandomSplitOutcome()
    skipped = None if _has_blocks(labelled_features) else _NO_BLOCKS
    if skipped is None:
        try:
            found = evaluate_random_split(labelled_features, settings, rules, seed)
        except AerialError as error:
            skipped = str(error)
        else:
            LOGGER.info(
                "Split at random, for comparison only: accuracy %.3f, macro-F1 %.3f",
                found.evaluation.accuracy, found.evaluation.macro_f1,
            )  # fmt: skip
            return RandomSplitOutcome(result=found)
    LOGGER.info("No comparison with a random split: %s", skipped)
    return RandomSplitOutcome(skipped=skipped)


def cross_validate_blocks(
    labelled_features: DataFrame,
    tile_catalog: DataFrame,
    settings: ClassifierSettings,
    rules: SplitRules,
    asked: ValidationSettings,
    seed: int,
) -> Folds:
    """Cross-validate the chosen classifier over folds of whole blocks.

    Raises
    ------
    AerialError
        If the tiles have no blocks, or there are fewer blocks than folds.
    """
    if not asked.folds:
        return Folds()
    if not _has_blocks(labelled_features):
        raise AerialError(
            "Tiles without coordinates have no blocks to deal to folds. Set "
            "`validation.folds` to 0."
        )
    tiles = _tiles(labelled_features, tile_catalog)
    counts = pd.crosstab(tiles["block_id"], tiles["label"])
    tiles["fold"] = tiles["block_id"].map(assign_folds(counts, asked.folds, seed))
    description = f"{asked.folds} folds of {rules.description}"
    return _evaluate_folds(labelled_features, tiles, settings, rules, description, seed)


def leave_one_region_out(
    labelled_features: DataFrame,
    tile_catalog: DataFrame,
    settings: ClassifierSettings,
    rules: SplitRules,
    asked: ValidationSettings,
    seed: int,
) -> Folds:
    """Judge the chosen classifier on each region after learning on all others.

    Raises
    ------
    AerialError
        If the tiles were not divided by regions.
    """
    if not asked.leave_one_region_out:
        return Folds()
    if rules.unit != "region":
        raise AerialError(
            "`validation.leave_one_region_out` needs regions: set `split.unit` to region, "
            "`split.region_column` and regions_path."
        )
    tiles = _tiles(labelled_features, tile_catalog)
    # Regions whose labelled tiles are all in the buffer, or not trained on, are named all the same.
    labelled = tile_catalog.filter("label is not null and block_id is not null")
    regions = sorted(row["block_id"] for row in labelled.select("block_id").distinct().collect())
    tiles["fold"] = pd.Categorical(tiles["block_id"], categories=regions)
    description = f"each of {len(regions)} regions left out, with a buffer of {rules.buffer_m:g} m"
    return _evaluate_folds(labelled_features, tiles, settings, rules, description, seed)


def summarise_validation(
    random_split: RandomSplitOutcome, folds: Folds, regions: Folds
) -> ValidationSummary:
    """Gather what the other divisions say."""
    return ValidationSummary(
        random_split=random_split.result,
        random_split_skipped=random_split.skipped,
        cross_validation=folds.result,
        leave_one_region_out=regions.result,
    )


def _evaluate_folds(
    labelled_features: DataFrame,
    tiles: pd.DataFrame,
    settings: ClassifierSettings,
    rules: SplitRules,
    description: str,
    seed: int,
) -> Folds:
    found = cross_validate(
        labelled_features,
        tiles,
        settings,
        buffer_m=rules.buffer_m,
        description=description,
        seed=seed,
    )
    return Folds(result=found)


def _has_blocks(labelled_features: DataFrame) -> bool:
    return not labelled_features.filter("block_id is not null").isEmpty()


def _tiles(labelled_features: DataFrame, tile_catalog: DataFrame) -> pd.DataFrame:
    """List the images in a split with their places, in an order that does not vary."""
    places = tile_catalog.select(
        "image_id", "lon", "lat", (F.col("xmax") - F.col("xmin")).alias("size_m")
    )
    tiles = labelled_features.select("image_id", "label", "block_id").join(places, "image_id")
    return tiles.toPandas().sort_values("image_id", ignore_index=True)
