"""Neighbouring tiles come together: each once as its group's own, with all that is around it."""

from __future__ import annotations

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from aerial_kedro.models.neighbourhoods import map_neighbourhoods
from tests.builders import grid_tiles

# Over the borders of groups (of 16), zones and years, on both sides of 0; with holes.
ZONES = (26918, 26919)
YEARS = (2018, 2020)
COLUMNS = (*range(-19, -12), *range(-3, 3), 15, 16, 17)
ROWS = (-17, -16, -15, -1, 0, 1, 15, 16, 31, 32)


def report(frame: pd.DataFrame) -> pd.DataFrame:
    """Of each own tile its neighbours in the group, and what else the group says."""
    assert frame["image_id"].is_monotonic_increasing
    assert frame[["epsg", "year"]].drop_duplicates().shape[0] == 1
    assert not frame["image_id"].duplicated().any()
    place = {(tile.column, tile.row): tile.image_id for tile in frame.itertuples()}
    rows = []
    for tile in frame[frame["is_own"]].itertuples():
        near = [
            place.get((tile.column + across, tile.row + up), "")
            for across in (-1, 0, 1)
            for up in (-1, 0, 1)
        ]
        rows.append((tile.image_id, tile.column, tile.row, ",".join(near)))
    return pd.DataFrame(rows, columns=["image_id", "column", "row", "near"])


@pytest.fixture(scope="module")
def places() -> list[tuple[int, int]]:
    return [(col, row) for col in COLUMNS for row in ROWS if (3 * col + row) % 7]


def test_every_tile_is_once_its_groups_own_with_all_that_is_around(
    spark_session: SparkSession, places: list[tuple[int, int]]
) -> None:
    frames = []
    for zone in ZONES:
        for year in YEARS:
            # In one zone and year a column is missing: it must not come from the others.
            kept = [each for each in places if (zone, year) != (26919, 2020) or each[0] != 0]
            frames.append(grid_tiles(kept, epsg=zone, year=year).assign(place=kept))
    tiles = pd.concat(frames, ignore_index=True)
    known = {(tile.epsg, tile.year, *tile.place): tile.image_id for tile in tiles.itertuples()}
    columns = ["image_id", "epsg", "year", "xmin", "ymin", "xmax", "ymax"]
    rows = spark_session.createDataFrame(tiles[columns].sample(frac=1, random_state=1))
    found = map_neighbourhoods(
        rows, report, "image_id string, column int, row int, near string"
    ).toPandas()
    assert sorted(found["image_id"]) == sorted(tiles["image_id"])
    by_name = found.set_index("image_id")
    for (zone, year, column, row), name in known.items():
        own = by_name.loc[name]
        assert (own["column"], own["row"]) == (column, row)
        near = [
            known.get((zone, year, column + across, row + up), "")
            for across in (-1, 0, 1)
            for up in (-1, 0, 1)
        ]
        assert own["near"].split(",") == near
