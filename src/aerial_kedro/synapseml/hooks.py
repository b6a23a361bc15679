"""Kedro's hook of the plug-in: Spark takes SynapseML's Java parts only when it starts."""

from collections.abc import Mapping
from typing import Any

import click
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline

from aerial_kedro.cluster import spark
from aerial_kedro.errors import AerialError
from aerial_kedro.features.engines import name_engines_for
from aerial_kedro.synapseml import SYNAPSEML

ENGINE = "synapseml"


class SynapseMLHooks:
    """Start Spark with the Java parts that a run needs, or refuse the run at once."""

    def __init__(self) -> None:
        self._packages: Mapping[str, Mapping[str, Any]] = {}
        self._is_engine = False

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Read which packages there are, and whether the run asks for the engine."""
        self._packages = context.config_loader["synapseml"]
        self._is_engine = context.config_loader["parameters"]["engine"] == ENGINE

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline) -> None:
        """Add the packages; start Spark now where a run without them would end hours later."""
        try:
            if pipeline.only_nodes_with_tags(SYNAPSEML).nodes:
                spark.add_packages(self._packages["classifiers"])
            if self._is_engine and "tile_features" in pipeline.all_outputs():
                _start_featurizer(self._packages["featurizer"], pipeline)
        except AerialError as error:
            raise click.ClickException(str(error)) from None


def _start_featurizer(packages: Mapping[str, Any], pipeline: Pipeline) -> None:
    if "scenes" in pipeline.inputs():
        raise AerialError(
            f"The engine {ENGINE!r} takes tiles that are PNG or JPEG files, and this run reads "
            f"scenes. Run {name_engines_for('fp32')}, which take all."
        )
    try:
        spark.add_packages(packages)
        session = spark.session()
    except AerialError as error:
        raise AerialError(
            f"The engine {ENGINE!r} cannot be run here. {error} Or run {name_engines_for('fp32')}."
        ) from error
    # onnx loads slowly.
    from aerial_kedro.synapseml.image_featurizer import check_java_parts  # noqa: PLC0415

    # A session that others started, or a cluster that fetches nothing.
    check_java_parts(session)
