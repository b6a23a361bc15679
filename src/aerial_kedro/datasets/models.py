"""Trained models by name: a Spark ML pipeline, its card, and what computes its features."""

from __future__ import annotations

import datetime as dt
import json
import logging
from typing import Any

import fsspec
from kedro.io import AbstractDataset
from kedro_datasets._typing import JSONPreview
from pyspark.ml import PipelineModel

from aerial_kedro.cluster import spark
from aerial_kedro.datasets.atomic import open_atomic
from aerial_kedro.datasets.model_folder import CARD, parse_card, read_source, write_source
from aerial_kedro.datasets.registry import Scratch, find_version, is_address, load_registered
from aerial_kedro.errors import AerialError
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.models.model import ModelCard, TrainedModel

LOGGER = logging.getLogger(__name__)


class ModelStoreDataset(AbstractDataset[TrainedModel, TrainedModel]):
    """A folder of trained models, ``<model_name>/`` each.

    Saves under the name given, or a new one from backbone, classifier and time; loads the name
    given, or the one that was saved last. An address in MLflow's registry, ``models:/NAME/VERSION``
    or ``models:/NAME@ALIAS``, is loaded from there.

    Parameters
    ----------
    path
        The folder, as the Python side writes it.
    spark_path
        The same folder, as Spark does.
    model_name
        Name to save or load.
    overwrite
        Whether a model of that name may be replaced.
    credentials
        Of the storage.
    metadata
        For other tools; not read here.
    """

    def __init__(
        self,
        *,
        path: str,
        spark_path: str,
        model_name: str | None = None,
        overwrite: bool = False,
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._path, self._spark_path = path.rstrip("/"), spark_path.rstrip("/")
        # The command line reads a name of digits as a number.
        self._model_name = None if model_name is None else str(model_name)
        self._overwrite, self._credentials = overwrite, credentials
        self.metadata = metadata

    def check_name(self) -> None:
        """Refuse a name that is taken, unless it may be overwritten.

        Raises
        ------
        AerialError
            If a model of that name exists, or the name is an address in the registry.
        """
        if is_address(self._model_name):
            raise AerialError(
                f"model_name={self._model_name} is a model of the registry, which is only read: "
                "give the new model a plain name, or leave model_name out. The registry gets a "
                "version with every run."
            )
        if self._model_name and not self._overwrite and self._has(self._model_name):
            raise AerialError(
                f"A model called {self._model_name!r} exists in {self._path}. Choose another "
                "--params=model_name=NAME, or add overwrite=true to replace it."
            )

    def save(self, data: TrainedModel) -> None:
        """Write pipeline and backbone, then the card, then remember it as the latest."""
        self.check_name()
        name = self._model_name or _new_name(data.card)
        model = data.with_card(name=name)
        spark.session()
        # The card goes first and comes back last: a folder without one is no model.
        self._remove(f"{name}/{CARD}")
        model.stages.write().overwrite().save(f"{self._spark_path}/{name}/stages")
        write_source(f"{self._path}/{name}", model.source, self._credentials)
        self._write(f"{name}/{CARD}", model.card.model_dump_json(indent=2))
        self._write("latest.json", json.dumps({"model_name": name}))
        LOGGER.info("Model: %s (%s)", name, data.card.classifier)

    def load(self) -> TrainedModel:
        """Read a model by name or by address in the registry, or the latest; see `find`."""
        if self._model_name is not None and is_address(self._model_name):
            scratch = f"{self._path}/.registry", f"{self._spark_path}/.registry"
            return load_registered(self._model_name, Scratch(*scratch, self._credentials))
        name = self.find()
        spark.session()
        card, source = self.load_parts(name)
        stages = PipelineModel.load(f"{self._spark_path}/{name}/stages")
        return TrainedModel(stages, card, source)

    def find(self) -> str:
        """Return the name of the stored model to load: the one asked for, or the latest.

        Raises
        ------
        AerialError
            If there is none.
        """
        name = self._model_name or self._latest()
        if name is None:
            raise AerialError(
                f"There is no trained model in {self._path} yet. Train one with `kedro run`."
            )
        if not self._has(name):
            raise AerialError(
                f"There is no model called {name!r} in {self._path}. There are: "
                f"{', '.join(self._names()) or 'none'}."
            )
        return name

    def load_parts(self, name: str) -> tuple[ModelCard, FeatureSource]:
        """Read what needs no Spark: the card of a model, and what computes its features."""
        card = parse_card(self._read(f"{name}/{CARD}"), repr(name))
        return card, read_source(f"{self._path}/{name}", card, self._credentials)

    def preview(self) -> JSONPreview:
        """Show the card in the pipeline graph."""
        return JSONPreview(self._read(f"{self._model_name or self._latest()}/{CARD}").decode())

    def _exists(self) -> bool:
        name = self._model_name or self._latest()
        if name is None or not is_address(name):
            return name is not None and self._has(name)
        try:
            return bool(find_version(name))
        except AerialError:
            return False

    def _latest(self) -> str | None:
        if not self._is_file("latest.json"):
            return None
        return str(json.loads(self._read("latest.json"))["model_name"])

    def _has(self, name: str) -> bool:
        return self._is_file(f"{name}/{CARD}")

    def _names(self) -> list[str]:
        filesystem, base = fsspec.core.url_to_fs(self._path, **(self._credentials or {}))
        return sorted(each.split("/")[-2] for each in filesystem.glob(f"{base}/*/{CARD}"))

    def _is_file(self, name: str) -> bool:
        filesystem, base = fsspec.core.url_to_fs(self._path, **(self._credentials or {}))
        return bool(filesystem.exists(f"{base}/{name}"))

    def _remove(self, name: str) -> None:
        filesystem, base = fsspec.core.url_to_fs(self._path, **(self._credentials or {}))
        if filesystem.exists(f"{base}/{name}"):
            filesystem.rm(f"{base}/{name}")

    def _read(self, name: str) -> bytes:
        filesystem, base = fsspec.core.url_to_fs(self._path, **(self._credentials or {}))
        return bytes(filesystem.cat_file(f"{base}/{name}"))

    def _write(self, name: str, text: str) -> None:
        with open_atomic(f"{self._path}/{name}", self._credentials) as file:
            file.write(text.encode())

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path, "model_name": self._model_name}


def _new_name(card: ModelCard) -> str:
    now = dt.datetime.now(tz=dt.UTC).strftime("%Y%m%d-%H%M%S")
    return f"{card.backbone}-{card.classifier}-{now}"
