"""From Spark's stored tables to numpy: each form that Spark's writer may choose."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from aerial_kedro.errors import AerialError
from aerial_kedro.models.classifiers import ForestClassifier, LinearClassifier
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.models.serving.assembly import assemble_model
from aerial_kedro.models.stages import StoredStage
from tests.models import make_applicability, make_card, make_source

DENSE = {"type": 1, "size": None, "indices": None}
MATRIX = np.array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]])
MATRICES = {
    "dense by columns": {
        **{"type": 1, "colPtrs": None, "rowIndices": None, "isTransposed": False},
        "values": [1.0, 0.0, 0.0, 3.0, 2.0, 0.0],
    },
    "dense by rows": {
        **{"type": 1, "colPtrs": None, "rowIndices": None, "isTransposed": True},
        "values": [1.0, 0.0, 2.0, 0.0, 3.0, 0.0],
    },
    "sparse by columns": {
        **{"type": 0, "colPtrs": [0, 1, 2, 3], "rowIndices": [0, 1, 0], "isTransposed": False},
        "values": [1.0, 3.0, 2.0],
    },
    "sparse by rows": {
        **{"type": 0, "colPtrs": [0, 2, 3], "rowIndices": [0, 2, 1], "isTransposed": True},
        "values": [1.0, 2.0, 3.0],
    },
}


def model(*stages: StoredStage) -> TrainedModel:
    source = make_source()
    card = make_card(source, name="oak", classes=["a", "b"], temperature=1.5)
    return TrainedModel(stages, card, source)


def regression(matrix: dict[str, Any], *, multinomial: bool = True) -> TrainedModel:
    sparse = {"type": 0, "size": 3, "indices": [0, 2], "values": [2.0, 4.0]}
    scaler = {"std": [sparse], "mean": [{**DENSE, "values": [1.0, 1.0, 1.0]}]}
    learned = {
        "interceptVector": [{**DENSE, "values": [0.5, -0.5]}],
        "coefficientMatrix": [{**matrix, "numRows": 2, "numCols": 3}],
        "isMultinomial": [multinomial],
    }
    return model(
        StoredStage("StandardScalerModel", {"withMean": True, "withStd": True}, pa.table(scaler)),
        StoredStage("LogisticRegressionModel", {}, pa.table(learned)),
    )


@pytest.mark.parametrize("form", MATRICES)
def test_regression_in_every_form_of_a_matrix(form: str) -> None:
    found = assemble_model(regression(MATRICES[form]))
    assert found.card.temperature == 1.5
    assert isinstance(found.classifier, LinearClassifier)
    np.testing.assert_array_equal(found.classifier.coefficients, MATRIX)
    np.testing.assert_array_equal(found.classifier.scale, [0.5, 0.0, 0.25])
    np.testing.assert_array_equal(found.classifier.mean, [1.0, 1.0, 1.0])
    np.testing.assert_array_equal(found.classifier.intercepts, [0.5, -0.5])


def test_binomial_regression_is_refused() -> None:
    with pytest.raises(AerialError, match="Binomial"):
        regression(MATRICES["dense by rows"], multinomial=False).to_numpy()


def node(
    tree: int,
    number: int,
    stats: list[float],
    children: tuple[int, int] = (-1, -1),
    *,
    at: tuple[int, float] | None = None,
    categories: int = -1,
) -> dict[str, Any]:
    feature, threshold = at or (-1, 0.0)
    return {
        "treeID": tree,
        "nodeData": {
            "id": number,
            "impurityStats": stats,
            "leftChild": children[0],
            "rightChild": children[1],
            "split": {
                "featureIndex": feature,
                "leftCategoriesOrThreshold": [threshold] if at else [],
                "numCategories": categories,
            },
        },
    }


ROOT = node(0, 0, [2.0, 2.0], (1, 2), at=(1, 0.5))
NODES = [ROOT, node(0, 1, [3.0, 1.0]), node(0, 2, [0.0, 4.0]), node(1, 0, [1.0, 1.0])]


def forest(nodes: list[dict[str, Any]]) -> TrainedModel:
    table = pa.Table.from_pylist(nodes)
    return model(StoredStage("RandomForestClassificationModel", {}, table))


def test_a_forest_in_whatever_order_its_nodes_were_stored() -> None:
    found = forest([NODES[each] for each in (3, 1, 0, 2)]).to_numpy()
    assert isinstance(found, ForestClassifier)
    probabilities = found.probabilities(np.array([[0.0, 0.0], [0.0, 1.0]]))
    np.testing.assert_allclose(probabilities, [[0.625, 0.375], [0.25, 0.75]])


def test_a_forest_that_is_not_whole_is_refused() -> None:
    with pytest.raises(AerialError, match="not whole"):
        forest([NODES[0], NODES[2], NODES[3]]).to_numpy()


def test_a_split_by_categories_is_refused() -> None:
    root = node(0, 0, [2.0, 2.0], (1, 2), at=(1, 0.5), categories=3)
    with pytest.raises(AerialError, match="categories"):
        forest([root, *NODES[1:]]).to_numpy()


def test_another_classifier_is_refused_by_name() -> None:
    with pytest.raises(AerialError, match=r"'oak' is made of GBTClassificationModel"):
        model(StoredStage("GBTClassificationModel", {}, pa.table({}))).to_numpy()


def test_where_a_model_holds_is_served_with_it() -> None:
    holds = make_applicability(3)
    trained = replace(regression(MATRICES["dense by rows"]), applicability=holds)
    assert assemble_model(trained).applicability is holds
