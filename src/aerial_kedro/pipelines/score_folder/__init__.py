"""From tiles or scenes without labels and a stored model to predictions and, with places, maps."""

from aerial_kedro.pipelines.score_folder.pipeline import (
    create_cell_scoring,
    create_cells_pipeline,
    create_pipeline,
    create_scene_pipeline,
)

__all__ = [
    "create_cell_scoring",
    "create_cells_pipeline",
    "create_pipeline",
    "create_scene_pipeline",
]
