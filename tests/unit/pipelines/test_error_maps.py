from __future__ import annotations

import pandas as pd

from aerial_kedro.pipelines.reporting.nodes import draw_error_maps, outcomes_of
from aerial_kedro.report.colours import OUTCOMES
from aerial_kedro.report.pictures import NO_DATA
from tests.builders import cell_of_origin, grid_tiles

COL, ROW = cell_of_origin()
TILES = pd.DataFrame(
    [
        ("Forest", "Forest", "test", "model"),
        ("Forest", "Shrub", "test", "model"),
        ("Forest", "Forest", "train", "model"),
        ("Forest", "Shrub", None, "model"),  # in the buffer
        (None, "Forest", None, "model"),  # mixed
        ("Water", "Water", None, "land_cover"),
    ],
    columns=["label", "pred_label", "split", "decided_by"],
)


def test_each_kind_of_tile_has_its_outcome() -> None:
    assert [list(OUTCOMES)[value] for value in outcomes_of(TILES)] == [
        "Test tile, right",
        "Test tile, wrong",
        "Other labelled tile, right",
        "Other labelled tile, wrong",
        "Not evaluated",
        "Not evaluated",
    ]


def test_a_tile_is_where_it_lies() -> None:
    cells = [(COL, ROW), (COL + 1, ROW), (COL, ROW - 1), (COL + 1, ROW - 1), (COL + 2, ROW - 1)]
    tiles = grid_tiles(cells).assign(year=2018, **TILES.iloc[:5].to_dict("list"))
    found = draw_error_maps(tiles)["2018"]
    assert found.image.class_index.tolist() == [[0, 1, NO_DATA], [2, 3, 4]]
    assert (found.test_tiles, found.wrong) == (2, 1)
    assert found.image.extent == (
        tiles["xmin"].min(), tiles["ymin"].min(), tiles["xmax"].max(), tiles["ymax"].max(),
    )  # fmt: skip


def test_a_year_without_test_tiles_has_no_map() -> None:
    tiles = grid_tiles([(COL, ROW)]).assign(year=2018, **TILES.iloc[2:3].to_dict("list"))
    assert draw_error_maps(tiles) == {}
