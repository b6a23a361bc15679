"""What the report shows of a map of cells: what taught it, and how good it is."""

from typing import Any

from pydantic import Field

from aerial_kedro.accuracy.evaluation import Evaluation
from aerial_kedro.accuracy.ground import CellMapSummary
from aerial_kedro.labels.summary import LabelSummary
from aerial_kedro.models.comparison import LeftOutAccuracy, TrainingSummary
from aerial_kedro.parameters import CheckedModel


class CellContent(CheckedModel):
    """The classifiers of cells, and how much of the ground their map has right.

    Parameters
    ----------
    training
        The classifiers, the choice and the baselines, on cells of any purity.
    ground
        The map on the ground of test blocks.
    size_m
        Side of a cell.
    infrared
        Whether the chosen classifier reads near infrared.
    components
        Numbers of a cell's embedding.
    settings
        Settings of the chosen classifier.
    """

    training: TrainingSummary
    ground: CellMapSummary
    size_m: float
    infrared: bool
    components: int
    settings: dict[str, Any] = Field(default_factory=dict)

    @property
    def test(self) -> Evaluation:
        """The chosen classifier on cells of the test split."""
        return self.training.models[self.training.chosen].test


class LabelContent(CheckedModel):
    """The labels that a map was made from, and how well it finds them where it has not seen them.

    Parameters
    ----------
    summary
        What became of the labels.
    accuracy
        The classifiers on blocks left out.
    size_m, infrared, components, settings
        As `CellContent` has them.
    """

    summary: LabelSummary
    accuracy: LeftOutAccuracy
    size_m: float
    infrared: bool
    components: int
    settings: dict[str, Any] = Field(default_factory=dict)
