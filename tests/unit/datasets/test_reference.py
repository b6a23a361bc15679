from pathlib import Path

import numpy as np
import pytest
import rasterio

from aerial_kedro.datasets.reference import ReferenceMapsDataset
from tests.builders import write_land_cover
from tests.unit.datasets.refusals import refused

CODES = np.full((20, 20), 41, np.uint8)


def test_no_folder_is_no_reference() -> None:
    assert ReferenceMapsDataset(path=None).load() == []


def test_a_sample_that_was_not_drawn_is_no_reference(tmp_path: Path) -> None:
    missing = str(tmp_path / "truth")
    assert ReferenceMapsDataset(path=missing, sample=missing).load() == []


def test_another_folder_must_exist(tmp_path: Path) -> None:
    with refused("reference_root=.*does not exist.*or null for none"):
        ReferenceMapsDataset(path=str(tmp_path / "trut"), sample=str(tmp_path / "truth")).load()


def test_a_folder_without_maps_is_refused(tmp_path: Path) -> None:
    with refused("reference_root=.*holds none"):
        ReferenceMapsDataset(path=str(tmp_path)).load()


@pytest.mark.parametrize(
    ("tags", "legend"),
    [({}, ()), ({"CLASSES": "1 Row crop, 41 Forest"}, ((1, "Row crop"), (41, "Forest")))],
)
def test_maps_are_known_by_year_and_legend(
    tmp_path: Path, tags: dict[str, str], legend: tuple[tuple[int, str], ...]
) -> None:
    path = tmp_path / "truth_2018.tif"
    write_land_cover(path, CODES)
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(**tags)
    [found] = ReferenceMapsDataset(path=str(tmp_path)).load()
    assert (found.year, found.legend) == (2018, legend)
