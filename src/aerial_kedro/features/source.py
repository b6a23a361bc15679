"""Where features come from: a backbone, and what runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Backbone, feature_key
from aerial_kedro.features.engines import AUTO, EngineChoice, available
from aerial_kedro.tiles.reading import READING_VERSION

_OF_ENGINE = {"engine", "precision"}


@dataclass(frozen=True)
class FeatureSource:
    """What computes features: a model that keeps it can be used wherever it is taken.

    Parameters
    ----------
    backbone
        The network that runs.
    choice
        The engine that runs it, and its precision.
    exported
        The network in fp32 that an int8 one was made from, kept to measure what that cost; None
        where the backbone is the export itself, or of a stored model.
    """

    backbone: Backbone
    choice: EngineChoice
    exported: Backbone | None = None

    def check_engine(self, model: str, engine: str | None = None) -> None:
        """Refuse a model whose features cannot be computed here.

        Parameters
        ----------
        model
            Name of the model.
        engine
            Engine that is to compute them; None for the one that did in training.

        Raises
        ------
        AerialError
            If the engine or precision cannot run on this machine.
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
    def named(self) -> dict[str, str]:
        """The run parameters ``backbone``, ``engine`` and ``precision`` that it stands for."""
        return {"backbone": self.backbone.card.name, **self.choice.model_dump(include=_OF_ENGINE)}

    def __str__(self) -> str:
        """Write it as run parameters."""
        return ", ".join(f"{name}={value}" for name, value in self.named.items())

    @property
    def key(self) -> str:
        """The ``feature_key`` of its features."""
        return feature_key(
            self.backbone.card, self.choice.engine, self.choice.precision, READING_VERSION
        )


class FeatureRequest(BaseModel):
    """The run parameters of features that ``--params`` holds; None for those it does not.

    Parameters
    ----------
    backbone, engine, precision
        Backbone, and what runs it.
    weights_path, pooling
        What the backbone is exported from, and how.
    """

    # A file of weights may be called 2018.
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    backbone: str | None = None
    engine: str | None = None
    precision: str | None = None
    weights_path: str | None = None
    pooling: str | None = None

    def others_than(self, own: Mapping[str, str], ignore: Sequence[str] = ()) -> list[str]:
        """List what asks for other features than those there are, as ``name=value``.

        Parameters
        ----------
        own
            Their ``backbone``, ``engine`` and ``precision`` (`FeatureSource.named`).
        ignore
            Parameters that are not compared. Those of an export agree with nothing that is
            exported already.

        Examples
        --------
        >>> own = {"backbone": "alexnet", "engine": "torch", "precision": "fp32"}
        >>> asked = FeatureRequest(backbone="alexnet", engine="auto", precision="int8")
        >>> asked.others_than(own)
        ['precision=int8']
        """
        asked = self.model_dump(exclude_none=True, exclude=set(ignore)).items()
        return [f"{name}={value}" for name, value in asked if value not in {AUTO, own.get(name)}]
