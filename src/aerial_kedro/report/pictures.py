"""Pictures on the report's page: tiles and maps, as plain data."""

from __future__ import annotations

from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

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

Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]
"""A colour as ``#rrggbb``: nothing else may enter the page's style sheet."""


class Record(BaseModel):
    """What all parts of the report's content have in common."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TilePicture(Record):
    """A tile with its reference label and what a model made of it."""

    picture: Picture
    label: str | None = None
    predicted: str | None = None
    probability: float | None = Field(default=None, ge=0, le=1)
    image_id: str | None = None


class MapImage(Record):
    """One year's land-cover map, one cell a tile; row 0 is the north.

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
    colours
        Colour of a class as ``#rrggbb``; classes without one get the project's own.
    confidence
        ``(rows, cols)`` probability of the likeliest class, 0–1, NaN where there is no tile.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    class_index: NDArray[np.uint8]
    classes: list[str]
    extent: tuple[float, float, float, float]
    crs: str
    colours: dict[str, Colour] = Field(default_factory=dict)
    confidence: NDArray[np.floating] | None = None

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
        if self.confidence is not None and self.confidence.shape != self.class_index.shape:
            raise ValueError(
                f"The confidence has the shape {self.confidence.shape}, the map "
                f"{self.class_index.shape}: they must be equal."
            )
        xmin, ymin, xmax, ymax = self.extent
        if not (xmin < xmax and ymin < ymax):
            raise ValueError(f"The map's extent {self.extent} is not (xmin, ymin, xmax, ymax).")
        return self
