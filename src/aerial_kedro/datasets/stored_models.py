"""Trained models as Spark ML wrote them, read without Spark."""

from __future__ import annotations

import json
from typing import Any

import fsspec
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem
from kedro.io import AbstractDataset

from aerial_kedro.datasets.models import ModelStoreDataset
from aerial_kedro.datasets.registry import download, is_address
from aerial_kedro.errors import AerialError
from aerial_kedro.models.stored import StoredModel, StoredStage


class StoredModelDataset(AbstractDataset[None, StoredModel]):
    """A model of `ModelStoreDataset`, or of the registry; no Spark is started to read it.

    Parameters
    ----------
    path
        The folder of models.
    model_name
        Name or address to load; None for the latest.
    credentials
        Of the storage.
    metadata
        For other tools; not read here.
    """

    def __init__(
        self,
        *,
        path: str,
        model_name: str | None = None,
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._path, self._credentials = path.rstrip("/"), credentials
        self._model_name = None if model_name is None else str(model_name)
        self._models = ModelStoreDataset(
            path=path, spark_path=path, model_name=model_name, credentials=credentials
        )
        self.metadata = metadata

    def load(self) -> StoredModel:
        """Read the card, the stages and what computes the features.

        Raises
        ------
        AerialError
            If there is no such model, or its files are not all there.
        """
        if self._model_name is not None and is_address(self._model_name):
            with download(self._model_name) as (card, source, folder):
                stages = _read_stages(LocalFileSystem(), str(folder), card.name)
                return StoredModel(card, stages, source)
        name = self._models.find()
        card, source = self._models.load_parts(name)
        filesystem, base = fsspec.core.url_to_fs(self._path, **(self._credentials or {}))
        stages = _read_stages(filesystem, f"{base}/{name}/stages", f"{name!r} in {self._path}")
        return StoredModel(card, stages, source)

    def save(self, data: None) -> None:
        """Refuse: `ModelStoreDataset` writes models."""
        raise NotImplementedError("Stored models are written by training.")

    def _exists(self) -> bool:
        return self._models.exists()

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path}


def _read_stages(
    filesystem: fsspec.AbstractFileSystem, folder: str, model: str
) -> tuple[StoredStage, ...]:
    metadata = filesystem.glob(f"{folder}/stages/*/metadata")
    if not metadata:
        raise AerialError(f"The model {model} has no stages: train it again.")
    stages = [each.rsplit("/", 1)[0] for each in metadata]
    # Spark begins a stage's folder with its number.
    ordered = sorted(stages, key=lambda each: int(each.rsplit("/", 1)[1].split("_")[0]))
    return tuple(_read_stage(filesystem, each) for each in ordered)


def _read_stage(filesystem: fsspec.AbstractFileSystem, folder: str) -> StoredStage:
    (part,) = filesystem.glob(f"{folder}/metadata/part-*")
    described = json.loads(filesystem.cat_file(part))
    return StoredStage(
        kind=described["class"].rsplit(".", 1)[1],
        settings={**described["defaultParamMap"], **described["paramMap"]},
        table=pq.read_table(f"{folder}/data", filesystem=filesystem),
    )
