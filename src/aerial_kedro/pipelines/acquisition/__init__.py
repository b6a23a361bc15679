"""From a search of a STAC API to a list of scenes."""

from aerial_kedro.pipelines.acquisition.pipeline import create_pipeline

__all__ = ["create_pipeline"]
