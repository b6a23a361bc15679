"""Another entrance and exit change neither features nor statistics."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest

from aerial_kedro.features.artifact import Backbone
from aerial_kedro.features.engines import open_engine
from aerial_kedro.features.featurize import image_statistics
from aerial_kedro.synapseml.colour_planes import INPUT, OUTPUT, take_colour_planes


@pytest.fixture(scope="module")
def session(lite0: Backbone) -> ort.InferenceSession:
    return ort.InferenceSession(take_colour_planes(lite0.onnx))


@pytest.mark.parametrize("count", [1, 5])
def test_a_row_is_features_and_statistics(
    count: int, session: ort.InferenceSession, lite0: Backbone, tiles224: np.ndarray
) -> None:
    tiles = tiles224[:count]
    planes = tiles.transpose(0, 3, 1, 2).astype(np.float32)
    rows = session.run([OUTPUT], {INPUT: planes})[0]
    length = lite0.card.n_features
    expected = open_engine("onnxruntime", "fp32", lite0.onnx).run(tiles)
    assert rows.dtype == np.float32
    assert rows[:, :length] == pytest.approx(expected, abs=1e-5)
    assert rows[:, length:] == pytest.approx(image_statistics(tiles), abs=1e-5)
