"""Wiring of reporting."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.pipelines.cells import pipeline as cells
from aerial_kedro.pipelines.change.pipeline import create_evaluation
from aerial_kedro.pipelines.grouping import group, node_of
from aerial_kedro.pipelines.reporting import areas, nodes, report

_FIGURES = {
    "training": "training_summary",
    "validation": "validation_summary",
    "catalog": "catalog_summary",
    "quarantine": "quarantine_summary",
    "split": "split_check",
    "abstention": "abstention",
    "model": "trained_model",
    "precision": "precision_summary",
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
_MAP_PAGE = {
    **_MAP_FIGURES,
    "maps": "map_images",
    "mapped": "mapped_tiles",
    "areas": "areas",
    "subsets": "subsets",
    "error_maps": "error_maps",
    "change_candidates": "change_candidates",
}


def create_pipeline(grain: str = "cell", **_: object) -> Pipeline:
    """Report on scenes, with maps.

    Parameters
    ----------
    grain
        The run parameter: with ``tile`` there is nothing of cells to report on.
    """
    own = [
        node_of(
            nodes.describe_scenes,
            [
                "scenes",
                "params:scenes_root",
                "params:landcover_path",
                "params:tile_size_m",
                "params:seed",
            ],
            "source_facts",
        ),
        node_of(nodes.draw_map_images, ["maps", "params:land_cover"], "map_images"),
        node_of(nodes.draw_error_maps, "mapped_tiles", "error_maps"),
        node_of(
            areas.evaluate_mixed_tiles,
            ["predictions", "tile_catalog", "trained_model", "params:seed"],
            "subsets",
        ),
        node_of(
            areas.measure_areas,
            ["mapped_tiles", "training_summary", "subsets", "params:land_cover"],
            "areas",
        ),
        node_of(
            areas.compare_areas,
            ["predictions", "tile_catalog", "areas", "params:report", "params:land_cover"],
            "area_shares",
        ),
    ]
    figures, page = _FIGURES | _MAP_FIGURES, _PAGE | _MAP_PAGE
    if grain == "cell":
        figures |= _CELL_FIGURES
        return create_evaluation() + cells.create_evaluation() + _create_report(own, figures, page)
    return create_evaluation() + _create_report(own, figures, page)


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
