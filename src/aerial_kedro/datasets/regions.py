"""Polygon layers of regions, such as counties."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import fsspec
import geopandas as gpd
import pyarrow
import pyogrio
from fsspec.implementations.local import LocalFileSystem
from kedro.io import AbstractDataset

from aerial_kedro.errors import AerialError
from aerial_kedro.splits.regions import RegionLayer

_PARQUET = (".parquet", ".geoparquet")
_FORMATS = "GeoPackage, GeoJSON, zipped shapefile or GeoParquet"


class RegionLayerDataset(AbstractDataset[None, RegionLayer]):
    """A vector file with one layer of polygons; without a path an empty `RegionLayer`.

    Parameters
    ----------
    path
        GeoPackage, GeoJSON, shapefile (zipped, where it is not on a disk of this machine),
        GeoParquet, or another format of GDAL; None where the run has no regions.
    credentials
        Of the storage.
    metadata
        For other tools; not read here.
    """

    def __init__(
        self,
        *,
        path: str | None,
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._path, self._credentials = path, credentials
        self.metadata = metadata

    def load(self) -> RegionLayer:
        """Read the features, as the file has them."""
        if not self._path:
            return RegionLayer()
        filesystem, name = fsspec.core.url_to_fs(self._path, **(self._credentials or {}))
        if not filesystem.exists(name):
            raise AerialError(
                f"regions_path={self._path} does not exist. Give a polygon layer ({_FORMATS})."
            )
        if isinstance(filesystem, LocalFileSystem):
            return RegionLayer(self._path, self._read(name))
        with TemporaryDirectory() as folder:
            copy = Path(folder) / PurePosixPath(name).name
            filesystem.get_file(name, str(copy))
            return RegionLayer(self._path, self._read(str(copy)))

    def _read(self, file: str) -> gpd.GeoDataFrame:
        try:
            if file.lower().endswith(_PARQUET):
                frame = gpd.read_parquet(file)
            else:
                self._check_one_layer(file)
                # Named, since importing kedro_datasets.geopandas turns the default to fiona.
                frame = gpd.read_file(file, engine="pyogrio")
        except (pyogrio.errors.DataSourceError, pyarrow.ArrowException, ValueError) as error:
            raise AerialError(
                f"regions_path={self._path} cannot be read as a vector layer ({error}). Give a "
                f"{_FORMATS}."
            ) from error
        if not isinstance(frame, gpd.GeoDataFrame):
            raise AerialError(
                f"regions_path={self._path} is a table without geometries. Give a polygon layer "
                f"({_FORMATS})."
            )
        return frame

    def _check_one_layer(self, file: str) -> None:
        layers = [str(name) for name, kind in pyogrio.list_layers(file) if kind is not None]
        if len(layers) > 1:
            raise AerialError(
                f"regions_path={self._path} holds {len(layers)} layers: {', '.join(layers)}. Write "
                f"the one wanted to a file of its own (ogr2ogr regions.gpkg FILE {layers[0]})."
            )

    def save(self, data: None) -> None:
        """Regions are an input."""
        raise NotImplementedError("Layers of regions are read, never written.")

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path}
