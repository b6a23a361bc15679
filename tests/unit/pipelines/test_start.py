"""What every `kedro run` imports, whatever it runs."""

from __future__ import annotations

import subprocess
import sys


def test_pipelines_are_registered_without_torch() -> None:
    script = (
        "import sys, aerial_kedro.settings\n"
        "from aerial_kedro.pipeline_registry import register_pipelines\n"
        "print(len(register_pipelines()), 'torch' in sys.modules)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    registered, with_torch = found.stdout.split()
    assert int(registered) > 1
    assert with_torch == "False"
