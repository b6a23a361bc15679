"""Nodes that classify all cells."""

from functools import partial

import geopandas as gpd
import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.cells.grid import COUNT
from aerial_kedro.errors import AerialError
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.labels.classes import UNSURE, LandCoverClasses
from aerial_kedro.maps.drawing import polygons_of_tiles
from aerial_kedro.maps.fine import fine_map
from aerial_kedro.maps.mapping import MapSettings
from aerial_kedro.models.model import ModelCard, TrainedModel
from aerial_kedro.models.neighbourhoods import map_neighbourhoods
from aerial_kedro.pipelines.cells.workers import OWN_COLUMNS, classify_cells
from aerial_kedro.pipelines.scoring.nodes import HOLDS, draw_years, tabulate_predictions
from aerial_kedro.report.colours import class_colours
from aerial_kedro.scenes.raster import Raster
from aerial_kedro.schemas import CELL_PREDICTION_COLUMNS
from aerial_kedro.tiles.catalog import ddl

_PLACE = ("epsg", "xmin", "ymin", "xmax", "ymax")
_OF_CELLS = ("cell_classes", "cell_confidence", "cell_expected", "cell_outside")
_OF_TILES = ("class_by_cells", "probability_by_cells", *HOLDS)
_SHARE = "share_"


def score_cells(
    tile_catalog: DataFrame, tile_features: DataFrame, model: TrainedModel, source: FeatureSource
) -> DataFrame:
    """Predict the class of every cell of the tiles that have features.

    Returns
    -------
    DataFrame
        `CELL_PREDICTION_COLUMNS`: a row a tile.

    Raises
    ------
    AerialError
        If the model is of tiles, was trained on other features, or reads near infrared that some
        scenes lack.
    """
    model.check_grain("cell")
    model.check_features(source)
    inputs = model.card.cells
    assert inputs is not None  # as its grain says
    features = tile_features.filter(F.col("feature_key") == source.key).drop("feature_key")
    tiles = tile_catalog.join(
        features.select("image_id", "source_version", "cells", "cell_statistics"),
        ["image_id", "source_version"],
    )
    if inputs.infrared:
        _check_infrared(tiles, model.card)
    predict = partial(
        classify_cells,
        inputs=inputs,
        classes=model.card.classes,
        temperature=model.card.temperature,
        classifier=model.to_numpy(),
        applicability=model.applicability,
    )
    wanted = tiles.select(*OWN_COLUMNS, "cells", "cell_statistics")
    return map_neighbourhoods(wanted, predict, ddl(CELL_PREDICTION_COLUMNS))


def collect_cells(
    cell_predictions: DataFrame, classes: LandCoverClasses, model: TrainedModel
) -> pd.DataFrame:
    """Bring what a map needs of the cells to the driver, about 300 bytes a tile.

    Returns
    -------
    pandas.DataFrame
        A row a tile, in order: its place, ``cell_classes`` by `LandCoverClasses.on_map`,
        ``cell_confidence``, ``cell_expected``, ``cell_outside``, ``class_by_cells``,
        ``probability_by_cells``, ``expected_accuracy``, ``outside_share``, and for each class that
        the model knows ``share_<class>``, 0–1.
    """
    shares = [
        F.coalesce(F.col("shares")[name], F.lit(0.0)).alias(f"{_SHARE}{name}")
        for name in sorted(model.card.classes)
    ]
    rows = (
        cell_predictions.select(
            "image_id", "tile_id", "year", *_PLACE, *_OF_CELLS, *_OF_TILES, *shares,
        )
        .orderBy("year", "image_id")
        .toPandas()
    )  # fmt: skip
    names = classes.on_map(model.card.classes)
    values = np.array([0, *(1 + names.index(name) for name in model.card.classes)], np.uint8)
    rows["cell_classes"] = [
        values[np.frombuffer(each, np.uint8)].tobytes() for each in rows["cell_classes"]
    ]
    return rows


def draw_cell_maps(
    cell_map: pd.DataFrame, classes: LandCoverClasses, model: TrainedModel, settings: MapSettings
) -> dict[str, Raster]:
    """Draw ``map_<year>`` of the cells for each year, as far as its tiles lie near enough.

    Parameters
    ----------
    cell_map
        The table of `collect_cells`.
    classes
        The class table.
    model
        The classifier of cells.
    settings
        Abstention and smoothing.
    """
    names = classes.on_map(model.card.classes)
    colours = class_colours([*names, UNSURE], classes.colours)
    return draw_years(cell_map, lambda tiles: fine_map(tiles, names, colours, settings))


def locate_tiles(mapped: pd.DataFrame, cell_map: pd.DataFrame) -> gpd.GeoDataFrame:
    """Put tiles, with their class by both classifiers and the shares of classes, on the map.

    Returns
    -------
    geopandas.GeoDataFrame
        The columns of ``mapped``, ``class_by_cells``, ``probability_by_cells``,
        ``expected_accuracy`` and ``outside_share`` of the cells, which the map is of, and for each
        class that the model knows ``share_<class>``, 0–1; null where a tile has no cells.
    """
    shares = [name for name in cell_map.columns if name.startswith(_SHARE)]
    own = cell_map[["image_id", *_OF_TILES, *shares]]
    return polygons_of_tiles(mapped.drop(columns=[*HOLDS]).merge(own, on="image_id", how="left"))


def tabulate_cells(cell_predictions: DataFrame, tile_catalog: DataFrame) -> pd.DataFrame:
    """Give tiles' classes by their cells the 2017 sample's columns, where nothing else has them.

    Returns
    -------
    pandas.DataFrame
        ``filepath, label, pred_label``, as `scoring.nodes.tabulate_predictions` has them.
    """
    hrefs = tile_catalog.select("image_id", "href", "kind")
    classes = cell_predictions.selectExpr("image_id", "label", "class_by_cells as pred_label")
    return tabulate_predictions(classes.join(hrefs, "image_id"))


def locate_cells(cell_map: pd.DataFrame) -> gpd.GeoDataFrame:
    """Put tiles with what their cells say on the map, where no classifier of tiles is.

    Returns
    -------
    geopandas.GeoDataFrame
        The tiles' place and year, ``class_by_cells``, ``probability_by_cells``,
        ``expected_accuracy``, ``outside_share`` and for each class that the model knows
        ``share_<class>``, 0–1.
    """
    return polygons_of_tiles(cell_map.drop(columns=[*_OF_CELLS]))


def _check_infrared(tiles: DataFrame, card: ModelCard) -> None:
    without = tiles.filter(F.length("cell_statistics") <= 6 * COUNT)
    count = without.count()
    if count:
        raise AerialError(
            f"The model {card.name!r} reads near infrared, which the scenes of {count:,} tiles "
            "lack. Give scenes with four bands, or train a model on scenes without."
        )
