"""The labelling page: cells that people are asked to label."""

from aerial_kedro.pipelines.suggest_labels.pipeline import create_pipeline

__all__ = ["create_pipeline"]
