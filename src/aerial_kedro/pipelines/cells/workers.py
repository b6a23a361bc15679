"""What Spark's workers run on cells: nothing that is imported here needs Spark or scikit-learn."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from aerial_kedro.accuracy.calibration import scale_probabilities
from aerial_kedro.cells.describe import CellInputs, describe_cells
from aerial_kedro.cells.drawing import CellRules, Quotas, draw_cells
from aerial_kedro.cells.grid import COUNT, SIDE, pack, unpack
from aerial_kedro.maps.fine import cells_of_column
from aerial_kedro.models.applicability import Applicability
from aerial_kedro.models.classifiers import Classifier
from aerial_kedro.models.numbers import pack_numbers
from aerial_kedro.schemas import CELL_PREDICTION_COLUMNS, CELL_SAMPLE_COLUMNS

PAIR_COLUMNS = {"year": "int", "mapped": "int", "label": "int", "cells": "long"}
OWN_COLUMNS = list(CELL_PREDICTION_COLUMNS)[: list(CELL_PREDICTION_COLUMNS).index("cell_classes")]
"""Columns of `CELL_PREDICTION_COLUMNS` that a tile has before it is classified."""


def describe_drawn(
    tiles: pd.DataFrame,
    inputs: CellInputs,
    quotas: Quotas,
    rules: CellRules,
    names: list[str],
    seed: int,
) -> pd.DataFrame:
    """Describe the cells that are drawn of a group's own tiles (`map_neighbourhoods`).

    Returns
    -------
    pandas.DataFrame
        `CELL_SAMPLE_COLUMNS`.
    """
    own = np.flatnonzero(
        tiles["is_own"] & tiles["cell_split"].notna() & tiles["cell_labels"].notna()
    )
    if not len(own):
        return pd.DataFrame(columns=list(CELL_SAMPLE_COLUMNS))
    described = describe_cells(tiles, inputs)
    tiles = tiles.loc[own].reset_index(drop=True)
    teaches, evaluated = draw_cells(tiles, rules, quotas, seed)
    tile, cell = np.nonzero(teaches | evaluated)
    numbers = described[own].reshape(len(own), COUNT, -1)[tile, cell]
    labels = unpack(tiles["cell_labels"].tolist()).reshape(len(tiles), COUNT)[tile, cell]
    purity = unpack(tiles["cell_purity"].tolist()).reshape(len(tiles), COUNT)[tile, cell]
    ids = tiles["image_id"].to_numpy()[tile]
    return pd.DataFrame(
        {
            "image_id": [f"{name}#{number:02d}" for name, number in zip(ids, cell, strict=True)],
            "label": np.array(names, dtype=object)[labels.astype(int) - 1],
            "purity": purity / 100,
            "split": tiles["cell_split"].to_numpy()[tile],
            "block_id": tiles["block_id"].to_numpy()[tile],
            "features": pack_numbers(numbers),
            "statistics": pack_numbers(numbers[:, 3 * inputs.components :]),
            "weight": [quotas.weights.get(int(code), 1.0) for code in labels],
            "teaches": teaches[tile, cell],
            "evaluated": evaluated[tile, cell],
        }
    )[list(CELL_SAMPLE_COLUMNS)]


def classify_cells(
    tiles: pd.DataFrame,
    inputs: CellInputs,
    classes: list[str],
    temperature: float,
    classifier: Classifier,
    applicability: Applicability | None = None,
) -> pd.DataFrame:
    """Classify the cells of a group's own tiles (`map_neighbourhoods`).

    Parameters
    ----------
    tiles
        `OWN_COLUMNS`, ``cells, cell_statistics, column, row, is_own``.
    inputs
        What the classifier reads of a cell.
    classes
        Its classes.
    temperature
        What calibrates its probabilities.
    classifier
        The classifier.
    applicability
        Where it holds; None where that is not known.

    Returns
    -------
    pandas.DataFrame
        `CELL_PREDICTION_COLUMNS`.
    """
    own = np.flatnonzero(tiles["is_own"])
    if not len(own):
        return pd.DataFrame(columns=list(CELL_PREDICTION_COLUMNS))
    described = describe_cells(tiles, inputs)
    numbers = described[own].reshape(len(own) * COUNT, -1)
    raw = classifier.probabilities(numbers.astype(np.float64))
    chances = scale_probabilities(raw, temperature)
    holds = _apply(applicability, numbers, chances.max(axis=1))
    chances = chances.reshape(len(own), SIDE, SIDE, -1)
    likeliest, names = chances.argmax(axis=-1), np.array(classes, dtype=object)
    confidence = (100 * chances.max(axis=-1)).round().clip(1, 100).astype(np.uint8)
    of_tile = chances.mean(axis=(1, 2))
    shares = np.stack([(likeliest == each).mean(axis=(1, 2)) for each in range(len(names))], axis=1)
    return (
        tiles.loc[own, OWN_COLUMNS]
        .reset_index(drop=True)
        .assign(
            cell_classes=pack((likeliest + 1).astype(np.uint8)),
            cell_confidence=pack(confidence),
            cell_probabilities=pack((255 * chances).round().astype(np.uint8)),
            class_by_cells=names[of_tile.argmax(axis=1)],
            probability_by_cells=of_tile.max(axis=1),
            shares=_by_name(shares, classes),
            **holds,
        )[list(CELL_PREDICTION_COLUMNS)]
    )


def _apply(
    applicability: Applicability | None, numbers: np.ndarray, confidence: np.ndarray
) -> dict[str, Any]:
    """Columns of where the cells of tiles, ``(tiles * 49, numbers)``, lie; null if not known."""
    if applicability is None:
        names = ("cell_expected", "cell_outside", "expected_accuracy", "outside_share")
        return dict.fromkeys(names)
    found = applicability.apply(numbers, confidence)
    expected, outside = (each.reshape(-1, SIDE, SIDE) for each in (found.expected, found.outside))
    return {
        "cell_expected": pack((100 * expected).round().clip(1, 100).astype(np.uint8)),
        "cell_outside": pack(outside.astype(np.uint8)),
        "expected_accuracy": expected.mean(axis=(1, 2), dtype=np.float64),
        "outside_share": outside.mean(axis=(1, 2)),
    }


def _by_name(shares: np.ndarray, names: list[str]) -> pd.Series:
    rows = [
        {name: float(share) for name, share in zip(names, row, strict=True) if share > 0}
        for row in shares
    ]
    return pd.Series(rows, dtype=object)


def count_pairs(frames: Iterator[pd.DataFrame], mapped: int, labels: int) -> Iterator[pd.DataFrame]:
    """Count the cells of each pair of classes (``mapInPandas``).

    Parameters
    ----------
    frames
        ``year, cell_classes, cell_labels`` of tiles.
    mapped, labels
        Number of classes of the model, and of the class table.

    Yields
    ------
    pandas.DataFrame
        ``year, mapped, label, cells``: positions of the classes; cells without either are left out.
    """
    for frame in frames:
        for year, rows in frame.groupby("year"):
            shown, known = (
                cells_of_column(rows[name]).ravel().astype(np.int64) - 1
                for name in ("cell_classes", "cell_labels")
            )
            both = (shown >= 0) & (known >= 0)
            counts = np.bincount(shown[both] * labels + known[both], minlength=mapped * labels)
            held = np.flatnonzero(counts)
            yield pd.DataFrame(
                {"mapped": held // labels, "label": held % labels, "cells": counts[held]}
            ).assign(year=year)[list(PAIR_COLUMNS)]
