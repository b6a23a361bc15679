"""The Python that `make executors` packs has what workers import, and no more."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import grimp
import pytest

PROJECT = Path(__file__).parents[2]
PACKAGE = "aerial_kedro"
# What nodes hand to Spark is in these modules and those that they import.
ON_WORKERS = (
    "cells", "imagery", "labels", "maps", "scenes", "splits", "tiles", "explain", "change.cells",
    "features.featurize", "models.serving.model", "pipelines.cells.workers",
)  # fmt: skip
# An engine is imported when a run asks for it, and its package is packed by EXTRAS.
OPTIONAL = {"openvino", "torch"}
# Opens blob storage for fsspec, which imports it by the address.
BY_NAME = {"adlfs"}


def _imported() -> set[str]:
    """Find the packages that workers' modules import, those of their parent packages too."""
    graph = grimp.build_graph(PACKAGE, include_external_packages=True)
    roots = tuple(f"{PACKAGE}.{name}" for name in ON_WORKERS)
    found: set[str] = set()
    new = {
        name for name in graph.modules if f"{name}.".startswith(tuple(f"{each}." for each in roots))
    }
    while new:
        found |= new
        ours = {name for name in new if name.split(".")[0] == PACKAGE}
        parents = {name.rpartition(".")[0] for name in ours} - {""}
        direct = set().union(*(graph.find_modules_directly_imported_by(name) for name in ours))
        new = (parents | direct) - found
    tops = {name.split(".")[0] for name in found} - {PACKAGE, *sys.stdlib_module_names}
    distributions = packages_distributions()
    return {_plain(distributions[top][0]) for top in tops}


def _listed() -> set[str]:
    lines = (PROJECT / "deployment" / "executors.txt").read_text(encoding="utf-8").splitlines()
    return {_plain(line) for line in lines if line and not line.startswith("#")}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_packed_is_what_workers_import() -> None:
    assert _listed() - BY_NAME == _imported() - OPTIONAL


def test_an_interpreter_runs_from_where_it_was_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(PROJECT)
    from deployment.executors import copy_interpreter, write_launcher  # noqa: PLC0415

    made, moved = tmp_path / "made", tmp_path / "moved here"
    write_launcher(copy_interpreter(made))
    (made / "packages").mkdir()
    (made / "packages" / "packed.py").write_text("")
    made.rename(moved)
    code = "import packed, ssl, sqlite3, sys; print(sys.prefix, *sys.path, ssl.__file__, sep='\\n')"
    said = subprocess.run(
        [moved / "bin" / "python", "-c", code],
        env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True,
    ).stdout.split("\n")  # fmt: skip
    assert [line for line in said if line and not line.startswith(str(moved))] == []
