"""From class folders to the tile catalog; the rest is the main job."""

from aerial_kedro.pipelines.from_folders.pipeline import create_ingestion, create_pipeline

__all__ = ["create_ingestion", "create_pipeline"]
