"""Facts of the machine and the moment: what a report must say and no node may look up."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import platform

from aerial_kedro.datasets.base import ProjectDataset
from aerial_kedro.report.content import RunFacts

_PACKAGES = ("aerial_kedro", "kedro", "pyspark", "onnxruntime", "rasterio")


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
