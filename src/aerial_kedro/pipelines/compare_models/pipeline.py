"""Wiring of the comparison: the main job's steps, once for each backbone of the grid."""

from kedro.pipeline import Node, Pipeline, pipeline

from aerial_kedro.features.engine_timing import measure_engine
from aerial_kedro.models.settings import Grid
from aerial_kedro.pipelines import featurization
from aerial_kedro.pipelines.compare_models import nodes
from aerial_kedro.pipelines.grouping import group, node_of
from aerial_kedro.pipelines.training.pipeline import (
    create_fit,
    create_registration,
    create_selection,
)

_NAME = "compare_models"
# What the backbones have in common, and what the classifiers on one backbone's features have.
_OF_ALL = {"tile_catalog", "features_done"}
_OF_BACKBONE = {"labelled_features", "classes", "feature_source"}


def create_pipeline(grid: Grid, classifier: str = "both", **_: object) -> Pipeline:
    """Tile catalog in; every model of the grid evaluated, the best one registered.

    Parameters
    ----------
    grid
        The grid. The nodes of a pipeline are fixed before it runs, so it is needed here.
    classifier
        The run parameter: one classifier of the grid, or ``both``.
    """
    combinations = grid.combinations(classifier)
    spaces = [f"{_NAME}.{name}" for name in grid.backbones]
    models = {
        f"{space}.{classifier}.{setting}": space
        for space in spaces
        for classifier, setting in combinations
    }
    parts = [_backbone(space, combinations) for space in spaces]
    compared = Pipeline([*_choose(models), *_test(models)], tags=[_NAME])
    return sum([*parts, compared, group([*_report()], _NAME)], Pipeline([]))


def _backbone(space: str, combinations: list[tuple[str, str]]) -> Pipeline:
    """Featurize once, and train everything on these features."""
    # The time of featurization would not do: features that are there are not computed again.
    inputs = ["feature_source", "params:seed"]
    measured = Node(measure_engine, inputs, "tile_milliseconds", name="measure_backbone")
    parts: list[Node | Pipeline] = [
        featurization.create_pipeline(),
        group([measured], "featurization"),
        *create_selection(),
        *(_combination(*each) for each in combinations),
    ]
    return Pipeline(_within(parts, space, _OF_ALL), tags=[_NAME])


def _combination(classifier: str, setting: str) -> Pipeline:
    """Train one model, under the names of its classifier and of its setting."""
    validated = node_of(
        nodes.validate,
        [f"fitted_{classifier}", "labelled_features", "model_name", "params:seed"],
        "candidate",
    )
    own = {f"params:{classifier}": f"params:{_NAME}.{classifier}.{setting}"}
    return _within(
        [create_fit(classifier), validated], f"{classifier}.{setting}", _OF_BACKBONE, own
    )


def _choose(models: dict[str, str]) -> list[Node]:
    candidates = [f"{model}.candidate" for model in models]
    tables = [f"{backbone}.labelled_features" for backbone in models.values()]
    return [
        Node(
            nodes.choose_on_validation,
            candidates,
            "choice",
            name="choose_model",
            namespace=_NAME,
        ),
        Node(
            nodes.calibrate_best,
            ["choice", "tile_catalog", "params:seed", *candidates, *tables],
            "best_model",
            name="calibrate_best",
            namespace=_NAME,
        ),
    ]


def _test(models: dict[str, str]) -> list[Node]:
    """Evaluate everything once on the test split, after the choice."""
    evaluated = [
        Node(
            nodes.evaluate,
            [
                f"{model}.candidate",
                f"{backbone}.labelled_features",
                "choice",
                f"{backbone}.feature_source",
                f"{backbone}.tile_milliseconds",
                "params:seed",
            ],
            f"{model}.compared",
            name="evaluate_" + model.removeprefix(f"{_NAME}.").replace(".", "_"),
            namespace=f"{_NAME}.final_test",
        )
        for model, backbone in models.items()
    ]
    compared = [f"{model}.compared" for model in models]
    ranked = Node(nodes.rank, ["choice", *compared], "ranking", name="rank", namespace=_NAME)
    return [*evaluated, ranked]


def _report() -> list[Node]:
    """Write the table, the page and the run's history, and register the best model."""
    return [
        node_of(nodes.tabulate, "ranking", "comparison"),
        node_of(
            nodes.draw_page, ["run_facts", "ranking", "catalog_fingerprint"], "comparison_page"
        ),
        node_of(nodes.record_run, ["ranking", "choice", "catalog_fingerprint"], "run_record"),
        *create_registration("best_model"),
    ]


def _within(
    parts: list[Node | Pipeline],
    name: str,
    shared: set[str],
    parameters: dict[str, str] | None = None,
) -> Pipeline:
    """Put parts into a namespace; what is shared, and most parameters, keep their names."""
    inputs = Pipeline(parts).inputs()
    kept = {each: each for each in inputs if each.startswith("params:")}
    return pipeline(
        parts,
        namespace=name,
        inputs=inputs & shared,
        parameters={**kept, **(parameters or {})},
    )
