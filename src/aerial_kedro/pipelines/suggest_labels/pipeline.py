"""Wiring of the labelling page."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.pipelines.cells.sampling import measure_inputs
from aerial_kedro.pipelines.grouping import group, node_of
from aerial_kedro.pipelines.suggest_labels import nodes

_FEATURES = ["tile_features", "tile_catalog", "feature_source"]
_RULES = ["params:suggest", "params:cells.drawn", "params:seed"]


def create_pipeline(classes: str, *, with_labels: bool) -> Pipeline:
    """Features of cells in, and labels where there are some; a page to label cells out.

    Parameters
    ----------
    classes
        Dataset of the class table.
    with_labels
        Whether there are labels of one's own: the page carries them.
    """
    page = ["cells_to_label", "label_candidates", "tile_catalog", "params:suggest", classes]
    own: list[Node] = []
    if with_labels:
        own = [
            node_of(
                nodes.list_labelled_cells,
                ["placed_labels", "tile_catalog", classes],
                "labelled_cells",
            )
        ]
        page.append("labelled_cells")
    return group(
        [
            *own,
            node_of(
                measure_inputs,
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
                ["label_candidates", "params:suggest", classes, "known_design", "params:seed"],
                "cells_to_label",
            ),
            node_of(nodes.draw_label_page, page, "label_page"),
        ],
        "suggest_labels",
    )
