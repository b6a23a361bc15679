"""From scenes and land cover to the tile catalog: places, labels, splits."""

from aerial_kedro.pipelines.data_ingestion.pipeline import create_pipeline

__all__ = ["create_pipeline"]
