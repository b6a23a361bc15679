"""Backbones: files of weights in; the ONNX file, its card and what runs it out."""

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Unpack

from kedro_datasets._typing import JSONPreview
from pydantic import ValidationError

from aerial_kedro.datasets.base import PathOptions, Place, ProjectDataset
from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Backbone, BackboneCard, WeightsFile
from aerial_kedro.features.engine_choice import EngineChoice
from aerial_kedro.features.input_request import InputRequest
from aerial_kedro.features.known import PACKAGED
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.features.weight_files import find_network, find_weights
from aerial_kedro.parameters import check_parameters, describe_problems

LOGGER = logging.getLogger(__name__)
_REMEDY = "Make it with `kedro run --pipeline=featurization`."
_CHOICE, _MEASURED = "_source.json", "_engines.json"


class BackboneFiles(Place):
    """An exported backbone: ``<path>.onnx`` beside ``<path>.json``.

    For the engine ``torch`` there is a ``<path>.pt2`` as well. What was read is kept: it is read
    again where another card lies beside it.

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
        super().__init__(path, credentials)
        self._remedy = remedy
        self._kept: Backbone | None = None

    def read(self) -> Backbone:
        """Read the backbone and check that file and card belong together.

        Raises
        ------
        AerialError
            If it is not there, or the two do not fit.
        """
        if not self.exist():
            raise AerialError(f"There is no backbone at {self._path}.onnx. {self._remedy}")
        card = BackboneCard.model_validate_json(self.read_bytes(".json"))
        if self._kept is None or self._kept.card != card:
            onnx = self._read_checked(".onnx", card.onnx_sha256)
            sha256 = card.program_sha256
            program = None if sha256 is None else self._read_checked(".pt2", sha256)
            self._kept = Backbone(onnx, card, program)
        return self._kept

    def write(self, backbone: Backbone) -> None:
        """Write the ONNX file, the network for torch where there is one, then the card."""
        self.forget()
        self.write_bytes(backbone.onnx, ".onnx")
        if backbone.program is None:
            self.remove(".pt2")
        else:
            self.write_bytes(backbone.program, ".pt2")
        self.write_bytes(backbone.card.model_dump_json(indent=2).encode(), ".json")

    def forget(self) -> None:
        """Let go of what was read."""
        self._kept = None

    def exist(self) -> bool:
        """Return whether ONNX file and card are there."""
        return self.has(".onnx") and self.has(".json")

    def _read_checked(self, ending: str, sha256: str) -> bytes:
        if not self.has(ending):
            raise AerialError(f"There is no {self._path}{ending}. {self._remedy}")
        content = self.read_bytes(ending)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise AerialError(
                f"{self._path}{ending} is not the file that {self._path}.json describes. "
                f"{self._remedy}"
            )
        return content


class BackboneWeightsDataset(ProjectDataset[None, WeightsFile]):
    """The file of a backbone's pretrained weights, and what earlier runs made of such files.

    The weights are given, a package's or torchvision's; no ready dataset knows packages and
    published hashes. Stored backbones come along, since Kedro lets no node read what it writes.
    What is loaded is kept until it is released.

    Parameters
    ----------
    backbone
        Name of the backbone.
    weights_path
        File to take instead of the backbone's own.
    backbone_onnx
        A finished network in ONNX that takes the backbone's place.
    input_mean, input_std, input_size
        What the run asks of the preprocessing, see `InputRequest`.
    **options
        Options of `ProjectDataset`; the path is where `FeatureSourceDataset` stores backbones.
    """

    not_saved = "Weights are read, never written."

    def __init__(
        self,
        *,
        backbone: str,
        weights_path: str | None = None,
        backbone_onnx: str | None = None,
        input_mean: Any = None,
        input_std: Any = None,
        input_size: Any = None,
        **options: Unpack[PathOptions],
    ) -> None:
        super().__init__(**options)
        self._backbone, self._weights_path = backbone, weights_path
        self._backbone_onnx = backbone_onnx
        asked = {"mean": input_mean, "std": input_std, "size": input_size}
        self._request = check_parameters(InputRequest, asked, "input")
        endings = ("", "_int8") if self._path else ()
        self._files = [
            BackboneFiles(f"{self._path}{ending}", _REMEDY, self._credentials) for ending in endings
        ]
        self._weights: WeightsFile | None = None

    def check_name(self) -> None:
        """Refuse an unknown backbone before anything runs.

        Raises
        ------
        AerialError
            Naming those there are; or if weights are given beside a finished network.
        """
        if self._backbone_onnx is not None and self._weights_path is not None:
            raise AerialError(
                "backbone_onnx is a finished network with its weights, and weights_path gives "
                "others. Give one of them."
            )
        if self._backbone in PACKAGED or self._backbone_onnx is not None:
            return
        from aerial_kedro.features.definitions import define_backbone  # noqa: PLC0415

        define_backbone(self._backbone)

    def load(self) -> WeightsFile:
        """Find and read the file, and the backbones that are stored."""
        if self._weights is None:
            if self._backbone_onnx is not None:
                self._weights = find_network(self._backbone_onnx)
            else:
                self._weights = find_weights(self._backbone, self._weights_path)
        return replace(
            self._weights,
            request=self._request,
            stored=tuple(self._stored()),
            measured=self._measured(),
        )

    def _measured(self) -> EngineChoice | None:
        """Read which engine was measured to be the fastest; a damaged record counts as none."""
        if not self._path or not self.has(_MEASURED):
            return None
        try:
            return EngineChoice.model_validate_json(self.read_bytes(_MEASURED))
        except ValidationError as error:
            LOGGER.warning(
                "%s%s cannot be used: %s", self._path, _MEASURED, describe_problems(error)[0]
            )
            return None

    def _stored(self) -> Iterator[Backbone]:
        """Read those that are there; a damaged one counts as none, with a warning."""
        for files in self._files:
            try:
                if files.exist():
                    yield files.read()
            # Damaged, or written by another version; a storage that is away is no reason.
            except (AerialError, ValidationError) as error:
                said = str(error)
                if isinstance(error, ValidationError):
                    said = describe_problems(error)[0]
                LOGGER.warning("A stored backbone cannot be used: %s", said)

    def _release(self) -> None:
        self._weights = None
        for files in self._files:
            files.forget()

    def _exists(self) -> bool:
        return True


class FeatureSourceDataset(ProjectDataset[FeatureSource, FeatureSource]):
    """What computes the features, as files: the backbone (`BackboneFiles`), and what runs it.

    In int8 the quantized backbone lies beside the export it was made from. A ready dataset would
    write one file, and pickle; Kedro's `CachedDataset` would keep what is loaded as well, and hide
    the preview.

    Parameters
    ----------
    **options
        Options of `ProjectDataset`. The path is without an ending: ``<path>.onnx`` and ``.json``,
        in int8 also ``<path>_int8.onnx`` and ``.json``, and ``<path>_source.json``. Where the
        engine was measured, ``<path>_engines.json`` keeps that for later runs.
    """

    def __init__(self, **options: Unpack[PathOptions]) -> None:
        super().__init__(**options)
        self._exported = BackboneFiles(self._path, _REMEDY, self._credentials)
        self._quantized = BackboneFiles(f"{self._path}_int8", _REMEDY, self._credentials)

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
            choice, exported = EngineChoice.model_validate(record), self._exported.read()
            quantized = self._quantized.read() if choice.precision == "int8" else None
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
        self._exported.write(data.exported or data.backbone)
        if data.exported is not None:
            self._quantized.write(data.backbone)
        record = {"feature_key": data.key, **data.choice.model_dump()}
        self.write_bytes(json.dumps(record, indent=2).encode(), _CHOICE)
        if data.choice.is_to_keep:
            self.write_bytes(data.choice.model_dump_json(indent=2).encode(), _MEASURED)

    def preview(self) -> JSONPreview:
        """Show the backbone's card in the pipeline graph."""
        return JSONPreview(self.load().backbone.card.model_dump_json(indent=2))

    def _release(self) -> None:
        self._exported.forget()
        self._quantized.forget()

    def _exists(self) -> bool:
        return self.has(_CHOICE) and self._exported.exist()
