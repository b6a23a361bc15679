"""What a run must refuse, soon and naming what to set."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from rehearsal.checks import RehearsalError
from rehearsal.runs import CONNECTION, Cluster
from rehearsal.services import HOST

_SOON_S = 60
_ON_WORKERS = "another Python"
_OLDEST = (3, 8)
"""The first Python on which Spark 3.5 starts at all."""
_KEY = CONNECTION.split("AccountKey=", 1)[1].split(";", 1)[0]
_CONNECTION = "AZURE_STORAGE_CONNECTION_STRING"
WRONG_KEY = base64.b64encode(
    b"a key that opens nothing, of the right length for one..........."
).decode()
CASES = {
    "wrong key": ({_CONNECTION: CONNECTION.replace(_KEY, WRONG_KEY)}, "AZURE_STORAGE_ACCOUNT_KEY"),
    "no container": ({"AERIAL_ROOT": "abfs://nowhere/county"}, "AERIAL_ROOT"),
    "no storage": ({_CONNECTION: CONNECTION.replace(":10000", ":10009")}, "does not answer"),
    "no master": ({"AERIAL_SPARK_MASTER": f"spark://{HOST}:17099"}, "AERIAL_SPARK_MASTER"),
    "no archive": ({"AERIAL_EXECUTORS": "/nowhere/executors.tar.gz"}, "make executors"),
    "no variables": ({"AERIAL_ROOT": ""}, "AERIAL_ROOT"),
}


def refuse(cluster: Cluster) -> dict[str, float]:
    """Run with each mistake.

    Returns
    -------
    dict
        Seconds until each run ended. Workers with another Python are left out where this machine
        has no other.
    """
    cases = dict(CASES)
    if other := find_other_python():
        packed = {"AERIAL_EXECUTORS": "", "PYSPARK_PYTHON": other}
        cases[_ON_WORKERS] = (packed, "AERIAL_EXECUTORS")
    seconds = {}
    for name, (changed, word) in cases.items():
        run = replace(cluster, changed=changed).run()
        if not run.code or run.seconds > _SOON_S or word not in run.message():
            raise RehearsalError(f"{name}: {run.code}, {run.seconds:.0f} s: {run.output[-2000:]}")
        # What fails on a worker, Spark tells in its own words before the message.
        traced = "Traceback" in run.output and name != _ON_WORKERS
        if traced or _KEY in run.output or WRONG_KEY in run.output:
            raise RehearsalError(f"{name}: more is shown than a message: {run.output[-3000:]}")
        seconds[name] = round(run.seconds, 1)
    return seconds


def find_other_python() -> str | None:
    """Find a Python 3 of another version than this one."""
    folders = [*map(Path, os.get_exec_path()), *Path(sys.base_prefix).parent.glob("*/bin")]
    for each in sorted({path for folder in folders for path in folder.glob("python3.[0-9]*")}):
        if not re.fullmatch(r"python3\.\d+", each.name):
            continue
        code = "import sys; print(*sys.version_info[:2])"
        said = subprocess.run([str(each), "-c", code], capture_output=True, text=True, check=False)
        version = tuple(map(int, said.stdout.split())) if said.returncode == 0 else ()
        if version >= _OLDEST and version != sys.version_info[:2]:
            return str(each)
    return None
