"""kedro-mlflow, imported without what it and MLflow say to their developers."""

import logging
import warnings
from typing import Any

_TO_DEVELOPERS = "Add type hints to the `predict` method"


def _import_quietly() -> Any:
    """Import kedro-mlflow without MLflow's warning that one of its classes has no type hints.

    MLflow sets a filter of its own while it warns, which comes before any of ours. Warnings of
    other threads are shown.
    """
    show = warnings.showwarning

    def show_others(message: Warning | str, *arguments: Any, **options: Any) -> None:
        if _TO_DEVELOPERS not in str(message):
            show(message, *arguments, **options)

    warnings.showwarning = show_others
    try:
        from kedro_mlflow.framework.hooks.mlflow_hook import MlflowHook  # noqa: PLC0415
    finally:
        warnings.showwarning = show
        # Importing them sets levels of their own.
        for name in ("mlflow", "kedro_mlflow"):
            logging.getLogger(name).setLevel(logging.WARNING)
    return MlflowHook


MlflowHook = _import_quietly()
