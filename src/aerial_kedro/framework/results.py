"""The last lines of a run: where its results are, and what to do next."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from kedro.io import DataCatalog

from aerial_kedro.imagery.redaction import redact

# The results a user looks for, by the names of their datasets.
_RESULTS = (
    ("Report", ("report", "digits_page", "comparison_page", "explained_page")),
    ("Map", ("maps",)),
    ("Tables", ("mapped_tiles", "predictions_csv")),
    ("Model", ("trained_model",)),
)
_SCORE_SCENES = "kedro run --pipeline=score_scenes --params=scenes_root=DIR,model_name={model}"
_SCORE_FOLDER = "kedro run --pipeline=score_folder --params=score_root=DIR,model_name={model}"
# What to do next: the first command whose datasets were all made.
_NEXT = (
    ({"trained_model", "report", "maps"}, _SCORE_SCENES),
    ({"trained_model", "report"}, _SCORE_FOLDER),
    ({"trained_model"}, "kedro run --pipeline=scoring"),
    ({"report"}, "kedro run --pipeline=explain --params=explain.tiles=A/B"),
    ({"test_predictions"}, "kedro run --pipeline=reporting"),
    ({"predictions"}, "kedro viz run"),
    ({"tile_features"}, "kedro run --pipeline=training"),
    ({"tile_catalog"}, "kedro run --pipeline=featurization"),
    ({"sample_scenes"}, "kedro run"),
    ({"digits_page"}, "kedro mlflow ui"),
    ({"comparison_page"}, "kedro mlflow ui"),
)


def describe_results(made: Mapping[str, Collection[str]], catalog: DataCatalog) -> list[str]:
    """Say where the results of a run are, one line each, and the command that goes on from there.

    Parameters
    ----------
    made
        Names of the datasets that the run has saved, to the names of the files in each; none for a
        dataset that is one file.
    catalog
        Catalog of the run.

    Returns
    -------
    list of str
        At most five lines; none for a run that made no such result.
    """
    lines = []
    for label, names in _RESULTS:
        # Without tiles that have a place there is no map to name.
        there = [name for name in names if name in made and (name != "maps" or made[name])]
        places = [_place(name, made[name], catalog) for name in there]
        if places:
            lines.append(f"{label + ':':<8}{', '.join(places)}")
    for needed, command in _NEXT:
        if needed <= set(made):
            model = _model_name(catalog) if "trained_model" in needed else ""
            lines.append(f"{'Next:':<8}{command.format(model=model)}")
            break
    return lines


def _place(name: str, files: Collection[str], catalog: DataCatalog) -> str:
    """Say where a dataset is: an absolute path, or its address as the configuration gives it."""
    dataset = catalog.get(name)
    # Kedro takes parts of addresses in blob storage out of its own datasets' paths.
    given = dataset._init_args  # type: ignore[union-attr]
    given = {**given, **given.get("options", {})}
    address = str(given.get("filepath") or given["path"])
    if "://" not in address:
        address = str(Path(address).absolute())
    if name == "trained_model":
        return f"{redact(address)}/{_model_name(catalog)}"
    if name == "maps":
        first, *others = [f"{file}.tif" for file in files]
        return ", ".join([f"{redact(address)}/{first}", *others])
    return redact(address)


def _model_name(catalog: DataCatalog) -> str:
    """Look up the name under which the run has stored its model."""
    return str(catalog.get("trained_model").find())  # type: ignore[union-attr]
