"""Trained models as Spark ML wrote them, read without Spark."""

from __future__ import annotations

import json
from typing import Any

import fsspec
import pyarrow.parquet as pq
from kedro.io import AbstractDataset

from aerial_kedro.classifiers.stored import StoredModel, StoredStage
from aerial_kedro.datasets.models import ModelStoreDataset
from aerial_kedro.errors import AerialError


class StoredModelDataset(AbstractDataset[None, StoredModel]):
    """A model of `ModelStoreDataset` by name, or the latest; no Spark is started to read it.

    Parameters
    ----------
    path
        The folder of models.
    model_name
        Name to load.
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
        self._models = ModelStoreDataset(
            path=path, spark_path=path, model_name=model_name, credentials=credentials
        )
        self.metadata = metadata

    def load(self) -> StoredModel:
        """Read the card and the stages.

        Raises
        ------
        AerialError
            If there is no such model, or its files are not all there.
        """
        name = self._models.find()
        card = self._models.load_card(name)
        filesystem, base = fsspec.core.url_to_fs(self._path, **(self._credentials or {}))
        folders = filesystem.glob(f"{base}/{name}/stages/stages/*/metadata")
        if not folders:
            raise AerialError(f"The model {name!r} in {self._path} has no stages: train it again.")
        stages = [each.rsplit("/", 1)[0] for each in folders]
        # Spark begins a stage's folder with its number.
        ordered = sorted(stages, key=lambda each: int(each.rsplit("/", 1)[1].split("_")[0]))
        return StoredModel(card, tuple(_read_stage(filesystem, each) for each in ordered))

    def save(self, data: None) -> None:
        """Refuse: `ModelStoreDataset` writes models."""
        raise NotImplementedError("Stored models are written by training.")

    def _exists(self) -> bool:
        return self._models.exists()

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path}


def _read_stage(filesystem: fsspec.AbstractFileSystem, folder: str) -> StoredStage:
    (part,) = filesystem.glob(f"{folder}/metadata/part-*")
    described = json.loads(filesystem.cat_file(part))
    return StoredStage(
        kind=described["class"].rsplit(".", 1)[1],
        settings={**described["defaultParamMap"], **described["paramMap"]},
        table=pq.read_table(f"{folder}/data", filesystem=filesystem),
    )
