"""From a folder of unlabelled tiles and a trained model to predictions and, with places, a map."""

from aerial_kedro.pipelines.score_folder.pipeline import create_pipeline

__all__ = ["create_pipeline"]
