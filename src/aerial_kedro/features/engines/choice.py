"""Which engine runs: the one asked for, or the fastest here."""

from __future__ import annotations

import logging
import time

import numpy as np
from pydantic import BaseModel, ConfigDict

from aerial_kedro.features.artifact import Backbone
from aerial_kedro.features.engines.available import AUTO, check_engine, engines_for
from aerial_kedro.features.engines.interface import Engine
from aerial_kedro.features.engines.opening import open_engine

LOGGER = logging.getLogger(__name__)

_ROUNDS = 5
_SECONDS_A_ROUND = 0.08
# Another engine than the first must be faster by so much: the choice must not flip from run to run,
# since features of another engine are other features and would be computed again.
_CLEARLY = 0.9


class EngineChoice(BaseModel):
    """What runs the backbone.

    Parameters
    ----------
    engine, precision
        The engine and precision that run; neither is ``auto``.
    milliseconds
        Engine to what a tile took in the measurement; empty where none was made.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    engine: str
    precision: str
    milliseconds: dict[str, float] = {}


def choose_engine(backbone: Backbone, engine: str, precision: str, seed: int) -> EngineChoice:
    """Resolve ``auto``: fp32, and the engine that is clearly the fastest here.

    Parameters
    ----------
    backbone
        In the precision that is wanted.
    engine, precision
        As the run parameters name them.
    seed
        Seed of the tiles that are measured on.

    Raises
    ------
    AerialError
        If the engine or precision cannot run here.
    """
    check_engine(engine, precision)
    resolved = "fp32" if precision == AUTO else precision
    if engine != AUTO:
        return EngineChoice(engine=engine, precision=resolved)
    took = _measure(
        {
            name: open_engine(name, resolved, backbone.network_for(name))
            for name in engines_for(resolved)
            if backbone.has_network_for(name)
        },
        _draw_tiles(backbone, seed),
    )
    first, fastest = next(iter(took)), min(took, key=lambda name: took[name])
    chosen = fastest if took[fastest] < _CLEARLY * took[first] else first
    LOGGER.info(
        "engine=auto takes %s: milliseconds a tile on one thread at %s are %s",
        chosen,
        resolved,
        ", ".join(f"{name} {each:.2f}" for name, each in took.items()),
    )
    return EngineChoice(engine=chosen, precision=resolved, milliseconds=took)


def measure_engine(backbone: Backbone, choice: EngineChoice, seed: int) -> float:
    """Measure what a tile takes on one thread, without reading it.

    Parameters
    ----------
    backbone
        In the precision that runs.
    choice
        What runs it.
    seed
        Draws the tiles.

    Returns
    -------
    float
        Milliseconds.
    """
    known = choice.milliseconds.get(choice.engine)
    if known is not None:
        return known
    opened = open_engine(choice.engine, choice.precision, backbone.network_for(choice.engine))
    return _measure({choice.engine: opened}, _draw_tiles(backbone, seed))[choice.engine]


def _draw_tiles(backbone: Backbone, seed: int) -> np.ndarray:
    size = backbone.card.input_size
    return np.random.default_rng(seed).integers(0, 256, (64, size, size, 3), dtype=np.uint8)


def _measure(engines: dict[str, Engine], tiles: np.ndarray) -> dict[str, float]:
    """Milliseconds a tile: the best of rounds in which the engines take turns."""
    took = dict.fromkeys(engines, float("inf"))
    for _ in range(_ROUNDS):
        for name, engine in engines.items():
            batch = tiles[: engine.batch]
            engine.run(batch)
            calls, start = 0, time.perf_counter()
            while time.perf_counter() - start < _SECONDS_A_ROUND:
                engine.run(batch)
                calls += 1
            seconds = (time.perf_counter() - start) / (calls * len(batch))
            took[name] = min(took[name], 1000 * seconds)
    return took
