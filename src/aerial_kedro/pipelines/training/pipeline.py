"""Wiring of training: one modular pipeline, instantiated for each classifier."""

from collections.abc import Callable

from kedro.pipeline import Node, Pipeline

from aerial_kedro.pipelines.grouping import group
from aerial_kedro.pipelines.training import history, nodes, selection, validation

_FITS: dict[str, Callable[..., nodes.Candidate]] = {
    "logistic_regression": nodes.fit_logistic_regression,
    "random_forest": nodes.fit_random_forest,
}
_LEARNED_FROM = ("labelled_features", "classes", "feature_source")


def create_pipeline(**_: object) -> Pipeline:
    """Features and labels in; the chosen model and what was found out."""
    parts = [
        create_selection_pipeline(),
        *(group(_create_calibrated(name), name) for name in _FITS),
        group(_fit_baseline(), nodes.BASELINE),
        _choose(),
        _test(),
        _validate(),
        _record(),
    ]
    return group(sum(parts, Pipeline([])), "training")


def create_selection_pipeline() -> Pipeline:
    """Join features with labels, and note what computed them."""
    return Pipeline(
        [
            Node(
                selection.select_labelled,
                ["tile_features", "tile_catalog", "feature_key", "quarantine_summary"],
                "labelled_features",
                name="select_labelled",
            ),
            Node(selection.list_classes, "labelled_features", "classes", name="list_classes"),
            Node(
                selection.record_source,
                ["backbone", "engine_choice", "feature_key"],
                "feature_source",
                name="record_source",
            ),
        ],
    )


def create_candidate_pipeline(name: str) -> Pipeline:
    """Fit and validate one classifier; its probabilities are not calibrated.

    Parameters
    ----------
    name
        ``logistic_regression`` or ``random_forest``.
    """
    return _create_fit(name) + _create_validation(f"fitted_{name}", name)


def _create_calibrated(name: str) -> Pipeline:
    """Fit, calibrate and validate one classifier."""
    calibration = Node(
        nodes.calibrate_candidate,
        [f"fitted_{name}", "labelled_features", "params:seed"],
        f"calibrated_{name}",
        name="calibrate",
    )
    return (
        _create_fit(name) + Pipeline([calibration]) + _create_validation(f"calibrated_{name}", name)
    )


def _create_fit(name: str) -> Pipeline:
    return Pipeline(
        [
            Node(
                _FITS[name],
                [*_LEARNED_FROM, f"params:{name}", "params:classifier", "params:seed"],
                f"fitted_{name}",
                name="fit",
            )
        ]
    )


def _create_validation(candidate: str, name: str) -> Pipeline:
    return Pipeline(
        [
            Node(
                nodes.validate_candidate,
                [candidate, "labelled_features", "params:seed"],
                f"validated_{name}",
                name="validate",
            )
        ]
    )


def _fit_baseline() -> Pipeline:
    """Fit the baseline; it is no candidate, so nothing of it is validated or calibrated."""
    return Pipeline(
        [
            Node(
                nodes.fit_image_statistics,
                [*_LEARNED_FROM, f"params:{nodes.BASELINE}", "params:seed"],
                f"fitted_{nodes.BASELINE}",
                name="fit",
            ),
        ],
    )


def _choose() -> Pipeline:
    return Pipeline(
        [
            Node(
                nodes.choose_model,
                ["validated_logistic_regression", "validated_random_forest"],
                ["chosen_model", "choice"],
                name="choose_model",
            ),
            Node(
                nodes.record_tile_size,
                ["chosen_model", "tile_catalog"],
                "trained_model",
                name="record_tile_size",
            ),
        ],
    )


def _test() -> Pipeline:
    """Judge everything once on the test split, after the choice."""
    judged = {name: f"validated_{name}" for name in _FITS} | {
        nodes.BASELINE: f"fitted_{nodes.BASELINE}"
    }
    judges = [
        Node(
            nodes.evaluate_on_test,
            [candidate, "labelled_features", "choice", "params:seed"],
            f"tested_{name}",
            name=f"evaluate_{name}",
        )
        for name, candidate in judged.items()
    ]
    majority = Node(
        nodes.evaluate_majority,
        ["labelled_features", "classes", "params:seed"],
        "tested_majority",
        name="evaluate_majority",
    )
    summary = Node(
        nodes.summarise_training,
        [*(f"tested_{name}" for name in judged), "tested_majority", "choice"],
        "training_summary",
        name="summarise_training",
    )
    return group([*judges, majority, summary], "final_test")


def _validate() -> Pipeline:
    """Judge the chosen classifier on other divisions of the same tiles."""
    common = ["chosen_settings", "params:split", "params:validation", "params:seed"]
    return group(
        [
            Node(
                validation.choose_settings,
                ["choice", "params:logistic_regression", "params:random_forest"],
                "chosen_settings",
                name="choose_settings",
            ),
            Node(
                validation.compare_random_split,
                ["labelled_features", *common],
                "random_split",
                name="compare_random_split",
            ),
            Node(
                validation.cross_validate_blocks,
                ["labelled_features", "tile_catalog", *common],
                "block_folds",
                name="cross_validate_blocks",
            ),
            Node(
                validation.leave_one_region_out,
                ["labelled_features", "tile_catalog", *common],
                "region_folds",
                name="leave_one_region_out",
            ),
            Node(
                validation.summarise_validation,
                ["random_split", "block_folds", "region_folds"],
                "validation_summary",
                name="summarise_validation",
            ),
        ],
        "validation",
    )


def _record() -> Pipeline:
    """Write the run's history."""
    return Pipeline(
        [
            Node(
                history.fingerprint_catalog,
                "tile_catalog",
                "catalog_fingerprint",
                name="fingerprint_catalog",
            ),
            Node(
                history.list_metrics,
                ["training_summary", "validation_summary"],
                "run_metrics",
                name="list_metrics",
            ),
            Node(
                history.list_facts,
                ["catalog_fingerprint", "split_check", "training_summary"],
                "run_tags",
                name="list_facts",
            ),
            Node(
                history.register_model,
                ["trained_model", "params:registry", "catalog_fingerprint"],
                "registered_model",
                name="register_model",
            ),
        ],
    )
