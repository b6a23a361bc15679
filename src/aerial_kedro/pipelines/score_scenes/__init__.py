"""From scenes without land cover and a stored model to maps and change."""

from aerial_kedro.pipelines.score_scenes.pipeline import create_pipeline

__all__ = ["create_pipeline"]
