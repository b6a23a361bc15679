"""Nodes that put together what the others found: the run's figures, and the page."""

from typing import Any

import pandas as pd

from aerial_kedro.accuracy.abstention import AbstentionSummary
from aerial_kedro.accuracy.shares import ShareComparison
from aerial_kedro.accuracy.validation import ValidationSummary
from aerial_kedro.change.summary import ChangeSummary
from aerial_kedro.features.precision_loss import PrecisionSummary
from aerial_kedro.labels.classes import UNSURE
from aerial_kedro.models.comparison import TrainingSummary
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.pipelines.cells.reporting import CellMapSummary
from aerial_kedro.report.content import ReportContent, RunFacts, SourceFacts, UnsureTiles
from aerial_kedro.report.pages import render_report
from aerial_kedro.report.pictures import MapImage
from aerial_kedro.splits.blocks import SplitCheck
from aerial_kedro.tiles.records import CatalogSummary, QuarantineSummary

_MADE_UP = (
    "The imagery, the land cover and the change between the years were drawn by this project. "
    "Figures on this page say how the method does on that drawing, not on real land."
)
_PURE = (
    "Accuracy is measured on tiles that are labelled, that is, mostly of one class. The map also "
    "shows mixed tiles, on which any single class is partly wrong."
)
_NO_MAP = (
    "The tiles are too far apart for a map on this page; they are in tiles.parquet and "
    "map_<year>.tif."
)


def build_metrics(
    training: TrainingSummary,
    validation: ValidationSummary,
    catalog: CatalogSummary,
    quarantine: QuarantineSummary,
    split: SplitCheck,
    abstention: AbstentionSummary,
    model: TrainedModel,
    precision: PrecisionSummary,
    change: ChangeSummary | None = None,
    shares: dict[str, ShareComparison] | None = None,
    cells: TrainingSummary | None = None,
    ground: CellMapSummary | None = None,
) -> dict[str, Any]:
    """Collect the figures of the run (`metrics.json`).

    What comes first is how much of the ground the map has right, where it is of cells.

    Parameters
    ----------
    training, validation, catalog, quarantine, split, abstention, model, precision
        What the nodes before found on the tiles.
    change, shares
        What they found on the map; None where the tiles have no place.
    cells, ground
        The classifiers of cells, and what their map is worth; None where there are none.
    """
    figures: dict[str, Any] = {}
    if ground is not None:
        figures["ground"] = ground.overall and ground.overall.model_dump()
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
        **_validation_figures(validation),
        "model": model.card.model_dump(
            include={"name", "backbone", "feature_key", "training_tiles"}
        ),
    }
    if change is not None:
        # What the page alone shows; it follows from tables of the run.
        left_out: dict[str, Any] = {"classes": True, "counts": True, "assessment": {"curve"}}
        left_out["cells"] = {"classes": True, "transitions_ha": True, "assessment": {"bins"}}
        compared = change.places or change.cells
        figures["change"] = change.model_dump(exclude=left_out) if compared else None
    if shares is not None:
        figures["areas"] = {year: found.model_dump() for year, found in shares.items()}
    if cells is not None and ground is not None:
        figures["cells"] = _cell_figures(cells, ground)
    return figures


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
        "land_cover": {year: found.model_dump() for year, found in ground.land_cover.items()},
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
    maps: dict[str, MapImage] | None = None,
    mapped: pd.DataFrame | None = None,
    **shown: Any,
) -> str:
    """Write the report: one HTML page.

    Parameters
    ----------
    source, run, model, precision
        What ran, and on what.
    maps
        The maps by year; None where the tiles have no place.
    mapped
        ``year, pred_label, mapped_class`` of the tiles on the maps; None where there are no maps.
    shown
        The other fields of `ReportContent`, each as a node found it.
    """
    caveats = {
        _PURE: maps is not None,
        _MADE_UP: source.made_up_seed is not None,
        _NO_MAP: maps is not None and not maps,
    }
    return render_report(
        ReportContent(
            title=source.title,
            created=run.created,
            made_up_seed=source.made_up_seed,
            facts={**source.facts, **_facts(run, model, precision)},
            caveats=[text for text, holds in caveats.items() if holds],
            maps=maps or {},
            unsure={} if mapped is None else count_unsure(mapped),
            **shown,
        )
    )


def count_unsure(mapped: pd.DataFrame) -> dict[str, UnsureTiles]:
    """Count, for each year, the tiles that the map leaves open and those that smoothing changed."""
    counts = {}
    for year, tiles in mapped.groupby("year"):
        is_unsure = tiles["mapped_class"] == UNSURE
        changed = tiles["mapped_class"] != tiles["pred_label"]
        counts[str(year)] = UnsureTiles(
            tiles=len(tiles),
            unsure=int(is_unsure.sum()),
            smoothed=int((changed & ~is_unsure & tiles["mapped_class"].notna()).sum()),
        )
    return counts


def _facts(run: RunFacts, model: TrainedModel, precision: PrecisionSummary) -> dict[str, str]:
    network, card = model.source.backbone.card, model.card
    settings = [f"{name}={value}" for name, value in card.settings.items()]
    versions = [f"{name} {version}" for name, version in run.versions.items()]
    return {
        "Backbone": f"{network.name} ({network.n_features:,} features)",
        "Weights": f"{network.weights_source}, sha256 {network.weights_sha256}",
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
