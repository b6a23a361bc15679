"""Accuracy under other divisions of the tiles than the one split: at random, and by folds."""

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import Field

from aerial_kedro.accuracy.evaluation import Evaluation
from aerial_kedro.parameters import CheckedModel

FEW_TILES = 10
"""Below this number of tiles, a fold's accuracy is chance."""


class RandomSplit(CheckedModel):
    """The chosen classifier, fitted and evaluated on a random split.

    Parameters
    ----------
    training_tiles, training_tiles_by_place
        Number of images that it was fitted on, and that the split by place has for training. The
        second is smaller where tiles lie in the buffer: part of the difference is due to that.
    evaluation
        Evaluation on the random test images, without probabilities.
    """

    training_tiles: int
    training_tiles_by_place: int
    evaluation: Evaluation


class FoldResult(CheckedModel):
    """One fold: the classifier fitted without its blocks, and evaluated on them.

    Parameters
    ----------
    name
        Name of the fold; where each region is a fold, the region's.
    tiles, training_tiles
        Number of images evaluated, and fitted on.
    in_buffer
        Number of images of other folds that were too near to be fitted on.
    accuracy, macro_f1
        Figures on the fold; None where it could not be evaluated, with the reason in the remark.
    unlearned
        Classes of the fold that its training tiles did not hold: all their tiles are errors.
    remark
        Why the figures are weak or missing; None where they are neither.
    """

    name: str
    tiles: int
    training_tiles: int
    in_buffer: int
    accuracy: float | None = None
    macro_f1: float | None = None
    unlearned: list[str] = Field(default_factory=list)
    remark: str | None = None


class CrossValidation(CheckedModel):
    """The chosen classifier, fitted and evaluated fold by fold.

    Parameters
    ----------
    description
        The folds in words.
    folds
        Every fold, evaluated or not.
    mean_accuracy, mean_macro_f1
        Mean over the folds that were evaluated, each with the same weight.
    spread_accuracy, spread_macro_f1
        Standard deviation over those folds; None with fewer than two.
    pooled
        Evaluation of the predictions of all folds together, each image once; None if no fold
        could be evaluated.
    """

    description: str
    folds: list[FoldResult]
    mean_accuracy: float | None
    mean_macro_f1: float | None
    spread_accuracy: float | None
    spread_macro_f1: float | None
    pooled: Evaluation | None


class ValidationSummary(CheckedModel):
    """Results of the other divisions of the tiles; None for each that was not requested.

    Parameters
    ----------
    random_split
        Result of a random split of the same images.
    random_split_skipped
        Why there is none though it was requested.
    cross_validation
        Result of folds of whole blocks.
    leave_one_region_out
        Result with a fold for each region.
    """

    random_split: RandomSplit | None = None
    random_split_skipped: str | None = None
    cross_validation: CrossValidation | None = None
    leave_one_region_out: CrossValidation | None = None


def summarise_folds(
    description: str, folds: Sequence[FoldResult], pooled: Evaluation | None
) -> CrossValidation:
    """Compute the mean and the spread over folds.

    Parameters
    ----------
    description
        The folds in words.
    folds
        The folds, evaluated or not.
    pooled
        Evaluation of their predictions together.

    Examples
    --------
    >>> parts = [
    ...     FoldResult(name=n, tiles=9, training_tiles=9, in_buffer=0, accuracy=a, macro_f1=a)
    ...     for n, a in [("a", 0.8), ("b", 0.6), ("c", None)]
    ... ]
    >>> found = summarise_folds("three regions", parts, None)
    >>> round(found.mean_accuracy, 3), round(found.spread_accuracy, 3)
    (0.7, 0.141)
    """
    accuracies = [fold.accuracy for fold in folds if fold.accuracy is not None]
    scores = [fold.macro_f1 for fold in folds if fold.macro_f1 is not None]
    return CrossValidation(
        description=description,
        folds=list(folds),
        mean_accuracy=_mean(accuracies),
        mean_macro_f1=_mean(scores),
        spread_accuracy=_spread(accuracies),
        spread_macro_f1=_spread(scores),
        pooled=pooled,
    )


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _spread(values: Sequence[float]) -> float | None:
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def list_validation_metrics(summary: ValidationSummary) -> Mapping[str, float]:
    """List the figures that the run history keeps.

    Examples
    --------
    >>> dict(list_validation_metrics(ValidationSummary()))
    {}
    """
    figures: dict[str, float | None] = {}
    if summary.random_split:
        found = summary.random_split.evaluation
        figures |= {
            "random_split.accuracy": found.accuracy,
            "random_split.macro_f1": found.macro_f1,
        }
    for name in ("cross_validation", "leave_one_region_out"):
        folds: CrossValidation | None = getattr(summary, name)
        if folds:
            figures |= {
                f"{name}.{figure}": getattr(folds, figure)
                for figure in (
                    "mean_accuracy", "spread_accuracy", "mean_macro_f1", "spread_macro_f1"
                )
            }  # fmt: skip
    return {name: value for name, value in figures.items() if value is not None}
