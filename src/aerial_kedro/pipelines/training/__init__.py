"""From features to classifiers: fitted, chosen on validation, tested once."""

from aerial_kedro.pipelines.training.pipeline import create_pipeline

__all__ = ["create_pipeline"]
