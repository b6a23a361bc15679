import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest
from kedro.io import DataCatalog, DatasetError
from kedro.pipeline import Node, Pipeline

from aerial_kedro.cluster.blob_storage import StorageCredential
from aerial_kedro.datasets import backbones
from aerial_kedro.datasets.backbones import (
    BackboneFiles,
    BackboneWeightsDataset,
    FeatureSourceDataset,
)
from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Backbone, WeightsFile
from aerial_kedro.features.engine_choice import Conditions, EngineChoice
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.hooks import ProjectHooks
from tests.models import make_backbone
from tests.unit.datasets.refusals import refused

FP32 = EngineChoice(engine="onnxruntime", precision="fp32")
INT8 = EngineChoice(engine="openvino", precision="int8", milliseconds={"openvino": 4.0})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "models" / "backbone"


@pytest.fixture
def dataset(path: Path) -> FeatureSourceDataset:
    return FeatureSourceDataset(path=str(path))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The large files that are read: networks by their ending, weights by their backbone."""
    found: list[str] = []
    read_bytes, find_weights = BackboneFiles.read_bytes, backbones.find_weights

    def read(files: BackboneFiles, ending: str = "") -> bytes:
        found.extend([ending] if ending in {".onnx", ".pt2"} else [])
        return read_bytes(files, ending)

    def find(backbone: str, weights_path: str | None = None) -> WeightsFile:
        found.append(backbone)
        return find_weights(backbone, weights_path)

    monkeypatch.setattr(BackboneFiles, "read_bytes", read)
    monkeypatch.setattr(backbones, "find_weights", find)
    return found


def stored(path: Path) -> list[Backbone]:
    """Load what earlier runs left beside the weights that a run asks for."""
    return list(BackboneWeightsDataset(backbone="efficientnet_lite0", path=str(path)).load().stored)


def measured(path: Path) -> EngineChoice | None:
    """Load what an earlier run found out about engines."""
    return BackboneWeightsDataset(backbone="efficientnet_lite0", path=str(path)).load().measured


def source(onnx: bytes = b"network") -> FeatureSource:
    return FeatureSource(make_backbone(onnx), FP32)


class TestFeatureSource:
    def test_comes_back_as_it_was(self, dataset: FeatureSourceDataset, path: Path) -> None:
        assert not dataset.exists()
        dataset.save(source())
        assert dataset.exists()
        assert dataset.load() == source()
        names = sorted(each.name for each in path.parent.iterdir())
        assert names == ["backbone.json", "backbone.onnx", "backbone_source.json"]

    def test_that_is_missing_says_what_makes_it(self, dataset: FeatureSourceDataset) -> None:
        with refused(r"no backbone at .*backbone\.onnx, or not all.*featurization"):
            dataset.load()

    def test_whose_file_and_card_do_not_fit_is_refused(
        self, dataset: FeatureSourceDataset, path: Path
    ) -> None:
        dataset.save(source())
        path.with_suffix(".onnx").write_bytes(b"another")
        with refused(r"backbone\.onnx is not the file that .*\.json"):
            dataset.load()

    @pytest.mark.parametrize("content", ["{", "{}", "[]", '{"feature_key": "a", "more": 1}'])
    def test_whose_record_cannot_be_read_is_refused(
        self, dataset: FeatureSourceDataset, path: Path, content: str
    ) -> None:
        dataset.save(source())
        path.with_name("backbone_source.json").write_text(content)
        with refused(r"backbone_source\.json or a card .*another version.*featurization"):
            dataset.load()

    def test_without_its_card_is_refused(self, dataset: FeatureSourceDataset, path: Path) -> None:
        dataset.save(source())
        path.with_suffix(".json").unlink()
        with refused(r"no backbone at .*backbone\.onnx, or not all.*featurization"):
            dataset.load()

    def test_of_another_version_is_refused(self, dataset: FeatureSourceDataset, path: Path) -> None:
        dataset.save(source())
        record = path.with_name("backbone_source.json")
        record.write_text(record.read_text().replace(source().key, "0123456789abcdef"))
        with refused(r"of features 0123456789abcdef, and the files beside it make"):
            dataset.load()

    def test_is_there_only_with_what_runs_it(
        self, dataset: FeatureSourceDataset, path: Path
    ) -> None:
        dataset.save(source())
        path.with_name("backbone_source.json").unlink()
        assert not dataset.exists()

    def test_brings_the_network_for_torch_where_there_is_one(
        self, dataset: FeatureSourceDataset, path: Path
    ) -> None:
        plain = make_backbone(b"network")
        sha256 = hashlib.sha256(b"program").hexdigest()
        card = plain.card.model_copy(update={"program_sha256": sha256})
        dataset.save(replace(source(), backbone=Backbone(b"network", card, b"program")))
        assert dataset.load().backbone.program == b"program"
        dataset.release()
        path.with_suffix(".pt2").write_bytes(b"another")
        with refused(r"backbone\.pt2 is not the file that .*\.json"):
            dataset.load()
        dataset.save(source())  # the file of before is of no run any more
        assert dataset.load() == source()

    def test_in_int8_lies_beside_the_export(
        self, dataset: FeatureSourceDataset, path: Path
    ) -> None:
        dataset.save(source())
        assert stored(path) == [make_backbone(b"network")]
        quantized = make_backbone(b"quantized", precision="int8")
        in_int8 = FeatureSource(quantized, INT8, make_backbone(b"network"))
        dataset.save(in_int8)
        assert dataset.load() == in_int8
        assert stored(path) == [make_backbone(b"network"), quantized]
        dataset.save(source())  # the int8 one stays for a later run
        assert dataset.load() == source()
        assert stored(path) == [make_backbone(b"network"), quantized]


MEASURED = EngineChoice(
    engine="openvino",
    precision="fp32",
    milliseconds={"onnxruntime": 5.0, "openvino": 4.0},
    quartiles={"onnxruntime": (4.9, 5.1), "openvino": (3.9, 4.2)},
    conditions=Conditions(
        processor="a", packages={}, graphics_card=False, network="b", precision="fp32"
    ),
)


class TestWhatWasMeasured:
    """Which engine is the fastest here, kept for runs with ``engine=auto``."""

    def test_is_there_for_later_runs_whatever_runs_between(
        self, dataset: FeatureSourceDataset, path: Path
    ) -> None:
        assert measured(path) is None
        dataset.save(source())
        assert measured(path) is None
        dataset.save(replace(source(), choice=MEASURED))
        assert dataset.load().choice == measured(path) == MEASURED
        dataset.save(source())  # a run with engine=onnxruntime
        assert dataset.load().choice == FP32
        assert measured(path) == MEASURED

    def test_in_doubt_is_not_kept(self, dataset: FeatureSourceDataset, path: Path) -> None:
        doubtful = MEASURED.model_copy(update={"doubt": "the rounds disagree"})
        dataset.save(replace(source(), choice=doubtful))
        assert dataset.load().choice.doubt == "the rounds disagree"
        assert measured(path) is None

    def test_and_damaged_is_measured_again(
        self, dataset: FeatureSourceDataset, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        dataset.save(replace(source(), choice=MEASURED))
        path.with_name("backbone_engines.json").write_text('{"engine": "openvino"}')
        assert measured(path) is None
        assert "backbone_engines.json cannot be used" in caplog.text


class TestWhatARunLoadsAgainAndAgain:
    """Nodes load both entries, of megabytes each, some ten times."""

    def test_a_source_is_read_once_until_it_is_released(
        self, dataset: FeatureSourceDataset, reads: list[str]
    ) -> None:
        quantized = make_backbone(b"quantized", precision="int8")
        dataset.save(FeatureSource(quantized, INT8, make_backbone(b"network")))
        assert dataset.load() == dataset.load()
        assert reads == [".onnx", ".onnx"]
        dataset.release()
        dataset.load()
        assert reads == [".onnx"] * 4

    def test_a_source_that_is_saved_is_read(
        self, dataset: FeatureSourceDataset, path: Path, reads: list[str]
    ) -> None:
        """By this dataset, or by another process while this one lives."""
        dataset.save(source())
        assert dataset.load() == source()
        dataset.save(source(b"another"))
        assert dataset.load() == source(b"another")
        FeatureSourceDataset(path=str(path)).save(source(b"third"))
        assert dataset.load() == source(b"third")
        assert source(b"third").backbone.card.onnx_sha256 in str(dataset.preview())
        assert reads == [".onnx"] * 3

    def test_weights_and_stored_backbones_are_read_once_until_they_are_released(
        self, path: Path, reads: list[str]
    ) -> None:
        weights = BackboneWeightsDataset(backbone="efficientnet_lite0", path=str(path))
        assert weights.load().stored == ()
        FeatureSourceDataset(path=str(path)).save(source())
        assert weights.load().stored == weights.load().stored == (make_backbone(b"network"),)
        assert reads == ["efficientnet_lite0", ".onnx"]
        weights.release()
        weights.load()
        assert reads == ["efficientnet_lite0", ".onnx"] * 2

    def test_a_new_run_reads_the_weights_again(self, tmp_path: Path, reads: list[str]) -> None:
        """Kedro releases no inputs of a pipeline, and their file may be another one by then."""
        hooks = ProjectHooks()
        hooks._storage = (str(tmp_path), StorageCredential())
        node = Node(len, "backbone_weights", "size", name="measure")
        file = tmp_path / "weights.pth"
        weights = BackboneWeightsDataset(backbone="resnet18", weights_path=str(file))
        catalog = DataCatalog({"backbone_weights": weights})
        for content in (b"first", b"second"):
            file.write_bytes(content)
            hooks.before_pipeline_run({}, Pipeline([node]), catalog)
            assert catalog.load("backbone_weights").content == content
            assert catalog.load("backbone_weights").content == content
        assert reads == ["resnet18"] * 2


class TestStoredBackbones:
    def test_are_none_before_the_first_run(self, path: Path) -> None:
        assert stored(path) == []

    @pytest.mark.parametrize(
        ("file", "said"),
        [
            ("backbone.onnx", r"backbone\.onnx is not the file"),
            ("backbone.json", r"architecture: it is missing"),
        ],
    )
    def test_that_are_damaged_count_as_none(
        self,
        path: Path,
        caplog: pytest.LogCaptureFixture,
        file: str,
        said: str,
    ) -> None:
        """It is to be exported again, which a refusal would prevent."""
        FeatureSourceDataset(path=str(path)).save(source())
        path.with_name(file).write_bytes(b'{"name": "of another version"}')
        assert stored(path) == []
        assert re.search(rf"cannot be used: .*{said}", caplog.text)


class TestWeights:
    def test_of_the_default_are_found(self) -> None:
        weights = BackboneWeightsDataset(backbone="efficientnet_lite0").load()
        assert weights.backbone == "efficientnet_lite0"
        assert weights.sha256.startswith("579344248a93e230")
        assert hashlib.sha256(weights.content).hexdigest() == weights.sha256

    def test_of_a_file_are_known_by_its_content(self, tmp_path: Path) -> None:
        path = tmp_path / "weights.pth"
        path.write_bytes(b"weights")
        weights = BackboneWeightsDataset(backbone="resnet18", weights_path=str(path)).load()
        assert weights.sha256 == hashlib.sha256(b"weights").hexdigest()

    def test_that_are_not_there_are_missed(self, tmp_path: Path) -> None:
        path = str(tmp_path / "gone.pth")
        with refused(r"no weights file .*gone\.pth"):
            BackboneWeightsDataset(backbone="resnet18", weights_path=path).load()

    def test_of_an_unknown_backbone_are_refused(self) -> None:
        with pytest.raises(AerialError, match=r"did you mean .*resnet18"):
            BackboneWeightsDataset(backbone="resnet81").check_name()

    def test_are_never_written(self) -> None:
        with pytest.raises(DatasetError, match=r"never written|not allowed"):
            BackboneWeightsDataset(backbone="resnet18").save(None)
