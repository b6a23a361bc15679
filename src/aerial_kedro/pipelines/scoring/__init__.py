"""From features and a model to predictions, maps and tables."""

from aerial_kedro.pipelines.scoring.pipeline import create_pipeline, create_tile_maps

__all__ = ["create_pipeline", "create_tile_maps"]
