"""SynapseML's ImageFeaturizer as its users run it: files to features in Parquet, by Java alone."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import yaml
from kedro.framework.session import KedroSession
from pyspark.sql import DataFrame

from aerial_kedro.cluster import spark
from aerial_kedro.features.definitions import define_backbone
from aerial_kedro.synapseml.colour_planes import OUTPUT
from aerial_kedro.synapseml.image_featurizer import check_java_parts, make_featurizer
from benchmarks.torch_loader import BACKBONE

TILES = 600
_WARM_TILES = 64


def start_spark(project: Path) -> None:
    """Start Spark as a run does, with SynapseML's Java parts: it takes them only now.

    Parameters
    ----------
    project
        The project's folder.
    """
    packages = yaml.safe_load((project / "conf/base/synapseml.yml").read_text())["featurizer"]
    with KedroSession.create(project) as session:
        session.load_context()  # which hands Spark its settings
        spark.add_packages(packages)
        check_java_parts(spark.session())


def run_image_featurizer(onnx: bytes, paths: list[str]) -> float:
    """Tiles a second of `ImageFeaturizer` on all cores, with the batches that it takes by itself.

    Parameters
    ----------
    onnx
        The backbone that the pipeline runs.
    paths
        Tile files of the network's size.
    """
    featurizer = make_featurizer(onnx, define_backbone(BACKBONE).input_size, "content")

    def featurize(some: list[str]) -> None:
        files = spark.session().read.format("binaryFile").load(some).select("path", "content")
        rows: DataFrame = featurizer.transform(files)
        with tempfile.TemporaryDirectory() as folder:
            rows.select("path", OUTPUT).write.parquet(f"{folder}/features")

    featurize(paths[:_WARM_TILES])
    start = time.perf_counter()
    featurize(paths)
    return len(paths) / (time.perf_counter() - start)
