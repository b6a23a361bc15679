"""The fine map: what each cell of a tile shows, drawn as a raster."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aerial_kedro.cells.grid import SIDE, unpack
from aerial_kedro.labels.classes import UNSURE
from aerial_kedro.maps.drawing import NODATA, describe_classes
from aerial_kedro.maps.mapping import MapSettings
from aerial_kedro.maps.mosaic import mosaic, zone_grid
from aerial_kedro.maps.parts import divide_apart
from aerial_kedro.scenes.raster import Raster

# Rows of the map that are smoothed at once: what counts votes is as large as they are.
_ROWS = 1024


def fine_map(
    tiles: pd.DataFrame, classes: Sequence[str], colours: Mapping[str, str], settings: MapSettings
) -> Raster:
    """Draw one year's cells as a raster, a pixel a cell.

    Parameters
    ----------
    tiles
        ``epsg, xmin, ymin, xmax, ymax`` (of the fixed global grid), ``cell_classes,
        cell_confidence`` (49 bytes each, null without a prediction), and ``cell_expected,
        cell_outside``, where the model knows where it holds (else null or absent); a row a tile.
    classes
        The classes that ``cell_classes`` count, from 1; the value after them is `UNSURE`.
    colours
        Class to ``#rrggbb``, of `UNSURE` too.
    settings
        Confidence below which a cell is unsure, and whether the map is smoothed.

    Returns
    -------
    Raster
        Band 1: class values; band 2: probability of the model's likeliest class in percent (1–100).
        Where the model knows where it holds, band 3: expected accuracy in percent (1–100); band 4:
        1 where the cell is outside. Nodata is 0. The grid is the tile grid of the zone with the
        most tiles, each tile cut into 7 by 7 cells; see `mosaic` for other zones.

    Raises
    ------
    AerialError
        If tiles lie so far apart that the map would be nearly all gaps, and huge
        (`TilesFarApartError`); are not of the global grid; or appear twice.
    ValueError
        If a cell has a class number beyond ``classes``.
    """
    bands = [shown_cells(tiles, classes, settings), cells_of_column(tiles["cell_confidence"])]
    if "cell_expected" in tiles and tiles["cell_expected"].notna().any():
        bands += [cells_of_column(tiles[name]) for name in ("cell_expected", "cell_outside")]
    raster = mosaic(tiles, np.stack(bands, axis=-1))
    return describe_classes(raster, [*classes, UNSURE], colours)


def shown_cells(tiles: pd.DataFrame, classes: Sequence[str], settings: MapSettings) -> np.ndarray:
    """Determine the class that the map of one year shows for each cell.

    Parameters
    ----------
    tiles, classes, settings
        As for `fine_map`. Cells whose class has no confidence are never unsure.

    Returns
    -------
    numpy.ndarray
        Class values, ``(tiles, 7, 7)`` uint8: 1 + position in ``classes``, after them `UNSURE`; 0
        without a prediction.
    """
    shown = cells_of_column(tiles["cell_classes"])
    unsure = len(classes) + 1
    if shown.max(initial=0) >= unsure:
        raise ValueError(
            f"Cells have the class number {shown.max()}, but there are only {len(classes)} classes "
            f"({', '.join(classes)}): give the classes of the model that predicted them."
        )
    confidence = cells_of_column(tiles["cell_confidence"])
    shown[unsure_cells(shown, confidence, settings)] = unsure
    if settings.smoothing:
        for epsg in tiles["epsg"].unique():
            own = np.flatnonzero(tiles["epsg"] == epsg)
            for part in divide_apart(tiles.iloc[own]):
                grid = zone_grid(tiles.iloc[own[part]], SIDE)
                smooth = smooth_cells(grid.paste(shown[own[part]]), unsure)
                shown[own[part]] = grid.cut(smooth)
    return shown


def unsure_cells(
    classes: np.ndarray, confidence: np.ndarray, settings: MapSettings
) -> NDArray[np.bool_]:
    """Determine the cells that the map leaves open: of a class, but with too little confidence.

    Parameters
    ----------
    classes, confidence
        Class values and percent, of any one shape; 0 where there is none.
    settings
        The probability that is enough.

    Returns
    -------
    numpy.ndarray
        Whether each cell is unsure, in that shape.
    """
    known = (classes != NODATA) & (confidence != NODATA)
    unsure: NDArray[np.bool_] = known & (confidence < percent(settings.min_probability))
    return unsure


def percent(probability: float) -> float:
    """Turn a probability into percent that compares with whole ones: 0.55 is 55, not a bit more.

    Examples
    --------
    >>> 0.55 * 100 > 55, percent(0.55) > 55
    (True, False)
    """
    return round(100 * probability, 6)


def smooth_cells(cells: np.ndarray, unsure: int) -> np.ndarray:
    """Assign each cell the commonest class among itself and its up to eight neighbours.

    The rule of `maps.mapping.smooth_classes`, for an array.

    Parameters
    ----------
    cells
        Class values, ``(rows, cols)`` uint8; 0 where there is no prediction: such cells neither
        vote nor get a class.
    unsure
        The value after the classes; its cells do not vote and can be filled.

    Returns
    -------
    numpy.ndarray
        Class values, as given.

    Examples
    --------
    >>> speck = np.array([[1, 1, 1, 2], [1, 2, 1, 2], [1, 1, 1, 2]], dtype=np.uint8)
    >>> smooth_cells(speck, unsure=3)
    array([[1, 1, 1, 2],
           [1, 1, 1, 2],
           [1, 1, 1, 2]], dtype=uint8)
    """
    padded = np.pad(cells, 1)
    smooth = np.empty_like(cells)
    for start in range(0, len(cells), _ROWS):
        part = padded[start : start + _ROWS + 2]
        smooth[start : start + _ROWS] = _smooth_inside(part, unsure)
    return smooth


def _smooth_inside(cells: np.ndarray, unsure: int) -> np.ndarray:
    """Smooth all but the outermost rows and columns, and return the rest."""
    own = cells[1:-1, 1:-1]
    best, most = np.zeros_like(own), np.zeros_like(own)
    tied = np.zeros(own.shape, dtype=bool)
    for value in range(1, unsure):
        is_class = (cells == value).view(np.uint8)
        across = is_class[:, :-2] + is_class[:, 1:-1] + is_class[:, 2:]
        votes = across[:-2] + across[1:-1] + across[2:]
        tied = (votes == most) | (tied & (votes < most))  # without votes, all classes tie
        best[votes > most] = value
        most = np.maximum(most, votes)
    smooth: np.ndarray = np.where((own != NODATA) & ~tied, best, own)
    return smooth


def cells_of_column(column: pd.Series) -> np.ndarray:
    """Take the values of cells out of a binary column: ``(tiles, 7, 7)`` uint8, 0 where null."""
    known = column.notna().to_numpy()
    cells = np.zeros((len(column), SIDE, SIDE), dtype=np.uint8)
    if known.any():
        cells[known] = unpack(column[known].tolist())
    return cells
