"""Change of land cover between the years."""

from aerial_kedro.pipelines.change.pipeline import create_comparison, create_evaluation

__all__ = ["create_comparison", "create_evaluation"]
