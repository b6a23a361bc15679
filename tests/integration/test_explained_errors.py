"""The most confident errors, explained in the report of the main job."""

from __future__ import annotations

import logging

import pytest
from kedro.framework.session import KedroSession

from aerial_kedro.backbones.engines import EngineChoice
from aerial_kedro.pipelines.reporting.explained import explain_errors
from aerial_kedro.pipelines.reporting.nodes import ReportSettings
from tests.integration.kedro_project import PROJECT, Project


def wrong(project: Project) -> int:
    found = project.table("07_model_output/test_predictions")
    return int((found["label"] != found["pred_label"]).sum())


@pytest.mark.parametrize("name", ["county", "divided"])
def test_the_report_explains_its_errors(name: str, request: pytest.FixtureRequest) -> None:
    """Of scenes and of folders, by logistic regression and by a forest."""
    project: Project = request.getfixturevalue(name)
    html = (project.data / "08_reporting/report.html").read_text(encoding="utf-8")
    shown = min(wrong(project), project.parameters["report"].get("explained_errors", 6))
    assert html.count("The same tile, with what spoke for") == shown
    assert html.count("<figcaption>Training: ") == 3 * shown


def test_a_model_that_cannot_be_run_here_leaves_the_section_out(
    county: Project, caplog: pytest.LogCaptureFixture
) -> None:
    """The report is worth more than one of its sections."""
    settings = ReportSettings(
        gallery_tiles=0, worst_errors=0, explained_errors=2, change_candidates=0
    )
    names = ["test_predictions", "tile_catalog", "labelled_features", "stored_model", "backbone"]
    with (
        county.environment(),
        KedroSession.create(PROJECT, env="base", runtime_params=dict(county.parameters)) as session,
    ):
        catalog = session.load_context().catalog
        inputs = [catalog.load(name) for name in names]
    with caplog.at_level(logging.WARNING, "aerial_kedro"):
        other = EngineChoice(engine="openvino", precision="fp32")
        assert explain_errors(*inputs, other, settings) == []
    assert "explains no errors" in caplog.text
