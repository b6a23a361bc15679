"""Trained models by name: a Spark ML pipeline, its card, and what computes its features."""

import datetime as dt
import json
import logging
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from fsspec.implementations.local import LocalFileSystem
from kedro_datasets._typing import JSONPreview
from pyspark.ml import PipelineModel

from aerial_kedro.datasets.base import PathOptions, ProjectDataset
from aerial_kedro.datasets.model_folder import (
    CARD,
    parse_card,
    read_applicability,
    read_source,
    write_applicability,
    write_source,
)
from aerial_kedro.datasets.registry import STAGES, download, find_version, register
from aerial_kedro.datasets.spark_stages import read_stages, write_stages
from aerial_kedro.errors import AerialError
from aerial_kedro.models.address import ModelAddress, parse_address
from aerial_kedro.models.model import ModelCard, Stages, TrainedModel
from aerial_kedro.models.registration import Registration

LOGGER = logging.getLogger(__name__)
_LATEST = "/latest.json"


class ModelStoreDataset(ProjectDataset[TrainedModel | Registration, TrainedModel]):
    """A folder of trained models, ``<model_name>/`` each, and the way to MLflow's registry.

    Saves under the name given, the card's where no model has it, or a new one from backbone,
    classifier and time; loads the name given, or the one that was saved last. An address in
    MLflow's registry, ``models:/NAME/VERSION`` or ``models:/NAME@ALIAS``, is loaded from there, and
    a `Registration` saved there, if MLflow has an active run to add it to. No ready dataset keeps
    models by name, or a Spark pipeline together with what computes its features; kedro-mlflow's
    know no alias.

    Parameters
    ----------
    spark_path
        The folder as Spark writes it; None where models are only read.
    model_name
        Name to save or load.
    overwrite
        Whether a model of that name may be replaced.
    registry
        Parameters ``registry``, for an entry that stands for the version that has the alias.
    remedy
        What to do where there is no such model.
    **options
        Options of `ProjectDataset`; the path is the folder, as the Python side writes it.
    """

    def __init__(
        self,
        *,
        spark_path: str | None = None,
        model_name: str | None = None,
        overwrite: bool = False,
        registry: dict[str, Any] | None = None,
        remedy: str = "Train one with `kedro run`.",
        **options: Unpack[PathOptions],
    ) -> None:
        super().__init__(**options)
        self._path, self._remedy = self._path.rstrip("/"), remedy.strip()
        self._spark_path = None if spark_path is None else spark_path.rstrip("/")
        # The command line reads a name of digits as a number.
        self._model_name = None if model_name is None else str(model_name)
        if registry:
            self._model_name = f"models:/{registry['name']}@{registry['alias']}"
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

    def save(self, data: TrainedModel | Registration) -> None:
        """Write pipeline and backbone, then the card, then remember it as the latest."""
        if isinstance(data, Registration):
            import mlflow

            run = mlflow.active_run()
            if run:
                self._register(data, run.info.run_id)
            return
        self.check_name()
        name = self.name_new(data.card)
        model = data.with_card(name=name)
        # The card goes first and comes back last: a folder without one is no model.
        self.remove(f"/{name}/{CARD}")
        self._write_stages(data.stages, f"/{name}/stages")
        write_source(f"{self._path}/{name}", model.source, self._credentials)
        write_applicability(f"{self._path}/{name}", model.applicability, self._credentials)
        self.write_bytes(model.card.model_dump_json(indent=2).encode(), f"/{name}/{CARD}")
        self.write_bytes(json.dumps({"model_name": name}).encode(), _LATEST)
        LOGGER.info("Model: %s (%s)", name, data.card.classifier)

    def name_new(self, card: ModelCard) -> str:
        """Name the folder that a model with this card is saved in."""
        if self._model_name:
            return self._model_name
        if card.name and not self.has(f"/{card.name}/{CARD}"):
            return card.name
        now = dt.datetime.now(tz=dt.UTC).strftime("%Y%m%d-%H%M%S")
        backbone = re.sub(r"[^A-Za-z0-9_-]+", "-", card.backbone)  # timm/vit_…dinov3.sat493m
        return f"{backbone}-{card.classifier}-{now}"

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
        own = f"{self._path}/{name}"
        source = read_source(own, card, self._credentials)
        holds = read_applicability(own, card, self._credentials)
        filesystem, folder = self.locate(f"/{name}/stages")
        stages = read_stages(filesystem, folder, f"{name!r} in {self._path}")
        return TrainedModel(stages, card, source, holds)

    def _write_stages(self, stages: Stages, name: str) -> None:
        if not isinstance(stages, PipelineModel):
            filesystem, folder = self.locate(name)
            write_stages(filesystem, folder, stages)
        elif self._spark_path is None:
            raise ValueError("a model that Spark fitted is written by Spark: give spark_path")
        else:
            stages.write().overwrite().save(f"{self._spark_path}{name}")

    def _register(self, data: Registration, run_id: str) -> None:
        if isinstance(data.model.stages, PipelineModel):
            raise ValueError(f"the model {data.model.card.name!r} is not stored yet")
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            write_stages(LocalFileSystem(), str(folder / STAGES), data.model.stages)
            register(data, run_id, folder)

    def _load_registered(self, address: ModelAddress) -> TrainedModel:
        with download(address) as (model, folder):
            stages = read_stages(LocalFileSystem(), str(folder), model.card.name)
            return replace(model, stages=stages)

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
        name = self._model_name
        if not name and self.has(_LATEST):
            name = str(json.loads(self.read_bytes(_LATEST))["model_name"])
        if not name:
            raise AerialError(f"There is no trained model in {self._path} yet. {self._remedy}")
        if not self.has(f"/{name}/{CARD}"):
            names = sorted(each.split("/")[-2] for each in self.glob(f"/*/{CARD}"))
            raise AerialError(
                f"There is no model called {name!r} in {self._path}. There are: "
                f"{', '.join(names) or 'none'}. {self._remedy}"
            )
        return name

    def _exists(self) -> bool:
        try:
            return bool(find_version(self._address) if self._address else self.find())
        except AerialError:
            return False
