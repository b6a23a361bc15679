"""Nodes that classify all cells."""

from functools import partial

import geopandas as gpd
import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.accuracy.calibration import scale_probabilities
from aerial_kedro.cells.describe import describe_cells
from aerial_kedro.cells.grid import COUNT, SIDE, pack
from aerial_kedro.errors import AerialError
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.labels.classes import UNSURE, LandCoverClasses
from aerial_kedro.maps.drawing import polygons_of_tiles
from aerial_kedro.maps.fine import fine_map
from aerial_kedro.maps.mapping import MapSettings
from aerial_kedro.models.model import ModelCard, TrainedModel
from aerial_kedro.models.neighbourhoods import map_neighbourhoods
from aerial_kedro.models.serving.conversion import convert_classifier
from aerial_kedro.models.serving.model import ForestClassifier, LinearClassifier
from aerial_kedro.pipelines.scoring.nodes import draw_years
from aerial_kedro.report.colours import class_colours
from aerial_kedro.scenes.raster import Raster
from aerial_kedro.schemas import CELL_PREDICTION_COLUMNS
from aerial_kedro.tiles.catalog import ddl

_PLACE = ("epsg", "xmin", "ymin", "xmax", "ymax")
_SHARE = "share_"
_OWN_COLUMNS = list(CELL_PREDICTION_COLUMNS)[: list(CELL_PREDICTION_COLUMNS).index("cell_classes")]


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
    features = tile_features.filter(F.col("feature_key") == source.key).drop("feature_key")
    tiles = tile_catalog.join(
        features.select("image_id", "source_version", "cells", "cell_statistics"),
        ["image_id", "source_version"],
    )
    if model.card.cells is not None and model.card.cells.infrared:
        _check_infrared(tiles, model.card)
    predict = partial(_predict, card=model.card, classifier=convert_classifier(model))
    wanted = tiles.select(*_OWN_COLUMNS, "cells", "cell_statistics")
    return map_neighbourhoods(wanted, predict, ddl(CELL_PREDICTION_COLUMNS))


def collect_cells(
    cell_predictions: DataFrame, classes: LandCoverClasses, model: TrainedModel
) -> pd.DataFrame:
    """Bring what a map needs of the cells to the driver, about 200 bytes a tile.

    Returns
    -------
    pandas.DataFrame
        A row a tile, in order: its place, ``cell_classes`` by `LandCoverClasses.on_map`,
        ``cell_confidence``, ``class_by_cells``, ``probability_by_cells``, and for each class that
        the model knows ``share_<class>``, 0–1.
    """
    shares = [
        F.coalesce(F.col("shares")[name], F.lit(0.0)).alias(f"{_SHARE}{name}")
        for name in sorted(model.card.classes)
    ]
    rows = (
        cell_predictions.select(
            "image_id", "tile_id", "year", *_PLACE, "cell_classes", "cell_confidence",
            "class_by_cells", "probability_by_cells", *shares,
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
    colours = class_colours([*names, UNSURE])
    return draw_years(cell_map, lambda tiles: fine_map(tiles, names, colours, settings))


def locate_tiles(mapped: pd.DataFrame, cell_map: pd.DataFrame) -> gpd.GeoDataFrame:
    """Put tiles, with their class by both classifiers and the shares of classes, on the map.

    Returns
    -------
    geopandas.GeoDataFrame
        The columns of ``mapped``, ``class_by_cells``, ``probability_by_cells`` and for each class
        that the model knows ``share_<class>``, 0–1; null where a tile has no cells.
    """
    shares = [name for name in cell_map.columns if name.startswith(_SHARE)]
    own = cell_map[["image_id", "class_by_cells", "probability_by_cells", *shares]]
    return polygons_of_tiles(mapped.merge(own, on="image_id", how="left"))


def _check_infrared(tiles: DataFrame, card: ModelCard) -> None:
    without = tiles.filter(F.length("cell_statistics") <= 6 * COUNT)
    count = without.count()
    if count:
        raise AerialError(
            f"The model {card.name!r} reads near infrared, which the scenes of {count:,} tiles "
            "lack. Give scenes with four bands, or train a model on scenes without."
        )


def _predict(
    tiles: pd.DataFrame, card: ModelCard, classifier: LinearClassifier | ForestClassifier
) -> pd.DataFrame:
    """Classify the cells of a group's own tiles (`map_neighbourhoods`)."""
    assert card.cells is not None
    own = np.flatnonzero(tiles["is_own"])
    if not len(own):
        return pd.DataFrame(columns=list(CELL_PREDICTION_COLUMNS))
    described = describe_cells(tiles, card.cells)
    numbers = described[own].reshape(len(own) * COUNT, -1).astype(np.float64)
    chances = scale_probabilities(classifier.probabilities(numbers), card.temperature)
    chances = chances.reshape(len(own), SIDE, SIDE, -1)
    likeliest, names = chances.argmax(axis=-1), np.array(card.classes, dtype=object)
    confidence = (100 * chances.max(axis=-1)).round().clip(1, 100).astype(np.uint8)
    of_tile = chances.mean(axis=(1, 2))
    shares = np.stack([(likeliest == each).mean(axis=(1, 2)) for each in range(len(names))], axis=1)
    return (
        tiles.loc[own, _OWN_COLUMNS]
        .reset_index(drop=True)
        .assign(
            cell_classes=pack((likeliest + 1).astype(np.uint8)),
            cell_confidence=pack(confidence),
            cell_probabilities=pack((255 * chances).round().astype(np.uint8)),
            class_by_cells=names[of_tile.argmax(axis=1)],
            probability_by_cells=of_tile.max(axis=1),
            shares=_by_name(shares, card.classes),
        )
    )


def _by_name(shares: np.ndarray, names: list[str]) -> pd.Series:
    rows = [
        {name: float(share) for name, share in zip(names, row, strict=True) if share > 0}
        for row in shares
    ]
    return pd.Series(rows, dtype=object)
