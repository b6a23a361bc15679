"""What lies beside a model's stages, in the store of models and in the registry alike."""

import zipfile
from typing import Any

from pydantic import ValidationError

from aerial_kedro.datasets.backbones import BackboneFiles
from aerial_kedro.datasets.base import Place
from aerial_kedro.errors import AerialError
from aerial_kedro.features.engine_choice import EngineChoice
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.models.applicability import Applicability
from aerial_kedro.models.model import ModelCard
from aerial_kedro.tiles.reading import READING_VERSION

CARD = "model.json"
FORMAT = f"2-{READING_VERSION}"
"""Of what lies here, and of how tiles are read: a model of another one cannot be used any more."""
_BACKBONE = "backbone"
_APPLICABILITY = "/applicability.npz"
_REMEDY = "Train the model again."


def parse_card(text: bytes, where: str) -> ModelCard:
    """Read a model's card.

    Parameters
    ----------
    text
        Of the file.
    where
        The model.

    Raises
    ------
    AerialError
        If another version of this project wrote it.
    """
    try:
        return ModelCard.model_validate_json(text)
    except ValidationError as error:
        fields = sorted({str(each["loc"][0]) if each["loc"] else "all" for each in error.errors()})
        raise AerialError(
            f"The card of the model {where} is not of this version of the project (see "
            f"{', '.join(fields)}). {_REMEDY}"
        ) from None


def write_source(
    folder: str, source: FeatureSource, credentials: dict[str, Any] | None = None
) -> None:
    """Write what computes a model's features into its folder."""
    BackboneFiles(f"{folder}/{_BACKBONE}", _REMEDY, credentials).write(source.backbone)


def read_source(
    folder: str, card: ModelCard, credentials: dict[str, Any] | None = None
) -> FeatureSource:
    """Read what computes a model's features from its folder.

    Raises
    ------
    AerialError
        If it is not there or damaged, or makes other features by now.
    """
    try:
        backbone = BackboneFiles(f"{folder}/{_BACKBONE}", _REMEDY, credentials).read()
    except ValidationError:
        raise AerialError(
            f"What the model {card.name!r} says of its backbone is not of this version of the "
            f"project. {_REMEDY}"
        ) from None
    except AerialError as error:
        raise AerialError(f"The model {card.name!r} is not whole. {error}") from None
    source = FeatureSource(backbone, EngineChoice(engine=card.engine, precision=card.precision))
    if source.key != card.feature_key:
        raise AerialError(
            f"The model {card.name!r} was trained on features {card.feature_key}, and what it "
            f"brings makes {source.key}: another version of this project read its tiles, or its "
            f"backbone is another model's. {_REMEDY}"
        )
    return source


def write_applicability(
    folder: str, applicability: Applicability | None, credentials: dict[str, Any] | None = None
) -> None:
    """Write where a model holds into its folder; where that is not known, what lay there goes."""
    place = Place(folder, credentials)
    if applicability is None:
        place.remove(_APPLICABILITY)
    else:
        place.write_bytes(applicability.to_npz(), _APPLICABILITY)


def read_applicability(
    folder: str, card: ModelCard, credentials: dict[str, Any] | None = None
) -> Applicability | None:
    """Read where a model holds; None of one that was stored without.

    Raises
    ------
    AerialError
        If the file is damaged.
    """
    place = Place(folder, credentials)
    if not place.has(_APPLICABILITY):
        return None
    try:
        return Applicability.from_npz(place.read_bytes(_APPLICABILITY))
    except (ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise AerialError(
            f"The model {card.name!r} is not whole: {_APPLICABILITY[1:]} in its folder {folder} "
            f"cannot be read ({error}). {_REMEDY}"
        ) from error
