"""Nodes that put labels of one's own on cells, and how the main job is wired by them."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from aerial_kedro.accuracy.sampling import SampleDesign
from aerial_kedro.cells.drawing import CellRules
from aerial_kedro.cells.grid import pack, unpack
from aerial_kedro.cells.places import centres_of_cells
from aerial_kedro.errors import AerialError
from aerial_kedro.labels.layer import LabelLayer
from aerial_kedro.labels.rules import LabelRules, LabelSource
from aerial_kedro.pipelines.main_job import create_scene_pipelines
from aerial_kedro.pipelines.own_labels import ingestion
from aerial_kedro.splits.rules import SplitRules
from aerial_kedro.tiles.catalog import LABEL_COLUMNS, SPLIT_COLUMNS, TILE_COLUMNS, ddl
from tests.builders import CLASSES, cell_of_origin, grid_tiles

RULES = CellRules(min_purity=0.75, max_per_class=100, max_evaluated=100)
LABEL_RULES = LabelRules(min_purity=0.7)
COL, ROW = cell_of_origin()
TILES = pd.concat(
    [
        grid_tiles([(COL + step, ROW) for step in range(6)], year=year).assign(
            image_id=lambda tiles: tiles["tile_id"] + "_" + tiles["year"].astype(str)
        )
        for year in (2012, 2018)
    ],
    ignore_index=True,
)
SPLIT = SplitRules(
    validation=0.15, test=0.25, block_size_m=448, buffer_m=0, unit="block", region_column=None
)


def laid(spark: SparkSession) -> DataFrame:
    known = TILES.reindex(columns=list(TILE_COLUMNS)).astype(object)
    rows = known.where(known.notna(), None).itertuples(index=False, name=None)
    return spark.createDataFrame(list(rows), ddl(TILE_COLUMNS))


def points(*classes: str, cell: int = 24, year: int | None = None) -> LabelLayer:
    """One label in each of the first tiles, in turn."""
    tiles = TILES.iloc[[number % 6 for number in range(len(classes))]].reset_index(drop=True)
    lon, lat = centres_of_cells(tiles, pd.Series(cell, index=tiles.index).to_numpy())
    frame = gpd.GeoDataFrame(
        {
            "class_name": list(classes),
            "year": pd.array([year] * len(classes), dtype="Int32"),
            "row": range(1, 1 + len(classes)),
        },
        geometry=gpd.points_from_xy(lon, lat),
        crs=4326,
    )
    return LabelLayer("mine.gpkg", frame, len(frame))


def several(cells: range = range(5)) -> LabelLayer:
    """Forest in the first tiles and Field in the last, in five cells each."""
    parts = [points(*["Forest"] * 3, *["Field"] * 3, cell=cell).frame for cell in cells]
    frame = pd.concat(parts, ignore_index=True).assign(row=range(1, 1 + 6 * len(parts)))
    return LabelLayer("mine.gpkg", gpd.GeoDataFrame(frame, crs=4326), len(frame))


def test_labels_without_a_year_teach_every_year(spark_session: SparkSession) -> None:
    layer = several()
    classes = ingestion.choose_classes(layer, LABEL_RULES)
    assert classes.names == ["Field", "Forest"]
    placed, summary = ingestion.place_labels(laid(spark_session), layer, classes, RULES, None)
    assert set(placed["year"]) == {2012, 2018}
    assert summary.classes["Forest"].cells == {2012: 15, 2018: 15}
    catalog = ingestion.catalog_labels(laid(spark_session), placed, SPLIT)
    assert catalog.columns == [*TILE_COLUMNS, *LABEL_COLUMNS, *SPLIT_COLUMNS]
    rows = catalog.toPandas()
    assert len(rows) == len(TILES)
    assert set(rows["cell_split"]) == {"train"}
    assert rows[["label", "fractions", "split"]].isna().all(axis=None)
    assert rows["block_id"].nunique() in (3, 4)
    labels = unpack(rows["cell_labels"].tolist()).reshape(len(rows), -1)
    assert ((labels > 0).sum(axis=1) == 5).all()


def test_scenes_without_labels_have_a_catalog_too(spark_session: SparkSession) -> None:
    rows = ingestion.catalog_without_labels(laid(spark_session), SPLIT).toPandas()
    assert len(rows) == len(TILES)
    assert rows["cell_labels"].isna().all()
    assert set(rows["cell_split"]) == {"train"}


def test_ones_own_labels_take_the_land_covers_place(spark_session: SparkSession) -> None:
    known = pack((1 + 0 * unpack([bytes(49)] * len(TILES))).astype("uint8"))
    rows = [(image, cells, cells) for image, cells in zip(TILES["image_id"], known, strict=True)]
    labelled = spark_session.createDataFrame(
        rows, "image_id string, cell_labels binary, cell_purity binary"
    )
    placed = pd.DataFrame(
        {"image_id": [TILES["image_id"][2]], "cell": [7], "label": [3], "purity": [100]}
    )
    taught = ingestion.teach_cells(labelled, placed).toPandas().set_index("image_id")
    assert list(taught.columns) == ["cell_labels", "cell_purity"]
    labels = unpack(taught.loc[TILES["image_id"], "cell_labels"].tolist()).reshape(len(TILES), -1)
    assert labels[2].tolist() == [1] * 7 + [3] + [1] * 41
    assert (labels[[0, 1, 3, 4, 5]] == 1).all()


def test_a_class_that_the_land_cover_teaches_may_have_few_labels(
    spark_session: SparkSession,
) -> None:
    layer = points("Forest", "Orchard", "Orchard")
    classes = ingestion.add_classes(layer, LABEL_RULES, CLASSES)
    assert classes.names == [*CLASSES.names, "Orchard"]
    tiles = laid(spark_session).selectExpr(
        "*", "cast(null as binary) as cell_labels", "cast(null as binary) as cell_purity"
    )
    with pytest.raises(AerialError, match=r"fewer than 5 labelled cells of: 'Orchard' \(2\)"):
        ingestion.place_labels_beside(tiles, layer, classes, RULES, None, CLASSES)
    layer = points("Forest")
    _, summary = ingestion.place_labels_beside(tiles, layer, CLASSES, RULES, None, CLASSES)
    assert summary.land_cover_cells == 0
    assert "the land cover labels 0" in str(summary)


def test_colours_are_of_classes_that_there_are() -> None:
    own = LabelRules(min_purity=0.7, colours={"Field": "#ABCDEF"})
    assert ingestion.choose_classes(several(), own).colours == {"Field": "#ABCDEF"}
    with pytest.raises(AerialError, match=r"labels.colours names \['Feild'\].*'Field'"):
        ingestion.choose_classes(
            several(), LabelRules(min_purity=0.7, colours={"Feild": "#000000"})
        )


def test_labels_of_sampled_cells_are_refused(spark_session: SparkSession) -> None:
    layer = several()
    classes = ingestion.choose_classes(layer, LABEL_RULES)
    cells = [f"{tile}#{number:02d}" for tile in TILES["tile_id"].unique() for number in range(5)]
    design = SampleDesign.model_construct(
        cells=[type("Drawn", (), {"cell_id": each, "sample_id": each})() for each in cells]
    )
    with pytest.raises(AerialError, match="reference sample"):
        ingestion.place_labels(laid(spark_session), layer, classes, RULES, design)
    few = SampleDesign.model_construct(cells=design.cells[:2])
    placed, _ = ingestion.place_labels(laid(spark_session), layer, classes, RULES, few)
    everything, _ = ingestion.place_labels(laid(spark_session), layer, classes, RULES, None)
    assert len(everything) - len(placed) == 2 * 2  # two cells in two years teach nothing


@pytest.mark.parametrize(
    ("labels", "read", "unread"),
    [
        ("own", {"label_table", "scenes"}, {"land_cover", "params:land_cover", "reference_maps"}),
        ("both", {"label_table", "land_cover"}, set()),
        ("land_cover", {"land_cover"}, {"label_table"}),
        ("none", {"land_cover"}, {"label_table"}),
    ],
)
def test_the_main_job_reads_what_labels_come_from(
    labels: LabelSource, read: set[str], unread: set[str]
) -> None:
    inputs = create_scene_pipelines(labels=labels)["__default__"].inputs()
    assert read <= inputs
    assert not unread & inputs


def test_a_page_of_scenes_alone_takes_nothing_as_known() -> None:
    alone, known = (
        create_scene_pipelines(labels=labels)["suggest_labels"] for labels in ("none", "land_cover")
    )
    assert not {"land_cover", "label_table"} & alone.inputs()
    assert "land_cover" in known.inputs()
    assert "label_page" in alone.outputs()
