"""What is made of scenes, by name, and wired when something looks into it."""

from collections.abc import Mapping
from functools import cache, partial

from kedro.pipeline import Pipeline

from aerial_kedro.framework.lazy_pipeline import LazyPipeline
from aerial_kedro.labels.rules import LabelSource

_NAMES = (
    "__default__", "data_ingestion", "featurization", "training", "scoring", "reporting",
    "score_scenes", "suggest_labels",
)  # fmt: skip


def scene_pipelines(grain: str, labels: LabelSource) -> dict[str, Pipeline]:
    """Register what `create_scene_pipelines` makes, all of it when the first is looked into.

    Parameters
    ----------
    grain, labels
        As there.
    """

    @cache
    def create() -> Mapping[str, Pipeline]:
        # All nodes of the main job, and what they import.
        from aerial_kedro.pipelines.main_job import create_scene_pipelines  # noqa: PLC0415

        return create_scene_pipelines(grain, labels)

    def pick(name: str) -> Pipeline:
        return create()[name]

    return {name: LazyPipeline(partial(pick, name)) for name in _NAMES}
