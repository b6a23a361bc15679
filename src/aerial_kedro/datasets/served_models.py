"""Models that are ready to be served, as a flavour of MLflow that kedro-mlflow's dataset takes."""

import base64
import importlib.metadata
import io
import logging
import tempfile
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.models.model import ModelInfo
from mlflow.pyfunc import load_model
from mlflow.types.schema import ColSpec, DataType, Map, Schema
from PIL import Image

import aerial_kedro
from aerial_kedro.models.serving import pyfunc
from aerial_kedro.models.serving.model import ServedModel

__all__ = ["load_model", "log_model"]
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
            ColSpec(DataType.double, "expected_accuracy", required=False),
            ColSpec(DataType.boolean, "outside", required=False),
        ]
    ),
)


def log_model(model: ServedModel, name: str, registered_model_name: str) -> ModelInfo:
    """Log a model to MLflow's active run and register it.

    The project's code travels in the model, so that it answers tomorrow as it does today, whatever
    version is installed by then.

    Parameters
    ----------
    model
        The model.
    name
        Its name in the run.
    registered_model_name
        Its name in the registry, which gets a version.
    """
    package = Path(aerial_kedro.__file__).parent
    size, picture = model.card.backbone.input_size, io.BytesIO()
    Image.new("RGB", (size, size), "grey").save(picture, "PNG")
    request = {pyfunc.IMAGE_COLUMN: [base64.b64encode(picture.getvalue()).decode()]}
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder, "model")
        files.mkdir()
        model.write(files)
        logged: ModelInfo = mlflow.pyfunc.log_model(
            name=name,
            loader_module=pyfunc.__name__,
            data_path=str(files),
            code_paths=[str(package)],
            signature=_SIGNATURE,
            input_example=pd.DataFrame(request),
            pip_requirements=[
                f"{each}=={importlib.metadata.version(each)}" for each in _REQUIREMENTS
            ],
            registered_model_name=registered_model_name,
        )
    LOGGER.info(
        "Registered: models:/%s/%s (%s)",
        registered_model_name,
        logged.registered_model_version,
        model.card.model_name,
    )
    return logged
