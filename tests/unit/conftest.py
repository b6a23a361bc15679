import numpy as np
import pytest
from hypothesis import settings

from aerial_kedro.features.artifact import Backbone
from aerial_kedro.features.definitions import define_backbone
from aerial_kedro.features.export import export_backbone
from aerial_kedro.features.weight_files import find_weights
from aerial_kedro.features.weights import read_weights

# How long an example takes says more of the machine than of the code. The same examples each time,
# so that nobody's change fails by another's luck.
settings.register_profile("project", deadline=None, max_examples=50, derandomize=True)
settings.load_profile("project")


@pytest.fixture(scope="session")
def lite0() -> Backbone:
    """The default backbone with its real weights, its last layer alone, exported once."""
    definition = define_backbone("efficientnet_lite0")
    return export_backbone(
        definition, read_weights(find_weights(definition.name)), seed=0, pooling="last"
    )


@pytest.fixture(scope="session")
def tiles224() -> np.ndarray:
    """Five tiles of noise, coarse and fine."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 256, (5, 28, 28, 3), dtype=np.uint8)
    tiles = coarse.repeat(8, axis=1).repeat(8, axis=2)
    tiles[0] = rng.integers(0, 256, tiles[0].shape, dtype=np.uint8)
    return tiles
