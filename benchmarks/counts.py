"""What a run asks of Spark and of storage: jobs, tasks, files, requests; and how they grow."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from aerial_kedro.cluster import spark

# "127.0.0.1 - - [29/Nov/2026:21:00:00 +0000] "GET /devstoreaccount1/c/key/… HTTP/1.1" 200 -"
_REQUEST = re.compile(r'"(?P<verb>[A-Z]+) /devstoreaccount1/(?P<path>[^ ?]*)(?P<query>[^ ]*) HTTP')
_FEATURES = r"/04_feature/tile_features/.*\.parquet$"
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


def count_files(sizes: Mapping[str, int]) -> dict[str, float]:
    """Count the files of a run, and those of its features: their paths to their bytes.

    Returns
    -------
    dict
        ``files``; of these ``feature_files``, and ``feature_file_mib``: their mean size.
    """
    features = [size for path, size in sizes.items() if re.search(_FEATURES, path)]
    mean = sum(features) / len(features) / 2**20 if features else 0.0
    return {
        "files": len(sizes),
        "feature_files": len(features),
        "feature_file_mib": round(mean, 2),
    }


def extrapolate(
    sizes: Sequence[int], values: Sequence[float], target: int
) -> dict[str, float | bool]:
    """Continue the line that is nearest to what three sizes gave, and say how near it is.

    Parameters
    ----------
    sizes, values
        Three sizes in ascending order, and what was measured at each.
    target
        The size that is asked for.

    Returns
    -------
    dict
        ``fixed`` and ``a_thousand``: the line of least squares, without tiles and for a thousand
        more; ``residual``: the most that one of the three is off it; ``expected``: the line at
        ``target``, which nobody has measured; ``faster``: whether they add a quarter
        more between the two largest sizes than between the two smallest, and that makes a
        twentieth of the largest value.

    Examples
    --------
    >>> extrapolate([10, 30, 90], [2, 4, 10], 900)["expected"]
    91.0
    >>> extrapolate([10, 30, 90], [1, 9, 81], 900)["faster"]
    True
    """
    slope, fixed = (float(each) for each in np.polyfit(sizes, values, 1))
    residual = np.abs(np.polyval((slope, fixed), sizes) - values).max()
    (first, second, third), (low, middle, high) = sizes, values
    lower, upper = (middle - low) / (second - first), (high - middle) / (third - second)
    excess = (upper - max(lower, 0.0)) * (third - second)
    line = {
        "fixed": round(fixed, 1),
        "a_thousand": round(1000 * slope, 3),
        "residual": round(float(residual), 1),
        "expected": round(fixed + slope * target, 1),
    }
    return {
        **{name: value + 0.0 for name, value in line.items()},  # which makes -0 a 0
        "faster": upper > _MANY * lower and excess > _LEAST_SHARE * high,
    }


def growth_table(
    sizes: Sequence[int],
    found: Mapping[str, Mapping[int, Mapping[str, float]]],
    target: int,
    of: str = "tiles",
) -> tuple[list[str], dict[str, dict[str, dict[str, float | bool]]]]:
    """Set the sizes side by side, with the line through them and where it is at another.

    Parameters
    ----------
    sizes
        Three sizes asked for, in ascending order.
    found
        Step to size to figures.
    target
        The size that is asked for.
    of
        The figure that the others are a line of: how many tiles there were, or files.

    Returns
    -------
    tuple
        Lines of a Markdown table, and what `extrapolate` says of each step's figures.
    """
    unit = of.replace("_", " ")
    heads = [
        *(f"{size:,}" for size in sizes),
        f"without {unit}",
        "a thousand more",
        "off by at most",
    ]
    lines = [f"| step, figure | {' | '.join(heads)} | the line at {target:,} {unit} |"]
    lines.append("|---|" + "---:|" * (len(heads) + 1))
    grown: dict[str, dict[str, dict[str, float | bool]]] = {}
    for step, by_size in found.items():
        counts = [int(by_size[size][of]) for size in sizes]
        grown[step] = {}
        for name in by_size[sizes[0]]:
            if name == of:
                continue
            values = [by_size[size][name] for size in sizes]
            grown[step][name] = each = extrapolate(counts, values, target)
            note = f", **faster than {unit}**" if each["faster"] else ""
            line = [each[part] for part in ("fixed", "a_thousand", "residual", "expected")]
            cells = [f"{value:,.10g}" for value in (*values, *line)]
            lines.append(f"| {step}: {name}{note} | {' | '.join(cells)} |")
    return lines, grown
