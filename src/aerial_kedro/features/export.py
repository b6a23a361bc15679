"""Export of a torch network to ONNX, preprocessing inside, proven equal."""

import contextlib
import hashlib
import io
import logging
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import torch
from torch import nn

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import NUMBERS, Backbone, BackboneCard, Weights
from aerial_kedro.features.cell_maps import CellMaps, cell_layers
from aerial_kedro.features.engines import open_engine
from aerial_kedro.features.grain import Grain
from aerial_kedro.features.input_sizes import check_input, find_fault, first_line
from aerial_kedro.features.known import BackboneDefinition
from aerial_kedro.features.pooling import chosen_stages, name_pooling, pool_features
from aerial_kedro.features.precision_loss import smallest_cosine
from aerial_kedro.features.recognition import Preprocessing
from aerial_kedro.features.weights import fit_backbone

LOGGER = logging.getLogger(__name__)

# The oldest runtime that must read the file (SynapseML's) reads opset 13; transformers need 17.
_OPSET, _NEWER_OPSET = 13, 17
MIN_COSINE = 0.9999
_PARITY_TILES = 4


class FeatureNetwork(nn.Module):
    """A cut network behind its preprocessing: uint8 tiles in, features of tiles and cells out."""

    scale: torch.Tensor
    offset: torch.Tensor

    def __init__(
        self, network: nn.Module, definition: BackboneDefinition, pooling: str = "last"
    ) -> None:
        super().__init__()
        self.cell_layers = cell_layers(network, definition)
        self.cells = CellMaps(network, self.cell_layers) if self.cell_layers else None
        self.network = pool_features(network, definition, pooling)
        scale = torch.tensor(definition.std).view(1, 3, 1, 1) * 255
        offset = torch.tensor(definition.mean).view(1, 3, 1, 1) * 255
        self.register_buffer("scale", scale)
        self.register_buffer("offset", offset)

    def forward(self, tiles: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Features ``(batch, n)`` of tiles ``(batch, size, size, 3)``, uint8.

        Behind them, where the network has maps, the numbers of cells, see `CellMaps`.
        """
        pixels = tiles.permute(0, 3, 1, 2).float()
        features = self.network((pixels - self.offset) / self.scale).flatten(1)
        return (features,) if self.cells is None else (features, self.cells())

    @property
    def outputs(self) -> list[str]:
        """Names of what it gives."""
        return ["features"] if self.cells is None else ["features", NUMBERS]


def export_backbone(
    definition: BackboneDefinition,
    weights: Weights,
    seed: int,
    pooling: str = "auto",
    *,
    with_program: bool = False,
    grain: Grain | None = None,
    preprocessing: Preprocessing | None = None,
) -> Backbone:
    """Export a backbone to ONNX and prove the export equal to torch.

    Parameters
    ----------
    definition
        Network and preprocessing.
    weights
        Its parameters.
    seed
        Draws the tiles on which the outputs are compared.
    pooling
        Which features, see `aerial_kedro.features.pooling.pool_features`.
    with_program
        Whether to export it for the engine ``torch`` as well.
    grain
        What the run asks of the input's pixels; None for the network's own input.
    preprocessing
        Where the definition's input size, mean and deviation come from; None for its own.

    Raises
    ------
    AerialError
        If the network cannot take the input, or the cosine similarity of any tile's features, or of
        any cell's numbers, with torch's falls below 0.9999.
    """
    known = preprocessing or Preprocessing(definition, "as its definition has it")
    loaded, notes = _load(definition, weights, resize=known.resize)
    definition, own = _with_input(definition, grain, loaded), definition
    network = FeatureNetwork(loaded, definition, pooling).eval()
    tiles = parity_tiles(definition.input_size, seed)
    with torch.inference_mode():
        expected = [each.numpy() for each in network(torch.from_numpy(tiles))]
    try:
        onnx, opset = _to_onnx(network, tiles)
    except torch.onnx.errors.OnnxExporterError as error:
        # Pooling to a fixed number of positions has an ONNX form for multiples of it alone.
        if grain is None or definition == own:
            raise
        raise grain.refuse_input(own.name, [own.input_size], first_line(error)) from error
    onnx, cosine = _fold_if_equal(onnx, tiles, expected)
    if not cosine >= MIN_COSINE:  # a network with broken weights gives NaN
        raise AerialError(
            f"The ONNX export of {definition.name!r} differs from torch: cosine {cosine:.6f}, at "
            f"least {MIN_COSINE} is needed. Use another backbone, or other versions of torch "
            "and onnxruntime."
        )
    program = _to_program(network, tiles) if with_program else None
    card = BackboneCard(
        name=definition.name,
        architecture=f"{definition.library}/{definition.architecture}",
        weights_source=weights.source,
        weights_sha256=weights.sha256,
        input_size=definition.input_size,
        n_features=expected[0].shape[1],
        mean=definition.mean,
        std=definition.std,
        preprocessing=known.origin,
        assumed=known.assumed,
        licence=known.licence,
        weights_notes=notes,
        pooling=name_pooling(definition, pooling),
        stages=chosen_stages(definition, pooling),
        opset=opset,
        parity_cosine=cosine,
        onnx_sha256=hashlib.sha256(onnx).hexdigest(),
        program_sha256=hashlib.sha256(program).hexdigest() if program else None,
        cell_layers=tuple(each.name for each in network.cell_layers),
    )
    return Backbone(onnx, card, program)


def _load(
    definition: BackboneDefinition, weights: Weights, *, resize: bool
) -> tuple[nn.Module, tuple[str, ...]]:
    """Load the network; where the run asks for another input, see that it takes it."""
    try:
        network, notes = fit_backbone(definition, weights, resize=resize)
        fault = find_fault(network, definition.input_size) if resize else None
    except (AssertionError, ValueError, RuntimeError) as error:
        if not resize:
            raise
        fault = first_line(error)
    if fault is not None:
        raise AerialError(
            f"The backbone {definition.name!r} cannot take input_size={definition.input_size} "
            f"({fault}). Networks take multiples of their patches or strides, mostly 14, 16 or 32 "
            "pixels; without input_size it has its own."
        )
    return network, notes


def _with_input(
    definition: BackboneDefinition, grain: Grain | None, network: nn.Module
) -> BackboneDefinition:
    size = grain and grain.choose_input(definition.input_size)
    if not grain or not size or size == definition.input_size:
        return definition
    check_input(network, definition, size, grain)
    return replace(definition, input_size=size)


def _fold_if_equal(
    onnx: bytes, tiles: np.ndarray, expected: list[np.ndarray]
) -> tuple[bytes, float]:
    """Fold what does not depend on the pixels; some networks need their batch's size to run."""
    try:
        folded = fold_shapes(onnx)
        cosine = _parity(folded, tiles, expected)
        if cosine >= MIN_COSINE:
            return folded, cosine
    except Exception as error:  # noqa: BLE001  # the runtime's own, one for each way to fail
        LOGGER.debug("The graph stays as torch wrote it: %s", error)
    return onnx, _parity(onnx, tiles, expected)


def _parity(onnx: bytes, tiles: np.ndarray, expected: list[np.ndarray]) -> float:
    """Least cosine of any tile's features, and of any cell's numbers where there are any."""
    found = open_engine("onnxruntime", "fp32", onnx).run_with_cells(tiles)
    pairs = [(one, other) for one, other in zip(expected, found, strict=False) if other is not None]
    flat = [[each.reshape(-1, each.shape[-1]) for each in pair] for pair in pairs]
    return min(smallest_cosine(one, other) for one, other in flat)


def _to_program(network: nn.Module, tiles: np.ndarray) -> bytes:
    """Write the network for torch alone, for any number of tiles."""
    buffer = io.BytesIO()
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(network, (torch.from_numpy(tiles),), dynamic_shapes=({0: batch},))
    torch.export.save(program, buffer)
    return buffer.getvalue()


def _to_onnx(network: FeatureNetwork, tiles: np.ndarray) -> tuple[bytes, int]:
    """Write the network in the oldest opset that has all its operators."""
    if any(map(_has_fused_attention, network.modules())):
        return _write_onnx(network, tiles, _NEWER_OPSET), _NEWER_OPSET
    try:
        return _write_onnx(network, tiles, _OPSET), _OPSET
    except torch.onnx.errors.UnsupportedOperatorError:
        return _write_onnx(network, tiles, _NEWER_OPSET), _NEWER_OPSET


def _has_fused_attention(module: nn.Module) -> bool:
    """Whether a module calls torch's attention, which opset 13 lacks, by timm's flag or by kind.

    Trying would do as well, but the exporter prints the graph, a thousand lines for a transformer.
    """
    return isinstance(module, nn.MultiheadAttention) or bool(getattr(module, "fused_attn", False))


def _write_onnx(network: FeatureNetwork, tiles: np.ndarray, opset: int) -> bytes:
    buffer = io.BytesIO()
    # On another operator that the opset lacks torch prints the graph; the error says enough.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        # The TorchScript exporter is the one that writes opset 13; it announces its successor.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        # Whatever tracing gets wrong the comparison with torch finds out.
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)  # type: ignore[attr-defined]
        torch.onnx.export(
            network,
            (torch.from_numpy(tiles),),
            buffer,  # type: ignore[arg-type]  # a file object will do for this exporter
            input_names=["tiles"],
            output_names=network.outputs,
            dynamic_axes={name: {0: "batch"} for name in ("tiles", *network.outputs)},
            opset_version=opset,
            dynamo=False,
        )
    return buffer.getvalue()


def parity_tiles(size: int, seed: int) -> np.ndarray:
    """Noise, a gradient and flat colours: inputs that differ in every respect."""
    rng = np.random.default_rng(seed)
    tiles = rng.integers(0, 256, (_PARITY_TILES, size, size, 3), dtype=np.uint8)
    tiles[1] = np.linspace(0, 255, size, dtype=np.uint8)[:, None, None]
    tiles[2] = (tiles[0] // 4 + tiles[1] // 2).astype(np.uint8)
    tiles[3] = rng.integers(0, 256, 3, dtype=np.uint8)
    return tiles


def fold_shapes(network: bytes) -> bytes:
    """Compute once what an exported graph would compute for every batch.

    Torch writes padding that depends on the input's size ("same", as TensorFlow has it) as dozens
    of small nodes. The size is known, so they become constants, and the padding part of the
    convolutions: a sixth of the time in ONNX Runtime, and ranges that quantization can follow.

    Parameters
    ----------
    network
        An ONNX file whose input and outputs have a batch of any size.

    Returns
    -------
    bytes
        The file in the same opset. The caller checks that it still takes any batch.

    Raises
    ------
    ValueError
        If the runtime wrote operators of its own.
    """
    model = onnx.load_from_string(network)
    version, opsets = model.ir_version, list(model.opset_import)
    ends = (model.graph.input[0], *model.graph.output)
    names = [_batch_of(end).dim_param for end in ends]
    for end in ends:
        _batch_of(end).dim_value = 1
    folded = _optimize(model.SerializeToString())
    if any(node.domain for node in folded.graph.node):
        raise ValueError("the runtime wrote operators of its own")
    for end, name in zip((folded.graph.input[0], *folded.graph.output), names, strict=True):
        _batch_of(end).dim_param = name
    # Shapes of a batch of one, and the versions of the runtime that was here.
    del folded.graph.value_info[:]
    del folded.opset_import[:]
    folded.opset_import.extend(opsets)
    folded.ir_version = version
    return bytes(folded.SerializeToString())


def _batch_of(end: Any) -> Any:
    return end.type.tensor_type.shape.dim[0]


def _optimize(network: bytes) -> onnx.ModelProto:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "folded.onnx"
        options.optimized_model_filepath = str(path)
        ort.InferenceSession(network, options, providers=["CPUExecutionProvider"])
        return onnx.load(path)
