"""A trained pipeline as Spark ML lays it down, and the same classifier in numpy."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aerial_kedro.errors import AerialError
from aerial_kedro.models.classifiers import Classifier, ForestClassifier, LinearClassifier

SCALER, REGRESSION, FOREST = (
    "StandardScalerModel", "LogisticRegressionModel", "RandomForestClassificationModel",
)  # fmt: skip
DENSE = 1
CONTINUOUS = -1
# A leaf stays where it is, whatever the feature.
_NO_SPLIT: dict[str, Any] = {
    "featureIndex": 0,
    "leftCategoriesOrThreshold": [0.0],
    "numCategories": CONTINUOUS,
}


@dataclass(frozen=True)
class StoredStage:
    """One stage of a trained pipeline as Spark ML writes it, without Spark.

    Parameters
    ----------
    kind
        Spark's class, without its package: ``LogisticRegressionModel``.
    settings
        Spark's parameters; of a stage that was read, its defaults too.
    table
        What it learned, as Spark's model writer lays it down.
    sizes
        What Spark's writer states beside them: of a forest ``numFeatures, numClasses, numTrees``.
    """

    kind: str
    settings: dict[str, Any]
    table: pa.Table
    sizes: dict[str, int] = field(default_factory=dict)


def convert_stages(stages: Sequence[StoredStage], model: str) -> Classifier:
    """Convert a trained pipeline to numpy.

    Parameters
    ----------
    stages
        Its stages.
    model
        Name of the model, for messages.

    Raises
    ------
    AerialError
        If it is none of the classifiers that are trained here.
    """
    kinds = tuple(stage.kind for stage in stages)
    if kinds == (SCALER, REGRESSION):
        return _regression(*stages)
    if kinds == (FOREST,):
        return _forest(stages[0])
    raise AerialError(
        f"The model {model!r} is made of {', '.join(kinds) or 'nothing'}, which runs on Spark "
        "only. Train logistic_regression or random_forest (parameter `classifier`)."
    )


def _regression(scaler: StoredStage, regression: StoredStage) -> LinearClassifier:
    (scaling,) = scaler.table.to_pylist()
    (learned,) = regression.table.to_pylist()
    if not learned["isMultinomial"]:
        raise AerialError("Binomial logistic regression is not trained here, and not converted.")
    deviation = _vector(scaling["std"])
    centred, scaled = scaler.settings["withMean"], scaler.settings["withStd"]
    # As Spark has it, a feature that never varied is left out.
    inverse = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 0)
    return LinearClassifier(
        mean=_vector(scaling["mean"]) if centred else np.zeros_like(deviation),
        scale=inverse if scaled else np.ones_like(deviation),
        coefficients=_matrix(learned["coefficientMatrix"]),
        intercepts=_vector(learned["interceptVector"]),
    )


def _vector(stored: dict[str, Any]) -> NDArray[np.float64]:
    """Read Spark's vector, dense or sparse."""
    values = np.asarray(stored["values"], dtype=np.float64)
    if stored["type"] == DENSE:
        return values
    found = np.zeros(stored["size"])
    found[np.asarray(stored["indices"], dtype=int)] = values
    return found


def _matrix(stored: dict[str, Any]) -> NDArray[np.float64]:
    """Read Spark's matrix: column-major unless transposed, sparse where that is smaller."""
    from scipy.sparse import csc_array, csr_array

    shape = stored["numRows"], stored["numCols"]
    values = np.asarray(stored["values"], dtype=np.float64)
    by_rows = stored["isTransposed"]
    order: Literal["C", "F"] = "C" if by_rows else "F"
    if stored["type"] == DENSE:
        return values.reshape(shape, order=order)
    form = csr_array if by_rows else csc_array
    sparse = form((values, stored["rowIndices"], stored["colPtrs"]), shape=shape)
    return np.asarray(sparse.toarray(order=order))


def _forest(stage: StoredStage) -> ForestClassifier:
    nodes = pa.Table.from_struct_array(stage.table["nodeData"])
    nodes = nodes.append_column("tree", stage.table["treeID"])
    nodes = nodes.sort_by([("tree", "ascending"), ("id", "ascending")])
    tree, number = nodes["tree"].to_numpy(), nodes["id"].to_numpy()
    roots = np.flatnonzero(number == 0)
    # Numbered from 0 in each tree; from here on through all of them.
    first = np.repeat(roots, np.diff([*roots, len(number)]))
    itself = np.arange(len(number))
    left, right = (nodes[f"{side}Child"].to_numpy().astype(np.int64) for side in ("left", "right"))
    inner = left >= 0
    if len(roots) != len(np.unique(tree)) or not np.array_equal(number + first, itself):
        raise AerialError("The stored forest is not whole: train the model again.")
    splits = [
        split if is_inner else _NO_SPLIT
        for split, is_inner in zip(nodes["split"].to_pylist(), inner, strict=True)
    ]
    if any(split["numCategories"] != CONTINUOUS for split in splits):
        raise AerialError("Forests that split by categories are not trained here, nor converted.")
    thresholds = [split["leftCategoriesOrThreshold"][0] for split in splits]
    features = [split["featureIndex"] for split in splits]
    counts = np.array(nodes["impurityStats"].to_pylist(), dtype=np.float64)
    return ForestClassifier(
        roots=roots,
        feature=np.asarray(features, dtype=np.int64),
        threshold=np.asarray(thresholds, dtype=np.float64),
        left=np.where(inner, left + first, itself),
        right=np.where(inner, right + first, itself),
        leaves=counts / counts.sum(axis=1, keepdims=True),
    )
