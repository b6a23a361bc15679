"""From a map to a probability sample of its cells, for people to say what they are."""

from aerial_kedro.pipelines.reference_sample.pipeline import create_pipeline

__all__ = ["create_pipeline"]
