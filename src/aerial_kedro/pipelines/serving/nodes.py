"""Nodes that prepare a model to be served."""

from __future__ import annotations

from aerial_kedro.backbones.artifact import Backbone, feature_key
from aerial_kedro.backbones.engines import EngineChoice, check_engine
from aerial_kedro.classifiers.stored import StoredModel
from aerial_kedro.errors import AerialError
from aerial_kedro.serving.conversion import convert_model
from aerial_kedro.serving.model import ENGINE, ServedCard, ServedModel
from aerial_kedro.tiles.reading import READING_VERSION


def assemble_model(model: StoredModel, backbone: Backbone, choice: EngineChoice) -> ServedModel:
    """Put a stored model and its backbone together, so that they need neither Spark nor torch.

    Parameters
    ----------
    model
        As Spark ML stored it.
    backbone
        Which must be the one that the model was trained on.
    choice
        What computed the features in training. The served model runs on ONNX Runtime in the same
        precision: every engine gives the same features.

    Raises
    ------
    AerialError
        If the model was trained on other features, or ONNX Runtime has no such precision.
    """
    check_engine(ENGINE, choice.precision)
    key = feature_key(backbone.card, choice.engine, choice.precision, READING_VERSION)
    card = model.card
    if card.feature_key != key:
        raise AerialError(
            f"The model {card.name!r} was trained on features {card.feature_key} of the backbone "
            f"{card.backbone!r}; the backbone at hand ({backbone.card.name}, "
            f"{choice.engine}, {choice.precision}) makes {key}. Give its engine and precision, and "
            "export its backbone again with "
            f"`kedro run --pipeline=featurization --params=backbone={card.backbone}` (and the "
            "weights_path it was trained with, if any), or choose another model_name."
        )
    return ServedModel(
        backbone.onnx,
        convert_model(model),
        ServedCard(
            model_name=card.name,
            classifier=card.classifier,
            classes=card.classes,
            column=card.column,
            temperature=card.temperature,
            feature_key=card.feature_key,
            precision=choice.precision,
            backbone=backbone.card,
        ),
    )
