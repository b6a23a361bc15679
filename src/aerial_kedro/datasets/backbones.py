"""Backbones: files of weights in; the ONNX file, its card and what runs it out."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kedro_datasets._typing import JSONPreview
from pydantic import ValidationError

from aerial_kedro.datasets.backbone_files import BackboneFiles
from aerial_kedro.datasets.base import ProjectDataset
from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Backbone, WeightsFile
from aerial_kedro.features.known import PACKAGED
from aerial_kedro.features.source import EngineChoice, FeatureSource
from aerial_kedro.features.weight_files import find_weights

LOGGER = logging.getLogger(__name__)
_REMEDY = "Make it with `kedro run --pipeline=featurization`."
_CHOICE = "_source.json"


class BackboneWeightsDataset(ProjectDataset[None, WeightsFile]):
    """The file of a backbone's pretrained weights, and what earlier runs made of such files.

    The weights are given, a package's or torchvision's; no ready dataset knows packages and
    published hashes. Stored backbones come along, since Kedro lets no node read what it writes.

    Parameters
    ----------
    backbone
        Name of the backbone.
    weights_path
        File to take instead of the backbone's own.
    **options
        Options of `ProjectDataset`; the path is where `FeatureSourceDataset` stores backbones.
    """

    not_saved = "Weights are read, never written."

    def __init__(self, *, backbone: str, weights_path: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._backbone, self._weights_path = backbone, weights_path

    def check_name(self) -> None:
        """Refuse an unknown backbone before anything runs.

        Raises
        ------
        AerialError
            Naming those there are.
        """
        if self._backbone in PACKAGED:
            return
        from aerial_kedro.features.definitions import define_backbone  # noqa: PLC0415

        define_backbone(self._backbone)

    def load(self) -> WeightsFile:
        """Find and read the file (`find_weights`) and the backbones that are stored."""
        weights = find_weights(self._backbone, self._weights_path)
        return replace(weights, stored=tuple(self._stored()))

    def _stored(self) -> Iterator[Backbone]:
        """Read those that are there; a damaged one counts as none, with a warning."""
        for ending in ("", "_int8") if self._path else ():
            files = BackboneFiles(f"{self._path}{ending}", _REMEDY, self._credentials)
            try:
                if files.exist():
                    yield files.read()
            # Damaged, or written by another version; a storage that is away is no reason.
            except (AerialError, ValidationError) as error:
                LOGGER.warning("A stored backbone cannot be used: %s", error)

    def _exists(self) -> bool:
        return True


class FeatureSourceDataset(ProjectDataset[FeatureSource, FeatureSource]):
    """What computes the features, as files: the backbone (`BackboneFiles`), and what runs it.

    In int8 the quantized backbone lies beside the export it was made from. A ready dataset would
    write one file, and pickle.

    Parameters
    ----------
    **options
        Options of `ProjectDataset`. The path is without an ending: ``<path>.onnx`` and ``.json``,
        in int8 also ``<path>_int8.onnx`` and ``.json``, and ``<path>_source.json``.
    """

    def load(self) -> FeatureSource:
        """Read the backbone and what runs it.

        Raises
        ------
        AerialError
            If a file is not there or cannot be read, or the files do not belong together.
        """
        if not self._exists():
            raise AerialError(
                f"There is no backbone at {self._path}.onnx, or not all that belongs to it "
                f"(.json, {_CHOICE}). {_REMEDY}"
            )
        try:
            record = json.loads(self.read_bytes(_CHOICE))
            key = record.pop("feature_key")
            choice, exported = EngineChoice.model_validate(record), self._files("").read()
            quantized = self._files("_int8").read() if choice.precision == "int8" else None
        # pydantic's and json's errors are values'.
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            reason = " ".join(str(error).split())
            raise AerialError(
                f"{self._path}{_CHOICE} or a card beside it cannot be read ({reason}): it is "
                f"damaged, or another version of this project wrote it. {_REMEDY}"
            ) from error
        source = FeatureSource(quantized or exported, choice, exported if quantized else None)
        if source.key != key:
            raise AerialError(
                f"{self._path}{_CHOICE} is of features {key}, and the files beside it make "
                f"{source.key}: another version of this project wrote them. {_REMEDY}"
            )
        return source

    def save(self, data: FeatureSource) -> None:
        """Write the backbone, then what runs it."""
        self._files("").write(data.exported or data.backbone)
        if data.exported is not None:
            self._files("_int8").write(data.backbone)
        record = {"feature_key": data.key, **data.choice.model_dump()}
        self.write_bytes(json.dumps(record, indent=2).encode(), _CHOICE)

    def preview(self) -> JSONPreview:
        """Show the backbone's card in the pipeline graph."""
        return JSONPreview(self.load().backbone.card.model_dump_json(indent=2))

    def _files(self, ending: str) -> BackboneFiles:
        return BackboneFiles(f"{self._path}{ending}", _REMEDY, self._credentials)

    def _exists(self) -> bool:
        return self.has(_CHOICE) and self._files("").exist()
