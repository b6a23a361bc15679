"""Scenes: folders and lists of GeoTIFFs, known by their headers."""

import dataclasses
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Unpack

import pandas as pd
from kedro_datasets._typing import ImagePreview
from pyspark.sql import DataFrame

from aerial_kedro.cluster import spark
from aerial_kedro.datasets.base import Options, ProjectDataset
from aerial_kedro.datasets.listing import SAMPLE_REMEDY, ListedFile, check_names, list_folder
from aerial_kedro.datasets.rasters import preview_raster
from aerial_kedro.datasets.scene_lists import LIST_ENDINGS, SceneListFile
from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.access import current_rules
from aerial_kedro.imagery.remote import fingerprint, is_remote, read_remote
from aerial_kedro.imagery.scene_list import ListedScene
from aerial_kedro.scenes.addresses import check_href, gdal_path
from aerial_kedro.scenes.headers import (
    SceneHeader,
    read_header,
)
from aerial_kedro.scenes.names import count_suffixes, some
from aerial_kedro.scenes.years import counted_names, doubtful_year

LOGGER = logging.getLogger(__name__)
_TIFF = (".tif", ".tiff")
_CONVERT_SCENES = (
    "Scenes are GeoTIFFs: write others as such (gdal_translate -of COG scene.jp2 scene.tif)."
)
# Spark takes more in pieces of some thousand, which are few tasks.
_MANY = 10_000
_SCENE_COLUMNS = (
    "href string, source_version string, crs string, epsg int, transform array<double>, "
    "width int, height int, gsd_m double, year int, lon double, lat double, description string, "
    "infrared boolean"
)


class SceneFolderDataset(ProjectDataset[None, DataFrame]):
    """A folder or list of scenes; loads as a Spark frame with one row a scene (`SceneHeader`).

    Kedro's `PartitionedDataset` lists one folder of one storage, and opens its files whole.

    Parameters
    ----------
    path
        The folder; searched with its subfolders for GeoTIFFs. Or a scene list: .json as the
        pipeline `acquisition` makes one, a table or a layer of footprints
        (`LIST_ENDINGS`); its scenes may be on the web.
    year
        Year of scenes that do not state it.
    **options
        Options of `ProjectDataset`.
    """

    not_saved = "Scenes are read, never written; `RasterFolderDataset` writes the sample's."

    def __init__(self, *, path: str, year: int | None = None, **options: Unpack[Options]) -> None:
        super().__init__(path=path, **options)
        self._year = year

    def load(self) -> DataFrame:
        """Read the headers of all scenes."""
        headers = self._read_listed() if self._is_list() else self._read_folder()
        _log_doubtful_years(headers)
        rows = pd.DataFrame([dataclasses.asdict(header) for header in headers], dtype=object)
        # As a frame Spark takes them itself, and spreads them over its cores; a list would go
        # through Python workers first.
        scenes = spark.session().createDataFrame(rows, _SCENE_COLUMNS)
        return scenes if len(rows) < _MANY else scenes.repartition("href")

    def preview(self) -> ImagePreview:
        """Show the first scene in the pipeline graph; looking at it asks nothing of the web."""
        if self._is_list():
            raise AerialError("A list of scenes has no preview.")
        return preview_raster(gdal_path(self._list_folder()[0].href))

    def _is_list(self) -> bool:
        return self._path.lower().endswith(LIST_ENDINGS) and not Path(self._path).is_dir()

    def _read_folder(self) -> list[SceneHeader]:
        files = self._list_folder()
        counted = counted_names(file.href for file in files)
        return [
            read_header(
                gdal_path(file.href), file.href, file.source_version, self._year,
                counted=file.href in counted,
            )
            for file in files
        ]  # fmt: skip

    def _list_folder(self) -> list[ListedFile]:
        remedy, where = SAMPLE_REMEDY.format("scenes_root"), f"scenes_root={self._path}"
        listing = list_folder(self._path, "scenes_root", remedy, self._credentials)
        files = listing.chosen(_TIFF, where, _CONVERT_SCENES)
        if not files:
            others = [file.path for file in listing.files]
            found = f", only {count_suffixes(others)}. {_CONVERT_SCENES}" if others else "."
            raise AerialError(
                f"{where} holds no GeoTIFF (.tif, .tiff){found} Give the folder with the scenes, "
                "or class folders of tiles with --pipeline=from_folders."
            )
        check_names(files, where)
        return files

    def _read_listed(self) -> list[SceneHeader]:
        scenes = SceneListFile(path=self._path, credentials=self._credentials).read().scenes
        hrefs = [scene.href for scene in scenes]
        names = counted_names(hrefs)
        counted = [href in names for href in hrefs]
        # Waiting for servers is most of the work.
        with ThreadPoolExecutor(current_rules().threads) as pool:
            return list(pool.map(self._read_one, scenes, counted))

    def _read_one(self, scene: ListedScene, counted: bool) -> SceneHeader:
        href, year = check_href(scene.href), scene.year or self._year
        if is_remote(href):
            rules = current_rules()

            def read(url: str) -> SceneHeader:
                version = fingerprint(url, rules)
                return read_header(f"/vsicurl/{url}", href, version, year, counted=counted)

            header = read_remote(href, rules, read)
        else:
            files = list_folder(href, f"A scene of {self._path}", "Mend the list.").files
            if [gdal_path(each.href) for each in files] != [gdal_path(href)]:
                raise AerialError(f"{self._path} lists {href}, which is a folder: list its files.")
            [file] = files
            header = read_header(gdal_path(href), href, file.source_version, year, counted=counted)
        return dataclasses.replace(header, year=scene.year or header.year)


def _log_doubtful_years(headers: Sequence[SceneHeader]) -> None:
    """Name scenes whose names hold a number that could be a year, and is not taken for theirs."""
    doubtful = [
        f"{PurePosixPath(header.href).name}: {header.year}"
        for header in headers
        if doubtful_year(header.href) not in (None, header.year)
    ]
    if doubtful:
        LOGGER.warning(
            "%s scene(s) have another number in their name that could be a year: %s",
            len(doubtful), some(doubtful),
        )  # fmt: skip
