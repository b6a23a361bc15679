"""The engine `synapseml`: SynapseML's `ImageFeaturizer` runs the backbone in the executors' Java.

No Python runs on an executor for it. Java decodes an image as the other engines' reader does, to
the last bit, but resizes it otherwise and cannot cut a tile from a scene: so it takes tiles that
are image files of the network's own size, and the rest is refused or goes to quarantine.

The Java parts are not in Spark: see `conf/base/synapseml.yml`.
"""

from typing import Any

from py4j.java_gateway import JavaPackage
from pyspark.errors import AnalysisException
from pyspark.ml.functions import vector_to_array
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.cluster.paths import literal
from aerial_kedro.errors import AerialError
from aerial_kedro.features.engines import name_engines_for
from aerial_kedro.features.featurize import FEATURE_COLUMNS, QUARANTINE_COLUMNS, UNSTABLE_REASON
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.synapseml.colour_planes import INPUT, OUTPUT, take_colour_planes

_SUFFIXES = (".png", ".jpg", ".jpeg")
_IDENTITY = ["image_id", "source_version", "href"]
_PNG, _JPEG = "89504E470D0A1A0A", "FFD8FF"
_PALETTE = "03"
_BITS = 8
_NOTHING = "Spark finds nothing there: the file is empty, or hidden by a name in _ or ."
_PROFILE = "the JPEG has a colour profile, which engine=synapseml cannot take; other engines can"
_TURNED = "the picture is to be turned, which engine=synapseml does not; other engines do"
_NEEDED = "8-bit RGB or grey is needed"
# A frame header (SOF) of 8-bit samples that announces four components.
_FOUR_COMPONENTS = "^(..)*FFC[0-2]001408.{8}04"
_COLOUR_PROFILE = "^(..)*" + b"ICC_PROFILE".hex().upper()
# EXIF's tag, kind, count and value of an orientation other than 1, in either byte order.
_ORIENTATION = "^(..)*(0112000300000001000[2-8]|12010300010000000[2-8]00)"
_END_OF_JPEG = "^(..)*FFD9"
_HEAD_BYTES = 32
_TAIL_BYTES = 1024
_LARGEST_HEADER = 131_072


def check_java_parts(session: SparkSession) -> None:
    """Refuse a Spark that was started without SynapseML's Java parts.

    Raises
    ------
    AerialError
        With the engines that can be run.
    """
    jvm: Any = session.sparkContext._jvm
    # Java's names that are not there count as packages.
    if isinstance(jvm.com.microsoft.azure.synapse.ml.onnx.ImageFeaturizer, JavaPackage):
        raise AerialError(
            "This Spark lacks SynapseML's Java parts, which engine=synapseml needs: they are named "
            "in conf/base/synapseml.yml and taken when Spark starts. Put them into the "
            f"cluster's libraries, or run {name_engines_for('fp32')}."
        )


def check_tiles(tiles: DataFrame) -> None:
    """Refuse tiles that `ImageFeaturizer` cannot read.

    Parameters
    ----------
    tiles
        With ``kind`` and ``href``.

    Raises
    ------
    AerialError
        With how many, and the engines that can.
    """
    suffix = F.lower(F.regexp_extract("href", r"(\.[^./]*)$", 1))
    others = tiles.filter((F.col("kind") != "file") | ~suffix.isin(*_SUFFIXES))
    counts = others.groupBy("kind").agg(F.count("*"), F.min("href")).orderBy("kind").collect()
    if counts:
        kind, count, first = counts[0]
        what = "are no PNG or JPEG files" if kind == "file" else "are windows of scenes"
        raise AerialError(
            f"The engine 'synapseml' takes tiles that are PNG or JPEG files; {count:,} {what}, "
            f"such as {first}. Run {name_engines_for('fp32')}, which take all and embed cells."
        )


def featurize(tiles: DataFrame, source: FeatureSource, tasks: int) -> DataFrame:
    """Compute the features of tiles that are image files (as `features.featurizer` does).

    Parameters
    ----------
    tiles
        ``image_id``, ``source_version``, ``kind``, ``href``.
    source
        The backbone, in fp32, and the key of its features.
    tasks
        Greatest number of tasks that the work is divided into.

    Returns
    -------
    DataFrame
        `FEATURE_COLUMNS` of the tiles that could be read and are of the network's size.

    Raises
    ------
    AerialError
        If Spark lacks the Java parts, a tile is no PNG or JPEG file, or a file is gone.
    """
    check_java_parts(tiles.sparkSession)
    check_tiles(tiles)
    backbone = source.backbone
    size, length = backbone.card.input_size, backbone.card.n_features
    found = _decode(_read(tiles)).filter(_reason(size).isNull()).drop("content")
    featurizer = make_featurizer(backbone.onnx, size, "image")
    rows: DataFrame = featurizer.transform(found.coalesce(tasks))
    return (
        rows.withColumn(OUTPUT, vector_to_array(F.col(OUTPUT), "float32"))
        .select(
            "image_id",
            "source_version",
            F.slice(OUTPUT, 1, length).alias("features"),
            F.slice(OUTPUT, length + 1, F.size(OUTPUT) - length).alias("statistics"),
            # Its reader in Java gives one output; folders, all it takes, have no use for cells.
            *[F.lit(None).cast("binary").alias(each) for each in ("cells", "cell_statistics")],
            F.lit(source.key).alias("feature_key"),
        )
        .select(*FEATURE_COLUMNS)
    )


def make_featurizer(network: bytes, size: int, column: str) -> Any:
    """Set up an `ImageFeaturizer` with a backbone.

    Parameters
    ----------
    network
        `aerial_kedro.features.artifact.Backbone.onnx`.
    size
        Side of its input in pixels; the featurizer resizes what has another.
    column
        Which holds images, or the content of image files.

    Returns
    -------
    synapse.ml.onnx.ImageFeaturizer
        Its output ``row``, a vector, is that of `take_colour_planes`.
    """
    from synapse.ml.onnx import ImageFeaturizer, ONNXModel

    model = ONNXModel().setModelPayload(take_colour_planes(network)).setDeviceType("CPU")
    return ImageFeaturizer(
        inputCol=column,
        outputCol=OUTPUT,
        imageTensorName=INPUT,
        outputTensorName=OUTPUT,
        headless=False,  # which here says that the output is one vector a tile
        imageHeight=size,
        imageWidth=size,
        # The graph scales and normalises.
        channelNormalizationMeans=[0.0, 0.0, 0.0],
        channelNormalizationStds=[1.0, 1.0, 1.0],
        colorScaleFactor=1.0,
    ).setOnnxModel(model)


def explain_missing(tiles: DataFrame, source: FeatureSource) -> DataFrame:
    """Find out why tiles have no features, by reading each once more.

    Parameters
    ----------
    tiles, source
        As for `featurize`.

    Returns
    -------
    DataFrame
        `QUARANTINE_COLUMNS`, one row a tile.
    """
    decoded = _decode(_read(tiles, keep="left"))
    reason = F.coalesce(_reason(source.backbone.card.input_size), F.lit(UNSTABLE_REASON))
    return decoded.withColumn("reason", reason).select(*QUARANTINE_COLUMNS)


def _read(tiles: DataFrame, keep: str = "inner") -> DataFrame:
    """Add the ``content`` of the files, as Spark's own reader finds it."""
    wanted = tiles.select(*_IDENTITY, _place("href").alias("place"))
    paths = [literal(row["href"]) for row in wanted.select("href").collect()]
    if not paths:
        return wanted.drop("place").withColumn("content", F.lit(None).cast("binary"))
    try:
        files = tiles.sparkSession.read.format("binaryFile").load(paths)
    except AnalysisException as error:
        raise AerialError(
            f"A tile of the catalog is gone: {str(error).splitlines()[0]} Run data_ingestion again."
        ) from error
    files = files.select(_place("path").alias("place"), "content")
    if keep == "left":
        return wanted.join(files, "place", keep).drop("place")
    # Contents stay where they were read; names go to them.
    return files.join(F.broadcast(wanted), "place", keep).drop("place")


def _place(column: str) -> Column:
    """Spell an address the one way: Spark and the catalog write local files differently."""
    return F.regexp_replace(column, "^file:/+", "/")


def _decode(files: DataFrame) -> DataFrame:
    """Add the ``image``, as Spark has images; null where Java cannot decode it."""
    from synapse.ml.opencv import ImageTransformer

    decoder = ImageTransformer(inputCol="content", outputCol="image", ignoreDecodingErrors=True)
    decoded: DataFrame = decoder.transform(files)
    return decoded


def _reason(size: int) -> Column:
    """Why an image is not featurized; null where it is. Java takes more than it gets right.

    It cuts 16-bit values down, reads one to four bits of grey unscaled, guesses at CMYK, fills up
    what a cut JPEG lacks, applies a JPEG's colour profile, which the other engines do not, and may
    leave a picture lying that says how it stands, as they do not.
    """
    head = F.hex(F.substring("content", 1, _HEAD_BYTES))
    is_png, is_jpeg = head.startswith(_PNG), head.startswith(_JPEG)
    bits, colours = F.conv(head.substr(49, 2), 16, 10).cast("int"), head.substr(51, 2)
    odd_bits = is_png & (bits != _BITS) & ~((colours == _PALETTE) & (bits < _BITS))
    early = F.hex(F.substring("content", 1, _LARGEST_HEADER))
    late = F.hex(F.expr(f"right(content, {_TAIL_BYTES})"))
    width, height = F.col("image.width"), F.col("image.height")
    return (
        F.when(F.col("content").isNull(), _NOTHING)
        .when(~is_png & ~is_jpeg, "the file is not a PNG or JPEG image")
        .when(odd_bits, F.format_string(f"the image holds %d-bit values; {_NEEDED}", bits))
        .when(is_jpeg & early.rlike(_FOUR_COMPONENTS), f"the image is CMYK; {_NEEDED}")
        .when(is_jpeg & early.rlike(_COLOUR_PROFILE), _PROFILE)
        .when(early.rlike(_ORIENTATION), _TURNED)
        .when(is_jpeg & ~late.rlike(_END_OF_JPEG), "the image is broken: it has no end")
        .when(F.col("image").isNull(), "the image is broken")
        .when(
            (width != size) | (height != size),
            F.format_string(
                f"the image is %d × %d pixels; engine=synapseml takes {size} × {size}, "
                "other engines any size",
                width,
                height,
            ),
        )
    )
