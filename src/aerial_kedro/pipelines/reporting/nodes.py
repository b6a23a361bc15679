"""Nodes of reporting."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.accuracy.abstention import AbstentionSummary
from aerial_kedro.accuracy.evaluation import Evaluation
from aerial_kedro.accuracy.validation import CrossValidation, ValidationSummary
from aerial_kedro.features.precision_loss import PrecisionSummary
from aerial_kedro.labels.classes import UNSURE, LandCoverClasses
from aerial_kedro.maps.drawing import NODATA
from aerial_kedro.models.comparison import TrainingSummary
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.pipelines.pictures import collect_pictures
from aerial_kedro.report import content as page
from aerial_kedro.scenes.raster import Raster
from aerial_kedro.splits.blocks import SplitCheck
from aerial_kedro.tiles.records import CatalogSummary, QuarantineSummary

_SPARSE = 0.01


class ReportSettings(BaseModel):
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

    model_config = ConfigDict(extra="forbid", frozen=True)

    gallery_tiles: int = Field(ge=0)
    worst_errors: int = Field(ge=0)
    explained_errors: int = Field(ge=0)
    change_candidates: int = Field(ge=0)
    groups: dict[str, list[str]] = {}


class SourceFacts(BaseModel):
    """What the data is, for the report's head.

    Parameters
    ----------
    title
        Heading of the report.
    made_up_seed
        Seed of the embedded sample; None for real data.
    facts
        Name and value, in words.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    made_up_seed: int | None
    facts: dict[str, str]


class Gallery(BaseModel):
    """Pictures of test tiles.

    Parameters
    ----------
    by_class
        Some tiles of each class.
    worst
        Those that were most confidently wrong.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    by_class: dict[str, list[page.TilePicture]]
    worst: list[page.TilePicture]


def describe_scenes(
    scenes: DataFrame, scenes_root: str, landcover_path: str, tile_size_m: float, seed: int
) -> SourceFacts:
    """Say which scenes and land cover were used, and whether they are the embedded sample."""
    found = scenes.agg(
        F.count("*").alias("scenes"),
        F.sort_array(F.collect_set("year")).alias("years"),
        F.min("gsd_m").alias("finest"),
        F.max("gsd_m").alias("coarsest"),
        F.max(F.lower("description").contains("made-up")).alias("made_up"),
    ).collect()[0]
    years = ", ".join(str(year) for year in found["years"])
    finest, coarsest = f"{found['finest']:.2g}", f"{found['coarsest']:.2g}"
    return SourceFacts(
        title="Land cover of a made-up county" if found["made_up"] else "Land cover by tile",
        made_up_seed=seed if found["made_up"] else None,
        facts={
            "Scenes": f"{found['scenes']} in {scenes_root}",
            "Years": years,
            "Ground sample distance": f"{finest} m"
            if finest == coarsest
            else f"{finest}–{coarsest} m",
            "Land cover": landcover_path,
            "Tile size": f"{tile_size_m:g} m",
        },
    )


def describe_folders(folders_root: str | None) -> SourceFacts:
    """Say which folder of tiles was used."""
    return SourceFacts(
        title="Classification of tiles", made_up_seed=None, facts={"Tiles": str(folders_root)}
    )


def build_metrics(
    summary: TrainingSummary,
    validation: ValidationSummary,
    catalog: CatalogSummary,
    quarantine: QuarantineSummary,
    split: SplitCheck,
    model: TrainedModel,
    abstention: AbstentionSummary,
    precision: PrecisionSummary,
) -> dict[str, Any]:
    """Lay down the figures of the run (`metrics.json`)."""
    return {
        "data": {
            **catalog.model_dump(),
            "featurized": quarantine.tiles - quarantine.quarantined,
            "quarantined": quarantine.quarantined,
            "split_check": split.model_dump(),
        },
        "models": {
            name: {"validation": _figures(scores.validation), "test": _figures(scores.test)}
            for name, scores in summary.models.items()
        },
        "chosen": summary.chosen,
        "baselines": {name: _figures(found) for name, found in summary.baselines.items()},
        "abstention": abstention.as_mapped.model_dump(),
        "precision": precision.model_dump(),
        **_validation_figures(validation),
        "model": {
            "name": model.card.name,
            "backbone": model.card.backbone,
            "feature_key": model.card.feature_key,
            "training_tiles": model.card.training_tiles,
        },
    }


def _validation_figures(validation: ValidationSummary) -> dict[str, Any]:
    random_split = validation.random_split
    found: dict[str, Any] = {
        "random_split": random_split
        and {
            **random_split.model_dump(exclude={"evaluation"}),
            **_figures(random_split.evaluation),
        },
        "random_split_skipped": validation.random_split_skipped,
    }
    for name in ("cross_validation", "leave_one_region_out"):
        folds: CrossValidation | None = getattr(validation, name)
        found[name] = folds and folds.model_dump()
    return found


def _figures(found: Evaluation) -> dict[str, Any]:
    return found.model_dump(exclude={"reliability"})


def take_pictures(
    test_predictions: DataFrame, tile_catalog: DataFrame, settings: ReportSettings, seed: int
) -> Gallery:
    """Take pictures of some test tiles of each class, and of the worst errors."""
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
    return Gallery(
        by_class={
            str(name): _tile_pictures(rows, pictures) for name, rows in gallery.groupby("label")
        },
        worst=_tile_pictures(worst, pictures),
    )


def _tile_pictures(rows: pd.DataFrame, pictures: dict[str, bytes]) -> list[page.TilePicture]:
    return [
        page.TilePicture(
            picture=bytes(pictures[row["image_id"]]),
            label=row["label"],
            predicted=row["pred_label"],
            probability=None if pd.isna(row["probability"]) else float(row["probability"]),
            image_id=row["image_id"],
        )
        for row in rows.to_dict("records")
        if row["image_id"] in pictures
    ]


def draw_map_images(
    maps: dict[str, Callable[[], Raster]], classes: LandCoverClasses
) -> dict[str, page.MapImage]:
    """Prepare the maps for the report; a map that is nearly all gaps is left out."""
    images = {}
    for name, load in maps.items():
        raster = load()
        values, percent = raster.pixels[0], raster.pixels[1]
        if (values != NODATA).mean() < _SPARSE:
            continue
        rows, cols = values.shape
        left, top = raster.transform @ (0, 0)
        right, bottom = raster.transform @ (cols, rows)
        index = values.astype(int) - 1
        index[values == NODATA] = page.NO_DATA
        confidence = percent.astype(float) / 100
        confidence[percent == NODATA] = math.nan
        images[name.removeprefix("map_")] = page.MapImage(
            class_index=index.astype("uint8"),
            classes=[*classes.names, UNSURE],
            extent=(left, bottom, right, top),
            crs=raster.crs,
            confidence=confidence,
        )
    return images
