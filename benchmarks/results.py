"""Results of `make bench-all`: the table of figures, the machine, and the page that shows them.

``python -m benchmarks.results`` writes the table on the page anew, the latest run beside the best.
"""

from __future__ import annotations

import json
import os
import re
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import PROJECT

RESULTS = PROJECT / "benchmarks" / "results"
PAGE = PROJECT / "benchmarks" / "README.md"
MARKS = ("<!-- latest beside best: python -m benchmarks.results -->", "<!-- end -->")
_FLAGS = {"vnni": r"\bavx(512)?_vnni\b", "bf16": r"\b(avx512_bf16|amx_bf16)\b"}


@dataclass(frozen=True)
class Figure:
    """A figure of the table.

    Parameters
    ----------
    name
        What it says.
    benchmark, path
        Where it is found: which benchmark's line of JSON, and the keys that lead to it.
    target
        What it is to reach; None where it is told for comparison.
    more_is_better
        Whether ``target`` is the least that it should be, or the most.
    spread
        Key beside the last of ``path`` that holds the spread, where the figure itself has none.
    """

    name: str
    benchmark: str
    path: tuple[str, ...]
    target: float | None = None
    more_is_better: bool = True
    spread: str | None = None


def _over_bare(name: str, case: str, target: float) -> Figure:
    path = (case, "pipeline_over_bare")
    return Figure(f"pipeline over bare loop, {name}", "featurization", path, target)


def _seconds(name: str, benchmark: str, *path: str, target: float | None = None) -> Figure:
    return Figure(f"{name}, s", benchmark, path, target, more_is_better=False)


def _engine(name: str) -> Figure:
    path = ("engines", name, "times_as_fast")
    text = f"engine alone, one thread, {name} px, over onnxruntime fp32 224 px (quartiles)"
    return Figure(text, "engines", path, spread="times_quartiles")


def _memory(of: str, key: str, target: float | None = None) -> Figure:
    return Figure(f"the same: {of}, MiB", "county", (key,), target, more_is_better=False)


_CELLS = [("of_cells", f"{name}_s") for name in ("logistic_regression", "random_forest")]
FIGURES = (
    _over_bare("PNG, fp32", "png fp32", 0.95),
    _over_bare("PNG, int8", "png int8", 0.90),
    _over_bare("scenes, `gsd_m=1`, int8", "scenes int8", 0.90),
    _over_bare("scenes, `gsd_m=2`, int8", "scenes_at_2m int8", 0.80),
    Figure(
        "tiles a second from scenes, `gsd_m=2` int8 over `gsd_m=1` fp32",
        "featurization", ("draft_over_fine",), 5,
    ),
    Figure("over a torch loader, int8", "featurization", ("over_torch_loader_int8",), 8),
    Figure("over SynapseML, int8", "featurization", ("over_synapseml_int8",), 25),
    Figure("engine alone, both cores, fp32, tiles/s", "featurization", ("png fp32", "engine")),
    Figure("engine alone, both cores, int8, tiles/s", "featurization", ("png int8", "engine")),
    _engine("onnxruntime int8 224"),
    _engine("openvino int8 224"),
    _engine("onnxruntime int8 112"),
    _seconds("main job on the sample, first run", "start", "first_run_s", target=60),
    _seconds("main job on the sample, second run", "start", "second_run_s", target=30),
    _seconds("the network's own part of the first run", "start", "network_s"),
    _seconds("`kedro run` to its first node", "start", "first_node_s", target=3),
    _seconds("`kedro catalog describe-datasets`", "start", "catalog_list_s"),
    _seconds("`kedro registry list`", "start", "registry_list_s"),
    _seconds("drawing the sample", "start", "sample_s", target=20),
    _seconds("logistic regression on 44,000 tiles", "training", "logistic_regression_s"),
    _seconds("forest on 44,000 tiles", "training", "random_forest_s"),
    _seconds("logistic regression on 200,000 cells", "training", *_CELLS[0], target=60),
    _seconds("forest on 200,000 cells", "training", *_CELLS[1], target=60),
    _seconds("county of 67,000 tiles, features to report", "county", "seconds", target=180),
    _memory("driver's Python", "peak_driver_mib", 2048),
    _memory("Java", "peak_java_mib"),
)  # fmt: skip


class MissingFigureError(Exception):
    """A figure that a benchmark was to give is not there."""


def describe_machine() -> dict[str, Any]:
    """Say what this machine is: processor, what it can do, cores, memory in GB."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = re.search(r"^model name\s*:\s*(.+)$", cpu, re.MULTILINE)
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text(encoding="ascii"))
    return {
        "processor": model[1].strip() if model else "unknown",
        "flags": [name for name, flag in _FLAGS.items() if re.search(flag, cpu)],
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(int(memory[1]) / 1e6) if memory else None,
    }


def summarise(rounds: list[float]) -> list[float]:
    """Median, least and greatest of a figure's rounds, as `find` reads them."""
    return [round(value, 3) for value in (statistics.median(rounds), min(rounds), max(rounds))]


def find(figure: Figure, found: dict[str, Any]) -> tuple[float, float, float] | None:
    """Find a figure among the benchmarks' lines: median, least, greatest; None where there is none.

    A figure of one run is its own spread.
    """
    value: Any = found.get(figure.benchmark)
    beside: dict[str, Any] = {}
    for key in figure.path:
        if not isinstance(value, dict) or value.get(key) is None:
            return None
        beside, value = value, value[key]
    if not isinstance(value, list):
        value = [value, *beside.get(figure.spread or "", [value, value])]
    middle, least, greatest = (float(each) for each in value)
    return middle, least, greatest


def write_table(result: dict[str, Any], figures: tuple[Figure, ...] = FIGURES) -> str:
    """Write a result as a page: machine, commit, and a row a figure.

    Parameters
    ----------
    result
        ``date``, ``commit``, ``machine`` (of `describe_machine`), ``found`` (benchmark to its line)
        and ``failed`` (benchmark to why it has none).
    figures
        The rows.
    """
    machine = result["machine"]
    flags = ", ".join(machine["flags"]) or "neither VNNI nor bf16"
    lines = [
        f"# {result['date']}, commit {result['commit']}",
        "",
        f"{machine['processor']} ({flags}), {machine['cores']} cores, {machine['memory_gb']} GB.",
        "Medians; the spread is from least to greatest of the run's rounds.",
        "",
        "| figure | median | spread | to reach | reached |",
        "|---|---:|---:|---:|---|",
    ]
    for figure in figures:
        value = find(figure, result["found"])
        target = "" if figure.target is None else _goal(figure)
        if value is None:
            lines.append(f"| {figure.name} | missing | | {target} | no |")
            continue
        spread = "one run" if value[1] == value[2] else f"{value[1]:,.4g} to {value[2]:,.4g}"
        reached = "" if figure.target is None else "yes" if _reaches(figure, value[0]) else "no"
        lines.append(f"| {figure.name} | {value[0]:,.4g} | {spread} | {target} | {reached} |")
    lines += ["", *(f"`{name}` failed: {why}" for name, why in result["failed"].items())]
    return "\n".join(lines).rstrip() + "\n"


def check_complete(result: dict[str, Any], figures: tuple[Figure, ...] = FIGURES) -> None:
    """Refuse a result in which a figure is missing.

    Raises
    ------
    MissingFigureError
        Naming every one, and the benchmark that was to give it.
    """
    missing = [
        f"{each.name} ({each.benchmark})" for each in figures if find(each, result["found"]) is None
    ]
    if missing:
        raise MissingFigureError(f"{len(missing)} figure(s) are missing: {'; '.join(missing)}")


def compare(results: list[dict[str, Any]], figures: tuple[Figure, ...] = FIGURES) -> str:
    """Set the latest result beside the best of all, as a Markdown table.

    Parameters
    ----------
    results
        In the order of their dates.
    figures
        The rows.
    """
    if not results:
        return "No run is kept yet."
    latest = results[-1]
    lines = [
        f"| figure | {latest['date'][:10]}, {latest['commit']} | best | of | to reach |",
        "|---|---:|---:|---|---:|",
    ]
    for figure in figures:
        known = [
            (value[0], each)
            for each in results
            if (value := find(figure, each["found"])) is not None
        ]
        now = find(figure, latest["found"])
        choose = max if figure.more_is_better else min
        best = choose(known, key=lambda pair: pair[0]) if known else None
        cells = [
            figure.name,
            f"{now[0]:,.4g} ({now[1]:,.4g} to {now[2]:,.4g})" if now else "missing",
            f"{best[0]:,.4g}" if best else "missing",
            f"{best[1]['date'][:10]}, {best[1]['commit']}" if best else "",
            "" if figure.target is None else _goal(figure),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def read_results(folder: Path = RESULTS) -> list[dict[str, Any]]:
    """Read the results of a folder, but those of some benchmarks alone, in order of their dates."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
    whole = [each for each in found if each.get("whole", True)]
    return sorted(whole, key=lambda each: str(each["date"]))


def update_page(text: str, table: str) -> str:
    """Put a table where the page has its marks."""
    head, _, rest = text.partition(MARKS[0])
    _, mark, tail = rest.partition(MARKS[1])
    if not mark:
        raise ValueError(f"{PAGE} lacks its marks {MARKS[0]} and {MARKS[1]}")
    return f"{head}{MARKS[0]}\n{table}\n{mark}{tail}"


def _goal(figure: Figure) -> str:
    return f"{'≥' if figure.more_is_better else '≤'} {figure.target:g}"


def _reaches(figure: Figure, value: float) -> bool:
    if figure.target is None:
        return True
    return value >= figure.target if figure.more_is_better else value <= figure.target


def main() -> None:
    """Write the page's table anew."""
    page = update_page(PAGE.read_text(encoding="utf-8"), compare(read_results()))
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
