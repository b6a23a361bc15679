"""What a run asks of Spark and of storage: jobs, tasks, files, requests; and how they grow."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from aerial_kedro.cluster import spark

# "127.0.0.1 - - [29/Nov/2026:21:00:00 +0000] "GET /devstoreaccount1/c/key/… HTTP/1.1" 200 -"
_REQUEST = re.compile(r'"(?P<verb>[A-Z]+) /devstoreaccount1/(?P<path>[^ ?]*)(?P<query>[^ ]*) HTTP')
_MANY = 1.25
_LEAST_SHARE = 0.05


def count_spark() -> dict[str, int]:
    """Count what the running session has done: jobs, and tasks that were not skipped."""
    jobs = spark.session().sparkContext._jsc.sc().statusStore().jobsList(None)
    found = [jobs.apply(number) for number in range(jobs.size())]
    return {
        "jobs": len(found),
        "tasks": sum(each.numCompletedTasks() + each.numFailedTasks() for each in found),
    }


def count_requests(log: str, key: str) -> dict[str, int]:
    """Count the requests for what lies below a key in the log of the blob service.

    Returns
    -------
    dict
        ``requests``, and of these ``listings``, ``reads`` (with questions for properties) and
        ``writes``.
    """
    kinds: Counter[str] = Counter()
    for found in _REQUEST.finditer(log):
        is_listing = "comp=list" in found["query"] and "blocklist" not in found["query"]
        if f"/{key}/" not in found["path"] and not (is_listing and key in found["query"]):
            continue
        reads = found["verb"] in {"GET", "HEAD"}
        kinds["listings" if is_listing else "reads" if reads else "writes"] += 1
    return {
        "requests": kinds.total(),
        **{name: kinds[name] for name in ("listings", "reads", "writes")},
    }


def count_files(folder: Path) -> int:
    """Count the files of a folder and below."""
    return sum(1 for path in folder.rglob("*") if path.is_file())


def extrapolate(
    sizes: Sequence[int], values: Sequence[float], target: int
) -> dict[str, float | bool]:
    """Continue a line through the two largest of three sizes, and say whether it is one.

    Parameters
    ----------
    sizes, values
        Three sizes in ascending order, and what was measured at each.
    target
        The size that is asked for.

    Returns
    -------
    dict
        ``a_thousand``: what a thousand tiles more add between the two largest; ``expected`` at
        ``target``; ``faster_than_tiles``: whether they add a quarter more there than between the
        two smallest, and that makes a twentieth of the largest value.

    Examples
    --------
    >>> extrapolate([10, 30, 90], [1, 3, 9], 900)
    {'a_thousand': 100.0, 'expected': 90.0, 'faster_than_tiles': False}
    >>> extrapolate([10, 30, 90], [1, 9, 81], 900)["faster_than_tiles"]
    True
    """
    (first, second, third), (low, middle, high) = sizes, values
    lower, upper = (middle - low) / (second - first), (high - middle) / (third - second)
    excess = (upper - max(lower, 0.0)) * (third - second)
    return {
        "a_thousand": round(1000 * upper, 3),
        "expected": round(high + upper * (target - third), 1),
        "faster_than_tiles": upper > _MANY * lower and excess > _LEAST_SHARE * high,
    }


def growth_table(
    sizes: Sequence[int],
    found: Mapping[str, Mapping[int, Mapping[str, float]]],
    target: int,
) -> tuple[list[str], dict[str, dict[str, dict[str, float | bool]]]]:
    """Set the sizes side by side, with what is expected at another.

    Parameters
    ----------
    sizes
        Three sizes asked for, in ascending order.
    found
        Step to size to figures; ``tiles`` is how many there were.
    target
        The size that is asked for.

    Returns
    -------
    tuple
        Lines of a Markdown table, and what `extrapolate` says of each step's figures.
    """
    heads = [f"{size:,}" for size in sizes]
    lines = [f"| step, figure | {' | '.join(heads)} | a thousand more | at {target:,} |"]
    lines.append("|---|" + "---:|" * (len(sizes) + 2))
    grown: dict[str, dict[str, dict[str, float | bool]]] = {}
    for step, by_size in found.items():
        tiles = [int(by_size[size]["tiles"]) for size in sizes]
        grown[step] = {}
        for name in by_size[sizes[0]]:
            if name == "tiles":
                continue
            values = [by_size[size][name] for size in sizes]
            grown[step][name] = each = extrapolate(tiles, values, target)
            note = ", **faster than tiles**" if each["faster_than_tiles"] else ""
            cells = [f"{value:,.10g}" for value in (*values, each["a_thousand"], each["expected"])]
            lines.append(f"| {step}: {name}{note} | {' | '.join(cells)} |")
    return lines, grown
