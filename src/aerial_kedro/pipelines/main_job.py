"""The main job, from scenes and labels to map and report, and the scoring of scenes."""

from kedro.pipeline import Pipeline, pipeline

from aerial_kedro.labels.rules import LabelSource
from aerial_kedro.pipelines import (
    data_ingestion,
    featurization,
    own_labels,
    reporting,
    score_folder,
    scoring,
    suggest_labels,
    training,
)
from aerial_kedro.pipelines.cells import pipeline as cells
from aerial_kedro.pipelines.change.pipeline import create_cell_comparison

_LAND_COVER_CLASSES = "params:land_cover"


def create_scene_pipelines(
    grain: str = "cell", labels: LabelSource = "land_cover"
) -> dict[str, Pipeline]:
    """Wire what is made of scenes.

    Parameters
    ----------
    grain
        The run parameter: with ``tile``, nothing of cells is computed.
    labels
        Where labels come from.

    Returns
    -------
    dict
        The main job as ``__default__``, its parts by name, ``score_scenes`` and ``suggest_labels``.
    """
    own = labels == "own"
    parts = own_labels.create_parts() if own else _create_parts(grain, with_labels=labels == "both")
    scenes = score_folder.create_scene_pipeline(grain)
    scenes += score_folder.create_cell_scoring() if grain == "cell" else scoring.create_tile_maps()
    known = labels in {"own", "both"}
    suggest = suggest_labels.create_pipeline(
        own_labels.CLASSES if known else _LAND_COVER_CLASSES, with_labels=known
    )
    suggested = parts["featurization"] + suggest
    if labels == "none":
        # Beside the catalog of a map that may be there: it would lose what taught it.
        suggested = own_labels.create_unlabelled_ingestion() + pipeline(
            suggested, inputs={"tile_catalog": "score_catalog"}
        )
    else:
        suggested = parts["data_ingestion"] + suggested
    return {
        "__default__": sum(parts.values(), Pipeline([])),
        **parts,
        "score_scenes": scenes,
        "suggest_labels": suggested,
    }


def _create_parts(grain: str, *, with_labels: bool) -> dict[str, Pipeline]:
    """Wire the parts of the main job on land cover, perhaps with labels of one's own beside it."""
    classes = own_labels.CLASSES if with_labels else _LAND_COVER_CLASSES
    ingestion = data_ingestion.create_pipeline(classes)
    if with_labels:
        ingestion = data_ingestion.create_pipeline(classes, labelled="taught_tiles")
        ingestion += own_labels.create_teaching()
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
