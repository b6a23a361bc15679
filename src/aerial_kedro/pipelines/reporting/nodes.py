"""Nodes that gather what the report shows: the data, tiles, tiles explained, maps."""

import logging
import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from pydantic import Field
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.accuracy import abstention
from aerial_kedro.errors import AerialError
from aerial_kedro.labels.classes import UNSURE, LandCoverClasses
from aerial_kedro.labels.coarse import remark_on_coarse_pixels
from aerial_kedro.labels.land_cover import LandCoverRaster
from aerial_kedro.maps.drawing import (
    CLASS_BAND,
    EXPECTED_BAND,
    NODATA,
    OUTSIDE_BAND,
    PROBABILITY_BAND,
    TilesFarApartError,
    cells_of_tiles,
)
from aerial_kedro.maps.mapping import MapSettings
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.models.serving.assembly import assemble_model
from aerial_kedro.parameters import CheckedModel
from aerial_kedro.pipelines.explain.images import explain_images
from aerial_kedro.pipelines.pictures import collect_pictures
from aerial_kedro.report.colours import OUTCOMES
from aerial_kedro.report.content import ErrorMap, SourceFacts
from aerial_kedro.report.pictures import NO_DATA, ExplainedTile, MapImage, TilePicture
from aerial_kedro.report.thinning import thin_map
from aerial_kedro.scenes.raster import Raster

LOGGER = logging.getLogger(__name__)
_PATCHES = 6
_NEIGHBOURS = 3
_SPARSE = 0.01
_TEST_WRONG = 1  # position in OUTCOMES; 0 is a test tile that is right


class ReportSettings(CheckedModel):
    """How much the report shows.

    Parameters
    ----------
    gallery_tiles
        Pictures for each class.
    worst_errors
        Pictures of the most confident errors.
    explained_errors
        The most confident errors, with what led to them.
    change_candidates
        Pairs of pictures of the likeliest changes.
    groups
        Group to its classes, for the comparison of shares with the land cover.
    """

    gallery_tiles: int = Field(ge=0)
    worst_errors: int = Field(ge=0)
    explained_errors: int = Field(ge=0)
    change_candidates: int = Field(ge=0)
    groups: dict[str, list[str]] = Field(default_factory=dict)


def describe_scenes(
    scenes: DataFrame,
    land_cover: list[LandCoverRaster],
    scenes_root: str,
    landcover_path: str,
    tile_size_m: float,
    grain: str,
    seed: int,
) -> SourceFacts:
    """Say which scenes and land cover were used, and whether they are the embedded sample."""
    remark = remark_on_coarse_pixels(land_cover, tile_size_m, grain)
    found = scenes.agg(
        F.count("*").alias("scenes"),
        F.sort_array(F.collect_set("year")).alias("years"),
        F.min("gsd_m").alias("finest"),
        F.max("gsd_m").alias("coarsest"),
        F.max(F.lower("description").contains("made-up")).alias("made_up"),
    ).collect()[0]
    distances = dict.fromkeys(f"{found[each]:.2g}" for each in ("finest", "coarsest"))
    return SourceFacts(
        title="Land cover of a made-up county" if found["made_up"] else "Land cover",
        made_up_seed=seed if found["made_up"] else None,
        scene_gsd_m=found["coarsest"],
        facts={
            "Scenes": f"{found['scenes']} in {scenes_root}",
            "Years": ", ".join(str(year) for year in found["years"]),
            "Ground sample distance": f"{'–'.join(distances)} m",
            "Land cover": landcover_path,
            "Tile size": f"{tile_size_m:g} m",
        },
        caveats=[remark] if remark else [],
    )


def describe_folders(folders_root: str | None) -> SourceFacts:
    """Say which folder of tiles was used."""
    return SourceFacts(
        title="Classification of tiles", made_up_seed=None, facts={"Tiles": str(folders_root)}
    )


def evaluate_abstention(
    test_predictions: DataFrame, settings: MapSettings
) -> abstention.AbstentionSummary:
    """Evaluate on the test tiles what abstaining wins and costs."""
    tiles = test_predictions.select("label", "pred_label", "probability").toPandas()
    return abstention.evaluate_abstention(
        (tiles["label"] == tiles["pred_label"]).to_numpy(bool),
        tiles["probability"].to_numpy(float),
        settings.min_probability,
    )


def take_pictures(
    test_predictions: DataFrame, tile_catalog: DataFrame, settings: ReportSettings, seed: int
) -> tuple[dict[str, list[TilePicture]], list[TilePicture]]:
    """Take pictures of some test tiles of each class, and of those most confidently wrong."""
    order = Window.partitionBy("label").orderBy(F.xxhash64("image_id", F.lit(seed)))
    some = test_predictions.withColumn("rank", F.row_number().over(order)).filter(
        F.col("rank") <= settings.gallery_tiles
    )
    wrong = test_predictions.filter("label != pred_label").orderBy(F.desc("probability"))
    columns = ["image_id", "label", "pred_label", "probability"]
    gallery = some.select(*columns).toPandas()
    worst = wrong.select(*columns).limit(settings.worst_errors).toPandas()
    wanted = sorted({*gallery["image_id"], *worst["image_id"]})
    pictures = collect_pictures(tile_catalog.filter(F.col("image_id").isin(wanted)))
    by_class = {
        str(name): _tile_pictures(rows, pictures) for name, rows in gallery.groupby("label")
    }
    return by_class, _tile_pictures(worst, pictures)


def _tile_pictures(rows: pd.DataFrame, pictures: dict[str, bytes]) -> list[TilePicture]:
    return [
        TilePicture(
            picture=pictures[row["image_id"]],
            label=row["label"],
            predicted=row["pred_label"],
            probability=None if pd.isna(row["probability"]) else float(row["probability"]),
            image_id=row["image_id"],
        )
        for row in rows.to_dict("records")
        if row["image_id"] in pictures
    ]


def explain_errors(
    test_predictions: DataFrame,
    tile_catalog: DataFrame,
    labelled_features: DataFrame,
    model: TrainedModel,
    settings: ReportSettings,
) -> list[ExplainedTile]:
    """Explain the most confident errors: what in the picture spoke for the wrong class.

    Parameters
    ----------
    test_predictions
        `aerial_kedro.schemas.PREDICTION_COLUMNS`; the model below made them.
    tile_catalog
        Where the tiles are.
    labelled_features
        Of the training tiles, and of the errors.
    model
        What decided.
    settings
        How many errors.

    Returns
    -------
    list of ExplainedTile
        The surest first. Empty where the model cannot be run outside Spark, which the log says.
    """
    try:
        served = assemble_model(model)
    except AerialError as error:
        LOGGER.warning("The report explains no errors. %s", error)
        return []
    wrong = (
        test_predictions.filter("label != pred_label")
        .orderBy(F.desc("probability"), F.asc("image_id"))
        .select("image_id", "label", "pred_label", "probability")
        .limit(settings.explained_errors)
        .toPandas()
    )
    if not len(wrong):
        return []
    chosen = labelled_features.filter(F.col("image_id").isin(wrong["image_id"].tolist()))
    queries = {row["image_id"]: row["features"] for row in chosen.collect()}
    training = labelled_features.filter("split = 'train'")
    return explain_images(wrong, queries, tile_catalog, training, served, _PATCHES, _NEIGHBOURS)


def draw_map_images(
    maps: dict[str, Callable[[], Raster]], classes: LandCoverClasses
) -> dict[str, MapImage]:
    """Prepare the maps for the report, by year, as finely as a page can show.

    A map that is nearly all gaps is left out.
    """
    images = {}
    for name, load in maps.items():
        raster = load()
        bands = dict(zip(raster.band_names, raster.pixels, strict=True))
        values = bands[CLASS_BAND]
        if (values != NODATA).mean() < _SPARSE:
            continue
        rows, cols = values.shape
        left, top = raster.transform @ (0, 0)
        right, bottom = raster.transform @ (cols, rows)
        index = values.astype(int) - 1
        index[values == NODATA] = NO_DATA
        image = MapImage(
            class_index=index.astype("uint8"),
            classes=[*classes.names, UNSURE],
            extent=(left, bottom, right, top),
            crs=raster.crs,
            confidence=_shares(bands[PROBABILITY_BAND]),
            expected=_shares(bands[EXPECTED_BAND]) if EXPECTED_BAND in bands else None,
            outside=bands[OUTSIDE_BAND] == 1 if OUTSIDE_BAND in bands else None,
            colours=classes.colours,
        )
        images[name.removeprefix("map_")] = thin_map(image)
    return images


def _shares(percent: np.ndarray) -> np.ndarray:
    """Turn a band of percent into shares, NaN where it has no data."""
    return np.where(percent == NODATA, math.nan, percent / 100)


def draw_error_maps(mapped: pd.DataFrame) -> dict[str, ErrorMap]:
    """Draw for each year which labelled tiles the model got right, and which wrong.

    Tiles of the test split have colours of their own, since the model was trained on most of the
    other labelled ones. Mixed tiles, tiles without land cover, and those that the land cover
    decided are not evaluated. A year whose tiles lie far apart, or without a test tile, is left
    out.

    Parameters
    ----------
    mapped
        ``epsg, xmin, ymin, xmax, ymax, year, label, split, pred_label, decided_by``.
    """
    images = {}
    for year, found in mapped.groupby("year"):
        tiles = found.reset_index(drop=True)
        outcomes = outcomes_of(tiles)
        try:
            image = image_of_tiles(tiles, outcomes, list(OUTCOMES))
        except TilesFarApartError:  # neither has the year a map, which scoring has said
            continue
        is_sparse = (image.class_index != NO_DATA).mean() < _SPARSE
        if is_sparse or not (tiles["split"] == "test").any():
            continue
        images[str(year)] = ErrorMap(
            image=image,
            test_tiles=int((outcomes <= _TEST_WRONG).sum()),
            wrong=int((outcomes == _TEST_WRONG).sum()),
        )
    return images


def image_of_tiles(
    tiles: pd.DataFrame,
    values: np.ndarray,
    classes: list[str],
    colours: dict[str, str] | None = None,
) -> MapImage:
    """Draw one value a tile where the tiles of a year lie.

    Parameters
    ----------
    tiles
        ``epsg, xmin, ymin, xmax, ymax``, numbered from 0 on.
    values
        Position in ``classes`` of each tile's value, ``(n,)`` uint8; `NO_DATA` where it has none.
    classes
        Names of the values.
    colours
        The user's own, of some of them.

    Raises
    ------
    TilesFarApartError
        If the picture would be nearly all gaps, and huge.
    """
    cells = cells_of_tiles(tiles)
    index = np.full(cells.shape, NO_DATA, np.uint8)
    index[cells.rows, cells.columns] = values[cells.tiles]
    return MapImage(
        class_index=index,
        classes=classes,
        extent=cells.extent,
        crs=f"EPSG:{cells.epsg}",
        colours=colours or {},
    )


def outcomes_of(tiles: pd.DataFrame) -> np.ndarray:
    """Find what became of each tile: position in `OUTCOMES`, ``(n,)`` uint8."""
    evaluated = (tiles["label"].notna() & (tiles["decided_by"] == "model")).to_numpy()
    right = (tiles["label"] == tiles["pred_label"]).fillna(value=False).to_numpy(dtype=bool)
    test = (tiles["split"] == "test").fillna(value=False).to_numpy(dtype=bool)
    outcome = np.where(test, 0, 2) + np.where(right, 0, 1)
    return np.where(evaluated, outcome, len(OUTCOMES) - 1).astype(np.uint8)
