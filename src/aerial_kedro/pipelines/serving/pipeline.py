"""Wiring of serving."""

from kedro.pipeline import Pipeline

from aerial_kedro.models.serving.assembly import assemble_model
from aerial_kedro.pipelines.grouping import group, node_of


def create_pipeline(**_: object) -> Pipeline:
    """Make a model in MLflow's registry, ready to be served, of a stored model."""
    return group([node_of(assemble_model, "stored_model", "served_model")], "serving")
