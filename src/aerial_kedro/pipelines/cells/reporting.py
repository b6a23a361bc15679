"""Nodes that evaluate the map of cells on the ground of test blocks."""

import logging

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.accuracy.block_area import BlockErrors, count_errors
from aerial_kedro.accuracy.ground import (
    CellMapSummary,
    GroundAccuracy,
    GroundSample,
    evaluate_ground,
)
from aerial_kedro.cells.grid import COUNT, unpack
from aerial_kedro.change.reference import classes_of_maps, name_cells
from aerial_kedro.labels.cells import largest_class
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.labels.land_cover import LandCoverRaster, cell_shares
from aerial_kedro.maps.fine import cells_of_column, unsure_cells
from aerial_kedro.maps.mapping import MapSettings
from aerial_kedro.models.model import TrainedModel

LOGGER = logging.getLogger(__name__)
# Test tiles of a year that are compared; more would say no more, since blocks are what counts.
_MOST_TILES = 20_000
_PERCENT = 100


def evaluate_cell_map(
    cell_predictions: DataFrame,
    predictions: DataFrame,
    cell_model: TrainedModel,
    reference_maps: list[LandCoverRaster],
    classes: LandCoverClasses,
    mapping: MapSettings,
    seed: int,
) -> tuple[CellMapSummary, BlockErrors]:
    """Compare the map of cells, and of tiles, with land cover and truth in test blocks.

    Parameters
    ----------
    cell_predictions, predictions
        What both classifiers say.
    cell_model
        The classifier of cells.
    reference_maps
        Maps of known truth; perhaps none.
    classes
        The class table.
    mapping
        The probability below which the map leaves a cell open.
    seed
        Seed of the choice of tiles, where there are many, and of the bootstrap.

    Returns
    -------
    tuple
        The accuracies, and the errors against the land cover by which areas are adjusted.
    """
    embedding = cell_model.source.backbone.card.cells
    tiles = _test_tiles(cell_predictions, predictions, seed)
    own = cell_model.card.classes
    truth = _true_cells(tiles, reference_maps, classes)
    everything = _Comparison(tiles, own, classes, mapping, seed)
    summary = CellMapSummary(
        overall=everything.with_land_cover(),
        overall_truth=everything.with_reference(*truth),
        overall_land_cover=everything.of_land_cover(*truth),
        unknown_share=everything.unknown_share,
        bytes_a_tile=COUNT * (embedding.components if embedding else 0),
    )
    _log(summary)
    errors = {}
    for year, rows in tiles.groupby("year"):
        compare = _Comparison(rows, own, classes, mapping, seed)
        errors[str(year)] = compare.errors()
        known = tuple(each[rows.index] for each in truth)
        for found, by_year in (
            (compare.with_land_cover(), summary.agreement),
            (compare.with_reference(*known), summary.truth),
            (compare.of_land_cover(*known), summary.land_cover),
        ):
            if found is not None:
                by_year[str(year)] = found
    return summary, BlockErrors(classes.names, errors)


def _log(summary: CellMapSummary) -> None:
    if summary.overall is not None:
        LOGGER.info("%s", describe_agreement(summary.overall))
    if (found := summary.overall_truth) is not None:
        LOGGER.info(
            "Against the truth: %.1f %% of the ground right, macro-F1 %.3f; one class a tile "
            "%.1f %%, and at best %.1f %%",
            *(100 * found.accuracy, found.macro_f1),
            *(100 * found.tile_map_accuracy, 100 * found.best_tile_map_accuracy),
        )


def describe_agreement(found: GroundAccuracy) -> str:
    """Say the first figure of a run in one sentence."""
    interval = found.accuracy_interval
    spread = f" ({100 * interval.lower:.1f} to {100 * interval.upper:.1f})" if interval else ""
    return (
        f"The map agrees with the land cover on {100 * found.accuracy:.1f} %{spread} of the ground "
        f"of test blocks, pure and mixed; one class a tile on {100 * found.tile_map_accuracy:.1f} "
        f"%, and at best on {100 * found.best_tile_map_accuracy:.1f} %"
    )


def _test_tiles(cell_predictions: DataFrame, predictions: DataFrame, seed: int) -> pd.DataFrame:
    """Bring some test tiles of each year to the driver, with what both maps say of them."""
    test = cell_predictions.filter("cell_split = 'test'")
    order = Window.partitionBy("year").orderBy(F.xxhash64("image_id", F.lit(seed)), "image_id")
    some = test.withColumn("number", F.row_number().over(order)).filter(
        F.col("number") <= _MOST_TILES
    )
    tiles = predictions.select("image_id", "pred_label")
    return some.drop("number").join(tiles, "image_id").orderBy("image_id").toPandas()


def _true_cells(
    tiles: pd.DataFrame, maps: list[LandCoverRaster], classes: LandCoverClasses
) -> tuple[np.ndarray, np.ndarray]:
    """Position in the class table of each cell's true class, or -1, and its share of the cell."""
    truth, share = np.full((len(tiles), COUNT), -1), np.zeros((len(tiles), COUNT))
    for year, rows in tiles.groupby("year"):
        of_year = [each for each in maps if each.year == year]
        if not of_year:
            continue
        table = classes_of_maps(of_year, classes)
        shares = cell_shares(rows.reset_index(drop=True), of_year, table)
        labels, purity = (each.reshape(len(rows), COUNT) for each in largest_class(shares))
        values = name_cells(labels, table, classes, classes.names)
        truth[rows.index] = values.astype(np.int64) - 1
        share[rows.index] = purity / _PERCENT
    return truth, share


def _unpacked(column: pd.Series) -> np.ndarray:
    """Values of cells ``(tiles, 49)``; 0 where a tile has none."""
    return cells_of_column(column).reshape(len(column), COUNT)


class _Comparison:
    """Both maps of some tiles of a year, to be compared with one reference and another."""

    def __init__(
        self,
        tiles: pd.DataFrame,
        own: list[str],
        classes: LandCoverClasses,
        mapping: MapSettings,
        seed: int,
    ) -> None:
        self._tiles, self._names, self._seed = tiles, classes.names, seed
        position = np.array([-1, *(classes.names.index(name) for name in own)])
        shown = _unpacked(tiles["cell_classes"])
        self._predicted = position[shown]
        self._unsure = unsure_cells(shown, _unpacked(tiles["cell_confidence"]), mapping)
        self._labels = _unpacked(tiles["cell_labels"]).astype(np.int64) - 1
        stored = unpack(tiles["cell_probabilities"].tolist())
        chances = stored.reshape(len(tiles), COUNT, len(own))
        self._chances = np.zeros((len(tiles), COUNT, len(self._names)))
        self._chances[..., position[1:]] = chances / chances.sum(axis=-1, keepdims=True)

    def with_reference(self, reference: np.ndarray, purity: np.ndarray) -> GroundAccuracy | None:
        """Compare the map of cells; None where the class of no cell is known."""
        return self._evaluate(self._predicted, self._chances, self._unsure, reference, purity)

    def with_land_cover(self) -> GroundAccuracy | None:
        """Compare the map of cells with the land cover."""
        purity = _unpacked(self._tiles["cell_purity"]) / _PERCENT
        return self.with_reference(self._labels, purity)

    def of_land_cover(self, reference: np.ndarray, purity: np.ndarray) -> GroundAccuracy | None:
        """Compare the land cover itself, as a map of the same cells that is sure of each."""
        if not (self._labels >= 0).any():
            return None
        sure = np.eye(len(self._names) + 1)[self._labels][..., : len(self._names)]
        sure[self._labels < 0] = 1 / len(self._names)
        nowhere = np.zeros_like(self._unsure)
        return self._evaluate(self._labels, sure, nowhere, reference, purity)

    def errors(self) -> np.ndarray:
        """Count the cells of each block by class on the map and by the land cover."""
        blocks = self._tiles["block_id"].tolist()
        return count_errors(self._predicted, self._labels, blocks, len(self._names))

    @property
    def unknown_share(self) -> float:
        """Share of the cells without a label; 1 where there are no tiles."""
        return float((self._labels < 0).mean()) if len(self._tiles) else 1.0

    def _evaluate(
        self,
        predicted: np.ndarray,
        chances: np.ndarray,
        unsure: np.ndarray,
        reference: np.ndarray,
        purity: np.ndarray,
    ) -> GroundAccuracy | None:
        if not (reference >= 0).any():
            return None
        codes = {name: position for position, name in enumerate(self._names)}
        tiles = self._tiles
        of_tile, by_cells = (
            np.array([codes.get(each, -1) for each in tiles[name]], dtype=np.int64)
            for name in ("pred_label", "class_by_cells")
        )
        sample = GroundSample(
            reference=reference,
            predicted=predicted,
            purity=purity,
            probabilities=chances,
            unsure=unsure,
            tile_classes=of_tile,
            by_cells=by_cells,
            is_pure=tiles["label"].notna().to_numpy(),
            blocks=tiles["block_id"].tolist(),
        )
        return evaluate_ground(sample, self._names, self._seed)
