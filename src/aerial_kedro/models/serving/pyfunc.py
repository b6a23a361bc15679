"""The served model as MLflow loads it (`mlflow.pyfunc`, ``loader_module``)."""

import base64
import binascii
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray

from aerial_kedro.models.serving.model import ServedModel, TilePredictor
from aerial_kedro.scenes.reader import TileReadError
from aerial_kedro.tiles.decoding import decode_image

IMAGE_COLUMN = "image"
# A tile is some hundred kilobytes; a request is held in memory as a whole.
MOST_CHARACTERS = 32 * 2**20
MOST_IMAGES = 256
_REPORTED = 5


def decode_images(texts: Sequence[object], size: int) -> NDArray[np.uint8]:
    """Decode pictures exactly as tiles of a folder are read.

    Parameters
    ----------
    texts
        Base64 of files that `decode_image` takes; line breaks in it do no harm.
    size
        Side of the result in pixels.

    Returns
    -------
    numpy.ndarray
        Array of shape ``(n, size, size, 3)``, uint8.

    Raises
    ------
    mlflow.exceptions.MlflowException
        Which the server answers with 400, if there are none or too many, or one of them cannot be
        decoded: no row is left out in silence.
    """
    if not texts:
        raise MlflowException.invalid_parameter_value("There is no image in the request.")
    if len(texts) > MOST_IMAGES:
        raise MlflowException.invalid_parameter_value(
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
        raise MlflowException.invalid_parameter_value(
            f"{len(problems)} of {len(texts)} images cannot be classified: "
            + "; ".join(problems[:_REPORTED])
            + (f"; and {more} more" if more > 0 else "")
            + ". Send base64 of image files, such as PNG, JPEG or TIFF, with 8-bit RGB or grey."
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


class PictureClassifier:
    """Answers MLflow's standard protocol.

    Parameters
    ----------
    predictor
        What finds the probabilities.
    """

    def __init__(self, predictor: TilePredictor) -> None:
        self._predictor = predictor

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> Any:
        """Classify pictures.

        Parameters
        ----------
        model_input
            A column ``image``: base64 of image files, such as PNG, JPEG or TIFF.
        params
            MLflow's; there are none.

        Returns
        -------
        pandas.DataFrame
            A row for each picture: ``class``, its ``probability``, ``probabilities`` (class to
            calibrated probability), ``expected_accuracy`` (0–1), and ``outside``, whether the
            picture is less like the training data than these are like each other; both are None
            where the model does not know.

        Raises
        ------
        mlflow.exceptions.MlflowException
            Which the server answers with 400, if a picture cannot be decoded.
        """
        card = self._predictor.card
        pixels = decode_images(model_input[IMAGE_COLUMN].tolist(), card.backbone.input_size)
        found, applied = self._predictor.classify(pixels)
        unknown = [None] * len(found)
        return pd.DataFrame(
            {
                "class": [card.classes[index] for index in found.argmax(axis=1)],
                "probability": found.max(axis=1),
                "probabilities": [
                    dict(zip(card.classes, row, strict=True)) for row in found.tolist()
                ],
                "expected_accuracy": unknown if applied is None else applied.expected.tolist(),
                "outside": unknown if applied is None else applied.outside.tolist(),
            }
        )


def _load_pyfunc(data_path: str) -> PictureClassifier:
    """Load the model's files; MLflow calls this by its name."""
    return PictureClassifier(TilePredictor(ServedModel.read(Path(data_path))))
