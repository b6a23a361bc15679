"""Engines give the same features, each without the packages of the others."""

from __future__ import annotations

import hashlib
import itertools
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Backbone
from aerial_kedro.features.cell_projection import project_cells, without_cells
from aerial_kedro.features.definitions import define_backbone
from aerial_kedro.features.engines import (
    ENGINES,
    available,
    check_engine,
    is_plug_in,
    open_engine,
)
from aerial_kedro.features.export import export_backbone
from aerial_kedro.features.featurize import featurize_batches
from aerial_kedro.features.precision_loss import smallest_cosine
from aerial_kedro.features.weight_files import find_weights
from aerial_kedro.features.weights import read_weights

# The greatest difference between engines, as a share of the greatest feature.
TOLERANCE = 1e-3
# The other one runs in Spark alone: tests/integration/test_image_featurizer.py.
IN_PYTHON = [name for name in ENGINES if not is_plug_in(name)]


@pytest.fixture(scope="module")
def for_all() -> Backbone:
    """The default backbone with all its features, for every engine."""
    definition = define_backbone("efficientnet_lite0")
    return export_backbone(
        definition, read_weights(find_weights(definition.name)), seed=0, with_program=True
    )


@pytest.fixture
def cpuinfo(tmp_path: Path) -> Path:
    """A processor without bf16."""
    path = tmp_path / "cpuinfo"
    path.write_text("processor\t: 0\nflags\t\t: fpu avx2 avx512f avx512_vnni\n")
    return path


@pytest.fixture(scope="module")
def features(for_all: Backbone, tiles224: np.ndarray) -> dict[str, np.ndarray]:
    return {
        name: open_engine(name, "fp32", for_all.network_for(name)).run(tiles224)
        for name in IN_PYTHON
    }


@pytest.mark.parametrize(("first", "second"), itertools.combinations(IN_PYTHON, 2))
def test_engines_agree(first: str, second: str, features: dict[str, np.ndarray]) -> None:
    one, other = features[first], features[second]
    assert one.shape == other.shape == (5, 1792)
    assert one.dtype == other.dtype == np.float32
    assert smallest_cosine(one, other) > 0.9999
    assert float(np.abs(one - other).max()) < TOLERANCE * float(np.abs(one).max())


@pytest.mark.parametrize("engine", IN_PYTHON)
def test_a_tile_has_the_same_features_in_any_batch_and_they_stay(
    engine: str, for_all: Backbone, tiles224: np.ndarray, features: dict[str, np.ndarray]
) -> None:
    opened = open_engine(engine, "fp32", for_all.network_for(engine))
    alone = [opened.run(tile[None]) for tile in tiles224]  # a result must outlive the next call
    limit = TOLERANCE * float(np.abs(features[engine]).max())
    assert np.concatenate(alone) == pytest.approx(features[engine], abs=limit)


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
@pytest.mark.parametrize(("size", "expected"), [(112, 4), (224, 2)])
def test_engines_take_few_tiles_at_once(
    engine: str, size: int, expected: int, for_all: Backbone
) -> None:
    """So that activations stay in the core's cache; twice as many where they are small."""
    assert open_engine(engine, "fp32", _with_side(for_all.onnx, size)).batch == expected


def _with_side(network: bytes, size: int) -> bytes:
    model = onnx.load_from_string(network)
    for axis in (1, 2):
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_value = size
    return bytes(model.SerializeToString())


@pytest.fixture(scope="module")
def projected(for_all: Backbone, tiles224: np.ndarray) -> Backbone:
    return project_cells(for_all, tiles224, "five tiles")


@pytest.mark.parametrize("engine", IN_PYTHON)
def test_engines_embed_cells_alike(
    engine: str, projected: Backbone, tiles224: np.ndarray, features: dict[str, np.ndarray]
) -> None:
    """Numbers between two integers may be rounded either way, few are."""
    expected = open_engine("onnxruntime", "fp32", projected.onnx).run_with_cells(tiles224)[1]
    opened = open_engine(engine, "fp32", projected.network_for(engine))
    # Odd numbers of tiles, so that the last batch of any size is another one.
    own, found = opened.run_all(tiles224)
    assert found is not None
    assert expected is not None
    assert (found.shape, found.dtype) == ((5, 7, 7, 64), np.int8)
    different = np.abs(found.astype(int) - expected)
    assert different.max() <= 1
    assert (different > 0).mean() < 0.01
    assert own == pytest.approx(features[engine], abs=TOLERANCE * float(features[engine].max()))


@pytest.mark.parametrize("engine", IN_PYTHON)
def test_without_cells_no_engine_gives_any(
    engine: str, projected: Backbone, tiles224: np.ndarray
) -> None:
    plain = without_cells(projected)
    opened = open_engine(engine, "fp32", plain.network_for(engine))
    assert opened.run_all(tiles224[:1])[1] is None


def test_the_card_knows_the_file_of_torch(projected: Backbone) -> None:
    for each in (projected, without_cells(projected)):
        assert each.program is not None
        assert each.card.program_sha256 == hashlib.sha256(each.program).hexdigest()


@pytest.mark.parametrize("engine", [name for name, each in available().items() if "bf16" in each])
def test_bf16_is_near_fp32_and_is_not_fp32(
    engine: str, for_all: Backbone, tiles224: np.ndarray, features: dict[str, np.ndarray]
) -> None:
    found = open_engine(engine, "bf16", for_all.network_for(engine)).run(tiles224)
    assert found.dtype == np.float32
    assert 0.95 < smallest_cosine(found, features[engine]) < 0.99999


def test_onnx_runtime_needs_neither_torch_nor_openvino(for_all: Backbone, tmp_path: Path) -> None:
    path = tmp_path / "backbone.onnx"
    path.write_bytes(for_all.onnx)
    script = (
        "import sys, pathlib; sys.modules.update(torch=None, openvino=None)\n"
        "from aerial_kedro.features.engines import open_engine\n"
        f"content = pathlib.Path({str(path)!r}).read_bytes()\n"
        "open_engine('onnxruntime', 'fp32', content)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


class TestWhatIsRefused:
    def test_nothing_that_is_offered(self) -> None:
        for engine, precisions in available().items():
            for precision in (*precisions, "auto"):
                check_engine(engine, precision)
        check_engine("auto", "auto")
        check_engine("auto", "int8")

    @pytest.mark.parametrize(
        ("engine", "precision"),
        [
            ("abacus", "fp32"),
            ("onnxruntime", "fp7"),
            ("torch", "int8"),
            ("onnxruntime", "bf16"),
            ("synapseml", "int8"),
        ],
    )
    def test_others_with_what_there_is(self, engine: str, precision: str) -> None:
        for use in (check_engine, lambda *names: open_engine(*names, b"")):
            with pytest.raises(
                AerialError,
                match=rf"'{engine}' with precision '{precision}' .*onnxruntime: fp32, int8; ",
            ):
                use(engine, precision)

    def test_one_whose_package_is_not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "synapse.ml", None)
        assert "synapseml" not in available()
        with pytest.raises(AerialError, match=r"package synapseml is not installed.*is: onnx"):
            check_engine("synapseml", "fp32")

    def test_one_that_a_worker_lacks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The driver chose it, by ``engine=auto`` say; the workers are other machines."""
        monkeypatch.setitem(sys.modules, "openvino", None)
        rows = featurize_batches(
            iter([]),
            network=b"",
            input_size=224,
            feature_key="key",
            engine="openvino",
            precision="fp32",
        )
        said = (
            rf"'openvino' .* here, on {platform.node()}: the package openvino is not installed, "
            r"and every machine that runs Spark's workers needs it\. There is: onnxruntime"
        )
        with pytest.raises(AerialError, match=said):
            next(rows)

    def test_the_one_in_java_without_spark(self) -> None:
        with pytest.raises(
            AerialError, match=r"in Spark's Java .*: engine=onnxruntime or engine=openvino"
        ):
            open_engine("synapseml", "fp32", b"")

    def test_bf16_where_the_processor_has_none(self, cpuinfo: Path) -> None:
        assert available(cpuinfo)["openvino"] == ("fp32", "int8")
        for engine in ("openvino", "auto"):
            with pytest.raises(AerialError, match="no instructions for bf16"):
                check_engine(engine, "bf16", cpuinfo)
        cpuinfo = cpuinfo.with_name("newer")
        cpuinfo.write_text("flags\t\t: fpu amx_bf16\n")
        check_engine("openvino", "bf16", cpuinfo)

    def test_an_engine_that_is_not_chosen_yet(self, for_all: Backbone) -> None:
        with pytest.raises(AerialError, match="has to be chosen"):
            open_engine("auto", "fp32", for_all.onnx)

    def test_torch_where_it_was_not_exported(self, lite0: Backbone) -> None:
        with pytest.raises(AerialError, match="--params=engine=torch"):
            lite0.network_for("torch")
