"""The Python that `make executors` packs has what workers import, and no more."""

import ast
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
    "features.featurize", "models.expectation", "models.numbers", "models.prediction",
    "models.serving.model", "pipelines.cells.workers", "datasets.part_files",
)  # fmt: skip
# What takes functions that run there, and which argument they are.
TO_WORKERS = {"mapInPandas": 0, "mapInArrow": 0, "applyInPandas": 0, "map_neighbourhoods": 1}
# An engine is imported when a run asks for it, and its package is packed by EXTRAS.
OPTIONAL = {"openvino", "torch"}
# Spark itself brings it.
BROUGHT = {"pyspark"}
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


def _handed_to_workers(path: Path) -> set[str]:
    """Find the functions that a module hands to Spark, as ``module.function``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    here = ".".join(path.relative_to(PROJECT / "src").with_suffix("").parts)
    imported, bound = {}, {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            imported |= {
                each.asname or each.name: f"{node.module}.{each.name}" for each in node.names
            }
        elif isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            bound |= {each.id: node.value for each in targets if isinstance(each, ast.Name)}
    own = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name not in TO_WORKERS:
            continue
        given = node.args[TO_WORKERS[name]]
        given = bound.get(given.id, given) if isinstance(given, ast.Name) else given
        if isinstance(given, ast.Call) and given.args:  # partial(function, …)
            given = given.args[0]
        text = ast.unparse(given)
        if text in own:
            found.add(f"{here}.{text}")
        elif text.split(".")[0] in imported:
            found.add(".".join([imported[text.split(".")[0]], *text.split(".")[1:]]))
    return found


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_packed_is_what_workers_import() -> None:
    assert _listed() - BY_NAME == _imported() - OPTIONAL - BROUGHT


def test_what_is_handed_to_workers_lies_in_the_modules_looked_at() -> None:
    """A function of any other module makes workers import what they do not have."""
    found = set[str]().union(*map(_handed_to_workers, (PROJECT / "src").rglob("*.py")))
    assert len(found) > 12
    roots = tuple(f"{PACKAGE}.{name}." for name in ON_WORKERS)
    assert {each for each in found if not each.startswith(roots)} == set()


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
