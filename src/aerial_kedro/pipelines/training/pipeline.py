"""Wiring of training: one modular pipeline, instantiated for each classifier."""

from collections.abc import Callable

from kedro.pipeline import Node, Pipeline

from aerial_kedro.pipelines.grouping import group, node_of
from aerial_kedro.pipelines.training import applicability, history, nodes, selection, validation

_FITS: dict[str, Callable[..., nodes.Candidate]] = {
    "logistic_regression": nodes.fit_logistic_regression,
    "random_forest": nodes.fit_random_forest,
}
_LEARNED_FROM = ("labelled_features", "classes", "feature_source")


def create_pipeline(**_: object) -> Pipeline:
    """Features and labels in; the chosen model and what was found out."""
    baseline = Node(
        nodes.fit_image_statistics,
        [*_LEARNED_FROM, f"params:{nodes.BASELINE}", "params:seed"],
        f"fitted_{nodes.BASELINE}",
        name="fit",
    )
    parts: list[Node | Pipeline] = [
        *create_selection(),
        *(group([create_fit(name), _calibrate(name)], name) for name in _FITS),
        group([baseline], nodes.BASELINE),
        *_choose(),
        node_of(
            history.record_run,
            ["training_summary", "validation_summary", "catalog_fingerprint", "split_check"],
            "run_record",
        ),
        *create_registration("trained_model"),
    ]
    return group(parts, "training")


def create_selection() -> list[Node]:
    """Join features with labels, and list the classes that can be learned."""
    return [
        node_of(
            selection.select_labelled,
            [
                "tile_features",
                "tile_catalog",
                "feature_source",
                "quarantine_summary",
                "params:asked_features",
            ],
            "labelled_features",
        ),
        node_of(selection.list_classes, "labelled_features", "classes"),
    ]


def create_fit(name: str) -> Node:
    """Fit one classifier: ``logistic_regression`` or ``random_forest``."""
    return Node(
        _FITS[name],
        [*_LEARNED_FROM, f"params:{name}", "params:classifier", "params:seed"],
        f"fitted_{name}",
        name="fit",
    )


def create_registration(model: str) -> list[Node]:
    """Register the dataset ``model``, with the fingerprint of what it learned from."""
    return [
        node_of(history.fingerprint_catalog, "tile_catalog", "catalog_fingerprint"),
        node_of(
            history.register_model,
            [model, "params:registry", "catalog_fingerprint"],
            "registered_model",
        ),
    ]


def _calibrate(name: str) -> Node:
    return Node(
        nodes.calibrate_candidate,
        [f"fitted_{name}", "labelled_features", "params:seed"],
        f"calibrated_{name}",
        name="calibrate",
    )


def _choose() -> list[Node]:
    """Choose a classifier out of fold, then evaluate everything once on the test split."""
    candidates = [f"calibrated_{name}" for name in _FITS]
    return [
        node_of(
            nodes.choose_model,
            [*candidates, "tile_catalog", "params:seed"],
            ["chosen_model", "choice"],
        ),
        node_of(
            applicability.find_applicability,
            [
                "chosen_model",
                *candidates,
                "choice",
                "labelled_features",
                "tile_catalog",
                "params:seed",
            ],
            "trained_model",
        ),
        node_of(
            nodes.evaluate_on_test,
            [*candidates, f"fitted_{nodes.BASELINE}", "labelled_features", "choice", "params:seed"],
            "training_summary",
        ),
        node_of(
            validation.validate_choice,
            [
                "labelled_features",
                "tile_catalog",
                "choice",
                "params:split",
                "params:validation",
                "params:seed",
            ],
            "validation_summary",
        ),
    ]
