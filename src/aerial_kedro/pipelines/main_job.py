"""The main job, from scenes and labels to map and report, and the scoring of scenes."""

from typing import Literal

from kedro.pipeline import Pipeline

from aerial_kedro.pipelines import (
    data_ingestion,
    featurization,
    own_labels,
    reporting,
    score_folder,
    scoring,
    training,
)
from aerial_kedro.pipelines.cells import pipeline as cells
from aerial_kedro.pipelines.change.pipeline import create_cell_comparison

LabelSource = Literal["land_cover", "own", "both"]
"""Where labels come from: a land cover, a file of one's own, or both, of which the file counts."""


def create_scene_pipelines(
    grain: str = "cell", labels: LabelSource = "land_cover"
) -> dict[str, Pipeline]:
    """Wire what is made of scenes.

    Parameters
    ----------
    grain
        The run parameter: with ``tile``, nothing of cells is computed.
    labels
        Where labels come from: ``land_cover``, ``own`` or ``both``.

    Returns
    -------
    dict
        The main job as ``__default__``, its parts by name, and ``score_scenes``.
    """
    parts = own_labels.create_parts() if labels == "own" else _create_parts(grain, labels)
    scenes = score_folder.create_scene_pipeline(grain)
    scenes += score_folder.create_cell_scoring() if grain == "cell" else scoring.create_tile_maps()
    return {"__default__": sum(parts.values(), Pipeline([])), **parts, "score_scenes": scenes}


def _create_parts(grain: str, labels: LabelSource) -> dict[str, Pipeline]:
    """Wire the parts of the main job on land cover, perhaps with labels of one's own beside it."""
    with_labels = labels == "both"
    classes = own_labels.CLASSES if with_labels else "params:land_cover"
    ingestion = (
        data_ingestion.create_pipeline(classes, labelled="taught_tiles")
        + own_labels.create_teaching()
        if with_labels
        else data_ingestion.create_pipeline(classes)
    )
    parts = {
        "data_ingestion": ingestion,
        "featurization": featurization.create_pipeline(),
        "training": training.create_pipeline(),
        "scoring": scoring.create_pipeline(),
        "reporting": reporting.create_pipeline(grain, classes, with_labels=with_labels),
    }
    if grain == "cell":
        parts["training"] += cells.create_training(classes)
        parts["scoring"] += cells.create_scoring(classes) + create_cell_comparison(classes)
    else:
        parts["scoring"] += scoring.create_tile_maps()
    return parts
