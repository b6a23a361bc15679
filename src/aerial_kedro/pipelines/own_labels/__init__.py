"""The main job from labels of one's own: points, polygons, clicked cells."""

from aerial_kedro.pipelines.own_labels.pipeline import (
    CLASSES,
    create_parts,
    create_scoring,
    create_teaching,
    create_unlabelled_ingestion,
)

__all__ = [
    "CLASSES",
    "create_parts",
    "create_scoring",
    "create_teaching",
    "create_unlabelled_ingestion",
]
