"""Parameters of training beside those of the classifiers."""

from __future__ import annotations

from pydantic import Field, field_validator

from aerial_kedro.parameters import Record


class ValidationSettings(Record):
    """Divisions of the tiles on which the chosen classifier is evaluated besides the split.

    Parameters
    ----------
    random_split
        A random split of the same images, to show how hopeful that is.
    folds
        Block cross-validation with so many folds; 0 for none.
    leave_one_region_out
        A fold for each region; needs ``split.unit=region``.
    """

    random_split: bool = True
    folds: int = Field(default=0, ge=0)
    leave_one_region_out: bool = False

    @field_validator("folds")
    @classmethod
    def _more_than_one(cls, folds: int) -> int:
        if folds == 1:
            raise ValueError("one fold leaves nothing to train: give 0 for none, or 2 and more")
        return folds
