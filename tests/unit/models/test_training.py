"""What fits learn of weights and scales, and the baseline that every classifier has to exceed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pyspark.ml import PipelineModel
from pyspark.ml.classification import LogisticRegressionModel
from pyspark.sql import DataFrame, SparkSession
from sklearn.linear_model import LogisticRegression

from aerial_kedro.errors import AerialError
from aerial_kedro.models import rows as module
from aerial_kedro.models.classifiers import LinearClassifier
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.models.settings import LogisticRegressionSettings
from aerial_kedro.models.stages import convert_stages
from aerial_kedro.models.training import evaluate_majority, evaluate_model, fit_model
from tests.models import make_card, make_source

SETTINGS = LogisticRegressionSettings(
    max_iter=60, reg_param=0.1, standardise=False, class_weights=False
)


def cells(copies: int = 1) -> pd.DataFrame:
    """Rows of two classes that overlap, in numbers of very different scales; some are doubled."""
    rng = np.random.default_rng(4)
    code = np.arange(40) % 2
    numbers = rng.normal(size=(40, 3)) * [5.0, 1.0, 0.1] + code[:, None]
    rows = pd.DataFrame(
        {
            "label": np.array(["A", "B"], dtype=object)[code],
            "features": numbers.tolist(),
            "weight": 1.0,
        }
    )
    doubled = rows.iloc[:12]
    if copies > 1:
        return pd.concat([rows, *[doubled] * (copies - 1)], ignore_index=True)
    return rows


def coefficients(
    spark: SparkSession, rows: pd.DataFrame, settings: LogisticRegressionSettings = SETTINGS
) -> np.ndarray:
    rows = rows.assign(image_id=[f"t{number:03d}" for number in range(len(rows))])
    columns = {
        "image_id": "string", "label": "string", "features": "array<double>", "weight": "double"
    }  # fmt: skip
    schema = ", ".join(f"{name} {columns[str(name)]}" for name in rows.columns)
    table: DataFrame = spark.createDataFrame(
        list(rows.itertuples(index=False, name=None)), schema
    ).coalesce(1)
    stages, count = fit_model(table, settings, ["A", "B"], 1)
    assert count == len(rows)
    if isinstance(stages, PipelineModel):
        model = stages.stages[-1]
        assert isinstance(model, LogisticRegressionModel)
        found, intercepts = model.coefficientMatrix.toArray(), model.interceptVector.toArray()
    else:
        few = convert_stages(stages, "few")
        assert isinstance(few, LinearClassifier)
        found, intercepts = few.coefficients, few.intercepts
    return np.concatenate([found, intercepts[:, None]], axis=1)


@pytest.fixture(params=["few", "many"])
def _where(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fit as few rows are fitted, and as many are."""
    if request.param == "many":
        monkeypatch.setattr(module, "_BYTES_OF_PARTITION", 20 * 3 * 8)


@pytest.mark.usefixtures("_where")
def test_a_weight_of_two_is_the_row_twice(spark_session: SparkSession) -> None:
    weighted = cells()
    weighted.loc[:11, "weight"] = 2.0
    weighted.loc[weighted["label"] == "A", "weight"] *= 3
    tripled = cells(copies=2)
    tripled = pd.concat([tripled, *[tripled[tripled["label"] == "A"]] * 2])
    # The column stands for what the settings say of weights.
    balanced = SETTINGS.model_copy(update={"class_weights": True})
    found = coefficients(spark_session, weighted, balanced)
    assert found == pytest.approx(coefficients(spark_session, tripled), abs=1e-4)


@pytest.mark.usefixtures("_where")
def test_numbers_that_keep_their_scale_are_penalised_as_they_are(
    spark_session: SparkSession,
) -> None:
    """The same as scikit-learn's of two classes, whose penalty is of the sum of the losses."""
    rows = cells()
    numbers = np.array(rows["features"].tolist())
    # Spark has a row of coefficients for each of the two classes, and penalises both.
    one, other = coefficients(spark_session, rows)
    c = 2 / (SETTINGS.reg_param * len(rows))
    expected = LogisticRegression(C=c, tol=1e-8, max_iter=1000).fit(numbers, rows["label"])
    assert (other - one)[:3] == pytest.approx(expected.coef_[0], abs=1e-3)
    assert (other - one)[3] == pytest.approx(expected.intercept_[0], abs=1e-3)
    scales = SETTINGS.model_copy(update={"standardise": True})
    one, other = coefficients(spark_session, rows, scales)
    assert abs((other - one)[0] / numbers[:, 0].std() - expected.coef_[0][0]) > 1e-3


@pytest.mark.usefixtures("_where")
def test_a_class_without_a_row_and_a_row_without_a_class_are_refused(
    spark_session: SparkSession,
) -> None:
    rows = [(f"t{number}", "AB"[number % 2], [float(number)] * 3) for number in range(40)]
    table = spark_session.createDataFrame(
        rows, "image_id string, label string, features array<double>"
    )
    with pytest.raises(AerialError, match=r"The classes \['C'\] have no training tile"):
        fit_model(table, SETTINGS, ["A", "B", "C"], 1)
    with pytest.raises(ValueError, match=r"training rows of \['B'\]"):
        fit_model(table, SETTINGS, ["A"], 1)


def test_an_evaluation_does_not_depend_on_the_order_in_which_tiles_are_read(
    spark_session: SparkSession,
) -> None:
    """Not even its intervals, for which whole blocks are drawn."""
    rows = cells().assign(
        image_id=[f"t{number:03d}" for number in range(40)],
        block_id=[f"b{number // 5}" for number in range(40)],
    )
    columns = (
        "label string, features array<double>, weight double, image_id string, block_id string"
    )

    def read(each: pd.DataFrame) -> DataFrame:
        values = list(each.itertuples(index=False, name=None))
        return spark_session.createDataFrame(values, columns).coalesce(1)

    stages, _ = fit_model(read(rows), SETTINGS, ["A", "B"], 1)
    model = TrainedModel(stages, make_card(classes=["A", "B"]), make_source())
    # A quarter is wrong, unevenly over the blocks.
    rows.loc[rows.index % 7 < 2, "label"] = "A"
    found, turned = (evaluate_model(model, read(each), seed=1) for each in (rows, rows[::-1]))
    assert found.accuracy_interval is not None
    assert found.accuracy_interval.lower < found.accuracy < found.accuracy_interval.upper
    assert found == turned


def tiles(training: str, test: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "label": list(training + test),
            "split": ["train"] * len(training) + ["test"] * len(test),
            "block_id": None,
        }
    )


def test_the_majority_is_that_of_the_training_tiles() -> None:
    found = evaluate_majority(tiles("BBA", "AAAB"), seed=0)
    assert found.accuracy == 0.25
    assert found.per_class["A"].users_accuracy is None


def test_of_equal_classes_the_first_in_order_is_the_majority() -> None:
    found = evaluate_majority(tiles("BA", "AAB"), seed=0)
    assert found.accuracy == pytest.approx(2 / 3)


def test_no_majority_without_training_tiles() -> None:
    with pytest.raises(ValueError, match="no training tile"):
        evaluate_majority(tiles("", "A"), seed=0)


def test_a_majority_needs_test_tiles() -> None:
    with pytest.raises(ValueError, match="the split is empty"):
        evaluate_majority(tiles("AB", ""), seed=0)
