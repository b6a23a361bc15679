"""Kedro's settings of this project."""

import warnings

from aerial_kedro.framework.configuration import ProjectConfigLoader, environment_variable
from aerial_kedro.framework.console import ConsoleHook
from aerial_kedro.framework.plugin_commands import delay_mlflow_commands
from aerial_kedro.framework.session import ProjectContext, ProjectSession
from aerial_kedro.hooks import ProjectHooks
from aerial_kedro.synapseml.hooks import SynapseMLHooks
from aerial_kedro.tracking.history_file import sqlite_address
from aerial_kedro.tracking.hook import RunHistoryHook

# The commands of this project say --pipeline; Kedro 1.7 also takes --pipelines.
warnings.filterwarnings("ignore", message="Option '--pipeline' is deprecated")

# Before Kedro looks for commands.
delay_mlflow_commands()

# Of those that go first, the one listed last does: storage and cluster before the Java parts.
HOOKS = (SynapseMLHooks(), ProjectHooks(), RunHistoryHook(), ConsoleHook())
# RunHistoryHook is that plugin's hook, and more. It is known by one name or the other.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-mlflow", "kedro_mlflow")
SESSION_CLASS = ProjectSession
CONTEXT_CLASS = ProjectContext

CONFIG_LOADER_CLASS = ProjectConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "config_patterns": {
        "spark": ["spark*", "spark*/**"],
        "synapseml": ["synapseml*"],
        "mlflow": ["mlflow*"],
    },
    "custom_resolvers": {"env": environment_variable, "sqlite": sqlite_address},
    # An environment overrides single parameters and roots; the rest stays base's.
    "merge_strategy": {
        "parameters": "soft",
        "globals": "soft",
        "spark": "soft",
        "synapseml": "soft",
        "mlflow": "soft",
    },
}
