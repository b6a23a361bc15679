"""Cells are classified group by group as if all were classified at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from scipy.special import softmax

from aerial_kedro.accuracy.calibration import scale_probabilities
from aerial_kedro.cells.describe import CellInputs, describe_cells
from aerial_kedro.cells.grid import pack
from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import CellEmbedding
from aerial_kedro.models.applicability import Applicability
from aerial_kedro.models.classifiers import LinearClassifier
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.pipelines.cells.scoring import collect_cells, score_cells
from aerial_kedro.schemas import CELL_PREDICTION_COLUMNS
from aerial_kedro.tiles.catalog import ddl
from tests.builders import CLASSES, grid_tiles
from tests.models import make_applicability, make_card, make_source

SOURCE = make_source()
NAMES = ["Town", "Forest", "Water"]  # the model's own order
NUMBERS = 3 * 4 + 6
INPUTS = CellInputs(
    scales=(0.5, 0.25, 0.125, 0.0625),
    infrared=False,
    means=(128.0,) * 3 + (40.0,) * 3,
    deviations=(50.0,) * 3 + (20.0,) * 3,
)
_RNG = np.random.default_rng(1)
CLASSIFIER = LinearClassifier(
    mean=np.zeros(NUMBERS),
    scale=np.ones(NUMBERS),
    coefficients=_RNG.normal(0, 0.05, (3, NUMBERS)),
    intercepts=np.array([0.3, 0.0, -0.2]),
)


def model(applicability: Applicability | None = None, **changes: Any) -> TrainedModel:
    known = {"classes": NAMES, "cells": INPUTS, "temperature": 1.5}
    card = make_card(SOURCE, **{**known, **changes})
    return TrainedModel((), card, SOURCE, applicability=applicability)


def area() -> pd.DataFrame:
    """Tiles over the border of groups, some places empty, in two years."""
    places = [
        (col, row) for col in range(14, 18) for row in range(30, 34) if (col, row) != (16, 31)
    ]
    tiles = pd.concat([grid_tiles(places, year=2018), grid_tiles(places[:6], year=2020)])
    count = len(tiles)
    rng = np.random.default_rng(2)
    return tiles.reset_index(drop=True).assign(
        source_version="v1",
        block_id="b1",
        label=[None if number % 2 else "Forest" for number in range(count)],
        purity=0.9,
        cell_split="test",
        cell_labels=[b"\1" * 49] * count,
        cell_purity=[b"\x64" * 49] * count,
        cells=pack(rng.integers(-127, 128, (count, 7, 7, 4)).astype(np.int8)),
        cell_statistics=pack(rng.integers(0, 256, (count, 7, 7, 6)).astype(np.uint8)),
    )


def tables(spark: SparkSession, tiles: pd.DataFrame) -> tuple[DataFrame, DataFrame]:
    """Catalog and features; a row of another source's features among them."""
    own = list(CELL_PREDICTION_COLUMNS)[: list(CELL_PREDICTION_COLUMNS).index("cell_classes")]
    columns = {name: CELL_PREDICTION_COLUMNS[name] for name in own}
    catalog = spark.createDataFrame(
        list(tiles[[*own, "source_version"]].itertuples(index=False, name=None)),
        ddl({**columns, "source_version": "string"}),
    )
    kept = ["image_id", "source_version", "cells", "cell_statistics"]
    rows = [(*row, SOURCE.key) for row in tiles[kept].itertuples(index=False, name=None)]
    rows.append((*rows[0][:2], b"\0" * 49, b"\0" * 49 * 6, "of another source"))
    rows.append((rows[0][0], "v0", *rows[0][2:]))
    features = spark.createDataFrame(
        rows, ddl(dict.fromkeys(kept[:2], "string") | dict.fromkeys(kept[2:], "binary"))
        + ", feature_key string",
    )  # fmt: skip
    return catalog, features


def test_groups_give_what_all_tiles_at_once_would(
    spark_session: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TrainedModel, "to_numpy", lambda _: CLASSIFIER)
    tiles = area()
    found = score_cells(*tables(spark_session, tiles), model(), SOURCE)
    assert found.columns == list(CELL_PREDICTION_COLUMNS)
    rows = found.toPandas().set_index("image_id")
    assert sorted(rows.index) == sorted(tiles["image_id"])
    for _, year in tiles.groupby("year"):
        year = year.reset_index(drop=True)  # noqa: PLW2901
        year["column"] = (year["xmin"] / 224).round().astype(int)
        year["row"] = (year["ymin"] / 224).round().astype(int)
        numbers = describe_cells(year, INPUTS).reshape(-1, NUMBERS).astype(np.float64)
        scores = numbers @ CLASSIFIER.coefficients.T + CLASSIFIER.intercepts
        chances = scale_probabilities(softmax(scores, axis=1), 1.5).reshape(-1, 49, 3)
        for name, expected in zip(year["image_id"], chances, strict=True):
            own = rows.loc[name]
            classes = np.frombuffer(own["cell_classes"], np.uint8)
            # 1 + position in the model's own classes.
            assert np.array_equal(classes, 1 + expected.argmax(axis=1))
            assert list(own["cell_probabilities"]) == pytest.approx(
                (255 * expected).ravel(), abs=0.51
            )
            assert list(own["cell_confidence"]) == pytest.approx(
                100 * expected.max(axis=1), abs=0.51
            )
            mean = expected.mean(axis=0)
            assert own["class_by_cells"] == NAMES[mean.argmax()]
            assert own["probability_by_cells"] == pytest.approx(mean.max())
            shares = {each: (classes == 1 + position).mean() for position, each in enumerate(NAMES)}
            assert own["shares"] == pytest.approx({k: v for k, v in shares.items() if v})
    assert len({bytes(each) for each in rows["cell_classes"]}) > 10
    # Where the model does not know where it holds, nothing is said: no zero, no False.
    holds = ["cell_expected", "cell_outside", "expected_accuracy", "outside_share"]
    assert rows[holds].isna().all(axis=None)


def test_where_the_model_holds_is_found_by_what_the_classifier_reads(
    spark_session: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TrainedModel, "to_numpy", lambda _: CLASSIFIER)
    tiles = area().query("year == 2018").reset_index(drop=True)
    columns, rows = ((tiles[each] / 224).round().astype(int) for each in ("xmin", "ymin"))
    places = tiles.assign(column=columns, row=rows)
    lengths = np.linalg.norm(describe_cells(places, INPUTS), axis=-1).reshape(-1, 49)
    limit = float(np.quantile(lengths, 0.7))
    holds = make_applicability(NUMBERS, limit)
    found = score_cells(*tables(spark_session, tiles), model(holds), SOURCE)
    predicted = found.toPandas().set_index("image_id")
    for name, length in zip(tiles["image_id"], lengths, strict=True):
        own, expected = predicted.loc[name], 0.9 - 0.8 * (length / (2 * limit)).clip(max=1)
        percent = np.frombuffer(own["cell_expected"], np.uint8)
        assert percent.tolist() == pytest.approx((100 * expected).tolist(), abs=0.51)
        assert list(own["cell_outside"]) == (length > limit).tolist()
        assert own["expected_accuracy"] == pytest.approx(expected.mean(), abs=1e-5)
        assert own["outside_share"] == pytest.approx((length > limit).mean())


def test_shares_come_to_the_driver_as_a_number_a_class(spark_session: SparkSession) -> None:
    tiles = area().head(2).assign(
        cell_classes=[b"\1" * 49, b"\3" * 49], cell_confidence=[b"\x64" * 49] * 2,
        cell_probabilities=None, class_by_cells="Town", probability_by_cells=1.0,
        cell_expected=[b"\x32" * 49, None], cell_outside=[b"\1" * 49, None],
        expected_accuracy=pd.array([0.5, None], object),
        outside_share=pd.array([1.0, None], object),
        shares=[{"Town": 0.75, "Water": 0.25}, {"Water": 1.0}],
    )[list(CELL_PREDICTION_COLUMNS)]  # fmt: skip
    rows = list(tiles.itertuples(index=False, name=None))
    predictions = spark_session.createDataFrame(rows, ddl(CELL_PREDICTION_COLUMNS))
    known = CLASSES.model_copy(update={"codes": {"Water": [1], "Forest": [2], "Town": [3]}})
    found = collect_cells(predictions, known, model()).set_index("image_id")
    shares = [name for name in found.columns if name.startswith("share")]
    assert shares == ["share_Forest", "share_Town", "share_Water"]
    assert [found[name].dtype.kind for name in shares] == ["f"] * 3
    assert found.loc[tiles["image_id"], shares].to_numpy().tolist() == [[0, 0.75, 0.25], [0, 0, 1]]
    assert [set(found.loc[each, "cell_classes"]) for each in tiles["image_id"]] == [{3}, {1}]
    known, unknown = (found.loc[each] for each in tiles["image_id"])
    assert (set(known["cell_expected"]), set(known["cell_outside"])) == ({50}, {1})
    assert (known["expected_accuracy"], known["outside_share"]) == (0.5, 1.0)
    holds = ["cell_expected", "cell_outside", "expected_accuracy", "outside_share"]
    assert unknown[holds].isna().all()


def test_a_model_of_tiles_is_refused(spark_session: SparkSession) -> None:
    with pytest.raises(AerialError, match=r"'county' classifies tiles, not their cells"):
        score_cells(*tables(spark_session, area()), model(cells=None), SOURCE)


def test_a_model_of_other_features_is_refused(spark_session: SparkSession) -> None:
    with pytest.raises(AerialError, match=r"trained on features abc.*differs: the version"):
        score_cells(*tables(spark_session, area()), model(feature_key="abc"), SOURCE)


def test_embeddings_by_another_projection_are_refused_by_what_differs(
    spark_session: SparkSession,
) -> None:
    own, other = (
        make_source(
            cells=CellEmbedding(
                layers=("a",), channels=9, scales=(1.0,) * 4, explained=0.9, fitted_tiles=3,
                fitted_on=tiles, projection_sha256=digest * 64,
            )
        )
        for tiles, digest in (("old tiles", "a"), ("new tiles", "b"))
    )  # fmt: skip
    trained = TrainedModel((), make_card(own, cells=INPUTS), own)
    with pytest.raises(AerialError) as error:
        score_cells(*tables(spark_session, area()), trained, other)
    message = str(error.value)
    assert (
        "What differs: projection of cells (aaaaaaaa fitted on the tiles old tile, now bbbbbbbb "
        "fitted on the tiles new tile). Map the scenes with what the model brings" in message
    )
    without = make_source()
    with pytest.raises(AerialError, match=r"now none, as with grain=tile\)"):
        score_cells(*tables(spark_session, area()), trained, without)


def test_a_model_with_near_infrared_is_refused_where_scenes_lack_it(
    spark_session: SparkSession,
) -> None:
    tiles = area()
    for number in range(3, len(tiles)):
        tiles.at[number, "cell_statistics"] = b"\7" * 49 * 10
    infrared = INPUTS.model_copy(update={"infrared": True})
    with pytest.raises(AerialError, match=r"near infrared, which the scenes of 3 tiles lack"):
        score_cells(*tables(spark_session, tiles), model(cells=infrared), SOURCE)
