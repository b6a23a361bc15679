"""What Spark's workers run to classify tiles: nothing that is imported here needs Spark."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from aerial_kedro.accuracy.calibration import scale_probabilities
from aerial_kedro.models.classifiers import Classifier
from aerial_kedro.models.numbers import stack_numbers

PREDICTED_COLUMNS = {
    "pred_label": "string",
    "probability": "double",
    "class_probabilities": "array<double>",
}


def predict_numbers(
    numbers: pd.Series, classifier: Classifier, classes: Sequence[str], temperature: float
) -> pd.DataFrame:
    """Classify rows.

    Parameters
    ----------
    numbers
        What the classifier reads of each row, as `models.numbers` knows it.
    classifier
        The classifier.
    classes
        Class names, in the order of its probabilities.
    temperature
        Temperature by which these are scaled.

    Returns
    -------
    pandas.DataFrame
        `PREDICTED_COLUMNS`, a row each.
    """
    if not len(numbers):
        return pd.DataFrame(columns=list(PREDICTED_COLUMNS))
    raw = classifier.probabilities(stack_numbers(numbers).astype(np.float64))
    chances = scale_probabilities(raw, temperature)
    return pd.DataFrame(
        {
            "pred_label": np.array(classes, dtype=object)[raw.argmax(axis=1)],
            "probability": chances.max(axis=1),
            "class_probabilities": list(chances),
        }
    )
