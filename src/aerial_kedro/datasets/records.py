"""Typed records: JSON files that a person can read, and facts that are looked up."""

import datetime as dt
import importlib.metadata
import platform
from typing import Unpack

from kedro.utils import load_obj
from kedro_datasets._typing import JSONPreview
from pydantic import BaseModel, ValidationError

from aerial_kedro.datasets.base import Options, ProjectDataset
from aerial_kedro.errors import AerialError
from aerial_kedro.parameters import describe_problems
from aerial_kedro.report.content import RunFacts

_PACKAGES = ("aerial_kedro", "kedro", "pyspark", "onnxruntime", "rasterio")


class RecordDataset(ProjectDataset[BaseModel, BaseModel | None]):
    """One pydantic model as a JSON file.

    Kedro's `JSONDataset` gives nodes a dictionary, of any keys, where they expect the model.

    Parameters
    ----------
    filepath
        The file.
    record
        Import path of the model's class.
    optional
        Whether a run may do without: where there is no file, None is loaded.
    **options
        Options of `ProjectDataset`.
    """

    def __init__(
        self, *, filepath: str, record: str, optional: bool = False, **options: Unpack[Options]
    ) -> None:
        super().__init__(path=filepath, **options)
        self._record, self._optional = record, optional

    def load(self) -> BaseModel | None:
        """Read and validate the record.

        Raises
        ------
        AerialError
            If no run has made it yet, or another version of this project has.
        """
        if not self.has():
            if self._optional:
                return None
            raise AerialError(
                f"There is no {self._path} yet: run the pipeline that makes it first "
                "(`kedro run` runs all)."
            )
        model: type[BaseModel] = load_obj(self._record)
        try:
            return model.model_validate_json(self.read_bytes())
        except ValidationError as error:
            first = describe_problems(error, show_values=False)[0]
            raise AerialError(
                f"{self._path} cannot be read as {model.__name__} ({first}): it is "
                "damaged, or another version of this project has made it. Run the pipeline that "
                "makes it again (`kedro run` runs all)."
            ) from None

    def save(self, data: BaseModel) -> None:
        """Write the record."""
        self.write_bytes(data.model_dump_json(indent=2).encode())

    def preview(self) -> JSONPreview:
        """Show the record in the pipeline graph."""
        found = self.load()
        return JSONPreview(found.model_dump_json(indent=2) if found else "{}")


class RunFactsDataset(ProjectDataset[None, RunFacts]):
    """Looks at the clock, the interpreter and the installed packages.

    A `MemoryDataset` would hold the time at which the catalog was read, not that of the report.
    """

    not_saved = "Facts of the run are read, never written."

    def load(self) -> RunFacts:
        """Look now."""
        return RunFacts(
            created=dt.datetime.now().astimezone().strftime("%d %B %Y, %H:%M %Z"),
            python=platform.python_version(),
            processor=f"{platform.machine()}, {platform.system()}",
            versions={name: importlib.metadata.version(name) for name in _PACKAGES},
        )
