from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import click
import pytest
from kedro.framework.context import KedroContext

from aerial_kedro.errors import AerialError
from aerial_kedro.framework.configuration import ProjectConfigLoader
from aerial_kedro.hooks import ProjectHooks
from aerial_kedro.report.groups import check_groups
from aerial_kedro.settings import CONFIG_LOADER_ARGS

CONF = Path(__file__).parents[3] / "conf"
CLASSES = ["Forest", "Shrub", "Water"]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"Green": ["Forest", "Shrubs"]}, "'Shrubs' to 'Green'.*Forest, Shrub, Water"),
        ({"Green": ["Forest"], "Wild": ["Forest"]}, "'Forest' in both 'Green' and 'Wild'"),
        ({"Other": ["Forest"]}, "group 'Other'"),
        ({"Green": "Forest"}, "report.groups.Green is 'Forest': give a list"),
    ],
)
def test_groups_that_make_no_sense_are_refused(groups: dict[str, Any], message: str) -> None:
    with pytest.raises(AerialError, match=message):
        check_groups(CLASSES, groups)


def test_an_empty_group_is_taken_out() -> None:
    groups = {"Green": ["Forest"], "Built": []}
    assert check_groups(CLASSES, groups) == {"Green": ["Forest"]}


def test_a_run_with_such_groups_is_refused_before_it_starts() -> None:
    loader = ProjectConfigLoader(
        conf_source=str(CONF),
        env="base",
        runtime_params={"report": {"groups": {"Green": ["Woods"]}}},
        **CONFIG_LOADER_ARGS,
    )
    context = cast("KedroContext", SimpleNamespace(config_loader=loader))
    with pytest.raises(click.ClickException, match="'Woods' to 'Green'"):
        ProjectHooks().after_context_created(context)
