"""Finished networks in ONNX: the contract, what comes out, and what is refused."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

from aerial_kedro.datasets.backbones import BackboneWeightsDataset
from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Backbone, WeightsFile, feature_key
from aerial_kedro.features.cell_maps import CellLayer, numbers_of_cells
from aerial_kedro.features.cell_projection import project_cells
from aerial_kedro.features.engines import open_engine
from aerial_kedro.features.finished import adopt_network
from aerial_kedro.features.grain import Grain
from aerial_kedro.features.input_request import InputRequest
from aerial_kedro.features.quantization import quantize_backbone
from aerial_kedro.features.weight_files import find_network
from aerial_kedro.pipelines.featurization.exporting import export_backbone

SIZE = 64
MEAN, STD = (0.43, 0.411, 0.296), (0.213, 0.156, 0.143)
TILES = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3), dtype=np.uint8)


class Network(nn.Module):
    """A small network: its preprocessing inside or not, and one of several second outputs."""

    def __init__(self, second: str = "channels", *, inside: bool = False, prefix: int = 2) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.first, self.last = nn.Conv2d(3, 8, 8, 8), nn.Conv2d(8, 12, 1)
        self.second, self.inside, self.prefix = second, inside, prefix

    def forward(self, given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        if self.inside:
            mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (MEAN, STD))
            given = (given.permute(0, 3, 1, 2).float() / 255 - mean) / std
        maps = self.last(torch.relu(self.first(given)))
        features = maps.mean((2, 3), keepdim=self.second == "channels")
        if self.second == "none":
            return (features,)
        if self.second == "rows":
            maps = maps.permute(0, 2, 3, 1)
        if self.second == "tokens":
            patches = maps.flatten(2).transpose(1, 2)
            maps = torch.cat([patches[:, : self.prefix] * 0 + 9, patches], dim=1)
        return (maps, features) if self.second == "tokens" else (features, maps)


def write(network: nn.Module, *, pixels: bool, dynamic: bool = True, opset: int = 13) -> bytes:
    shape = (1, SIZE, SIZE, 3) if pixels else (1, 3, SIZE, SIZE)
    given = torch.zeros(shape, dtype=torch.uint8 if pixels else torch.float32)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(),
            (given,),
            buffer,
            input_names=["tiles"],
            dynamic_axes={"tiles": {0: "n"}} if dynamic else None,
            opset_version=opset,
            dynamo=False,
        )
    return buffer.getvalue()


def as_file(content: bytes, **request: object) -> WeightsFile:
    sha256 = hashlib.sha256(content).hexdigest()
    asked = InputRequest(**request)
    return WeightsFile(
        "mine", content, "mine.onnx", "file mine.onnx", sha256, request=asked, is_finished=True
    )


def adopt(content: bytes, grain: Grain | None = None, **request: object) -> Backbone:
    return adopt_network(as_file(content, **request), "auto", 1, grain)


def expected(network: Network) -> tuple[np.ndarray, np.ndarray | None]:
    pixels = torch.from_numpy(TILES)
    if not network.inside:
        mean, std = (torch.tensor(each) for each in (MEAN, STD))
        pixels = ((pixels / 255 - mean) / std).permute(0, 3, 1, 2)
    with torch.inference_mode():
        found = network.eval()(pixels)
        if network.second == "none":
            return found[0].numpy(), None
        features, maps = found[::-1] if network.second == "tokens" else found
        layer = CellLayer("maps", network.second)  # type: ignore[arg-type]
        return features.flatten(1).numpy(), numbers_of_cells([(maps, layer)]).numpy()


@pytest.mark.parametrize("second", ["none", "channels", "rows", "tokens"])
@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_gives_the_features_and_cells_of_the_network(
    second: str, inside: bool, engine: str
) -> None:
    network = Network(second, inside=inside)
    scale = {} if inside else {"mean": MEAN, "std": STD}
    backbone = adopt(write(network, pixels=inside), **scale)
    features, cells = open_engine(engine, "fp32", backbone.onnx).run_with_cells(TILES)
    wanted, wanted_cells = expected(network)
    assert features == pytest.approx(wanted, abs=1e-4)
    assert (cells is None) == (wanted_cells is None) == (not backbone.card.cell_layers)
    if cells is not None:
        assert cells.shape == (3, 7, 7, 12)
        assert cells == pytest.approx(wanted_cells, abs=2e-3)
    assert (backbone.card.n_features, backbone.card.input_size) == (12, SIZE)
    assert backbone.card.parity_cosine > 0.9999


def test_a_batch_of_one_is_opened_for_more() -> None:
    network = Network("none")
    backbone = adopt(write(network, pixels=False, dynamic=False), mean=MEAN, std=STD)
    found = open_engine("onnxruntime", "fp32", backbone.onnx).run(TILES)
    assert found == pytest.approx(expected(network)[0], abs=1e-4)


def test_its_cells_are_embedded_and_its_convolutions_quantized() -> None:
    backbone = adopt(write(Network(), pixels=False), mean=MEAN, std=STD)
    projected = project_cells(backbone, TILES, "these")
    assert projected.card.cells is not None
    assert projected.card.cells.components == 12
    quantized = quantize_backbone(projected, TILES, "these")
    features, cells = open_engine("onnxruntime", "int8", quantized.onnx).run_with_cells(TILES)
    assert features.shape == (3, 12)
    assert cells is not None
    assert cells.dtype == np.int8


def test_the_scale_is_on_the_card_and_in_the_key() -> None:
    content = write(Network(), pixels=False)
    cards = [adopt(content, mean=mean, std=STD).card for mean in (MEAN, 0.5)]
    assert (cards[0].mean, cards[0].std) == (MEAN, STD)
    assert len({feature_key(each, "onnxruntime", "fp32", "1") for each in cards}) == 2


def of_shape(kind: int, shape: list[int | str], operator: str = "Identity") -> bytes:
    ends = [helper.make_tensor_value_info(name, kind, shape) for name in ("in", "out")]
    graph = helper.make_graph(
        [helper.make_node(operator, ["in"], ["out"])], "g", ends[:1], ends[1:]
    )
    opsets = [helper.make_opsetid("", 13)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


FLOAT, UINT8 = TensorProto.FLOAT, TensorProto.UINT8
SCALE = {"mean": 0.5, "std": 0.5}


@pytest.mark.parametrize(
    ("make", "request_", "message"),
    [
        (lambda: b"no network", {}, "no ONNX file"),
        (lambda: of_shape(TensorProto.DOUBLE, ["n", 3, 8, 8]), {}, "double.*uint8 .batch, side"),
        (lambda: of_shape(FLOAT, ["n", 4, 8, 8]), SCALE, r"float of the shape \(None, 4, 8, 8\)"),
        (lambda: of_shape(FLOAT, ["n", 3, 8, 9]), SCALE, "8 by 9 pixels.*square"),
        (lambda: of_shape(FLOAT, [4, 3, 8, 8]), SCALE, "takes 4 tiles at once"),
        (lambda: of_shape(FLOAT, ["n", 3, 64, 64]), {}, "nothing says how pixels are scaled.*mean"),
        (lambda: of_shape(UINT8, ["n", 64, 64, 3]), SCALE, "preprocessing inside; leave input_me"),
        (lambda: of_shape(FLOAT, ["n", 3, "h", "h"]), SCALE, "any size; give.*input_size"),
        (lambda: of_shape(FLOAT, ["n", 3, 64, 64]), {**SCALE, "size": 96}, "64 pixels.*size=96"),
        (lambda: of_shape(FLOAT, ["n", 3, 64, 64]), SCALE, "no output is one vector"),
        (lambda: of_shape(FLOAT, ["n", 3, 64, 64], "NoSuch"), SCALE, "Runtime does not run it"),
    ],
)
def test_what_does_not_keep_the_contract_is_refused(
    make: Callable[[], bytes], request_: dict[str, object], message: str
) -> None:
    with pytest.raises(AerialError, match=rf"mine\.onnx cannot be a backbone: .*{message}"):
        adopt(make(), **request_)


def test_weights_in_another_file_are_refused() -> None:
    model = onnx.load_from_string(write(Network(inside=True), pixels=True))
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL
    with pytest.raises(AerialError, match="weights are in another file"):
        adopt(model.SerializeToString())


class Mixing(nn.Module):
    """Tiles that are given together change each other."""

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        return given.mean((2, 3)) - given.mean((0, 2, 3))[None] * 0.9


def test_tiles_that_change_each_other_are_refused() -> None:
    with pytest.raises(AerialError, match="several tiles at once give other features"):
        adopt(write(Mixing(), pixels=False), **SCALE)


def test_another_input_is_refused_with_the_own() -> None:
    content = write(Network(inside=True), pixels=True)
    with pytest.raises(AerialError, match=r"cannot take tiles of 112 .*64 pixels"):
        adopt(content, Grain(224, 2.0))


class TestInTheRun:
    @pytest.fixture
    def path(self, tmp_path: Path) -> str:
        path = tmp_path / "mine.onnx"
        path.write_bytes(write(Network("none", inside=True), pixels=True))
        return str(path)

    def load(self, path: str) -> WeightsFile:
        return BackboneWeightsDataset(backbone="efficientnet_lite0", backbone_onnx=path).load()

    def test_it_takes_the_backbones_place(self, path: str) -> None:
        card = export_backbone(self.load(path), "auto", "onnxruntime", 224, None, 1).card
        assert (card.name, card.n_features, card.preprocessing) == (
            "mine",
            12,
            "inside the network",
        )

    def test_what_it_cannot_do_is_refused(self, path: str) -> None:
        file = self.load(path)
        with pytest.raises(AerialError, match="engine=torch runs no finished network"):
            export_backbone(file, "auto", "torch", 224, None, 1)
        with pytest.raises(AerialError, match="pooling=token is asked for"):
            export_backbone(file, "token", "onnxruntime", 224, None, 1)

    def test_weights_beside_it_are_refused_before_the_run(self, path: str) -> None:
        dataset = BackboneWeightsDataset(backbone="a", backbone_onnx=path, weights_path="b.pth")
        with pytest.raises(AerialError, match="Give one of them"):
            dataset.check_name()

    def test_a_missing_file_is_refused_by_name(self, tmp_path: Path) -> None:
        with pytest.raises(AerialError, match=r"no network .*gone\.onnx.*backbone_onnx=FILE"):
            find_network(f"{tmp_path}/gone.onnx")
