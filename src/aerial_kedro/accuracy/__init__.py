"""How far a land-cover map can be trusted: accuracies, calibration, intervals and areas."""

from aerial_kedro.accuracy.area import AdjustedAreas, UnsampledClassError, adjusted_areas
from aerial_kedro.accuracy.baselines import majority_baseline
from aerial_kedro.accuracy.confusion import (
    ClassAccuracy,
    confusion_counts,
    macro_f1,
    overall_accuracy,
    per_class_accuracy,
    row_shares,
)
from aerial_kedro.accuracy.evaluation import Evaluation, evaluate
from aerial_kedro.accuracy.interval import Interval
from aerial_kedro.accuracy.reliability import ReliabilityBin

__all__ = [
    "AdjustedAreas",
    "ClassAccuracy",
    "Evaluation",
    "Interval",
    "ReliabilityBin",
    "UnsampledClassError",
    "adjusted_areas",
    "confusion_counts",
    "evaluate",
    "macro_f1",
    "majority_baseline",
    "overall_accuracy",
    "per_class_accuracy",
    "row_shares",
]
