"""Rows to fit classifiers to: few ones in the driver's memory, many on Spark, used the same way."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.models.few_rows import fit_few, fits_without_spark, fitting, run_each
from aerial_kedro.models.model import predict_vectors
from aerial_kedro.models.numbers import stack_numbers
from aerial_kedro.models.prediction import PREDICTED_COLUMNS, predict_numbers
from aerial_kedro.models.settings import ClassifierSettings
from aerial_kedro.models.spark_fits import add_vectors, count_numbers, fit_vectors
from aerial_kedro.models.stages import StoredStage, convert_stages

Bools = NDArray[np.bool_]

# What a task works on; rows of no more than one task's are few.
_BYTES_OF_PARTITION = 64 * 2**20
# Tables of more are learned from as they are stored: to shuffle and keep 44,000 tiles of 1,280
# features took longer than a fit of them gained.
_MOST_PARTITIONS = 4
_BYTES_OF_NUMBER = 8


@dataclass(frozen=True)
class Fold:
    """Rows to learn from, and rows to predict.

    Parameters
    ----------
    known, unseen
        ``(n,)`` each: which of all rows, in the order of their table.
    """

    known: Bools
    unseen: Bools


@dataclass(frozen=True)
class FewRows:
    """Rows in the driver's memory, fitted by scikit-learn.

    Parameters
    ----------
    table
        ``image_id, label`` and any other columns, in order of ``image_id``.
    numbers
        ``(n, n_features)``: what is learned from.
    settings
        Settings of the classifier.
    """

    table: pd.DataFrame
    numbers: NDArray[np.float64]
    settings: ClassifierSettings

    def count_labels(self) -> dict[str, int]:
        """Count what there is of each label, in alphabetical order."""
        return count_labels(self.table["label"])

    def fit(self, counts: Mapping[str, int], seed: int) -> tuple[StoredStage, ...]:
        """Fit the classifier to all rows; ``counts`` says how many each class has, in order."""
        return self._fit(np.ones(len(self.table), dtype=bool), counts, seed)

    def predict_each(
        self, folds: Sequence[Fold], classes: Sequence[str], seed: int
    ) -> list[pd.DataFrame]:
        """Predict each fold's unseen rows by a fit to its known ones; no model is kept.

        Parameters
        ----------
        folds
            The folds; there are two classes at least in the known rows of each.
        classes
            Class names; the order of the probabilities.
        seed
            Seed of the forest.

        Returns
        -------
        list of pandas.DataFrame
            For each fold the unseen rows of the table, with ``pred_label``;
            ``class_probabilities``, not calibrated, 0 for classes that no known row has;
            ``learned``, whether the fit knew the row's class.
        """
        return run_each(partial(self._predict, classes=classes, seed=seed), folds)

    def _fit(self, known: Bools, counts: Mapping[str, int], seed: int) -> tuple[StoredStage, ...]:
        rows = self.table[known]
        if "weight" in rows:
            weights = rows["weight"].to_numpy(dtype=np.float64)
        elif self.settings.class_weights:
            weights = rows["label"].map(balance_classes(counts)).to_numpy(dtype=np.float64)
        else:
            weights = np.ones(len(rows))
        labels = rows["label"].tolist()
        numbers, classes = self.numbers[known], list(counts)
        return fit_few(numbers, labels, weights, self.settings, classes=classes, seed=seed)

    def _predict(self, fold: Fold, classes: Sequence[str], seed: int) -> pd.DataFrame:
        counts = _learned(self.table, fold, classes)
        known = fold.known & self.table["label"].isin(counts).to_numpy()
        classifier = convert_stages(self._fit(known, counts, seed), "of a fold")
        unseen = self.table[fold.unseen].reset_index(drop=True)
        numbers = pd.Series(list(self.numbers[fold.unseen]))
        found = predict_numbers(numbers, classifier, list(counts), temperature=1.0)
        return _complete(unseen.join(found), list(counts), classes)


@dataclass(frozen=True)
class ManyRows:
    """Rows on Spark, fitted by Spark ML.

    Parameters
    ----------
    frame
        ``image_id, label``, ``vector`` and any other columns.
    settings
        Settings of the classifier.
    """

    frame: DataFrame
    settings: ClassifierSettings

    @cached_property
    def table(self) -> pd.DataFrame:
        """The rows without their vectors, in order of ``image_id``."""
        rows = self.frame.drop("vector").toPandas()
        return rows.sort_values("image_id", ignore_index=True)

    def count_labels(self) -> dict[str, int]:
        """Count what there is of each label, in alphabetical order."""
        found = self.frame.groupBy("label").count().collect()
        return dict(sorted((row["label"], row["count"]) for row in found))

    def fit(self, counts: Mapping[str, int], seed: int) -> PipelineModel:
        """Fit the classifier to all rows; see `FewRows.fit`."""
        return self._fit(self.frame, counts, seed)

    def predict_each(
        self, folds: Sequence[Fold], classes: Sequence[str], seed: int
    ) -> list[pd.DataFrame]:
        """Predict each fold; see `FewRows.predict_each`. One after the other: each needs memory."""
        return [self._predict(fold, classes, seed) for fold in folds]

    def _fit(self, frame: DataFrame, counts: Mapping[str, int], seed: int) -> PipelineModel:
        weights = balance_classes(counts) if self.settings.class_weights else None
        return fit_vectors(frame, self.settings, list(counts), weights, seed)

    def _predict(self, fold: Fold, classes: Sequence[str], seed: int) -> pd.DataFrame:
        counts = _learned(self.table, fold, classes)
        known = self._take(fold.known).filter(F.col("label").isin([*counts]))
        stages = self._fit(known, counts, seed)
        scored = predict_vectors(stages, self._take(fold.unseen), list(counts))
        found = scored.select("image_id", *PREDICTED_COLUMNS).toPandas()
        joined = self.table[fold.unseen].merge(found, on="image_id", validate="one_to_one")
        return _complete(joined, list(counts), classes)

    def _take(self, chosen: Bools) -> DataFrame:
        ids = self.table.loc[chosen, ["image_id"]]
        wanted = self.frame.sparkSession.createDataFrame(ids, "image_id string")
        # Broadcast, so that features are not shuffled.
        return self.frame.join(F.broadcast(wanted), "image_id", "left_semi")


def count_labels(labels: pd.Series) -> dict[str, int]:
    """Count what there is of each label, in alphabetical order."""
    return {str(name): int(count) for name, count in labels.value_counts().sort_index().items()}


def balance_classes(counts: Mapping[str, int]) -> dict[str, float]:
    """Give each class's rows the weight with which all classes count the same, 1 on average."""
    total = sum(counts.values())
    return {name: total / (len(counts) * count) for name, count in counts.items()}


def count_partitions(rows: int, numbers: int) -> int:
    """Count the partitions that rows deserve: by their size, so not by who has how many cores.

    Parameters
    ----------
    rows
        How many there are.
    numbers
        How many numbers each has to learn from.
    """
    return max(1, math.ceil(rows * numbers * _BYTES_OF_NUMBER / _BYTES_OF_PARTITION))


@contextmanager
def open_rows(
    rows: DataFrame, settings: ClassifierSettings, *, is_shared: bool = True
) -> Iterator[FewRows | ManyRows]:
    """Make rows ready to be learned from until the block ends.

    Rows of up to 64 MiB, by which a fit on Spark is mostly its jobs, come to the driver. Of more
    the fits are Spark's, and so they are of logistic regression with a lasso. Up to four partitions
    are put into one order, however they are stored and read: a forest draws the rows of each tree
    by their place in a partition, sums of many numbers differ in their last digits with the order,
    and how a table's files are read depends on the number of cores. Larger tables stay as they are
    stored, and are kept only for several fits.

    Parameters
    ----------
    rows
        ``image_id``, which no two rows share; ``label``; the settings' column of numbers; perhaps
        ``weight``, which then stands for what the settings say of weights; any others.
    settings
        Settings of the classifier.
    is_shared
        Whether several fits learn from them.
    """
    column = settings.column
    numbers_of_row = count_numbers(rows, column)
    sizes = rows.agg(F.count("*").alias("rows"), F.max(numbers_of_row).alias("numbers")).first()
    partitions = count_partitions(sizes["rows"], sizes["numbers"] or 0) if sizes else 1
    if partitions == 1 and fits_without_spark(settings):
        table = rows.toPandas().sort_values("image_id", ignore_index=True)
        numbers = stack_numbers(table.pop(column)).astype(np.float64)
        with fitting():
            yield FewRows(table, numbers, settings)
        return
    vectors = add_vectors(rows, column).drop(column)
    is_ordered = partitions <= _MOST_PARTITIONS
    if is_ordered:
        ordered = vectors.repartition(partitions, "image_id").sortWithinPartitions("image_id")
        kept = vectors = ordered
    else:
        kept = rows
    is_kept = is_shared or is_ordered
    if is_kept:
        kept.persist()
    try:
        yield ManyRows(vectors, settings)
    finally:
        if is_kept:
            kept.unpersist()


def _learned(table: pd.DataFrame, fold: Fold, classes: Sequence[str]) -> dict[str, int]:
    """Count the known rows of each class that has any, in the order of the classes."""
    counts = count_labels(table.loc[fold.known, "label"])
    return {name: counts[name] for name in classes if name in counts}


def _complete(
    predicted: pd.DataFrame, learned: Sequence[str], classes: Sequence[str]
) -> pd.DataFrame:
    """Give predictions of a fit that may not know all classes their place among all."""
    chances = np.zeros((len(predicted), len(classes)))
    if len(predicted):
        known = [list(classes).index(name) for name in learned]
        chances[:, known] = np.array(predicted["class_probabilities"].tolist())
    return predicted.assign(
        class_probabilities=list(chances), learned=predicted["label"].isin(learned).to_numpy()
    )
