"""The pipelines by name."""

import importlib
from functools import partial

from kedro.pipeline import Pipeline

from aerial_kedro.framework.lazy_pipeline import LazyPipeline
from aerial_kedro.framework.scene_pipelines import scene_pipelines

_PIPELINES = "aerial_kedro.pipelines"
_DIGITS = "aerial_kedro.examples.digits.pipeline"
# Name to the module that wires the pipeline, and its function there.
_WIRED = {
    "acquisition": (f"{_PIPELINES}.acquisition", "create_pipeline"),
    "sample_data": ("aerial_kedro.examples.county.pipeline", "create_pipeline"),
    "digits": (_DIGITS, "create_pipeline"),
    "digits_download": (_DIGITS, "create_download_pipeline"),
    "from_folders": (f"{_PIPELINES}.from_folders", "create_pipeline"),
    "folder_ingestion": (f"{_PIPELINES}.from_folders", "create_ingestion"),
    "score_cells": (f"{_PIPELINES}.score_folder", "create_cells_pipeline"),
    "score_folder": (f"{_PIPELINES}.score_folder", "create_pipeline"),
    "explain": (f"{_PIPELINES}.explain", "create_pipeline"),
    "export_embeddings": (f"{_PIPELINES}.export_embeddings", "create_pipeline"),
    "reference_sample": (f"{_PIPELINES}.reference_sample", "create_pipeline"),
    "assess": (f"{_PIPELINES}.assess", "create_pipeline"),
    "serving": (f"{_PIPELINES}.serving", "create_pipeline"),
    "training_synapseml": ("aerial_kedro.synapseml.pipeline", "create_pipeline"),
}


def register_pipelines() -> dict[str, Pipeline]:
    """Name every pipeline that `kedro run --pipeline` takes; what they import waits until one runs.

    Written out, not found: Kedro's finder imports the one folder that is asked for, and a
    pipeline made of several would come out empty.
    """
    return {
        **scene_pipelines("cell", "land_cover"),
        **{name: LazyPipeline(partial(_create, *wired)) for name, wired in _WIRED.items()},
        # Its grid is a parameter: ProjectContext wires it as soon as the parameters are known.
        "compare_models": Pipeline([]),
    }


def _create(module: str, function: str) -> Pipeline:
    created: Pipeline = getattr(importlib.import_module(module), function)()
    return created
