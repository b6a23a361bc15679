"""Wiring of the comparison: the main job's steps, once for each backbone of the grid."""

from kedro.pipeline import Node, Pipeline, pipeline

from aerial_kedro.models.grid import Combination, Grid
from aerial_kedro.pipelines import featurization
from aerial_kedro.pipelines.compare_models import nodes
from aerial_kedro.pipelines.grouping import group
from aerial_kedro.pipelines.training import history
from aerial_kedro.pipelines.training.pipeline import create_fit, create_selection_pipeline

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
    spaces = {name: f"{_NAME}.{name}" for name in grid.backbones}
    parts = [_backbone(space, combinations) for space in spaces.values()]
    models = {
        f"{space}.{each.classifier}.{each.setting}": space
        for space in spaces.values()
        for each in combinations
    }
    return sum(parts, Pipeline([])) + Pipeline(
        [*_choose(models), *_test(models), *_report(), *_record()], tags=[_NAME]
    )


def _backbone(space: str, combinations: list[Combination]) -> Pipeline:
    """Featurize once, and train everything on these features."""
    measured = Node(
        nodes.measure_backbone,
        ["feature_source", "params:seed"],
        "tile_milliseconds",
        name="measure_backbone",
    )
    parts = [
        featurization.create_pipeline(),
        group([measured], "featurization"),
        create_selection_pipeline(),
        *(_combination(each) for each in combinations),
    ]
    return Pipeline(_within(sum(parts, Pipeline([])), space, _OF_ALL), tags=[_NAME])


def _combination(found: Combination) -> Pipeline:
    """Train one model, under the names of its classifier and of its setting."""
    validated = Node(
        nodes.validate,
        [f"fitted_{found.classifier}", "labelled_features", "model_name", "params:seed"],
        "candidate",
        name="validate",
    )
    own = {f"params:{found.classifier}": f"params:{_NAME}.{found.classifier}.{found.setting}"}
    trained = create_fit(found.classifier) + Pipeline([validated])
    return _within(trained, f"{found.classifier}.{found.setting}", _OF_BACKBONE, own)


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
        Node(
            nodes.rank,
            ["choice", *(f"{model}.compared" for model in models)],
            "ranking",
            name="rank",
            namespace=_NAME,
        ),
    ]


def _test(models: dict[str, str]) -> list[Node]:
    """Evaluate everything once on the test split, after the choice."""
    return [
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
            name=f"evaluate_{_short(model)}",
            namespace=f"{_NAME}.final_test",
        )
        for model, backbone in models.items()
    ]


def _report() -> list[Node]:
    return [
        Node(nodes.tabulate, "ranking", "comparison", name="tabulate", namespace=_NAME),
        Node(
            nodes.draw_page,
            ["run_facts", "ranking", "catalog_fingerprint"],
            "comparison_page",
            name="draw_page",
            namespace=_NAME,
        ),
    ]


def _record() -> list[Node]:
    """Write the run's history."""
    return [
        Node(
            history.fingerprint_catalog,
            "tile_catalog",
            "catalog_fingerprint",
            name="fingerprint_catalog",
            namespace=_NAME,
        ),
        Node(
            nodes.record_run,
            ["ranking", "choice", "catalog_fingerprint"],
            "run_record",
            name="record_run",
            namespace=_NAME,
        ),
        Node(
            history.register_model,
            ["best_model", "params:registry", "catalog_fingerprint"],
            "registered_model",
            name="register_model",
            namespace=_NAME,
        ),
    ]


def _short(model: str) -> str:
    return model.removeprefix(f"{_NAME}.").replace(".", "_")


def _within(
    part: Pipeline, name: str, shared: set[str], parameters: dict[str, str] | None = None
) -> Pipeline:
    """Put a part into a namespace; what is shared, and most parameters, keep their names."""
    kept = {each: each for each in part.inputs() if each.startswith("params:")}
    return pipeline(
        part,
        namespace=name,
        inputs={each: each for each in part.inputs() & shared},
        parameters={**kept, **(parameters or {})},
    )
