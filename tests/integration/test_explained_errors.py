"""The most confident errors, explained in the report of the main job."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from kedro.framework.session import KedroSession

from aerial_kedro.features.engine_choice import EngineChoice
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.pipelines.reporting.nodes import ReportSettings, explain_errors
from tests.integration.kedro_project import PROJECT, Project, assert_errors_are_explained


def test_the_report_explains_its_errors(county: Project) -> None:
    assert_errors_are_explained(county)


def test_a_model_that_cannot_be_run_here_leaves_the_section_out(
    county: Project, caplog: pytest.LogCaptureFixture
) -> None:
    """The report is worth more than one of its sections."""
    settings = ReportSettings(
        gallery_tiles=0, worst_errors=0, explained_errors=2, change_candidates=0
    )
    names = ["test_predictions", "tile_catalog", "labelled_features"]
    with (
        county.environment(),
        KedroSession.create(PROJECT, env="base", runtime_params=dict(county.parameters)) as session,
    ):
        catalog = session.load_context().catalog
        inputs = [catalog.load(name) for name in names]
        model = catalog.load("trained_model")
    with caplog.at_level(logging.WARNING, "aerial_kedro"):
        in_bf16 = EngineChoice(engine="openvino", precision="bf16")
        other = replace(model, source=FeatureSource(model.source.backbone, in_bf16))
        assert explain_errors(*inputs, other, settings) == []
    assert "explains no errors" in caplog.text
