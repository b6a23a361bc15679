"""Occlusion: how a model's probability changes when a part of the picture is covered."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

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
