"""What happens around a run: checks before it, a plain message when it fails."""

import logging
from collections.abc import Iterator
from typing import Any, cast

import click
from kedro.config import MissingConfigException
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog, DatasetError
from kedro.pipeline import Pipeline

from aerial_kedro.cluster import spark
from aerial_kedro.cluster.blob_storage import (
    StorageCredential,
    check_storage,
    is_in_storage,
    read_credential,
)
from aerial_kedro.cluster.checks import explain_worker_failure
from aerial_kedro.errors import AerialError
from aerial_kedro.examples.digits.settings import DIGITS, DOWNLOAD, DigitsRunParameters
from aerial_kedro.features.engines import check_engine
from aerial_kedro.framework.configuration import ProjectConfigLoader
from aerial_kedro.framework.request import check_request
from aerial_kedro.framework.run_parameters import (
    RunParameters,
    check_divisions,
    check_run_parameters,
)
from aerial_kedro.imagery.access import RULES_VARIABLE, AccessRules
from aerial_kedro.imagery.search import SearchRequest
from aerial_kedro.parameters import check_parameters
from aerial_kedro.surroundings import LEFT_OUT

LOGGER = logging.getLogger(__name__)


class ProjectRunParameters(DigitsRunParameters, RunParameters):
    """The run parameters of the product and of its examples."""


class ProjectHooks:
    """Configure Spark, check the run parameters, refuse with a message what cannot end well."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Check the run parameters and hand Spark its settings."""
        if LEFT_OUT:
            LOGGER.info(
                "Of other installations or settings, and left out: %s. Runs read with what is "
                "installed with this project.",
                ", ".join(f"{name}={value}" for name, value in LEFT_OUT.items()),
            )
        loader = cast("ProjectConfigLoader", context.config_loader)
        try:
            spark.configure(loader["spark"])
        except MissingConfigException:
            spark.configure({})
        try:
            parameters = loader["parameters"]
            declared = loader.declared_parameters()
            run = check_run_parameters(parameters, declared, ProjectRunParameters)
            check_engine(run.engine, run.precision)
            check_divisions(parameters)
            check_parameters(SearchRequest, parameters.get("acquisition", {}), "acquisition")
            _share_access_rules(parameters.get("imagery", {}))
            self._storage = _share_credential(loader)
        except AerialError as error:
            raise click.ClickException(str(error)) from None

    @hook_impl(tryfirst=True)
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Refuse what cannot end well before hours are spent; give Spark its packages."""
        checked = pipeline.all_outputs() & {"trained_model", "cell_model"}
        checked |= {name for name in pipeline.inputs() if name.endswith("backbone_weights")}
        needs_spark = not all(node.tags & {DIGITS, DOWNLOAD} for node in pipeline.nodes)
        try:
            check_storage(*self._storage)
            if needs_spark:
                spark.check_cluster()
            check_request(pipeline, catalog)
            for name in sorted(checked):
                dataset: Any = catalog.get(name)
                dataset.release()  # Kedro leaves a pipeline's inputs as an earlier run has them
                dataset.check_name()
            if needs_spark and "ThreadRunner" in run_params.get("runner", ""):
                spark.session()  # Java is forked off, which must not happen beside threads
        except AerialError as error:
            raise click.ClickException(str(error)) from None

    @hook_impl(trylast=True)
    def on_pipeline_error(self, error: Exception) -> None:
        """Turn an error that is meant for the user into a message without a traceback."""
        for cause in _causes(error):
            if isinstance(cause, AerialError):
                raise click.ClickException(str(cause)) from error
        message = (
            _from_worker(str(error)) or explain_worker_failure(str(error)) or _missing_input(error)
        )
        if message:
            raise click.ClickException(message) from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Go from an error to what caused it, and on."""
    while error is not None:
        yield error
        error = error.__cause__


def _share_credential(loader: ProjectConfigLoader) -> tuple[str, StorageCredential]:
    """Let this process, Spark's workers and Hadoop know how storage is opened."""
    try:
        entry = loader["credentials"].get("storage", {})
    except MissingConfigException:
        entry = {}
    roots = loader["globals"]
    credential = read_credential(entry)
    spark.set_storage(roots["spark_root"], credential.hadoop(roots["spark_root"]))
    if is_in_storage(roots["root"]):
        spark.share_environment(credential.environment())
    return roots["root"], credential


def _share_access_rules(parameters: dict[str, Any]) -> None:
    """Let this process and Spark's workers know where imagery may be read from."""
    rules = check_parameters(AccessRules, parameters, "imagery").model_dump_json()
    spark.share_environment({RULES_VARIABLE: rules})


def _missing_input(error: Exception) -> str | None:
    """Say what a dataset of Kedro's own did not find; ours say it themselves."""
    found = [each for each in _causes(error) if isinstance(each, FileNotFoundError)]
    if not found or not isinstance(error, DatasetError):
        return None
    return (
        f"There is no {found[0].filename or found[0]} yet: run the pipeline that makes it first "
        "(`kedro run` runs all)."
    )


def _from_worker(text: str) -> str | None:
    """Find the message of an `AerialError` that was raised on a Spark worker."""
    marker = f"{AerialError.__module__}.{AerialError.__qualname__}: "
    if marker not in text:
        return None
    return text.split(marker, 1)[1].split("\n\n", 1)[0].strip()
