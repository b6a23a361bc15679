"""Scenes and land cover: folders of GeoTIFFs, known by their headers."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import fsspec
import numpy as np
import rasterio
from kedro.io import AbstractDataset
from kedro_datasets._typing import ImagePreview
from pyspark.sql import DataFrame

from aerial_kedro.cluster import spark
from aerial_kedro.datasets.listing import ListedFile, list_folder
from aerial_kedro.datasets.previews import preview_raster
from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.access import current_rules
from aerial_kedro.imagery.remote import RemoteReadError, fingerprint, is_remote, read_remote
from aerial_kedro.imagery.scene_list import ListedScene, SceneList, parse_scene_list
from aerial_kedro.labels.classes import read_legend
from aerial_kedro.labels.land_cover import LandCoverRaster
from aerial_kedro.scenes.addresses import check_href, gdal_path
from aerial_kedro.scenes.headers import SceneHeader, read_header, year_of_scene
from aerial_kedro.scenes.limits import check_size

TIFF = (".tif", ".tiff")
_LIST = (".json", ".csv")
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
    return preview_raster(gdal_path(next(f.href for f in files if f.path.lower().endswith(TIFF))))


class SceneFolderDataset(AbstractDataset[None, DataFrame]):
    """A folder or list of scenes; loads as a Spark frame with one row a scene (`SceneHeader`).

    Parameters
    ----------
    path
        The folder; searched with its subfolders for GeoTIFFs. Or a scene list (.json, .csv), as
        the pipeline `acquisition` makes one; its scenes may be on the web.
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
        is_list = str(self._path).lower().endswith(_LIST)
        headers = self._read_listed() if is_list else self._read_folder()
        rows = [tuple(dataclasses.asdict(header).values()) for header in headers]
        return spark.session().createDataFrame(rows, _SCENE_COLUMNS)

    def _read_folder(self) -> list[SceneHeader]:
        files = list_folder(
            self._path, "scenes_root", _SAMPLE_REMEDY.format("scenes_root"), self._credentials
        )
        files = [file for file in files if file.path.lower().endswith(TIFF)]
        if not files:
            raise AerialError(
                f"scenes_root={self._path} holds no GeoTIFF (.tif, .tiff). Give the folder with "
                "the scenes, or class folders of tiles with --pipeline=from_folders."
            )
        return [
            read_header(gdal_path(file.href), file.href, file.source_version, self._year)
            for file in files
        ]

    def _read_listed(self) -> list[SceneHeader]:
        scenes = self._scene_list().scenes
        # Waiting for servers is most of the work.
        with ThreadPoolExecutor(current_rules().threads) as pool:
            return list(pool.map(self._read_one, scenes))

    def _scene_list(self) -> SceneList:
        filesystem, name = fsspec.core.url_to_fs(self._path, **(self._credentials or {}))
        if not filesystem.exists(name):
            raise AerialError(
                f"scenes_root={self._path} does not exist. Make a scene list with `kedro run "
                "--pipeline=acquisition`, or give a folder of scenes."
            )
        return parse_scene_list(filesystem.cat_file(name), self._path)

    def _read_one(self, scene: ListedScene) -> SceneHeader:
        href = check_href(scene.href)
        if is_remote(href):
            header = _read_remote_header(href, scene.year or self._year)
        else:
            [file] = list_folder(href, f"A scene of {self._path}", "Mend the list.")
            header = read_header(
                gdal_path(href), href, file.source_version, scene.year or self._year
            )
        return dataclasses.replace(header, year=scene.year or header.year)

    def preview(self) -> ImagePreview:
        """Show the first scene in the pipeline graph; looking at it asks nothing of the web."""
        if str(self._path).lower().endswith(_LIST):
            raise AerialError("A list of scenes has no preview.")
        return _preview_first(self._path, self._credentials)

    def save(self, data: None) -> None:
        """Scenes are an input; the sample's are written by `RasterFolderDataset`."""
        raise NotImplementedError("Scenes are read, never written.")

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path, "year": self._year}


def _read_remote_header(href: str, year: int | None) -> SceneHeader:
    rules = current_rules()

    def read(url: str) -> SceneHeader:
        return read_header(f"/vsicurl/{url}", href, fingerprint(url, rules), year)

    try:
        return read_remote(href, rules, read)
    except RemoteReadError as error:
        raise AerialError(
            f"The scene {href} cannot be read ({error}). If its server is there and lets you read "
            "it, run again later: an interrupted run goes on. If it stays so, take the scene out "
            "of the list."
        ) from None


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
        files = [file for file in files if file.path.lower().endswith(TIFF)]
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
                across, skew_x, _, skew_y, down = dataset.transform[:5]
                if skew_x or skew_y or across <= 0 or down >= 0:
                    raise AerialError(
                        f"The land cover {file.href} is rotated, mirrored or south-up. Write it "
                        "north-up (gdalwarp) first."
                    )
                check_size(dataset, gdal_path(file.href), f"The land cover {file.href}")
                shape = (min(dataset.height, self._THINNED), min(dataset.width, self._THINNED))
                values = np.unique(dataset.read(1, out_shape=shape))
                values = values[np.isfinite(values) & (values >= 0) & (values != dataset.nodata)]
                return LandCoverRaster(
                    href=file.href,
                    year=year_of_scene(file.path, dataset.tags(), self._year, "land cover"),
                    crs=dataset.crs.to_wkt(),
                    bounds=tuple(dataset.bounds),
                    codes=tuple(float(value) for value in values),
                    legend=read_legend(dataset.tags().get("CLASSES", ""), file.href),
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
