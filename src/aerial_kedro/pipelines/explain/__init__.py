"""Why tiles got their class: what in their picture spoke for it, and what they are like."""

from aerial_kedro.pipelines.explain.pipeline import create_pipeline

__all__ = ["create_pipeline"]
