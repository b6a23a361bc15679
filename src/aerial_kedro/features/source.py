"""Where features come from: a backbone, and what runs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from pydantic import Field

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Backbone, feature_key
from aerial_kedro.features.engine_choice import EngineChoice
from aerial_kedro.features.engines import AUTO, Engine, available, open_engine
from aerial_kedro.features.grain import Grain
from aerial_kedro.parameters import CheckedModel
from aerial_kedro.tiles.reading import READING_VERSION

OF_EXPORT = (
    *("weights_path", "pooling", "backbone_onnx", "input_mean", "input_std", "input_size"),
)
"""Run parameters of a backbone's export: those of one that is stored are not known."""


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
        return {
            "backbone": self.backbone.card.name,
            **self.choice.model_dump(include={"engine", "precision"}),
        }

    def differences(self, other: Self) -> list[str]:
        """Name what makes another source's features others than these: ``name (own, other)``."""
        own, its = self._ingredients, other._ingredients
        found = [f"{name} ({own[name]}, now {its[name]})" for name in own if own[name] != its[name]]
        return found or ["the version of this project, which reads tiles in another way"]

    @property
    def _ingredients(self) -> dict[str, str]:
        """All that the key is made of, in words; long digests in short."""
        card = self.backbone.card
        cells = card.cells
        return {
            **self.named,
            "network": card.architecture,
            "weights": card.weights_sha256[:8],
            "pixels of a tile, by gsd_m": str(card.input_size),
            "scale of the input": f"mean {card.mean}, deviation {card.std}",
            "layers": ", ".join(card.stages) or "the last",
            "pooling": card.pooling,
            "calibration tiles of int8": str(card.calibration)[:8],
            "projection of cells": (
                f"{cells.projection_sha256[:8]} fitted on the tiles {cells.fitted_on[:8]}"
                if cells
                else "none, as with grain=tile"
            ),
        }

    def __str__(self) -> str:
        """Write it as run parameters."""
        return ", ".join(f"{name}={value}" for name, value in self.named.items())

    def open(self) -> Engine:
        """Open the backbone in the engine."""
        engine = self.choice.engine
        return open_engine(engine, self.choice.precision, self.backbone.network_for(engine))

    @property
    def key(self) -> str:
        """The ``feature_key`` of its features."""
        return feature_key(
            self.backbone.card, self.choice.engine, self.choice.precision, READING_VERSION
        )


class FeatureRequest(CheckedModel, coerce_numbers_to_str=True):
    """The run parameters of features that ``--params`` holds; None for those it does not.

    Parameters
    ----------
    backbone, engine, precision
        Backbone, and what runs it.
    weights_path, pooling, backbone_onnx, input_mean, input_std, input_size
        What the backbone is exported from, and how.
    gsd_m
        Metres a pixel of its input.
    """

    # A file of weights may be called 2018.
    backbone: str | None = None
    engine: str | None = None
    precision: str | None = None
    weights_path: str | None = None
    pooling: str | None = None
    backbone_onnx: str | None = None
    input_mean: str | None = None
    input_std: str | None = None
    input_size: str | None = None
    gsd_m: float | None = Field(default=None, gt=0)

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
        asked = self.model_dump(exclude_none=True, exclude={"gsd_m", *ignore}).items()
        return [f"{name}={value}" for name, value in asked if value not in {AUTO, own.get(name)}]

    def other_gsd(self, tile_size_m: float | None, input_size: int) -> list[str]:
        """Name the ``gsd_m`` asked for, if tiles would have another input with it.

        Parameters
        ----------
        tile_size_m
            Side of the tiles that there are features of; None where it is not known.
        input_size
            Side of their input in pixels.

        Examples
        --------
        >>> asked = FeatureRequest(gsd_m=2.0)
        >>> asked.other_gsd(224, 112), asked.other_gsd(224, 224)
        ([], ['gsd_m=2'])
        """
        if self.gsd_m is None:
            return []
        same = tile_size_m is not None and (
            Grain(tile_size_m, self.gsd_m).choose_input(input_size) == input_size
        )
        return [] if same else [f"gsd_m={self.gsd_m:g}"]
