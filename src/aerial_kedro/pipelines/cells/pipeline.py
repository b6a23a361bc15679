"""Wiring of cells: training, scoring and reporting each have a part."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.pipelines.cells import reporting, sampling, scoring, training
from aerial_kedro.pipelines.grouping import group, node_of
from aerial_kedro.pipelines.scoring.applicability import summarise_cells
from aerial_kedro.pipelines.training.applicability import find_cell_applicability

_SAMPLED = ["tile_features", "tile_catalog", "feature_source"]
_FITTED = ["fitted_cell_regression", "fitted_cell_forest"]
_CALIBRATED = ["calibrated_cell_regression", "calibrated_cell_forest"]


def create_training(classes: str) -> Pipeline:
    """Cells with labels in; their classifier, and what was found out, out.

    Parameters
    ----------
    classes
        Dataset of the class table.
    """
    rules = ["params:cells.drawn", classes, "params:seed"]
    own = ["cell_sample", "cell_classes", "feature_source"]
    nodes: list[Node | Pipeline] = [
        node_of(sampling.plan_draw, ["tile_catalog", *rules], "cell_quotas"),
        *learn_cells(classes),
        node_of(
            training.choose_penalty,
            ["cell_sample", "params:cells.classifiers", "params:seed"],
            "cell_regression",
        ),
        node_of(
            training.fit_cell_statistics,
            [*own, "params:image_statistics", "params:seed"],
            "fitted_cell_statistics",
        ),
        *(
            Node(
                training.calibrate_cells,
                [fitted, "cell_sample", "params:seed"],
                calibrated,
                name=calibrated,
            )
            for fitted, calibrated in zip(_FITTED, _CALIBRATED, strict=True)
        ),
        node_of(
            training.choose_cell_model,
            [*_CALIBRATED, "tile_catalog", "trained_model", "params:seed"],
            ["chosen_cell_model", "cell_choice"],
        ),
        find_where_cells_hold(),
        node_of(
            training.evaluate_cells_on_test,
            [*_CALIBRATED, "fitted_cell_statistics", "cell_sample", "cell_choice", "params:seed"],
            "cell_summary",
        ),
    ]
    return group([group(nodes, "cells")], "training")


def learn_cells(classes: str) -> list[Node]:
    """Wire what every training of cells has: a row a drawn cell, and the fits.

    Parameters
    ----------
    classes
        Dataset of the class table.
    """
    own = ["cell_sample", "cell_classes", "feature_source"]
    rules = ["params:cells.drawn", classes, "params:seed"]
    return [
        node_of(sampling.measure_inputs, [*_SAMPLED, "params:seed"], "cell_inputs"),
        node_of(
            sampling.sample_cells,
            [*_SAMPLED, "cell_inputs", "cell_quotas", *rules],
            "cell_sample",
        ),
        node_of(training.list_cell_classes, ["cell_sample", classes], "cell_classes"),
        node_of(
            training.fit_cell_regression,
            [*own, "cell_inputs", "cell_regression", "params:classifier", "params:seed"],
            _FITTED[0],
        ),
        node_of(
            training.fit_cell_forest,
            [*own, "cell_inputs", "params:cells.classifiers", "params:classifier", "params:seed"],
            _FITTED[1],
        ),
    ]


def find_where_cells_hold() -> Node:
    """Find where the chosen classifier of cells holds: the model that is stored."""
    return node_of(
        find_cell_applicability,
        [
            "chosen_cell_model",
            *_CALIBRATED,
            "cell_choice",
            "cell_sample",
            "tile_catalog",
            "params:seed",
        ],
        "cell_model",
    )


def create_scoring(classes: str) -> Pipeline:
    """Features of cells and their classifier in; the class of every cell, and the maps, out.

    Parameters
    ----------
    classes
        Dataset of the class table.
    """
    located = node_of(scoring.locate_tiles, ["mapped", "cell_map"], "mapped_tiles")
    return create_maps(classes) + group([located], "scoring")


def create_maps(classes: str) -> Pipeline:
    """Wire what every map of cells has: the class of each, and the maps.

    Parameters
    ----------
    classes
        Dataset of the class table.
    """
    return group(
        [
            node_of(
                scoring.score_cells,
                ["tile_catalog", "tile_features", "cell_model", "feature_source"],
                "cell_predictions",
            ),
            node_of(summarise_cells, "cell_predictions", "applicability_summary"),
            node_of(
                scoring.collect_cells,
                ["cell_predictions", classes, "cell_model"],
                "cell_map",
            ),
            node_of(
                scoring.draw_cell_maps,
                ["cell_map", classes, "cell_model", "params:mapping"],
                "maps",
            ),
        ],
        "scoring",
    )


def create_evaluation(classes: str) -> Pipeline:
    """Both maps in; how much of the ground they have right out.

    Parameters
    ----------
    classes
        Dataset of the class table.
    """
    return group(
        [
            node_of(
                reporting.evaluate_cell_map,
                [
                    "cell_predictions",
                    "predictions",
                    "cell_model",
                    "reference_maps",
                    classes,
                    "params:mapping",
                    "params:seed",
                ],
                ["cell_map_summary", "cell_errors"],
            )
        ],
        "reporting",
    )
