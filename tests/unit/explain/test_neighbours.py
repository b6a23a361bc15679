"""Nearest tiles by the angle between features."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aerial_kedro.explain.tiles import find_neighbours, nearest

VECTORS = arrays(np.float64, (4, 3), elements=st.floats(0.1, 10).map(lambda value: round(value, 2)))


@given(first=VECTORS, second=VECTORS, factor=st.floats(0.01, 100))
def test_length_does_not_count(first: np.ndarray, second: np.ndarray, factor: float) -> None:
    for one in second:  # each alone, as a tie may be broken otherwise
        _, longer = nearest(first * factor, one[None], 1)
        _, plain = nearest(first, one[None], 1)
        np.testing.assert_allclose(longer, plain, atol=1e-12)


@given(vectors=VECTORS)
def test_a_tile_is_its_own_nearest(vectors: np.ndarray) -> None:
    _, similarity = nearest(vectors, vectors, 1)
    np.testing.assert_allclose(similarity[:, 0], 1)


def test_nearest_first_and_no_direction_last() -> None:
    others = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, 0.1]])
    positions, similarity = nearest(np.array([[1.0, 0.0]]), others, 10)
    assert positions.tolist() == [[3, 2, 1, 0]]
    assert np.isnan(similarity[0, -1])


def test_batches_give_each_their_nearest() -> None:
    tiles = pd.DataFrame(
        {
            "image_id": ["a", "b", "c", "zero"],
            "label": ["x", "y", "z", "x"],
            "features": [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]],
        }
    )
    frames = [tiles.iloc[:1], tiles.iloc[:0], tiles.iloc[1:]]
    queries = {"q": [1.0, 0.1], "r": [0.0, 2.0]}
    found = pd.concat(find_neighbours(iter(frames), queries=queries, count=2))
    assert "zero" not in set(found["neighbour"])
    assert found[found["image_id"] == "q"]["neighbour"].tolist() == ["a", "c", "b"]
    assert found[found["image_id"] == "r"].max()["similarity"] == 1.0
    assert found.set_index("neighbour")["label"].to_dict() == {"a": "x", "b": "y", "c": "z"}
