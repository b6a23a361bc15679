"""Pictures on the pages, as plain data: tiles, tiles explained, maps."""

from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, model_validator

from aerial_kedro.labels.classes import Colour
from aerial_kedro.parameters import CheckedModel

NO_DATA = 255
"""Class index of a map cell that no tile covers."""

_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


def image_media_type(data: bytes) -> str:
    """Media type of an encoded picture, from its first bytes.

    Raises
    ------
    ValueError
        If it is neither PNG nor JPEG: no other format opens in every browser and print service.

    Examples
    --------
    >>> image_media_type(bytes.fromhex("ffd8ffe000104a46"))
    'image/jpeg'
    """
    for signature, media_type in _SIGNATURES.items():
        if data.startswith(signature):
            return media_type
    raise ValueError(
        f"A picture of the report is neither PNG nor JPEG (it begins with {data[:8]!r}): encode it."
    )


def _is_picture(data: bytes) -> bytes:
    image_media_type(data)
    return data


Picture = Annotated[bytes, AfterValidator(_is_picture)]
"""An encoded PNG or JPEG file."""


class TilePicture(CheckedModel):
    """A tile with its reference label and what a model made of it."""

    picture: Picture
    label: str | None = None
    predicted: str | None = None
    probability: float | None = Field(default=None, ge=0, le=1)
    image_id: str | None = None


class Neighbour(CheckedModel):
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


class ExplainedTile(CheckedModel):
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


class ExplainedAnswer(CheckedModel):
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


class MapImage(CheckedModel, arbitrary_types_allowed=True):
    """One year's land-cover map, a pixel a tile or a cell of 32 m; row 0 is the north.

    Parameters
    ----------
    class_index
        ``(rows, cols)`` uint8: position in ``classes``, or :data:`NO_DATA`.
    classes
        Class names.
    extent
        ``(xmin, ymin, xmax, ymax)`` in the units of the CRS, metres.
    crs
        The CRS in words or as a code: "EPSG:26915".
    confidence
        ``(rows, cols)`` probability of the likeliest class, 0–1, NaN where there is no tile.
    expected, outside
        ``(rows, cols)`` expected accuracy, 0–1, as ``confidence``, and whether a cell lies outside
        of where the model holds; None where it does not know.
    colours
        Colours of the user's own for some of the classes.
    """

    class_index: NDArray[np.uint8]
    classes: list[str]
    extent: tuple[float, float, float, float]
    crs: str
    confidence: NDArray[np.floating] | None = None
    expected: NDArray[np.floating] | None = None
    outside: NDArray[np.bool_] | None = None
    colours: dict[str, Colour] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.class_index.ndim != 2:  # noqa: PLR2004
            raise ValueError(f"A map has the shape (rows, cols), not {self.class_index.shape}.")
        unknown = set(np.unique(self.class_index).tolist()) - {*range(len(self.classes)), NO_DATA}
        if unknown:
            raise ValueError(
                f"The map holds the class numbers {sorted(unknown)}, but there are only "
                f"{len(self.classes)} classes: give their names, or mark the cells {NO_DATA}."
            )
        for name in ("confidence", "expected", "outside"):
            found = getattr(self, name)
            if found is not None and found.shape != self.class_index.shape:
                raise ValueError(
                    f"The map's {name} has the shape {found.shape}, its classes "
                    f"{self.class_index.shape}: they must be equal."
                )
        xmin, ymin, xmax, ymax = self.extent
        if not (xmin < xmax and ymin < ymax):
            raise ValueError(f"The map's extent {self.extent} is not (xmin, ymin, xmax, ymax).")
        return self


class ImageryPicture(CheckedModel, arbitrary_types_allowed=True):
    """Imagery of the ground that a map shows; row 0 is the north.

    Parameters
    ----------
    pixels
        Red, green, blue, ``(rows, cols, 3)`` uint8.
    extent
        ``(xmin, ymin, xmax, ymax)`` in the units of the map's CRS.
    """

    pixels: NDArray[np.uint8]
    extent: tuple[float, float, float, float]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.pixels.dtype != np.uint8 or self.pixels.shape[2:] != (3,):
            raise ValueError(
                f"Imagery is uint8(rows, cols, 3), not {self.pixels.dtype}{self.pixels.shape}."
            )
        xmin, ymin, xmax, ymax = self.extent
        if not (xmin < xmax and ymin < ymax):
            raise ValueError(f"The extent {self.extent} is not (xmin, ymin, xmax, ymax).")
        return self
