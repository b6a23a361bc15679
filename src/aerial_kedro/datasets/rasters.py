"""Rasters of our own making, written as GeoTIFFs, plain or cloud optimized."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import fsspec
import rasterio
from kedro.io import AbstractDataset
from kedro_datasets._typing import ImagePreview

from aerial_kedro.datasets.atomic import open_atomic
from aerial_kedro.datasets.cog import to_cog
from aerial_kedro.datasets.previews import preview_raster, read_colours
from aerial_kedro.scenes.addresses import gdal_path
from aerial_kedro.scenes.raster import Raster

_BLOCK = 512
_SMALL = 2 * _BLOCK


def encode_geotiff(raster: Raster) -> bytes:
    """Write a raster as a GeoTIFF in memory: deflated, tiled where it is large."""
    bands, height, width = raster.pixels.shape
    tiled = min(height, width) >= _SMALL
    layout = {"tiled": True, "blockxsize": _BLOCK, "blockysize": _BLOCK} if tiled else {}
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            height=height,
            width=width,
            count=bands,
            dtype=raster.pixels.dtype,
            crs=raster.crs,
            transform=raster.transform,
            nodata=raster.nodata,
            compress="deflate",
            predictor=2 if raster.pixels.dtype.kind in "ui" else 1,
            zlevel=3,
            **layout,
        ) as dataset:
            dataset.write(raster.pixels)
            dataset.update_tags(**raster.tags)
            if raster.band_names:
                dataset.descriptions = raster.band_names
            if raster.colour_table:
                dataset.write_colormap(1, dict(raster.colour_table))
        return bytes(memory.read())


def decode_geotiff(content: bytes) -> Raster:
    """Read a GeoTIFF from memory."""
    with rasterio.MemoryFile(content) as memory, memory.open(driver="GTiff") as dataset:
        return Raster(
            pixels=dataset.read(),
            transform=dataset.transform,
            crs=dataset.crs.to_string(),
            nodata=dataset.nodata,
            band_names=tuple(name or "" for name in dataset.descriptions),
            colour_table=read_colours(dataset),
            tags=dataset.tags(),
        )


def _read(filesystem: fsspec.AbstractFileSystem, name: str) -> Raster:
    return decode_geotiff(filesystem.cat_file(name))


class RasterFolderDataset(
    AbstractDataset[Mapping[str, Raster | Callable[[], Raster]], dict[str, Callable[[], Raster]]]
):
    """A folder of GeoTIFFs, saved from rasters or from functions that make one each.

    Functions are called one after another as the files are written, so that one raster is in
    memory at a time. What the folder held before goes.

    Parameters
    ----------
    path
        The folder.
    driver
        How each file is laid out: ``GTiff``, plain, or ``COG``, a Cloud Optimized GeoTIFF.
    credentials
        Of the storage.
    metadata
        For other tools; not read here.

    Raises
    ------
    ValueError
        If the driver is another one.
    """

    def __init__(
        self,
        *,
        path: str,
        driver: Literal["GTiff", "COG"] = "GTiff",
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        if driver not in ("GTiff", "COG"):
            raise ValueError(f"There is no layout {driver!r} for rasters: give GTiff or COG.")
        self._driver = driver
        self._path, self._credentials = path.rstrip("/"), credentials
        self.metadata = metadata

    def load(self) -> dict[str, Callable[[], Raster]]:
        """Find the GeoTIFFs: name to a function that reads the raster."""
        filesystem, base = fsspec.core.url_to_fs(self._path, **(self._credentials or {}))
        return {
            name.rsplit("/", 1)[-1].removesuffix(".tif"): partial(_read, filesystem, name)
            for name in sorted(filesystem.glob(f"{base}/*.tif"))
        }

    def save(self, data: Mapping[str, Raster | Callable[[], Raster]]) -> None:
        """Make and write each raster as ``<name>.tif``."""
        filesystem, base = fsspec.core.url_to_fs(self._path, **(self._credentials or {}))
        for old in filesystem.glob(f"{base}/*.tif"):
            filesystem.rm(old)
        for name, make in data.items():
            with open_atomic(f"{self._path}/{name}.tif", self._credentials) as file:
                content = encode_geotiff(make() if callable(make) else make)
                file.write(to_cog(content) if self._driver == "COG" else content)

    def preview(self) -> ImagePreview:
        """Show the last raster in the pipeline graph (of maps: the latest year)."""
        filesystem, base = fsspec.core.url_to_fs(self._path, **(self._credentials or {}))
        return preview_raster(gdal_path(sorted(filesystem.glob(f"{base}/*.tif"))[-1]))

    def _exists(self) -> bool:
        filesystem, base = fsspec.core.url_to_fs(self._path, **(self._credentials or {}))
        return bool(filesystem.glob(f"{base}/*.tif"))

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path, "driver": self._driver}
