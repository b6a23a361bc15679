"""What a process and all below it use: processor time and memory, read from ``/proc``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

PROJECT = Path(__file__).resolve().parents[1]
KINDS = ("total", "java", "driver", "workers", "largest_worker")
_TICKS = os.sysconf("SC_CLK_TCK")
_AFTER_NAME = 2  # fields of /proc/PID/stat are counted from 1; the first after the name is the 3rd
_PARENT, _FIRST_TIME, _LAST_TIME = 4, 14, 17


def process_tree(root: int) -> dict[int, list[str]]:
    """Find a process and all below it: id to the fields of ``/proc/PID/stat`` after the name."""
    fields: dict[int, list[str]] = {}
    children: dict[int, list[int]] = defaultdict(list)
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # ended while it was looked at
        pid = int(path.parent.name)
        fields[pid] = text.rpartition(")")[2].split()
        children[int(fields[pid][_PARENT - _AFTER_NAME - 1])].append(pid)
    found, waiting = {}, [root]
    while waiting:
        pid = waiting.pop()
        if pid in fields:
            found[pid] = fields[pid]
            waiting.extend(children[pid])
    return found


def cpu_seconds(root: int) -> float:
    """User and system time of a process and all below it, those that have ended included."""
    ticks = 0
    for fields in process_tree(root).values():
        first, last = _FIRST_TIME - _AFTER_NAME - 1, _LAST_TIME - _AFTER_NAME
        ticks += sum(int(each) for each in fields[first:last])
    return ticks / _TICKS


def memory_bytes(root: int) -> dict[str, int]:
    """Proportional set size of a tree's Java, of its root and of all others below, in bytes.

    The root is the driver's Python, the others are Spark's Python workers, of which the largest is
    told apart. What several processes share is divided among them, so that the sum counts it once.
    """
    kinds = dict.fromkeys(KINDS, 0)
    for pid in process_tree(root):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
            name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
        except OSError:
            continue
        sizes = [int(line.split()[1]) for line in lines if line.startswith("Pss:")]
        kind = "java" if name == "java" else "driver" if pid == root else "workers"
        kinds[kind] += 1024 * sum(sizes)
        if kind == "workers":
            kinds["largest_worker"] = max(kinds["largest_worker"], 1024 * sum(sizes))
    kinds["total"] = kinds["java"] + kinds["driver"] + kinds["workers"]
    return kinds


class MemoryWatch:
    """Looks at the memory of a process tree until it is left, and remembers the most.

    Parameters
    ----------
    root
        The uppermost process.
    interval_s
        Time between looks in seconds.
    """

    def __init__(self, root: int, interval_s: float = 0.5) -> None:
        self._root, self._interval_s = root, interval_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.peak = dict.fromkeys(KINDS, 0)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(self._interval_s):
            now = memory_bytes(self._root)
            self.peak = {kind: max(size, now[kind]) for kind, size in self.peak.items()}


def run_watched(
    module: str, *options: str, data: str | Path, environment: Mapping[str, str] | None = None
) -> dict[str, float]:
    """Run a benchmark's module in a process of its own, watching its memory.

    Parameters
    ----------
    module
        Ends with a line of JSON.
    *options
        Of its command line.
    data
        Root of the run's data.
    environment
        Environment variables that differ from this process's.

    Returns
    -------
    dict
        What that line holds, and ``peak_<kind>_mib`` for each of `KINDS`.

    Raises
    ------
    SystemExit
        If it fails; it has said why.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", module, *options],
        env={**os.environ, "AERIAL_KEDRO_DATA": str(data), **(environment or {})},
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with MemoryWatch(process.pid) as memory:
        answer, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"`{' '.join(['python', '-m', module, *options])}` failed: see above.")
    peaks = {f"peak_{kind}_mib": round(size / 2**20) for kind, size in memory.peak.items()}
    return {**json.loads(answer.strip().rsplit("\n", 1)[-1]), **peaks}
