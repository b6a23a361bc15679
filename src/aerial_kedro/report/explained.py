"""Tiles explained, as parts of a page."""

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


class ExplainedTile(Record):
    """A tile and what led to its class.

    Parameters
    ----------
    tile
        The tile.
    overlay
        The tile with what spoke for the predicted class.
    largest_drop
        Largest fall of that class's probability when one patch is covered.
    neighbours
        The nearest training tiles.
    """

    tile: TilePicture
    overlay: Picture
    largest_drop: float = Field(ge=-1, le=1)
    neighbours: list[Neighbour] = Field(default_factory=list)


class ExplainedAnswer(Record):
    """A tile of one's own choice, with all that the model says of it.

    Parameters
    ----------
    explained
        The tile, and why it got its likeliest class.
    probabilities
        Class to its calibrated probability, the likeliest first.
    mapped
        The class that the land cover gives it on the map instead; None where the model decides.
    split
        Split that the tile is in; None where it is in none.
    year
        Year of its image; None where that is not known.
    lon, lat
        Centre of the tile, in degrees; None where it has no place.
    """

    explained: ExplainedTile
    probabilities: dict[str, float]
    mapped: str | None = None
    split: str | None = None
    year: int | None = None
    lon: float | None = None
    lat: float | None = None
