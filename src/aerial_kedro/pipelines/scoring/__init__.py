"""From features and a model to predictions, maps and tables."""

from aerial_kedro.pipelines.scoring.pipeline import create_pipeline

__all__ = ["create_pipeline"]
