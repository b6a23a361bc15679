"""Polygon layers of regions, such as counties."""

from pathlib import PurePosixPath
from tempfile import TemporaryDirectory

import geopandas as gpd
import pyarrow
import pyogrio
from fsspec.implementations.local import LocalFileSystem

from aerial_kedro.datasets.base import ProjectDataset
from aerial_kedro.errors import AerialError
from aerial_kedro.splits.regions import RegionLayer

_PARQUET = (".parquet", ".geoparquet")
_FORMATS = "GeoPackage, GeoJSON, zipped shapefile or GeoParquet"


class RegionLayerDataset(ProjectDataset[None, RegionLayer]):
    """A vector file with one layer of polygons; without a path an empty `RegionLayer`.

    Kedro's `geopandas.GenericDataset` needs a path and the format, and takes the first of several
    layers.

    Parameters
    ----------
    path
        GeoPackage, GeoJSON, shapefile (zipped, where it is not on a disk of this machine),
        GeoParquet, or another format of GDAL; None where the run has no regions.
    credentials, metadata
        As for `ProjectDataset`.
    """

    not_saved = "Layers of regions are read, never written."

    def load(self) -> RegionLayer:
        """Read the features, as the file has them.

        Raises
        ------
        AerialError
            If the file is not there, is no layer, has no geometries, or has several layers.
        """
        if not self._path:
            return RegionLayer()
        if not self.has():
            raise AerialError(
                f"regions_path={self._path} does not exist. Give a polygon layer ({_FORMATS})."
            )
        filesystem, name = self.locate()
        if isinstance(filesystem, LocalFileSystem):
            return RegionLayer(self._path, self._read(name))
        with TemporaryDirectory() as folder:
            copy = f"{folder}/{PurePosixPath(name).name}"
            filesystem.get_file(name, copy)
            return RegionLayer(self._path, self._read(copy))

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
