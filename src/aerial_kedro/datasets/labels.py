"""Files of labels of one's own: vector files, and tables with lon and lat."""

import pandas as pd

from aerial_kedro.datasets.vectors import VectorFileDataset
from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.scene_table import find_separator
from aerial_kedro.labels.layer import LabelTable

_TABLES = (".csv", ".tsv", ".txt")


class LabelFileDataset(VectorFileDataset[LabelTable]):
    """Points and polygons with a class, as the file has them; without a path an empty `LabelTable`.

    A table (CSV, divided by commas, semicolons or tabs) is read as text, so that no class called
    NA or 01 is changed. Options are those of `VectorFileDataset`.
    """

    not_saved = "Files of labels are read, never written."
    parameter = "labels_path"
    wanted = (
        "points or polygons with a column of classes (GeoPackage, GeoJSON, shapefile, GeoParquet, "
        "or a CSV with lon and lat)"
    )

    def load(self) -> LabelTable:
        """Read the rows; `labels.layer.read_labels` makes labels of them.

        Raises
        ------
        AerialError
            If the file is not there, or is neither one vector layer nor a table.
        """
        if not self._path:
            return LabelTable()
        is_table = self._path.lower().endswith(_TABLES)
        read = self._read_table if is_table else self.read_layer
        return LabelTable(self._path, self.read_file(read))

    def _read_table(self, file: str) -> pd.DataFrame:
        try:
            with open(file, encoding="utf-8-sig") as lines:  # noqa: PTH123  (an fsspec path)
                header = lines.readline()
            return pd.read_csv(
                file, sep=find_separator(header), dtype=str, keep_default_na=False,
                encoding="utf-8-sig", skipinitialspace=True,
            )  # fmt: skip
        except (ValueError, OSError) as error:
            remedy = (
                "Save it as CSV UTF-8"
                if isinstance(error, UnicodeError)
                else "Give a line of column names, and as many values in each line after it"
            )
            raise AerialError(
                f"{self.parameter}={self._path} cannot be read as a table ({str(error).strip()}). "
                f"{remedy}."
            ) from error
