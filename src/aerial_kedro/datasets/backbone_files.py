"""An exported backbone as files: ``<path>.onnx`` beside ``<path>.json``."""

from __future__ import annotations

import hashlib
from typing import Any

import fsspec

from aerial_kedro.datasets.atomic import open_atomic
from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Backbone, BackboneCard


class BackboneFiles:
    """Files of a backbone; for the engine ``torch`` there is a ``<path>.pt2`` as well.

    Parameters
    ----------
    path
        Without the ending.
    remedy
        What makes them where they are not there, or not whole.
    credentials
        Of the storage.
    """

    def __init__(self, path: str, remedy: str, credentials: dict[str, Any] | None = None) -> None:
        self.path, self._remedy, self._credentials = path, remedy, credentials or {}

    def read(self) -> Backbone:
        """Read the backbone and check that file and card belong together.

        Raises
        ------
        AerialError
            If it is not there, or the two do not fit.
        """
        if not self.exist():
            raise AerialError(f"There is no backbone at {self.path}.onnx. {self._remedy}")
        onnx, card = self._read(".onnx"), BackboneCard.model_validate_json(self.read_card())
        self._check(".onnx", onnx, card.onnx_sha256)
        program = None
        if card.program_sha256 is not None:
            if not self._has(".pt2"):
                raise AerialError(f"There is no {self.path}.pt2. {self._remedy}")
            program = self._read(".pt2")
            self._check(".pt2", program, card.program_sha256)
        return Backbone(onnx, card, program)

    def read_card(self) -> bytes:
        """Read the card alone."""
        return self._read(".json")

    def write(self, backbone: Backbone) -> None:
        """Write the ONNX file, the network for torch where there is one, then the card."""
        self._write(".onnx", backbone.onnx)
        if backbone.program is not None:
            self._write(".pt2", backbone.program)
        elif self._has(".pt2"):
            filesystem, name = fsspec.core.url_to_fs(f"{self.path}.pt2", **self._credentials)
            filesystem.rm(name)
        self._write(".json", backbone.card.model_dump_json(indent=2).encode())

    def exist(self) -> bool:
        """Return whether ONNX file and card are there."""
        return self._has(".onnx") and self._has(".json")

    def _has(self, suffix: str) -> bool:
        filesystem, name = fsspec.core.url_to_fs(f"{self.path}{suffix}", **self._credentials)
        return bool(filesystem.exists(name))

    def _check(self, suffix: str, content: bytes, sha256: str) -> None:
        if hashlib.sha256(content).hexdigest() != sha256:
            raise AerialError(
                f"{self.path}{suffix} is not the file that {self.path}.json describes. "
                f"{self._remedy}"
            )

    def _read(self, suffix: str) -> bytes:
        filesystem, name = fsspec.core.url_to_fs(f"{self.path}{suffix}", **self._credentials)
        return bytes(filesystem.cat_file(name))

    def _write(self, suffix: str, content: bytes) -> None:
        with open_atomic(f"{self.path}{suffix}", self._credentials) as file:
            file.write(content)
