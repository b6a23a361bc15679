"""Wiring of change: scoring compares the years, reporting evaluates and shows what changed."""

from kedro.pipeline import Pipeline

from aerial_kedro.pipelines.change import nodes
from aerial_kedro.pipelines.grouping import group, node_of


def create_comparison() -> Pipeline:
    """Predictions of several years in, the probability of change of every place out."""
    return group([node_of(nodes.compare_years, "predictions", "change")], "change")


def create_evaluation() -> Pipeline:
    """Change in; its figures, and pictures of the likeliest changes, out."""
    return group(
        [
            node_of(
                nodes.evaluate_change,
                ["change", "tile_catalog", "reference_maps", "params:land_cover", "params:seed"],
                ["change_summary", "true_classes"],
            ),
            node_of(
                nodes.show_change,
                ["change", "tile_catalog", "true_classes", "params:report.change_candidates"],
                "change_candidates",
            ),
        ],
        "change",
    )
