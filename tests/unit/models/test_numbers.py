"""Numbers of rows as bytes: the same to all that learns from them or classifies them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fsspec.implementations.local import LocalFileSystem
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession

from aerial_kedro.datasets.spark_stages import read_stages
from aerial_kedro.models import rows as module
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.models.numbers import pack_numbers, stack_numbers
from aerial_kedro.models.rows import FewRows, Fold, ManyRows, open_rows
from aerial_kedro.models.settings import LogisticRegressionSettings
from aerial_kedro.models.training import fit_model
from tests.models import make_card, make_source

CLASSES = ["A", "B"]
SETTINGS = LogisticRegressionSettings(max_iter=50, reg_param=0.01)
SHAPES = array_shapes(min_dims=2, max_dims=2, max_side=9)


@given(arrays(np.float32, SHAPES, elements=st.floats(width=32, allow_nan=False)))
def test_packed_numbers_come_back_to_the_last_bit(numbers: NDArray[np.float32]) -> None:
    for column in (pack_numbers(numbers), list(numbers)):
        found = stack_numbers(pd.Series(column, dtype=object))
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, numbers)


def test_no_rows_have_no_numbers() -> None:
    assert stack_numbers(pd.Series([], dtype=object)).shape == (0, 0)


@pytest.mark.parametrize("pack", [pack_numbers, list])
def test_rows_of_unequal_lengths_are_refused(pack: type[list[object]]) -> None:
    rows = [pack(np.ones((1, count), np.float32))[0] for count in (2, 4, 3)]
    with pytest.raises(ValueError, match="must have"):
        stack_numbers(pd.Series(rows, dtype=object))


def tables(spark: SparkSession) -> tuple[DataFrame, DataFrame]:
    """The same rows, with arrays of numbers and with their bytes."""
    rng = np.random.default_rng(3)
    code = rng.integers(0, 2, 60)
    numbers = (code[:, None] + rng.normal(size=(60, 5))).astype(np.float32)
    own = pd.DataFrame(
        {"image_id": [f"t{each:02d}" for each in range(60)], "label": np.take(CLASSES, code)}
    ).astype(object)
    schema = "image_id string, label string, features"
    return (
        spark.createDataFrame(
            list(own.assign(features=numbers.tolist()).itertuples(index=False, name=None)),
            f"{schema} array<float>",
        ),
        spark.createDataFrame(
            list(own.assign(features=pack_numbers(numbers)).itertuples(index=False, name=None)),
            f"{schema} binary",
        ),
    )


@pytest.mark.parametrize("is_few", [True, False])
def test_bytes_teach_what_arrays_teach(
    spark_session: SparkSession, is_few: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_few:
        # Sixty rows of five numbers of eight bytes are in two partitions, of either kind.
        monkeypatch.setattr(module, "_BYTES_OF_PARTITION", 1500)
    known = np.arange(60) < 40
    found = []
    for rows in tables(spark_session):
        with open_rows(rows, SETTINGS) as opened:
            assert isinstance(opened, FewRows if is_few else ManyRows)
            if isinstance(opened, ManyRows):
                assert opened.frame.rdd.getNumPartitions() == 2
            found += opened.predict_each([Fold(known, ~known)], CLASSES, 1)
    one, other = (np.array(each["class_probabilities"].tolist()) for each in found)
    np.testing.assert_allclose(one, other, atol=1e-9)


def test_bytes_are_classified_as_arrays_are(
    spark_session: SparkSession, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By what Spark has fitted, and by what is stored; the rows are given back as they were."""
    monkeypatch.setattr(module, "_BYTES_OF_PARTITION", 1500)
    arrays_of, bytes_of = tables(spark_session)
    stages, _ = fit_model(arrays_of, SETTINGS, CLASSES, 1)
    assert isinstance(stages, PipelineModel)
    stages.write().save(str(tmp_path / "stages"))
    stored = read_stages(LocalFileSystem(), str(tmp_path / "stages"), "oak")
    card = make_card(classes=CLASSES)
    for each in (stages, stored):
        model = TrainedModel(each, card, make_source())
        one, other = (
            model.predict(rows).toPandas().sort_values("image_id") for rows in (arrays_of, bytes_of)
        )
        np.testing.assert_allclose(
            np.array(one["class_probabilities"].tolist()),
            np.array(other["class_probabilities"].tolist()),
            atol=1e-9,
        )
        given_back = bytes_of.toPandas().sort_values("image_id")
        assert other["features"].tolist() == given_back["features"].tolist()
