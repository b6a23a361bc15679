"""From features to classifiers: fitted, chosen out of fold, tested once."""

from aerial_kedro.pipelines.training.pipeline import create_pipeline

__all__ = ["create_pipeline"]
