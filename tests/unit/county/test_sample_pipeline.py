from __future__ import annotations

from pathlib import Path

import yaml

from aerial_kedro.county.settings import CountySettings
from aerial_kedro.pipelines.sample_data import create_pipeline

CONF = Path(__file__).parents[3] / "conf" / "base" / "parameters_sample_data.yml"


def test_the_pipeline_needs_parameters_only() -> None:
    pipeline = create_pipeline()
    assert pipeline.inputs() == {"params:sample_county", "params:seed"}
    assert pipeline.outputs() == {"sample_scenes", "sample_land_cover", "sample_truth"}
    assert all("sample_data" in node.tags for node in pipeline.nodes)


def test_the_configured_county_is_the_default_one() -> None:
    configured = yaml.safe_load(CONF.read_text())["sample_county"]
    assert CountySettings(**configured) == CountySettings()
