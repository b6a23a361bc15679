"""Wiring of the labelling page."""

from kedro.pipeline import Pipeline

from aerial_kedro.pipelines.grouping import group, node_of
from aerial_kedro.pipelines.suggest_labels import nodes

_FEATURES = ["tile_features", "tile_catalog", "feature_source"]
_RULES = ["params:suggest", "params:cells.drawn", "params:seed"]


def create_pipeline(**_: object) -> Pipeline:
    """Features of cells in, and labels where there are some; a page to label cells out."""
    return group(
        [
            node_of(
                nodes.measure_candidates,
                [*_FEATURES, "params:seed"],
                "candidate_inputs",
            ),
            node_of(
                nodes.describe_cells_to_label,
                [*_FEATURES, "candidate_inputs", *_RULES],
                "label_candidates",
            ),
            node_of(
                nodes.choose_cells_to_label,
                ["label_candidates", "params:suggest", "params:land_cover", "params:seed"],
                "cells_to_label",
            ),
            node_of(
                nodes.draw_label_page,
                [
                    "cells_to_label",
                    "label_candidates",
                    "tile_catalog",
                    "params:suggest",
                    "params:land_cover",
                ],
                "label_page",
            ),
        ],
        "suggest_labels",
    )
