"""How sure the maps on the report's page are."""

from __future__ import annotations

from pydantic import Field

from aerial_kedro.report.pictures import Record


class UnsureTiles(Record):
    """The tiles of one map that the model decided on, or left open.

    Parameters
    ----------
    tiles
        All tiles of the map.
    unsure
        Those that the map leaves open.
    smoothed
        Those that took another class than their likeliest from their neighbours.
    """

    tiles: int = Field(ge=0)
    unsure: int = Field(ge=0)
    smoothed: int = Field(ge=0)
