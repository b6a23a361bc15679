"""Trained models by name: a Spark ML pipeline, its card, and what computes its features."""

from __future__ import annotations

import datetime as dt
import json
import logging
from typing import Any

from fsspec.implementations.local import LocalFileSystem
from kedro_datasets._typing import JSONPreview
from pyspark.ml import PipelineModel

from aerial_kedro.cluster import spark
from aerial_kedro.datasets.base import ProjectDataset
from aerial_kedro.datasets.model_folder import CARD, parse_card, read_source, write_source
from aerial_kedro.datasets.registry import Scratch, download, find_version
from aerial_kedro.datasets.spark_stages import read_stages
from aerial_kedro.errors import AerialError
from aerial_kedro.models.address import ModelAddress, parse_address
from aerial_kedro.models.model import ModelCard, TrainedModel

LOGGER = logging.getLogger(__name__)
_LATEST = "/latest.json"


class ModelStoreDataset(ProjectDataset[TrainedModel, TrainedModel]):
    """A folder of trained models, ``<model_name>/`` each.

    Saves under the name given, or a new one from backbone, classifier and time; loads the name
    given, or the one that was saved last. An address in MLflow's registry, ``models:/NAME/VERSION``
    or ``models:/NAME@ALIAS``, is loaded from there. No ready dataset keeps models by name, or a
    Spark pipeline together with what computes its features.

    Parameters
    ----------
    spark_path
        The folder as Spark writes it; None to read models without starting Spark.
    model_name
        Name to save or load.
    overwrite
        Whether a model of that name may be replaced.
    **options
        Options of `ProjectDataset`; the path is the folder, as the Python side writes it.
    """

    def __init__(
        self,
        *,
        spark_path: str | None = None,
        model_name: str | None = None,
        overwrite: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._path = self._path.rstrip("/")
        self._spark_path = None if spark_path is None else spark_path.rstrip("/")
        # The command line reads a name of digits as a number.
        self._model_name = None if model_name is None else str(model_name)
        self._overwrite = overwrite

    def check_name(self) -> None:
        """Refuse a name that is taken, unless it may be overwritten.

        Raises
        ------
        AerialError
            If a model of that name exists, or the name is an address in the registry.
        """
        if self._address is not None:
            raise AerialError(
                f"model_name={self._model_name} is a model of the registry, which is only read: "
                "give the new model a plain name, or leave model_name out. The registry gets a "
                "version with every run."
            )
        if self._model_name and not self._overwrite and self.has(f"/{self._model_name}/{CARD}"):
            raise AerialError(
                f"A model called {self._model_name!r} exists in {self._path}. Choose another "
                "--params=model_name=NAME, or add overwrite=true to replace it."
            )

    def save(self, data: TrainedModel) -> None:
        """Write pipeline and backbone, then the card, then remember it as the latest."""
        if self._spark_path is None or data.stages is None:
            raise ValueError("a model is saved with Spark: give spark_path")
        self.check_name()
        name = self._model_name or _new_name(data.card)
        model = data.with_card(name=name)
        spark.session()
        # The card goes first and comes back last: a folder without one is no model.
        self.remove(f"/{name}/{CARD}")
        data.stages.write().overwrite().save(f"{self._spark_path}/{name}/stages")
        write_source(f"{self._path}/{name}", model.source, self._credentials)
        self.write_bytes(model.card.model_dump_json(indent=2).encode(), f"/{name}/{CARD}")
        self.write_bytes(json.dumps({"model_name": name}).encode(), _LATEST)
        LOGGER.info("Model: %s (%s)", name, data.card.classifier)

    def load(self) -> TrainedModel:
        """Read a model by name or by address in the registry, or the latest.

        Raises
        ------
        AerialError
            If there is no such model, or it is not whole.
        """
        if self._address is not None:
            return self._load_registered(self._address)
        name = self.find()
        card = parse_card(self.read_bytes(f"/{name}/{CARD}"), repr(name))
        source = read_source(f"{self._path}/{name}", card, self._credentials)
        filesystem, folder = self.locate(f"/{name}/stages")
        stored = read_stages(filesystem, folder, f"{name!r} in {self._path}")
        if self._spark_path is None:
            return TrainedModel(None, card, source, stored)
        spark.session()
        stages = PipelineModel.load(f"{self._spark_path}/{name}/stages")
        return TrainedModel(stages, card, source, stored)

    def _load_registered(self, address: ModelAddress) -> TrainedModel:
        with download(address) as (card, source, folder):
            stored = read_stages(LocalFileSystem(), str(folder), card.name)
            if self._spark_path is None:
                return TrainedModel(None, card, source, stored)
            places = f"{self._path}/.registry", f"{self._spark_path}/.registry"
            stages = Scratch(*places, self._credentials).load(folder)
            return TrainedModel(stages, card, source, stored)

    def preview(self) -> JSONPreview:
        """Show the card in the pipeline graph."""
        return JSONPreview(self.read_bytes(f"/{self.find()}/{CARD}").decode())

    @property
    def _address(self) -> ModelAddress | None:
        return parse_address(self._model_name)

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
        if not self.has(f"/{name}/{CARD}"):
            names = sorted(each.split("/")[-2] for each in self.glob(f"/*/{CARD}"))
            raise AerialError(
                f"There is no model called {name!r} in {self._path}. There are: "
                f"{', '.join(names) or 'none'}."
            )
        return name

    def _latest(self) -> str | None:
        if not self.has(_LATEST):
            return None
        return str(json.loads(self.read_bytes(_LATEST))["model_name"])

    def _exists(self) -> bool:
        try:
            return bool(find_version(self._address) if self._address else self.find())
        except AerialError:
            return False


def _new_name(card: ModelCard) -> str:
    now = dt.datetime.now(tz=dt.UTC).strftime("%Y%m%d-%H%M%S")
    return f"{card.backbone}-{card.classifier}-{now}"
