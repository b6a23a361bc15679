"""Wiring of reporting."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.pipelines.change.pipeline import create_evaluation
from aerial_kedro.pipelines.grouping import group
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
_MAP_PAGE = {
    **_MAP_FIGURES,
    "maps": "map_images",
    "mapped": "mapped_tiles",
    "areas": "areas",
    "subsets": "subsets",
    "error_maps": "error_maps",
    "change_candidates": "change_candidates",
}


def create_pipeline(**_: object) -> Pipeline:
    """Report on scenes, with maps."""
    own = [
        Node(
            nodes.describe_scenes,
            [
                "scenes",
                "params:scenes_root",
                "params:landcover_path",
                "params:tile_size_m",
                "params:seed",
            ],
            "source_facts",
            name="describe_scenes",
        ),
        Node(
            nodes.draw_map_images,
            ["maps", "params:land_cover"],
            "map_images",
            name="draw_map_images",
        ),
        Node(nodes.draw_error_maps, "mapped_tiles", "error_maps", name="draw_error_maps"),
        Node(
            areas.evaluate_mixed_tiles,
            ["predictions", "tile_catalog", "trained_model", "params:seed"],
            "subsets",
            name="evaluate_mixed_tiles",
        ),
        Node(
            areas.measure_areas,
            ["mapped_tiles", "training_summary", "subsets", "params:land_cover"],
            "areas",
            name="measure_areas",
        ),
        Node(
            areas.compare_areas,
            ["predictions", "tile_catalog", "areas", "params:report", "params:land_cover"],
            "area_shares",
            name="compare_areas",
        ),
    ]
    return create_evaluation() + _create_report(own, _FIGURES | _MAP_FIGURES, _PAGE | _MAP_PAGE)


def create_folder_pipeline(**_: object) -> Pipeline:
    """Report on a folder of tiles, which has no map."""
    described = Node(
        nodes.describe_folders, "params:folders_root", "source_facts", name="describe_folders"
    )
    return _create_report([described], _FIGURES, _PAGE)


def _create_report(own: list[Node], figures: dict[str, str], page: dict[str, str]) -> Pipeline:
    """Add to nodes of its own what both reports have: tiles, figures, the page."""
    return group(
        [
            *own,
            Node(
                nodes.evaluate_abstention,
                ["test_predictions", "params:mapping"],
                "abstention",
                name="evaluate_abstention",
            ),
            Node(
                nodes.explain_errors,
                [
                    "test_predictions",
                    "tile_catalog",
                    "labelled_features",
                    "trained_model",
                    "params:report",
                ],
                "explained_errors",
                name="explain_errors",
            ),
            Node(
                nodes.take_pictures,
                ["test_predictions", "tile_catalog", "params:report", "params:seed"],
                ["gallery", "worst_errors"],
                name="take_pictures",
            ),
            Node(report.build_metrics, figures, "metrics", name="build_metrics"),
            Node(report.write_report, page, "report", name="write_report"),
        ],
        "reporting",
    )
