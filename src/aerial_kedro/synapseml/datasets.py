"""Classifiers of SynapseML, as Spark writes them."""

from typing import Any

from aerial_kedro.cluster import spark
from aerial_kedro.cluster.paths import literal
from aerial_kedro.datasets.base import ProjectDataset
from aerial_kedro.errors import AerialError


class SynapseModelDataset(ProjectDataset[Any, Any]):
    """A `TrainedClassifierModel`; the one before is replaced.

    kedro-datasets has no dataset of Spark ML's models.

    Parameters
    ----------
    spark_path
        Folder of the model as Spark writes it.
    **options
        Options of `ProjectDataset`; the path is that folder as the Python side writes it.
    """

    def __init__(self, *, spark_path: str, **options: Any) -> None:
        super().__init__(**options)
        self._spark_path = spark_path

    def save(self, data: Any) -> None:
        """Write the model."""
        data.write().overwrite().save(self._spark_path)

    def load(self) -> Any:
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
        from synapse.ml.train import TrainedClassifierModel

        return TrainedClassifierModel.load(literal(self._spark_path))

    def _exists(self) -> bool:
        return self.has("/metadata")
