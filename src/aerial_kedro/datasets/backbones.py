"""Backbones: weights in, the ONNX file and its card out."""

from __future__ import annotations

import logging
from typing import Any

from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import JSONPreview
from pydantic import ValidationError

from aerial_kedro.datasets.backbone_files import BackboneFiles
from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Backbone, PendingWeights, Weights
from aerial_kedro.features.known import PACKAGED, digest_weights

LOGGER = logging.getLogger(__name__)
_REMEDY = "Make it with `kedro run --pipeline=featurization`."


class BackboneWeightsDataset(AbstractDataset[None, PendingWeights]):
    """Pretrained weights of a backbone, read when they are needed.

    Parameters
    ----------
    backbone
        Its name.
    weights_path
        A file to take instead of the backbone's own.
    metadata
        For other tools; not read here.
    """

    def __init__(
        self,
        *,
        backbone: str,
        weights_path: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._backbone, self._weights_path = backbone, weights_path
        self.metadata = metadata

    def check_name(self) -> None:
        """Refuse a backbone that nobody knows, before anything runs.

        Raises
        ------
        AerialError
            Naming those there are.
        """
        if self._backbone in PACKAGED:
            return
        from aerial_kedro.features.definitions import define_backbone  # noqa: PLC0415

        define_backbone(self._backbone)

    def load(self) -> PendingWeights:
        """Find the weights."""
        return PendingWeights(digest_weights(self._backbone, self._weights_path), self._read)

    def _read(self) -> Weights:
        # torch takes seconds to import, and only the export needs it.
        from aerial_kedro.features.definitions import define_backbone  # noqa: PLC0415
        from aerial_kedro.features.weights import find_weights  # noqa: PLC0415

        return find_weights(define_backbone(self._backbone), self._weights_path)

    def save(self, data: None) -> None:
        """Weights are an input."""
        raise NotImplementedError("Weights are read, never written.")

    def _describe(self) -> dict[str, Any]:
        return {"backbone": self._backbone, "weights_path": self._weights_path}


class BackboneDataset(AbstractDataset[Backbone, Backbone]):
    """An exported backbone, as `BackboneFiles` lays it down.

    Parameters
    ----------
    path
        Without the ending.
    precision
        That of the run: in int8 ``_int8`` is added to the path, so that both are kept.
    credentials
        Of the storage.
    metadata
        For other tools; not read here.
    """

    def __init__(
        self,
        *,
        path: str,
        precision: str = "fp32",
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        whole = f"{path}_int8" if precision == "int8" else path
        self._files = BackboneFiles(whole, _REMEDY, credentials)
        self.metadata = metadata

    def load(self) -> Backbone:
        """Read the backbone."""
        return self._files.read()

    def save(self, data: Backbone) -> None:
        """Write the backbone."""
        self._files.write(data)

    def preview(self) -> JSONPreview:
        """Show the card in the pipeline graph."""
        return JSONPreview(self._files.read_card().decode())

    def _exists(self) -> bool:
        return self._files.exist()

    def _describe(self) -> dict[str, Any]:
        return {"path": self._files.path}


class StoredBackbonesDataset(AbstractDataset[None, list[Backbone]]):
    """Backbones that earlier runs stored under a path: none, or one that is whole. Read only.

    Parameters
    ----------
    path
        Without the ending.
    credentials
        Of the storage.
    metadata
        For other tools; not read here.
    """

    def __init__(
        self,
        *,
        path: str,
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._stored = BackboneDataset(path=path, credentials=credentials)
        self.metadata = metadata

    def load(self) -> list[Backbone]:
        """Read the backbone, if it is there; a damaged one counts as none."""
        if not self._stored.exists():
            return []
        try:
            return [self._stored.load()]
        except DatasetError as error:
            # Damaged, or written by another version; a storage that is away is no reason.
            if not isinstance(error.__cause__, AerialError | ValidationError):
                raise
            LOGGER.warning("A stored backbone cannot be used: %s", error.__cause__)
            return []

    def save(self, data: None) -> None:
        """Refuse: stored backbones are an input."""
        raise NotImplementedError("Stored backbones are read, never written.")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return self._stored._describe()
