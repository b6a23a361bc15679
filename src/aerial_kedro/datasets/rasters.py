"""Rasters of our own making, written as GeoTIFFs, plain or cloud optimized, and previews."""

import base64
import io
import struct
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import Literal, Unpack

import numpy as np
import rasterio
from kedro_datasets._typing import ImagePreview
from PIL import Image
from rasterio.enums import Resampling
from rasterio.shutil import copy

from aerial_kedro.datasets.base import Options, ProjectDataset
from aerial_kedro.scenes.addresses import gdal_path
from aerial_kedro.scenes.bands import RGB, bands_of
from aerial_kedro.scenes.raster import Raster

_BLOCK = 512
_SMALL = 2 * _BLOCK
COG_BLOCK = 256
"""Side of a block, pixels; a raster that is larger gets overviews."""
_EXTRA_SAMPLES = 338  # TIFF 6.0, section 18
_UNSPECIFIED = 0
_LONGEST_PX = 600  # of a preview


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


def preview_raster(path: str) -> ImagePreview:
    """Show a GeoTIFF: its colours, its colour table, or its first band in grey.

    Parameters
    ----------
    path
        Path that GDAL opens.
    """
    with rasterio.open(path, driver="GTiff") as dataset:
        scale = _LONGEST_PX / max(dataset.width, dataset.height)
        shape = (max(1, round(dataset.height * scale)), max(1, round(dataset.width * scale)))
        is_rgb = dataset.count >= len(RGB)
        shown = list(bands_of(dataset)[: len(RGB)]) if is_rgb else 1
        pixels = dataset.read(shown, out_shape=shape, resampling=Resampling.nearest)
        colours = None if is_rgb else read_colours(dataset)
    picture = Image.fromarray((np.moveaxis(pixels, 0, -1) if is_rgb else pixels).astype(np.uint8))
    if colours:
        black = (0, 0, 0)
        picture.putpalette([part for v in range(256) for part in colours.get(v, black)[:3]])
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return ImagePreview(base64.b64encode(buffer.getvalue()).decode())


def read_colours(dataset: rasterio.DatasetReader) -> dict[int, tuple[int, int, int, int]] | None:
    """Read the colours (red, green, blue, alpha) of the first band's values, if there are any."""
    try:
        return dict(dataset.colormap(1))
    except ValueError:
        return None


def to_cog(geotiff: bytes) -> bytes:
    """Lay a GeoTIFF out as a Cloud Optimized GeoTIFF.

    Overviews take the nearest pixel in every band: classes cannot be averaged, and a cell of an
    overview so shows one pixel's class with that pixel's probability.

    Parameters
    ----------
    geotiff
        Content of the file. If its first band has colours, no other band is transparency.

    Returns
    -------
    bytes
        Content of the new file; below 4 GB.
    """
    with rasterio.MemoryFile(geotiff) as memory, rasterio.MemoryFile() as made:
        with memory.open(driver="GTiff") as source:
            copy(
                source,
                made.name,
                driver="COG",
                compress="deflate",
                predictor="standard",
                level=9,
                blocksize=COG_BLOCK,
                overview_resampling="nearest",
                bigtiff="no",
            )
            has_colours = source.colorinterp[0] == rasterio.enums.ColorInterp.palette
        content = bytes(made.read())
    return _without_alpha(content) if has_colours else content


def _without_alpha(content: bytes) -> bytes:
    """Mark the bands beyond the coloured one as of no special kind.

    GDAL's copies, of its COG and its GTiff driver, mark the second band of a file with a colour
    table as alpha, whatever the source and the option ALPHA say, and QGIS would paint a probability
    as transparency. To correct it through GDAL would move the directory to the end of the file and
    spoil the layout, so the value is set in its place, in the directories of the image and of its
    overviews.
    """
    changed = bytearray(content)
    order = "<" if content[:2] == b"II" else ">"
    (offset,) = struct.unpack_from(f"{order}I", changed, 4)
    while offset:
        (entries,) = struct.unpack_from(f"{order}H", changed, offset)
        for position in range(offset + 2, offset + 2 + 12 * entries, 12):
            tag, _, count = struct.unpack_from(f"{order}HHI", changed, position)
            if tag == _EXTRA_SAMPLES and count <= 2:  # noqa: PLR2004  # two shorts lie in the entry
                struct.pack_into(f"{order}{count}H", changed, position + 8, *[_UNSPECIFIED] * count)
        (offset,) = struct.unpack_from(f"{order}I", changed, offset + 2 + 12 * entries)
    return bytes(changed)


class RasterFolderDataset(
    ProjectDataset[Mapping[str, Raster | Callable[[], Raster]], dict[str, Callable[[], Raster]]]
):
    """A folder of GeoTIFFs, saved from rasters or from functions that make one each.

    Functions are called one after another as the files are written, so that one raster is in
    memory at a time. GeoTIFFs that the folder held before go, and nothing else: Kedro's
    `PartitionedDataset` empties the whole folder, where maps have other outputs beside them.

    Parameters
    ----------
    path
        The folder.
    driver
        How each file is laid out: ``GTiff``, plain, or ``COG``, a Cloud Optimized GeoTIFF.
    **options
        Options of `ProjectDataset`.

    Raises
    ------
    ValueError
        If the driver is another one.
    """

    def __init__(
        self, *, path: str, driver: Literal["GTiff", "COG"] = "GTiff", **options: Unpack[Options]
    ) -> None:
        super().__init__(path=path, **options)
        if driver not in ("GTiff", "COG"):
            raise ValueError(f"There is no layout {driver!r} for rasters: give GTiff or COG.")
        self._driver = driver

    def load(self) -> dict[str, Callable[[], Raster]]:
        """Find the GeoTIFFs: name to a function that reads the raster."""
        return {name: partial(self._read, name) for name in self._names()}

    def save(self, data: Mapping[str, Raster | Callable[[], Raster]]) -> None:
        """Make and write each raster as ``<name>.tif``."""
        for old in self._names():
            self.remove(f"/{old}.tif")
        for name, make in data.items():
            content = encode_geotiff(make() if callable(make) else make)
            self.write_bytes(to_cog(content) if self._driver == "COG" else content, f"/{name}.tif")

    def preview(self) -> ImagePreview:
        """Show the last raster in the pipeline graph (of maps: the latest year)."""
        return preview_raster(gdal_path(f"{self._path}/{self._names()[-1]}.tif"))

    def _names(self) -> list[str]:
        return [PurePosixPath(path).stem for path in self.glob("/*.tif")]

    def _read(self, name: str) -> Raster:
        return decode_geotiff(self.read_bytes(f"/{name}.tif"))

    def _exists(self) -> bool:
        return bool(self._names())
