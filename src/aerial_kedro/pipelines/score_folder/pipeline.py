"""Wiring of scoring without labels: the main job's nodes on a catalog of its own."""

from kedro.pipeline import Node, Pipeline, pipeline

from aerial_kedro.maps.drawing import polygons_of_tiles
from aerial_kedro.pipelines import featurization, own_labels
from aerial_kedro.pipelines.cells import pipeline as cells
from aerial_kedro.pipelines.change.pipeline import create_cell_comparison
from aerial_kedro.pipelines.data_ingestion.nodes import lay_tiles
from aerial_kedro.pipelines.grouping import group, node_of
from aerial_kedro.pipelines.score_folder import nodes
from aerial_kedro.pipelines.scoring.nodes import draw_maps
from aerial_kedro.pipelines.scoring.pipeline import (
    create_map_pipeline,
    create_prediction_pipeline,
    create_summary,
)
from aerial_kedro.tiles.folders import rows_of_files

_CLASSES = "params:land_cover"  # a model brings its own, where the table lacks them


def create_pipeline(**_: object) -> Pipeline:
    """Unlabelled tiles and a trained model in; predictions, table and map out."""
    inputs = ["unlabelled_tiles", "params:year"]
    ingestion = group(
        [Node(rows_of_files, inputs, "score_catalog", name="catalog_unlabelled")], "data_ingestion"
    )
    outputs = group(
        [
            node_of(nodes.map_scored, ["predictions", "params:mapping"], "mapped"),
            Node(
                draw_maps,
                ["mapped", _CLASSES, "model_card"],
                "maps",
                name="draw_scored_maps",
            ),
            Node(polygons_of_tiles, "mapped", "mapped_tiles", name="locate_tiles"),
            node_of(
                nodes.summarise_scores,
                ["predictions", "quarantine_summary", "model_card"],
                "score_summary",
            ),
        ],
        "scoring",
    )
    return ingestion + _create_predictions("tile") + create_summary() + outputs


def create_scene_pipeline(grain: str) -> Pipeline:
    """Scenes without land cover and a stored model in; predictions out.

    Maps and change come with `create_cell_scoring`, or with `scoring.create_tile_maps`.

    Parameters
    ----------
    grain
        The run parameter: with ``cell``, the classifier of cells is checked as well.
    """
    return _lay_scenes() + _create_predictions(grain) + create_map_pipeline()


def create_cell_scoring() -> Pipeline:
    """Classify the cells of the scenes' tiles, by the model's classifier of cells, and map them."""
    return create_cell_comparison(_CLASSES) + pipeline(
        cells.create_scoring(_CLASSES),
        inputs={"tile_catalog": "score_catalog", "feature_source": "checked_source"},
    )


def create_cells_pipeline() -> Pipeline:
    """Scenes and a stored model that knows cells alone in; maps, tables and change out."""
    checks = group(
        [
            node_of(
                nodes.take_cell_source,
                ["cell_model", "params:asked_features", "params:engine"],
                ["model_card", "model_source"],
            ),
            node_of(nodes.check_readable, ["model_source", "quarantine_summary"], "checked_source"),
        ],
        "featurization",
    )
    return (
        _lay_scenes()
        + checks
        + _create_features()
        + pipeline(
            own_labels.create_scoring(_CLASSES),
            inputs={"tile_catalog": "score_catalog", "feature_source": "checked_source"},
        )
    )


def _lay_scenes() -> Pipeline:
    return group(
        [
            node_of(
                lay_tiles,
                ["scenes", "params:tile_size_m", "params:sample_fraction", "params:seed"],
                "tiles",
            ),
            node_of(nodes.catalog_without_labels, "tiles", "score_catalog"),
        ],
        "data_ingestion",
    )


def _create_features() -> Pipeline:
    return pipeline(
        featurization.create_feature_pipeline(),
        inputs={"tile_catalog": "score_catalog", "feature_source": "model_source"},
    )


def _create_predictions(grain: str) -> Pipeline:
    """Featurize `score_catalog` as the model's features were, check that, and predict."""
    own = ["cell_model"] if grain == "cell" else []
    checks = group(
        [
            node_of(
                nodes.take_source_of_both if own else nodes.take_source,
                ["trained_model", *own, "params:asked_features", "params:engine"],
                ["model_card", "model_source"],
            ),
            node_of(nodes.check_readable, ["model_source", "quarantine_summary"], "checked_source"),
        ],
        "featurization",
    )
    predictions = pipeline(
        create_prediction_pipeline(),
        inputs={"tile_catalog": "score_catalog", "feature_source": "checked_source"},
    )
    return checks + _create_features() + predictions
