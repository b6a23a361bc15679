"""From stored features to rasters of embeddings that other tools read."""

from aerial_kedro.pipelines.export_embeddings.pipeline import create_pipeline

__all__ = ["create_pipeline"]
