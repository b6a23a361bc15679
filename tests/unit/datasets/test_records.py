from pathlib import Path

import pytest

from aerial_kedro.datasets.records import RecordDataset
from aerial_kedro.splits.blocks import SplitCheck
from tests.unit.datasets.refusals import refused

CHECK = SplitCheck(is_spatial=True, description="by blocks of 1,120 m", places=12)


@pytest.fixture
def dataset(tmp_path: Path) -> RecordDataset:
    return RecordDataset(
        filepath=str(tmp_path / "deep" / "split_check.json"),
        record="aerial_kedro.splits.blocks.SplitCheck",
    )


def test_records_come_back_as_they_were(dataset: RecordDataset) -> None:
    assert not dataset.exists()
    dataset.save(CHECK)
    assert dataset.exists()
    assert dataset.load() == CHECK


def test_a_missing_record_says_what_makes_it(dataset: RecordDataset) -> None:
    with refused(r"There is no .*split_check\.json yet: run the pipeline"):
        dataset.load()


def test_a_file_of_something_else_is_refused(dataset: RecordDataset, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "split_check.json").write_text('{"is_spatial": true, "more": 1}')
    with refused(r"split_check\.json cannot be read as SplitCheck \(.*another version.*kedro run"):
        dataset.load()


def test_the_preview_is_the_record(dataset: RecordDataset) -> None:
    dataset.save(CHECK)
    assert "by blocks of 1,120 m" in str(dataset.preview())
