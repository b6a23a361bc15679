"""Nodes of reporting."""

from __future__ import annotations

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.accuracy import abstention
from aerial_kedro.maps.mapping import MapSettings
from aerial_kedro.pipelines.pictures import collect_pictures
from aerial_kedro.report.pictures import TilePicture


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
    distances = dict.fromkeys(f"{found[each]:.2g}" for each in ("finest", "coarsest"))
    return SourceFacts(
        title="Land cover of a made-up county" if found["made_up"] else "Land cover by tile",
        made_up_seed=seed if found["made_up"] else None,
        facts={
            "Scenes": f"{found['scenes']} in {scenes_root}",
            "Years": ", ".join(str(year) for year in found["years"]),
            "Ground sample distance": f"{'–'.join(distances)} m",
            "Land cover": landcover_path,
            "Tile size": f"{tile_size_m:g} m",
        },
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
            picture=bytes(pictures[row["image_id"]]),
            label=row["label"],
            predicted=row["pred_label"],
            probability=None if pd.isna(row["probability"]) else float(row["probability"]),
            image_id=row["image_id"],
        )
        for row in rows.to_dict("records")
        if row["image_id"] in pictures
    ]
