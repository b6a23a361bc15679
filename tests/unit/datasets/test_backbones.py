import hashlib
import re
from pathlib import Path

import pytest
from kedro.io import DatasetError

from aerial_kedro.datasets.backbones import (
    BackboneDataset,
    BackboneWeightsDataset,
    StoredBackbonesDataset,
)
from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Backbone
from tests.models import make_backbone
from tests.unit.datasets.refusals import refused


class TestBackbone:
    @pytest.fixture
    def dataset(self, tmp_path: Path) -> BackboneDataset:
        return BackboneDataset(path=str(tmp_path / "models" / "backbone"))

    def test_comes_back_as_it_was(self, dataset: BackboneDataset, tmp_path: Path) -> None:
        assert not dataset.exists()
        dataset.save(make_backbone(b"network"))
        assert dataset.exists()
        assert dataset.load() == make_backbone(b"network")
        names = sorted(path.name for path in (tmp_path / "models").iterdir())
        assert names == ["backbone.json", "backbone.onnx"]

    def test_that_is_missing_says_what_makes_it(self, dataset: BackboneDataset) -> None:
        with refused(r"no backbone at .*backbone\.onnx\..*featurization"):
            dataset.load()

    def test_whose_file_and_card_do_not_fit_is_refused(
        self, dataset: BackboneDataset, tmp_path: Path
    ) -> None:
        dataset.save(make_backbone(b"network"))
        (tmp_path / "models" / "backbone.onnx").write_bytes(b"another")
        with refused(r"backbone\.onnx is not the file that .*\.json"):
            dataset.load()

    def test_is_there_only_with_its_card(self, dataset: BackboneDataset, tmp_path: Path) -> None:
        dataset.save(make_backbone(b"network"))
        (tmp_path / "models" / "backbone.json").unlink()
        assert not dataset.exists()

    def test_brings_the_network_for_torch_where_there_is_one(
        self, dataset: BackboneDataset, tmp_path: Path
    ) -> None:
        plain = make_backbone(b"network")
        sha256 = hashlib.sha256(b"program").hexdigest()
        card = plain.card.model_copy(update={"program_sha256": sha256})
        dataset.save(Backbone(b"network", card, b"program"))
        assert dataset.load().program == b"program"
        (tmp_path / "models" / "backbone.pt2").write_bytes(b"another")
        with refused(r"backbone\.pt2 is not the file that .*\.json"):
            dataset.load()
        dataset.save(plain)  # the file of before is of no run any more
        assert dataset.load() == plain

    def test_in_int8_lies_beside_the_export(self, dataset: BackboneDataset, tmp_path: Path) -> None:
        path = str(tmp_path / "models" / "backbone")
        dataset.save(make_backbone(b"network"))
        stored = StoredBackbonesDataset(path=f"{path}_int8")
        assert stored.load() == []
        BackboneDataset(path=path, precision="int8").save(make_backbone(b"quantized"))
        assert stored.load() == [make_backbone(b"quantized")]
        for precision in ("fp32", "bf16", "auto"):
            found = BackboneDataset(path=path, precision=precision).load()
            assert found == make_backbone(b"network")

    @pytest.mark.parametrize(
        ("file", "said"),
        [
            ("backbone.onnx", r"backbone\.onnx is not the file"),
            ("backbone.json", r"validation errors? for BackboneCard"),
        ],
    )
    def test_that_is_damaged_counts_as_none(
        self,
        dataset: BackboneDataset,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        file: str,
        said: str,
    ) -> None:
        """It is to be exported again, which a refusal would prevent."""
        dataset.save(make_backbone(b"network"))
        (tmp_path / "models" / file).write_bytes(b'{"name": "of another version"}')
        stored = StoredBackbonesDataset(path=str(tmp_path / "models" / "backbone"))
        assert stored.load() == []
        assert re.search(rf"cannot be used: .*{said}", caplog.text)


class TestWeights:
    def test_of_the_default_are_found(self) -> None:
        weights = BackboneWeightsDataset(backbone="efficientnet_lite0").load()
        assert weights.sha256 is not None
        assert weights.sha256.startswith("579344248a93e230")
        assert weights.read().sha256 == weights.sha256

    def test_of_a_file_are_known_by_its_content(self, tmp_path: Path) -> None:
        path = tmp_path / "weights.pth"
        path.write_bytes(b"weights")
        weights = BackboneWeightsDataset(backbone="resnet18", weights_path=str(path)).load()
        assert weights.sha256 == hashlib.sha256(b"weights").hexdigest()

    def test_that_are_not_there_are_missed_when_they_are_read(self, tmp_path: Path) -> None:
        path = str(tmp_path / "gone.pth")
        weights = BackboneWeightsDataset(backbone="resnet18", weights_path=path).load()
        assert weights.sha256 is None
        with pytest.raises(AerialError, match=r"no weights file .*gone\.pth"):
            weights.read()

    def test_that_torchvision_would_download_are_not_known_before(self) -> None:
        assert BackboneWeightsDataset(backbone="resnet18").load().sha256 is None

    def test_of_an_unknown_backbone_are_refused(self) -> None:
        with pytest.raises(AerialError, match=r"did you mean .*resnet18"):
            BackboneWeightsDataset(backbone="resnet81").check_name()

    def test_are_never_written(self) -> None:
        with pytest.raises(DatasetError, match="not allowed"):
            BackboneWeightsDataset(backbone="resnet18").save(None)
