"""What the page says of errors that are explained."""

from __future__ import annotations

from aerial_kedro.report.content import ReportContent
from aerial_kedro.report.explained import ExplainedError, Neighbour
from aerial_kedro.report.render import render_report


def page(content: ReportContent, drop: float) -> str:
    tile = content.worst_errors[0].model_copy(
        update={"label": "Shrub", "predicted": "Forest", "probability": 0.93, "image_id": "t1"}
    )
    near = Neighbour(
        tile=tile.model_copy(update={"label": "<b>Barren", "image_id": "n1"}), similarity=0.8712
    )
    explained = ExplainedError(
        tile=tile, overlay=tile.picture, largest_drop=drop, neighbours=[near]
    )
    return render_report(content.model_copy(update={"explained_errors": [explained]}))


def test_an_error_is_shown_with_what_led_to_it(full_content: ReportContent) -> None:
    html = page(full_content, 0.314)
    assert "What led to the surest of them" in html
    assert "Without its strongest patch: 31 points less." in html
    assert "similarity 0.87" in html
    assert "Training: &lt;b&gt;Barren" in html
    assert "Training: <b>" not in html


def test_no_patch_is_blamed_where_none_matters(full_content: ReportContent) -> None:
    html = page(full_content, 0.004)
    assert "No single patch matters" in html
    assert "points less" not in html


def test_without_explanations_nothing_is_announced(full_content: ReportContent) -> None:
    content = full_content.model_copy(update={"explained_errors": []})
    assert "What led to the surest" not in render_report(content)
