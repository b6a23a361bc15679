"""Wiring of change: scoring compares the years, reporting evaluates and shows what changed."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.pipelines.change import cells, nodes, patches
from aerial_kedro.pipelines.grouping import group, node_of


def create_comparison(change: str = "change") -> Pipeline:
    """Predictions of several years in, the probability of change of every place out.

    Parameters
    ----------
    change
        Name of the output.
    """
    return group([node_of(nodes.compare_years, "predictions", change)], "change")


def create_cell_comparison(classes: str) -> Pipeline:
    """Do the same by cells: patches of change out, and tiles with the share of their cells.

    Parameters
    ----------
    classes
        Dataset of the class table.
    """
    return (
        create_comparison("tile_change")
        + create_patches(classes)
        + group(
            [
                node_of(
                    cells.add_changed_shares,
                    ["tile_change", "cell_change", "cell_transitions"],
                    "change",
                )
            ],
            "change",
        )
    )


def create_patches(classes: str) -> Pipeline:
    """Wire change by cells alone: its probabilities, and patches of it.

    Parameters
    ----------
    classes
        Dataset of the class table.
    """
    return group(
        [
            node_of(
                cells.estimate_transitions,
                ["cell_predictions", classes, "cell_model", "params:seed"],
                "cell_transitions",
            ),
            node_of(cells.compare_cells, ["cell_predictions", "cell_transitions"], "cell_change"),
            node_of(
                cells.find_change_patches,
                ["cell_change", "cell_transitions", "params:cells.patches"],
                "change_patches",
            ),
        ],
        "change",
    )


def create_evaluation(grain: str, classes: str) -> Pipeline:
    """Change in; its figures, and pictures of the likeliest changes, out.

    Parameters
    ----------
    grain
        The run parameter: with ``cell``, of patches too.
    classes
        Dataset of the class table.
    """
    summary = "tile_change_summary" if grain == "cell" else "change_summary"
    found = group(
        [
            node_of(
                nodes.evaluate_change,
                ["change", "tile_catalog", "reference_maps", classes, "params:seed"],
                [summary, "true_classes"],
            ),
            node_of(
                nodes.show_change,
                ["change", "tile_catalog", "true_classes", "params:report.change_candidates"],
                "change_candidates",
            ),
        ],
        "change",
    )
    return found + _create_cell_evaluation(classes) if grain == "cell" else found


def _create_cell_evaluation(classes: str) -> Pipeline:
    return group(
        [
            node_of(
                cells.evaluate_cell_change,
                [
                    "tile_change_summary",
                    "cell_change",
                    "cell_transitions",
                    "change_patches",
                    "tile_catalog",
                    "reference_maps",
                    classes,
                    "params:cells.patches",
                    "params:seed",
                ],
                ["change_summary", "patch_truth"],
            ),
            picture_patches(),
        ],
        "change",
    )


def picture_patches() -> Node:
    """Picture the likeliest patches for the report."""
    return node_of(
        patches.show_patches,
        [
            "change_patches",
            "patch_truth",
            "tile_catalog",
            "params:tile_size_m",
            "params:report.change_candidates",
        ],
        "patch_candidates",
    )
