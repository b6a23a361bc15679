"""Node that evaluates the chosen classifier on other divisions of the tiles."""

from __future__ import annotations

import logging

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.accuracy.validation import CrossValidation, RandomSplit, ValidationSummary
from aerial_kedro.errors import AerialError
from aerial_kedro.models.cross_validation import cross_validate, evaluate_random_split
from aerial_kedro.models.settings import ClassifierSettings
from aerial_kedro.pipelines.training.nodes import Choice
from aerial_kedro.pipelines.training.parameters import ValidationSettings
from aerial_kedro.splits.folds import assign_folds
from aerial_kedro.splits.rules import SplitRules

LOGGER = logging.getLogger(__name__)
_NO_BLOCKS = "the tiles have no coordinates, so their split is random already"


def validate_choice(
    labelled_features: DataFrame,
    tile_catalog: DataFrame,
    choice: Choice,
    rules: SplitRules,
    asked: ValidationSettings,
    seed: int,
) -> ValidationSummary:
    """Evaluate the chosen classifier on other divisions of the tiles than the one split.

    Parameters
    ----------
    labelled_features, tile_catalog
        The tiles with a label and a split, and where they are.
    choice
        The chosen classifier and its settings.
    rules
        Rules of the split.
    asked
        Which divisions are wanted.
    seed
        Seed of the divisions and of the classifier.
    """
    random_split, skipped = _split_at_random(labelled_features, choice.settings, rules, asked, seed)
    parts = (labelled_features, tile_catalog, choice.settings, rules, asked, seed)
    return ValidationSummary(
        random_split=random_split,
        random_split_skipped=skipped,
        cross_validation=_cross_validate_blocks(*parts),
        leave_one_region_out=_leave_one_region_out(*parts),
    )


def _split_at_random(
    labelled_features: DataFrame,
    settings: ClassifierSettings,
    rules: SplitRules,
    asked: ValidationSettings,
    seed: int,
) -> tuple[RandomSplit | None, str | None]:
    """Fit and evaluate on a random split of the same images: the result, or why there is none.

    That it cannot be done is no reason to stop: the run has its result already.
    """
    if not asked.random_split:
        return None, None
    skipped = _NO_BLOCKS
    if _has_blocks(labelled_features):
        try:
            found = evaluate_random_split(labelled_features, settings, rules, seed)
        except AerialError as error:
            skipped = str(error)
        else:
            LOGGER.info(
                "Split at random, for comparison only: accuracy %.3f, macro-F1 %.3f",
                found.evaluation.accuracy, found.evaluation.macro_f1,
            )  # fmt: skip
            return found, None
    LOGGER.info("No comparison with a random split: %s", skipped)
    return None, skipped


def _cross_validate_blocks(
    labelled_features: DataFrame,
    tile_catalog: DataFrame,
    settings: ClassifierSettings,
    rules: SplitRules,
    asked: ValidationSettings,
    seed: int,
) -> CrossValidation | None:
    """Cross-validate over folds of whole blocks, if that is asked for.

    Raises
    ------
    AerialError
        If the tiles have no blocks, or there are fewer blocks than folds.
    """
    if not asked.folds:
        return None
    if not _has_blocks(labelled_features):
        raise AerialError(
            "Tiles without coordinates have no blocks to assign to folds. Set "
            "`validation.folds` to 0."
        )
    tiles = _tiles(labelled_features, tile_catalog)
    counts = pd.crosstab(tiles["block_id"], tiles["label"])
    tiles["fold"] = tiles["block_id"].map(assign_folds(counts, asked.folds, seed))
    description = f"{asked.folds} folds of {rules.description}"
    return _evaluate_folds(labelled_features, tiles, settings, rules, description, seed)


def _leave_one_region_out(
    labelled_features: DataFrame,
    tile_catalog: DataFrame,
    settings: ClassifierSettings,
    rules: SplitRules,
    asked: ValidationSettings,
    seed: int,
) -> CrossValidation | None:
    """Evaluate on each region after learning on all others, if that is asked for.

    Raises
    ------
    AerialError
        If the tiles were not divided by regions.
    """
    if not asked.leave_one_region_out:
        return None
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


def _evaluate_folds(
    labelled_features: DataFrame,
    tiles: pd.DataFrame,
    settings: ClassifierSettings,
    rules: SplitRules,
    description: str,
    seed: int,
) -> CrossValidation:
    return cross_validate(
        labelled_features,
        tiles,
        settings,
        buffer_m=rules.buffer_m,
        description=description,
        seed=seed,
    )


def _has_blocks(labelled_features: DataFrame) -> bool:
    return not labelled_features.filter("block_id is not null").isEmpty()


def _tiles(labelled_features: DataFrame, tile_catalog: DataFrame) -> pd.DataFrame:
    """List the images in a split with their places, in an order that does not vary."""
    places = tile_catalog.select(
        "image_id", "lon", "lat", (F.col("xmax") - F.col("xmin")).alias("size_m")
    )
    tiles = labelled_features.select("image_id", "label", "block_id").join(places, "image_id")
    return tiles.toPandas().sort_values("image_id", ignore_index=True)
