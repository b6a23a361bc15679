"""The parameters `labels`: when a majority is a label, and how a file of labels is read."""

from typing import Literal

from pydantic import Field

from aerial_kedro.labels.classes import Colour
from aerial_kedro.parameters import CheckedModel

LabelSource = Literal["land_cover", "own", "both", "none"]
"""Where labels come from: a land cover, a file of one's own, or both, of which the file counts.
None: the land cover was not asked for, so that a labelling page takes nothing as known."""


class LabelRules(CheckedModel):
    """Rules by which area shares become a label, and how a file of labels is read.

    Parameters
    ----------
    min_purity
        Smallest share of the majority class (0–1] that makes it the tile's label.
    class_column, year_column
        Columns of a file of labels with the names of the classes and with a year or date; None to
        have them found.
    colours
        Class to ``#rrggbb``; classes that are not named get colours well apart from these.
    """

    min_purity: float = Field(gt=0, le=1)
    class_column: str | None = None
    year_column: str | None = None
    colours: dict[str, Colour] = Field(default_factory=dict)
