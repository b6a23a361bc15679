"""A run of its own in the history, below the run that compared it with others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ChildRun:
    """What the history keeps of one of several models.

    Parameters
    ----------
    name
        Of the run.
    parameters, figures, tags
        As MLflow takes them.
    """

    name: str
    parameters: Mapping[str, str]
    figures: Mapping[str, float]
    tags: Mapping[str, str]
