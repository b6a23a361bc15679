"""What a registry of models is given: a model, what it learned from, when it becomes the best."""

import re
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field, field_validator

from aerial_kedro.models.model import TrainedModel
from aerial_kedro.parameters import CheckedModel


class RegistrySettings(CheckedModel):
    """How models are registered.

    Parameters
    ----------
    name
        Registered name, to which every run adds a version.
    alias
        Alias of the best version.
    promote
        When a new version gets the alias: ``better`` than the macro-F1 on validation of the one
        that has it, ``always`` or ``never``.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    alias: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    promote: Literal["better", "always", "never"]

    @field_validator("alias")
    @classmethod
    def _not_mlflows(cls, alias: str) -> str:
        if re.fullmatch(r"latest|v\d+", alias):
            raise ValueError(f"{alias!r} is one that MLflow keeps for itself")
        return alias


@dataclass(frozen=True)
class Registration:
    """A model on its way to the registry.

    Parameters
    ----------
    model
        The model, with its card.
    settings
        Name, alias, and when the alias moves.
    tags
        Further facts of the version.
    """

    model: TrainedModel
    settings: RegistrySettings
    tags: dict[str, str] = field(default_factory=dict)


def is_promoted(score: float | None, best: float | None, settings: RegistrySettings) -> bool:
    """Decide whether a new version gets the alias.

    Parameters
    ----------
    score, best
        Macro-F1 on validation of the new version and of the one that has the alias; None where
        it is not known, or where no version has the alias.
    settings
        The rule.

    Examples
    --------
    >>> rule = RegistrySettings(name="county", alias="best", promote="better")
    >>> is_promoted(0.7, 0.8, rule), is_promoted(0.8, 0.8, rule), is_promoted(0.81, 0.8, rule)
    (False, False, True)
    """
    if settings.promote != "better":
        return settings.promote == "always"
    return best is None or (score is not None and score > best)
