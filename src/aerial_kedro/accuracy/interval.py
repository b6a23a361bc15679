"""Confidence intervals, as records."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from aerial_kedro.parameters import Record


class Interval(Record, allow_inf_nan=False):
    """A range that holds the true value at a stated level of confidence.

    Parameters
    ----------
    lower, upper
        Ends of the range, in the units of what they bound.
    level
        Level of confidence; 0.95 by default.

    Examples
    --------
    >>> Interval(lower=0.71, upper=0.83)
    Interval(lower=0.71, upper=0.83, level=0.95)
    """

    lower: float
    upper: float
    level: float = Field(default=0.95, gt=0, lt=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.lower > self.upper:
            raise ValueError(
                f"An interval's lower end ({self.lower}) lies above its upper end ({self.upper})."
            )
        return self
