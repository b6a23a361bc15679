"""Nodes that put together what the others found: the run's figures, and the page."""

import logging
from typing import Any

import pandas as pd

from aerial_kedro.accuracy.abstention import AbstentionSummary
from aerial_kedro.accuracy.applicability import ApplicabilitySummary
from aerial_kedro.accuracy.ground import CellMapSummary
from aerial_kedro.accuracy.shares import ShareComparison
from aerial_kedro.accuracy.validation import ValidationSummary
from aerial_kedro.change.summary import ChangeSummary
from aerial_kedro.features.grain import describe_pixels, remark_on_pixels
from aerial_kedro.features.precision_loss import PrecisionSummary
from aerial_kedro.labels.classes import UNSURE
from aerial_kedro.labels.summary import LabelSummary
from aerial_kedro.models.comparison import TrainingSummary
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.report.cell_content import CellContent
from aerial_kedro.report.content import (
    ReportContent,
    RunFacts,
    SourceFacts,
    UnsureTiles,
)
from aerial_kedro.report.pictures import MapImage
from aerial_kedro.report.wording import headline_sentences
from aerial_kedro.splits.blocks import SplitCheck
from aerial_kedro.tiles.records import CatalogSummary, QuarantineSummary

LOGGER = logging.getLogger(__name__)
_MADE_UP = (
    "The imagery, the land cover and the change between the years were drawn by this project. "
    "Figures on this page say how the method does on that drawing, not on real land."
)
_PURE = (
    "Accuracy is measured on tiles that are labelled, that is, mostly of one class. The map also "
    "shows mixed tiles, on which any single class is partly wrong."
)
_TAUGHT = (
    "What is right on the ground is measured against the land cover that also taught the map, in "
    "blocks that it has not seen: where the land cover errs, or is of another year, so do the "
    "figures."
)
_NO_MAP = (
    "The tiles are too far apart for a map on this page; they are in tiles.parquet, and in "
    "map_<year>.tif where one could be drawn."
)
# What a map of cells has that no model made: the rest would be the map of tiles', or made up.
_OF_LAND_COVER = {
    *("accuracy", "accuracy_interval", "macro_f1", "cells", "tiles", "blocks"),
    *("pure_accuracy", "mixed_accuracy", "tile_shares_error", "area_error"),
}


def build_metrics(
    training: TrainingSummary,
    validation: ValidationSummary,
    catalog: CatalogSummary,
    quarantine: QuarantineSummary,
    split: SplitCheck,
    abstention: AbstentionSummary,
    model: TrainedModel,
    precision: PrecisionSummary,
    applicability: ApplicabilitySummary | None = None,
    change: ChangeSummary | None = None,
    shares: dict[str, ShareComparison] | None = None,
    cells: TrainingSummary | None = None,
    ground: CellMapSummary | None = None,
) -> dict[str, Any]:
    """Collect the figures of the run (`metrics.json`).

    What comes first is how much of the ground the map has right, where it is of cells; else the
    accuracy on labelled tiles, under that name, and how much of the land is in no figure.

    Parameters
    ----------
    training, validation, catalog, quarantine, split, abstention, model, precision
        What the nodes before found on the tiles.
    applicability
        How far the model holds on what it mapped; None of a map that an earlier version made.
    change, shares
        What they found on the map; None where the tiles have no place.
    cells, ground
        The classifiers of cells, and what their map is worth; None where there are none.
    """
    figures: dict[str, Any] = {}
    if ground is not None:
        figures["ground"] = _ground_figures(ground)
    elif shares is not None:
        figures["labelled_tiles"] = _labelled_figures(training, catalog)
    figures |= {
        "data": {
            **catalog.model_dump(),
            "featurized": quarantine.tiles - quarantine.quarantined,
            "quarantined": quarantine.quarantined,
            "split_check": split.model_dump(),
        },
        "models": {
            name: {
                part: getattr(scores, part).model_dump(exclude={"reliability"})
                for part in ("validation", "out_of_fold", "test")
            }
            for name, scores in training.models.items()
        },
        "chosen": training.chosen,
        "choice": training.comparison and training.comparison.model_dump(),
        "baselines": {
            name: found.model_dump(exclude={"reliability"})
            for name, found in training.baselines.items()
        },
        "abstention": abstention.as_mapped.model_dump(),
        "precision": precision.model_dump(),
        "applicability": describe_applicability(applicability),
        **_validation_figures(validation),
        "model": model.card.model_dump(
            include={"name", "backbone", "gsd_m", "feature_key", "training_tiles"}
        ),
    }
    if change is not None:
        figures["change"] = describe_change(change)
    if shares is not None:
        figures["areas"] = {year: found.model_dump() for year, found in shares.items()}
    if cells is not None and ground is not None:
        figures["cells"] = _cell_figures(cells, ground)
    return figures


def describe_applicability(applicability: ApplicabilitySummary | None) -> dict[str, Any] | None:
    """Give the figures of how far the model holds; None where that is not known."""
    return applicability.model_dump() if applicability and applicability.overall else None


def describe_change(change: ChangeSummary) -> dict[str, Any] | None:
    """Give the figures of change; None where nothing was compared."""
    if not (change.places or change.cells):
        return None
    # What the page alone shows; it follows from tables of the run.
    left_out: dict[str, Any] = {"classes": True, "counts": True, "assessment": {"curve"}}
    left_out["cells"] = {"classes": True, "transitions_ha": True, "assessment": {"bins"}}
    return change.model_dump(exclude=left_out)


def _ground_figures(ground: CellMapSummary) -> dict[str, Any]:
    overall, truth = ground.overall, ground.overall_truth
    return {
        **(overall.model_dump() if overall else {"accuracy": None}),
        "unknown_share": ground.unknown_share,
        "truth": truth and truth.model_dump(),
    }


def _labelled_figures(training: TrainingSummary, catalog: CatalogSummary) -> dict[str, Any]:
    test = training.models[training.chosen].test
    return {
        "accuracy": test.accuracy,
        "accuracy_interval": test.accuracy_interval and test.accuracy_interval.model_dump(),
        "tiles": test.n,
        "share_in_no_figure": catalog.share_in_no_figure,
    }


def _cell_figures(cells: TrainingSummary, ground: CellMapSummary) -> dict[str, Any]:
    without = {"reliability"}
    return {
        **{
            name: {
                part: getattr(scores, part).model_dump(exclude=without)
                for part in ("validation", "out_of_fold", "test")
            }
            for name, scores in cells.models.items()
        },
        "chosen": cells.chosen,
        "choice": cells.comparison and cells.comparison.model_dump(),
        "baselines": {
            name: found.model_dump(exclude=without) for name, found in cells.baselines.items()
        },
        "agreement": {year: found.model_dump() for year, found in ground.agreement.items()},
        "truth": {year: found.model_dump() for year, found in ground.truth.items()},
        "land_cover": {
            year: found.model_dump(include=_OF_LAND_COVER)
            for year, found in ground.land_cover.items()
        },
        "tile_shares_error": ground.overall and ground.overall.tile_shares_error,
        "unknown_share": ground.unknown_share,
        "bytes_a_tile": ground.bytes_a_tile,
    }


def _validation_figures(validation: ValidationSummary) -> dict[str, Any]:
    found = validation.model_dump(exclude={"random_split": {"evaluation": {"reliability"}}})
    if random_split := found["random_split"]:
        random_split.update(random_split.pop("evaluation"))
    return found


def write_report(
    source: SourceFacts,
    run: RunFacts,
    model: TrainedModel,
    precision: PrecisionSummary,
    applicability: ApplicabilitySummary | None = None,
    maps: dict[str, MapImage] | None = None,
    mapped: pd.DataFrame | None = None,
    cells: CellContent | None = None,
    unsure: dict[str, UnsureTiles] | None = None,
    own_labels: LabelSummary | None = None,
    **shown: Any,
) -> str:
    """Write the report: one HTML page.

    Parameters
    ----------
    source, run, model, precision
        What ran, and on what.
    applicability
        How far the model holds on what it mapped; None of a map that an earlier version made.
    maps
        The maps by year; None where the tiles have no place.
    mapped
        ``year, pred_label, mapped_class`` of the tiles on the maps; None where there are no maps.
    cells
        Where the map is of cells: their classifiers, and the ground that the map has right.
    unsure
        The cells that the maps leave open; None where the maps are of tiles, which are counted.
    own_labels
        Labels of one's own that stood beside the land cover; None for none.
    shown
        The other fields of `ReportContent`, each as a node found it.
    """
    from aerial_kedro.report.pages import render_report  # noqa: PLC0415  (loads slowly)

    fine_pixels = remark_on_pixels(model.card.gsd_m, source.scene_gsd_m)
    caveats = {
        _PURE: maps is not None and cells is None,
        _TAUGHT: cells is not None,
        _MADE_UP: source.made_up_seed is not None,
        _NO_MAP: maps is not None and not maps,
    }
    if unsure is None:
        unsure = {} if mapped is None else count_unsure(mapped)
    content = ReportContent(
        title=source.title,
        created=run.created,
        made_up_seed=source.made_up_seed,
        facts={
            **source.facts,
            **({"Labels of one's own": str(own_labels)} if own_labels else {}),
            **describe_run(run, model, precision),
        },
        caveats=[
            *([fine_pixels] if fine_pixels else []),
            *(own_labels.sentences if own_labels else []),
            *(text for text, holds in caveats.items() if holds),
            *source.caveats,
        ],
        applicability=applicability or ApplicabilitySummary(),
        cells=cells,
        maps=maps or {},
        unsure=unsure,
        **shown,
    )
    LOGGER.info("%s", " ".join(headline_sentences(content)).replace("\u00a0", " "))
    return render_report(content)


def count_unsure(mapped: pd.DataFrame) -> dict[str, UnsureTiles]:
    """Count, for each year, the tiles that the map leaves open and those that smoothing changed."""
    counts = {}
    for year, tiles in mapped.groupby("year"):
        is_unsure = tiles["mapped_class"] == UNSURE
        changed = tiles["mapped_class"] != tiles["pred_label"]
        counts[str(year)] = UnsureTiles(
            count=len(tiles),
            unsure=int(is_unsure.sum()),
            smoothed=int((changed & ~is_unsure & tiles["mapped_class"].notna()).sum()),
        )
    return counts


def describe_run(run: RunFacts, model: TrainedModel, precision: PrecisionSummary) -> dict[str, str]:
    """Say with what features and model a run was made, name to value."""
    network, card = model.source.backbone.card, model.card
    settings = [f"{name}={value}" for name, value in card.settings.items()]
    versions = [f"{name} {version}" for name, version in run.versions.items()]
    return {
        "Backbone": f"{network.name} ({network.n_features:,} features)",
        "Weights": (
            f"{network.weights_source}, sha256 {network.weights_sha256}; licence: "
            f"{network.licence or 'not known'}"
        ),
        "Pixels given to it": (
            f"mean {network.mean}, deviation {network.std}"
            + (f", {network.preprocessing}" if network.preprocessing else "")
        ),
        "Ground sample distance of the network": describe_pixels(card.gsd_m, network.input_size),
        "Export": (
            f"ONNX opset {network.opset}, least cosine with torch {network.parity_cosine:.7f}"
        ),
        "Features computed by": str(precision),
        "Feature key": card.feature_key,
        "Model": card.name,
        "Classifier": ", ".join([card.classifier, *settings]),
        "Training tiles": f"{card.training_tiles:,}",
        "Seed": str(card.seed),
        "Software": ", ".join([f"Python {run.python}", *versions]),
        "Machine": run.processor,
    }
