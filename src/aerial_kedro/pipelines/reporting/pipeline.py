"""Wiring of reporting."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.change import reference
from aerial_kedro.pipelines.grouping import group
from aerial_kedro.pipelines.reporting import (
    areas,
    assembly,
    certainty,
    change,
    error_maps,
    explained,
    nodes,
    shares,
)


def create_pipeline(**_: object) -> Pipeline:
    """Report on scenes, with maps."""
    return (
        _create_common("tile_metrics")
        + _create_evaluation()
        + group(
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
                    nodes.draw_map_images,
                    ["maps", "params:land_cover"],
                    "map_images",
                    name="draw_map_images",
                ),
                Node(
                    areas.measure_areas,
                    ["mapped_tiles", "training_summary", "subsets", "params:land_cover"],
                    "areas",
                    name="measure_areas",
                ),
                Node(
                    areas.evaluate_mixed_tiles,
                    ["predictions", "tile_catalog", "trained_model", "params:seed"],
                    "subsets",
                    name="evaluate_mixed_tiles",
                ),
                Node(certainty.count_unsure, "mapped_tiles", "unsure_tiles", name="count_unsure"),
                Node(
                    change.show_change,
                    [
                        "change",
                        "tile_catalog",
                        "params:land_cover",
                        "params:report",
                        "true_classes",
                        "change_figures",
                    ],
                    "shown_change",
                    name="show_change",
                ),
                Node(
                    assembly.MapFindings,
                    [
                        "map_images",
                        "areas",
                        "subsets",
                        "shown_change",
                        "unsure_tiles",
                        "area_shares",
                        "error_maps",
                    ],
                    "map_findings",
                    name="gather_map_findings",
                ),
                Node(
                    assembly.write_map_report,
                    ["findings", "map_findings"],
                    "report",
                    name="write_map_report",
                ),
            ],
            "reporting",
        )
    )


def create_folder_pipeline(**_: object) -> Pipeline:
    """Report on a folder of tiles, which has no map."""
    return _create_common("metrics") + group(
        [
            Node(
                nodes.describe_folders,
                "params:folders_root",
                "source_facts",
                name="describe_folders",
            ),
            Node(assembly.write_report, "findings", "report", name="write_report"),
        ],
        "reporting",
    )


def _create_evaluation() -> Pipeline:
    """Judge the map beyond its test tiles: its change, its shares of the land, where it errs."""
    return group(
        [
            Node(
                reference.find_true_classes,
                ["change", "tile_catalog", "reference_maps", "params:land_cover"],
                "true_classes",
                name="find_true_classes",
            ),
            Node(
                reference.evaluate_change,
                ["change", "true_classes", "params:seed"],
                "change_figures",
                name="evaluate_change",
            ),
            Node(
                shares.check_groups,
                ["params:land_cover", "params:report"],
                "class_groups",
                name="check_groups",
            ),
            Node(
                shares.compare_areas,
                ["predictions", "tile_catalog", "areas", "class_groups", "params:land_cover"],
                "area_shares",
                name="compare_areas",
            ),
            Node(error_maps.draw_error_maps, "mapped_tiles", "error_maps", name="draw_error_maps"),
            Node(
                assembly.add_map_metrics,
                ["tile_metrics", "change_figures", "area_shares"],
                "metrics",
                name="add_map_metrics",
            ),
        ],
        "reporting",
    )


def _create_common(metrics: str) -> Pipeline:
    return group(
        [
            Node(
                nodes.build_metrics,
                [
                    "training_summary",
                    "validation_summary",
                    "catalog_summary",
                    "quarantine_summary",
                    "split_check",
                    "trained_model",
                    "abstention",
                    "precision_summary",
                ],
                metrics,
                name="build_metrics",
            ),
            Node(
                certainty.evaluate_abstention,
                ["test_predictions", "params:mapping"],
                "abstention",
                name="evaluate_abstention",
            ),
            Node(
                assembly.TileFindings,
                [
                    "source_facts",
                    "run_facts",
                    "training_summary",
                    "validation_summary",
                    "catalog_summary",
                    "quarantine_summary",
                    "split_check",
                    "trained_model",
                    "gallery",
                    "abstention",
                    "explained_errors",
                    "precision_summary",
                ],
                "findings",
                name="gather_findings",
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
                "gallery",
                name="take_pictures",
            ),
        ],
        "reporting",
    )
