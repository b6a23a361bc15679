"""Explanations on Spark's workers, tile by tile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aerial_kedro.explain.occlusion import occlusion, overlay
from aerial_kedro.models.serving.model import ServedModel, TilePredictor
from aerial_kedro.scenes.reader import SceneReader
from aerial_kedro.tiles.pictures import encode_jpeg
from aerial_kedro.tiles.reading import read_tiles

HEAT_COLUMNS: dict[str, str] = {
    "image_id": "string",
    "overlay": "binary",
    "largest_drop": "double",
}
NEIGHBOUR_COLUMNS: dict[str, str] = {
    "image_id": "string",
    "neighbour": "string",
    "label": "string",
    "similarity": "double",
}


def explain_tiles(
    frames: Iterator[pd.DataFrame],
    *,
    model: ServedModel,
    classes: Mapping[str, str],
    patches: int,
    picture_px: int,
) -> Iterator[pd.DataFrame]:
    """Compute which parts of the pictures are evidence for a class (``mapInPandas``).

    Parameters
    ----------
    frames
        Tiles with `aerial_kedro.tiles.reading.SOURCE_COLUMNS`.
    model
        The model.
    classes
        Image to the class to explain.
    patches
        Number of patches a side, as for `occlusion`.
    picture_px
        Side of the overlay in pixels.

    Yields
    ------
    pandas.DataFrame
        `HEAT_COLUMNS`; a tile that can no longer be read has no row.
    """
    predictor = TilePredictor(model)
    with SceneReader() as reader:
        for frame in frames:
            rows = []
            for tile, pixels in read_tiles(frame, model.card.backbone.input_size, reader):
                number = model.card.classes.index(classes[tile["image_id"]])
                drops = occlusion(pixels, predictor.probabilities, number, patches)
                picture = encode_jpeg(overlay(pixels, drops), picture_px)
                rows.append((tile["image_id"], picture, float(drops.max())))
            yield pd.DataFrame(rows, columns=list(HEAT_COLUMNS))


def nearest(
    queries: NDArray[np.floating], others: NDArray[np.floating], count: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Find the most similar vectors: those at the smallest angle.

    Parameters
    ----------
    queries, others
        Arrays of shape ``(n, n_features)`` and ``(m, n_features)``.
    count
        Number of vectors to find; fewer where there are fewer.

    Returns
    -------
    positions
        ``(n, min(count, m))``: in ``others``, the nearest first; at a tie the first of them.
        Vectors of zeros come last.
    similarity
        Cosines of the angles, of the same shape, from −1 to 1; NaN for a vector of zeros, which
        has no direction.

    Examples
    --------
    >>> positions, found = nearest(np.array([[3.0, 4.0]]), np.array([[4.0, 3.0], [6.0, 8.0]]), 2)
    >>> positions.tolist(), found.round(2).tolist()
    ([[1, 0]], [[1.0, 0.96]])
    """
    with np.errstate(invalid="ignore"):
        first, second = (
            each / np.linalg.norm(each, axis=1, keepdims=True)
            for each in (np.asarray(queries, np.float64), np.asarray(others, np.float64))
        )
    found = np.clip(first @ second.T, -1, 1)
    order = np.argsort(-found, axis=1, kind="stable")[:, :count]  # NaN sorts last
    return order, np.take_along_axis(found, order, axis=1)


def find_neighbours(
    frames: Iterator[pd.DataFrame], *, queries: Mapping[str, Sequence[float]], count: int
) -> Iterator[pd.DataFrame]:
    """Find the nearest tiles of each batch (``mapInPandas``); the nearest of all are among them.

    Parameters
    ----------
    frames
        Tiles: ``image_id, label, features``.
    queries
        Image to its features.
    count
        Number of neighbours for each.

    Yields
    ------
    pandas.DataFrame
        `NEIGHBOUR_COLUMNS`.
    """
    wanted = np.array(list(queries.values()))
    for frame in frames:
        if not len(frame):
            continue
        positions, similarity = nearest(wanted, np.stack(frame["features"].tolist()), count)
        rows = frame.iloc[positions.ravel()]
        yield pd.DataFrame(
            {
                "image_id": np.repeat(list(queries), positions.shape[1]),
                "neighbour": rows["image_id"].to_numpy(),
                "label": rows["label"].to_numpy(),
                "similarity": similarity.ravel(),
            }
        ).dropna(subset="similarity")
