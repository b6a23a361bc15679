"""What must be true after the runs of a rehearsal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from rehearsal.runs import CONNECTION, Cluster, Ended

_KEY = CONNECTION.split("AccountKey=", 1)[1].split(";", 1)[0]
# Executors add up in another order: probabilities may differ by rounding.
_ROUNDING = 1e-3
_WORKERS = 2
# A step of eight bits may be rounded the other way: a cell on the edge is then of another class.
_CELLS_ALIKE = 0.999
OUTPUTS = (
    "06_models/backbone.onnx", "06_models/latest.json", "07_model_output/predictions.csv",
    "07_model_output/tiles.parquet", "07_model_output/change.parquet",
    "07_model_output/change_patches.parquet", "07_model_output/cell_change.parquet",
    "08_reporting/metrics.json", "08_reporting/report.html",
)  # fmt: skip


class RehearsalError(Exception):
    """The rehearsal went otherwise than it must."""


def expect_success(run: Ended) -> Ended:
    """Return a run that ended well."""
    if run.code:
        raise RehearsalError(f"A run ended with {run.code}:\n{run.output[-3000:]}")
    return run


def look_inside(cluster: Cluster) -> list[dict[str, str]]:
    """Ask every worker which Python it runs: that of the archive, without torch.

    Parameters
    ----------
    cluster
        Where.

    Returns
    -------
    list of dict
        ``folder, unpacked, python, heavy`` of each worker.
    """
    said = expect_success(cluster.program("rehearsal.inside")).output.strip().splitlines()[-1]
    answers: list[dict[str, str]] = json.loads(said)
    if len({each["folder"] for each in answers}) < _WORKERS:
        raise RehearsalError(f"Not every worker has answered: {answers}")
    if any(each["heavy"] or each["unpacked"] != "true" for each in answers):
        raise RehearsalError(f"Workers run something else than the archive: {answers}")
    return [{**each, "folder": Path(each["folder"]).parts[-4]} for each in answers]


def compare(local: Path, cluster: Cluster) -> dict[str, Any]:
    """Compare a run on the cluster with one on this machine, tile by tile.

    Parameters
    ----------
    local
        Outputs of the run here.
    cluster
        The other.
    """
    blobs = cluster.blobs()
    missing = [name for name in OUTPUTS if not blobs.exists(f"rehearsal/{cluster.key}/{name}")]
    maps = {path.name for path in (local / "07_model_output").glob("*.tif")}
    there = {
        name.rsplit("/", 1)[-1]
        for name in blobs.glob(f"rehearsal/{cluster.key}/07_model_output/*.tif")
    }
    if missing or maps != there:
        raise RehearsalError(f"The container lacks {missing} or maps: {maps} here, {there} there")
    name = "07_model_output/predictions"
    one = pq.read_table(local / name).to_pandas().set_index("image_id").sort_index()
    other = cluster.table(name).set_index("image_id").sort_index()
    if not one.index.equals(other.index):
        raise RehearsalError(f"{len(one)} tiles are predicted here, {len(other)} there")
    same = float((one["pred_label"] == other["pred_label"]).mean())
    if same < 1:
        raise RehearsalError(f"Only {same:.1%} of the tiles are predicted alike")
    difference = compare_features(_features(local), cluster.table("04_feature/tile_features"))
    name = "07_model_output/cell_predictions"
    cells = compare_cells(pq.read_table(local / name).to_pandas(), cluster.table(name))
    return {
        "tiles": len(one),
        "predicted_alike": same,
        "largest_feature_difference": difference,
        "cells_predicted_alike": cells,
    }


def compare_cells(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """Compare the classes of cells; all but those on the edge of two classes must be the same.

    Returns
    -------
    float
        Share of the cells that have the same class.
    """
    one, other = (each.set_index("image_id").sort_index() for each in (one, other))
    if not one.index.equals(other.index):
        raise RehearsalError(f"Cells of {len(one)} tiles are predicted here, of {len(other)} there")
    first, second = (
        np.frombuffer(b"".join(each["cell_classes"]), np.uint8) for each in (one, other)
    )
    same = float((first == second).mean())
    if same < _CELLS_ALIKE:
        raise RehearsalError(f"Only {same:.2%} of the cells are predicted alike")
    return same


def compare_features(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """Compare features row by row; no row may be lost or doubled.

    Returns
    -------
    float
        The largest difference of a feature.
    """
    one, other = one.set_index("image_id").sort_index(), other.set_index("image_id").sort_index()
    if not one.index.is_unique or not one.index.equals(other.index):
        raise RehearsalError(f"Features of {len(one)} tiles are {len(other)} rows elsewhere")
    difference = np.abs(np.stack(one["features"]) - np.stack(other["features"])).max()
    if difference > _ROUNDING:
        raise RehearsalError(f"Features differ by up to {difference}")
    return float(difference)


def check_workers(scratch: Path, local: Path) -> int:
    """Look whether workers named a path of the driver's disk, or left files; count files seen.

    Parameters
    ----------
    scratch
        Folder of the rehearsal.
    local
        Folder of the driver that no worker may know.
    """
    seen = 0
    for path in scratch.glob("worker-*/**/*"):
        if path.is_file():
            seen += 1
            if path.suffix in {".parquet", ".tif", ".onnx"}:
                raise RehearsalError(f"A worker wrote {path}")
            if path.suffix != ".jar" and str(local).encode() in path.read_bytes():
                raise RehearsalError(f"A worker knows the driver's folder: {path}")
    return seen


def check_secrets(scratch: Path) -> int:
    """Look for the storage key in everything that was written; return how much that is."""
    seen = 0
    for path in scratch.rglob("*"):
        if path.is_file() and path.suffix != ".jar":
            seen += 1
            if _KEY.encode() in path.read_bytes():
                raise RehearsalError(f"The storage key is in {path}")
    return seen


def _features(folder: Path) -> pd.DataFrame:
    return pq.read_table(folder / "04_feature" / "tile_features").to_pandas()
