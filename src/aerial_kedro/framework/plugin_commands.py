"""Commands of plug-ins that are loaded when one of them is given."""

import importlib
import sys
from types import ModuleType
from typing import Any

from kedro.framework.cli.utils import LazyGroup

_MLFLOW = "kedro_mlflow.framework.cli.cli"


def delay_mlflow_commands() -> None:
    """Have `kedro mlflow …` import MLflow, instead of every command of Kedro's.

    Kedro imports the commands of all plug-ins before it looks which is given, and has no setting
    for it. So the module of kedro-mlflow's is represented by one that knows their name.
    """
    if _MLFLOW not in sys.modules:
        module = ModuleType(_MLFLOW)
        names = {"mlflow": f"{_MLFLOW}.mlflow_commands"}
        vars(module)["commands"] = LazyGroup(name="Mlflow", lazy_subcommands=names)
        vars(module)["__getattr__"] = _load
        sys.modules[_MLFLOW] = module


def _load(name: str) -> Any:
    """Find what the module itself has, which takes the place of its representative."""
    if name.startswith("__"):  # what Python looks for in every module
        raise AttributeError(name)
    if vars(sys.modules[_MLFLOW]).get("__getattr__") is _load:
        del sys.modules[_MLFLOW]
    return getattr(importlib.import_module(_MLFLOW), name)
