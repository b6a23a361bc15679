"""Frames on their way from a pandas function back to Spark."""

from __future__ import annotations

import pandas as pd


def for_spark(frame: pd.DataFrame) -> pd.DataFrame:
    """Hold text as Python objects.

    pandas keeps text in Arrow chunks, and Spark 3.5 cannot take a column of more than one chunk.
    """
    texts = [name for name in frame.columns if isinstance(frame[name].dtype, pd.StringDtype)]
    return frame.astype(dict.fromkeys(texts, object))
