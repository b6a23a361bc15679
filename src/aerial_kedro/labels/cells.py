"""Land cover of a tile's 7 by 7 cells: the area share of every class in each.

exactextract would take 49 polygons a tile. Here each cell is cut into small boxes, and each box is
spread over the pixels under it. Where the land cover's grid is parallel to the tiles' that is
exact; where it is turned (NLCD's Albers against UTM), only the boxes are taken as not turned.
"""

import itertools

import numpy as np
import shapely

from aerial_kedro.cells.grid import COUNT, SIDE
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.labels.codes import LandCoverWindow, unknown_code

FULLY_COVERED = 0.99
"""What is covered by a smaller share counts as not covered."""

# Boxes a side of a cell. With eight, a turned grid of 30 m is off by 0.1 % of a cell at most. A
# box is no wider than a pixel, so that it meets two by two; pixels below 0.5 m are sampled.
_FEWEST, _MOST = 8, 64
_BOXES_AT_A_TIME = 20_000  # which stay in the processor's cache
# Boxes may reach into a neighbouring pixel by rounding.
_ROUNDING = 1e-6


def shares_of_cells(
    window: LandCoverWindow, polygons: np.ndarray, classes: LandCoverClasses
) -> np.ndarray:
    """Share of each cell's area that each class covers.

    Parameters
    ----------
    window
        The land cover under the tiles.
    polygons
        The tiles in its CRS, ``(tiles,)``, as `tiles.squares.project_squares` makes them.
    classes
        The table from codes to classes.

    Returns
    -------
    numpy.ndarray
        float64, ``(tiles, 49, classes)``. What is nodata, background or outside the raster counts
        for no class, so that shares may sum to less than one.

    Raises
    ------
    AerialError
        If a cell holds a code that the table does not know.
    """
    positions = window.class_positions(classes)
    nothing = len(classes.names)
    corners = _pixel_corners(window, polygons)
    sides = np.hypot(corners[:, 1] - corners[:, 0], corners[:, 3] - corners[:, 0]) / SIDE
    boxes = int(np.clip(np.ceil(sides.max() - _ROUNDING), _FEWEST, _MOST))
    padded = np.pad(positions, 1, constant_values=nothing)
    shares = np.empty((len(polygons), COUNT, nothing + 2))
    step = max(1, _BOXES_AT_A_TIME // (SIDE * boxes) ** 2)
    for start in range(0, len(polygons), step):
        part = slice(start, start + step)
        shares[part] = _spread(corners[part], sides[part], boxes, padded, nothing + 2)
    if (shares[..., -1] > _ROUNDING).any():
        raise unknown_code(window.codes.data[positions > nothing][0], window.href)
    return shares[..., :nothing]


def largest_class(shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the class with the largest share of each cell, and that share.

    Parameters
    ----------
    shares
        Shares of area (0–1), ``(tiles, 7, 7, classes)``.

    Returns
    -------
    labels : numpy.ndarray
        1 + position of the class, uint8, ``(tiles, 7, 7)``; 0 where less than 99 % is covered. Of
        equal shares the first counts.
    purity : numpy.ndarray
        The share in percent, rounded, uint8, of the same shape; 0 where the label is 0.

    Raises
    ------
    ValueError
        If there are more classes than a byte tells apart.

    Examples
    --------
    >>> labels, purity = largest_class(np.full((1, 7, 7, 3), [0.2, 0.5, 0.3]))
    >>> labels[0, 0, 0], purity[0, 0, 0]
    (np.uint8(2), np.uint8(50))
    """
    if shares.shape[-1] > np.iinfo(np.uint8).max:
        raise ValueError(f"labels of cells are bytes: {shares.shape[-1]} classes are too many")
    covered = shares.sum(axis=-1) >= FULLY_COVERED
    labels = np.where(covered, 1 + shares.argmax(axis=-1), 0)
    purity = np.where(covered, np.rint(100 * shares.max(axis=-1)), 0)
    return labels.astype(np.uint8), purity.astype(np.uint8)


def _pixel_corners(window: LandCoverWindow, polygons: np.ndarray) -> np.ndarray:
    """South-west, south-east, north-east and north-west corners, in columns and rows: (n, 4, 2).

    Between them everything is taken as linear, which over a tile is so to centimetres.
    """
    rings = shapely.get_coordinates(polygons).reshape(len(polygons), -1, 2)
    # A ring is cut into as many pieces a side, and ends where it begins.
    corners = rings[:, : -1 : (rings.shape[1] - 1) // 4]
    return np.stack(~window.transform @ (corners[..., 0], corners[..., 1]), axis=-1)


def _spread(
    corners: np.ndarray, sides: np.ndarray, boxes: int, padded: np.ndarray, kinds: int
) -> np.ndarray:
    """Shares of each cell by kind of pixel, ``(tiles, 49, kinds)``.

    Parameters
    ----------
    corners
        Of the tiles, ``(tiles, 4, 2)``.
    sides
        Width and height of a cell in pixels, were it not turned, ``(tiles, 2)``.
    boxes
        Boxes a side of a cell.
    padded
        Kind of each pixel, with a pixel more on each side.
    kinds
        Their number.
    """
    number = np.arange(SIDE * boxes)
    along = (number + 0.5) / len(number)
    south_west, south_east, north_east, north_west = corners.transpose(1, 0, 2)[..., None, None]
    north = north_west + (north_east - north_west) * along
    south = south_west + (south_east - south_west) * along
    size = np.minimum(sides / boxes, 1)[..., None, None]
    low = north + (south - north) * along[:, None] - size / 2  # (tiles, 2, rows, cols) of boxes
    first = np.floor(low)
    # Share of a box, in each direction, that lies in the next pixel.
    beyond = ((low - first + size - 1) / size).clip(0, 1)
    pixel = first.astype(np.intp) + 1
    last = (padded.shape[1] - 1, padded.shape[0] - 1)
    cols, rows = (
        [(pixel[:, axis] + step).clip(0, last[axis]) for step in (0, 1)] for axis in (0, 1)
    )
    col_weights, row_weights = ((1 - beyond[:, axis], beyond[:, axis]) for axis in (0, 1))
    tile = np.arange(len(corners))[:, None, None] * COUNT
    cell = (tile + number[:, None] // boxes * SIDE + number // boxes) * kinds
    total = np.zeros(len(corners) * COUNT * kinds)
    for right, down in itertools.product((0, 1), repeat=2):
        kind = padded[rows[down], cols[right]]
        weight = row_weights[down] * col_weights[right]
        total += np.bincount((cell + kind).ravel(), weight.ravel(), minlength=len(total))
    return total.reshape(-1, COUNT, kinds) / boxes**2
