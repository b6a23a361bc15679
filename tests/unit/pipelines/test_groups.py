from __future__ import annotations

import pytest

from aerial_kedro.errors import AerialError
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.pipelines.reporting.nodes import ReportSettings
from aerial_kedro.pipelines.reporting.shares import check_groups

CLASSES = LandCoverClasses(codes={"Forest": [41], "Shrub": [52], "Water": [11]})


def settings_of(groups: dict[str, list[str]]) -> ReportSettings:
    return ReportSettings(
        gallery_tiles=0, worst_errors=0, explained_errors=0, change_candidates=0, groups=groups
    )


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"Green": ["Forest", "Shrubs"]}, "'Shrubs' to 'Green'.*Forest, Shrub, Water"),
        ({"Green": ["Forest"], "Wild": ["Forest"]}, "'Forest' in both 'Green' and 'Wild'"),
        ({"Other": ["Forest"]}, "group 'Other'"),
    ],
)
def test_groups_that_make_no_sense_are_refused(groups: dict[str, list[str]], message: str) -> None:
    with pytest.raises(AerialError, match=message):
        check_groups(CLASSES, settings_of(groups))


def test_an_empty_group_is_taken_out() -> None:
    groups = {"Green": ["Forest"], "Built": []}
    assert check_groups(CLASSES, settings_of(groups)) == {"Green": ["Forest"]}
