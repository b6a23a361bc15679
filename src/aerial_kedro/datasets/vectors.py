"""Vector files with one layer: what datasets of regions and of labels share."""

from collections.abc import Callable
from pathlib import PurePosixPath
from tempfile import TemporaryDirectory
from typing import ClassVar, TypeVar

import geopandas as gpd
import pandas as pd
import pyarrow
import pyogrio
from fsspec.implementations.local import LocalFileSystem

from aerial_kedro.datasets.base import ProjectDataset
from aerial_kedro.errors import AerialError

_Loaded = TypeVar("_Loaded")
_Table = TypeVar("_Table", bound=pd.DataFrame)
_PARQUET = (".parquet", ".geoparquet")


class VectorFileDataset(ProjectDataset[None, _Loaded]):
    """A vector file with one layer.

    Kedro's `geopandas.GenericDataset` needs a path and the format, and takes the first of several
    layers. A dataset of this kind says in `parameter` which run parameter names the file, and in
    `wanted` what to give.

    Parameters
    ----------
    path
        GeoPackage, GeoJSON, shapefile (zipped, where it is not on a disk of this machine),
        GeoParquet, or another format of GDAL; None where the run has no such file.
    credentials, metadata
        As for `ProjectDataset`.
    """

    parameter: ClassVar[str]
    wanted: ClassVar[str]

    def read_file(self, read: Callable[[str], _Table]) -> _Table:
        """Read the file where it is, or from a copy where it is in storage.

        Parameters
        ----------
        read
            What reads a local file.

        Raises
        ------
        AerialError
            If it is not there.
        """
        if not self.has():
            raise AerialError(f"{self.parameter}={self._path} does not exist. Give {self.wanted}.")
        filesystem, name = self.locate()
        if isinstance(filesystem, LocalFileSystem):
            return read(name)
        with TemporaryDirectory() as folder:
            copy = f"{folder}/{PurePosixPath(name).name}"
            filesystem.get_file(name, copy)
            return read(copy)

    def read_layer(self, file: str) -> gpd.GeoDataFrame:
        """Read the features of a local file, as it has them.

        Raises
        ------
        AerialError
            If it is no layer, has no geometries, or has several layers.
        """
        try:
            if file.lower().endswith(_PARQUET):
                frame = gpd.read_parquet(file)
            else:
                self._check_one_layer(file)
                # Named, since importing kedro_datasets.geopandas turns the default to fiona.
                frame = gpd.read_file(file, engine="pyogrio")
        except (
            pyogrio.errors.DataSourceError, pyarrow.ArrowException, ValueError, OSError
        ) as error:  # fmt: skip
            raise AerialError(
                f"{self.parameter}={self._path} cannot be read as a vector layer ({error}). Give "
                f"{self.wanted}."
            ) from error
        if not isinstance(frame, gpd.GeoDataFrame):
            raise AerialError(
                f"{self.parameter}={self._path} is a table without geometries. Give {self.wanted}."
            )
        return frame

    def _check_one_layer(self, file: str) -> None:
        layers = [str(name) for name, kind in pyogrio.list_layers(file) if kind is not None]
        if len(layers) > 1:
            raise AerialError(
                f"{self.parameter}={self._path} holds {len(layers)} layers: {', '.join(layers)}. "
                f"Write the one wanted to a file of its own (ogr2ogr one.gpkg FILE {layers[0]})."
            )
