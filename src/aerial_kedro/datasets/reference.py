"""Files of a reference sample: the layer to fill, and the filled file."""

import csv
import io
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Unpack

import geopandas as gpd
import pandas as pd
import pyogrio

from aerial_kedro.accuracy.answers import AnswerFile
from aerial_kedro.datasets.base import Options, ProjectDataset
from aerial_kedro.datasets.vectors import VectorFileDataset
from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.scene_table import find_separator

_WANTED = (
    "the file that the page 08_reporting/reference.html saves (CSV or GeoJSON), or the filled "
    "07_model_output/reference_sample.csv or .gpkg"
)
_REMEDY = f"Give {_WANTED}."
_TABLES = (".csv", ".txt")
_LAYERS = (".geojson", ".json", ".gpkg")


class GeoPackageDataset(ProjectDataset[gpd.GeoDataFrame, gpd.GeoDataFrame]):
    """One layer in a GeoPackage, written whole or not at all.

    Kedro's `geopandas.GenericDataset` writes through a buffer, which a GeoPackage, being a
    database, cannot be written to.

    Parameters
    ----------
    path
        The file.
    **options
        Options of `ProjectDataset`.
    """

    def __init__(self, *, path: str, **options: Unpack[Options]) -> None:
        super().__init__(path=path, **options)

    def load(self) -> gpd.GeoDataFrame:
        """Read the layer."""
        with TemporaryDirectory() as folder:
            filesystem, name = self.locate()
            copy = f"{folder}/{PurePosixPath(name).name}"
            filesystem.get_file(name, copy)
            return gpd.read_file(copy, engine="pyogrio")

    def save(self, data: gpd.GeoDataFrame) -> None:
        """Write the layer, named as the file."""
        with TemporaryDirectory() as folder:
            made = Path(folder) / PurePosixPath(self._path).name
            data.to_file(made, driver="GPKG", layer=made.stem, engine="pyogrio")
            self.write_file(made)


class AnswerFileDataset(VectorFileDataset[AnswerFile]):
    """The filled file of a reference sample, every value as text: CSV, GeoJSON or GeoPackage.

    Kedro's `CSVDataset` would read a class ``NA`` as nothing, and cells as numbers.

    Options are those of `VectorFileDataset`.
    """

    not_saved = "Answers are read, never written."
    parameter = "reference_labels"
    wanted = _WANTED

    def load(self) -> AnswerFile:
        """Read the rows.

        Raises
        ------
        AerialError
            If there is no file, or it cannot be read as a table.
        """
        if not self._path:
            raise AerialError(
                "reference_labels is not set: give the answers with "
                f"--params=reference_labels=FILE. {_REMEDY}"
            )
        table = self.read_file(self._read)
        columns = {str(name).strip(): table[name] for name in table.columns}
        texts = {
            name: ["" if pd.isna(value) else _as_text(value) for value in values]
            for name, values in columns.items()
        }
        rows = [dict(zip(texts, each, strict=True)) for each in zip(*texts.values(), strict=True)]
        return AnswerFile(name=self._path, rows=rows)

    def _read(self, file: str) -> pd.DataFrame:
        ending = PurePosixPath(file).suffix.lower()
        if ending not in (*_TABLES, *_LAYERS):
            raise AerialError(
                f"reference_labels={self._path} is of no kind that is read. {_REMEDY}"
            )
        return self._read_table(file) if ending in _TABLES else self._read_columns(file)

    def _read_table(self, file: str) -> pd.DataFrame:
        try:
            content = Path(file).read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise AerialError(
                f"reference_labels={self._path} is not UTF-8. Save it as 'CSV UTF-8'. {_REMEDY}"
            ) from None
        if not content.strip():
            raise AerialError(f"reference_labels={self._path} is empty. {_REMEDY}")
        head = content.splitlines()[0]
        try:
            return pd.read_csv(
                io.StringIO(content), sep=find_separator(head), dtype=str, keep_default_na=False
            )
        except (pd.errors.ParserError, csv.Error) as error:
            raise AerialError(
                f"reference_labels={self._path} cannot be read as a table ({error}). {_REMEDY}"
            ) from error

    def _read_columns(self, file: str) -> pd.DataFrame:
        try:
            frame = gpd.read_file(file, engine="pyogrio")
        except pyogrio.errors.DataSourceError as error:
            raise AerialError(
                f"reference_labels={self._path} cannot be read as a vector layer ({error}). "
                f"{_REMEDY}"
            ) from error
        kept = [name for name in frame.columns if name != "geometry"]
        return pd.DataFrame(frame[kept])


def _as_text(value: object) -> str:
    # A whole number that a table program or JSON made a fraction.
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
