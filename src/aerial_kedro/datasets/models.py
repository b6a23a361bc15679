"""Trained models by name: a Spark ML pipeline, its card, and what computes its features."""

import contextlib
import datetime as dt
import glob
import json
import logging
import re
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

import fsspec
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem
from kedro_datasets._typing import JSONPreview
from pyspark.ml import PipelineModel

from aerial_kedro.cluster import spark
from aerial_kedro.cluster.paths import literal
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
from aerial_kedro.errors import AerialError
from aerial_kedro.models.address import ModelAddress, parse_address
from aerial_kedro.models.model import ModelCard, StoredStage, TrainedModel
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
        The folder as Spark writes it; None to read models without starting Spark.
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
        if self._spark_path is None or data.stages is None:
            raise ValueError("a model is saved with Spark: give spark_path")
        self.check_name()
        name = self.name_new(data.card)
        model = data.with_card(name=name)
        spark.session()
        # The card goes first and comes back last: a folder without one is no model.
        self.remove(f"/{name}/{CARD}")
        data.stages.write().overwrite().save(f"{self._spark_path}/{name}/stages")
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
        stored = read_stages(filesystem, folder, f"{name!r} in {self._path}")
        if self._spark_path is None:
            return TrainedModel(None, card, source, stored, holds)
        spark.session()
        stages = PipelineModel.load(literal(f"{self._spark_path}/{name}/stages"))
        return TrainedModel(stages, card, source, stored, holds)

    def _register(self, data: Registration, run_id: str) -> None:
        if self._spark_path is None or data.model.stages is None:
            raise ValueError(f"the model {data.model.card.name} was read without Spark")
        with tempfile.TemporaryDirectory() as temporary, self._shared_folder() as name:
            data.model.stages.write().save(f"{self._spark_path}{name}")
            self.fetch_folder(name, Path(temporary, STAGES))
            register(data, run_id, Path(temporary))

    def _load_registered(self, address: ModelAddress) -> TrainedModel:
        with download(address) as (model, folder), self._shared_folder() as name:
            stored = read_stages(LocalFileSystem(), str(folder), model.card.name)
            if self._spark_path is None:
                return replace(model, stored=stored)
            self.write_folder(folder, name)
            spark.session()
            stages = PipelineModel.load(literal(f"{self._spark_path}{name}"))
            return replace(model, stages=stages, stored=stored)

    @contextlib.contextmanager
    def _shared_folder(self) -> Iterator[str]:
        """Name a folder for a while that both Spark's workers and this process see.

        MLflow has one of its own, `dfs_tmpdir`, which works where Spark's default file system is
        the one that all machines share: here the roots are addresses of another.
        """
        name = f"/.registry/{uuid.uuid4().hex}"
        try:
            yield name
        finally:
            self.remove(name)

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


def read_stages(
    filesystem: fsspec.AbstractFileSystem, folder: str, model: str
) -> tuple[StoredStage, ...]:
    """Read the stages of a Spark ML pipeline without Spark.

    Parameters
    ----------
    filesystem, folder
        Where Spark wrote the pipeline.
    model
        Name of the model, for messages.

    Raises
    ------
    AerialError
        If there is none.
    """
    metadata = filesystem.glob(f"{glob.escape(folder)}/stages/*/metadata")
    if not metadata:
        raise AerialError(f"The model {model} has no stages: train it again.")
    stages = [each.rsplit("/", 1)[0] for each in metadata]
    # Spark begins a stage's folder with its number.
    ordered = sorted(stages, key=lambda each: int(each.rsplit("/", 1)[1].split("_")[0]))
    return tuple(_read_stage(filesystem, each) for each in ordered)


def _read_stage(filesystem: fsspec.AbstractFileSystem, folder: str) -> StoredStage:
    (part,) = filesystem.glob(f"{glob.escape(folder)}/metadata/part-*")
    described = json.loads(filesystem.cat_file(part))
    return StoredStage(
        kind=described["class"].rsplit(".", 1)[1],
        settings={**described["defaultParamMap"], **described["paramMap"]},
        table=pq.read_table(f"{folder}/data", filesystem=filesystem),
    )
