"""Facts of a run as tags in the run history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mlflow
from kedro.io import AbstractDataset

_LONGEST = 5000
"""Characters; MLflow takes no more."""


class RunTagsDataset(AbstractDataset[Mapping[str, str], None]):
    """Sets tags of MLflow's active run.

    Parameters
    ----------
    metadata
        For other tools; not read here.
    """

    def __init__(self, *, metadata: dict[str, Any] | None = None) -> None:
        self.metadata = metadata

    def save(self, data: Mapping[str, str]) -> None:
        """Set the tags; without a run there is nothing to add to."""
        if mlflow.active_run() is not None:
            mlflow.set_tags({name: text[:_LONGEST] for name, text in data.items()})

    def load(self) -> None:
        """Refuse: the run history is asked with MLflow."""
        raise NotImplementedError("Tags of a run are set for MLflow, never read from it.")

    def _describe(self) -> dict[str, Any]:
        return {}
