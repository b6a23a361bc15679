"""Nodes that set the map's shares of the land beside the land cover's."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.accuracy.shares import (
    OTHER,
    ShareComparison,
    compare_shares,
    group_agreement,
    group_shares,
)
from aerial_kedro.errors import AerialError
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.pipelines.reporting.nodes import ReportSettings
from aerial_kedro.report import content as page


def check_groups(classes: LandCoverClasses, settings: ReportSettings) -> dict[str, list[str]]:
    """Refuse groups of classes that are unknown or in two groups; leave out empty groups.

    A node of its own, with nothing to wait for, so that a mistake is found before the work.

    Raises
    ------
    AerialError
        Naming the group and the class.
    """
    if OTHER in settings.groups:
        raise AerialError(
            f"The parameter report.groups has a group {OTHER!r}, which is what the classes without "
            "a group are called. Give it another name."
        )
    seen: dict[str, str] = {}
    for group, members in settings.groups.items():
        for name in members:
            if name not in classes.names:
                raise AerialError(
                    f"The parameter report.groups gives the class {name!r} to {group!r}, but there "
                    f"is none of that name. There are: {', '.join(classes.names)}. A group that is "
                    f"not wanted is taken out by {group}: []."
                )
            if name in seen:
                raise AerialError(
                    f"The parameter report.groups has the class {name!r} in both {seen[name]!r} "
                    f"and {group!r}. Give it to one of them."
                )
            seen[name] = group
    return {group: members for group, members in settings.groups.items() if members}


def compare_areas(
    predictions: DataFrame,
    tile_catalog: DataFrame,
    areas: dict[str, list[page.AreaRow]],
    groups: dict[str, list[str]],
    classes: LandCoverClasses,
) -> dict[str, ShareComparison]:
    """Compare the map's shares with the land cover's, year by year, over the tiles that have both.

    The land cover's are the sums of the exact shares in all mapped tiles, mixed ones too. A year
    without land cover is left out.

    Parameters
    ----------
    predictions, tile_catalog
        The map's classes and the land cover's shares.
    areas
        The map's areas, for those corrected by its errors.
    groups
        Group to its classes.
    classes
        For their order.
    """
    tiles = (
        predictions.filter("epsg is not null")
        .withColumn("area", (F.col("xmax") - F.col("xmin")) * (F.col("ymax") - F.col("ymin")))
        .select("image_id", "year", "area", "pred_label", "decided_by")
        .join(tile_catalog.select("image_id", "fractions", "label_year"), "image_id")
    )
    by_share = F.transform(
        F.map_entries("fractions"), lambda each: F.struct(each["value"], each["key"])
    )
    pairs = (
        tiles.withColumn("largest", F.array_max(by_share)["key"])
        .groupBy("year", "label_year", "pred_label", "largest", "decided_by")
        .agg(F.count("*").alias("tiles"), F.sum("area").alias("area"))
        .toPandas()
    )
    covers = (
        tiles.select("year", "area", F.explode("fractions").alias("class", "share"))
        .groupBy("year", "class")
        .agg(F.sum(F.col("area") * F.col("share")).alias("area"))
        .toPandas()
    )
    return {
        str(year): _compare_year(
            covers[covers["year"] == year],
            found,
            _adjusted_shares(areas.get(str(year), [])),
            groups,
            classes,
        )
        for year, found in pairs.groupby("year")
        if found["largest"].notna().any()
    }


def _compare_year(
    cover: pd.DataFrame,
    pairs: pd.DataFrame,
    adjusted: Mapping[str, float],
    groups: dict[str, list[str]],
    classes: LandCoverClasses,
) -> ShareComparison:
    covered = pairs[pairs["largest"].notna()]
    rows = compare_shares(
        {str(name): float(area) for name, area in zip(cover["class"], cover["area"], strict=True)},
        {str(k): float(v) for k, v in covered.groupby("pred_label")["area"].sum().items()},
        adjusted,
        classes.names,
    )
    # Where the land cover decided, the map agrees with it by construction.
    by_model = covered[covered["decided_by"] == "model"]
    counts = by_model.groupby(["pred_label", "largest"], as_index=False)["tiles"].sum()
    agreement, counted = group_agreement(
        {(str(a), str(b)): int(tiles) for a, b, tiles in counts.itertuples(index=False)}, groups
    )
    return ShareComparison(
        land_cover_years=sorted(int(year) for year in covered["label_year"].unique()),
        tiles=int(pairs["tiles"].sum()),
        tiles_without_land_cover=int(pairs["tiles"].sum() - covered["tiles"].sum()),
        classes=rows,
        groups=group_shares(rows, groups) if groups else [],
        group_agreement=agreement,
        group_agreement_tiles=counted,
    )


def _adjusted_shares(rows: list[page.AreaRow]) -> dict[str, float]:
    total = sum(row.area_km2 for row in rows)
    return {
        row.class_name: row.adjusted_km2 / total for row in rows if row.adjusted_km2 is not None
    }
