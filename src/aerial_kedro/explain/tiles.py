"""Explanations of tiles on Spark's workers: what a probability hangs on, and similar tiles.

Occlusion shows how the probability changes when a part of the picture is covered; similar are the
tiles whose features lie at the smallest angle.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aerial_kedro.models.serving.model import ServedModel, TilePredictor
from aerial_kedro.scenes.reader import SceneReader
from aerial_kedro.tiles.reading import encode_jpeg, read_tiles

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
Predict = Callable[[NDArray[np.uint8]], NDArray[np.float64]]
"""Function from pictures, ``(n, size, size, 3)`` uint8, to probabilities, ``(n, classes)``."""

# A patch that lowers the probability by this much is shown in full colour.
_FULL_DROP = 0.5
_STRONGEST = 0.65
_FOR, _AGAINST = (214, 39, 40), (31, 119, 180)


def occlusion(
    pixels: NDArray[np.uint8], predict: Predict, class_index: int, patches: int
) -> NDArray[np.float64]:
    """Measure how much each part of a picture is evidence for a class (Zeiler and Fergus 2014).

    Each patch of a grid is painted over with the picture's mean colour, and the class's
    probability is computed again.

    Parameters
    ----------
    pixels
        The picture, ``(size, size, 3)``, uint8.
    predict
        The model's probabilities for pictures.
    class_index
        Position of the class in the model's order.
    patches
        Number of patches a side; at most ``size``.

    Returns
    -------
    numpy.ndarray
        ``(patches, patches)``: the drop in the class's probability, −1 to 1. Positive where the
        patch is evidence for the class, negative where it is evidence against it.
    """
    edges = np.linspace(0, len(pixels), patches + 1).round().astype(int)
    colour = pixels.reshape(-1, 3).mean(axis=0).round().astype(np.uint8)
    covered = np.repeat(pixels[None], patches * patches + 1, axis=0)
    for number, picture in enumerate(covered[1:]):
        row, column = divmod(number, patches)
        picture[edges[row] : edges[row + 1], edges[column] : edges[column + 1]] = colour
    found = predict(covered)[:, class_index]
    return np.asarray((found[0] - found[1:]).reshape(patches, patches))


def overlay(pixels: NDArray[np.uint8], drops: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Lay the drops over the grey picture: red is evidence for the class, blue against it.

    The scale is the same for every picture, so that a weak effect looks weak.

    Parameters
    ----------
    pixels
        The picture, ``(size, size, 3)``, uint8.
    drops
        Drops in probability, as `occlusion` returns them.

    Returns
    -------
    numpy.ndarray
        ``(size, size, 3)``, uint8.
    """
    size, patches = len(pixels), len(drops)
    edges = np.linspace(0, size, patches + 1).round().astype(int)
    patch = np.repeat(np.arange(patches), np.diff(edges))
    spread = drops[np.ix_(patch, patch)][..., None]
    strength = _STRONGEST * np.clip(np.abs(spread) / _FULL_DROP, 0, 1)
    grey = pixels.mean(axis=2, keepdims=True)
    tint = np.where(spread > 0, np.array(_FOR), np.array(_AGAINST))
    return np.asarray((grey * (1 - strength) + tint * strength).round().astype(np.uint8))


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
    predictor = None
    with SceneReader() as reader:
        for frame in frames:
            if not len(frame):  # of a task that got none, which opens no network
                continue
            predictor = predictor or TilePredictor(model)
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
