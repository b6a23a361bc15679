"""Typed records as JSON files: what a pydantic model holds, and a text a person can read."""

from __future__ import annotations

from typing import Unpack

from kedro.utils import load_obj
from kedro_datasets._typing import JSONPreview
from pydantic import BaseModel, ValidationError

from aerial_kedro.datasets.base import Options, ProjectDataset
from aerial_kedro.errors import AerialError


class RecordDataset(ProjectDataset[BaseModel, BaseModel]):
    """One pydantic model as a JSON file.

    Kedro's `JSONDataset` gives nodes a dictionary, of any keys, where they expect the model.

    Parameters
    ----------
    filepath
        The file.
    record
        Import path of the model's class.
    **options
        Options of `ProjectDataset`.
    """

    def __init__(self, *, filepath: str, record: str, **options: Unpack[Options]) -> None:
        super().__init__(path=filepath, **options)
        self._record = record

    def load(self) -> BaseModel:
        """Read and validate the record.

        Raises
        ------
        AerialError
            If no run has made it yet, or another version of this project has.
        """
        if not self.has():
            raise AerialError(
                f"There is no {self._path} yet: run the pipeline that makes it first "
                "(`kedro run` runs all)."
            )
        model: type[BaseModel] = load_obj(self._record)
        try:
            return model.model_validate_json(self.read_bytes())
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise AerialError(
                f"{self._path} cannot be read as {model.__name__} ({where}: {first['msg']}): it is "
                "damaged, or another version of this project has made it. Run the pipeline that "
                "makes it again (`kedro run` runs all)."
            ) from None

    def save(self, data: BaseModel) -> None:
        """Write the record."""
        self.write_bytes(data.model_dump_json(indent=2).encode())

    def preview(self) -> JSONPreview:
        """Show the record in the pipeline graph."""
        return JSONPreview(self.load().model_dump_json(indent=2))
