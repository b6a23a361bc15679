"""Embeddings of cells as Cloud Optimized GeoTIFFs, each with a STAC item beside it."""

import json
import logging
import tempfile
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from pathlib import Path, PurePosixPath
from typing import Any, Unpack

import rasterio
from pyspark.sql import Row
from rasterio.shutil import copy
from rasterio.windows import Window

from aerial_kedro.cells.grid import SIDE
from aerial_kedro.datasets.base import Options, ProjectDataset
from aerial_kedro.datasets.cog import COG_BLOCK
from aerial_kedro.features.embedding_item import describe_item
from aerial_kedro.features.embeddings import (
    NODATA,
    EmbeddingGrid,
    PendingEmbeddings,
    band_names,
    cells_of,
    draw_row,
    raster_tags,
)
from aerial_kedro.features.source import FeatureSource

LOGGER = logging.getLogger(__name__)

_FILES = ("/embeddings_*.tif", "/embeddings_*.json")
_LEAST_CACHE = 64 * 2**20


class EmbeddingFolderDataset(ProjectDataset[PendingEmbeddings, dict[str, dict[str, Any]]]):
    """A folder of embeddings: ``embeddings_<year>_<epsg>.tif`` and ``.json``.

    Tiles come from Spark a partition at a time and are written a row of tiles at a time, on this
    machine's disk; the finished file is copied to its place. Files of years and zones that are no
    longer there go last.

    Parameters
    ----------
    path
        The folder.
    links
        Links of each item: relation to an address, best relative to the folder.
    **options
        Options of `ProjectDataset`.
    """

    _SINGLE_PROCESS = True

    def __init__(
        self, *, path: str, links: dict[str, str] | None = None, **options: Unpack[Options]
    ) -> None:
        super().__init__(path=path, **options)
        self._links = links or {}

    def load(self) -> dict[str, dict[str, Any]]:
        """Read the items: name to the item, as JSON."""
        return {name: json.loads(self.read_bytes(f"/{name}.json")) for name in self._names()}

    def save(self, data: PendingEmbeddings) -> None:
        """Compute and write every raster, and its item.

        Raises
        ------
        AerialError
            If a tile's cells are not of the length that the network's card says.
        """
        grids = {(grid.year, grid.epsg): grid for grid in data.grids}
        rows = data.tiles.toLocalIterator()
        for key, tiles in groupby(rows, key=attrgetter("year", "epsg")):
            grid = grids[key]
            with tempfile.TemporaryDirectory() as folder:
                made = write_cog(Path(folder), tiles, grid, data.source)
                self.write_file(made, f"/{grid.name}.tif")
            item = describe_item(grid, data.source, self._links)
            self.write_bytes(json.dumps(item, indent=2).encode(), f"/{grid.name}.json")
            LOGGER.info("Written: %s.tif (%d by %d cells)", grid.name, *grid.shape)
        current = {grid.name for grid in data.grids}
        for path in (path for pattern in _FILES for path in self.glob(pattern)):
            if PurePosixPath(path).stem not in current:
                self.remove(f"/{PurePosixPath(path).name}")

    def _names(self) -> list[str]:
        return [PurePosixPath(path).stem for path in self.glob(_FILES[1])]

    def _exists(self) -> bool:
        return bool(self._names())


def write_cog(
    folder: Path, tiles: Iterable[Row], grid: EmbeddingGrid, source: FeatureSource
) -> Path:
    """Write one raster of embeddings as a Cloud Optimized GeoTIFF.

    Parameters
    ----------
    folder
        A folder on this machine's disk, for the file and for one in between.
    tiles
        ``xmin, ymax, cells``, from north to south; no more than one row of tiles is in memory.
    grid
        Where the raster lies.
    source
        What computed the embeddings.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    AerialError
        If the network embeds no cells, or a tile's are not of the length that its card says.
    """
    strips, made = folder / "strips.tif", folder / "cog.tif"
    bands = cells_of(source).components
    # A row of blocks is made of this many bytes, and GDAL comes back to it for every block.
    needed = grid.shape[1] * bands * (COG_BLOCK + 2 * SIDE)
    with rasterio.Env(GDAL_CACHEMAX=max(_LEAST_CACHE, 2 * needed)):
        _write_strips(strips, tiles, grid, source)
        copy(
            strips,
            made,
            driver="COG",
            # As the community for such rasters recommends (geoembeddings.org).
            compress="zstd",
            predictor="standard",
            blocksize=COG_BLOCK,
            # The mean of embeddings is an embedding, as in AlphaEarth's files: the scales are
            # linear, and cells without data do not count.
            overview_resampling="average",
            bigtiff="if_safer",
        )
    return made


def _write_strips(
    path: Path, tiles: Iterable[Row], grid: EmbeddingGrid, source: FeatureSource
) -> None:
    """Write a GeoTIFF whose blocks are rows of tiles; one without tiles takes no space."""
    embedding = cells_of(source)
    height, width = grid.shape
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=height,
        width=width,
        count=embedding.components,
        dtype="int8",
        crs=f"EPSG:{grid.epsg}",
        transform=grid.transform,
        nodata=NODATA,
        interleave="pixel",
        blockysize=SIDE,
        compress="zstd",
        zstd_level=1,
        sparse_ok=True,
        bigtiff="if_safer",
    ) as dataset:
        dataset.scales = embedding.scales
        dataset.descriptions = band_names(embedding)
        dataset.update_tags(**raster_tags(source))
        for ymax, row in groupby(tiles, key=attrgetter("ymax")):
            strip = draw_row(((each.xmin, each.cells) for each in row), grid, embedding.components)
            dataset.write(strip, window=Window(0, grid.row_of(ymax) * SIDE, width, SIDE))
