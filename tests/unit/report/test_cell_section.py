"""What the page says of a map of cells: the ground first, and nothing that flatters."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from aerial_kedro.accuracy.ground import CellMapSummary, GroundAccuracy
from aerial_kedro.accuracy.interval import Interval
from aerial_kedro.report.cell_content import CellContent
from aerial_kedro.report.content import ReportContent, UnsureTiles
from aerial_kedro.report.ground_figures import ground_figure
from aerial_kedro.report.maps import map_figure
from aerial_kedro.report.pages import render_report
from aerial_kedro.report.pictures import ImageryPicture
from aerial_kedro.report.wording import headline_sentences
from tests.unit.report.conftest import draw_evaluation
from tests.unit.report.test_wording import training_of


def ground(accuracy: float, **changes: Any) -> GroundAccuracy:
    given = {
        "accuracy": accuracy,
        "accuracy_interval": Interval(lower=accuracy - 0.02, upper=accuracy + 0.02),
        "tile_map_accuracy": 0.753,
        "best_tile_map_accuracy": 0.816,
        "macro_f1": 0.87,
        "cells": 23_618,
        "tiles": 482,
        "blocks": 16,
        "pure_accuracy": 0.941,
        "mixed_accuracy": 0.592,
        "tiles_by_cells_pure": 0.973,
        "tiles_by_cells_mixed": 0.722,
        "tiles_by_model_pure": 0.961,
        "tiles_by_model_mixed": 0.576,
        "tile_shares_error": 0.212,
        "tile_map_shares_error": 0.493,
        "area_error": 0.054,
        "tile_map_area_error": 0.117,
        "calibration_error": 0.038,
        "unsure_share": 0.061,
        "sure_accuracy": 0.912,
    }
    return GroundAccuracy.model_validate({**given, **changes})


SUMMARY = CellMapSummary(
    overall=ground(0.869),
    overall_truth=ground(0.929),
    overall_land_cover=ground(0.906, mixed_accuracy=None),
    unknown_share=0.034,
    agreement={"2012": ground(0.875), "2018": ground(0.863)},
    truth={"2018": ground(0.929)},
    bytes_a_tile=3136,
)


def cells_of(plain_skill: float = 1.0, **changes: Any) -> CellContent:
    training = training_of(
        draw_evaluation(3.0), image_statistics=draw_evaluation(plain_skill, seed=4)
    )
    given = {"ground": SUMMARY, "size_m": 32, "infrared": False, "components": 64}
    settings = {"reg_param": 0.03}
    return CellContent(training=training, settings=settings, **{**given, **changes})


@pytest.fixture(scope="module")
def content(full_content: ReportContent) -> ReportContent:
    period = "2016"
    shown = full_content.maps[period]
    pixels = np.full((40, 50, 3), 120, np.uint8)
    return full_content.model_copy(
        update={
            "cells": cells_of(),
            "maps": {period: shown},
            "tile_maps": {period: shown},
            "imagery": {period: ImageryPicture(pixels=pixels, extent=shown.extent)},
            "unsure": {period: UnsureTiles(count=490, unsure=49, smoothed=None, units="cells")},
        }
    )


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page)).replace("\u00a0", " ")


def test_the_first_figure_is_of_the_ground_pure_and_mixed(content: ReportContent) -> None:
    page = render_report(content)
    values = re.findall(r'class="value">([^<]*)<', page.replace("\u00a0", " "))
    assert values[:4] == ["86.9 %", "75.3 %", "92.9 %", f"{100 * content.test.accuracy:.1f} %"]  # type: ignore[union-attr]
    words = text_of(page)
    assert "84.9 to 88.9 %; 3.4 % of that ground has no land cover and is in no figure" in words
    assert "the best that one class a tile could be is 81.6 %" in words
    ground = words.index("of the ground of test blocks as the land cover has it, pure and mixed")
    assert ground < words.index("agreement on labelled (mostly pure) tiles")


def test_the_figures_say_that_they_count_unsure_cells_and_how_many(content: ReportContent) -> None:
    words = text_of(render_report(content))
    assert "count the likeliest class of every cell, also of those that the map leaves un" in words
    assert "shows as unsure, before smoothing the others, right 6.1 % 91.2 %" in words


def test_where_all_of_the_ground_counts_the_page_says_so(content: ReportContent) -> None:
    assert content.cells is not None
    ground = content.cells.ground.model_copy(update={"unknown_share": 0.0})
    cells = content.cells.model_copy(update={"ground": ground})
    words = text_of(render_report(content.model_copy(update={"cells": cells})))
    assert "all of that ground counts" in words
    assert "All of that ground counts." in words
    assert "no land cover and is in no figure" not in words


def test_without_cells_the_first_figure_has_its_own_name(full_content: ReportContent) -> None:
    words = text_of(render_report(full_content))
    assert "agreement on labelled (mostly pure) tiles" in words
    # 3,624 of 6,012 images are labelled; the classes of the splits hold less than that.
    unseen = full_content.catalog.share_in_no_figure  # type: ignore[union-attr]
    assert 0 < unseen < 1
    assert f"{100 * unseen:.0f} % of the tiles, mostly mixed ones, are not in it" in words
    assert "of test tiles right" not in words


def test_tiles_of_folders_are_simply_test_tiles(full_content: ReportContent) -> None:
    words = text_of(render_report(full_content.model_copy(update={"areas": {}, "maps": {}})))
    assert "of test tiles right" in words
    assert "mostly pure" not in words


def test_the_summary_begins_with_the_ground(content: ReportContent) -> None:
    first, second, third = headline_sentences(content)
    assert "86.9" in first
    assert "81.6" in first
    assert "3.4" in first
    assert "the land cover itself 90.6" in second
    assert "labelled (mostly pure) tiles" in third


def test_a_map_without_any_known_cell_claims_nothing(content: ReportContent) -> None:
    nothing = CellMapSummary(unknown_share=1.0, bytes_a_tile=3136)
    bare = content.model_copy(update={"cells": cells_of(ground=nothing)})
    assert "of the ground of test blocks as" not in text_of(render_report(bare))
    assert "labelled (mostly pure) tiles" in headline_sentences(bare)[0]


def test_plain_statistics_that_win_are_said_to_win(content: ReportContent) -> None:
    page = text_of(render_report(content.model_copy(update={"cells": cells_of(5.0)})))
    assert "Plain statistics of the bands alone do better" in page
    assert "the network adds nothing to plain statistics of the bands here" in page
    assert "the network is worth" in text_of(render_report(content))


def test_what_cells_are_described_by_is_said(content: ReportContent) -> None:
    page = text_of(render_report(content))
    assert "near infrared is not read" in page
    assert "64 numbers" in page
    assert "3,136 bytes a tile" in page
    assert "Its penalty, 0.03, was chosen on blocks out of fold" not in page  # no reason is given
    with_infrared = content.model_copy(update={"cells": cells_of(infrared=True)})
    assert "near infrared and NDVI" in text_of(render_report(with_infrared))


def test_the_fine_map_lies_beside_the_imagery(content: ReportContent) -> None:
    page = render_report(content)
    assert "Imagery of 2016 and the land-cover map of the same ground" in page
    assert "Map of 2016 with one class a tile" in page
    assert "Each pixel is a cell of 32 m" in page
    assert "or that its neighbours share" in page  # smoothed, though not counted
    alone = render_report(content.model_copy(update={"imagery": {}, "tile_maps": {}}))
    assert "Land-cover map of 2016" in alone


def test_a_map_can_show_the_ground_of_another(full_content: ReportContent) -> None:
    xmin, ymin, xmax, ymax = full_content.maps["2016"].extent
    [axes] = map_figure(full_content.maps["2016"], (xmin - 5, ymin, xmax, ymax + 9)).axes
    assert axes.get_xlim() == (xmin - 5, xmax)
    assert axes.get_ylim() == (ymin, ymax + 9)


def test_the_chart_of_the_ground_has_a_bar_for_each_map() -> None:
    [axes] = ground_figure(SUMMARY.overall_truth, SUMMARY.overall_land_cover).axes  # type: ignore[arg-type]
    assert [bar.get_width() for bar in axes.patches] == [0.753, 0.816, 0.929, 0.906]
    [axes] = ground_figure(ground(0.8, accuracy_interval=None)).axes
    assert len(axes.patches) == 3


def test_an_area_without_an_interval_has_a_dash_and_the_reason(content: ReportContent) -> None:
    period, rows = next(iter(content.areas.items()))
    words = text_of(render_report(content))
    assert "no interval, since" not in words
    lacking = [rows[0].model_copy(update={"adjusted_interval": None}), *rows[1:]]
    page = render_report(content.model_copy(update={"areas": {period: lacking}}))
    assert page.count('<td class="num">–</td>') == 1
    assert "– : no interval, since this area is taken in part from a class" in text_of(page)
