"""From a trained model to one that is served with numpy."""

from aerial_kedro.models.model import TrainedModel
from aerial_kedro.models.serving.model import ENGINE, ServedCard, ServedModel


def assemble_model(model: TrainedModel) -> ServedModel:
    """Put a stored model and its backbone together, so that they need neither Spark nor torch.

    Parameters
    ----------
    model
        A stored model. What is served runs on ONNX Runtime in the precision of training: every
        engine gives the same features.

    Raises
    ------
    AerialError
        If ONNX Runtime has no such precision, or the classifier runs on Spark only.
    """
    card, source = model.card, model.source
    source.check_engine(card.name, ENGINE)
    return ServedModel(
        source.backbone.onnx,
        model.to_numpy(),
        ServedCard(
            model_name=card.name,
            classifier=card.classifier,
            classes=card.classes,
            column=card.column,
            temperature=card.temperature,
            feature_key=card.feature_key,
            precision=source.choice.precision,
            backbone=source.backbone.card,
        ),
        model.applicability,
    )
