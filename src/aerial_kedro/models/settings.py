"""Settings of the classifiers: of one each to train, and of a grid of them to compare.

`conf/base/training/parameters.yml` gives the former, `conf/base/compare_models/parameters.yml` the
latter.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator

from aerial_kedro.errors import AerialError
from aerial_kedro.parameters import CheckedModel, Items, describe_problems

# They become namespaces of the pipeline, in which a dot separates.
_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]


class ClassifierSettings(CheckedModel):
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
    """Multinomial logistic regression.

    Parameters
    ----------
    max_iter
        Most iterations of L-BFGS.
    reg_param
        Strength of the penalty.
    elastic_net_param
        0 is ridge, 1 is lasso.
    standardise
        Whether features are scaled to deviation 1 first.
    """

    max_iter: int = Field(gt=0)
    reg_param: float = Field(ge=0)
    elastic_net_param: float = Field(default=0.0, ge=0, le=1)
    standardise: bool = True


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


# Counts of the nodes that are split in one pass over the tiles; Spark's own default is 256. On
# 44,000 tiles 128 was no slower than 512 (one run of each).
_FOREST_MEMORY_MB = 128


def stage_parameters(settings: ClassifierSettings, seed: int) -> tuple[dict[str, Any], ...]:
    """Give the parameters of a classifier's stages, as Spark ML names them.

    The first stage reads ``vector``; the last reads ``label_index`` and ``weight`` as well, and
    writes ``model_probability, model_prediction``.

    Parameters
    ----------
    settings
        Settings of the classifier, whose type says which it is.
    seed
        Seed of the forest.

    Returns
    -------
    tuple
        Of logistic regression those of a standard scaler and its own, of a forest its own.
    """
    common = {
        "labelCol": "label_index",
        "weightCol": "weight",
        "probabilityCol": "model_probability",
        "predictionCol": "model_prediction",
    }
    if isinstance(settings, LogisticRegressionSettings):
        scales = {"withMean": settings.standardise, "withStd": settings.standardise}
        scaler = {"inputCol": "vector", "outputCol": "scaled", **scales}
        regression = {
            "featuresCol": "scaled",
            "family": "multinomial",
            "maxIter": settings.max_iter,
            "regParam": settings.reg_param,
            "elasticNetParam": settings.elastic_net_param,
            "standardization": False,
        }
        return scaler, {**regression, **common}
    if isinstance(settings, RandomForestSettings):
        forest = {
            "featuresCol": "vector",
            "numTrees": settings.num_trees,
            "maxDepth": settings.max_depth,
            "minInstancesPerNode": settings.min_instances_per_node,
            "maxBins": settings.max_bins,
            "impurity": "gini",
            "maxMemoryInMB": _FOREST_MEMORY_MB,
            "cacheNodeIds": True,
            "seed": seed,
        }
        return ({**forest, **common},)
    raise TypeError(f"no classifier has the settings {type(settings).__name__}")


class Grid(CheckedModel):
    """What `conf/base/compare_models/parameters.yml` holds.

    Parameters
    ----------
    backbones
        Their names; ``A/B`` is read as two (`--params` splits at commas).
    logistic_regression, random_forest
        Settings of the classifier by a name of one's own choice. None takes a setting out that
        another file of the configuration put in.
    """

    backbones: Annotated[tuple[_Name, ...], Items] = Field(min_length=1)
    logistic_regression: dict[_Name, LogisticRegressionSettings | None] = Field(default={})
    random_forest: dict[_Name, RandomForestSettings | None] = Field(default={})

    @field_validator("backbones")
    @classmethod
    def _names_each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"named twice: {', '.join(twice)}")
        return names

    def combinations(self, classifier: str) -> list[tuple[str, str]]:
        """List what is trained on each backbone's features, in the order of the files.

        Each is a classifier and the name of its settings.

        Parameters
        ----------
        classifier
            The run parameter: ``logistic_regression``, ``random_forest`` or else both.

        Examples
        --------
        >>> grid = Grid.model_validate(
        ...     {"backbones": "a/b", "random_forest": {"deep": {"num_trees": 9, "max_depth": 9}}}
        ... )
        >>> grid.combinations("both")
        [('random_forest', 'deep')]
        """
        groups: dict[str, Mapping[str, Any]] = {
            "logistic_regression": self.logistic_regression,
            "random_forest": self.random_forest,
        }
        return [
            (name, setting)
            for name, settings in groups.items()
            if classifier == name or classifier not in groups
            for setting, values in settings.items()
            if values is not None
        ]


def check_grid(given: Mapping[str, Any], classifier: str) -> Grid:
    """Check the group of parameters `compare_models`.

    Parameters
    ----------
    given
        As the configuration gives it.
    classifier
        The run parameter of that name.

    Raises
    ------
    AerialError
        Naming each parameter that makes no sense, or if there is nothing to compare.
    """
    try:
        grid = Grid.model_validate(given)
    except ValidationError as error:
        problems = describe_problems(error, "compare_models")
        raise AerialError(
            "The run cannot start:\n  "
            + "\n  ".join(problems)
            + "\nThe grid is in conf/base/compare_models/parameters.yml."
        ) from None
    if not grid.combinations(classifier):
        raise AerialError(
            f"The run cannot start: with classifier={classifier} the grid compare_models has no "
            "classifier. Give compare_models.logistic_regression or compare_models.random_forest "
            "a setting."
        )
    return grid
