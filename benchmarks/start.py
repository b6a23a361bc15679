"""What a newcomer waits for: the sample, the first node, the main job, once and once more.

Each figure is of processes of their own, as a user starts them, the median of some rounds with
their least and greatest. With ``--against REVISION`` the same is measured of that revision of the
project, in a git worktree and by turns (A B A B), and ``ratios`` are of neighbours; the environment
is this one for both.

- ``first_node_s``: `kedro run` until its first node loads something;
- ``catalog_list_s``, ``registry_list_s``: `kedro catalog describe-datasets`, `kedro registry list`;
- ``sample_s``: `kedro run --pipeline=sample_data` into an empty folder;
- ``first_run_s``, ``second_run_s``: `kedro run` on that sample, and again with all features there;
  ``tiles`` is how many tiles it featurizes.

Run it with ``make bench-start``, or ``python -m benchmarks.start --rounds 3 --jobs 2``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.processes import PROJECT
from benchmarks.results import summarise

LISTS = {
    "catalog_list_s": ["catalog", "describe-datasets"],
    "registry_list_s": ["registry", "list"],
}
_SHOWN = 3000
# Tells when the first node loads something, and ends the process; of any revision.
_FIRST_NODE = """
import os, sys, time
from kedro.framework.hooks import hook_impl
from kedro.framework.session import session

class Watch:
    @hook_impl(tryfirst=True)
    def before_dataset_loaded(self):
        print("FIRST", time.time() - float(os.environ["BENCHMARK_START"]), flush=True)
        os._exit(0)

register = session._register_hooks
session._register_hooks = lambda manager, hooks: register(manager, [*hooks, Watch()])
from kedro.framework.cli.cli import main
sys.argv = ["kedro", "run"]
main()
"""


def kedro(tree: Path, data: Path, *arguments: str) -> float:
    """Run the command line of a revision to its end; return the seconds.

    Raises
    ------
    SystemExit
        If it fails, with the last of what it said.
    """
    start = time.perf_counter()
    _run(tree, data, ["-m", "kedro", *arguments])
    return time.perf_counter() - start


def first_node(tree: Path, data: Path) -> float:
    """Start `kedro run` of a revision; return the seconds until its first node loads something."""
    said = _run(tree, data, ["-c", _FIRST_NODE])
    lines = [line for line in said.splitlines() if line.startswith("FIRST ")]
    if not lines:
        raise SystemExit(f"`kedro run` in {tree} began no node:\n{said[-_SHOWN:]}")
    return float(lines[0].split()[1])


def _run(tree: Path, data: Path, arguments: list[str]) -> str:
    environment = {
        **os.environ,
        "AERIAL_KEDRO_DATA": str(data),
        "PYTHONPATH": str(tree / "src"),
        "BENCHMARK_START": str(time.time()),
    }
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=tree, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        command = "kedro " + " ".join(arguments[2:]) if arguments[0] == "-m" else "kedro run"
        raise SystemExit(f"`{command}` in {tree} failed:\n{done.stdout[-_SHOWN:]}")
    return done.stdout


def measure_jobs(tree: Path, data: Path) -> dict[str, float]:
    """Draw the sample and run the main job on it twice."""
    found = {"sample_s": kedro(tree, data, "run", "--pipeline=sample_data")}
    found["first_run_s"] = kedro(tree, data, "run")
    found["second_run_s"] = kedro(tree, data, "run")
    features = pq.read_table(data / "04_feature/tile_features", columns=["image_id"])
    return {**found, "tiles": features.num_rows}


def measure_starts(tree: Path, data: Path) -> dict[str, float]:
    """Measure what needs no job, with a sample that is there."""
    found = {name: kedro(tree, data, *arguments) for name, arguments in LISTS.items()}
    return {"first_node_s": first_node(tree, data), **found}


@contextlib.contextmanager
def worktree(revision: str, folder: Path) -> Iterator[Path]:
    """Check a revision out beside this one, and remove it afterwards."""
    place = folder / "against"
    git = ["git", "-C", str(PROJECT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(place), revision], check=True)
    try:
        yield place
    finally:
        subprocess.run([*git, "remove", "--force", str(place)], check=True)


def measure(trees: dict[str, Path], folder: Path, rounds: int, jobs: int) -> dict[str, object]:
    """Measure the revisions by turns: figures of this one, those of the other, ratios."""
    found: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in trees}
    for number in range(jobs):
        for name, tree in trees.items():
            data = folder / f"data-{name}-{number}"
            for figure, value in measure_jobs(tree, data).items():
                found[name][figure].append(value)
    for _ in range(rounds):
        for name, tree in trees.items():
            for figure, value in measure_starts(tree, folder / f"data-{name}-0").items():
                found[name][figure].append(value)
    figures: dict[str, object] = {k: summarise(each) for k, each in found["this"].items()}
    if "against" in trees:
        other = found["against"]
        figures["against"] = {k: summarise(each) for k, each in other.items()}
        figures["ratios"] = {
            name: summarise([a / b for a, b in zip(each, other[name], strict=True)])
            for name, each in found["this"].items()
        }
    return figures


def main() -> None:
    """Measure, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of what needs no job")
    parser.add_argument("--jobs", type=int, default=2, help="rounds of sample and main job")
    parser.add_argument("--against", help="a revision to compare with")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder, trees = Path(name), {"this": PROJECT}
        if given.against:
            trees["against"] = stack.enter_context(worktree(given.against, folder))
        figures = measure(trees, folder, given.rounds, given.jobs)
    asked = {"rounds": given.rounds, "jobs": given.jobs, "revision": given.against}
    print(json.dumps({**asked, "cores": len(os.sched_getaffinity(0)), **figures}))


if __name__ == "__main__":
    main()
