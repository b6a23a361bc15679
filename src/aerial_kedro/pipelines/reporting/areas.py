"""Nodes that evaluate the map beyond the test split: mixed tiles, areas, shares of the land."""

import logging
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.accuracy.area import Estimate, UnsampledClassError, adjusted_areas
from aerial_kedro.accuracy.evaluation import Evaluation, evaluate
from aerial_kedro.accuracy.shares import (
    OTHER,
    ShareComparison,
    compare_shares,
    group_agreement,
    group_shares,
)
from aerial_kedro.errors import AerialError
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.models.comparison import TrainingSummary
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.pipelines.reporting.nodes import ReportSettings
from aerial_kedro.report.content import AreaRow

LOGGER = logging.getLogger(__name__)
_MIXED = "mixed tiles, against their largest class"


def evaluate_mixed_tiles(
    predictions: DataFrame, tile_catalog: DataFrame, model: TrainedModel, seed: int
) -> dict[str, Evaluation]:
    """Evaluate the model on the mixed tiles of the test blocks, against their majority class.

    They are in no split, having no label; but training keeps the buffer's distance from the whole
    of a test block, so they are as unseen as the test tiles.

    Returns
    -------
    dict
        Description of the tiles to the evaluation; empty without such a tile.
    """
    test_blocks = predictions.filter("split = 'test'").select("block_id").distinct()
    mixed = (
        predictions.filter("label is null and purity is not null")
        .join(test_blocks, "block_id", "left_semi")
        .join(tile_catalog.select("image_id", "fractions"), "image_id")
        .select("fractions", "pred_label", "probabilities", "block_id")
        .toPandas()
    )
    mixed["majority"] = [max(each, key=lambda name: each[name]) for each in mixed["fractions"]]
    mixed = mixed[mixed["majority"].isin(model.card.classes)]
    if not len(mixed):
        return {}
    found = evaluate(
        mixed["majority"].tolist(),
        mixed["pred_label"].tolist(),
        model.card.classes,
        probabilities=np.array(
            [[each[name] for name in model.card.classes] for each in mixed["probabilities"]]
        ),
        blocks=mixed["block_id"].tolist(),
        seed=seed,
    )
    return {_MIXED: found}


def measure_areas(
    mapped: pd.DataFrame,
    training: TrainingSummary,
    subsets: dict[str, Evaluation],
    classes: LandCoverClasses,
) -> dict[str, list[AreaRow]]:
    """Measure each class's area for each year: as mapped, and corrected by the confusion matrix.

    The correction (Olofsson et al. 2014) counts pure and mixed tiles of the test blocks together,
    since the map shows both. It is left out where it cannot be had: for classes that the model
    never learned, and for all if a class on the map has too few test tiles.
    """
    sample = [training.models[training.chosen].test, *subsets.values()]
    areas = {}
    for year, tiles in mapped.groupby("year"):
        squares = (tiles["xmax"] - tiles["xmin"]) * (tiles["ymax"] - tiles["ymin"]) / 1e6
        total = float(squares.sum())
        by_class = squares.groupby(tiles["pred_label"])
        counts, sums = by_class.size(), by_class.sum()
        adjusted = _adjusted(sums, classes.names, sample)
        areas[str(year)] = [
            AreaRow(
                class_name=name,
                count=int(counts[name]),
                area_km2=float(sums[name]),
                share=float(sums[name]) / total,
                adjusted_km2=adjusted[name].value if name in adjusted else None,
                adjusted_interval=adjusted[name].interval if name in adjusted else None,
            )
            for name in classes.names
            if name in counts
        ]
    return areas


def _adjusted(sums: pd.Series, names: list[str], sample: list[Evaluation]) -> dict[str, Estimate]:
    counts = pd.DataFrame(0, index=names, columns=names)
    for found in sample:
        table = pd.DataFrame(found.confusion, index=found.classes, columns=found.classes)
        counts = counts.add(table, fill_value=0)
    sampled = [name for name in names if counts.loc[name].sum() or counts[name].sum()]
    mapped = sums.reindex(sampled, fill_value=0.0).tolist()
    # The estimator's rows are the map's classes, a confusion matrix's the reference's.
    by_map_class = counts.loc[sampled, sampled].to_numpy().T
    try:
        areas = adjusted_areas(mapped, by_map_class, sampled)
    except UnsampledClassError as error:
        LOGGER.warning("Areas are not corrected: %s", error)
        return {}
    return {name: each.area for name, each in areas.per_class.items()}


def check_groups(
    classes: Iterable[str], groups: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """Refuse groups of classes that are unknown or in two groups; leave out empty groups.

    Parameters
    ----------
    classes
        Class names of the class table (`land_cover.codes`).
    groups
        Group to its classes (`report.groups`).

    Raises
    ------
    AerialError
        Naming the group and the class.
    """
    known = list(classes)
    if OTHER in groups:
        raise AerialError(
            f"The parameter report.groups has a group {OTHER!r}, which is what the classes without "
            "a group are called. Give it another name."
        )
    seen: dict[str, str] = {}
    for group, members in groups.items():
        for name in members:
            if name not in known:
                raise AerialError(
                    f"The parameter report.groups gives the class {name!r} to {group!r}, but there "
                    f"is none of that name. There are: {', '.join(known)}. A group that is "
                    f"not wanted is taken out by {group}: []."
                )
            if name in seen:
                raise AerialError(
                    f"The parameter report.groups has the class {name!r} in both {seen[name]!r} "
                    f"and {group!r}. Give it to one of them."
                )
            seen[name] = group
    return {group: list(members) for group, members in groups.items() if members}


def compare_areas(
    predictions: DataFrame,
    tile_catalog: DataFrame,
    areas: dict[str, list[AreaRow]],
    settings: ReportSettings,
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
    settings
        The groups of classes.
    classes
        The class table.
    """
    groups = check_groups(classes.names, settings.groups)
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
            areas[str(year)],
            groups,
            classes,
        )
        for year, found in pairs.groupby("year")
        if found["largest"].notna().any()
    }


def _compare_year(
    cover: pd.DataFrame,
    pairs: pd.DataFrame,
    areas: list[AreaRow],
    groups: dict[str, list[str]],
    classes: LandCoverClasses,
) -> ShareComparison:
    covered = pairs[pairs["largest"].notna()]
    total = sum(row.area_km2 for row in areas)
    rows = compare_shares(
        {str(k): float(v) for k, v in cover.set_index("class")["area"].items()},
        {str(k): float(v) for k, v in covered.groupby("pred_label")["area"].sum().items()},
        {row.class_name: row.adjusted_km2 / total for row in areas if row.adjusted_km2 is not None},
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
        group_agreement_count=counted,
    )
