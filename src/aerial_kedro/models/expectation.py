"""What is to be expected of predictions of tiles: what Spark's workers run, without Spark."""

import numpy as np
import pandas as pd

from aerial_kedro.models.applicability import Applicability

EXPECTATION_COLUMNS = {"expected_accuracy": "double", "outside": "boolean"}


def expect_accuracy(
    numbers: pd.Series, probability: pd.Series, applicability: Applicability
) -> pd.DataFrame:
    """Find the expected accuracy of tiles, and which are outside of where a model holds.

    Parameters
    ----------
    numbers
        What the classifier reads of each tile, an array a row.
    probability
        Calibrated probability of the class that it predicts, 0–1.
    applicability
        Where the classifier holds.

    Returns
    -------
    pandas.DataFrame
        `EXPECTATION_COLUMNS`.
    """
    if not len(numbers):
        return pd.DataFrame({"expected_accuracy": np.empty(0), "outside": np.empty(0, dtype=bool)})
    found = applicability.apply(
        np.stack(numbers.tolist()).astype(np.float32), probability.to_numpy(np.float64)
    )
    return pd.DataFrame(
        {"expected_accuracy": found.expected.astype(np.float64), "outside": found.outside}
    )
