"""What a run must refuse, soon and naming what to set."""

from __future__ import annotations

import base64
from dataclasses import replace

from rehearsal.checks import RehearsalError
from rehearsal.runs import CONNECTION, Cluster
from rehearsal.services import HOST

_SOON_S = 60
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
    "no variables": ({"AERIAL_ROOT": ""}, "AERIAL_ROOT"),
}


def refuse(cluster: Cluster) -> dict[str, float]:
    """Run with each mistake.

    Returns
    -------
    dict
        Seconds until each run ended.
    """
    seconds = {}
    for name, (changed, word) in CASES.items():
        run = replace(cluster, changed=changed).run()
        if not run.code or run.seconds > _SOON_S or word not in run.message():
            raise RehearsalError(f"{name}: {run.code}, {run.seconds:.0f} s: {run.output[-2000:]}")
        if "Traceback" in run.output or _KEY in run.output or WRONG_KEY in run.output:
            raise RehearsalError(f"{name}: more is shown than a message: {run.output[-3000:]}")
        seconds[name] = round(run.seconds, 1)
    return seconds
