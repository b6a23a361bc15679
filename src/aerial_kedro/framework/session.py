"""The session of a run: what is wrong with the command is reported without a traceback."""

from __future__ import annotations

from typing import Any

import click
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.validation import ParameterValidationError


class ProjectSession(KedroSession):
    """Kedro's session, with messages where nested parameters or the pipeline's name are wrong.

    A subclass, since Kedro calls no hook when it validates parameters or looks a pipeline up.
    """

    def run(self, *args: Any, **options: Any) -> dict[str, Any]:
        """Run pipelines; see `kedro.framework.session.KedroSession.run`."""
        try:
            return super().run(*args, **options)
        except ParameterValidationError as error:
            raise click.ClickException(
                f"The run cannot start: {error}\nParameters are given as --params=name=value,… or "
                "in conf/base/parameters*.yml."
            ) from error
        except ValueError as error:
            if "Failed to find the pipeline" not in str(error):
                raise
            names = options.get("pipeline_names") or [options.get("pipeline_name")]
            raise click.ClickException(
                f"There is no pipeline {', '.join(map(repr, names))}. There are: "
                f"{', '.join(sorted(pipelines.keys()))}."
            ) from error
