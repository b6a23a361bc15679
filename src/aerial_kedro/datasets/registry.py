"""MLflow's registry of models: a version with each run, and the best one by an alias."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyspark
from pyspark.ml import PipelineModel

from aerial_kedro.datasets.model_folder import (
    CARD,
    FORMAT,
    parse_card,
    read_applicability,
    read_source,
    write_applicability,
    write_source,
)
from aerial_kedro.errors import AerialError
from aerial_kedro.models.address import ModelAddress
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.models.registration import Registration, RegistrySettings, is_promoted

if TYPE_CHECKING:
    import mlflow
    from mlflow.entities.model_registry import ModelVersion

LOGGER = logging.getLogger(__name__)

STAGES = "sparkml"
"""As MLflow's Spark flavour calls it, so that `mlflow.spark.load_model` reads these as well."""
_SCORE = "validation_macro_f1"
_DATA = "data.fingerprint"
_FORMAT = "format"


def register(data: Registration, run_id: str, folder: Path) -> None:
    """Log a model with MLflow's active run, add a version of it, and move the alias.

    Parameters
    ----------
    data
        The model, and how it is registered.
    run_id
        The active run.
    folder
        Folder of this machine in which its stages lie already (`STAGES`); what else it needs is
        written beside them.
    """
    import mlflow
    from mlflow.exceptions import MlflowException
    from mlflow.models import Model

    card, name = data.model.card, data.settings.name
    artifacts = f"{card.backbone}-{card.classifier}"
    write_source(str(folder), data.model.source)
    write_applicability(str(folder), data.model.applicability)
    (folder / CARD).write_text(card.model_dump_json(indent=2), encoding="utf-8")
    described = Model(artifact_path=artifacts, run_id=run_id)
    kind = f"{PipelineModel.__module__}.{PipelineModel.__qualname__}"
    described.add_flavor(
        "spark", pyspark_version=pyspark.__version__, model_data=STAGES, model_class=kind
    )
    described.save(folder / "MLmodel")
    mlflow.log_artifacts(str(folder), artifacts)
    tags = {"backbone": card.backbone, "classifier": card.classifier, _FORMAT: FORMAT, **data.tags}
    score = card.validation.macro_f1 if card.validation else None
    if score is not None:
        tags[_SCORE] = repr(score)
    client = mlflow.MlflowClient()
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    source = mlflow.get_artifact_uri(artifacts)
    version = client.create_model_version(name, source=source, run_id=run_id, tags=tags)
    _move_alias(data.settings, version, score)


def _move_alias(settings: RegistrySettings, version: ModelVersion, score: float | None) -> None:
    import mlflow

    client = mlflow.MlflowClient()
    held = client.get_registered_model(settings.name).aliases.get(settings.alias)
    former = client.get_model_version(settings.name, held) if held else None
    usable = former is not None and former.tags.get(_FORMAT) == FORMAT
    best = float(former.tags[_SCORE]) if former and usable and _SCORE in former.tags else None
    said = f"Registered: models:/{settings.name}/{version.version}"
    if not is_promoted(score, best, settings):
        LOGGER.info("%s; %r stays with version %s", said, settings.alias, held)
        return
    client.set_registered_model_alias(settings.name, settings.alias, version.version)
    LOGGER.info("%s, now also models:/%s@%s", said, settings.name, settings.alias)
    if former and not usable:
        LOGGER.warning(
            "Version %s, which was %r, is of another version of this project and cannot be loaded",
            held, settings.alias,
        )  # fmt: skip
    elif former and former.tags.get(_DATA) != version.tags.get(_DATA):
        LOGGER.warning(
            "Version %s, which was %r, was validated on other tiles: the two scores say little of "
            "each other",
            held, settings.alias,
        )  # fmt: skip


@contextlib.contextmanager
def download(address: ModelAddress) -> Iterator[tuple[TrainedModel, Path]]:
    """Bring a registered model here for a while.

    Parameters
    ----------
    address
        Address of the model.

    Yields
    ------
    tuple
        The model without its stages, named by the version's own address, and their folder.

    Raises
    ------
    AerialError
        If it is not there or not whole, or is no classifier of tiles.
    """
    import mlflow

    version = find_version(address)
    where = f"models:/{version.name}/{version.version}"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=where, dst_path=temporary))
        if not (folder / CARD).is_file():
            raise AerialError(
                f"{where} is no classifier of tiles: it has no {CARD}. Models of `kedro run` are "
                "versions of the name that the parameter `registry.name` says."
            )
        card = parse_card((folder / CARD).read_bytes(), where).model_copy(update={"name": where})
        source, holds = read_source(str(folder), card), read_applicability(str(folder), card)
        yield TrainedModel((), card, source, holds), folder / STAGES


def find_version(address: ModelAddress) -> ModelVersion:
    """Find the version that an address means.

    Raises
    ------
    AerialError
        If there is none, naming those there are.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    client, name = mlflow.MlflowClient(), address.name
    try:
        if address.alias:
            return client.get_model_version_by_alias(name, address.alias)
        if address.version == "latest":
            found = client.search_model_versions(f"name = '{name}'", max_results=1)
            if found:
                return found[0]
        else:
            return client.get_model_version(name, str(address.version))
    except MlflowException as error:
        if error.error_code not in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
            raise
    raise AerialError(
        f"There is no model {address} in the registry {mlflow.get_registry_uri()}. There are: "
        f"{', '.join(_addresses(client)) or 'none'}."
    )


def _addresses(client: mlflow.MlflowClient) -> list[str]:
    found = []
    for model in client.search_registered_models():
        versions = client.search_model_versions(f"name = '{model.name}'", max_results=20)
        found += [f"models:/{model.name}/{each.version}" for each in versions]
        found += [f"models:/{model.name}@{alias}" for alias in sorted(model.aliases)]
    return found
