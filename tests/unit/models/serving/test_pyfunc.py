"""Pictures over the wire: read as tiles of a folder are, refused by row."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from mlflow.exceptions import MlflowException
from PIL import Image

from aerial_kedro.models.serving import pyfunc
from aerial_kedro.models.serving.pyfunc import decode_images
from aerial_kedro.tiles.reading import read_image_file

PIXELS = np.random.default_rng(5).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def encoded(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(("kind", "suffix"), [("PNG", ".png"), ("JPEG", ".jpg"), ("TIFF", ".tif")])
def test_a_picture_is_read_as_a_tile_of_a_folder_is(tmp_path: Path, kind: str, suffix: str) -> None:
    """The model learned from those pixels: others would be another picture to it."""
    path = tmp_path / f"tile{suffix}"
    path.write_bytes(encoded(kind))
    text = base64.encodebytes(path.read_bytes()).decode()  # with line breaks
    (found,) = decode_images([text], 32)
    np.testing.assert_array_equal(found, read_image_file(str(path), 32))


def test_every_bad_picture_is_named_by_its_row() -> None:
    good = base64.b64encode(encoded("PNG")).decode()
    with pytest.raises(MlflowException) as refusal:
        decode_images([good, "?", good, None], 32)
    message = str(refusal.value)
    assert "2 of 4 images" in message
    assert "row 1: the text is not base64" in message
    assert "row 3: the image is missing" in message


def test_many_bad_pictures_make_a_short_message() -> None:
    with pytest.raises(MlflowException, match="and 15 more"):
        decode_images(["?"] * 20, 32)


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MlflowException, match="There are 257 images"):
        decode_images([""] * 257, 32)
    monkeypatch.setattr(pyfunc, "MOST_CHARACTERS", 10)
    with pytest.raises(MlflowException, match="12 characters"):
        decode_images(["A" * 12], 32)
