"""Pictures as they come over the wire: base64 text of PNG, JPEG or TIFF files."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aerial_kedro.errors import AerialError
from aerial_kedro.scenes.reader import TileReadError
from aerial_kedro.tiles.reading import decode_image

# A tile is some hundred kilobytes; a request is held in memory as a whole.
MOST_CHARACTERS = 32 * 2**20
MOST_IMAGES = 256
_REPORTED = 5


class RefusedImagesError(AerialError):
    """Pictures that cannot be classified; the message names each by its row."""


def decode_images(texts: Sequence[object], size: int) -> NDArray[np.uint8]:
    """Decode pictures exactly as tiles of a folder are read.

    Parameters
    ----------
    texts
        Base64 of PNG, JPEG or TIFF files; line breaks in it do no harm.
    size
        Side of the result in pixels.

    Returns
    -------
    numpy.ndarray
        Array of shape ``(n, size, size, 3)``, uint8.

    Raises
    ------
    RefusedImagesError
        If there are too many, or one of them cannot be decoded: no row is left out in silence.
    """
    if len(texts) > MOST_IMAGES:
        raise RefusedImagesError(
            f"There are {len(texts):,} images in the request; send at most {MOST_IMAGES} at a time."
        )
    pixels = np.empty((len(texts), size, size, 3), dtype=np.uint8)
    problems = []
    for row, text in enumerate(texts):
        try:
            pixels[row] = decode_image(_content(text), size)
        except TileReadError as error:
            problems.append(f"row {row}: {error}")
    if problems:
        more = len(problems) - _REPORTED
        raise RefusedImagesError(
            f"{len(problems)} of {len(texts)} images cannot be classified: "
            + "; ".join(problems[:_REPORTED])
            + (f"; and {more} more" if more > 0 else "")
            + ". Send base64 of PNG, JPEG or TIFF files with 8-bit RGB or grey."
        )
    return pixels


def _content(text: object) -> bytes:
    if not isinstance(text, str):
        raise TileReadError("the image is missing, or no text")
    if len(text) > MOST_CHARACTERS:
        raise TileReadError(
            f"the text has {len(text):,} characters; at most {MOST_CHARACTERS:,} are read"
        )
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise TileReadError("the text is not base64") from error
