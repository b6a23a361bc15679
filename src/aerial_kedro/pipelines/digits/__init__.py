"""The digits tutorial: data, a regression, a better model and a page about both."""

from aerial_kedro.pipelines.digits.pipeline import create_download_pipeline, create_pipeline

__all__ = ["create_download_pipeline", "create_pipeline"]
