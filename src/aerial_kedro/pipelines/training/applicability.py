"""Nodes that find where the chosen classifier holds."""

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from threadpoolctl import threadpool_limits

from aerial_kedro.accuracy.calibration import scale_probabilities
from aerial_kedro.cells.describe import CellInputs
from aerial_kedro.models.applicability import Applicability
from aerial_kedro.models.holding import FEWEST_MEASURED, Known, Part, fit_applicability
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.models.numbers import stack_numbers
from aerial_kedro.pipelines.training.nodes import Candidate, Choice
from aerial_kedro.splits.folds import assign_folds

LOGGER = logging.getLogger(__name__)
# Tiles and components by which distances between tiles are found; more would find no others.
_MOST_TILES = 10_000
_COMPONENTS = 64
_TILES_A_COMPONENT = 5
_GROUPS = 3
_ROUNDING = 1e-6  # a feature that varies less, for its size, is constant
# As calibration has it: where the land cover shows two classes in a cell, its label may be wrong.
_UNMIXED = 0.99
_FEWEST_UNMIXED = 200
# What is around a cell finds unknown classes best; the cell itself is in it and adds noise.
_AROUND, _STATISTICS = 1.0, 0.7


def find_cell_applicability(
    model: TrainedModel,
    regression: Candidate,
    forest: Candidate,
    choice: Choice,
    cell_sample: DataFrame,
    tile_catalog: DataFrame,
    seed: int,
) -> TrainedModel:
    """Find where the chosen classifier of cells holds.

    Parameters
    ----------
    model
        The chosen classifier.
    regression, forest
        The candidates, with what they predicted out of fold.
    choice
        Which of them it is.
    cell_sample
        The cells that it learned from, and others of the training and validation blocks.
    tile_catalog
        Year and scene of each tile.
    seed
        Seed of every draw.
    """
    inputs = model.card.cells
    assert inputs is not None  # as its grain says
    rows = (
        cell_sample.filter("split in ('train', 'validation')")
        .select("image_id", "label", "features", "weight", "teaches", "purity", "block_id")
        .orderBy("image_id")
        .toPandas()
    )
    numbers = stack_numbers(rows.pop("features")).astype(np.float32)
    unseen = _unseen_of(choice, regression, forest)
    unmixed = set(rows.loc[rows["purity"] >= _UNMIXED, "image_id"]) & set(unseen["image_id"])
    measured = unmixed if len(unmixed) >= _FEWEST_UNMIXED else set(unseen["image_id"])
    tile = rows["image_id"].str.rsplit("#", n=1).str[0]
    rows = rows.assign(
        tile=tile,
        unit=rows["block_id"].fillna(tile),
        measured=rows["image_id"].isin(measured),
    )
    known = _gather(rows, numbers, unseen, model, tile_catalog, seed)
    found = fit_applicability(known, parts_of_cells(inputs), _penalty(regression), seed)
    return _with(model, found, known, "cells")


def parts_of_cells(inputs: CellInputs) -> list[Part]:
    """Weigh what a classifier reads of a cell: of the embeddings, that of the ground around."""
    size = inputs.components
    return [
        Part(slice(size, 2 * size), _AROUND),
        Part(slice(3 * size, None), _STATISTICS),
    ]


def find_applicability(
    model: TrainedModel,
    regression: Candidate,
    forest: Candidate,
    choice: Choice,
    labelled_features: DataFrame,
    tile_catalog: DataFrame,
    seed: int,
) -> TrainedModel:
    """Find where the chosen classifier of tiles holds; see `find_cell_applicability`."""
    rows = (
        labelled_features.filter("split in ('train', 'validation')")
        .select("image_id", "label", F.col(model.card.column).alias("numbers"))
        .orderBy(F.xxhash64("image_id", F.lit(seed)), "image_id")
        .limit(_MOST_TILES)
        .toPandas()
        .sort_values("image_id", ignore_index=True)
    )
    numbers = stack_numbers(rows.pop("numbers")).astype(np.float32)
    unseen = _unseen_of(choice, regression, forest)
    rows = rows.assign(
        tile=rows["image_id"],
        unit=rows["image_id"],
        # Those of validation blocks stand for ground that is known, if their class was learned.
        teaches=rows["label"].isin(model.card.classes),
        weight=1 / rows.groupby("label")["label"].transform("size"),
        measured=rows["image_id"].isin(set(unseen["image_id"])),
    )
    # As in `fit_applicability`: threads of OpenBLAS that wait for each other take a minute here.
    with threadpool_limits(limits=1, user_api="blas"):
        compressed = _compress(numbers)
        short = numbers @ compressed
    known = _gather(rows, short, unseen, model, tile_catalog, seed)
    found = fit_applicability(known, [Part(slice(None), 1.0)], _penalty(regression), seed)
    if found is not None:
        found = replace(found, axes=(compressed @ found.axes).astype(np.float32))
    return _with(model, found, known, "tiles")


def _unseen_of(choice: Choice, *candidates: Candidate) -> pd.DataFrame:
    (unseen,) = (each.unseen for each in candidates if each.name == choice.name)
    if unseen is None:
        raise ValueError(f"{choice.name} was chosen without predictions out of fold")
    return unseen


def _penalty(regression: Candidate) -> float:
    return float(regression.settings.model_dump()["reg_param"])


def _compress(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Find the principal components of standardised features: ``(features, components)``."""
    from scipy import linalg

    deviation = numbers.std(axis=0, dtype=np.float64)
    varies = deviation > _ROUNDING * np.abs(numbers).max(axis=0)
    scale = np.divide(1, deviation, out=np.zeros_like(deviation), where=varies)
    standard = (numbers - numbers.mean(axis=0, dtype=np.float64)) * scale
    size = numbers.shape[1]
    most = max(2, min(_COMPONENTS, len(numbers) // _TILES_A_COMPONENT, size))
    # The last ones alone: all 1,280 take twice as long.
    wanted = (max(size - most, 0), size - 1)
    _, directions = linalg.eigh(standard.T @ standard, subset_by_index=wanted)
    return np.asarray(scale[:, None] * directions[:, ::-1], np.float32)


def _gather(
    rows: pd.DataFrame, numbers: NDArray[np.float32], unseen: pd.DataFrame,
    model: TrainedModel, tile_catalog: DataFrame, seed: int,
) -> Known:  # fmt: skip
    """Bring together what was learned from and what was predicted of it out of fold."""
    chances = scale_probabilities(
        np.array(unseen["class_probabilities"].tolist()), model.card.temperature
    )
    predicted = pd.DataFrame(
        {
            "confidence": chances.max(axis=1),
            "right": (unseen["pred_label"] == unseen["label"]).to_numpy(),
        },
        index=unseen["image_id"].to_numpy(),
    ).reindex(rows["image_id"])
    fold = unseen.set_index("image_id")["fold"].astype(str).reindex(rows["image_id"])
    # What was not predicted teaches in the fold of its block: of many cells few are predicted.
    unit = rows["unit"].to_numpy()
    of_unit = pd.Series(fold.to_numpy(), index=unit).dropna().groupby(level=0).first()
    fold = fold.fillna(of_unit.reindex(unit).set_axis(fold.index)).fillna("")
    return Known(
        numbers=numbers,
        labels=rows["label"].to_numpy(dtype=object),
        folds=fold.to_numpy(dtype=object),
        groups=_group(rows, tile_catalog, seed),
        teaches=(rows["teaches"] & (fold != "").to_numpy()).to_numpy(dtype=bool),
        weights=rows["weight"].to_numpy(dtype=np.float64),
        measured=rows["measured"].to_numpy(dtype=bool),
        right=predicted["right"].fillna(value=False).to_numpy(dtype=bool),
        confidence=predicted["confidence"].fillna(0).to_numpy(),
    )


def _group(rows: pd.DataFrame, tile_catalog: DataFrame, seed: int) -> NDArray[np.object_]:
    """Find what may be left out besides blocks: years, or scenes where all are of one year."""
    places = tile_catalog.select("image_id", "year", "href", "kind").toPandas()
    places = places.set_index("image_id").reindex(rows["tile"])
    if places["year"].nunique() > 1:
        return places["year"].astype(str).to_numpy(dtype=object)
    scenes = places["href"].to_numpy()
    if (places["kind"] != "window").any() or len(set(scenes)) == 1:
        return np.full(len(rows), "", dtype=object)
    counts = pd.crosstab(scenes, rows["label"].to_numpy())
    names = assign_folds(counts, min(_GROUPS, len(counts)), seed)
    return np.array([names[each] for each in scenes], dtype=object)


def _with(
    model: TrainedModel, found: Applicability | None, known: Known, units: str
) -> TrainedModel:
    measured = f"{known.measured.sum():,}"
    if found is None:
        LOGGER.info(
            "Where the model holds is not known: %s %s were predicted out of fold, and at least "
            "%s of two folds are needed",
            measured, units, FEWEST_MEASURED,
        )  # fmt: skip
        return model
    LOGGER.info(
        "Where the model holds: %s references, from %s %s", len(found.references), measured, units
    )
    return replace(model, applicability=found)
