"""From a stored model and its backbone to a model that MLflow serves."""

from aerial_kedro.pipelines.serving.pipeline import create_pipeline

__all__ = ["create_pipeline"]
