import numpy as np
import pandas as pd
import pytest

from aerial_kedro.tiles.records import CatalogSummary, summarise


@pytest.fixture
def counted() -> pd.DataFrame:
    rows = [
        # year, split, label, covered, is_empty, images
        (2012, "train", "Forest", True, False, 50),
        (2018, "train", "Forest", True, False, 40),
        (2018, "test", "Forest", True, False, 7),
        (2018, None, "Water", True, False, 5),
        (2018, "train", "Town", True, True, 3),
        (2018, None, None, True, False, 11),
        (2012, None, None, False, False, 13),
        (2012, None, None, False, True, 2),
    ]
    return pd.DataFrame(rows, columns=["year", "split", "label", "covered", "is_empty", "images"])


def test_counts_add_up(counted: pd.DataFrame) -> None:
    summary = summarise(counted, places=90, sources=4)
    assert summary == CatalogSummary(
        images=131,
        places=90,
        sources=4,
        by_year={"2012": 65, "2018": 66},
        by_split={"train": 93, "test": 7, "none": 31},
        by_label={
            "labelled": 102,
            "mixed": 11,
            "outside the land cover": 13,
            "no data in the image": 5,
        },
        class_by_split={
            "Forest": {"train": 90, "test": 7},
            "Water": {"none": 5},
            "Town": {"train": 3},
        },
    )
    assert sum(summary.by_label.values()) == summary.images
    assert sum(summary.by_split.values()) == summary.images


def test_the_counts_given_are_left_as_they_are(counted: pd.DataFrame) -> None:
    before = counted.copy()
    summarise(counted, places=1, sources=1)
    pd.testing.assert_frame_equal(counted, before)


def test_folders_without_a_year_have_none(counted: pd.DataFrame) -> None:
    folder = counted.assign(year=np.nan)
    summary = summarise(folder, places=1, sources=1)
    assert summary.by_year == {}
    assert summary.images == 131


def test_an_empty_catalog_has_zero_images(counted: pd.DataFrame) -> None:
    summary = summarise(counted.iloc[:0], places=0, sources=0)
    assert (summary.images, summary.by_label, summary.class_by_split) == (0, {}, {})
