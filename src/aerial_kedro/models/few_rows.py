"""Classifiers of few rows, fitted without Spark: what they are to Spark ML, the same to all else.

A fit on Spark is hundreds of jobs, each of which costs the same however few its rows are. Of rows
that fit into the driver's memory with ease scikit-learn fits the same two classifiers, in the form
in which Spark ML lays them down: logistic regression of the same loss and penalty, whose optimum is
one, and a forest of the same size over the same ranges, whose trees are other draws.
"""

import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from aerial_kedro.models.settings import (
    ClassifierSettings,
    LogisticRegressionSettings,
    RandomForestSettings,
    stage_parameters,
)
from aerial_kedro.models.stages import (
    CONTINUOUS,
    DENSE,
    FOREST,
    REGRESSION,
    SCALER,
    StoredStage,
)

Floats = NDArray[np.float64]
_LOCK, _PREPARED = threading.Lock(), ExitStack()
_AT_WORK: list[int] = []  # the threads that fit
Given = TypeVar("Given")
Found = TypeVar("Found")
# Of the mean loss; with scikit-learn's own 1e-4 probabilities are off by a thousandth.
_TOLERANCE = 1e-6
_PAIR = 2


def fits_without_spark(settings: ClassifierSettings) -> bool:
    """Whether scikit-learn has this classifier: it has no lasso that is as fast and as exact."""
    return not (isinstance(settings, LogisticRegressionSettings) and settings.elastic_net_param)


def inverse_penalty(penalty: float, weight: float, classes: int) -> float:
    """Give the ``C`` with which scikit-learn's logistic regression has a penalty of Spark ML's.

    Spark's penalty is of the mean loss, scikit-learn's of the sum; and of two classes Spark
    penalises the coefficients of both, which are half of scikit-learn's, and opposite.

    Parameters
    ----------
    penalty
        As Spark ML counts it; 0 for none.
    weight
        What all rows together count.
    classes
        How many classes they are of.
    """
    strength = penalty * weight / (2 if classes == _PAIR else 1)
    return 1 / strength if strength else np.inf


@contextmanager
def fitting() -> Iterator[None]:
    """Prepare the process for small fits: around all of them, since these settings are its own.

    OpenBLAS's threads wait for each other by spinning, which products this small do not repay. And
    that a fit took as many iterations as its settings allow is no news. Two nodes may fit at once
    (Kedro's ``ThreadRunner``): the first prepares, the last puts all back.
    """
    from sklearn.exceptions import ConvergenceWarning

    with _LOCK:
        if not _AT_WORK:
            _PREPARED.enter_context(threadpool_limits(limits=1))
            _PREPARED.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore", ConvergenceWarning)
        _AT_WORK.append(threading.get_ident())
    try:
        yield
    finally:
        with _LOCK:
            _AT_WORK.remove(threading.get_ident())
            if not _AT_WORK:
                _PREPARED.close()


def run_each(run: Callable[[Given], Found], given: Sequence[Given]) -> list[Found]:
    """Run fits that need nothing of each other on the cores there are, within `fitting`.

    Returns
    -------
    list
        What each returns, in the order given.
    """
    workers = min(len(given), len(os.sched_getaffinity(0))) or 1
    # OpenMP's limit is each thread's own.
    limit = partial(threadpool_limits, limits=1)
    with ThreadPoolExecutor(workers, initializer=limit) as pool:
        return list(pool.map(run, given))


def fit_few(
    numbers: Floats,
    labels: Sequence[str],
    weights: Floats,
    settings: ClassifierSettings,
    *,
    classes: Sequence[str],
    seed: int,
) -> tuple[StoredStage, ...]:
    """Fit a classifier without Spark (within `fitting`).

    Parameters
    ----------
    numbers
        ``(n, n_features)``.
    labels
        ``n`` of them, each of the classes at least once.
    weights
        ``(n,)``: what each row counts.
    settings
        Settings of the classifier, for which `fits_without_spark` holds.
    classes
        Class names, at least two; the order of the probabilities.
    seed
        Seed of the forest.
    """
    position = {name: code for code, name in enumerate(classes)}
    codes = np.array([position[each] for each in labels])
    if isinstance(settings, LogisticRegressionSettings):
        return _fit_regression(numbers, codes, weights, settings)
    if isinstance(settings, RandomForestSettings):
        return (_fit_forest(numbers, codes, weights, settings, seed),)
    raise TypeError(f"no classifier has the settings {type(settings).__name__}")


def _fit_regression(
    numbers: Floats,
    codes: NDArray[np.int64],
    weights: Floats,
    settings: LogisticRegressionSettings,
) -> tuple[StoredStage, StoredStage]:
    from sklearn.linear_model import LogisticRegression

    mean, deviation = numbers.mean(axis=0), numbers.std(axis=0, ddof=1)
    if settings.standardise:
        # As Spark has it, a feature that never varied is left out.
        inverse = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 0)
        numbers = (numbers - mean) * inverse
    strength = inverse_penalty(settings.reg_param, weights.sum(), codes.max() + 1)
    model = LogisticRegression(C=strength, max_iter=settings.max_iter, tol=_TOLERANCE)
    model.fit(numbers, codes, sample_weight=weights)
    coefficients, intercepts = model.coef_, model.intercept_
    if len(coefficients) == 1:
        coefficients = np.concatenate([-coefficients, coefficients]) / 2
        intercepts = np.concatenate([-intercepts, intercepts]) / 2
    of_scaler, of_regression = stage_parameters(settings, seed=0)
    scaler = {"std": [_vector(deviation)], "mean": [_vector(mean)]}
    learned = {
        "numClasses": pa.array([len(coefficients)], pa.int32()),
        "numFeatures": pa.array([numbers.shape[1]], pa.int32()),
        "interceptVector": pa.array([_vector(intercepts)], _VECTOR),
        "coefficientMatrix": pa.array([_matrix(coefficients)], _MATRIX),
        "isMultinomial": [True],
    }
    schema = pa.schema([("std", _VECTOR), ("mean", _VECTOR)])
    return (
        StoredStage(
            SCALER,
            of_scaler,
            pa.table(scaler, schema=schema),
        ),
        StoredStage(REGRESSION, of_regression, pa.table(learned)),
    )


_VECTOR = pa.struct(
    [
        ("type", pa.int8()),
        ("size", pa.int32()),
        ("indices", pa.list_(pa.int32())),
        ("values", pa.list_(pa.float64())),
    ]
)
_MATRIX = pa.struct(
    [
        ("type", pa.int8()),
        ("numRows", pa.int32()),
        ("numCols", pa.int32()),
        ("colPtrs", pa.list_(pa.int32())),
        ("rowIndices", pa.list_(pa.int32())),
        ("values", pa.list_(pa.float64())),
        ("isTransposed", pa.bool_()),
    ]
)


def _vector(values: Floats) -> dict[str, Any]:
    return {"type": DENSE, "size": None, "indices": None, "values": values.tolist()}


def _matrix(values: Floats) -> dict[str, Any]:
    rows, columns = values.shape
    return {
        **{"type": DENSE, "numRows": rows, "numCols": columns, "colPtrs": None},
        **{"rowIndices": None, "values": values.ravel().tolist(), "isTransposed": True},
    }


def _fit_forest(
    numbers: Floats,
    codes: NDArray[np.int64],
    weights: Floats,
    settings: RandomForestSettings,
    seed: int,
) -> StoredStage:
    from sklearn.ensemble import RandomForestClassifier

    # Splits lie between ranges that hold equally many rows, as Spark's do; and few ranges are the
    # half of what a forest costs.
    shares = np.arange(1, settings.max_bins) / settings.max_bins
    edges = np.quantile(numbers, shares, axis=0)
    ranges = np.zeros(numbers.shape, dtype=np.float32)
    for edge in edges:
        ranges += numbers > edge
    forest = RandomForestClassifier(
        settings.num_trees,
        max_depth=settings.max_depth,
        min_samples_leaf=settings.min_instances_per_node,
        n_jobs=-1,
        random_state=seed,
    ).fit(ranges, codes, sample_weight=weights)
    trees = [each.tree_ for each in forest.estimators_]
    nodes = pa.concat_arrays([_nodes(each, edges) for each in trees])
    numbered = np.repeat(np.arange(len(trees), dtype=np.int32), [each.node_count for each in trees])
    return StoredStage(
        FOREST,
        stage_parameters(settings, seed)[0],
        pa.table({"treeID": numbered, "nodeData": nodes}),
        {
            "numFeatures": numbers.shape[1],
            "numClasses": int(codes.max()) + 1,
            "numTrees": settings.num_trees,
        },
    )


def _nodes(tree: Any, edges: Floats) -> pa.StructArray:
    """Lay the nodes of a tree over ranges down as Spark does; both number them depth first."""
    left, right = tree.children_left, tree.children_right
    inner = left >= 0
    shares, weight, impurity = tree.value[:, 0], tree.weighted_n_node_samples, tree.impurity
    gain = np.full(len(left), -1.0)
    below = sum(weight[side[inner]] * impurity[side[inner]] for side in (left, right))
    gain[inner] = impurity[inner] - below / weight[inner]
    features = np.where(inner, tree.feature, -1).astype(np.int32)
    # A split between two ranges is at the edge between them.
    at = edges[np.floor(tree.threshold[inner]).astype(int), features[inner]]
    splits = pa.StructArray.from_arrays(
        [
            pa.array(features),
            pa.ListArray.from_arrays(np.append(0, inner.cumsum()).astype(np.int32), at),
            pa.array(np.full(len(left), CONTINUOUS, dtype=np.int32)),
        ],
        ["featureIndex", "leftCategoriesOrThreshold", "numCategories"],
    )
    offsets = np.arange(len(left) + 1, dtype=np.int32) * shares.shape[1]
    columns = {
        "id": np.arange(len(left), dtype=np.int32),
        "prediction": shares.argmax(axis=1).astype(np.float64),
        "impurity": impurity,
        "impurityStats": pa.ListArray.from_arrays(offsets, (shares * weight[:, None]).ravel()),
        "rawCount": tree.n_node_samples.astype(np.int64),
        "gain": gain,
        "leftChild": left.astype(np.int32),
        "rightChild": right.astype(np.int32),
        "split": splits,
    }
    return pa.StructArray.from_arrays([pa.array(each) for each in columns.values()], list(columns))
