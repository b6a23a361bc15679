"""The context of a session: the pipeline that depends on parameters is wired with it."""

from __future__ import annotations

from typing import Any

import click
from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines

from aerial_kedro.errors import AerialError
from aerial_kedro.models.grid import check_grid
from aerial_kedro.pipelines import compare_models


class ProjectContext(KedroContext):
    """Kedro's context, which wires `compare_models` from the grid that its parameters hold.

    Kedro registers pipelines before parameters are known and offers no other place to wire one by
    them. Not a hook: kedro-viz makes a context without hooks, and draws the grid as well.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        parameters = self.config_loader["parameters"]
        classifier = parameters["classifier"]
        try:
            grid = check_grid(parameters["compare_models"], classifier)
        except AerialError as error:
            raise click.ClickException(str(error)) from None
        pipelines["compare_models"] = compare_models.create_pipeline(grid, classifier)
