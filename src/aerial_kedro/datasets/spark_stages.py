"""The stages of a trained pipeline in the files of Spark ML, read and written without Spark."""

import glob
import io
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pyspark
from pyspark.ml.linalg import MatrixUDT, VectorUDT
from pyspark.sql.types import BooleanType, IntegerType, StructField, StructType

from aerial_kedro.errors import AerialError
from aerial_kedro.models.stages import FOREST, REGRESSION, SCALER, StoredStage

_SIZES = ("numFeatures", "numClasses", "numTrees")
_PACKAGES = {
    SCALER: "org.apache.spark.ml.feature",
    REGRESSION: "org.apache.spark.ml.classification",
    FOREST: "org.apache.spark.ml.classification",
}
_TREE = "org.apache.spark.ml.classification.DecisionTreeClassificationModel"
# Spark reads a vector as one where the file says that it is: Parquet knows but its parts.
_SCHEMA = b"org.apache.spark.sql.parquet.row.metadata"
_VECTORS = {
    SCALER: StructType([StructField("std", VectorUDT()), StructField("mean", VectorUDT())]),
    REGRESSION: StructType(
        [
            StructField("numClasses", IntegerType()),
            StructField("numFeatures", IntegerType()),
            StructField("interceptVector", VectorUDT()),
            StructField("coefficientMatrix", MatrixUDT()),
            StructField("isMultinomial", BooleanType()),
        ]
    ),
}


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
    metadata = filesystem.glob(f"{glob.escape(folder)}/stages/*/metadata")
    if not metadata:
        raise AerialError(f"The model {model} has no stages: train it again.")
    stages = [each.rsplit("/", 1)[0] for each in metadata]
    # Spark begins a stage's folder with its number.
    ordered = sorted(stages, key=lambda each: int(each.rsplit("/", 1)[1].split("_")[0]))
    return tuple(_read_stage(filesystem, each) for each in ordered)


def write_stages(
    filesystem: fsspec.AbstractFileSystem, folder: str, stages: Sequence[StoredStage]
) -> None:
    """Write a pipeline as Spark ML's `PipelineModel.load` and `read_stages` read it.

    Parameters
    ----------
    filesystem, folder
        Where to; what is there is replaced.
    stages
        The stages, of a kind that is trained here.
    """
    if filesystem.exists(folder):
        filesystem.rm(folder, recursive=True)
    names = [f"{stage.kind}_{uuid.uuid4().hex[:12]}" for stage in stages]
    described = _describe("org.apache.spark.ml.PipelineModel", {"stageUids": names})
    _write_text(filesystem, f"{folder}/metadata", described)
    for number, (name, stage) in enumerate(zip(names, stages, strict=True)):
        _write_stage(filesystem, f"{folder}/stages/{number}_{name}", name, stage)


def _read_stage(filesystem: fsspec.AbstractFileSystem, folder: str) -> StoredStage:
    (part,) = filesystem.glob(f"{glob.escape(folder)}/metadata/part-*")
    described = json.loads(filesystem.cat_file(part))
    return StoredStage(
        kind=described["class"].rsplit(".", 1)[1],
        settings={**described["defaultParamMap"], **described["paramMap"]},
        table=pq.read_table(f"{folder}/data", filesystem=filesystem),
        sizes={name: described[name] for name in _SIZES if name in described},
    )


def _write_stage(
    filesystem: fsspec.AbstractFileSystem, folder: str, name: str, stage: StoredStage
) -> None:
    kind = f"{_PACKAGES[stage.kind]}.{stage.kind}"
    described = {**_describe(kind, stage.settings, name), **stage.sizes}
    _write_text(filesystem, f"{folder}/metadata", described)
    table = stage.table
    if stage.kind in _VECTORS:
        table = table.replace_schema_metadata({_SCHEMA: _VECTORS[stage.kind].json()})
    _write_table(filesystem, f"{folder}/data", table)
    if stage.kind == FOREST:
        trees = range(stage.sizes["numTrees"])
        sizes = {each: stage.sizes[each] for each in ("numFeatures", "numClasses")}
        own = {"impurity": stage.settings["impurity"]}
        of_tree = [json.dumps({**_describe(_TREE, own), **sizes}) for _ in trees]
        columns = {"treeID": pa.array(trees, pa.int32()), "metadata": of_tree}
        weights = {"weights": [1.0] * len(trees)}
        _write_table(filesystem, f"{folder}/treesMetadata", pa.table({**columns, **weights}))


def _describe(kind: str, settings: Mapping[str, Any], name: str | None = None) -> dict[str, Any]:
    """Describe a stage as Spark's writer does; what is not set is Spark's own default."""
    return {
        "class": kind,
        "timestamp": round(1000 * time.time()),
        "sparkVersion": pyspark.__version__,
        "uid": name or f"{kind.rsplit('.', 1)[1]}_{uuid.uuid4().hex[:12]}",
        "paramMap": dict(settings),
        "defaultParamMap": {},
    }


def _write_text(
    filesystem: fsspec.AbstractFileSystem, folder: str, described: Mapping[str, Any]
) -> None:
    filesystem.makedirs(folder, exist_ok=True)
    filesystem.pipe_file(f"{folder}/part-00000", f"{json.dumps(described)}\n".encode())
    filesystem.pipe_file(f"{folder}/_SUCCESS", b"")


def _write_table(filesystem: fsspec.AbstractFileSystem, folder: str, table: pa.Table) -> None:
    filesystem.makedirs(folder, exist_ok=True)
    written = io.BytesIO()
    pq.write_table(table, written)
    filesystem.pipe_file(f"{folder}/part-00000.parquet", written.getvalue())
    filesystem.pipe_file(f"{folder}/_SUCCESS", b"")
