"""Where features come from: a backbone, and what runs it."""

from __future__ import annotations

from dataclasses import dataclass

from aerial_kedro.backbones.artifact import Backbone, feature_key
from aerial_kedro.backbones.engines import EngineChoice
from aerial_kedro.tiles.reading import READING_VERSION


@dataclass(frozen=True)
class FeatureSource:
    """What computes features: a model that keeps it can be used wherever it is taken.

    Parameters
    ----------
    backbone
        The network.
    choice
        What runs it.
    """

    backbone: Backbone
    choice: EngineChoice

    @property
    def key(self) -> str:
        """The ``feature_key`` of its features."""
        return feature_key(
            self.backbone.card, self.choice.engine, self.choice.precision, READING_VERSION
        )
