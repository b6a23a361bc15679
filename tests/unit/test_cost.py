"""The model of time and cost, and the page that shows what it prints."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.cost import (
    MAPS,
    ORIGINAL_PRICE,
    ORIGINAL_RATE,
    Cluster,
    assumption_table,
    cost_table,
    estimate,
    main,
    original,
)
from benchmarks.cost_assumptions import RESULT, Assumptions
from benchmarks.results import PAGE as BENCHMARKS
from benchmarks.results import RESULTS

PAGE = Path(__file__).parents[2] / "docs" / "cluster.md"
# Assumption to how it follows from a result's featurization and county, of two cores.
MEASURED: dict[str, Callable[[Any, Any], float]] = {
    "fine_rate": lambda found, _: found["scenes fp32"]["pipeline"][0] / 2,
    "fine_int8_rate": lambda found, _: found["scenes int8"]["pipeline"][0] / 2,
    "draft_int8_rate": lambda found, _: found["scenes_at_2m int8"]["pipeline"][0] / 2,
    "read_rate": lambda found, _: without_engine(found["scenes int8"]) / 2,
    "scoring_rate": lambda _, county: county["tiles"] / county["scoring_s"] / 2,
    "report_rate": lambda _, county: county["tiles"] / county["reporting_s"],
}
TILES = st.integers(1, 10**9)
WORKERS = st.integers(1, 1000)
# One tile a second in every step, dollars and bytes of one: sums that can be done by hand.
PLAIN = Assumptions(
    catalog_rate=1, fine_rate=1, fine_int8_rate=2, draft_int8_rate=4, read_rate=10, scoring_rate=1,
    report_rate=1, efficiency=1, worker_cores=1, run_tiles=100, run_fixed_s=10, begin_s=5,
    tile_bytes=1e9, draft_share=0.25, kept_bytes=1e9, tile_reads=10, account_gbit_s=1e9,
    account_reads_s=1e9, worker_price=3600, fixed_price=7200, gpu_rate=5, gpu_cores=1,
    gpu_price=14400, read_price=1, storage_price=1,
)  # fmt: skip
ONE, TWO, MANY = Cluster(1), Cluster(2), Cluster(1000)
DRAFT, FINE_INT8, FINE = MAPS


def without_engine(found: dict[str, list[float]]) -> float:
    """Say how many tiles a second the pipeline would give if its network took no time."""
    return 1 / (1 / found["pipeline"][0] - 1 / found["engine"][0])


class TestEstimate:
    def test_adds_what_each_step_takes(self) -> None:
        found = estimate(200, TWO, FINE, PLAIN)
        seconds = 5 + 2 * 10 + 100 + 100 + 100 + 200
        assert found.hours == pytest.approx(seconds / 3600)
        assert found.machines == pytest.approx(seconds * (2 * 1 + 2))
        assert found.reads == pytest.approx(0.2)
        assert found.storage == pytest.approx(400)

    def test_a_run_that_is_begun_is_a_whole_one(self) -> None:
        one, two = (estimate(tiles, ONE, FINE, PLAIN).hours for tiles in (100, 101))
        assert (two - one) * 3600 == pytest.approx(10 + 4)

    @pytest.mark.parametrize("limit", ["account_gbit_s", "account_reads_s"])
    def test_storage_bounds_what_workers_can_read(self, limit: str) -> None:
        # Half a tile a second: 4 Gbit/s of 1 GB tiles, 5 requests/s of 10 a tile.
        slow = dataclasses.replace(
            PLAIN, **{limit: {"account_gbit_s": 4, "account_reads_s": 5}[limit]}
        )
        assert estimate(100, ONE, FINE, slow).hours * 3600 == pytest.approx(
            5 + 10 + 100 + 200 + 200
        )
        more = estimate(100, MANY, FINE, slow).hours * 3600
        assert more >= 200

    @given(TILES, WORKERS)
    def test_more_tiles_never_cost_less(self, tiles: int, workers: int) -> None:
        one, two = (estimate(count, Cluster(workers)) for count in (tiles, tiles + 1))
        assert all(
            a <= b for a, b in zip(dataclasses.astuple(one), dataclasses.astuple(two), strict=True)
        )

    @given(TILES, WORKERS)
    def test_more_workers_are_never_slower(self, tiles: int, workers: int) -> None:
        fewer, more = (estimate(tiles, Cluster(count)) for count in (workers, workers + 1))
        assert more.hours <= fewer.hours

    @pytest.mark.parametrize(("tiles", "workers"), [(0, 1), (1, 0), (-1, 2)])
    def test_refuses_nothing_at_all(self, tiles: int, workers: int) -> None:
        with pytest.raises(ValueError, match="at least one"):
            estimate(tiles, Cluster(workers))

    def test_a_map_is_featurized_at_its_own_rate(self) -> None:
        hours = [estimate(100, ONE, made, PLAIN).hours * 3600 for made in (FINE, FINE_INT8, DRAFT)]
        assert hours == pytest.approx([15 + 300 + each for each in (100, 50, 25)])

    def test_a_draft_reads_a_share_of_the_bytes(self) -> None:
        # Storage gives half a tile a second, and two tiles of a draft.
        slow = dataclasses.replace(PLAIN, account_gbit_s=4)
        fine, draft = (estimate(100, ONE, made, slow).hours * 3600 for made in (FINE, DRAFT))
        assert (fine, draft) == (pytest.approx(15 + 300 + 200), pytest.approx(15 + 300 + 50))

    def test_a_card_runs_the_network_as_fast_as_cores_read(self) -> None:
        card = Cluster(1, has_cards=True)
        bound_by_card = estimate(100, card, FINE, PLAIN)
        assert bound_by_card.hours * 3600 == pytest.approx(15 + 300 + 100 / 5)
        assert bound_by_card.machines == pytest.approx(bound_by_card.hours * (14400 + 7200))
        slow = dataclasses.replace(PLAIN, read_rate=2)
        assert estimate(100, card, FINE, slow).hours * 3600 == pytest.approx(15 + 300 + 100 / 2)


class TestAssumptions:
    @pytest.mark.parametrize("name", [each.name for each in dataclasses.fields(Assumptions)])
    def test_are_greater_than_nothing_and_name_their_source(self, name: str) -> None:
        with pytest.raises(ValueError, match=name):
            Assumptions(**{name: 0.0})
        assert Assumptions.__dataclass_fields__[name].metadata["source"]

    def test_no_cluster_is_faster_than_its_cores(self) -> None:
        with pytest.raises(ValueError, match="efficiency"):
            Assumptions(efficiency=1.01)

    @pytest.mark.parametrize("name", sorted(MEASURED))
    def test_measured_rates_are_those_of_the_result_that_they_name(self, name: str) -> None:
        found = json.loads((RESULTS / f"{RESULT}.json").read_text(encoding="utf-8"))["found"]
        measured = MEASURED[name](found["featurization"], found["county"])
        assert getattr(Assumptions(), name) == pytest.approx(measured, rel=0.005)
        assert RESULT in Assumptions.__dataclass_fields__[name].metadata["source"]

    def test_the_rate_of_the_catalog_is_that_of_the_page(self) -> None:
        assert "100 scenes 6,214 tiles/s" in BENCHMARKS.read_text(encoding="utf-8")
        assert Assumptions().catalog_rate * 2 == 6_214

    def test_rates_are_measured_but_for_what_is_published(self) -> None:
        rates = {
            each.name for each in dataclasses.fields(Assumptions) if each.name.endswith("_rate")
        }
        assert rates == {*MEASURED, "catalog_rate", "gpu_rate"}

    @pytest.mark.parametrize("name", ["gpu_rate", "gpu_price"])
    def test_what_others_published_is_said_to_be_theirs(self, name: str) -> None:
        assert "published" in Assumptions.__dataclass_fields__[name].metadata["source"]


class TestOriginal:
    def test_is_that_of_its_own_figures(self) -> None:
        # 11,760 images in 7:50 min on 10 workers; 40 workers at $40/h.
        assert pytest.approx(11_760 / (7 * 60 + 50), rel=0.01) == ORIGINAL_RATE * 10
        assert ORIGINAL_PRICE * 40 == 40
        hours, dollars = original(90_000, 10)
        assert (hours, dollars) == (pytest.approx(1), pytest.approx(10))


class TestTables:
    @pytest.mark.parametrize("table", [cost_table, assumption_table])
    def test_of_the_page_are_what_the_model_prints(self, table: object) -> None:
        assert f"\n{table()}\n" in PAGE.read_text(encoding="utf-8")  # type: ignore[operator]

    def test_follow_the_options(self, capsys: pytest.CaptureFixture[str]) -> None:
        main([
            "--tiles", "5000000", "--workers", "10", "--cards", "3", "--worker-price", "0.5",
        ])  # fmt: skip
        printed = capsys.readouterr().out
        clusters = [Cluster(10), Cluster(3, has_cards=True)]
        assert cost_table([5_000_000], clusters, Assumptions(worker_price=0.5)) in printed
        assert "| `worker_price` | 0.5 |" in printed

    def test_a_wrong_option_is_refused_in_a_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            main(["--efficiency", "2"])
        assert "efficiency is a share" in capsys.readouterr().err
