"""The pipeline that draws the embedded sample."""

from typing import Any

from kedro.pipeline import Pipeline

from aerial_kedro.examples.county.landcover import draw_land_cover, draw_truth
from aerial_kedro.examples.county.scenes import draw_scenes
from aerial_kedro.pipelines.grouping import group, node_of


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Create the pipeline; its outputs are partitioned by file stem."""
    inputs = ["params:sample_county", "params:seed"]
    return group(
        [
            node_of(draw_scenes, inputs, "sample_scenes"),
            node_of(draw_land_cover, inputs, "sample_land_cover"),
            node_of(draw_truth, inputs, "sample_truth"),
        ],
        "sample_data",
    )
