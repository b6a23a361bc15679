"""A grid of backbones, classifiers and settings, compared on one tile catalog."""

from aerial_kedro.pipelines.compare_models.pipeline import create_pipeline

__all__ = ["create_pipeline"]
