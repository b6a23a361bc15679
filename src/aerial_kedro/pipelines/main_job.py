"""The main job, from scenes and land cover to map and report, and the scoring of scenes."""

from kedro.pipeline import Pipeline

from aerial_kedro.pipelines import (
    data_ingestion,
    featurization,
    reporting,
    score_folder,
    scoring,
    training,
)
from aerial_kedro.pipelines.cells import pipeline as cells


def create_scene_pipelines(grain: str = "cell") -> dict[str, Pipeline]:
    """Wire what is made of scenes.

    Parameters
    ----------
    grain
        The run parameter: with ``tile``, nothing of cells is computed.

    Returns
    -------
    dict
        The main job as ``__default__``, its parts by name, and ``score_scenes``.
    """
    parts = {
        "data_ingestion": data_ingestion.create_pipeline(),
        "featurization": featurization.create_pipeline(),
        "training": training.create_pipeline(),
        "scoring": scoring.create_pipeline(),
        "reporting": reporting.create_pipeline(grain),
    }
    scenes = score_folder.create_scene_pipeline()
    if grain == "cell":
        parts["training"] += cells.create_training()
        parts["scoring"] += cells.create_scoring()
        scenes += score_folder.create_cell_scoring()
    else:
        parts["scoring"] += scoring.create_tile_maps()
        scenes += scoring.create_tile_maps()
    return {"__default__": sum(parts.values(), Pipeline([])), **parts, "score_scenes": scenes}
