"""What training found, as one record."""

from typing import Literal

from pydantic import Field

from aerial_kedro.accuracy.bootstrap import PairedComparison
from aerial_kedro.accuracy.evaluation import Evaluation
from aerial_kedro.models.learning_curve import CurvePoint
from aerial_kedro.parameters import CheckedModel


class ModelScores(CheckedModel):
    """One classifier's accuracy on tiles that it had not seen.

    Parameters
    ----------
    validation, test
        On the two held-out splits.
    out_of_fold
        On training and validation blocks, each predicted by a fit without its fold: what the
        classifier is chosen by.
    """

    validation: Evaluation
    test: Evaluation
    out_of_fold: Evaluation


class TrainingSummary(CheckedModel):
    """Candidates, the choice and the baselines.

    Parameters
    ----------
    chosen, reason
        The classifier with the best macro-F1 on out-of-fold predictions, and the reason in words.
    comparison
        The chosen classifier against the next best; None where no other was trained.
    models
        Every candidate that was trained.
    baselines
        ``majority`` and ``image_statistics``, on the test split.
    """

    chosen: str
    reason: str
    comparison: PairedComparison | None = None
    models: dict[str, ModelScores]
    baselines: dict[str, Evaluation]


class LeftOutAccuracy(CheckedModel):
    """Accuracy where every label teaches: each is predicted by a fit on other blocks.

    Parameters
    ----------
    chosen, reason, comparison
        The classifier with the best macro-F1, why, and how sure that is.
    models
        Every candidate that was trained.
    labels, groups
        Number of labelled cells, of all years, and of what was labelled at once: places, polygons.
    most_frequent
        Share of the labels that are of the commonest class, which any classifier must exceed.
    units, unit_count, folds
        What was left out together, how many of these there are, and in how many parts.
    curve
        What fewer labels would have given, by logistic regression.
    """

    chosen: str
    reason: str
    comparison: PairedComparison | None = None
    models: dict[str, Evaluation]
    labels: int = Field(gt=0)
    groups: int = Field(gt=0)
    most_frequent: float = Field(ge=0, le=1)
    units: Literal["blocks", "tiles"]
    unit_count: int = Field(gt=1)
    folds: int = Field(gt=1)
    curve: list[CurvePoint] = Field(default_factory=list)

    @property
    def evaluation(self) -> Evaluation:
        """The chosen classifier's."""
        return self.models[self.chosen]

    def __str__(self) -> str:
        """One sentence for the log."""
        found = self.evaluation
        interval = found.accuracy_interval
        spread = (
            f" (95 % interval {100 * interval.lower:.1f} to {100 * interval.upper:.1f} %)"
            if interval
            else ""
        )
        return (
            f"{100 * found.accuracy:.1f} % of {found.n:,} labelled cells right{spread}, each "
            f"predicted without its part of the {self.unit_count:,} {self.units}"
        )
