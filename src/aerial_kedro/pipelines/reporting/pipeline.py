"""Wiring of reporting."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.pipelines.cells import pipeline as cells
from aerial_kedro.pipelines.change.pipeline import create_evaluation
from aerial_kedro.pipelines.grouping import group, node_of
from aerial_kedro.pipelines.reporting import areas, cell_areas, cell_nodes, nodes, report

_FIGURES = {
    "training": "training_summary",
    "validation": "validation_summary",
    "catalog": "catalog_summary",
    "quarantine": "quarantine_summary",
    "split": "split_check",
    "abstention": "abstention",
    "model": "trained_model",
    "precision": "precision_summary",
    "applicability": "applicability_summary",
}
_PAGE = {
    **_FIGURES,
    "source": "source_facts",
    "run": "run_facts",
    "gallery": "gallery",
    "worst_errors": "worst_errors",
    "explained_errors": "explained_errors",
}
_MAP_FIGURES = {"change": "change_summary", "shares": "area_shares"}
_CELL_FIGURES = {"cells": "cell_summary", "ground": "cell_map_summary"}
_CELL_PAGE = {
    "cells": "cell_content",
    "imagery": "imagery",
    "tile_maps": "tile_maps",
    "unsure": "unsure_cells",
}
_MAP_PAGE = {
    **_MAP_FIGURES,
    "maps": "map_images",
    "mapped": "mapped_tiles",
    "areas": "areas",
    "subsets": "subsets",
    "error_maps": "error_maps",
    "change_candidates": "change_candidates",
}


def create_pipeline(grain: str, classes: str, *, with_labels: bool = False) -> Pipeline:
    """Report on scenes, with maps.

    Parameters
    ----------
    grain
        The run parameter: with ``tile`` there is nothing of cells to report on.
    classes
        Dataset of the class table.
    with_labels
        Whether labels of one's own stand beside the land cover.
    """
    own = [
        node_of(
            nodes.describe_scenes,
            [
                "scenes",
                "land_cover",
                "params:scenes_root",
                "params:landcover_path",
                "params:tile_size_m",
                "params:grain",
                "params:seed",
            ],
            "source_facts",
        ),
        node_of(nodes.draw_map_images, ["maps", classes], "map_images"),
        node_of(nodes.draw_error_maps, "mapped_tiles", "error_maps"),
        node_of(
            areas.evaluate_mixed_tiles,
            ["predictions", "tile_catalog", "trained_model", "params:seed"],
            "subsets",
        ),
    ]
    figures, page = _FIGURES | _MAP_FIGURES, _PAGE | _MAP_PAGE
    if grain == "cell":
        figures |= _CELL_FIGURES
        page |= {**_CELL_PAGE, "patch_candidates": "patch_candidates"}
        page |= {"own_labels": "label_summary"} if with_labels else {}
        return (
            create_evaluation(grain, classes)
            + cells.create_evaluation(classes)
            + _create_report([*own, *_cell_nodes(classes)], figures, page)
        )
    own += _tile_areas(classes)
    return create_evaluation(grain, classes) + _create_report(own, figures, page)


def _tile_areas(classes: str) -> list[Node]:
    return [
        node_of(
            areas.measure_areas,
            ["mapped_tiles", "training_summary", "subsets", classes],
            "areas",
        ),
        node_of(
            areas.compare_areas,
            ["predictions", "tile_catalog", "areas", "params:report", classes],
            "area_shares",
        ),
    ]


def _cell_nodes(classes: str) -> list[Node]:
    return [
        node_of(
            cell_nodes.gather_cells,
            ["cell_summary", "cell_map_summary", "cell_model"],
            "cell_content",
        ),
        node_of(
            cell_nodes.draw_tile_maps,
            ["mapped_tiles", "map_images", classes],
            "tile_maps",
        ),
        node_of(
            cell_nodes.picture_ground,
            ["cell_predictions", "tile_catalog", "tile_features", "feature_source", "map_images"],
            "imagery",
        ),
        node_of(
            cell_nodes.count_unsure_cells,
            ["maps", classes, "params:mapping"],
            "unsure_cells",
        ),
        node_of(
            cell_areas.measure_cell_areas,
            ["cell_predictions", "cell_errors", classes, "params:seed"],
            "areas",
        ),
        node_of(
            cell_areas.compare_cell_areas,
            [
                "cell_predictions",
                "tile_catalog",
                "areas",
                "cell_model",
                "params:report",
                classes,
            ],
            "area_shares",
        ),
    ]


def create_folder_pipeline(**_: object) -> Pipeline:
    """Report on a folder of tiles, which has no map."""
    described = node_of(nodes.describe_folders, "params:folders_root", "source_facts")
    return _create_report([described], _FIGURES, _PAGE)


def _create_report(own: list[Node], figures: dict[str, str], page: dict[str, str]) -> Pipeline:
    """Add to nodes of its own what both reports have: tiles, figures, the page."""
    return group(
        [
            *own,
            node_of(
                nodes.evaluate_abstention, ["test_predictions", "params:mapping"], "abstention"
            ),
            node_of(
                nodes.explain_errors,
                [
                    "test_predictions",
                    "tile_catalog",
                    "labelled_features",
                    "trained_model",
                    "params:report",
                ],
                "explained_errors",
            ),
            node_of(
                nodes.take_pictures,
                ["test_predictions", "tile_catalog", "params:report", "params:seed"],
                ["gallery", "worst_errors"],
            ),
            node_of(report.build_metrics, figures, "metrics"),
            node_of(report.write_report, page, "report"),
        ],
        "reporting",
    )
