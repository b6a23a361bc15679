from __future__ import annotations

from pathlib import Path

import yaml

from aerial_kedro.examples.county.pipeline import create_pipeline
from aerial_kedro.examples.county.settings import CountySettings

CONF = Path(__file__).parents[4] / "conf" / "base" / "sample_data" / "parameters.yml"


def test_the_pipeline_needs_parameters_only() -> None:
    pipeline = create_pipeline()
    assert pipeline.inputs() == {"params:sample_county", "params:seed"}
    assert pipeline.outputs() == {"sample_scenes", "sample_land_cover", "sample_truth"}
    assert all("sample_data" in node.tags for node in pipeline.nodes)


def test_the_configured_county_is_the_default_one() -> None:
    configured = yaml.safe_load(CONF.read_text())["sample_county"]
    assert CountySettings(**configured) == CountySettings()
