"""What a county, a state and the conterminous United States would take: a model of time and cost.

Nothing here was run on a cloud, nor on a graphics card. Rates are those of `benchmarks/README.md`,
measured on one machine with two cores, or published by others; prices and what a cluster loses are
assumptions, each with its source beside it (`cost_assumptions`) and an option to change it. The
figures of the 2017 sample are its authors' own.

Run it with ``make cost``, or ``python -m benchmarks.cost --workers 10 --worker-price 0.12``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, fields

from benchmarks.cost_assumptions import Assumptions

SIZES = (67_000, 1_000_000, 160_000_000)
ORIGINAL_WORKERS = 40
_HOUR_S = 3600
_GB = 1e9
# Azure/Embarrassingly-Parallel-Image-Classification: 11,760 images in 7:50 min on 10 workers.
ORIGINAL_RATE = 2.5  # images/s of one worker
ORIGINAL_PRICE = 1.0  # $/h of one worker: about $40/h for 40


@dataclass(frozen=True)
class Map:
    """What is made of the imagery.

    Parameters
    ----------
    name
        For the table.
    rate
        Name of the assumption that says how many tiles a core featurizes in a second.
    is_draft
        Whether tiles are read at 2 m a pixel.
    """

    name: str
    rate: str
    is_draft: bool = False


MAPS = (
    Map("draft (`gsd_m=2`, int8)", "draft_int8_rate", is_draft=True),
    Map("fine (1 m, int8)", "fine_int8_rate"),
    Map("fine (1 m, fp32)", "fine_rate"),
)


@dataclass(frozen=True)
class Cluster:
    """Workers, all paid from beginning to end.

    Parameters
    ----------
    workers
        How many.
    has_cards
        Whether each has a graphics card, which runs the network at one rate for every map; its
        cores read.
    """

    workers: int
    has_cards: bool = False

    @property
    def name(self) -> str:
        """For the table."""
        noun = "worker" if self.workers == 1 else "workers"
        return f"{self.workers} {noun}{' with a card' if self.has_cards else ''}"

    def cores(self, given: Assumptions) -> float:
        """Cores, as far as they are of use."""
        own = given.gpu_cores if self.has_cards else given.worker_cores
        return self.workers * own * given.efficiency

    def price(self, given: Assumptions) -> float:
        """Dollars an hour, driver and network included."""
        each = given.gpu_price if self.has_cards else given.worker_price
        return self.workers * each + given.fixed_price

    def feature_rate(self, made: Map, given: Assumptions) -> float:
        """Tiles a second, as far as storage gives them."""
        if not self.has_cards:
            return self.cores(given) * float(getattr(given, made.rate))
        return min(self.workers * given.gpu_rate, self.cores(given) * given.read_rate)


# Of infra/template.json, of infra/forty-workers.parameters.json, and one that was never started.
CLUSTERS = (Cluster(2), Cluster(40), Cluster(1, has_cards=True))


@dataclass(frozen=True)
class Estimate:
    """Time and cost of mapping tiles once, from catalog to report.

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


def estimate(
    tiles: int, cluster: Cluster, made: Map = MAPS[-1], given: Assumptions | None = None
) -> Estimate:
    """Estimate one pass over tiles.

    Parameters
    ----------
    tiles
        How many.
    cluster
        Its workers.
    made
        The map.
    given
        Assumptions; their defaults if None.

    Raises
    ------
    ValueError
        If there are no tiles or no workers.
    """
    if tiles < 1 or cluster.workers < 1:
        raise ValueError("at least one tile and one worker")
    given = given or Assumptions()
    cores = cluster.cores(given)
    bytes_read = given.tile_bytes * (given.draft_share if made.is_draft else 1)
    features = min(
        cluster.feature_rate(made, given),
        given.account_gbit_s * 1e9 / 8 / bytes_read,
        given.account_reads_s / given.tile_reads,
    )
    runs = -(-tiles // int(given.run_tiles))
    seconds = given.begin_s + runs * given.run_fixed_s
    seconds += tiles / (cores * given.catalog_rate) + tiles / features
    seconds += tiles / (cores * given.scoring_rate) + tiles / given.report_rate
    hours = seconds / _HOUR_S
    return Estimate(
        hours=hours,
        machines=hours * cluster.price(given),
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
    clusters: Iterable[Cluster] = CLUSTERS,
    given: Assumptions | None = None,
) -> str:
    """Write the estimates as a Markdown table, the original's figures below each size."""
    heads = ["tiles", "cluster", *(each.name for each in MAPS), "reads", "storage, a month"]
    lines = [f"| {' | '.join(heads)} |", "|---:|---|" + "---:|" * (len(MAPS) + 2)]
    for tiles in sizes:
        for cluster in clusters:
            found = [estimate(tiles, cluster, made, given) for made in MAPS]
            costs = [f"{_hours(each.hours)} h, {_dollars(each.machines)}" for each in found]
            kept = [_dollars(found[-1].reads), _dollars(found[-1].storage)]
            lines.append(f"| {' | '.join([f'{tiles:,}', cluster.name, *costs, *kept])} |")
        hours, dollars = original(tiles, ORIGINAL_WORKERS)
        cells = [f"{tiles:,}", f"the original's {ORIGINAL_WORKERS}", "", ""]
        lines.append(f"| {' | '.join(cells)} | {_hours(hours)} h, {_dollars(dollars)} | | |")
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
    parser.add_argument("--workers", type=int, nargs="+", help="of clusters without cards")
    parser.add_argument("--cards", type=int, nargs="*", default=[], help="of clusters with cards")
    for each in fields(Assumptions):
        option = "--" + each.name.replace("_", "-")
        text = f"{each.metadata['unit']} (default {each.default:,})".replace("%", "%%")
        parser.add_argument(option, type=float, default=each.default, help=text)
    values = vars(parser.parse_args(arguments))
    sizes, workers, cards = (values.pop(name) for name in ("tiles", "workers", "cards"))
    asked = [*map(Cluster, workers or []), *(Cluster(each, has_cards=True) for each in cards)]
    try:
        given = Assumptions(**values)
        table = cost_table(sizes, asked or CLUSTERS, given)
    except ValueError as error:
        parser.error(str(error))
    print(table, assumption_table(given), sep="\n\n")


if __name__ == "__main__":
    main()
