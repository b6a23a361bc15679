"""The run history and the registry of models, which MLflow keeps."""

import importlib
import warnings


def _import_quietly() -> None:
    """Import kedro-mlflow without MLflow's warning that one of its classes has no type hints.

    MLflow sets a filter of its own while it warns, which comes before any of ours.
    """
    show = warnings.showwarning
    warnings.showwarning = lambda *_arguments, **_options: None
    try:
        importlib.import_module("kedro_mlflow.mlflow")
    finally:
        warnings.showwarning = show


_import_quietly()
