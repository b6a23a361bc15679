"""The chosen classifier fitted and evaluated again: on a random split, and fold by fold."""

import logging

import pandas as pd
from pyspark.sql import DataFrame

from aerial_kedro.accuracy.evaluation import evaluate
from aerial_kedro.accuracy.validation import (
    FEW_TILES,
    CrossValidation,
    FoldResult,
    RandomSplit,
    summarise_folds,
)
from aerial_kedro.models.rows import Fold, open_rows
from aerial_kedro.models.settings import ClassifierSettings
from aerial_kedro.models.training import evaluate_predictions
from aerial_kedro.splits.blocks import stratified_split
from aerial_kedro.splits.folds import training_tiles
from aerial_kedro.splits.rules import SplitRules

LOGGER = logging.getLogger(__name__)
_FEWEST_CLASSES = 2


def evaluate_random_split(
    rows: DataFrame, settings: ClassifierSettings, rules: SplitRules, seed: int
) -> RandomSplit:
    """Fit and evaluate a classifier on a random split, as studies do that know no places.

    Images are divided, not places: of two years of a place one may be trained on and one tested.

    Parameters
    ----------
    rows
        ``image_id, label, split, block_id`` and the settings' column, of the images of all splits.
    settings
        Settings of the classifier.
    rules
        Rules of the split by place, whose shares are taken.
    seed
        Seed of the split and of the classifier.

    Raises
    ------
    AerialError
        If a class has fewer images than there are splits.
    """
    with open_rows(rows.select("image_id", "label", "split", settings.column), settings) as opened:
        images = opened.table
        splits = stratified_split(images.set_index("image_id")["label"], rules, seed).to_numpy()
        fold = Fold(splits == "train", splits == "test")
        classes = sorted(set(images["label"]))
        # Temperatures do not change which class is likeliest, so none is fitted.
        (scored,) = opened.predict_each([fold], classes, seed)
    found = evaluate(scored["label"].tolist(), scored["pred_label"].tolist(), classes)
    return RandomSplit(
        training_tiles=int(fold.known.sum()),
        training_tiles_by_place=int((images["split"] == "train").sum()),
        evaluation=found,
    )


def cross_validate(
    rows: DataFrame,
    tiles: pd.DataFrame,
    settings: ClassifierSettings,
    *,
    buffer_m: float,
    description: str,
    seed: int,
) -> CrossValidation:
    """Fit a classifier without each fold in turn, and evaluate it there.

    Tiles of other folds that lie within the buffer of a fold's tiles are not fitted on.

    Parameters
    ----------
    rows
        ``image_id, label, block_id`` and the settings' column.
    tiles
        ``image_id, fold, label, lon, lat, size_m`` of the same images. A categorical ``fold`` may
        have categories without an image: they are reported as such.
    settings
        Settings of the classifier.
    buffer_m
        Least distance in metres between the edges of a training and a test tile.
    description
        Description of the folds.
    seed
        Seed of the classifier, and of the pooled evaluation's bootstrap.
    """
    folds = tiles["fold"].astype("category")
    tiles = tiles.assign(fold=folds.astype(object))
    classes = sorted(set(tiles["label"]))
    results, predictions = [], []
    needed = rows.select("image_id", "label", "block_id", settings.column)
    with open_rows(needed, settings) as opened:
        ids = opened.table["image_id"]
        for name in folds.cat.categories:
            test = tiles[tiles["fold"] == name]
            training = tiles[training_tiles(tiles, name, buffer_m)]
            result = FoldResult(
                name=str(name),
                tiles=len(test),
                training_tiles=len(training),
                in_buffer=len(tiles) - len(test) - len(training),
                unlearned=sorted(set(test["label"]) - set(training["label"])),
                remark=_impossible(test, training),
            )
            if result.remark is None:
                known, unseen = (ids.isin(each["image_id"]).to_numpy() for each in (training, test))
                (scored,) = opened.predict_each([Fold(known, unseen)], classes, seed)
                predictions.append(scored)
                result = _evaluated(result, scored, sorted({*training["label"], *test["label"]}))
            LOGGER.info("%s: %s", name, _in_words(result))
            results.append(result)
    pooled = None
    if predictions:
        pooled = evaluate_predictions(pd.concat(predictions), classes, seed)
    return summarise_folds(description, results, pooled)


def _impossible(test: pd.DataFrame, training: pd.DataFrame) -> str | None:
    if not len(test):
        return "no labelled tile in a split"
    classes = sorted(set(training["label"]))
    if len(classes) < _FEWEST_CLASSES:
        return f"outside it are training tiles of {len(classes)} class(es) only"
    return None


def _evaluated(result: FoldResult, scored: pd.DataFrame, classes: list[str]) -> FoldResult:
    found = evaluate(scored["label"].tolist(), scored["pred_label"].tolist(), classes)
    remarks = [f"only {found.n} tile(s)"] if found.n < FEW_TILES else []
    if result.unlearned:
        remarks.append(f"not in its training tiles: {', '.join(result.unlearned)}")
    return result.model_copy(
        update={
            "accuracy": found.accuracy,
            "macro_f1": found.macro_f1,
            "remark": "; ".join(remarks) or None,
        }
    )


def _in_words(result: FoldResult) -> str:
    if result.accuracy is None:
        return f"not evaluated ({result.remark})"
    remark = f" ({result.remark})" if result.remark else ""
    return f"accuracy {result.accuracy:.3f} of {result.tiles:,} tiles{remark}"
