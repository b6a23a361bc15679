"""The node that pictures patches of change for the report."""

from collections.abc import Hashable
from typing import Any

import geopandas as gpd
import pandas as pd
from pyspark.sql import DataFrame

from aerial_kedro.change.comparison import last_comparison
from aerial_kedro.pipelines.pictures import picture_places
from aerial_kedro.report.content import PatchCandidate
from aerial_kedro.report.patch_pictures import PatchWindow
from aerial_kedro.tiles.grid import TileGrid


def show_patches(
    patches: gpd.GeoDataFrame,
    truth: pd.DataFrame,
    tile_catalog: DataFrame,
    tile_size_m: float,
    most: int,
) -> list[PatchCandidate]:
    """Take pictures of the first patches of change between the last two years.

    Parameters
    ----------
    patches
        From `find_change_patches`.
    truth
        `aerial_kedro.change.assessment.PATCH_TRUTH_COLUMNS`.
    tile_catalog
        The tiles, to read their pictures from.
    tile_size_m
        Side of a tile in metres.
    most
        How many patches to show at most; those that cannot be read in both years are left out.
    """
    first = last_comparison(patches).sort_values("rank").head(most)
    rows: list[dict[Hashable, Any]] = first.to_dict("records")
    known = {row["rank"]: row for row in truth.to_dict("records")}
    windows, names = [], []
    for row in rows:
        outline = gpd.GeoSeries([row["geometry"]], crs=patches.crs).to_crs(row["epsg"]).iloc[0]
        window = PatchWindow.around(outline, tile_size_m)
        grid = TileGrid(int(row["epsg"]), tile_size_m)
        windows.append(window)
        names.append({tile: grid.tile_id(*tile) for tile in window.tiles})
    pictures = picture_places(
        tile_catalog,
        [name for each in names for name in each.values()],
        [row[when] for row in rows for when in ("year_before", "year_after")],
    )
    found = []
    for row, window, places in zip(rows, windows, names, strict=True):
        both = [
            {
                tile: pictures[name, row[when]]
                for tile, name in places.items()
                if (name, row[when]) in pictures
            }
            for when in ("year_before", "year_after")
        ]
        if all(both):
            before, after = (window.draw(each) for each in both)
            found.append(_candidate(row, before, after, known.get(row["rank"])))
    return found


def _candidate(
    row: dict[Hashable, Any], before: bytes, after: bytes, truth: dict[Hashable, Any] | None
) -> PatchCandidate:
    known = {}
    if truth:
        known = {name: truth[name] for name in ("true_before", "true_after")}
        known["changed_share"] = truth["changed_cells"] / truth["known_cells"]
    return PatchCandidate(
        rank=row["rank"],
        before_class=row["class_before"],
        after_class=row["class_after"],
        area_ha=row["area_ha"],
        probability=row["mean_probability"],
        lon=row["lon"],
        lat=row["lat"],
        before=before,
        after=after,
        **known,
    )
