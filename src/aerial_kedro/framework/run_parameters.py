"""Run parameters: what `--params` may hold, checked before anything runs."""

import difflib
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field, StrictBool, ValidationError

from aerial_kedro.errors import AerialError
from aerial_kedro.features.input_request import Channels, Deviations, InputSize
from aerial_kedro.framework.paths import path_parameters
from aerial_kedro.imagery.remote import is_remote
from aerial_kedro.labels.rules import LabelSource
from aerial_kedro.models.address import ADDRESS_FORMS, MODEL_NAME_PATTERN
from aerial_kedro.parameters import (
    FIRST_YEAR,
    LAST_YEAR,
    NO_SUCH_NAME,
    CheckedModel,
    describe_problems,
)
from aerial_kedro.scenes.addresses import check_root

_LAND_COVER = ("landcover_path", "reference_root")


class RunParameters(CheckedModel):
    """The flat run parameters of `conf/base/parameters.yml`.

    Parameters
    ----------
    scenes_root, landcover_path
        Folders, files or addresses of the scenes and of the land cover; None for no land cover,
        where there are labels.
    labels_path
        File of labels of one's own, points or polygons; None for none.
    folders_root
        Folder of labelled tiles.
    reference_root
        Where land cover of known truth is, for the assessment of change; None for none.
    reference_labels
        Answers to the reference sample, for the assessment.
    score_root
        Folder of unlabelled tiles to score.
    regions_path
        Polygon layer to divide tiles by (`split.unit=region`).
    year
        Year of scenes whose files do not say it, and of folders of tiles.
    sample_fraction
        Share of the places to take (0–1].
    seed
        Seed of every random choice.
    tile_size_m
        Side of a tile in metres.
    grain
        Whether maps of scenes are of cells, 7 by 7 a tile, or have one class a tile.
    gsd_m
        Metres of ground that a pixel of the network's input covers, of tiles of scenes; None for
        its own input.
    backbone, weights_path
        Network, and a file of weights instead of its own.
    backbone_onnx
        A finished network in ONNX that takes the backbone's place.
    input_mean, input_std, input_size
        How pixels are given to the network; None where its weights say it.
    pooling
        Layers of the backbone that make the features.
    engine, precision
        Engine that runs the network, and its precision.
    classifier
        Classifiers to train.
    model_name
        Name of the model to store, or to score with; to score with also an address in the
        registry.
    overwrite
        Whether a stored model of that name may be replaced.
    max_nodata_fraction
        Tiles with more nodata than this are neither trained on nor scored.
    max_quarantine_fraction
        The run stops above this share of unreadable tiles.
    """

    # A model or folder may be called 2018. All else is strict: nodes take the values as they were
    # given, not as they could be read.
    model_config = ConfigDict(coerce_numbers_to_str=True)

    scenes_root: str
    landcover_path: str | None
    labels_path: str | None
    folders_root: str | None
    reference_root: str | None
    reference_labels: str | None
    score_root: str | None
    regions_path: str | None
    year: int | None = Field(strict=True, ge=FIRST_YEAR, le=LAST_YEAR)
    sample_fraction: float = Field(strict=True, gt=0, le=1)
    seed: int = Field(strict=True, ge=0)
    tile_size_m: float = Field(strict=True, gt=0)
    grain: Literal["cell", "tile"]
    gsd_m: float | None = Field(strict=True, gt=0)
    backbone: str
    weights_path: str | None
    backbone_onnx: str | None
    input_mean: Channels | None
    input_std: Deviations | None
    input_size: InputSize | None = Field(strict=True)
    pooling: Literal["auto", "last", "stages", "token", "mean"]
    engine: str
    precision: str
    classifier: Literal["both", "logistic_regression", "random_forest"]
    model_name: str | None = Field(pattern=MODEL_NAME_PATTERN)
    overwrite: StrictBool
    max_nodata_fraction: float = Field(strict=True, ge=0, le=1)
    max_quarantine_fraction: float = Field(strict=True, ge=0, le=1)


def check_run_parameters(
    parameters: Mapping[str, Any],
    declared: Mapping[str, Any],
    model: type[RunParameters],
) -> RunParameters:
    """Check the run parameters.

    Parameters
    ----------
    parameters
        All parameters of the run, those of ``--params`` merged in.
    declared
        The parameters as the configuration files declare them. Those that are nested are left to
        the typed nodes that take them.
    model
        What they are checked by: `RunParameters`, or one with the parameters of examples as well.

    Raises
    ------
    AerialError
        Naming each parameter that is unknown or out of range, or a path in storage that is not
        read.
    """
    for name, path in path_parameters(parameters).items():
        # Of land cover on the web its dataset says more.
        if not (is_remote(path) and name in _LAND_COVER):
            check_root(path, name)
    groups = {name for name, value in declared.items() if isinstance(value, dict)}
    flat = {name: value for name, value in parameters.items() if name not in groups}
    replaced = sorted(name for name in groups if not isinstance(parameters[name], Mapping))
    if replaced:
        name = replaced[0]
        raise AerialError(
            f"The run cannot start:\n  {name}={parameters[name]!r}: this is a group of parameters; "
            f"give one of them: {', '.join(f'{name}.{each}' for each in declared[name])}"
        )
    try:
        return model.model_validate(flat)
    except ValidationError as error:
        known = [*model.model_fields, *sorted(groups)]
        problems = [_explain(each, known) for each in describe_problems(error)]
        raise AerialError(
            "The run cannot start:\n  "
            + "\n  ".join(problems)
            + "\nParameters are given as --params=name=value,… "
            + "or in conf/base/<pipeline>/parameters.yml."
        ) from None


def check_divisions(parameters: Mapping[str, Any]) -> None:
    """Check that what divides tiles by regions has regions, before hours are spent.

    Parameters
    ----------
    parameters
        All parameters of the run.

    Raises
    ------
    AerialError
        Naming what is missing.
    """
    by_region = parameters.get("split", {}).get("unit") == "region"
    if by_region and not parameters.get("regions_path"):
        raise AerialError(
            "split.unit=region needs the layer of regions: give --params=regions_path=FILE."
        )
    if parameters.get("validation", {}).get("leave_one_region_out") is True and not by_region:
        raise AerialError(
            "validation.leave_one_region_out=true needs regions: give split.unit=region, "
            "split.region_column and regions_path."
        )


def choose_labels(
    parameters: Mapping[str, Any], given: Mapping[str, Any], sample: str
) -> LabelSource:
    """Decide where labels come from.

    Labels of one's own stand alone unless a land cover was asked for beside them: the sample's,
    which `landcover_path` names where nothing else does, was not.

    Parameters
    ----------
    parameters
        All parameters of the run.
    given
        Those of ``--params``.
    sample
        Folder of the sample's land cover.

    Raises
    ------
    AerialError
        If cells would have labels and the map, or what is given, is of tiles.
    """
    own, path = parameters.get("labels_path"), parameters.get("landcover_path")
    asked = path is not None and ("landcover_path" in given or path != sample)
    if own is not None and parameters.get("folders_root") is not None:
        raise AerialError(
            "labels_path labels the cells of scenes, and folders_root names tiles that their "
            "folders label. Give one of them."
        )
    if own is None:
        return "land_cover" if asked else "none"
    if parameters.get("grain") == "tile":
        raise AerialError(
            "labels_path labels cells, and grain=tile has none. Leave grain out, or put your "
            "labelled tiles in class folders: --pipeline=from_folders."
        )
    return "both" if asked else "own"


def _explain(problem: str, known: list[str]) -> str:
    """Add to a problem what is known of the parameter that it names."""
    name, _, rest = problem.partition(":")
    if rest.strip() == NO_SUCH_NAME:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
        return f"there is no parameter {name!r}; {hint}"
    if name.partition("=")[0] == "model_name":
        given = problem.rpartition(": ")[0]
        return f"{given}: use letters, digits, - and _ only; of a registered model {ADDRESS_FORMS}"
    return problem
