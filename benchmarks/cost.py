"""What a county, a state and the conterminous United States would take: a model of time and cost.

Nothing here was run on a cloud. Rates are those of `benchmarks/README.md`, measured on one machine
with two cores; prices and what a cluster loses are assumptions, each with its source beside it and
an option to change it. The figures of the 2017 sample are its authors' own.

Run it with ``make cost``, or ``python -m benchmarks.cost --workers 10 --worker-price 0.12``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

SIZES = (67_000, 1_000_000, 160_000_000)
WORKERS = (2, 40)  # of infra/template.json, and of infra/forty-workers.parameters.json
_HOUR_S = 3600
_GB = 1e9
# Azure/Embarrassingly-Parallel-Image-Classification: 11,760 images in 7:50 min on 10 workers.
ORIGINAL_RATE = 2.5  # images/s of one worker
ORIGINAL_PRICE = 1.0  # $/h of one worker: about $40/h for 40


def _given(default: float, unit: str, source: str) -> Any:
    return field(default=default, metadata={"unit": unit, "source": source})


@dataclass(frozen=True)
class Assumptions:
    """What the model rests on; `unit` and `source` of each are in its field's metadata.

    Raises
    ------
    ValueError
        If one is not greater than 0, or the efficiency exceeds 1.
    """

    catalog_rate: float = _given(3_107, "tiles/s a core", "measured, 100 scenes: 6,214 on 2 cores")
    feature_rate: float = _given(
        162, "tiles/s a core", "measured, PNG, fp32: 325 on 2 cores; int8 goes at 273"
    )
    scoring_rate: float = _given(1_821, "tiles/s a core", "measured: 67,392 in 18.5 s on 2 cores")
    report_rate: float = _given(
        5_964, "tiles/s, driver alone", "measured: 67,392 in 11.3 s; workers wait, and are paid"
    )
    efficiency: float = _given(
        0.7, "", "assumed: what workers keep of that speed beside others and on remote storage"
    )
    worker_cores: float = _given(4, "vCPU", "Standard_D4s_v5")
    run_tiles: float = _given(
        1_000_000, "tiles", "assumed: more are run piece by piece; 67,392 is the most that was run"
    )
    run_fixed_s: float = _given(
        300, "s a run", "assumed: Spark's start, export, training, calibration"
    )
    begin_s: float = _given(900, "s", "assumed: machines start and install, once")
    tile_bytes: float = _given(
        200_704, "bytes", "224 m at 1 m, four bands, uncompressed; 0.6 m: 557,000"
    )
    kept_bytes: float = _given(9_000, "bytes a tile", "1,792 features in fp32, and the tables")
    tile_reads: float = _given(
        1, "requests a tile", "assumed: neighbours share a block, GDAL asks for headers too"
    )
    account_gbit_s: float = _given(
        50, "Gbit/s", "default of a storage account; 120 in the larger regions"
    )
    account_reads_s: float = _given(20_000, "requests/s", "default of a storage account")
    worker_price: float = _given(
        0.20, "$/h", "Standard_D4s_v5, Linux, East US, about 0.19, and its disk"
    )
    fixed_price: float = _given(0.26, "$/h", "driver of the same size, NAT gateway, two addresses")
    read_price: float = _given(0.0044, "$ for 10,000", "hot, LRS, East US")
    storage_price: float = _given(0.018, "$ a GB and month", "hot, LRS, East US")

    def __post_init__(self) -> None:
        for each in fields(self):
            if getattr(self, each.name) <= 0:
                raise ValueError(f"{each.name} must be greater than 0")
        if self.efficiency > 1:
            raise ValueError("efficiency is a share: 1 at most")


@dataclass(frozen=True)
class Estimate:
    """Time and cost of scoring tiles once, from catalog to report.

    Parameters
    ----------
    hours
        From the first machine's start to the last report.
    machines
        All machines for those hours, in dollars.
    reads
        Requests to storage, in dollars.
    storage
        Imagery and results for a month, in dollars.
    """

    hours: float
    machines: float
    reads: float
    storage: float


def estimate(tiles: int, workers: int, given: Assumptions | None = None) -> Estimate:
    """Estimate one pass over tiles.

    Parameters
    ----------
    tiles
        How many.
    workers
        Of the cluster, all paid from beginning to end.
    given
        Assumptions; their defaults if None.

    Raises
    ------
    ValueError
        If there are no tiles or no workers.
    """
    if tiles < 1 or workers < 1:
        raise ValueError("at least one tile and one worker")
    given = given or Assumptions()
    cores = workers * given.worker_cores * given.efficiency
    features = min(
        cores * given.feature_rate,
        given.account_gbit_s * 1e9 / 8 / given.tile_bytes,
        given.account_reads_s / given.tile_reads,
    )
    runs = -(-tiles // int(given.run_tiles))
    seconds = given.begin_s + runs * given.run_fixed_s
    seconds += tiles / (cores * given.catalog_rate) + tiles / features
    seconds += tiles / (cores * given.scoring_rate) + tiles / given.report_rate
    hours = seconds / _HOUR_S
    return Estimate(
        hours=hours,
        machines=hours * (workers * given.worker_price + given.fixed_price),
        reads=tiles * given.tile_reads / 10_000 * given.read_price,
        storage=tiles * (given.tile_bytes + given.kept_bytes) / _GB * given.storage_price,
    )


def original(tiles: int, workers: int) -> tuple[float, float]:
    """Hours and dollars of the 2017 sample's featurization and scoring, at its own figures.

    Examples
    --------
    >>> original(67_000, 10)[0]
    0.7444444444444445
    """
    hours = tiles / (ORIGINAL_RATE * workers) / _HOUR_S
    return hours, hours * workers * ORIGINAL_PRICE


def cost_table(
    sizes: Iterable[int] = SIZES,
    workers: Iterable[int] = WORKERS,
    given: Assumptions | None = None,
) -> str:
    """Write the estimates as a Markdown table, the original's figures below each size."""
    lines = [
        "| tiles | cluster | hours | machines | reads | storage, a month |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    for tiles in sizes:
        for count in workers:
            each = estimate(tiles, count, given)
            costs = [_dollars(value) for value in (each.machines, each.reads, each.storage)]
            cells = [f"{tiles:,}", f"{count} workers", _hours(each.hours), *costs]
            lines.append(f"| {' | '.join(cells)} |")
        for count in (10, 40):
            hours, dollars = original(tiles, count)
            cells = [f"{tiles:,}", f"the original's {count}", _hours(hours), _dollars(dollars)]
            lines.append(f"| {' | '.join(cells)} | | |")
    return "\n".join(lines)


def assumption_table(given: Assumptions | None = None) -> str:
    """Write the assumptions as a Markdown table, each with its unit and source."""
    given = given or Assumptions()
    lines = ["| assumption | value | unit | where from |", "|---|---:|---|---|"]
    for each in fields(given):
        cells = [
            f"`{each.name}`",
            f"{getattr(given, each.name):,}".removesuffix(".0"),
            each.metadata["unit"],
            each.metadata["source"],
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _hours(value: float) -> str:
    return f"{value:,.2f}" if value < 10 else f"{value:,.0f}"  # noqa: PLR2004


def _dollars(value: float) -> str:
    return f"${value:,.2f}" if value < 10 else f"${value:,.0f}"  # noqa: PLR2004


def main(arguments: list[str] | None = None) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiles", type=int, nargs="+", default=SIZES)
    parser.add_argument("--workers", type=int, nargs="+", default=WORKERS)
    for each in fields(Assumptions):
        option = "--" + each.name.replace("_", "-")
        text = f"{each.metadata['unit']} (default {each.default:,})".replace("%", "%%")
        parser.add_argument(option, type=float, default=each.default, help=text)
    values = vars(parser.parse_args(arguments))
    sizes, workers = values.pop("tiles"), values.pop("workers")
    try:
        given = Assumptions(**values)
        table = cost_table(sizes, workers, given)
    except ValueError as error:
        parser.error(str(error))
    print(table, assumption_table(given), sep="\n\n")


if __name__ == "__main__":
    main()
