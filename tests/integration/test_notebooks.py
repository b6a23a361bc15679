"""The notebooks: they run from the first cell to the last, and lie in git without outputs."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from tests.integration.kedro_project import PROJECT, Project

NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
TIMEOUT_S = 300
Run = Callable[[str, Project], str]


@pytest.fixture
def run(tmp_path: Path, tracking_uri: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Execute a notebook on a project's data, in a kernel of its own."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    source = os.pathsep.join([str(PROJECT / "src"), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", source.rstrip(os.pathsep))

    def execute(name: str, project: Project) -> str:
        book = nbformat.read(PROJECT / "notebooks" / name, as_version=4)
        with replace(project, tracking_uri=tracking_uri).environment():
            NotebookClient(
                book,
                timeout=TIMEOUT_S,
                kernel_name="python3",
                resources={"metadata": {"path": str(PROJECT / "notebooks")}},
            ).execute()
        return shown(book)

    return execute


def shown(book: NotebookNode) -> str:
    """All text that a reader sees, and a mark for each picture."""
    parts = []
    for output in (each for cell in book.cells for each in cell.get("outputs", [])):
        assert output.output_type != "error", output
        parts.append(output.get("text", ""))
        parts.append(output.get("data", {}).get("text/plain", ""))
        parts.append("<picture>" if "image/png" in output.get("data", {}) else "")
    return "\n".join(parts)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_no_outputs(path: Path) -> None:
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert code
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert book.cells[0].source.startswith("# ")


def test_every_notebook_is_run_here() -> None:
    tested = {"01_tiles_and_labels", "02_analyse_predictions", "03_digits"}
    assert {path.stem for path in NOTEBOOKS} == tested


def test_tiles_and_labels(run: Run, county: Project) -> None:
    seen = run("01_tiles_and_labels.ipynb", county)
    catalog = county.table("03_primary/tile_catalog")
    assert f"{len(catalog):,} tiles of {catalog['tile_id'].nunique():,} places" in seen
    assert seen.count("<picture>") == 3


def test_analyse_predictions(run: Run, county: Project) -> None:
    seen = run("02_analyse_predictions.ipynb", county)
    metrics = county.json("08_reporting/metrics.json")
    test = metrics["models"][metrics["chosen"]]["test"]
    assert f"{metrics['chosen']}: {test['accuracy']:.1%} of" in seen
    assert "users_accuracy" in seen
    assert "share of Developed" in seen
    assert "expected_changes" in seen
    assert seen.count("<picture>") == 3


def test_digits(run: Run, project: Project) -> None:
    seen = run("03_digits.ipynb", project)
    assert "pictures to learn from" in seen
    assert "digits are read right" in seen
    assert seen.count("<picture>") == 4
