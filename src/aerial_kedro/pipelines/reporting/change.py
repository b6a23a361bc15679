"""Nodes that show what changed."""

from __future__ import annotations

import pandas as pd
from pydantic import BaseModel, ConfigDict
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.change.reference import ChangeFigures, last_comparison
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.pipelines.pictures import collect_pictures
from aerial_kedro.pipelines.reporting.nodes import ReportSettings
from aerial_kedro.report import content as page


class ShownChange(BaseModel):
    """Change for the report.

    Parameters
    ----------
    summary
        Between the last two years; None where there is one year only.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    summary: page.ChangeSummary | None


def show_change(
    change: pd.DataFrame,
    tile_catalog: DataFrame,
    classes: LandCoverClasses,
    settings: ReportSettings,
    true_classes: pd.DataFrame,
    figures: ChangeFigures,
) -> ShownChange:
    """Count from-to classes between the last two years, and picture the likeliest changes."""
    if not len(change):
        return ShownChange(summary=None)
    last = last_comparison(change)
    before, after = int(last["year_before"].iloc[0]), int(last["year_after"].iloc[0])
    names = [
        name for name in classes.names if name in {*last["class_before"], *last["class_after"]}
    ]
    counts = pd.crosstab(last["class_before"], last["class_after"]).reindex(
        index=names, columns=names, fill_value=0
    )
    moved = last[last["class_before"] != last["class_after"]]
    top = moved.sort_values("rank").head(settings.change_candidates)
    truth = {
        str(row["tile_id"]): {name: str(row[name]) for name in ("true_before", "true_after")}
        for row in true_classes.to_dict("records")
    }
    pictures = _pictures(tile_catalog, top, (before, after))
    return ShownChange(
        summary=page.ChangeSummary(
            before=before,
            after=after,
            classes=names,
            counts=counts.to_numpy().tolist(),
            candidates=[
                page.ChangeCandidate(
                    tile_id=row["tile_id"],
                    before_class=row["class_before"],
                    after_class=row["class_after"],
                    probability=row["probability"],
                    before=pictures[row["tile_id"], before],
                    after=pictures[row["tile_id"], after],
                    lon=row["lon"],
                    lat=row["lat"],
                    **truth.get(row["tile_id"], {}),
                )
                for row in top.to_dict("records")
                if {(row["tile_id"], before), (row["tile_id"], after)} <= set(pictures)
            ],
            places=figures.places,
            expected_changes=figures.expected_changes,
            first=figures.first,
            assessment=figures.assessment,
        )
    )


def _pictures(
    tile_catalog: DataFrame, places: pd.DataFrame, years: tuple[int, int]
) -> dict[tuple[str, int], bytes]:
    chosen = tile_catalog.filter(
        F.col("tile_id").isin(places["tile_id"].tolist()) & F.col("year").isin(*years)
    )
    names = {
        row["image_id"]: (row["tile_id"], int(row["year"]))
        for row in chosen.select("image_id", "tile_id", "year").collect()
    }
    return {names[image]: picture for image, picture in collect_pictures(chosen).items()}
