"""Typed records as JSON files: what a pydantic model holds, and a text a person can read."""

from __future__ import annotations

from typing import Any

import fsspec
from kedro.io import AbstractDataset
from kedro.utils import load_obj
from kedro_datasets._typing import JSONPreview
from pydantic import BaseModel

from aerial_kedro.datasets.atomic import open_atomic
from aerial_kedro.errors import AerialError


class RecordDataset(AbstractDataset[BaseModel, BaseModel]):
    """One pydantic model as a JSON file.

    Parameters
    ----------
    filepath
        The file.
    record
        Import path of the model's class.
    credentials
        Of the storage.
    metadata
        For other tools; not read here.
    """

    def __init__(
        self,
        *,
        filepath: str,
        record: str,
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._filepath, self._record, self._credentials = filepath, record, credentials
        self.metadata = metadata

    def load(self) -> BaseModel:
        """Read and validate the record."""
        if not self._exists():
            raise AerialError(
                f"There is no {self._filepath} yet: run the pipeline that makes it first "
                "(`kedro run` runs all)."
            )
        filesystem, name = fsspec.core.url_to_fs(self._filepath, **(self._credentials or {}))
        model: type[BaseModel] = load_obj(self._record)
        return model.model_validate_json(filesystem.cat_file(name))

    def save(self, data: BaseModel) -> None:
        """Write the record."""
        with open_atomic(self._filepath, self._credentials) as file:
            file.write(data.model_dump_json(indent=2).encode())

    def preview(self) -> JSONPreview:
        """Show the record in the pipeline graph."""
        return JSONPreview(self.load().model_dump_json(indent=2))

    def _exists(self) -> bool:
        filesystem, name = fsspec.core.url_to_fs(self._filepath, **(self._credentials or {}))
        return bool(filesystem.exists(name))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "record": self._record}
