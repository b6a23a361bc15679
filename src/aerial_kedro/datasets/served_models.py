"""Models that are ready to be served, in MLflow's registry."""

from __future__ import annotations

import base64
import importlib.metadata
import io
import logging
import tempfile
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, DataType, Map, Schema
from PIL import Image

import aerial_kedro
from aerial_kedro.datasets.base import ProjectDataset
from aerial_kedro.models.serving import pyfunc
from aerial_kedro.models.serving.model import ServedModel

LOGGER = logging.getLogger(__name__)

# What the served code imports; Spark, torch and Kedro are not among it.
_REQUIREMENTS = (
    "mlflow", "fsspec", "numpy", "onnxruntime", "pandas", "pillow", "pyarrow", "pydantic",
    "rasterio", "requests", "scipy",
)  # fmt: skip
_SIGNATURE = ModelSignature(
    inputs=Schema([ColSpec(DataType.string, pyfunc.IMAGE_COLUMN)]),
    outputs=Schema(
        [
            ColSpec(DataType.string, "class"),
            ColSpec(DataType.double, "probability"),
            ColSpec(Map(DataType.double), "probabilities"),
        ]
    ),
)


class ServedModelDataset(ProjectDataset[ServedModel, None]):
    """Logs a model to MLflow's active run and registers it.

    The project's code travels in the model, so that it answers tomorrow as it does today, whatever
    version is installed by then. kedro-mlflow's dataset of models takes no files of a model's own.

    Parameters
    ----------
    registered_name
        Name in the registry.
    **options
        Options of `ProjectDataset`.
    """

    not_loaded = "Served models are loaded with mlflow.pyfunc.load_model."

    def __init__(self, *, registered_name: str, **options: Any) -> None:
        super().__init__(**options)
        self._registered_name = registered_name

    def save(self, data: ServedModel) -> None:
        """Write the model's files and register them."""
        package = Path(aerial_kedro.__file__).parent
        with tempfile.TemporaryDirectory() as folder:
            files = Path(folder, "model")
            files.mkdir()
            data.write(files)
            logged = mlflow.pyfunc.log_model(
                name="tiles",
                loader_module=pyfunc.__name__,
                data_path=str(files),
                code_paths=[str(package)],
                signature=_SIGNATURE,
                input_example=_example(data.card.backbone.input_size),
                pip_requirements=[
                    f"{name}=={importlib.metadata.version(name)}" for name in _REQUIREMENTS
                ],
                registered_model_name=self._registered_name,
            )
        LOGGER.info(
            "Registered: models:/%s/%s (%s)",
            self._registered_name,
            logged.registered_model_version,
            data.card.model_name,
        )


def _example(size: int) -> pd.DataFrame:
    """Make a request that shows the form: one grey tile."""
    buffer = io.BytesIO()
    Image.new("RGB", (size, size), "grey").save(buffer, "PNG")
    return pd.DataFrame({pyfunc.IMAGE_COLUMN: [base64.b64encode(buffer.getvalue()).decode()]})
