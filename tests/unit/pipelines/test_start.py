"""What commands import, whatever they go on to do: nothing that they do not use."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import PROJECT

# Until the first node reads its first input, which ends the process.
SCRIPT = """
import os, sys
import aerial_kedro.settings as settings
from kedro.framework.cli.cli import main
from kedro.framework.hooks import hook_impl

def tell():
    print("modules:", *sys.modules, flush=True)
    os._exit(0)

class Stop:
    @hook_impl(tryfirst=True)
    def before_dataset_loaded(self, node):
        print("node:", node.name)
        tell()

settings.HOOKS = (*settings.HOOKS, Stop())
try:
    main()
except SystemExit as ended:
    print("ended:", ended.code)
    tell()
"""
LEARNING = {"torch", "timm", "sklearn", "matplotlib.figure", "onnx"}
CLOUD = {"azure.storage.blob", "azure.identity"}
ALL = LEARNING | CLOUD | {"mlflow", "pyspark", "pandas", "geopandas", "scipy", "exactextract"}
LAY = "node: data_ingestion.lay_tiles"


def said_and_imported(command: str, data: Path) -> tuple[str, set[str]]:
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT, *command.split()],
        capture_output=True,
        text=True,
        check=True,
        cwd=PROJECT,
        env={**os.environ, "AERIAL_KEDRO_DATA": str(data)},
    )
    said, _, modules = found.stdout.partition("modules:")
    return said, set(modules.split())


@pytest.mark.parametrize(
    ("command", "said", "unused"),
    [
        ("registry list", "- score_scenes", ALL),
        ("catalog list-patterns", "ended: 0", ALL - {"pandas", "pyspark", "geopandas", "scipy"}),
        ("run --pipeline=sample_data", "node: sample_data.draw", ALL - {"pandas", "scipy"}),
        ("run --pipeline=data_ingestion", LAY, LEARNING | CLOUD | {"mlflow"}),
        ("run", LAY, LEARNING | CLOUD),
    ],
)
def test_nothing_is_imported_that_is_not_used(
    command: str, said: str, unused: set[str], tmp_path: Path
) -> None:
    words, imported = said_and_imported(command, tmp_path)
    assert said in words
    assert "kedro" in imported
    assert not unused & imported


def test_the_commands_of_mlflow_are_there(tmp_path: Path) -> None:
    words, imported = said_and_imported("mlflow --help", tmp_path)
    assert "ui" in words
    assert "mlflow" in imported


def test_a_run_that_cannot_read_its_first_input_fails_with_its_own_words(tmp_path: Path) -> None:
    """MLflow is imported in a thread meanwhile, which it takes the run to be of."""
    given = f"scenes_root={tmp_path / 'none'},landcover_path={tmp_path / 'none.tif'}"
    # MLflow leaves it behind in a process that has made a run.
    own = {name: text for name, text in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    found = subprocess.run(
        [sys.executable, "-m", "kedro", "run", f"--params={given}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
        env={**own, "AERIAL_KEDRO_DATA": str(tmp_path / "data")},
    )
    assert found.returncode == 1
    assert f"Error: scenes_root={tmp_path / 'none'} does not exist." in found.stderr
    assert "Traceback" not in found.stderr
    [history] = (tmp_path / "data").glob("**/*.db")
    with closing(sqlite3.connect(history)) as database:
        assert database.execute("SELECT status FROM runs").fetchall() == [("FAILED",)]
