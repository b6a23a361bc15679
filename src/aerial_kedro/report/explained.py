"""Errors explained, as part of the page."""

from __future__ import annotations

from pydantic import Field

from aerial_kedro.report.pictures import Picture, Record, TilePicture


class Neighbour(Record):
    """A training tile that is like another to the model.

    Parameters
    ----------
    tile
        Its picture and label.
    similarity
        Cosine of the two tiles' features.
    """

    tile: TilePicture
    similarity: float = Field(ge=-1, le=1)


class ExplainedError(Record):
    """A confident error and what led to it.

    Parameters
    ----------
    tile
        The tile.
    overlay
        The tile with what spoke for the wrong class.
    largest_drop
        In the wrong class's probability, when the patch that spoke most for it is covered.
    neighbours
        The nearest training tiles.
    """

    tile: TilePicture
    overlay: Picture
    largest_drop: float = Field(ge=-1, le=1)
    neighbours: list[Neighbour] = Field(default_factory=list)
