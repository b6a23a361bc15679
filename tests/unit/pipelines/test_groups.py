from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
from kedro.io import DataCatalog, MemoryDataset

from aerial_kedro.cluster import spark
from aerial_kedro.cluster.blob_storage import StorageCredential
from aerial_kedro.errors import AerialError
from aerial_kedro.hooks import ProjectHooks
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.parameters import check_parameters
from aerial_kedro.pipelines import reporting
from aerial_kedro.pipelines.reporting.areas import check_groups
from aerial_kedro.pipelines.reporting.nodes import ReportSettings

CLASSES = ["Forest", "Shrub", "Water"]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"Green": ["Forest", "Shrubs"]}, "'Shrubs' to 'Green'.*Forest, Shrub, Water"),
        ({"Green": ["Forest"], "Wild": ["Forest"]}, "'Forest' in both 'Green' and 'Wild'"),
        ({"Other": ["Forest"]}, "group 'Other'"),
    ],
)
def test_groups_that_make_no_sense_are_refused(groups: dict[str, Any], message: str) -> None:
    with pytest.raises(AerialError, match=message):
        check_groups(CLASSES, groups)


def test_a_group_is_a_list() -> None:
    with pytest.raises(AerialError, match=r"groups\.Green='Forest': give a list"):
        check_parameters(ReportSettings, {"groups": {"Green": "Forest"}}, "report")


def test_an_empty_group_is_taken_out() -> None:
    groups = {"Green": ["Forest"], "Built": []}
    assert check_groups(CLASSES, groups) == {"Green": ["Forest"]}


@pytest.fixture
def hooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProjectHooks:
    monkeypatch.setattr(spark, "_settings", {})  # another test's may name a cluster
    found = ProjectHooks()
    found._storage = str(tmp_path), StorageCredential()
    return found


def test_a_run_with_such_groups_is_refused_before_it_starts(hooks: ProjectHooks) -> None:
    settings = ReportSettings(
        gallery_tiles=1,
        worst_errors=1,
        explained_errors=1,
        change_candidates=1,
        groups={"Green": ["Woods"]},
    )
    classes = LandCoverClasses(codes={"Forest": [1], "Water": [2]})
    catalog = DataCatalog(
        {
            "params:report": MemoryDataset(settings),
            "params:land_cover": MemoryDataset(classes),
        }
    )
    with pytest.raises(click.ClickException, match="'Woods' to 'Green'"):
        hooks.before_pipeline_run(
            {}, reporting.create_pipeline("cell", "params:land_cover"), catalog
        )
