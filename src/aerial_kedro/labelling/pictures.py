"""Pictures of a cell, its tile and the tiles around, small enough for hundreds on one page."""

import io
from collections.abc import Mapping

import numpy as np
from PIL import Image

from aerial_kedro.cells.grid import SIDE
from aerial_kedro.labelling.content import CellViews

AROUND = 3
"""Tiles a side of the surroundings."""

# Bytes of pictures that a task may take, as encoded; 300 tasks of them make a page of 19 MB.
_BYTES_A_TASK = 46_000
# Tried in this order until the pictures of all tasks fit; the last whether they fit or not.
_QUALITIES = (84, 72, 58, 42, 26, 10)
# A larger picture of a cell is not kept pixel by pixel.
_LOSSLESS_PX = 32
_CELL_QUALITY = 90
_MISSING = 152  # grey of what no image shows


def crop_cell(tile: np.ndarray, number: int) -> np.ndarray:
    """Cut a cell out of its tile.

    Parameters
    ----------
    tile
        Pixels ``(size, size, 3)``, uint8.
    number
        Number of the cell, row by row from the north-west.
    """
    row, column = divmod(number, SIDE)
    edges = np.linspace(0, len(tile), SIDE + 1).round().astype(int)
    return tile[edges[row] : edges[row + 1], edges[column] : edges[column + 1]]


def join_tiles(tiles: Mapping[tuple[int, int], np.ndarray], size: int) -> np.ndarray:
    """Put a tile and those around it into one picture.

    Parameters
    ----------
    tiles
        Column and row, counted from the tile in the middle to the east and north, -1 to 1, to
        pixels ``(size, size, 3)``; those that are missing are grey.
    size
        Side of a tile in pixels.
    """
    joined = np.full((AROUND * size, AROUND * size, 3), _MISSING, dtype=np.uint8)
    for (column, row), pixels in tiles.items():
        down, across = (1 - row) * size, (1 + column) * size
        joined[down : down + size, across : across + size] = pixels
    return joined


def encode_webp(pixels: np.ndarray, quality: int | None) -> bytes:
    """Encode pixels ``(rows, cols, 3)``, uint8, as WebP; without loss where quality is None."""
    buffer = io.BytesIO()
    options = {"lossless": True} if quality is None else {"quality": quality}
    Image.fromarray(pixels).save(buffer, "WEBP", method=4, **options)
    return buffer.getvalue()


def draw_views(
    tasks: Mapping[str, tuple[str, int]],
    tiles: Mapping[tuple[str, int], np.ndarray],
    surroundings: Mapping[tuple[str, int], np.ndarray],
) -> dict[str, tuple[CellViews, ...]]:
    """Draw cells in all years that there are tiles of.

    Parameters
    ----------
    tasks
        A name for each cell, to its tile and its number in it.
    tiles
        Tile and year to its pixels.
    surroundings
        Tile and year to the pixels that `join_tiles` makes.

    Returns
    -------
    dict
        Name to the views, one a year.
    """
    years: dict[str, list[int]] = {}
    for tile, year in sorted(tiles):
        years.setdefault(tile, []).append(year)
    for quality in _QUALITIES:
        encoded = [
            {place: encode_webp(pixels, quality) for place, pixels in each.items()}
            for each in (tiles, surroundings)
        ]
        found = {
            name: tuple(
                CellViews(
                    year=year,
                    cell=_draw_cell(tiles[tile, year], number),
                    tile=encoded[0][tile, year],
                    surroundings=encoded[1].get((tile, year)),
                )
                for year in years.get(tile, [])
            )
            for name, (tile, number) in tasks.items()
        }
        if _size(found) <= _BYTES_A_TASK * len(tasks):
            break
    return found


def _draw_cell(tile: np.ndarray, number: int) -> bytes:
    pixels = crop_cell(tile, number)
    return encode_webp(pixels, None if max(pixels.shape) <= _LOSSLESS_PX else _CELL_QUALITY)


def _size(found: Mapping[str, tuple[CellViews, ...]]) -> int:
    """Bytes of all pictures, each counted once."""
    views = [view for views in found.values() for view in views]
    pictures = {each for view in views for each in (view.cell, view.tile, view.surroundings)}
    return sum(len(each) for each in pictures if each is not None)
