"""Nodes that prepare what the run history keeps."""

import hashlib
import re

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.accuracy.evaluation import Evaluation
from aerial_kedro.accuracy.validation import ValidationSummary, list_validation_metrics
from aerial_kedro.models.comparison import TrainingSummary
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.models.registration import Registration, RegistrySettings
from aerial_kedro.splits.blocks import SplitCheck
from aerial_kedro.tiles.records import CatalogFingerprint
from aerial_kedro.tracking.record import RunRecord

_LANES, _LANE_DIGITS = 4, 15
_SEPARATOR, _NOTHING = "\x1f", "\x00"
# MLflow takes no other characters in the name of a metric; classes are named as folders are.
_UNFIT = re.compile(r"[^\w.\- ]")
_CLASS_FIGURES = ("users_accuracy", "producers_accuracy", "f1")


def fingerprint_catalog(tile_catalog: DataFrame) -> CatalogFingerprint:
    """Digest the catalog: which images, of which version, with which label, in which split.

    The SHA-256 of each row is cut into four numbers of 60 bits, which are added up over the rows:
    a sum does not depend on the order, and no row goes to the driver.
    """
    row = F.concat_ws(
        _SEPARATOR,
        *[
            F.coalesce(F.col(name).cast("string"), F.lit(_NOTHING))
            for name in ("image_id", "source_version", "label", "split")
        ],
    )
    digest = F.sha2(row, 256)
    lanes = [
        F.conv(F.substring(digest, 1 + lane * _LANE_DIGITS, _LANE_DIGITS), 16, 10)
        for lane in range(_LANES)
    ]
    sums = [F.sum(lane.cast("decimal(20,0)")).alias(f"lane_{i}") for i, lane in enumerate(lanes)]
    found = tile_catalog.agg(F.count("*").alias("images"), *sums).collect()[0]
    text = _SEPARATOR.join(str(value) for value in found)
    return CatalogFingerprint(
        digest=hashlib.sha256(text.encode()).hexdigest(), images=found["images"]
    )


def record_run(
    summary: TrainingSummary,
    validation: ValidationSummary,
    fingerprint: CatalogFingerprint,
    check: SplitCheck,
) -> RunRecord:
    """List what the run history keeps: figures as metrics, and what the run was about as tags.

    A class's figures are ``<model>.test.<class>.users_accuracy`` and so on; those that do not
    exist (of a class that was never predicted, say) are left out.
    """
    found: dict[str, Evaluation] = {
        f"{name}.{part}": getattr(scores, part)
        for name, scores in summary.models.items()
        for part in ("validation", "out_of_fold", "test")
    }
    found |= {f"baseline.{name}.test": each for name, each in summary.baselines.items()}
    metrics = {
        f"{name}.{figure}": getattr(evaluation, figure)
        for name, evaluation in found.items()
        for figure in ("accuracy", "macro_f1")
    }
    for name, scores in summary.models.items():
        metrics |= list_class_metrics(f"{name}.test", scores.test)
    metrics |= list_validation_metrics(validation)
    tags = {
        "data.fingerprint": fingerprint.digest,
        "data.images": str(fingerprint.images),
        "chosen": summary.chosen,
        "chosen.reason": summary.reason,
        "split_check": check.description,
        "split_check.is_spatial": str(check.is_spatial).lower(),
    }
    if check.smallest_distance_m is not None:
        tags["split_check.smallest_distance_m"] = f"{check.smallest_distance_m:.1f}"
    return RunRecord(metrics=metrics, tags=tags)


def list_class_metrics(prefix: str, evaluation: Evaluation) -> dict[str, float]:
    """List the figures of each class under names that MLflow takes.

    Parameters
    ----------
    prefix
        Beginning of the names.
    evaluation
        The evaluation, whose classes may have any name. Where two would become one, the later gets
        a number.
    """
    figures: dict[str, float] = {}
    taken: set[str] = set()
    for number, name in enumerate(evaluation.classes, start=1):
        fit = _UNFIT.sub("_", name)
        fit = f"{fit}_{number}" if fit in taken else fit
        taken.add(fit)
        for figure in _CLASS_FIGURES:
            value = getattr(evaluation.per_class[name], figure)
            if value is not None:
                figures[f"{prefix}.{fit}.{figure}"] = value
    return figures


def register_model(
    model: TrainedModel, settings: RegistrySettings, fingerprint: CatalogFingerprint
) -> Registration:
    """Hand the chosen model to the registry, with what it learned from."""
    tags = {"data.fingerprint": fingerprint.digest, "model_name": model.card.name}
    return Registration(model, settings, tags)
