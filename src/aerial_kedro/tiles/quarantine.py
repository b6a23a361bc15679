"""Tiles that could not be read, in numbers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class QuarantineSummary(BaseModel):
    """How many tiles could not be read.

    Parameters
    ----------
    tiles, quarantined
        Tiles that were to be featurized, and those of them that could not.
    reasons
        How often each reason was given.
    examples
        Some of them: ``(image_id, href, reason)``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tiles: int
    quarantined: int
    reasons: dict[str, int]
    examples: list[tuple[str, str, str]]
