"""From the answers to a reference sample to the accuracy of the map."""

from aerial_kedro.pipelines.assess.pipeline import create_pipeline

__all__ = ["create_pipeline"]
