"""The pipelines by name."""

from kedro.pipeline import Pipeline

from aerial_kedro.examples.county import pipeline as county
from aerial_kedro.examples.digits import pipeline as digits
from aerial_kedro.pipelines import (
    acquisition,
    assess,
    explain,
    export_embeddings,
    from_folders,
    reference_sample,
    score_folder,
    serving,
)
from aerial_kedro.pipelines.main_job import create_scene_pipelines
from aerial_kedro.synapseml import pipeline as synapseml


def register_pipelines() -> dict[str, Pipeline]:
    """Name every pipeline that `kedro run --pipeline` takes.

    Written out, not found: Kedro's finder imports the one folder that is asked for, and a
    pipeline made of several would come out empty.
    """
    return {
        **create_scene_pipelines(),
        "acquisition": acquisition.create_pipeline(),
        "sample_data": county.create_pipeline(),
        "digits": digits.create_pipeline(),
        "digits_download": digits.create_download_pipeline(),
        "from_folders": from_folders.create_pipeline(),
        "folder_ingestion": from_folders.create_ingestion(),
        "score_cells": score_folder.create_cells_pipeline(),
        "score_folder": score_folder.create_pipeline(),
        "explain": explain.create_pipeline(),
        "export_embeddings": export_embeddings.create_pipeline(),
        "reference_sample": reference_sample.create_pipeline(),
        "assess": assess.create_pipeline(),
        "serving": serving.create_pipeline(),
        "training_synapseml": synapseml.create_pipeline(),
        # Its grid is a parameter: ProjectContext wires it as soon as the parameters are known.
        "compare_models": Pipeline([]),
    }
