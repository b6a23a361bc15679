"""What training found, as one record."""

from aerial_kedro.accuracy.bootstrap import PairedComparison
from aerial_kedro.accuracy.evaluation import Evaluation
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
