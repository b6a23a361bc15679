"""Nodes that put labels of one's own on the cells of tiles, and make the tile catalog of that."""

import logging
from functools import partial

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.accuracy.answers import check_not_reference
from aerial_kedro.accuracy.sampling import SampleDesign
from aerial_kedro.cells.candidates import COUNT_COLUMNS, count_cells
from aerial_kedro.cells.drawing import CellRules
from aerial_kedro.cells.places import name_cells_of_tiles
from aerial_kedro.errors import AerialError
from aerial_kedro.labels.checks import bounds_of_tiles, check_enough, check_places, check_years
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.labels.layer import LabelLayer, LabelTable, classes_of_labels, read_labels
from aerial_kedro.labels.packing import lay_over, pack_labels
from aerial_kedro.labels.placing import PLACED_COLUMNS, find_labelled_cells
from aerial_kedro.labels.rules import LabelRules
from aerial_kedro.labels.summary import LabelSummary, summarise_labels
from aerial_kedro.labels.teaching import TeachingLabels
from aerial_kedro.pipelines.data_ingestion.nodes import FrameMap
from aerial_kedro.splits.blocks import block_of_tiles
from aerial_kedro.splits.rules import SplitRules
from aerial_kedro.tiles.catalog import LABEL_COLUMNS, NO_TILE, SPLIT_COLUMNS, TILE_COLUMNS, ddl

LOGGER = logging.getLogger(__name__)
# Labels are first looked for in squares of this side that hold tiles, metres: few numbers for any
# number of tiles.
_SQUARE_M = 22_400
_PLACE = ("image_id", "tile_id", "epsg", "xmin", "ymin", "xmax", "ymax", "year")


def read_label_file(
    label_table: LabelTable, rules: LabelRules, design: SampleDesign | None
) -> LabelLayer:
    """Make labels of a file's rows, by the settings among the rules of labels.

    Raises
    ------
    AerialError
        If the file is no file of labels, or answers a reference sample.
    """
    frame = label_table.frame
    if frame is not None:
        sample_ids = frame["sample_id"].astype(str) if "sample_id" in frame else ()
        check_not_reference(frame.columns, sample_ids, (), design, label_table.path or "")
    return read_labels(label_table, rules)


def choose_classes(label_layer: LabelLayer, rules: LabelRules) -> LandCoverClasses:
    """Take the classes that the labels name."""
    return _with_colours(classes_of_labels(label_layer, None), rules)


def add_classes(
    label_layer: LabelLayer, rules: LabelRules, land_cover: LandCoverClasses
) -> LandCoverClasses:
    """Add to a land cover's classes those that the labels alone name."""
    return _with_colours(classes_of_labels(label_layer, land_cover), rules)


def _with_colours(classes: LandCoverClasses, rules: LabelRules) -> LandCoverClasses:
    """Add the user's own colours to a class table."""
    unknown = sorted(set(rules.colours) - set(classes.names))
    if unknown:
        raise AerialError(
            f"labels.colours names {unknown}, and there are the classes {classes.names}. Write "
            "them as the file of labels does, or take them out."
        )
    return classes.model_copy(update={"colours": {**classes.colours, **rules.colours}})


def place_labels(
    tiles: DataFrame,
    label_layer: LabelLayer,
    classes: LandCoverClasses,
    rules: CellRules,
    design: SampleDesign | None,
) -> tuple[pd.DataFrame, LabelSummary]:
    """Find the cells that labels lie in, and count what became of every label.

    Raises
    ------
    AerialError
        If the labels lie in no scene, are of other years, too few of a class, or of the cells of a
        reference sample.
    """
    placed, summary = _place(tiles, label_layer, classes, rules, design)
    check_enough(summary)
    LOGGER.info("%s", summary)
    return placed, summary


def place_labels_beside(
    tiles: DataFrame,
    label_layer: LabelLayer,
    classes: LandCoverClasses,
    rules: CellRules,
    design: SampleDesign | None,
    land_cover: LandCoverClasses,
) -> tuple[pd.DataFrame, LabelSummary]:
    """Do what `place_labels` does; of classes that a land cover teaches there may be few."""
    placed, summary = _place(tiles, label_layer, classes, rules, design)
    check_enough(summary, land_cover.names)
    count = partial(count_cells, min_purity=0.0)
    cells = tiles.select("cell_labels", "cell_purity").mapInPandas(count, ddl(COUNT_COLUMNS))
    known = cells.agg(F.sum("labelled").alias("cells")).collect()[0]["cells"]
    summary = summary.model_copy(update={"land_cover_cells": int(known or 0)})
    LOGGER.info("%s", summary)
    return placed, summary


def _place(
    tiles: DataFrame,
    label_layer: LabelLayer,
    classes: LandCoverClasses,
    rules: CellRules,
    design: SampleDesign | None,
) -> tuple[pd.DataFrame, LabelSummary]:
    squares = _squares(tiles)
    if not len(squares):
        raise AerialError(NO_TILE)
    check_places(label_layer, bounds_of_tiles(squares))
    check_years(label_layer, [row["year"] for row in tiles.select("year").distinct().collect()])
    find = partial(
        find_labelled_cells,
        labels=TeachingLabels.of(label_layer, classes.names),
        min_purity=rules.min_purity,
    )
    placed = tiles.select(*_PLACE).mapInPandas(find, ddl(PLACED_COLUMNS)).toPandas()
    if design is not None:
        placed = _without_sampled(placed, design, label_layer.path or "")
    summary = summarise_labels(label_layer, placed, classes.names)
    for sentence in summary.sentences:
        LOGGER.warning("Labels: %s", sentence)
    return placed, summary


def _without_sampled(placed: pd.DataFrame, design: SampleDesign, path: str) -> pd.DataFrame:
    """Leave out the cells of the reference sample: what a map is evaluated by never teaches it."""
    cells = placed[placed["cell"] >= 0]
    names = name_cells_of_tiles(cells["tile_id"].to_numpy(), cells["cell"].to_numpy())
    check_not_reference((), (), names, design, path)
    sampled = design.cell_ids
    apart = cells[[name in sampled for name in names]]
    if len(apart):
        LOGGER.warning(
            "%s labelled cells are of the reference sample (07_model_output/reference_design.json):"
            " they teach nothing",
            f"{len(apart):,}",
        )
    return placed.drop(apart.index)


def _squares(tiles: DataFrame) -> pd.DataFrame:
    """Bounds of the tiles in each square of 22 km: ``epsg, xmin, ymin, xmax, ymax``."""
    across, up = (F.floor(F.col(name) / _SQUARE_M) for name in ("xmin", "ymin"))
    edges = [F.min("xmin"), F.min("ymin"), F.max("xmax"), F.max("ymax")]
    names = ("xmin", "ymin", "xmax", "ymax")
    found = tiles.groupBy("epsg", across.alias("across"), up.alias("up")).agg(
        *[edge.alias(name) for edge, name in zip(edges, names, strict=True)]
    )
    return found.select("epsg", *names).toPandas()


def teach_cells(labelled_tiles: DataFrame, placed_labels: pd.DataFrame) -> DataFrame:
    """Put labels of one's own on the cells that have one, in place of the land cover's.

    The labels of whole tiles stay the land cover's.
    """
    both = _join_labels(labelled_tiles, placed_labels, "own_labels", "own_purity")
    # In the tiles' own order of columns, which the join keeps.
    lay: FrameMap = lay_over
    return both.mapInPandas(lay, labelled_tiles.schema)


def _join_labels(
    tiles: DataFrame, placed_labels: pd.DataFrame, labels: str, purity: str
) -> DataFrame:
    """Add the labels of cells and their purity under these names; null where a tile has none."""
    packed = tiles.sparkSession.createDataFrame(
        list(pack_labels(placed_labels).itertuples(index=False, name=None)),
        f"image_id string, {labels} binary, {purity} binary",
    )
    return tiles.join(F.broadcast(packed), "image_id", "left")


def catalog_without_labels(tiles: DataFrame, split: SplitRules) -> DataFrame:
    """Make the tile catalog of scenes of which nothing is known yet."""
    return catalog_labels(tiles, pd.DataFrame(columns=list(PLACED_COLUMNS)), split)


def catalog_labels(tiles: DataFrame, placed_labels: pd.DataFrame, split: SplitRules) -> DataFrame:
    """Make the tile catalog: cells have labels, tiles have none, and no ground is held back.

    Every label teaches, and accuracy is found by leaving blocks out. So all ground is of the
    training split, which also says that anything about its imagery may be learned.

    Returns
    -------
    DataFrame
        `TILE_COLUMNS`, `LABEL_COLUMNS` and `SPLIT_COLUMNS`.
    """
    taught = _join_labels(tiles, placed_labels, "cell_labels", "cell_purity")
    own = {**TILE_COLUMNS, **LABEL_COLUMNS}
    unknown = set(own) - set(taught.columns)
    rows = taught.select(
        *[
            F.lit(None).cast(kind).alias(name) if name in unknown else name
            for name, kind in own.items()
        ]
    )
    locate = partial(block_of_tiles, block_size_m=split.block_size_m)
    return (
        rows.mapInPandas(locate, f"{ddl(own)}, block_id string")
        .withColumn("split", F.lit(None).cast("string"))
        .withColumn("cell_split", F.lit("train"))
        .select(*own, *SPLIT_COLUMNS)
    )
