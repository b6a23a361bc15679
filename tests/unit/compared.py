"""Models to compare: what they got right is chosen, all else is the same."""

from __future__ import annotations

from aerial_kedro.accuracy.evaluation import Evaluation, evaluate
from aerial_kedro.accuracy.ranking import ComparedModel

CLASSES = ["Forest", "Pasture"]


def evaluated(right: int, of: int = 40, classes: list[str] | None = None) -> Evaluation:
    """Evaluate a model that is right with the first tiles of each of two classes."""
    wrong = of - right
    labels = ["Forest"] * of + ["Pasture"] * of
    predicted = ["Forest"] * right + ["Pasture"] * (wrong + right) + ["Forest"] * wrong
    return evaluate(labels, predicted, classes or CLASSES)


def compared(name: str, validation: Evaluation, test: Evaluation | None = None) -> ComparedModel:
    backbone, classifier, setting = name.split(".")
    return ComparedModel(
        name=name,
        backbone=backbone,
        classifier=classifier,
        setting=setting,
        settings={"column": "features", "class_weights": True, "num_trees": 60},
        n_features=1792,
        training_tiles=300,
        seconds=1.25,
        milliseconds=4.5,
        validation=validation,
        test=test or evaluated(30),
    )
