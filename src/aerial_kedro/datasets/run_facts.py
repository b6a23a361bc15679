"""Facts of the machine and the moment: what a report must tell and no node may look up."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import platform
from typing import Any

from kedro.io import AbstractDataset

from aerial_kedro.report.run_facts import RunFacts

_PACKAGES = ("aerial_kedro", "kedro", "pyspark", "onnxruntime", "rasterio")


class RunFactsDataset(AbstractDataset[None, RunFacts]):
    """Looks at the clock, the interpreter and the installed packages.

    Parameters
    ----------
    metadata
        For other tools; not read here.
    """

    def __init__(self, *, metadata: dict[str, Any] | None = None) -> None:
        self.metadata = metadata

    def load(self) -> RunFacts:
        """Look now."""
        return RunFacts(
            created=dt.datetime.now().astimezone().strftime("%d %B %Y, %H:%M %Z"),
            python=platform.python_version(),
            processor=f"{platform.machine()}, {platform.system()}",
            versions={name: importlib.metadata.version(name) for name in _PACKAGES},
        )

    def save(self, data: None) -> None:
        """Refuse: facts are found, not kept."""
        raise NotImplementedError("Facts of the run are read, never written.")

    def _describe(self) -> dict[str, Any]:
        return {"packages": list(_PACKAGES)}
