"""Maps of known truth: land cover that a run may do without."""

from pathlib import Path

import numpy as np
import pytest
import rasterio

from aerial_kedro.datasets.land_cover import LandCoverDataset
from tests.builders import write_land_cover
from tests.unit.datasets.refusals import refused

CODES = np.full((20, 20), 41, np.uint8)


def reference(path: Path | None, sample: Path = Path("sample/truth")) -> LandCoverDataset:
    return LandCoverDataset(
        path=None if path is None else str(path), parameter="reference_root", sample=str(sample)
    )


def test_no_folder_is_no_reference() -> None:
    assert reference(None).load() == []


def test_a_sample_that_was_not_drawn_is_no_reference(tmp_path: Path) -> None:
    assert reference(tmp_path / "truth", sample=tmp_path / "truth").load() == []


def test_another_folder_must_exist(tmp_path: Path) -> None:
    with refused("reference_root=.*does not exist.*or null for none"):
        reference(tmp_path / "trut", sample=tmp_path / "truth").load()


def test_a_folder_without_maps_is_refused(tmp_path: Path) -> None:
    with refused("reference_root=.*holds none"):
        reference(tmp_path).load()


def test_a_land_cover_that_is_needed_is_asked_for() -> None:
    with refused(r"landcover_path=null leaves nothing.*--params=labels_path=FILE.*a land cover"):
        LandCoverDataset(path=None).load()


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
    [found] = reference(tmp_path).load()
    assert (found.year, found.legend) == (2018, legend)
