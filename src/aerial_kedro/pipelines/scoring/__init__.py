"""From features and a model to predictions, maps and tables."""

from aerial_kedro.pipelines.scoring.pipeline import (
    create_map_pipeline,
    create_pipeline,
    create_prediction_pipeline,
)

__all__ = ["create_map_pipeline", "create_pipeline", "create_prediction_pipeline"]
