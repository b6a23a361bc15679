"""Draws the embedded sample: scenes, land cover and truth of a made-up county."""

from aerial_kedro.pipelines.sample_data.pipeline import create_pipeline

__all__ = ["create_pipeline"]
