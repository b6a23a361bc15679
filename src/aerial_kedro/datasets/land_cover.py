"""Land cover: a raster or a folder of them, known by their headers."""

import shlex
import zipfile
from typing import Unpack

import numpy as np
import rasterio
from kedro_datasets._typing import ImagePreview
from pyproj import CRS

from aerial_kedro.datasets.base import Options, ProjectDataset
from aerial_kedro.datasets.listing import SAMPLE_REMEDY, ListedFile, check_names, list_folder
from aerial_kedro.datasets.rasters import preview_raster
from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.redaction import redact
from aerial_kedro.imagery.remote import is_remote
from aerial_kedro.labels.classes import read_legend
from aerial_kedro.labels.codes import LAND_COVER_ENDINGS, driver_of
from aerial_kedro.labels.land_cover import LandCoverRaster
from aerial_kedro.scenes.addresses import gdal_path
from aerial_kedro.scenes.environment import reading_environment
from aerial_kedro.scenes.headers import check_north_up, check_size, ground_sample_distance
from aerial_kedro.scenes.names import count_suffixes
from aerial_kedro.scenes.years import year_of_land_cover

_ZIP = ".zip"
_ARCHIVES = (_ZIP, ".7z", ".tar", ".tgz", ".gz", ".bz2", ".rar")
_CONVERT_LAND_COVER = (
    "Land cover is GeoTIFF or Erdas Imagine (.img): write others so (gdal_translate IN OUT.tif)."
)
_LAND_COVER_REMEDY = "Give the land-cover raster, or a folder of them."
_TRUTH_REMEDY = "Give a folder of land-cover rasters of known truth, one a year, or null for none."


class LandCoverDataset(ProjectDataset[None, list[LandCoverRaster]]):
    """A land-cover raster, or a folder of them (pieces, years); loads as their headers.

    Kedro's `PartitionedDataset` opens files whole, where workers later read the parts they need.

    Parameters
    ----------
    path
        A GeoTIFF or Erdas Imagine file, or a folder of them; None where a run may do without.
    year
        Year of a raster that does not state it.
    parameter
        Run parameter that gives the path, for messages.
    sample
        Folder of the embedded sample's maps of known truth, for an entry of such maps: a run may
        do without, and without a path, or if this is the path and the sample is not drawn, the
        list is empty. None for land cover that a run needs.
    **options
        Options of `ProjectDataset`.
    """

    not_saved = "The land cover is read, never written; `RasterFolderDataset` writes the sample's."
    # Codes are looked at on at most this many cells a side: enough to recognise a recoded raster.
    _THINNED = 1024

    def __init__(
        self,
        *,
        path: str | None,
        year: int | None = None,
        parameter: str = "landcover_path",
        sample: str | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(path=path, **options)
        self._year, self._parameter, self._sample = year, parameter, sample

    def load(self) -> list[LandCoverRaster]:
        """Read the headers and a thinned set of codes.

        Raises
        ------
        AerialError
            If the path does not exist or holds no raster, or one has no place, is not north-up,
            is no land cover or does not say its year.
        """
        undrawn = self._path == self._sample and not self.has()
        if self._sample and (undrawn or not self._path):
            return []
        if not self._path:
            raise AerialError(
                f"{self._parameter}=null leaves nothing to learn from. Give labels of your own "
                "(--params=labels_path=FILE), or a land cover."
            )
        return [self._read(file) for file in self._list()]

    def preview(self) -> ImagePreview:
        """Show the first raster in the pipeline graph."""
        href = self._list()[0].href
        return preview_raster(gdal_path(href), driver_of(href))

    def _list(self) -> list[ListedFile]:
        remedy = _TRUTH_REMEDY if self._sample else SAMPLE_REMEDY.format(self._parameter)
        where = f"{self._parameter}={self._path}"
        self._check_kind(where)
        listing = list_folder(self._path, self._parameter, remedy, self._credentials)
        files = listing.chosen(LAND_COVER_ENDINGS, where, _CONVERT_LAND_COVER)
        if not files:
            others = [file.path for file in listing.files]
            found = f" (only {count_suffixes(others)})" if others else ""
            raise AerialError(
                f"{where} is no land cover that is read and holds none{found}. "
                f"{_CONVERT_LAND_COVER} {_TRUTH_REMEDY if self._sample else _LAND_COVER_REMEDY}"
            )
        check_names(files, where)
        return files

    def _check_kind(self, where: str) -> None:
        """Say how what is packed, or on the web, becomes a raster that is read."""
        packed = self._path.lower().endswith(_ARCHIVES)
        opened = self._path.lower().endswith(_ZIP)
        place = f"/vsicurl/{redact(self._path)}" if is_remote(self._path) else self._path
        raster = shlex.quote(f"/vsizip/{place}/{self._packed_raster()}" if opened else place)
        if is_remote(self._path):
            part = (
                "" if packed and not opened else
                ", or cut out the part under the scenes: gdal_translate -projwin LEFT TOP RIGHT "
                f"BOTTOM {raster} land_cover_YEAR.tif, and give that file"
            )  # fmt: skip
            raise AerialError(
                f"{redact(where)} is on the web; land cover is read from a disk or blob storage. "
                f"Download it{' and unpack it' if packed else ''}{part}."
            )
        if packed and self.has():
            command = (
                ", or write the raster in it as a file: "
                f"gdal_translate {raster} land_cover_YEAR.tif"
            )
            raise AerialError(
                f"{where} is an archive, which is not read. Unpack it and give the folder"
                f"{command if opened else ''}."
            )

    def _packed_raster(self) -> str:
        """Name of the raster in an archive, as far as it is plain."""
        names: list[str] = []
        if zipfile.is_zipfile(self._path):
            with zipfile.ZipFile(self._path) as archive:
                names = archive.namelist()
        rasters = (name for name in names if name.lower().endswith(LAND_COVER_ENDINGS))
        return next(rasters, "NAME.img")

    def _read(self, file: ListedFile) -> LandCoverRaster:
        try:
            with (
                reading_environment(),
                rasterio.open(gdal_path(file.href), driver=driver_of(file.href)) as dataset,
            ):
                if dataset.crs is None:
                    raise AerialError(
                        f"The land cover {file.href} has no coordinate reference system, so its "
                        "place is unknown. Assign one (gdal_edit.py -a_srs EPSG:5070)."
                    )
                check_north_up(dataset, f"The land cover {file.href}")
                check_size(dataset, gdal_path(file.href), f"The land cover {file.href}")
                shape = (min(dataset.height, self._THINNED), min(dataset.width, self._THINNED))
                values = np.unique(dataset.read(1, out_shape=shape))
                values = values[np.isfinite(values) & (values >= 0) & (values != dataset.nodata)]
                return LandCoverRaster(
                    href=file.href,
                    year=year_of_land_cover(file.path, dataset.tags(), self._year),
                    crs=dataset.crs.to_wkt(),
                    bounds=tuple(dataset.bounds),
                    codes=tuple(float(value) for value in values),
                    legend=read_legend(dataset.tags().get("CLASSES", ""), file.href),
                    pixel_m=_pixel_side(dataset),
                )
        except rasterio.errors.RasterioIOError as error:
            raise AerialError(
                f"The land cover {file.href} cannot be opened as a GeoTIFF or an Erdas Imagine "
                f"file ({error}). Replace it with a whole file."
            ) from error


def _pixel_side(dataset: rasterio.DatasetReader) -> float:
    x, y = dataset.transform @ (dataset.width / 2, dataset.height / 2)
    crs = CRS.from_wkt(dataset.crs.to_wkt())
    return ground_sample_distance(crs, dataset.transform, x, y)
