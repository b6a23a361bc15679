"""A stage of a trained model as Spark ML wrote it, read without Spark."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True)
class StoredStage:
    """One stage of a stored pipeline.

    Parameters
    ----------
    kind
        Spark's class, without its package: ``LogisticRegressionModel``.
    settings
        Spark's parameters, those that were set over the defaults.
    table
        What it learned, as Spark's model writer lays it down.
    """

    kind: str
    settings: dict[str, object]
    table: pa.Table
