"""Embeddings of cells as rasters: one a year and zone, whose pixels are the cells themselves."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from affine import Affine
from pyspark.sql import DataFrame
from rasterio.transform import array_bounds

from aerial_kedro.cells.grid import COUNT, SIDE
from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import CellEmbedding
from aerial_kedro.features.source import FeatureSource

NODATA = -128
"""Of every band; stored embeddings are -127 to 127."""


@dataclass(frozen=True)
class EmbeddingGrid:
    """Where the raster of one year and zone lies: on the tile grid, each tile cut in 7 by 7.

    Parameters
    ----------
    year
        Year of the images.
    epsg
        EPSG code of the zone's CRS.
    xmin, ymax
        Upper left corner, units of the CRS.
    tile_size_m
        Side of a tile in metres.
    rows, columns
        Number of tiles from north to south and from west to east.
    """

    year: int
    epsg: int
    xmin: float
    ymax: float
    tile_size_m: float
    rows: int
    columns: int

    @property
    def name(self) -> str:
        """Name of its files."""
        return f"embeddings_{self.year}_{self.epsg}"

    @property
    def cell_size_m(self) -> float:
        """Side of a cell, which is a pixel, in metres."""
        return self.tile_size_m / SIDE

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns of pixels."""
        return self.rows * SIDE, self.columns * SIDE

    @property
    def transform(self) -> Affine:
        """Transform from ``(col, row)`` of a pixel's upper left corner to units of the CRS."""
        return Affine(self.cell_size_m, 0, self.xmin, 0, -self.cell_size_m, self.ymax)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """``(xmin, ymin, xmax, ymax)`` in units of the CRS."""
        found: tuple[float, float, float, float] = array_bounds(*self.shape, self.transform)
        return found

    def row_of(self, ymax: float) -> int:
        """Row of tiles, 0 the northernmost, of a tile whose upper edge is given."""
        return round((self.ymax - ymax) / self.tile_size_m)

    def column_of(self, xmin: float) -> int:
        """Column of tiles, 0 the westernmost, of a tile whose left edge is given."""
        return round((xmin - self.xmin) / self.tile_size_m)


@dataclass(frozen=True)
class PendingEmbeddings:
    """Rasters of embeddings that are to be written: lazy, as a Spark frame is, until then.

    Parameters
    ----------
    tiles
        ``year, epsg, xmin, ymax, cells`` of the tiles that have cells, sorted by year, zone and
        from north to south, so that each raster can be written a row of tiles at a time.
    grids
        Where the rasters lie: one for each year and zone of the tiles.
    source
        What computed the embeddings.
    """

    tiles: DataFrame
    grids: tuple[EmbeddingGrid, ...]
    source: FeatureSource


def cells_of(source: FeatureSource) -> CellEmbedding:
    """Return how a network embeds cells.

    Raises
    ------
    AerialError
        If it does not.
    """
    card = source.backbone.card
    if card.cells is None:
        raise AerialError(
            f"The features here were computed without embeddings of cells ({source}). Compute them "
            "again with a network and an engine that embed cells, such as `kedro run "
            "--pipeline=featurization --params=backbone=efficientnet_lite0,engine=onnxruntime`, "
            "then run --pipeline=export_embeddings again."
        )
    return card.cells


def band_names(embedding: CellEmbedding) -> list[str]:
    """Names of the bands: ``pc01``, ``pc02`` … for the principal components, largest first."""
    return [f"pc{number:02d}" for number in range(1, embedding.components + 1)]


def raster_tags(source: FeatureSource) -> dict[str, str]:
    """Text metadata of a raster: what its numbers are, and what made them.

    Raises
    ------
    AerialError
        If the network embeds no cells.
    """
    card, embedding = source.backbone.card, cells_of(source)
    return {
        "VALUES": "embedding = stored integer x the scale of its band; principal components",
        "BACKBONE": card.name,
        "WEIGHTS_SHA256": card.weights_sha256,
        "FEATURE_KEY": source.key,
        "CELL_LAYERS": ", ".join(embedding.layers),
        "EXPLAINED_VARIANCE": f"{embedding.explained:.4f}",
        "PROJECTION_SHA256": embedding.projection_sha256,
    }


def draw_row(
    tiles: Iterable[tuple[float, bytes]], grid: EmbeddingGrid, components: int
) -> np.ndarray:
    """Draw one row of tiles: a strip of 7 rows of pixels.

    Parameters
    ----------
    tiles
        Left edge, in units of the CRS, and cells (`aerial_kedro.cells.grid.pack`, int8) of the
        tiles of the row.
    grid
        The raster that it is a row of.
    components
        Numbers of a cell.

    Returns
    -------
    numpy.ndarray
        Array of shape ``(components, 7, 7 * grid.columns)``, int8; `NODATA` where no tile is.

    Raises
    ------
    AerialError
        If a tile has another number of values.
    """
    strip = np.full((components, SIDE, grid.columns * SIDE), NODATA, dtype=np.int8)
    for xmin, cells in tiles:
        if len(cells) != COUNT * components:
            raise AerialError(
                f"A tile of {grid.year} at x = {xmin:.0f} m (EPSG:{grid.epsg}) has {len(cells)} "
                f"bytes of cells where the network's card asks for {COUNT} x {components}: the "
                "table of features is damaged. Remove 04_feature/tile_features and run "
                "--pipeline=featurization again."
            )
        values = np.frombuffer(cells, dtype=np.int8).reshape(SIDE, SIDE, components)
        first = grid.column_of(xmin) * SIDE
        strip[:, :, first : first + SIDE] = values.transpose(2, 0, 1)
    return strip
