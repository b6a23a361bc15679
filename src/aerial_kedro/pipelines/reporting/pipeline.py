"""Wiring of reporting."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.pipelines.grouping import group
from aerial_kedro.pipelines.reporting import areas, assembly, change, nodes

_COMMON = [
    "source_facts",
    "run_facts",
    "training_summary",
    "validation_summary",
    "catalog_summary",
    "quarantine_summary",
    "split_check",
    "backbone",
    "trained_model",
    "gallery",
]


def create_pipeline(**_: object) -> Pipeline:
    """Report on scenes, with maps."""
    return _create_common() + group(
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
                areas.judge_mixed_tiles,
                ["predictions", "tile_catalog", "trained_model", "params:seed"],
                "subsets",
                name="judge_mixed_tiles",
            ),
            Node(
                change.show_change,
                ["change", "tile_catalog", "params:land_cover", "params:report"],
                "shown_change",
                name="show_change",
            ),
            Node(
                assembly.write_map_report,
                [*_COMMON, "map_images", "areas", "subsets", "shown_change"],
                "report",
                name="write_map_report",
            ),
        ],
        "reporting",
    )


def create_folder_pipeline(**_: object) -> Pipeline:
    """Report on a folder of tiles, which has no map."""
    return _create_common() + group(
        [
            Node(
                nodes.describe_folders,
                "params:folders_root",
                "source_facts",
                name="describe_folders",
            ),
            Node(assembly.write_report, _COMMON, "report", name="write_report"),
        ],
        "reporting",
    )


def _create_common() -> Pipeline:
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
                ],
                "metrics",
                name="build_metrics",
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
