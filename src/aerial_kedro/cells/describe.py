"""What a classifier learns of a cell: its own embedding, that of the ground around it, plain bands.

A cell sees beyond its borders: the mean of itself and its eight neighbours, across the borders of
tiles where the neighbour is there, and the mean of its tile.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from aerial_kedro.cells.grid import SIDE, pack, unpack
from aerial_kedro.cells.statistics import BANDS, decode_statistics, keep_visible
from aerial_kedro.parameters import CheckedModel

# Statistics are scaled to this deviation: about that of the first principal components, which keep
# their own scale. Scaled to 1 each, the last components would count as much as the first, and with
# few labels that costs more than all else.
STATISTICS_DEVIATION = 3.0
COLOUR_COLUMNS = {"image_id": "string", "colours": "binary"}


class CellInputs(CheckedModel):
    """How what is stored of cells becomes the numbers that a classifier reads.

    Parameters
    ----------
    scales
        Scale of each component of the embedding.
    infrared
        Whether near infrared is among the statistics.
    means, deviations
        Of each statistic over the training cells, by which it is standardised.
    """

    scales: tuple[float, ...]
    infrared: bool
    means: tuple[float, ...]
    deviations: tuple[float, ...]

    @property
    def components(self) -> int:
        """Number of components of the embedding."""
        return len(self.scales)

    def standardise(self, statistics: np.ndarray) -> np.ndarray:
        """Scale decoded statistics ``(…, 6 or 10)`` to the classifier's: float32."""
        scale = STATISTICS_DEVIATION / np.asarray(self.deviations, dtype=np.float32)
        found = (statistics - np.asarray(self.means, dtype=np.float32)) * scale
        return np.asarray(found, dtype=np.float32)


def measure_statistics(statistics: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation of each statistic; a deviation of 0 counts as 1.

    Parameters
    ----------
    statistics
        Decoded, ``(cells, 6 or 10)``.
    """
    deviations = statistics.std(axis=0)
    deviations[deviations == 0] = 1
    return tuple(map(float, statistics.mean(axis=0))), tuple(map(float, deviations))


def read_statistics(column: Sequence[bytes], *, infrared: bool) -> np.ndarray:
    """Decode the column ``cell_statistics`` of tiles: ``(tiles, 7, 7, 6 or 10)``, float32.

    Parameters
    ----------
    column
        Of tiles with and without near infrared.
    infrared
        Whether near infrared is wanted: then every tile must have it.
    """
    if infrared:
        return decode_statistics(unpack(column))
    lengths = np.array([len(each) for each in column])
    found = np.empty((len(column), SIDE, SIDE, 6), dtype=np.float32)
    for length in np.unique(lengths):
        chosen = np.flatnonzero(lengths == length)
        stored = unpack([column[each] for each in chosen.tolist()])
        visible = keep_visible(stored) if stored.shape[-1] > found.shape[-1] else stored
        found[chosen] = decode_statistics(visible)
    return found


def average_colours(frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Read the mean colour of each cell from what is stored (the form that ``mapInPandas`` takes).

    Parameters
    ----------
    frames
        ``image_id, cell_statistics``.

    Yields
    ------
    pandas.DataFrame
        `COLOUR_COLUMNS`: red, green and blue of each cell, `pack` of ``(tiles, 7, 7, 3)`` uint8.
    """
    for frame in frames:
        means = read_statistics(frame["cell_statistics"].tolist(), infrared=False)
        colours = means[..., : len(BANDS)].round().astype(np.uint8)
        names = frame["image_id"].astype(object)  # which Spark takes whatever its chunks
        yield pd.DataFrame({"image_id": names, "colours": pack(colours)})


def describe_cells(tiles: pd.DataFrame, inputs: CellInputs) -> np.ndarray:
    """Describe the cells of neighbouring tiles.

    Parameters
    ----------
    tiles
        ``column, row`` on the tile grid (row 0 is the southernmost), ``cells, cell_statistics``;
        of one zone and year, near each other.
    inputs
        How to read them.

    Returns
    -------
    numpy.ndarray
        ``(tiles, 7, 7, numbers)``, float32: embedding, mean of the embeddings around, mean of the
        tile's, statistics.
    """
    own = unpack(tiles["cells"].tolist(), np.int8) * np.asarray(inputs.scales, dtype=np.float32)
    around = average_around(own, tiles["column"].to_numpy(), tiles["row"].to_numpy())
    of_tile = np.broadcast_to(own.mean(axis=(1, 2), keepdims=True), own.shape)
    statistics = read_statistics(tiles["cell_statistics"].tolist(), infrared=inputs.infrared)
    parts = [own, around, of_tile, inputs.standardise(statistics)]
    return np.concatenate(parts, axis=-1, dtype=np.float32)


def average_around(cells: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Average every cell with those of its eight neighbours that are there.

    Parameters
    ----------
    cells
        ``(tiles, 7, 7, channels)``, float32.
    columns, rows
        ``(tiles,)``: place of each tile on the grid, in tiles; rows count from the south.

    Returns
    -------
    numpy.ndarray
        Of the shape of ``cells``.

    Examples
    --------
    A cell at the border sees the neighbouring tile:

    >>> cells = np.zeros((2, 7, 7, 1), dtype=np.float32)
    >>> cells[1] = 9
    >>> found = average_around(cells, np.array([0, 1]), np.array([0, 0]))[0, 3, :, 0]
    >>> found.round(1).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0]
    """
    from scipy.ndimage import uniform_filter

    across, down = columns - columns.min(), rows.max() - rows
    height, width = int(down.max() + 1), int(across.max() + 1)
    mosaic = np.zeros((height, SIDE, width, SIDE, cells.shape[-1]), dtype=np.float32)
    there = np.zeros((height, SIDE, width, SIDE, 1), dtype=np.float32)
    mosaic[down, :, across] = cells
    there[down, :, across] = 1
    size = (3, 3, 1)
    sums, counts = (
        uniform_filter(
            each.reshape(height * SIDE, width * SIDE, -1), size, mode="constant", cval=0.0
        )
        for each in (mosaic, there)
    )
    means = sums / np.maximum(counts, np.finfo(np.float32).eps)
    tiled = means.reshape(mosaic.shape)
    return np.ascontiguousarray(tiled[down, :, across])
