"""Stages of a Spark ML pipeline, read from the files that Spark wrote, without Spark."""

from __future__ import annotations

import json

import fsspec
import pyarrow.parquet as pq

from aerial_kedro.errors import AerialError
from aerial_kedro.models.model import StoredStage


def read_stages(
    filesystem: fsspec.AbstractFileSystem, folder: str, model: str
) -> tuple[StoredStage, ...]:
    """Read the stages of a Spark ML pipeline without Spark.

    Parameters
    ----------
    filesystem, folder
        Where Spark wrote the pipeline.
    model
        Name of the model, for messages.

    Raises
    ------
    AerialError
        If there is none.
    """
    metadata = filesystem.glob(f"{folder}/stages/*/metadata")
    if not metadata:
        raise AerialError(f"The model {model} has no stages: train it again.")
    stages = [each.rsplit("/", 1)[0] for each in metadata]
    # Spark begins a stage's folder with its number.
    ordered = sorted(stages, key=lambda each: int(each.rsplit("/", 1)[1].split("_")[0]))
    return tuple(_read_stage(filesystem, each) for each in ordered)


def _read_stage(filesystem: fsspec.AbstractFileSystem, folder: str) -> StoredStage:
    (part,) = filesystem.glob(f"{folder}/metadata/part-*")
    described = json.loads(filesystem.cat_file(part))
    return StoredStage(
        kind=described["class"].rsplit(".", 1)[1],
        settings={**described["defaultParamMap"], **described["paramMap"]},
        table=pq.read_table(f"{folder}/data", filesystem=filesystem),
    )
