"""Wiring of the main job from labels of one's own."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.pipelines import featurization
from aerial_kedro.pipelines.cells import pipeline as cells
from aerial_kedro.pipelines.cells import sampling, scoring
from aerial_kedro.pipelines.change.cells import tabulate_shares
from aerial_kedro.pipelines.change.pipeline import create_patches, picture_patches
from aerial_kedro.pipelines.data_ingestion.nodes import lay_tiles, summarise_catalog
from aerial_kedro.pipelines.grouping import group, node_of
from aerial_kedro.pipelines.own_labels import ingestion, reporting, training
from aerial_kedro.pipelines.reporting.cell_nodes import count_unsure_cells, picture_ground
from aerial_kedro.pipelines.reporting.nodes import draw_map_images

CLASSES = "class_table"
"""Dataset of the class table that labels of one's own name or add to."""

_PLACED_BY = ["label_layer", CLASSES, "params:cells.drawn", "known_design"]
_PLACED = ["placed_labels", "label_summary"]
_SETTINGS = ["params:own_labels", "params:seed"]


def create_parts() -> dict[str, Pipeline]:
    """Wire the parts of the main job, by name."""
    return {
        "data_ingestion": create_ingestion(),
        "featurization": featurization.create_pipeline(),
        "training": create_training(),
        "scoring": create_scoring(CLASSES),
        "reporting": create_reporting(),
    }


def create_ingestion() -> Pipeline:
    """Scenes and labels in, the tile catalog out."""
    return group(
        [
            _read(),
            node_of(ingestion.choose_classes, ["label_layer", "params:labels"], CLASSES),
            _lay(),
            node_of(ingestion.place_labels, ["laid_tiles", *_PLACED_BY], _PLACED),
            node_of(
                ingestion.catalog_labels,
                ["laid_tiles", "placed_labels", "params:split"],
                "tile_catalog",
            ),
            _summarise(),
        ],
        "data_ingestion",
    )


def create_unlabelled_ingestion() -> Pipeline:
    """Scenes in, the catalog of their tiles, of which nothing is known yet, out."""
    return group(
        [
            _lay(),
            node_of(
                ingestion.catalog_without_labels, ["laid_tiles", "params:split"], "score_catalog"
            ),
        ],
        "data_ingestion",
    )


def _lay() -> Node:
    return node_of(
        lay_tiles,
        ["scenes", "params:tile_size_m", "params:sample_fraction", "params:seed"],
        "laid_tiles",
    )


def _summarise() -> Node:
    return node_of(
        summarise_catalog, ["tile_catalog", "params:max_nodata_fraction"], "catalog_summary"
    )


def create_teaching() -> Pipeline:
    """Tiles labelled by a land cover in; the same, with labels of one's own in its place, out."""
    return group(
        [
            _read(),
            node_of(
                ingestion.add_classes,
                ["label_layer", "params:labels", "params:land_cover"],
                CLASSES,
            ),
            node_of(
                ingestion.place_labels_beside,
                ["labelled_tiles", *_PLACED_BY, "params:land_cover"],
                _PLACED,
            ),
            node_of(ingestion.teach_cells, ["labelled_tiles", "placed_labels"], "taught_tiles"),
        ],
        "data_ingestion",
    )


def _read() -> Node:
    return node_of(
        ingestion.read_label_file, ["label_table", "params:labels", "known_design"], "label_layer"
    )


def create_training() -> Pipeline:
    """Features and labelled cells in; the classifier of cells, and how good it is, out."""
    nodes: list[Node | Pipeline] = [
        node_of(
            sampling.plan_draw,
            ["tile_catalog", "params:cells.drawn", CLASSES, "params:seed"],
            "drawn_quotas",
        ),
        node_of(training.weigh_alike, "drawn_quotas", "cell_quotas"),
        *cells.learn_cells(CLASSES),
        node_of(
            training.gather_labels,
            ["cell_sample", "tile_catalog", "placed_labels"],
            "label_sample",
        ),
        node_of(training.choose_label_penalty, ["label_sample", *_SETTINGS], "cell_regression"),
        node_of(
            training.leave_out_regression,
            ["fitted_cell_regression", "label_sample", *_SETTINGS],
            "calibrated_cell_regression",
        ),
        node_of(
            training.leave_out_forest,
            ["fitted_cell_forest", "label_sample", "cell_sample", *_SETTINGS],
            "calibrated_cell_forest",
        ),
        node_of(
            training.choose_label_model,
            [
                "calibrated_cell_regression",
                "calibrated_cell_forest",
                "tile_catalog",
                "params:seed",
            ],
            ["chosen_cell_model", "cell_choice"],
        ),
        cells.find_where_cells_hold(),
        node_of(
            training.evaluate_left_out,
            [
                "calibrated_cell_regression",
                "calibrated_cell_forest",
                "label_sample",
                "cell_choice",
                *_SETTINGS,
            ],
            "left_out_accuracy",
        ),
    ]
    return group([group(nodes, "cells")], "training")


def create_scoring(classes: str) -> Pipeline:
    """Take the classifier of cells in, and give maps, tables and change out.

    Parameters
    ----------
    classes
        Dataset of the class table.
    """
    tables = group(
        [
            node_of(scoring.locate_cells, "cell_map", "mapped_tiles"),
            node_of(
                scoring.tabulate_cells, ["cell_predictions", "tile_catalog"], "predictions_csv"
            ),
        ],
        "scoring",
    )
    shares = node_of(tabulate_shares, ["cell_change", "cell_transitions"], "change")
    return cells.create_maps(classes) + tables + create_patches(classes) + group([shares], "change")


def create_reporting() -> Pipeline:
    """Take what the others found in, and give figures and the page out."""
    found = {
        "catalog": "catalog_summary",
        "quarantine": "quarantine_summary",
        "labels": "label_summary",
        "accuracy": "left_out_accuracy",
        "areas": "areas",
        "change": "change_summary",
        "model": "cell_model",
        "precision": "precision_summary",
        "applicability": "applicability_summary",
    }
    page = {
        **found,
        "source": "source_facts",
        "run": "run_facts",
        "maps": "map_images",
        "imagery": "imagery",
        "unsure": "unsure_cells",
        "patch_candidates": "patch_candidates",
    }
    nodes: list[Node | Pipeline] = [
        node_of(
            reporting.describe_labelled_scenes,
            [
                "scenes",
                "params:scenes_root",
                "label_summary",
                "params:tile_size_m",
                "params:seed",
            ],
            "source_facts",
        ),
        node_of(draw_map_images, ["maps", CLASSES], "map_images"),
        node_of(
            picture_ground,
            ["cell_predictions", "tile_catalog", "tile_features", "feature_source", "map_images"],
            "imagery",
        ),
        node_of(count_unsure_cells, ["maps", CLASSES, "params:mapping"], "unsure_cells"),
        node_of(reporting.measure_mapped_areas, ["cell_predictions", CLASSES], "areas"),
        node_of(
            reporting.summarise_patches,
            ["cell_change", "change_patches", "cell_transitions", "params:cells.patches"],
            ["change_summary", "patch_truth"],
        ),
        picture_patches(),
        node_of(reporting.build_label_metrics, found, "metrics"),
        node_of(reporting.write_label_report, page, "report"),
    ]
    return group(nodes, "reporting")
