"""What a command asks of the pipeline that it runs, checked before the first node."""

from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from aerial_kedro.errors import AerialError
from aerial_kedro.features.grain import NO_GSD_OF_FILES
from aerial_kedro.parameters import check_parameters


def check_request(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Refuse what the command asks of the pipeline and only a late node would notice.

    Parameters
    ----------
    pipeline, catalog
        Of the run.

    Raises
    ------
    AerialError
        Saying what to ask instead.
    """
    inputs = pipeline.inputs()
    if {"params:report", "params:land_cover"} <= inputs:
        # As the nodes that take them, which import pandas and Spark.
        from aerial_kedro.pipelines.reporting.areas import check_groups  # noqa: PLC0415

        check_groups(catalog.load("params:land_cover").names, catalog.load("params:report").groups)
    if inputs & {"tile_folders", "unlabelled_tiles"}:
        _check_files(catalog)
    if pipeline.only_nodes_with_tags("compare_models").nodes:
        _check_grid(catalog)


def _check_files(catalog: DataCatalog) -> None:
    from aerial_kedro.features.source import FeatureRequest  # noqa: PLC0415  (imports pandas)

    # Kedro makes a model of a group of parameters where a node takes it as one.
    given = catalog.load("params:asked_features")
    request = check_parameters(FeatureRequest, given, "asked_features")
    if request.gsd_m is not None:
        raise AerialError(NO_GSD_OF_FILES.format(request.gsd_m))


def _check_grid(catalog: DataCatalog) -> None:
    from aerial_kedro.features.source import OF_EXPORT, FeatureRequest  # noqa: PLC0415

    request = FeatureRequest.model_validate(catalog.load("params:asked_features"))
    files = request.model_dump(include=set(OF_EXPORT) - {"pooling"}, exclude_none=True)
    if files:
        raise AerialError(
            "The pipeline compare_models compares backbones whose weights are installed or "
            f"downloaded, each with its own input. Leave {', '.join(files)} out."
        )
    asked = request.backbone
    if asked:
        raise AerialError(
            f"The pipeline compare_models takes its backbones from its grid, not from "
            f"backbone={asked}: give --params=compare_models.backbones={asked} (A/B: several)."
        )
