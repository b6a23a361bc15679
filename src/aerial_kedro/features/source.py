"""Where features come from: a backbone, and what runs it."""

from __future__ import annotations

from dataclasses import dataclass

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Backbone, feature_key
from aerial_kedro.features.engines import EngineChoice, available
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

    def check_engine(self, model: str, engine: str | None = None) -> None:
        """Refuse a model whose features cannot be computed here.

        Parameters
        ----------
        model
            Its name.
        engine
            That is to compute them; None for the one that did in training.

        Raises
        ------
        AerialError
            Naming both, and what helps.
        """
        needed, precision = engine or self.choice.engine, self.choice.precision
        if precision not in available().get(needed, ()):
            raise AerialError(
                f"The model {model!r} learned from features in {precision}, which the engine "
                f"{needed!r} would compute here, and it cannot on this machine. Use one that can, "
                "choose another model with model_name=NAME, or train one with an engine and "
                "precision that this machine has."
            )

    @property
    def key(self) -> str:
        """The ``feature_key`` of its features."""
        return feature_key(
            self.backbone.card, self.choice.engine, self.choice.precision, READING_VERSION
        )
