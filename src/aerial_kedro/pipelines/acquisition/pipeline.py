"""Wiring of the acquisition of imagery."""

from kedro.pipeline import Pipeline

from aerial_kedro.pipelines.acquisition import nodes
from aerial_kedro.pipelines.grouping import group, node_of


def create_pipeline(**_: object) -> Pipeline:
    """Turn a search into a scene list."""
    inputs = ["stac_items", "params:acquisition", "params:imagery"]
    return group([node_of(nodes.list_scenes, inputs, "acquired_scenes")], "acquisition")
