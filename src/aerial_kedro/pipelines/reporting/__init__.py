"""From predictions to metrics and a report."""

from aerial_kedro.pipelines.reporting.pipeline import create_pipeline

__all__ = ["create_pipeline"]
