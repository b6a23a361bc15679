"""Classifiers of SynapseML, as Spark writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fsspec
from kedro.io import AbstractDataset

from aerial_kedro.cluster import spark
from aerial_kedro.errors import AerialError

if TYPE_CHECKING:
    from synapse.ml.train import TrainedClassifierModel


class SynapseModelDataset(AbstractDataset[Any, Any]):
    """A `TrainedClassifierModel`; the one before is replaced.

    Parameters
    ----------
    path, spark_path
        Its folder, as the Python side and as Spark writes it.
    credentials
        Of the storage.
    metadata
        For other tools; not read here.
    """

    def __init__(
        self,
        *,
        path: str,
        spark_path: str,
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._path, self._spark_path, self._credentials = path, spark_path, credentials
        self.metadata = metadata

    def save(self, data: TrainedClassifierModel) -> None:
        """Write the model."""
        data.write().overwrite().save(self._spark_path)

    def load(self) -> TrainedClassifierModel:
        """Read the model.

        Raises
        ------
        AerialError
            If it is not there.
        """
        if not self._exists():
            raise AerialError(
                f"There is no model of SynapseML at {self._path} yet. Make it with "
                "`kedro run --pipeline=training_synapseml`."
            )
        spark.session()
        from synapse.ml.train import TrainedClassifierModel  # noqa: PLC0415  (needs its Java parts)

        return TrainedClassifierModel.load(self._spark_path)

    def _exists(self) -> bool:
        filesystem, name = fsspec.core.url_to_fs(self._path, **(self._credentials or {}))
        return bool(filesystem.exists(f"{name}/metadata"))

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path}
