"""Node that evaluates the chosen classifier on other divisions of the tiles."""

import logging
from functools import partial

import pandas as pd
from pydantic import Field, field_validator
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.accuracy.validation import RandomSplit, ValidationSummary
from aerial_kedro.errors import AerialError
from aerial_kedro.models.cross_validation import cross_validate, evaluate_random_split
from aerial_kedro.models.settings import ClassifierSettings
from aerial_kedro.parameters import CheckedModel
from aerial_kedro.pipelines.training.nodes import Choice
from aerial_kedro.splits.folds import assign_folds
from aerial_kedro.splits.rules import SplitRules

LOGGER = logging.getLogger(__name__)
_NO_BLOCKS = "the tiles have no coordinates, so their split is random already"


class ValidationSettings(CheckedModel):
    """Divisions of the tiles on which the chosen classifier is evaluated besides the split.

    Parameters
    ----------
    random_split
        A random split of the same images, to show how hopeful that is.
    folds
        Block cross-validation with so many folds; 0 for none.
    leave_one_region_out
        A fold for each region; needs ``split.unit=region``.
    """

    random_split: bool = True
    folds: int = Field(default=0, ge=0)
    leave_one_region_out: bool = False

    @field_validator("folds")
    @classmethod
    def _more_than_one(cls, folds: int) -> int:
        if folds == 1:
            raise ValueError("one fold leaves nothing to train: give 0 for none, or 2 and more")
        return folds


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

    Raises
    ------
    AerialError
        If folds are asked for and there are fewer blocks than folds, or regions and the tiles were
        not divided by them.
    """
    over_folds = partial(
        cross_validate,
        labelled_features,
        settings=choice.settings,
        buffer_m=rules.buffer_m,
        seed=seed,
    )
    random_split = skipped = cross_validation = leave_one_region_out = None
    if asked.random_split:
        random_split, skipped = _split_at_random(labelled_features, choice.settings, rules, seed)
    if asked.folds:
        tiles = _fold_blocks(labelled_features, tile_catalog, asked.folds, seed)
        description = f"{asked.folds} folds of {rules.description}"
        cross_validation = over_folds(tiles, description=description)
    if asked.leave_one_region_out:
        tiles = _fold_regions(labelled_features, tile_catalog, rules)
        description = f"each of {len(tiles['fold'].cat.categories)} regions left out"
        description += f", with a buffer of {rules.buffer_m:g} m"
        leave_one_region_out = over_folds(tiles, description=description)
    return ValidationSummary(
        random_split=random_split,
        random_split_skipped=skipped,
        cross_validation=cross_validation,
        leave_one_region_out=leave_one_region_out,
    )


def _split_at_random(
    labelled_features: DataFrame, settings: ClassifierSettings, rules: SplitRules, seed: int
) -> tuple[RandomSplit | None, str | None]:
    """Fit and evaluate on a random split of the same images: the result, or why there is none.

    That it cannot be done is no reason to stop: the run has its result already.
    """
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


def _fold_blocks(
    labelled_features: DataFrame, tile_catalog: DataFrame, folds: int, seed: int
) -> pd.DataFrame:
    """List the tiles with folds of whole blocks."""
    if not _has_blocks(labelled_features):
        raise AerialError(
            "Tiles without coordinates have no blocks to assign to folds. Set "
            "`validation.folds` to 0."
        )
    tiles = _tiles(labelled_features, tile_catalog)
    counts = pd.crosstab(tiles["block_id"], tiles["label"])
    return tiles.assign(fold=tiles["block_id"].map(assign_folds(counts, folds, seed)))


def _fold_regions(
    labelled_features: DataFrame, tile_catalog: DataFrame, rules: SplitRules
) -> pd.DataFrame:
    """List the tiles with a fold for each region."""
    if rules.unit != "region":
        raise AerialError(
            "`validation.leave_one_region_out` needs regions: set `split.unit` to region, "
            "`split.region_column` and regions_path."
        )
    tiles = _tiles(labelled_features, tile_catalog)
    # Regions whose labelled tiles are all in the buffer, or not trained on, are named all the same.
    labelled = tile_catalog.filter("label is not null and block_id is not null")
    regions = sorted(row["block_id"] for row in labelled.select("block_id").distinct().collect())
    return tiles.assign(fold=pd.Categorical(tiles["block_id"], categories=regions))


def _has_blocks(labelled_features: DataFrame) -> bool:
    return not labelled_features.filter("block_id is not null").isEmpty()


def _tiles(labelled_features: DataFrame, tile_catalog: DataFrame) -> pd.DataFrame:
    """List the images in a split with their places, in an order that does not vary."""
    places = tile_catalog.select(
        "image_id", "lon", "lat", (F.col("xmax") - F.col("xmin")).alias("size_m")
    )
    tiles = labelled_features.select("image_id", "label", "block_id").join(places, "image_id")
    return tiles.toPandas().sort_values("image_id", ignore_index=True)
