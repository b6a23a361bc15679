"""Settings of the classifiers, as `conf/base/training/parameters.yml` gives them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from aerial_kedro.parameters import Record


class ClassifierSettings(Record):
    """What all classifiers have in common.

    Parameters
    ----------
    column
        Column of `tile_features` to learn from.
    class_weights
        Weight tiles so that every class counts the same in training.
    """

    column: Literal["features", "statistics"] = "features"
    class_weights: bool = True


class LogisticRegressionSettings(ClassifierSettings):
    """Multinomial logistic regression on standardised features.

    Parameters
    ----------
    max_iter
        Most iterations of L-BFGS.
    reg_param
        Strength of the penalty.
    elastic_net_param
        0 is ridge, 1 is lasso.
    """

    max_iter: int = Field(gt=0)
    reg_param: float = Field(ge=0)
    elastic_net_param: float = Field(default=0.0, ge=0, le=1)


class RandomForestSettings(ClassifierSettings):
    """Random forest.

    Parameters
    ----------
    num_trees, max_depth
        Size of the forest.
    min_instances_per_node
        Fewest tiles in a leaf.
    max_bins
        Into how many ranges each feature is cut: a split lies between two of them. Spark's own
        default is 32.
    """

    num_trees: int = Field(gt=0)
    max_depth: int = Field(gt=0, le=30)
    min_instances_per_node: int = Field(default=1, gt=0)
    max_bins: int = Field(default=32, ge=2)
