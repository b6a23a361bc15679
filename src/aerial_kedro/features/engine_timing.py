"""Which engine is the fastest on this machine, where that can be told.

Other work on the machine must not choose an engine. Engines take turns, they are compared round by
round, rounds in which this process had no core of its own do not count, and where the others
disagree the default runs and nothing is kept.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from aerial_kedro.features.artifact import Backbone
from aerial_kedro.features.engine_choice import EngineChoice, read_conditions
from aerial_kedro.features.engines import (
    AUTO,
    Engine,
    check_engine,
    engines_for,
    open_engine,
)
from aerial_kedro.features.precision_loss import cosines
from aerial_kedro.features.source import FeatureSource

LOGGER = logging.getLogger(__name__)

# All rounds together; with the engines' opening it stays under five seconds.
_BUDGET_S = 3.0
_TURN_S = 0.06
_FEWEST_ROUNDS, _MOST_ROUNDS = 7, 40
# Another engine than the first must be faster by so much: what it gains must be worth other
# features than those of most machines, in their last digits.
_CLEARLY = 0.9
# The middle half of the rounds must agree within this on how engines compare.
_AGREEMENT = 0.1
# With less of a core than this a process waits for others.
_OWN_CORE = 0.9
# How much less like fp32, by cosine, another engine's features and cells may be than the first's.
_LOSS, _LOSS_OF_CELLS = 1e-4, 1e-3
_COMPARED, _TILES = 4, 64


@dataclass(frozen=True)
class Turn:
    """One engine's turn in a round.

    Parameters
    ----------
    milliseconds
        Of a tile.
    share
        Processor time over time; less than 1 where the process waited.
    """

    milliseconds: float
    share: float


def take_turn(engine: Engine, tiles: np.ndarray) -> Turn:
    """Run an engine for a while on the first tiles, as many as it takes at once."""
    batch = tiles[: engine.batch]
    engine.run(batch)
    calls, used, start = 0, time.process_time(), time.perf_counter()
    while (took := time.perf_counter() - start) < _TURN_S or not calls:
        engine.run(batch)
        calls += 1
    return Turn(1000 * took / (calls * len(batch)), (time.process_time() - used) / took)


@dataclass
class Rounds:
    """What engines took for a tile, in milliseconds by engine and round.

    Parameters
    ----------
    took
        Of the rounds that count; the first engine is what others are compared with.
    disturbed
        Number of rounds in which the first engine had no core of its own.
    """

    took: dict[str, list[float]]
    disturbed: int = 0

    def add(self, turns: dict[str, Turn]) -> None:
        """Count a round, unless it was disturbed.

        The first engine's turn tells: had it waited, others would look faster than they are.
        """
        if next(iter(turns.values())).share < _OWN_CORE:
            self.disturbed += 1
            return
        for name, turn in turns.items():
            self.took[name].append(turn.milliseconds)

    @property
    def count(self) -> int:
        """Number of rounds that count."""
        return len(next(iter(self.took.values())))

    @property
    def doubt(self) -> str:
        """Why they decide nothing; empty where they do."""
        if self.count < _FEWEST_ROUNDS:
            return (
                f"of {self.count + self.disturbed} rounds {self.disturbed} had no core of their "
                f"own, and {_FEWEST_ROUNDS} that have one are needed"
            )
        for name in self.took:
            low, high = np.quantile(self._ratios(name), (0.25, 0.75))
            if high - low > _AGREEMENT:
                first = next(iter(self.took))
                return f"half of the rounds have {name} at {low:.2f} to {high:.2f} times {first}"
        return ""

    def choose(self) -> str:
        """Name the fastest engine, if it is clearly faster than the first and nothing in doubt."""
        first = next(iter(self.took))
        if self.doubt:
            return first
        fastest = min(self.took, key=lambda name: float(np.median(self._ratios(name))))
        return fastest if float(np.median(self._ratios(fastest))) < _CLEARLY else first

    def _ratios(self, name: str) -> np.ndarray:
        return np.divide(self.took[name], next(iter(self.took.values())))


def time_engines(
    engines: dict[str, Engine],
    tiles: np.ndarray,
    take: Callable[[Engine, np.ndarray], Turn] = take_turn,
) -> Rounds:
    """Let engines take turns until the rounds decide, or no further one fits into the budget.

    Networks that take long for a tile get the fewest rounds that can decide, whatever they take.

    Parameters
    ----------
    engines
        By name; the first is what others are compared with.
    tiles
        ``(n, size, size, 3)``, uint8.
    take
        Measures a turn.
    """
    rounds = Rounds({name: [] for name in engines})
    start = time.perf_counter()
    for number in range(1, _MOST_ROUNDS + 1):
        rounds.add({name: take(engine, tiles) for name, engine in engines.items()})
        spent = time.perf_counter() - start
        is_over = spent * (number + 1) / number > _BUDGET_S
        if not rounds.doubt or (is_over and number >= _FEWEST_ROUNDS):
            break
    return rounds


def choose_engine(
    backbone: Backbone,
    engine: str,
    precision: str,
    seed: int,
    *,
    exported: Backbone,
    known: EngineChoice | None = None,
) -> EngineChoice:
    """Resolve ``auto``: fp32, and the engine that is clearly the fastest here and loses nothing.

    Parameters
    ----------
    backbone
        In the precision that is wanted.
    engine, precision
        As the run parameters name them.
    seed
        Seed of the tiles that are measured on.
    exported
        The same in fp32, which says what an engine's features lose.
    known
        What an earlier run measured: taken where machine, packages, network and precision are as
        they were.

    Raises
    ------
    AerialError
        If the engine or precision cannot run here.
    """
    check_engine(engine, precision)
    resolved = "fp32" if precision == AUTO else precision
    if engine != AUTO:
        return EngineChoice(engine=engine, precision=resolved)
    names = [
        name for name in engines_for(resolved) if name != "torch" or backbone.program is not None
    ]
    conditions = read_conditions(names, backbone.card.onnx_sha256, resolved)
    if known is not None and known.conditions == conditions:
        LOGGER.info("engine=auto takes %s, as measured before: %s", known.engine, _describe(known))
        return known
    tiles = _draw_tiles(backbone, seed)
    opened, left_out = _open_alike(names, resolved, backbone, exported, tiles[:_COMPARED])
    rounds = time_engines(opened, tiles)
    quartiles = _quartiles(rounds)
    choice = EngineChoice(
        engine=rounds.choose(),
        precision=resolved,
        milliseconds={name: middle for name, (_, middle, _) in quartiles.items()},
        quartiles={name: (low, high) for name, (low, _, high) in quartiles.items()},
        left_out=left_out,
        doubt=rounds.doubt,
        conditions=conditions,
    )
    _announce(choice)
    return choice


def _announce(choice: EngineChoice) -> None:
    if not choice.doubt:
        LOGGER.info("engine=auto takes %s for all workers: %s", choice.engine, _describe(choice))
        return
    LOGGER.warning(
        "engine=auto keeps %s: its measurement is in doubt (%s; %s). Other work on the machine is "
        "the usual cause; the next run with engine=auto measures again.",
        choice.engine,
        choice.doubt,
        _describe(choice),
    )


def _describe(choice: EngineChoice) -> str:
    times = choice.describe_times() or "not known"
    said = f"milliseconds a tile on one thread at {choice.precision} are {times}"
    return said + "".join(f"; not {name}: {why}" for name, why in choice.left_out.items())


def _draw_tiles(backbone: Backbone, seed: int) -> np.ndarray:
    shape = (_TILES, backbone.card.input_size, backbone.card.input_size, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def _open_alike(
    names: list[str], precision: str, backbone: Backbone, exported: Backbone, tiles: np.ndarray
) -> tuple[dict[str, Engine], dict[str, str]]:
    """Open the engines whose features are as like fp32 as the first one's; say why not others."""
    reference = open_engine("onnxruntime", "fp32", exported.onnx).run_all(tiles)
    opened: dict[str, Engine] = {}
    left_out: dict[str, str] = {}
    least: tuple[float, float] | None = None
    for name in names:
        engine = open_engine(name, precision, backbone.network_for(name))
        alike = _likeness(engine.run_all(tiles), reference)
        least = least or (alike[0] - _LOSS, alike[1] - _LOSS_OF_CELLS)
        if not opened or (alike[0] >= least[0] and alike[1] >= least[1]):
            opened[name] = engine
        else:
            left_out[name] = (
                f"its features are less like fp32 than those of {names[0]} (cosine {alike[0]:.6f}, "
                f"of cells {alike[1]:.5f})"
            )
    return opened, left_out


def _likeness(
    found: tuple[np.ndarray, np.ndarray | None], reference: tuple[np.ndarray, np.ndarray | None]
) -> tuple[float, float]:
    """Mean cosine of features, and of cells; 1 where there are none."""
    means = [
        1.0
        if one is None or other is None
        else float(cosines(*(each.reshape(-1, each.shape[-1]) for each in (one, other))).mean())
        for one, other in zip(found, reference, strict=True)
    ]
    return means[0], means[1]


def _quartiles(rounds: Rounds) -> dict[str, tuple[float, float, float]]:
    """First quartile, median and third quartile by engine; empty where no round counts."""
    took = rounds.took if rounds.count else {}
    found = {name: np.quantile(each, (0.25, 0.5, 0.75)).tolist() for name, each in took.items()}
    return {name: (low, middle, high) for name, (low, middle, high) in found.items()}


def measure_engine(source: FeatureSource, seed: int) -> float:
    """Measure what a tile takes on one thread, without reading it.

    Parameters
    ----------
    source
        The backbone, and what runs it.
    seed
        Draws the tiles.

    Returns
    -------
    float
        Milliseconds: the best of the turns, which other work on the machine lengthens least.
    """
    engine = source.choice.engine
    if engine in source.choice.milliseconds:
        return source.choice.milliseconds[engine]
    opened, tiles = source.open(), _draw_tiles(source.backbone, seed)
    return min(take_turn(opened, tiles).milliseconds for _ in range(_FEWEST_ROUNDS))
