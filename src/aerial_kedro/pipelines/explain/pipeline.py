"""Wiring of explanations."""

from kedro.pipeline import Pipeline

from aerial_kedro.pipelines.explain import nodes
from aerial_kedro.pipelines.grouping import group, node_of


def create_pipeline(**_: object) -> Pipeline:
    """Names of tiles in, after the main job; a page that explains their classes out."""
    return group(
        [
            node_of(nodes.choose_images, ["predictions", "params:explain"], "chosen_images"),
            node_of(
                nodes.explain_chosen,
                [
                    "chosen_images",
                    "tile_catalog",
                    "tile_features",
                    "labelled_features",
                    "trained_model",
                    "params:explain",
                ],
                ["explained_images", "explaining_model"],
            ),
            node_of(
                nodes.draw_page,
                ["explained_images", "explaining_model", "run_facts", "params:explain"],
                "explained_page",
            ),
        ],
        "explain",
    )
