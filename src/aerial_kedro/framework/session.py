"""The session of a run and its context: one run at a time, errors without a traceback."""

import contextlib
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from functools import partial
from typing import Any

import click
from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.pipeline import Pipeline
from kedro.validation import ParameterValidationError
from kedro.validation.type_extractor import TypeExtractor
from kedro.validation.utils import is_pydantic_class

from aerial_kedro.cluster.paths import check_letters
from aerial_kedro.errors import AerialError
from aerial_kedro.framework.data_folder import check_writable
from aerial_kedro.framework.lazy_pipeline import LazyPipeline
from aerial_kedro.framework.run_lock import one_run_at_a_time
from aerial_kedro.framework.run_parameters import choose_labels
from aerial_kedro.framework.scene_pipelines import scene_pipelines
from aerial_kedro.models.settings import Grid, check_grid
from aerial_kedro.parameters import check_parameters

LOGGER = logging.getLogger(__name__)
_KEEPS_NO_HISTORY = "kedro catalog "
_history_waits: ContextVar[bool] = ContextVar("history_waits", default=False)


class ProjectSession(KedroSession):
    """Kedro's session, which locks the data folder and explains wrong parameters and names.

    A subclass, since Kedro calls no hook before MLflow is set up for a run alone, and none when it
    validates parameters or looks a pipeline up.
    """

    _runs = False

    def run(self, *args: Any, **options: Any) -> dict[str, Any]:
        """Run pipelines; see `kedro.framework.session.KedroSession.run`."""
        root = self._get_config_loader()["globals"]["root"]
        with contextlib.ExitStack() as held:
            try:
                check_letters(root)
                held.enter_context(one_run_at_a_time(root))
                check_writable(root)
            except AerialError as error:
                raise click.ClickException(str(error)) from None
            return self._run_alone(*args, **options)

    def load_context(self) -> KedroContext:
        """Make the context; that of `kedro catalog` asks the run history for nothing."""
        command = self.store.get("cli", {}).get("command_path", "")
        looks = command.startswith(_KEEPS_NO_HISTORY)
        before = _history_waits.set(looks or self._runs)
        try:
            return super().load_context()
        finally:
            _history_waits.reset(before)

    def _run_alone(self, *args: Any, **options: Any) -> dict[str, Any]:
        try:
            self._runs = True
            return super().run(*args, **options)
        except ParameterValidationError as error:
            raise click.ClickException(
                f"The run cannot start: {error}\nParameters are given as --params=name=value,… or "
                "in conf/base/<pipeline>/parameters.yml."
            ) from error
        except ValueError as error:
            if "Failed to find the pipeline" not in str(error):
                raise
            names = options.get("pipeline_names") or [options.get("pipeline_name")]
            raise click.ClickException(
                f"There is no pipeline {', '.join(map(repr, names))}. There are: "
                f"{', '.join(sorted(pipelines.keys()))}."
            ) from error


class ProjectContext(KedroContext):
    """Kedro's context, which wires what depends on parameters.

    That is `compare_models`, from its grid, whether there are cells or only tiles, and where labels
    come from. Kedro registers pipelines before parameters are known and offers no other place to
    wire one by them. Not a hook: kedro-viz makes a context without hooks, and draws what will run
    as well. And it checks groups of parameters before Kedro does, which shows pydantic's words.

    Attributes
    ----------
    history_waits
        Whether MLflow need not be set up with the context: a run does that when it begins.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.history_waits = _history_waits.get()
        parameters = self.config_loader["parameters"]
        classifier = parameters["classifier"]
        try:
            grid = check_grid(parameters["compare_models"], classifier)
        except AerialError as error:
            raise click.ClickException(str(error)) from None
        pipelines["compare_models"] = LazyPipeline(partial(_compare_models, grid, classifier))
        # Tiles of folders have no place, and so no cells: what is trained on them is of tiles.
        grain = parameters["grain"]
        if parameters["folders_root"] is not None and grain != "tile":
            LOGGER.info("With folders_root everything is of tiles, as with grain=tile")
            grain = "tile"
        given = self._runtime_params or {}
        sample = self.config_loader["globals"]["root"] + "/01_raw/sample/land_cover"
        try:
            labels = choose_labels(parameters, given, sample)
        except AerialError as error:
            raise click.ClickException(str(error)) from None
        pipelines.update(scene_pipelines(grain, labels))

    def _get_validated_params(self) -> dict[str, Any]:
        names = self._pipelines_to_validate or list(pipelines)
        chosen = {name: pipelines[name] for name in names}
        parameters = self.config_loader["parameters"]
        wanted = TypeExtractor(chosen).extract_types_from_pipelines()
        problems = []
        for name, kind in wanted.items():
            if is_pydantic_class(kind) and isinstance(given := parameters.get(name), Mapping):
                try:
                    check_parameters(kind, given, name)
                except AerialError as error:
                    problems.append(str(error))
        if problems:
            raise click.ClickException("\n  ".join(["The run cannot start:", *problems]))
        return super()._get_validated_params()


def _compare_models(grid: Grid, classifier: str) -> Pipeline:
    """Wire `compare_models`, with all that it imports."""
    from aerial_kedro.pipelines import compare_models  # noqa: PLC0415

    return compare_models.create_pipeline(grid, classifier)
