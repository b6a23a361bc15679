"""Nodes of scoring."""

import logging
from collections.abc import Callable
from typing import Any

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.pandas.functions import pandas_udf

from aerial_kedro.errors import AerialError
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.labels.classes import UNSURE, LandCoverClasses
from aerial_kedro.maps.drawing import TilesFarApartError, map_of_tiles
from aerial_kedro.maps.mapping import MapSettings, mapped_classes
from aerial_kedro.models.expectation import EXPECTATION_COLUMNS, expect_accuracy
from aerial_kedro.models.model import ModelCard, TrainedModel
from aerial_kedro.report.colours import class_colours
from aerial_kedro.scenes.raster import Raster
from aerial_kedro.schemas import PREDICTION_COLUMNS
from aerial_kedro.tiles.catalog import ddl

LOGGER = logging.getLogger(__name__)
HOLDS = ("expected_accuracy", "outside_share")
"""Columns of tiles on a map that say where the model holds; null where it does not know."""


def score_tiles(
    tile_catalog: DataFrame, tile_features: DataFrame, model: TrainedModel, source: FeatureSource
) -> DataFrame:
    """Predict the class of every tile that has features.

    A tile that the land cover gives to a class which the model never learns (water) keeps that
    class, ``decided_by`` the land cover and without a probability, rather than vanish from the
    map or pass for another class.

    Parameters
    ----------
    tile_catalog, tile_features
        The tiles and their features.
    model
        The chosen classifier.
    source
        What computed this run's features.

    Returns
    -------
    DataFrame
        `aerial_kedro.schemas.PREDICTION_COLUMNS`.

    Raises
    ------
    AerialError
        If the model is of cells, or was trained on other features.
    """
    model.check_grain("tile")
    model.check_features(source)
    if remark := model.remark_on_tile_size(tile_catalog):
        LOGGER.warning("%s", remark)
    features = tile_features.filter(F.col("feature_key") == source.key).drop("feature_key")
    scored = model.predict(tile_catalog.join(features, ["image_id", "source_version"]))
    expected = _expect(model)
    classes = F.array(*[F.lit(name) for name in model.card.classes])
    unlearned = F.col("label").isNotNull() & ~F.col("label").isin(model.card.classes)
    by_land_cover = unlearned & F.col("split").isNull()
    return (
        scored.withColumn("probabilities", F.map_from_arrays(classes, "class_probabilities"))
        .withColumn(
            "pred_label", F.when(by_land_cover, F.col("label")).otherwise(F.col("pred_label"))
        )
        .withColumn("holds", F.when(~by_land_cover, expected))
        .withColumn("probability", F.when(~by_land_cover, F.col("probability")))
        .withColumn("decided_by", F.when(by_land_cover, "land_cover").otherwise("model"))
        .withColumns({name: F.col("holds")[name] for name in EXPECTATION_COLUMNS})
        .select(*PREDICTION_COLUMNS)
    )


def _expect(model: TrainedModel) -> Column:
    """Give what to expect of a model's predictions, as a column; null where it does not know."""
    applicability, columns = model.applicability, ddl(EXPECTATION_COLUMNS)
    if applicability is None:
        return F.lit(None).cast(f"struct<{columns}>")

    def run(numbers: pd.Series, probability: pd.Series) -> pd.DataFrame:
        return expect_accuracy(numbers, probability, applicability)

    # Its stubs know nothing of functions that return a frame.
    expect: Any = pandas_udf(run, columns)  # type: ignore[call-overload]
    found: Column = expect(model.card.column, "probability")
    return found


def select_test(predictions: DataFrame) -> DataFrame:
    """Keep the predictions of the test split."""
    return predictions.filter("split = 'test'")


def tabulate_predictions(predictions: DataFrame) -> pd.DataFrame:
    """Give the predictions the 2017 sample's columns: ``filepath, label, pred_label``.

    A tile of a scene is named by the scene and its image, as ``scene.tif#image_id``.
    """
    path = F.when(F.col("kind") == "file", F.col("href")).otherwise(
        F.concat_ws("#", "href", "image_id")
    )
    columns = predictions.select(path.alias("filepath"), "label", "pred_label")
    return columns.orderBy("filepath").toPandas()


def map_tiles(predictions: DataFrame, settings: MapSettings) -> pd.DataFrame:
    """Bring what a map needs of the predictions to the driver, with what it shows.

    Returns
    -------
    pandas.DataFrame
        A row a tile, about 100 bytes each: its place, label and prediction, `HOLDS`, and what the
        map shows as ``mapped_class``; ``pred_label`` stays the likeliest class.

    Raises
    ------
    AerialError
        If the tiles have no coordinates.
    """
    if predictions.filter("epsg is not null").isEmpty():
        raise AerialError(
            "The tiles have no coordinates (they come from class folders), so there is no map to "
            "draw. Run --pipeline=from_folders, which draws none."
        )
    return map_located(predictions, settings)


def map_located(predictions: DataFrame, settings: MapSettings) -> pd.DataFrame:
    """Do what `map_tiles` does with the tiles that have coordinates; perhaps with none."""
    located = (
        predictions.filter("epsg is not null")
        .select(
            "image_id", "tile_id", "year", "epsg", "xmin", "ymin", "xmax", "ymax",
            "label", "purity", "split", "pred_label", "probability", "decided_by",
            "expected_accuracy", F.col("outside").cast("double").alias("outside_share"),
        )
        .orderBy("year", "image_id")
        .toPandas()
        .astype({"year": "Int32"})  # a whole number also where it is missing
    )  # fmt: skip
    return located.assign(mapped_class=mapped_classes(located, settings))


def draw_maps(
    mapped: pd.DataFrame, classes: LandCoverClasses, card: ModelCard | None = None
) -> dict[str, Raster]:
    """Draw ``map_<year>`` for each year, ``map`` of the tiles that have none.

    Parameters
    ----------
    mapped
        The table of `map_tiles`.
    classes
        The land-cover table, in the order of the map's values; the one after them is for unsure
        tiles.
    card
        Of a model that may know other classes: then the values are those of its own.
    """
    names = classes.on_map(card.classes) if card else classes.names
    shown = [*names, UNSURE]
    colours = class_colours(shown, classes.colours)
    return draw_years(mapped, lambda tiles: map_of_tiles(tiles, shown, colours))


def draw_years(tiles: pd.DataFrame, draw: Callable[[pd.DataFrame], Raster]) -> dict[str, Raster]:
    """Draw ``map_<year>`` for each year, ``map`` of the tiles that have none.

    A year whose tiles lie too far apart for a map has none, which the log says: all else that the
    run found stays worth having.

    Parameters
    ----------
    tiles
        ``year``, and what the drawing needs.
    draw
        Draws the tiles of one year, numbered from 0 on.
    """
    maps = {}
    for year, rows in tiles.groupby("year", dropna=False):
        name = "map" if pd.isna(year) else f"map_{year!s}"
        try:
            maps[name] = draw(rows.reset_index(drop=True))
        except TilesFarApartError as error:
            LOGGER.warning("No %s.tif is drawn. %s", name, error)
    return maps
