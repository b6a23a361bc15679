"""Classifiers in numpy: the same probabilities as Spark ML's from the same numbers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class LinearClassifier:
    """Multinomial logistic regression on standardised features.

    Parameters
    ----------
    mean, scale
        ``(n_features,)``: a feature enters as ``(feature - mean) * scale``.
    coefficients
        ``(classes, n_features)``.
    intercepts
        ``(classes,)``.
    """

    mean: Floats
    scale: Floats
    coefficients: Floats
    intercepts: Floats

    def probabilities(self, features: Floats) -> Floats:
        """Probabilities, ``(n, classes)``, of features, ``(n, n_features)``."""
        from scipy.special import softmax

        scores = (features - self.mean) * self.scale @ self.coefficients.T + self.intercepts
        return np.asarray(softmax(scores, axis=1))


@dataclass(frozen=True)
class ForestClassifier:
    """Random forest, all trees in one set of arrays.

    Parameters
    ----------
    roots
        ``(trees,)``: the node that each tree begins with.
    feature, threshold
        ``(nodes,)``: a tile goes left where its feature is at most the threshold.
    left, right
        ``(nodes,)``: the next node; a leaf's is itself.
    leaves
        ``(nodes, classes)``: shares of the classes among the training tiles of a node.
    """

    roots: Integers
    feature: Integers
    threshold: Floats
    left: Integers
    right: Integers
    leaves: Floats

    def probabilities(self, features: Floats) -> Floats:
        """Probabilities, ``(n, classes)``: the mean of the leaves that a tile falls into."""
        rows = np.arange(len(features))[:, None]
        nodes = np.broadcast_to(self.roots, (len(features), len(self.roots)))
        while True:
            goes_left = features[rows, self.feature[nodes]] <= self.threshold[nodes]
            further = np.where(goes_left, self.left[nodes], self.right[nodes])
            if np.array_equal(further, nodes):
                return np.asarray(self.leaves[nodes].mean(axis=1))
            nodes = further


Classifier = LinearClassifier | ForestClassifier
