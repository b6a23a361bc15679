"""Engines: what runs an exported backbone, on one thread each; parallelism is Spark's.

Each engine is imported when it is opened, so that a worker needs the one that it uses.
"""

from aerial_kedro.features.engines.available import (
    AUTO,
    ENGINES,
    PRECISIONS,
    available,
    check_engine,
    engines_for,
    is_plug_in,
    name_engines_for,
)
from aerial_kedro.features.engines.choice import EngineChoice, choose_engine, measure_engine
from aerial_kedro.features.engines.interface import Engine
from aerial_kedro.features.engines.opening import open_engine

__all__ = [
    "AUTO",
    "ENGINES",
    "PRECISIONS",
    "Engine",
    "EngineChoice",
    "available",
    "check_engine",
    "choose_engine",
    "engines_for",
    "is_plug_in",
    "measure_engine",
    "name_engines_for",
    "open_engine",
]
