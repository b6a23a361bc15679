"""``engine=auto``: the fastest engine that loses nothing, and nothing chosen on a busy machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aerial_kedro.features import engine_timing
from aerial_kedro.features.artifact import Backbone
from aerial_kedro.features.engine_choice import EngineChoice, read_conditions
from aerial_kedro.features.engine_timing import Rounds, Turn, choose_engine, time_engines
from aerial_kedro.features.engines import Engine, open_engine

TILES = np.zeros((2, 4, 4, 3), np.uint8)
ENGINES = {
    "onnxruntime": Engine(2, lambda tiles: (tiles, None)),
    "openvino": Engine(1, lambda tiles: (tiles, None)),
}
CPUINFO = (
    "processor\t: 0\ncpu family\t: 26\nmodel\t\t: 2\nmodel name\t: AMD EPYC\ncpu MHz\t\t: 2596.1\n"
)


def rounds(first: list[float], other: list[float], disturbed: int = 0) -> Rounds:
    return Rounds({"onnxruntime": first, "openvino": other}, disturbed)


class TestRounds:
    @pytest.mark.parametrize(
        ("openvino", "chosen"), [(8.0, "openvino"), (9.5, "onnxruntime"), (12.0, "onnxruntime")]
    )
    def test_another_engine_must_be_clearly_faster(self, openvino: float, chosen: str) -> None:
        found = rounds([10.0] * 7, [openvino] * 7)
        assert not found.doubt
        assert found.choose() == chosen

    def test_a_machine_that_slows_down_slows_both(self) -> None:
        """Rounds are compared one by one, since a machine's speed may change between them."""
        first = [10.0, 30.0, 11.0, 25.0, 12.0, 40.0, 10.0]
        found = rounds(first, [0.8 * each for each in first])
        assert (found.doubt, found.choose()) == ("", "openvino")

    def test_rounds_that_disagree_leave_the_default(self) -> None:
        found = rounds([10.0] * 8, [5.0, 5.0, 5.0, 5.0, 5.0, 12.0, 12.0, 12.0])
        assert found.doubt == "half of the rounds have openvino at 0.50 to 1.20 times onnxruntime"
        assert found.choose() == "onnxruntime"

    def test_one_round_in_eight_may_be_off(self) -> None:
        found = rounds([10.0] * 8, [8.0] * 7 + [80.0])
        assert (found.doubt, found.choose()) == ("", "openvino")

    def test_too_few_leave_the_default(self) -> None:
        found = rounds([10.0] * 6, [5.0] * 6, disturbed=9)
        assert found.doubt.startswith("of 15 rounds 9 had no core of their own")
        assert found.choose() == "onnxruntime"

    def test_those_in_which_the_default_waited_do_not_count(self) -> None:
        found = rounds([], [])
        found.add({"onnxruntime": Turn(20.0, 0.5), "openvino": Turn(8.0, 1.0)})
        assert (found.count, found.disturbed) == (0, 1)
        found.add({"onnxruntime": Turn(10.0, 0.98), "openvino": Turn(8.0, 0.97)})
        assert found.took == {"onnxruntime": [10.0], "openvino": [8.0]}


class Machine:
    """Gives turns as a machine would that is busy for some rounds, and then is not."""

    def __init__(self, busy: int) -> None:
        self.turns = 0
        self._busy = busy

    def __call__(self, engine: Engine, tiles: np.ndarray) -> Turn:
        waits = self.turns < self._busy * len(ENGINES)
        self.turns += 1
        milliseconds = 8.0 if engine is ENGINES["openvino"] else 10.0
        return Turn(3 * milliseconds, 0.4) if waits else Turn(milliseconds, 0.99)


class TestTiming:
    def test_a_quiet_machine_needs_few_rounds(self) -> None:
        found = time_engines(ENGINES, TILES, Machine(busy=0))
        assert (found.count, found.disturbed, found.doubt) == (7, 0, "")

    def test_a_busy_one_is_measured_again(self) -> None:
        found = time_engines(ENGINES, TILES, Machine(busy=10))
        assert (found.count, found.disturbed) == (7, 10)
        assert found.choose() == "openvino"

    def test_one_that_stays_busy_ends_in_doubt(self) -> None:
        machine = Machine(busy=10_000)
        found = time_engines(ENGINES, TILES, machine)
        assert found.doubt
        assert found.choose() == "onnxruntime"
        assert machine.turns == 80  # and not for ever

    def test_no_more_rounds_than_decide_begin_where_each_takes_long(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(engine_timing, "_BUDGET_S", 0.0)
        slow = time_engines(ENGINES, TILES, Machine(busy=0))
        assert (slow.count, slow.doubt) == (7, "")
        busy = time_engines(ENGINES, TILES, Machine(busy=10_000))
        assert (busy.count, busy.disturbed) == (0, 7)
        assert busy.doubt

    def test_every_engine_has_its_turn(self, lite0: Backbone, tiles224: np.ndarray) -> None:
        opened = {
            name: open_engine(name, "fp32", lite0.onnx) for name in ("onnxruntime", "openvino")
        }
        found = time_engines(opened, tiles224)
        assert set(found.took) == set(opened)
        assert all(each > 0 for took in found.took.values() for each in took)


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Rounds], list[list[str]]]]:
    """Put given rounds in the place of measured ones; tells which engines were to be measured."""
    asked: list[list[str]] = []

    def put(found: Rounds) -> list[list[str]]:
        def measure(engines: dict[str, Engine], tiles: np.ndarray) -> Rounds:
            asked.append(list(engines))
            return replace(found, took={name: found.took[name] for name in engines})

        monkeypatch.setattr(engine_timing, "time_engines", measure)
        return asked

    return put  # type: ignore[return-value]


FASTER = rounds([10.0] * 7, [8.0] * 7)
IN_DOUBT = rounds([10.0] * 2, [8.0] * 2, disturbed=20)


class TestChoice:
    def test_a_name_is_taken_at_its_word(self, lite0: Backbone) -> None:
        found = choose_engine(lite0, "openvino", "auto", seed=1, exported=lite0)
        assert found == EngineChoice(engine="openvino", precision="fp32")
        assert not found.is_to_keep

    def test_auto_says_what_it_measured(
        self, lite0: Backbone, timed: Callable, caplog: pytest.LogCaptureFixture
    ) -> None:
        asked = timed(FASTER)
        with caplog.at_level("INFO"):
            found = choose_engine(lite0, "auto", "auto", seed=1, exported=lite0)
        assert asked == [["onnxruntime", "openvino"]]  # lite0 has no network for torch
        assert (found.engine, found.precision) == ("openvino", "fp32")
        assert found.milliseconds == {"onnxruntime": 10.0, "openvino": 8.0}
        assert found.quartiles == {"onnxruntime": (10.0, 10.0), "openvino": (8.0, 8.0)}
        assert found.is_to_keep
        assert "takes openvino for all workers: milliseconds a tile" in caplog.text
        assert "onnxruntime 10.00 (10.00 to 10.00)" in caplog.text

    def test_in_doubt_the_default_runs_and_is_not_kept(
        self, lite0: Backbone, timed: Callable, caplog: pytest.LogCaptureFixture
    ) -> None:
        timed(IN_DOUBT)
        found = choose_engine(lite0, "auto", "fp32", seed=1, exported=lite0)
        assert found.engine == "onnxruntime"
        assert not found.is_to_keep
        assert "keeps onnxruntime: its measurement is in doubt (of 22 rounds 20" in caplog.text

    def test_what_was_measured_is_not_measured_again(
        self, lite0: Backbone, timed: Callable
    ) -> None:
        asked = timed(FASTER)
        first = choose_engine(lite0, "auto", "fp32", seed=1, exported=lite0)
        again = choose_engine(lite0, "auto", "fp32", seed=2, exported=lite0, known=first)
        assert again == first
        assert len(asked) == 1

    @pytest.mark.parametrize("changed", ["processor", "packages", "network", "precision"])
    def test_other_conditions_are(self, changed: str, lite0: Backbone, timed: Callable) -> None:
        asked = timed(FASTER)
        first = choose_engine(lite0, "auto", "fp32", seed=1, exported=lite0)
        assert first.conditions is not None
        other = {"onnxruntime": "0.1"} if changed == "packages" else "another"
        known = first.model_copy(
            update={"conditions": first.conditions.model_copy(update={changed: other})}
        )
        choose_engine(lite0, "auto", "fp32", seed=1, exported=lite0, known=known)
        assert len(asked) == 2

    def test_an_engine_with_other_features_is_left_out(
        self,
        lite0: Backbone,
        timed: Callable,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """However fast: here OpenVINO rounds to bf16, or its features are a little shifted."""
        asked = timed(FASTER)
        opening = engine_timing.open_engine

        def open_shifted(engine: str, precision: str, network: bytes) -> Engine:
            opened = opening(engine, precision, network)
            if engine == "onnxruntime":
                return opened

            def run(tiles: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
                features, cells = opened.run_with_cells(tiles)
                noise = np.random.default_rng(0).normal(size=features.shape)
                return (features + 0.03 * features.std() * noise).astype(np.float32), cells

            return Engine(opened.batch, run)

        monkeypatch.setattr(engine_timing, "open_engine", open_shifted)
        with caplog.at_level("INFO"):
            found = choose_engine(lite0, "auto", "fp32", seed=1, exported=lite0)
        assert asked == [["onnxruntime"]]
        assert found.engine == "onnxruntime"
        assert found.left_out["openvino"].startswith("its features are less like fp32 than those")
        assert "not openvino: its features are less like fp32" in caplog.text


class TestConditions:
    def test_are_the_processor_and_the_packages(self, tmp_path: Path) -> None:
        path = tmp_path / "cpuinfo"
        path.write_text(f"{CPUINFO}\n{CPUINFO.replace('2596.1', '3300.0')}")
        found = read_conditions(["onnxruntime", "openvino"], "a" * 64, "int8", path)
        assert found.processor == "AMD EPYC 26 2"
        assert set(found.packages) == {"onnxruntime", "openvino"}
        assert found.packages["onnxruntime"].count(".") == 2
        path.write_text(CPUINFO.replace("2596.1", "3300.0"))  # its clock is no other processor
        assert found == read_conditions(["onnxruntime", "openvino"], "a" * 64, "int8", path)
