"""Wiring of the acquisition of imagery."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.pipelines.acquisition import nodes
from aerial_kedro.pipelines.grouping import group


def create_pipeline(**_: object) -> Pipeline:
    """Turn a search into a scene list."""
    return group(
        [
            Node(
                nodes.list_scenes,
                ["stac_items", "params:acquisition", "params:imagery"],
                "acquired_scenes",
                name="list_scenes",
            )
        ],
        "acquisition",
    )
