"""What the page says of errors that are explained."""

from __future__ import annotations

from aerial_kedro.report.content import ReportContent
from aerial_kedro.report.pages import render_explained, render_report
from aerial_kedro.report.pictures import ExplainedAnswer, ExplainedTile, Neighbour
from aerial_kedro.report.wording import percent


def page(content: ReportContent, drop: float) -> str:
    tile = content.worst_errors[0].model_copy(
        update={"label": "Shrub", "predicted": "Forest", "probability": 0.93, "image_id": "t1"}
    )
    near = Neighbour(
        tile=tile.model_copy(update={"label": "<b>Barren", "image_id": "n1"}), similarity=0.8712
    )
    explained = ExplainedTile(tile=tile, overlay=tile.picture, largest_drop=drop, neighbours=[near])
    return render_report(content.model_copy(update={"explained_errors": [explained]}))


def test_an_error_is_shown_with_what_led_to_it(full_content: ReportContent) -> None:
    html = page(full_content, 0.314)
    assert "What led to the surest of them" in html
    assert "Without its strongest patch: 31 points less." in html
    assert "similarity 0.87" in html
    assert "Training: &lt;b&gt;Barren" in html
    assert "Training: <b>" not in html


def test_one_point_is_no_points(full_content: ReportContent) -> None:
    assert "strongest patch: 1 point less." in page(full_content, 0.012)


def test_no_patch_is_blamed_where_none_matters(full_content: ReportContent) -> None:
    html = page(full_content, 0.004)
    assert "No single patch matters" in html
    assert "points less" not in html


def test_without_explanations_nothing_is_announced(full_content: ReportContent) -> None:
    content = full_content.model_copy(update={"explained_errors": []})
    assert "What led to the surest" not in render_report(content)


def answer(content: ReportContent, **changes: object) -> str:
    tile = content.worst_errors[0].model_copy(
        update={"label": None, "predicted": "<i>Forest", "probability": 0.9, "image_id": "t&1"}
    )
    known = ExplainedAnswer(
        explained=ExplainedTile(tile=tile, overlay=tile.picture, largest_drop=0.2),
        probabilities={"<i>Forest": 0.9, "Shrub": 0.1},
        year=2018,
    )
    return render_explained([known.model_copy(update=changes)], "county", "today", 8)


def test_a_page_of_tiles_of_ones_choice_tells_all_probabilities(
    full_content: ReportContent,
) -> None:
    html = answer(full_content, lon=-71.5, lat=42.25)
    assert '<h2 id="tile-1">t&amp;1</h2>' in html
    assert "&lt;i&gt;Forest" in html
    assert "<i>" not in html
    assert f'<td class="num">{percent(0.1)}</td>' in html
    assert "2018. 42.25000° N, 71.50000° W. In no split." in html
    assert "Without a reference." in html


def test_a_training_tile_is_said_to_prove_nothing(full_content: ReportContent) -> None:
    assert "learned from this tile" in answer(full_content, split="train")
    assert "learned from this tile" not in answer(full_content, split="test")


def test_what_the_land_cover_decided_is_said(full_content: ReportContent) -> None:
    tile = full_content.worst_errors[0].model_copy(
        update={"label": "Water", "predicted": "Shrub", "probability": 0.9, "image_id": "t1"}
    )
    explained = ExplainedTile(tile=tile, overlay=tile.picture, largest_drop=0.2)
    html = answer(full_content, mapped="Water", explained=explained)
    assert "The map shows Water" in html
    assert "Taken for" not in html
    assert "Taken for Shrub" in answer(full_content, explained=explained)
