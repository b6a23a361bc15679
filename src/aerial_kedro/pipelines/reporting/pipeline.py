"""Wiring of reporting."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.pipelines.change.pipeline import create_evaluation
from aerial_kedro.pipelines.grouping import group
from aerial_kedro.pipelines.reporting import areas, explained, maps, nodes, report

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
    return (
        create_evaluation()
        + _create_common()
        + _create_map_part()
        + _create_results(_FIGURES | _MAP_FIGURES, _PAGE | _MAP_PAGE)
    )


def create_folder_pipeline(**_: object) -> Pipeline:
    """Report on a folder of tiles, which has no map."""
    described = Node(
        nodes.describe_folders, "params:folders_root", "source_facts", name="describe_folders"
    )
    return group([described], "reporting") + _create_common() + _create_results(_FIGURES, _PAGE)


def _create_common() -> Pipeline:
    """Show and evaluate tiles, with or without a place."""
    return group(
        [
            Node(
                nodes.evaluate_abstention,
                ["test_predictions", "params:mapping"],
                "abstention",
                name="evaluate_abstention",
            ),
            Node(
                explained.explain_errors,
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
        ],
        "reporting",
    )


def _create_map_part() -> Pipeline:
    """Draw and evaluate the map: its areas, its shares of the land, where it errs."""
    return group(
        [
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
                maps.draw_map_images,
                ["maps", "params:land_cover"],
                "map_images",
                name="draw_map_images",
            ),
            Node(maps.draw_error_maps, "mapped_tiles", "error_maps", name="draw_error_maps"),
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
        ],
        "reporting",
    )


def _create_results(figures: dict[str, str], page: dict[str, str]) -> Pipeline:
    return group(
        [
            Node(report.build_metrics, figures, "metrics", name="build_metrics"),
            Node(report.write_report, page, "report", name="write_report"),
        ],
        "reporting",
    )
