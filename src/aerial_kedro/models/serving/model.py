"""A model that is ready to be served: a backbone, a classifier, and the files that hold them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from aerial_kedro.accuracy.calibration import scale_probabilities
from aerial_kedro.features.artifact import BackboneCard
from aerial_kedro.features.engines import open_engine
from aerial_kedro.features.featurize import image_statistics
from aerial_kedro.models.applicability import Applicability, Applied
from aerial_kedro.models.classifiers import Floats, ForestClassifier, LinearClassifier
from aerial_kedro.parameters import CheckedModel

ENGINE = "onnxruntime"
_BACKBONE, _CLASSIFIER, _CARD = "backbone.onnx", "classifier.npz", "card.json"
_APPLICABILITY = "applicability.npz"


class ServedCard(CheckedModel):
    """What is known of a served model.

    Parameters
    ----------
    model_name
        Name of the trained model.
    classifier
        ``logistic_regression`` or ``random_forest``.
    classes
        Class names, in the order of its probabilities.
    column
        What it reads: the backbone's ``features``, or plain ``statistics`` of the picture.
    temperature
        Temperature of its probabilities.
    feature_key
        Key of the features that it was trained on.
    precision
        Precision of those features.
    backbone
        Card of the backbone.
    """

    model_name: str
    classifier: str
    classes: list[str]
    column: str
    temperature: float
    feature_key: str
    precision: str
    backbone: BackboneCard


@dataclass(frozen=True)
class ServedModel:
    """A model with all that it needs.

    Parameters
    ----------
    onnx
        The backbone's file.
    classifier
        What reads its features; its probabilities are not calibrated yet.
    card
        The description of both.
    applicability
        Where the model holds; None where that is not known.
    """

    onnx: bytes
    classifier: LinearClassifier | ForestClassifier
    card: ServedCard
    applicability: Applicability | None = None

    def probabilities(self, features: NDArray[np.floating]) -> Floats:
        """Calibrated probabilities.

        Parameters
        ----------
        features
            Array of shape ``(n, n_features)``.

        Returns
        -------
        numpy.ndarray
            Array of shape ``(n, classes)``, float64, whose rows sum to 1.
        """
        found = self.classifier.probabilities(np.asarray(features, dtype=np.float64))
        return scale_probabilities(found, self.card.temperature)

    def write(self, folder: Path) -> None:
        """Write the model's files."""
        (folder / _BACKBONE).write_bytes(self.onnx)
        np.savez_compressed(folder / _CLASSIFIER, **vars(self.classifier))
        (folder / _CARD).write_text(self.card.model_dump_json(indent=2), encoding="utf-8")
        if self.applicability is not None:
            (folder / _APPLICABILITY).write_bytes(self.applicability.to_npz())

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what `write` wrote; nothing in it is executed."""
        card = ServedCard.model_validate_json((folder / _CARD).read_bytes())
        with np.load(folder / _CLASSIFIER, allow_pickle=False) as arrays:
            found = dict(arrays)
        kind = ForestClassifier if "roots" in found else LinearClassifier
        holds = folder / _APPLICABILITY
        applicability = Applicability.from_npz(holds.read_bytes()) if holds.is_file() else None
        return cls((folder / _BACKBONE).read_bytes(), kind(**found), card, applicability)


class TilePredictor:
    """Classes of pictures: the backbone in ONNX Runtime, the classifier in numpy.

    Parameters
    ----------
    model
        The model.
    """

    def __init__(self, model: ServedModel) -> None:
        self.card = model.card
        self._model = model
        self._engine = open_engine(ENGINE, model.card.precision, model.onnx)

    def features(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Compute what the classifier reads.

        Parameters
        ----------
        pixels
            Array of shape ``(n, size, size, 3)``, uint8, at least one picture.
        """
        if self.card.column == "statistics":
            return np.asarray(image_statistics(pixels))
        return self._engine.run_in_batches(pixels)

    def probabilities(self, pixels: NDArray[np.uint8]) -> Floats:
        """Calibrated probabilities, ``(n, classes)``, of pictures, ``(n, size, size, 3)`` uint8."""
        return self._model.probabilities(self.features(pixels))

    def classify(self, pixels: NDArray[np.uint8]) -> tuple[Floats, Applied | None]:
        """Find what `probabilities` finds, and what to expect of it; None where not known."""
        features = self.features(pixels)
        found, applicability = self._model.probabilities(features), self._model.applicability
        if applicability is None:
            return found, None
        return found, applicability.apply(features, found.max(axis=1))
