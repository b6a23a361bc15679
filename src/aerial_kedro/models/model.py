"""A trained classifier and the card that says what it is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import pandas as pd
from pydantic import Field
from pyspark.ml import PipelineModel
from pyspark.ml.functions import vector_to_array
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.pandas.functions import pandas_udf

from aerial_kedro.accuracy.calibration import LEAST_PROBABILITY
from aerial_kedro.accuracy.evaluation import Evaluation
from aerial_kedro.cells.describe import CellInputs
from aerial_kedro.errors import AerialError
from aerial_kedro.features.grain import Grain
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.models.applicability import Applicability
from aerial_kedro.models.classifiers import Classifier
from aerial_kedro.models.prediction import PREDICTED_COLUMNS, predict_numbers
from aerial_kedro.models.spark_fits import add_vectors
from aerial_kedro.models.stages import StoredStage, convert_stages
from aerial_kedro.parameters import CheckedModel
from aerial_kedro.tiles.catalog import ddl

Stages = PipelineModel | tuple[StoredStage, ...]
"""A fitted pipeline: Spark's own, or as Spark ML lays it down."""

# Tiles with corners in degrees have sides that differ a little; so little shows no other ground.
_SAME_SIZE = 0.05


class ModelCard(CheckedModel):
    """What is known of a trained classifier.

    Parameters
    ----------
    name
        Name under which it is stored; empty until it is.
    classifier
        ``logistic_regression`` or ``random_forest``.
    classes
        Class names, in the order of its probabilities.
    column
        The column of `tile_features` that it reads.
    feature_key, backbone, engine, precision
        Features that it was trained on, and what computed them: it fits no others.
    settings
        Settings of the classifier.
    seed
        Seed of training.
    training_tiles
        Number of training tiles.
    tile_size_m
        Side of the tiles on the ground; None where they had no coordinates.
    gsd_m
        Metres of ground that a pixel of the network's input covered; None where the tiles had no
        coordinates.
    temperature
        Temperature of its probabilities (`aerial_kedro.accuracy.calibration`), fitted on tiles of
        the training and validation splits that the fold's model had not seen.
    validation
        Accuracy on the validation split.
    cells
        How it reads cells, where it classifies those; None of a classifier of tiles.
    """

    name: str = ""
    classifier: str
    classes: list[str]
    column: str
    feature_key: str
    backbone: str
    engine: str
    precision: str
    settings: dict[str, Any]
    seed: int
    training_tiles: int
    tile_size_m: float | None = Field(default=None, gt=0)
    gsd_m: float | None = Field(default=None, gt=0)
    temperature: float = Field(default=1.0, gt=0)
    validation: Evaluation | None = None
    cells: CellInputs | None = None


@dataclass(frozen=True)
class TrainedModel:
    """A fitted classifier with its card.

    Parameters
    ----------
    stages
        The fitted pipeline: in Spark, where it was fitted there and is not stored yet, else as
        Spark ML lays it down.
    card
        Description of the model.
    source
        What computes the features that it reads.
    applicability
        Where the model holds; None of one that was trained before this was known, or whose
        training data were too few to say.
    """

    stages: Stages
    card: ModelCard
    source: FeatureSource
    applicability: Applicability | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # Frozen, and half of it lives in the JVM: handing it from node to node needs no copy.
        return self

    def with_card(self, **changes: Any) -> Self:
        """Return the same model with a changed card."""
        return replace(self, card=self.card.model_copy(update=changes))

    def with_tile_size(self, tile_size_m: float | None) -> Self:
        """Return the same model whose card knows how large its tiles, and so its pixels, are."""
        size = self.source.backbone.card.input_size
        pixel_m = None if tile_size_m is None else Grain(tile_size_m).pixel_m(size)
        return self.with_card(tile_size_m=tile_size_m, gsd_m=pixel_m)

    def check_features(self, source: FeatureSource) -> None:
        """Refuse features that the model was not trained on.

        Parameters
        ----------
        source
            What computed the features.

        Raises
        ------
        AerialError
            If its key is another than the card's.
        """
        if self.card.feature_key != source.key:
            sizes = {each.backbone.card.input_size for each in (self.source, source)}
            pixel_m = self.card.gsd_m
            asked = "" if pixel_m is None or len(sizes) == 1 else f", gsd_m={pixel_m:.4g} included"
            raise AerialError(
                f"The model {self.card.name!r} was trained on features {self.card.feature_key}; "
                f"this run's are {source.key}. What differs: "
                f"{'; '.join(self.source.differences(source))}. Map the scenes with what the model "
                "brings (--pipeline=score_scenes), compute its features (--pipeline=featurization "
                f"with the same parameters and scenes{asked}), or train a model on these "
                "(--pipeline=training)."
            )

    def check_grain(self, grain: str) -> None:
        """Refuse a model of tiles for cells, and the reverse.

        Parameters
        ----------
        grain
            What is to be classified: ``cell`` or ``tile``.

        Raises
        ------
        AerialError
            If the model classifies the other.
        """
        own = "tile" if self.card.cells is None else "cell"
        if own == grain:
            return
        what = {"cell": "cells, not their tiles", "tile": "tiles, not their cells"}
        raise AerialError(
            f"The model {self.card.name!r} classifies {what[own]}. Choose one that a run on scenes "
            f"with grain={grain} has trained (--params=model_name=NAME), or map with "
            f"--params=grain={own}."
        )

    def remark_on_tile_size(self, tiles: DataFrame) -> str | None:
        """Return a warning where tiles are of another size than those that it learned from.

        Every tile fills the network's input, so that half a tile shows fields twice as large: the
        model gives answers, and what is known of its accuracy does not hold for them.

        Parameters
        ----------
        tiles
            As `find_tile_size` takes them.
        """
        learned = self.card.tile_size_m
        found = None if learned is None else find_tile_size(tiles)
        if learned is None or found is None or math.isclose(learned, found, rel_tol=_SAME_SIZE):
            return None
        return (
            f"The model {self.card.name!r} learned from tiles of {learned:g} m and these are of "
            f"{found:g} m: its accuracy was measured on the former. Give tiles as large (of scenes "
            f"with --params=tile_size_m={learned:g}), or train a model on tiles of this size."
        )

    def predict(self, rows: DataFrame) -> DataFrame:
        """Add ``pred_label``, its ``probability`` and all ``class_probabilities``.

        Parameters
        ----------
        rows
            With the feature column that the card names.

        Returns
        -------
        DataFrame
            The rows; the probabilities are in the order of the card's classes.
        """
        card = self.card
        if isinstance(self.stages, PipelineModel):
            vectors = add_vectors(rows, card.column)
            found = predict_vectors(self.stages, vectors, card.classes, card.temperature)
            return found.drop("vector")
        classifier = self.to_numpy()

        def run(numbers: pd.Series) -> pd.DataFrame:
            return predict_numbers(numbers, classifier, card.classes, card.temperature)

        # Its stubs know nothing of functions that return a frame.
        predict: Any = pandas_udf(run, ddl(PREDICTED_COLUMNS))  # type: ignore[call-overload]
        return rows.withColumn("predicted", predict(card.column)).select(
            *rows.columns, *[f"predicted.{name}" for name in PREDICTED_COLUMNS]
        )

    def to_numpy(self) -> Classifier:
        """Convert the classifier, without its calibration, to one that needs no Spark.

        Raises
        ------
        ValueError
            If it was fitted on Spark and is not stored yet.
        AerialError
            If it is none of the classifiers that are trained here.
        """
        if isinstance(self.stages, PipelineModel):
            raise ValueError(f"the model {self.card.name!r} is still Spark's: store it first")
        return convert_stages(self.stages, self.card.name)


def predict_vectors(
    stages: PipelineModel, rows: DataFrame, classes: Sequence[str], temperature: float = 1.0
) -> DataFrame:
    """Apply a pipeline of Spark's; see `TrainedModel.predict`.

    Parameters
    ----------
    stages
        The fitted pipeline.
    rows
        With ``vector``.
    classes
        Class names, in the order of the pipeline's probabilities.
    temperature
        Temperature by which the probabilities are scaled.
    """
    kept = rows.columns
    scored = stages.transform(rows)
    chances = _scaled(vector_to_array(F.col("model_probability")), temperature)
    names = F.array(*[F.lit(name) for name in classes])
    return (
        scored.withColumn("class_probabilities", chances)
        .withColumn("pred_label", names[F.col("model_prediction").cast("int")])
        .withColumn("probability", F.array_max("class_probabilities"))
        .select(*kept, "pred_label", "probability", "class_probabilities")
    )


def find_tile_size(tiles: DataFrame) -> float | None:
    """Find the side of tiles on the ground in metres: the median of those that have coordinates.

    Parameters
    ----------
    tiles
        ``epsg, xmin, ymin, xmax, ymax``, in metres.
    """
    located = tiles.filter("epsg is not null")
    # The mean of both sides: where a square stands askew, one gains what the other loses.
    side = (F.col("xmax") - F.col("xmin") + F.col("ymax") - F.col("ymin")) / 2
    found = located.agg(F.median(side).alias("size_m")).first()
    return float(found["size_m"]) if found and found["size_m"] is not None else None


def _scaled(probabilities: Column, temperature: float) -> Column:
    """Do what `scale_probabilities` does, on a Spark column."""
    powers = F.transform(
        probabilities, lambda p: F.pow(F.greatest(p, F.lit(LEAST_PROBABILITY)), 1 / temperature)
    )
    total = F.aggregate(powers, F.lit(0.0), lambda sum_, p: sum_ + p)
    return F.transform(powers, lambda p: p / total)
