"""Folders of rasters of our own making, GeoTIFFs plain or cloud optimized, and previews."""

import base64
import io
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import Literal, Unpack

import numpy as np
import rasterio
from kedro_datasets._typing import ImagePreview
from PIL import Image
from rasterio.enums import Resampling

from aerial_kedro.datasets.base import Options, ProjectDataset
from aerial_kedro.datasets.cog import encode_cog
from aerial_kedro.datasets.geotiff import decode_geotiff, encode_geotiff, read_colours
from aerial_kedro.scenes.addresses import gdal_path
from aerial_kedro.scenes.bands import RGB, bands_of
from aerial_kedro.scenes.raster import Raster

_LONGEST_PX = 600  # of a preview


def preview_raster(path: str, driver: str = "GTiff") -> ImagePreview:
    """Show a raster: its colours, its colour table, or its first band in grey.

    Parameters
    ----------
    path
        Path that GDAL opens.
    driver
        GDAL's driver that opens it, and no other.
    """
    with rasterio.open(path, driver=driver) as dataset:
        scale = _LONGEST_PX / max(dataset.width, dataset.height)
        shape = (max(1, round(dataset.height * scale)), max(1, round(dataset.width * scale)))
        colours = read_colours(dataset)
        is_rgb = colours is None and dataset.count >= len(RGB)
        shown = list(bands_of(dataset)[: len(RGB)]) if is_rgb else 1
        pixels = dataset.read(shown, out_shape=shape, resampling=Resampling.nearest)
    picture = Image.fromarray((np.moveaxis(pixels, 0, -1) if is_rgb else pixels).astype(np.uint8))
    if colours:
        black = (0, 0, 0)
        picture.putpalette([part for v in range(256) for part in colours.get(v, black)[:3]])
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return ImagePreview(base64.b64encode(buffer.getvalue()).decode())


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
            encode = encode_cog if self._driver == "COG" else encode_geotiff
            self.write_bytes(encode(make() if callable(make) else make), f"/{name}.tif")

    def preview(self) -> ImagePreview:
        """Show the last raster in the pipeline graph (of maps: the latest year)."""
        return preview_raster(gdal_path(f"{self._path}/{self._names()[-1]}.tif"))

    def _names(self) -> list[str]:
        return [PurePosixPath(path).stem for path in self.glob("/*.tif")]

    def _read(self, name: str) -> Raster:
        return decode_geotiff(self.read_bytes(f"/{name}.tif"))

    def _exists(self) -> bool:
        return bool(self._names())
