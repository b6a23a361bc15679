"""The table of figures: what a run of all benchmarks found, what it missed, the latest and best."""

import copy
from pathlib import Path
from typing import Any

import pytest

from benchmarks import results, suite
from benchmarks.results import (
    MARKS,
    PAGE,
    Figure,
    MissingFigureError,
    check_complete,
    compare,
    describe_machine,
    find,
    read_results,
    update_page,
    write_table,
)

FIGURES = (
    Figure("pipeline over bare loop", "featurization", ("png int8", "pipeline_over_bare"), 0.9),
    Figure("drawing the sample, s", "start", ("sample_s",), 20, more_is_better=False),
    Figure("engine, tiles/s", "featurization", ("png int8", "engine")),
)
RESULT: dict[str, Any] = {
    "date": "2026-11-29T21:00:00+00:00",
    "commit": "abc1234",
    "machine": {"processor": "A Processor", "flags": ["vnni"], "cores": 2, "memory_gb": 24},
    "found": {
        "featurization": {"png int8": {"pipeline_over_bare": [0.92, 0.9, 0.95], "engine": 480.0}},
        "start": {"sample_s": [25.0, 24.0, 27.0]},
    },
    "failed": {},
}


def without(benchmark: str, *path: str) -> dict[str, Any]:
    """Take a figure out of the result."""
    result = copy.deepcopy(RESULT)
    place = result["found"]
    for key in (benchmark, *path)[:-1]:
        place = place[key]
    del place[(benchmark, *path)[-1]]
    return result


class TestTable:
    def test_says_of_each_figure_what_was_found_and_whether_it_suffices(self) -> None:
        rows = write_table(RESULT, FIGURES).splitlines()
        assert "| pipeline over bare loop | 0.92 | 0.9 to 0.95 | ≥ 0.9 | yes |" in rows
        assert "| drawing the sample, s | 25 | 24 to 27 | ≤ 20 | no |" in rows
        assert "| engine, tiles/s | 480 | one run |  |  |" in rows

    def test_a_spread_may_stand_beside_the_figure(self) -> None:
        figure = Figure("int8", "engines", ("engines", "int8", "times"), spread="quartiles")
        found = {"engines": {"engines": {"int8": {"times": 2.0, "quartiles": [1.9, 2.1]}}}}
        assert find(figure, found) == (2.0, 1.9, 2.1)

    def test_names_machine_and_commit(self) -> None:
        text = write_table(RESULT, FIGURES)
        assert "# 2026-11-29T21:00:00+00:00, commit abc1234" in text
        assert "A Processor (vnni), 2 cores, 24 GB." in text

    def test_a_missing_figure_is_a_row_that_says_so(self) -> None:
        result = without("start") | {"failed": {"start": "it ended with 1: no room"}}
        text = write_table(result, FIGURES)
        assert "| drawing the sample, s | missing | | ≤ 20 | no |" in text
        assert "`start` failed: it ended with 1: no room" in text


class TestComplete:
    def test_a_whole_result_is_taken(self) -> None:
        check_complete(RESULT, FIGURES)

    @pytest.mark.parametrize(
        ("gone", "named"),
        [
            (("start",), "drawing the sample, s (start)"),
            (("featurization", "png int8"), "engine, tiles/s (featurization)"),
            (("featurization", "png int8", "engine"), "engine, tiles/s (featurization)"),
        ],
    )
    def test_a_missing_figure_is_refused_by_its_name(self, gone: tuple[str], named: str) -> None:
        with pytest.raises(MissingFigureError) as error:
            check_complete(without(*gone), FIGURES)
        assert named in str(error.value)

    def test_null_is_missing_too(self) -> None:
        result = copy.deepcopy(RESULT)
        result["found"]["start"]["sample_s"] = None
        assert find(FIGURES[1], result["found"]) is None


def earlier() -> dict[str, Any]:
    """Give a result that was better in one figure."""
    result = copy.deepcopy(RESULT) | {"date": "2026-11-20T00:00:00+00:00", "commit": "older12"}
    result["found"]["start"]["sample_s"] = [19.0, 18.0, 20.0]
    return result


class TestComparison:
    def test_the_best_is_the_least_where_less_is_better(self) -> None:
        rows = compare([earlier(), RESULT], FIGURES).splitlines()
        assert rows[0] == "| figure | 2026-11-29, abc1234 | best | of | to reach |"
        assert "| drawing the sample, s | 25 (24 to 27) | 19 | 2026-11-20, older12 | ≤ 20 |" in rows

    def test_the_latest_may_miss_what_an_earlier_one_had(self) -> None:
        rows = compare([earlier(), without("start")], FIGURES).splitlines()
        assert "| drawing the sample, s | missing | 19 | 2026-11-20, older12 | ≤ 20 |" in rows

    def test_is_put_between_the_marks_of_a_page(self) -> None:
        page = f"before\n{MARKS[0]}\nold\n{MARKS[1]}\nafter\n"
        assert update_page(page, "new") == f"before\n{MARKS[0]}\nnew\n{MARKS[1]}\nafter\n"
        with pytest.raises(ValueError, match="marks"):
            update_page("a page without marks", "new")

    def test_the_page_shows_the_results_that_are_kept(self) -> None:
        page = PAGE.read_text(encoding="utf-8")
        assert update_page(page, compare(read_results())) == page


def test_every_figure_is_of_a_benchmark_that_is_run() -> None:
    assert {each.benchmark for each in results.FIGURES} == set(suite.COMMANDS)
    assert set(suite.COMMANDS) == set(suite.LIMITS_S)


def test_the_network_alone_is_told_beside_the_main_job() -> None:
    found: dict[str, Any] = {
        "start": {"tiles": [1894.0, 1894, 1894]},
        "featurization": {"png fp32": {}},
    }
    suite.add_network(found)
    assert "network_s" not in found["start"]
    found["featurization"]["png fp32"]["engine"] = [250.0, 240, 260]
    suite.add_network(found)
    assert found["start"]["network_s"] == 7.6


def test_the_machine_is_described() -> None:
    assert set(describe_machine()) == set(RESULT["machine"])


class TestRun:
    def module(self, folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> str:
        (folder / "small_benchmark.py").write_text(text)
        monkeypatch.setenv("PYTHONPATH", str(folder))
        return "small_benchmark"

    def test_reads_the_last_line(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        name = self.module(tmp_path, monkeypatch, "print('so far')\nprint('{\"seconds\": 3}')")
        assert suite.run_benchmark(name, limit_s=60) == {"seconds": 3}

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("raise SystemExit('no room')", "ended with 1: no room"),
            ("print('no figures')", "line of JSON"),
        ],
    )
    def test_a_failure_is_kept_and_the_next_one_runs(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, why: str
    ) -> None:
        name = self.module(tmp_path, monkeypatch, text)
        result = suite.run_all({"first": [name], "second": [name]}, {"first": 60, "second": 60})
        assert set(result["failed"]) == {"first", "second"}
        assert why in result["failed"]["second"]
