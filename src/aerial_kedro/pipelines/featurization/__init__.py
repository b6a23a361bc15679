"""From tiles to features: the backbone's export, then Spark."""

from aerial_kedro.pipelines.featurization.pipeline import create_feature_pipeline, create_pipeline

__all__ = ["create_feature_pipeline", "create_pipeline"]
