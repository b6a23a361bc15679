"""Scenes and land cover: folders of GeoTIFFs, known by their headers."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import rasterio
from kedro.io import AbstractDataset
from kedro_datasets._typing import ImagePreview
from pyspark.sql import DataFrame

from aerial_kedro import spark
from aerial_kedro.datasets.listing import ListedFile, list_folder
from aerial_kedro.datasets.previews import preview_raster
from aerial_kedro.errors import AerialError
from aerial_kedro.tiles.labels import LandCoverRaster
from aerial_kedro.tiles.scenes import read_header, year_of_scene
from aerial_kedro.tiles.storage import gdal_path

_TIFF = (".tif", ".tiff")
_SAMPLE_REMEDY = (
    "Draw the embedded sample with `kedro run --pipeline=sample_data`, or give your own with "
    "--params={}=…"
)
_SCENE_COLUMNS = (
    "href string, source_version string, crs string, epsg int, transform array<double>, "
    "width int, height int, gsd_m double, year int, lon double, lat double, description string"
)


def _preview_first(path: str, credentials: dict[str, Any] | None) -> ImagePreview:
    files = list_folder(path, "The folder", "", credentials)
    return preview_raster(gdal_path(next(f.href for f in files if f.path.lower().endswith(_TIFF))))


class SceneFolderDataset(AbstractDataset[None, DataFrame]):
    """A folder of scenes; loads as a Spark frame with one row a scene (`SceneHeader`).

    Parameters
    ----------
    path
        The folder; searched with its subfolders for GeoTIFFs.
    year
        Year of scenes that do not tell theirs.
    credentials
        Of the storage.
    metadata
        For other tools; not read here.
    """

    def __init__(
        self,
        *,
        path: str,
        year: int | None = None,
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._path, self._year, self._credentials = path, year, credentials
        self.metadata = metadata

    def load(self) -> DataFrame:
        """Read the headers of all scenes."""
        files = list_folder(
            self._path, "scenes_root", _SAMPLE_REMEDY.format("scenes_root"), self._credentials
        )
        files = [file for file in files if file.path.lower().endswith(_TIFF)]
        if not files:
            raise AerialError(
                f"scenes_root={self._path} holds no GeoTIFF (.tif, .tiff). Give the folder with "
                "the scenes, or class folders of tiles with --pipeline=from_folders."
            )
        headers = [
            read_header(gdal_path(file.href), file.href, file.source_version, self._year)
            for file in files
        ]
        rows = [tuple(dataclasses.asdict(header).values()) for header in headers]
        return spark.session().createDataFrame(rows, _SCENE_COLUMNS)

    def preview(self) -> ImagePreview:
        """Show the first scene in the pipeline graph."""
        return _preview_first(self._path, self._credentials)

    def save(self, data: None) -> None:
        """Scenes are an input; the sample's are written by `RasterFolderDataset`."""
        raise NotImplementedError("Scenes are read, never written.")

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path, "year": self._year}


class LandCoverDataset(AbstractDataset[None, list[LandCoverRaster]]):
    """A land-cover raster, or a folder of them (pieces, years); loads as their headers.

    Parameters
    ----------
    path
        A GeoTIFF or a folder of GeoTIFFs.
    year
        Year of a raster whose name does not tell it.
    credentials
        Of the storage.
    metadata
        For other tools; not read here.
    """

    # Codes are looked at on at most this many cells a side: enough to recognise a recoded raster.
    _THINNED = 1024

    def __init__(
        self,
        *,
        path: str,
        year: int | None = None,
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._path, self._year, self._credentials = path, year, credentials
        self.metadata = metadata

    def load(self) -> list[LandCoverRaster]:
        """Read the headers and a thinned set of codes."""
        files = list_folder(
            self._path, "landcover_path", _SAMPLE_REMEDY.format("landcover_path"), self._credentials
        )
        files = [file for file in files if file.path.lower().endswith(_TIFF)]
        if not files:
            raise AerialError(
                f"landcover_path={self._path} is no GeoTIFF and holds none. Give the land-cover "
                "raster, or a folder of them."
            )
        return [self._read(file) for file in files]

    def _read(self, file: ListedFile) -> LandCoverRaster:
        try:
            with rasterio.open(gdal_path(file.href), driver="GTiff") as dataset:
                if dataset.crs is None:
                    raise AerialError(
                        f"The land cover {file.href} has no coordinate reference system, so its "
                        "place is unknown. Assign one (gdal_edit.py -a_srs EPSG:5070)."
                    )
                shape = (min(dataset.height, self._THINNED), min(dataset.width, self._THINNED))
                values = np.unique(dataset.read(1, out_shape=shape))
                values = values[np.isfinite(values) & (values >= 0) & (values != dataset.nodata)]
                return LandCoverRaster(
                    href=file.href,
                    year=year_of_scene(file.path, dataset.tags(), self._year),
                    crs=dataset.crs.to_wkt(),
                    bounds=tuple(dataset.bounds),
                    codes=tuple(float(value) for value in values),
                )
        except rasterio.errors.RasterioIOError as error:
            raise AerialError(
                f"The land cover {file.href} cannot be opened as a GeoTIFF ({error})."
            ) from error

    def preview(self) -> ImagePreview:
        """Show the first raster in the pipeline graph."""
        return _preview_first(self._path, self._credentials)

    def save(self, data: None) -> None:
        """Land cover is an input; the sample's is written by `RasterFolderDataset`."""
        raise NotImplementedError("The land cover is read, never written.")

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path, "year": self._year}
