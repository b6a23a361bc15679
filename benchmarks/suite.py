"""All benchmarks behind the table of figures, in one run; writes it into `benchmarks/results`.

Each is a process of its own that ends with a line of JSON. One that fails, or gives no figure that
it was to give, is told in the table, and ends the whole with an error: nothing is left out in
silence. 16 to 48 minutes on two cores, as fast as these are; with ``--against`` longer.

Run it with ``make bench-all``, or ``python -m benchmarks.suite --against main --synapseml``.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

from benchmarks.processes import PROJECT
from benchmarks.results import (
    FIGURES,
    RESULTS,
    MissingFigureError,
    check_complete,
    describe_machine,
    write_table,
)
from benchmarks.results import (
    main as update_page,
)

COMMANDS: dict[str, list[str]] = {
    "start": ["benchmarks.start", "--rounds", "3", "--jobs", "1"],
    "featurization": ["benchmarks.featurization", "--tiles", "2000", "--rounds", "3"],
    "engines": ["benchmarks.engines", "--tables", "engines"],
    "training": ["benchmarks.training"],
    "county": ["benchmarks.county"],
}  # fmt: skip
# What hangs is ended: a slow machine takes three times as long as the one of the page.
LIMITS_S = {"start": 1800, "featurization": 2400, "engines": 600, "training": 1200, "county": 1200}
_SHOWN = 400


def run_benchmark(module: str, *options: str, limit_s: float) -> dict[str, Any]:
    """Run a benchmark's module and read the line that it ends with.

    Raises
    ------
    RuntimeError
        If it fails, takes too long, or ends with no line of JSON.
    """
    command = [sys.executable, "-m", module, *options]
    pipe = subprocess.PIPE
    # A group of its own: what a benchmark has started must not disturb the next one.
    with subprocess.Popen(
        command, cwd=PROJECT, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as process:
        try:
            answer, other = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise RuntimeError(f"it took more than {limit_s:g} s") from None
    if process.returncode:
        said = " ".join((answer + other)[-_SHOWN:].split())
        raise RuntimeError(f"it ended with {process.returncode}: {said}")
    try:
        found: dict[str, Any] = json.loads(answer.strip().rsplit("\n", 1)[-1])
    except json.JSONDecodeError:
        raise RuntimeError("it did not end with a line of JSON") from None
    return found


def commit() -> str:
    """Name the commit, and say so where files differ from it."""
    git = ["git", "-C", str(PROJECT)]
    name = subprocess.run(
        [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    changed = subprocess.run(
        [*git, "status", "--porcelain", "--untracked-files=no"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    return f"{name}-changed" if changed else name


def run_all(commands: dict[str, list[str]], limits: dict[str, float]) -> dict[str, Any]:
    """Run benchmarks one after another; a failure is kept, and the next one begins."""
    result: dict[str, Any] = {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": describe_machine(),
        "found": {},
        "failed": {},
        "seconds": {},
    }
    for name, command in commands.items():
        start = time.monotonic()
        try:
            result["found"][name] = run_benchmark(*command, limit_s=limits[name])
        except RuntimeError as error:
            result["failed"][name] = str(error)
        result["seconds"][name] = round(time.monotonic() - start)
        outcome = result["failed"].get(name, "done")
        print(f"{name}: {result['seconds'][name]} s, {outcome}", file=sys.stderr, flush=True)
    return result


def add_network(found: dict[str, Any]) -> None:
    """Add what the network alone takes for the tiles of the first run, as fast as in its loop."""
    try:
        tiles, rate = found["start"]["tiles"][0], found["featurization"]["png fp32"]["engine"][0]
    except KeyError:
        return  # one of them failed, which the table says
    found["start"]["network_s"] = round(tiles / rate, 1)


def main() -> None:
    """Run all, write the table; end with one line of JSON, or with what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", help="a revision whose start and main job are run by turns")
    parser.add_argument("--synapseml", action="store_true", help="measure ImageFeaturizer as well")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=list(COMMANDS),
        default=list(COMMANDS),
        help="some of the benchmarks: their result does not go on the page",
    )
    given = parser.parse_args()
    commands = {name: [*COMMANDS[name]] for name in given.only}
    limits = dict(LIMITS_S)
    if given.against and "start" in commands:
        commands["start"] += ["--against", given.against]
        limits["start"] *= 2
    if given.synapseml and "featurization" in commands:
        commands["featurization"].append("--synapseml")
    result = run_all(commands, limits)
    result["whole"] = len(commands) == len(COMMANDS)
    add_network(result["found"])
    RESULTS.mkdir(exist_ok=True)
    parts = [] if result["whole"] else list(commands)
    stem = RESULTS / "-".join([result["date"][:10], result["commit"], *parts])
    asked = tuple(
        each
        for each in FIGURES
        if each.benchmark in commands and (given.synapseml or "synapseml" not in str(each.path))
    )
    stem.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    stem.with_suffix(".md").write_text(write_table(result), encoding="utf-8")
    if not parts:
        update_page()
    try:
        check_complete(result, asked)
    except MissingFigureError as error:
        raise SystemExit(f"Error: {error}. The rest is in {stem}.md") from error
    print(json.dumps({"table": f"{stem}.md", "seconds": sum(result["seconds"].values())}))


if __name__ == "__main__":
    main()
