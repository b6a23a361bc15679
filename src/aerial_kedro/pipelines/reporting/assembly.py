"""Assembly of the report from what the other nodes found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aerial_kedro.accuracy.abstention import AbstentionSummary
from aerial_kedro.accuracy.shares import ShareComparison
from aerial_kedro.accuracy.validation import ValidationSummary
from aerial_kedro.change.reference import ChangeFigures
from aerial_kedro.features.artifact import Backbone
from aerial_kedro.features.precision_loss import PrecisionSummary
from aerial_kedro.models.comparison import TrainingSummary
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.pipelines.reporting.areas import Subsets
from aerial_kedro.pipelines.reporting.change import ShownChange
from aerial_kedro.pipelines.reporting.nodes import Gallery, SourceFacts
from aerial_kedro.report import content as page
from aerial_kedro.report.certainty import UnsureTiles
from aerial_kedro.report.error_maps import ErrorMap
from aerial_kedro.report.explained import ExplainedTile
from aerial_kedro.report.render import render_report
from aerial_kedro.report.run_facts import RunFacts
from aerial_kedro.splits.blocks import SplitCheck
from aerial_kedro.tiles.records import CatalogSummary, QuarantineSummary

_MADE_UP_NOTE = (
    "The imagery, the land cover and the change between the years were drawn by this project. "
    "Figures on this page say how the method does on that drawing, not on real land."
)
_PURE_NOTE = (
    "Accuracy is measured on tiles that are labelled, that is, mostly of one class. The map also "
    "shows mixed tiles, on which any single class is partly wrong."
)


@dataclass(frozen=True)
class TileFindings:
    """What every report is made of, each part as the node of that name found it."""

    source: SourceFacts
    run: RunFacts
    summary: TrainingSummary
    validation: ValidationSummary
    catalog: CatalogSummary
    quarantine: QuarantineSummary
    split: SplitCheck
    backbone: Backbone
    model: TrainedModel
    gallery: Gallery
    abstention: AbstentionSummary
    explained: list[ExplainedTile]
    precision: PrecisionSummary


@dataclass(frozen=True)
class MapFindings:
    """What the report of scenes has more: maps, areas, change."""

    maps: dict[str, page.MapImage]
    areas: dict[str, list[page.AreaRow]]
    subsets: Subsets
    change: ShownChange
    unsure: dict[str, UnsureTiles]
    shares: dict[str, ShareComparison]
    error_maps: dict[str, ErrorMap]


def write_report(tiles: TileFindings) -> str:
    """Write the report of a folder of tiles: one HTML page."""
    return render_report(_content(tiles))


def write_map_report(tiles: TileFindings, found: MapFindings) -> str:
    """Write the report of scenes, with maps and areas: one HTML page."""
    content = _content(tiles)
    notes = [_PURE_NOTE, *content.notes]
    if not found.maps:
        notes.append(
            "The tiles are too far apart for a map on this page; they are in tiles.parquet and "
            "map_<year>.tif."
        )
    return render_report(
        content.model_copy(
            update={
                "maps": found.maps,
                "areas": found.areas,
                "notes": notes,
                "subsets": found.subsets.evaluations,
                "change": found.change.summary,
                "unsure": found.unsure,
                "shares": found.shares,
                "error_maps": found.error_maps,
            }
        )
    )


def add_map_metrics(
    tile_metrics: dict[str, Any], figures: ChangeFigures, shares: dict[str, ShareComparison]
) -> dict[str, Any]:
    """Lay the figures of change and of the shares of the land beside those of the tiles."""
    return {
        **tile_metrics,
        "change": figures.model_dump(exclude={"assessment": {"curve"}}) if figures.places else None,
        "areas": {year: found.model_dump() for year, found in shares.items()},
    }


def _content(tiles: TileFindings) -> page.ReportContent:
    source, summary = tiles.source, tiles.summary
    return page.ReportContent(
        title=source.title,
        created=tiles.run.created,
        made_up_seed=source.made_up_seed,
        facts=_facts(source, tiles),
        catalog=_catalog(tiles.catalog, tiles.quarantine, tiles.split),
        gallery=tiles.gallery.by_class,
        models={
            name: page.ModelResult(test=scores.test, validation=scores.validation)
            for name, scores in summary.models.items()
        },
        chosen=summary.chosen,
        chosen_reason=summary.reason,
        baselines=summary.baselines,
        abstention=tiles.abstention,
        validation=tiles.validation,
        worst_errors=tiles.gallery.worst,
        explained_errors=tiles.explained,
        notes=[_MADE_UP_NOTE] if source.made_up_seed is not None else [],
    )


def _facts(source: SourceFacts, tiles: TileFindings) -> list[page.Fact]:
    run, backbone, model = tiles.run, tiles.backbone, tiles.model
    facts = {
        **source.facts,
        "Backbone": f"{backbone.card.name} ({backbone.card.n_features:,} features)",
        "Weights": f"{backbone.card.weights_source}, sha256 {backbone.card.weights_sha256}",
        "Export": (
            f"ONNX opset {backbone.card.opset}, least cosine with torch "
            f"{backbone.card.parity_cosine:.7f}"
        ),
        "Features computed by": str(tiles.precision),
        "Feature key": model.card.feature_key,
        "Model": model.card.name,
        "Classifier": ", ".join(
            [
                model.card.classifier,
                *(f"{name}={value}" for name, value in model.card.settings.items()),
            ]
        ),
        "Training tiles": f"{model.card.training_tiles:,}",
        "Seed": str(model.card.seed),
        "Software": ", ".join(
            [f"Python {run.python}", *(f"{name} {each}" for name, each in run.versions.items())]
        ),
        "Machine": run.processor,
    }
    return [page.Fact(name=name, value=value) for name, value in facts.items()]


def _catalog(
    catalog: CatalogSummary, quarantine: QuarantineSummary, split: SplitCheck
) -> page.CatalogSummary:
    return page.CatalogSummary(
        images=catalog.images,
        places=catalog.places if split.is_spatial else None,
        by_year=_counts(catalog.by_year),
        by_split=_counts(catalog.by_split),
        by_label=_counts(catalog.by_label),
        class_by_split=catalog.class_by_split,
        split=page.SplitSummary(
            description=split.description,
            is_spatial=split.is_spatial,
            smallest_distance_m=split.smallest_distance_m,
            required_distance_m=split.required_distance_m,
        ),
        quarantined=quarantine.quarantined,
        quarantine_examples=[
            page.QuarantinedTile(image_id=image_id, href=href, reason=reason)
            for image_id, href, reason in quarantine.examples
        ],
    )


def _counts(counts: dict[str, int]) -> list[page.Count]:
    return [page.Count(name=name, images=images) for name, images in counts.items()]
