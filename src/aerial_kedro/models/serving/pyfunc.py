"""The served model as MLflow loads it (`mlflow.pyfunc`, ``loader_module``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException

from aerial_kedro.models.serving.images import RefusedImagesError, decode_images
from aerial_kedro.models.serving.model import ServedModel, TilePredictor

IMAGE_COLUMN = "image"


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
            A column ``image``: base64 of PNG, JPEG or TIFF files.
        params
            MLflow's; there are none.

        Returns
        -------
        pandas.DataFrame
            A row for each picture: ``class``, its ``probability``, and ``probabilities`` (class to
            calibrated probability).

        Raises
        ------
        mlflow.exceptions.MlflowException
            Which the server answers with 400, if a picture cannot be decoded.
        """
        card = self._predictor.card
        texts = model_input[IMAGE_COLUMN].tolist()
        if not texts:
            raise MlflowException.invalid_parameter_value("There is no image in the request.")
        try:
            pixels = decode_images(texts, card.backbone.input_size)
        except RefusedImagesError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error
        found = self._predictor.probabilities(pixels)
        return pd.DataFrame(
            {
                "class": [card.classes[index] for index in found.argmax(axis=1)],
                "probability": found.max(axis=1),
                "probabilities": [
                    dict(zip(card.classes, row, strict=True)) for row in found.tolist()
                ],
            }
        )


def _load_pyfunc(data_path: str) -> PictureClassifier:
    """Load the model's files; MLflow calls this by its name."""
    return PictureClassifier(TilePredictor(ServedModel.read(Path(data_path))))
