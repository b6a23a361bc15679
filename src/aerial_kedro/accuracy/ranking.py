"""Models that were evaluated on the same tiles, ranked by the validation split alone."""

from collections.abc import Sequence
from typing import Any

from aerial_kedro.accuracy.evaluation import Evaluation
from aerial_kedro.accuracy.interval import Interval, wilson
from aerial_kedro.parameters import CheckedModel


class ComparedModel(CheckedModel):
    """One model of a comparison.

    Parameters
    ----------
    name
        Name of the model, different from all others.
    backbone, classifier, setting
        Names of its parts; `setting` is the name of the settings in the grid.
    settings
        Settings of the classifier.
    n_features
        Length of a feature vector.
    training_tiles
        Number of tiles that it was fitted on.
    seconds
        Duration of the fit.
    milliseconds
        Time that the backbone takes for a tile, on one thread.
    validation, test
        Its evaluation on the two held-out splits.
    """

    name: str
    backbone: str
    classifier: str
    setting: str
    settings: dict[str, Any]
    n_features: int
    training_tiles: int
    seconds: float
    milliseconds: float
    validation: Evaluation
    test: Evaluation


class RankedModel(CheckedModel):
    """A model with its rank.

    Parameters
    ----------
    rank
        From 1; models with the same macro-F1 on validation share the better one.
    model
        The model.
    """

    rank: int
    model: ComparedModel


class Ranking(CheckedModel):
    """Models in the order of their macro-F1 on validation.

    Parameters
    ----------
    models
        The best one first; of equals the one that was given first.
    remarks
        Reasons in words why the order may mean little.
    """

    models: list[RankedModel]
    remarks: list[str]

    @property
    def best(self) -> ComparedModel:
        """The best model by validation."""
        return self.models[0].model


def rank_models(models: Sequence[ComparedModel]) -> Ranking:
    """Rank models by their macro-F1 on validation; the test split is not used.

    Parameters
    ----------
    models
        One or more models.

    Raises
    ------
    ValueError
        If there is none, or two have one name.
    """
    names = [each.name for each in models]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"A ranking needs models of different names, got {names}.")
    scores = [each.validation.macro_f1 for each in models]
    ordered = sorted(models, key=lambda each: -each.validation.macro_f1)
    ranked = [
        RankedModel(rank=1 + sum(score > each.validation.macro_f1 for score in scores), model=each)
        for each in ordered
    ]
    return Ranking(models=ranked, remarks=_remarks(ordered))


def accuracy_range(evaluation: Evaluation) -> Interval:
    """Return the 95 % interval of an accuracy.

    Returns
    -------
    Interval
        By block bootstrap where the tiles have blocks. Where they have none, or all lie in one,
        that of a proportion of independent tiles, which is too narrow for tiles of one place.
    """
    if evaluation.accuracy_interval is not None:
        return evaluation.accuracy_interval
    right = sum(row[i] for i, row in enumerate(evaluation.confusion))
    return wilson(right, evaluation.n)


def _remarks(ordered: Sequence[ComparedModel]) -> list[str]:
    best = ordered[0]
    found = []
    interval = accuracy_range(best.validation)
    near = sum(each.validation.accuracy >= interval.lower for each in ordered[1:])
    if near:
        others = "1 other model" if near == 1 else f"{near} other models"
        found.append(
            f"The accuracy on validation of {others} lies within the best one's 95 % interval: a "
            "difference so small may be chance."
        )
    absent = [name for name, of in best.validation.per_class.items() if of.support == 0]
    if absent:
        found.append(
            f"The validation tiles hold no {', '.join(absent)}: how well a model finds that has no "
            "part in the order."
        )
    counts = {each.name: each.validation.n for each in ordered}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name} {count:,}" for name, count in counts.items())
        found.append(
            f"The models were not evaluated on the same validation tiles ({listed}): tiles that "
            "could not be read for one backbone were for another."
        )
    return found
