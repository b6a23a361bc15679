"""What training found, as one record."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from aerial_kedro.accuracy.evaluation import Evaluation


class ModelScores(BaseModel):
    """One classifier's accuracy on the two held-out splits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    validation: Evaluation
    test: Evaluation


class TrainingSummary(BaseModel):
    """Candidates, the choice and the baselines.

    Parameters
    ----------
    chosen, reason
        The classifier with the best macro-F1 on validation, and the reason in words.
    models
        Every candidate that was trained.
    baselines
        ``majority`` and ``image_statistics``, on the test split.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    chosen: str
    reason: str
    models: dict[str, ModelScores]
    baselines: dict[str, Evaluation]
