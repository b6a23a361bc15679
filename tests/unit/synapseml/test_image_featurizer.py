"""What the engine in Java refuses, where its Java parts are not there."""

from __future__ import annotations

import io

import pytest
from PIL import ExifTags, Image
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Backbone
from aerial_kedro.features.engine_choice import EngineChoice
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.synapseml.image_featurizer import (
    _reason,
    check_tiles,
    explain_missing,
    featurize,
)
from tests.models import make_source

OTHERS = "engine=onnxruntime or engine=openvino or engine=torch"


def _tiles(session: SparkSession, kind: str, *hrefs: str) -> DataFrame:
    rows = [(str(number), "1", href, kind) for number, href in enumerate(hrefs)]
    return session.createDataFrame(rows, ["image_id", "source_version", "href", "kind"])


def source_of(backbone: Backbone) -> FeatureSource:
    return FeatureSource(backbone, EngineChoice(engine="synapseml", precision="fp32"))


def test_a_spark_without_its_java_parts(spark_session: SparkSession, lite0: Backbone) -> None:
    tiles = _tiles(spark_session, "file", "/tiles/a.png")
    with pytest.raises(AerialError, match=rf"lacks SynapseML's Java parts.* {OTHERS}\."):
        featurize(tiles, source_of(lite0), tasks=1)


def test_windows_of_scenes(spark_session: SparkSession) -> None:
    tiles = _tiles(spark_session, "window", "/b.tif", "/a.tif")
    with pytest.raises(AerialError, match=rf"2 are windows .* /a\.tif\. Run {OTHERS}"):
        check_tiles(tiles)


def test_files_of_another_kind(spark_session: SparkSession) -> None:
    tiles = _tiles(spark_session, "file", "/a.png", "/x/b.TIF")
    with pytest.raises(AerialError, match=r"1 are no PNG or JPEG files, such as /x/b\.TIF"):
        check_tiles(tiles)


def test_png_and_jpeg_files_pass(spark_session: SparkSession) -> None:
    check_tiles(_tiles(spark_session, "file", "/a.png", "/v1.2/b.JPG", "/c.jpeg"))


def test_a_file_that_is_gone(spark_session: SparkSession) -> None:
    tiles = _tiles(spark_session, "file", "/nowhere/a [1].png")
    with pytest.raises(AerialError, match=r"is gone: .*/nowhere/a .*Run data_ingestion again"):
        explain_missing(tiles, make_source("synapseml"))


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_picture_that_is_to_be_turned(spark_session: SparkSession, order: str) -> None:
    """Java does not look at the orientation; other engines do."""
    contents = []
    for orientation in (1, 2, 8):
        exif = Image.Exif()
        exif.endian = order
        exif[ExifTags.Base.Orientation] = orientation
        buffer = io.BytesIO()
        Image.new("RGB", (8, 8)).save(buffer, "JPEG", exif=exif)
        contents.append((bytearray(buffer.getvalue()),))
    frame = spark_session.createDataFrame(
        contents, "content binary"
    ).withColumn("image", F.struct(F.lit(8).alias("width"), F.lit(8).alias("height")))  # fmt: skip
    upright, *turned = [row[0] for row in frame.select(_reason(8)).collect()]
    assert upright is None
    assert len(turned) == 2
    assert all("to be turned, which engine=synapseml does not" in reason for reason in turned)
