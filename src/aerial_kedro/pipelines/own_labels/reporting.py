"""Nodes that report on a map made from labels of one's own."""

import logging
from typing import Any

import geopandas as gpd
import pandas as pd
from pyspark.sql import DataFrame

from aerial_kedro.accuracy.applicability import ApplicabilitySummary
from aerial_kedro.cells.grid import SIDE
from aerial_kedro.change.assessment import PATCH_TRUTH_COLUMNS
from aerial_kedro.change.cells import CellTransitions
from aerial_kedro.change.patches import summarise_cells
from aerial_kedro.change.summary import ChangeSummary
from aerial_kedro.features.precision_loss import PrecisionSummary
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.labels.summary import LabelSummary
from aerial_kedro.maps.patches import PatchRules
from aerial_kedro.models.comparison import LeftOutAccuracy
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.pipelines.reporting.cell_areas import measure_cell_areas
from aerial_kedro.pipelines.reporting.nodes import describe_scenes
from aerial_kedro.pipelines.reporting.report import (
    describe_applicability,
    describe_change,
    describe_run,
)
from aerial_kedro.report.cell_content import LabelContent
from aerial_kedro.report.content import (
    AreaRow,
    ReportContent,
    RunFacts,
    SourceFacts,
    UnsureTiles,
)
from aerial_kedro.report.pictures import MapImage
from aerial_kedro.report.wording import headline_sentences
from aerial_kedro.tiles.records import CatalogSummary, QuarantineSummary

LOGGER = logging.getLogger(__name__)
_OF_LABELS = (
    "Accuracy here is the share of the labels that the map finds where it has not seen them. It "
    "speaks for all the land only if the labels were drawn at random; chosen ones tend to be "
    "clear cases. For a figure of the map itself draw a reference sample and let people look at "
    "it: kedro run --pipeline=reference_sample."
)
_OF_TILES = (
    "All labels lie in one block, so tiles were left out and not blocks: neighbours look alike, so "
    "expect a lower accuracy elsewhere."
)


def describe_labelled_scenes(
    scenes: DataFrame, scenes_root: str, labels: LabelSummary, tile_size_m: float, seed: int
) -> SourceFacts:
    """Say which scenes and labels were used."""
    return describe_scenes(
        scenes, [], scenes_root, f"none; labels: {labels.path}", tile_size_m, "cell", seed
    )


def measure_mapped_areas(
    cell_predictions: DataFrame, classes: LandCoverClasses
) -> dict[str, list[AreaRow]]:
    """Measure each class's area for each year, as mapped.

    Labels are no probability sample, so that areas cannot be corrected by their errors.
    """
    return measure_cell_areas(cell_predictions, None, classes, seed=0)


def summarise_patches(
    cell_change: pd.DataFrame,
    patches: gpd.GeoDataFrame,
    transitions: CellTransitions,
    rules: PatchRules,
) -> tuple[ChangeSummary, pd.DataFrame]:
    """Sum up change by cells; the truth of the patches, which is not known, is an empty table."""
    summary = ChangeSummary(cells=summarise_cells(cell_change, patches, transitions, rules))
    return summary, pd.DataFrame(columns=PATCH_TRUTH_COLUMNS)


def build_label_metrics(
    catalog: CatalogSummary,
    quarantine: QuarantineSummary,
    labels: LabelSummary,
    accuracy: LeftOutAccuracy,
    areas: dict[str, list[AreaRow]],
    change: ChangeSummary,
    model: TrainedModel,
    precision: PrecisionSummary,
    applicability: ApplicabilitySummary | None,
) -> dict[str, Any]:
    """Collect the figures of the run (`metrics.json`)."""
    return {
        "labels": {
            **accuracy.model_dump(exclude={"models", "chosen", "comparison"}),
            "accuracy": accuracy.evaluation.accuracy,
            "accuracy_interval": accuracy.evaluation.model_dump()["accuracy_interval"],
            "summary": labels.model_dump(),
        },
        "data": {
            **catalog.model_dump(),
            "featurized": quarantine.tiles - quarantine.quarantined,
            "quarantined": quarantine.quarantined,
        },
        "models": {
            name: {"out_of_fold": found.model_dump(exclude={"reliability"})}
            for name, found in accuracy.models.items()
        },
        "chosen": accuracy.chosen,
        "choice": accuracy.comparison and accuracy.comparison.model_dump(),
        "precision": precision.model_dump(),
        "applicability": describe_applicability(applicability),
        "model": model.card.model_dump(
            include={"name", "backbone", "gsd_m", "feature_key", "training_tiles"}
        ),
        "change": describe_change(change),
        "areas": {
            year: {row.class_name: {"mapped_km2": row.area_km2, "share": row.share} for row in rows}
            for year, rows in areas.items()
        },
    }


def write_label_report(
    catalog: CatalogSummary,
    quarantine: QuarantineSummary,
    labels: LabelSummary,
    accuracy: LeftOutAccuracy,
    areas: dict[str, list[AreaRow]],
    change: ChangeSummary,
    model: TrainedModel,
    precision: PrecisionSummary,
    applicability: ApplicabilitySummary | None,
    source: SourceFacts,
    run: RunFacts,
    maps: dict[str, MapImage],
    unsure: dict[str, UnsureTiles],
    **shown: Any,
) -> str:
    """Write the report: one HTML page.

    Parameters
    ----------
    catalog, quarantine, labels, accuracy, areas, change, model, precision, applicability
        What was found; ``applicability`` is None of a map that an earlier version made.
    source, run
        What ran, on what, and what it found.
    maps, unsure
        The maps, and the cells that they leave open, by year.
    shown
        The other fields of `ReportContent`, each as a node found it.
    """
    from aerial_kedro.report.pages import render_report  # noqa: PLC0415  (loads slowly)

    inputs = model.card.cells
    content = ReportContent(
        title=source.title,
        created=run.created,
        made_up_seed=source.made_up_seed,
        facts={**source.facts, **describe_run(run, model, precision)},
        caveats=[
            _OF_LABELS,
            *([_OF_TILES] if accuracy.units == "tiles" else []),
            *labels.sentences,
            *source.caveats,
        ],
        labels=LabelContent(
            summary=labels,
            accuracy=accuracy,
            size_m=(model.card.tile_size_m or 0) / SIDE,
            infrared=inputs is not None and inputs.infrared,
            components=inputs.components if inputs else 0,
            settings=model.card.settings,
        ),
        applicability=applicability or ApplicabilitySummary(),
        catalog=catalog,
        quarantine=quarantine,
        maps=maps,
        areas=areas,
        unsure=unsure,
        change=change,
        **shown,
    )
    LOGGER.info("%s", " ".join(headline_sentences(content)).replace("\u00a0", " "))
    return render_report(content)
