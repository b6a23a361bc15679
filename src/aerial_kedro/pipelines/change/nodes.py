"""Nodes of change."""

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.change.comparison import compare_places, last_comparison
from aerial_kedro.change.reference import find_true_classes
from aerial_kedro.change.summary import ChangeSummary, summarise_change
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.labels.land_cover import LandCoverRaster
from aerial_kedro.pipelines.pictures import picture_places
from aerial_kedro.report.content import ChangeCandidate


def compare_years(predictions: DataFrame) -> pd.DataFrame:
    """Estimate the probability of change of every place between each year and the next.

    Places that the land cover gave to a class which no model learns (water) are left out: they
    have no probabilities.

    Parameters
    ----------
    predictions
        `aerial_kedro.schemas.PREDICTION_COLUMNS`.

    Returns
    -------
    pandas.DataFrame
        The table of `compare_places`.
    """
    scored = predictions.filter("decided_by = 'model' and year is not null")
    example = scored.select("probabilities").first()
    classes = sorted(example["probabilities"]) if example else []
    # A column for each class: a million places are a million rows of numbers here, not of objects.
    probabilities = [
        F.col("probabilities")[name].alias(f"p{position}") for position, name in enumerate(classes)
    ]
    places = scored.select("tile_id", "year", "lon", "lat", *probabilities).orderBy("tile_id")
    return compare_places(places.toPandas(), classes)


def evaluate_change(
    change: pd.DataFrame,
    tile_catalog: DataFrame,
    reference_maps: list[LandCoverRaster],
    classes: LandCoverClasses,
    seed: int,
) -> tuple[ChangeSummary, pd.DataFrame]:
    """Say how much change to expect, and how good that is where reference maps hold the truth.

    Returns
    -------
    tuple
        The summary, and the true classes of `find_true_classes`.
    """
    true_classes = find_true_classes(change, tile_catalog, reference_maps, classes)
    return summarise_change(change, true_classes, classes.names, seed), true_classes


def show_change(
    change: pd.DataFrame, tile_catalog: DataFrame, true_classes: pd.DataFrame, most: int
) -> list[ChangeCandidate]:
    """Take pictures of the likeliest changes between the last two years.

    Parameters
    ----------
    change
        Probabilities of change, from `compare_years`.
    tile_catalog
        The tiles, to read their pictures from.
    true_classes
        True classes, from `evaluate_change`.
    most
        How many places to show at most; those that cannot be read in both years are left out.
    """
    last = last_comparison(change)
    moved = last[last["class_before"] != last["class_after"]].sort_values("rank").head(most)
    years = [*moved["year_before"], *moved["year_after"]]
    pictures = picture_places(tile_catalog, moved["tile_id"], years)
    truth = {
        str(row["tile_id"]): {name: str(row[name]) for name in ("true_before", "true_after")}
        for row in true_classes.to_dict("records")
    }
    return [
        ChangeCandidate(
            tile_id=row["tile_id"],
            before_class=row["class_before"],
            after_class=row["class_after"],
            probability=row["probability"],
            before=pictures[row["tile_id"], row["year_before"]],
            after=pictures[row["tile_id"], row["year_after"]],
            lon=row["lon"],
            lat=row["lat"],
            **truth.get(row["tile_id"], {}),
        )
        for row in moved.to_dict("records")
        if {(row["tile_id"], row["year_before"]), (row["tile_id"], row["year_after"])}
        <= set(pictures)
    ]
