"""Backbones and model cards that no run has made."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from aerial_kedro.features.artifact import Backbone, BackboneCard
from aerial_kedro.features.engine_choice import EngineChoice
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.models.applicability import Applicability
from aerial_kedro.models.model import ModelCard


def make_backbone(onnx: bytes = b"network", **changes: Any) -> Backbone:
    """A backbone whose card fits its file, though it is no network."""
    known: dict[str, Any] = {
        "name": "lite",
        "architecture": "timm/lite",
        "weights_source": "file a.pth",
        "weights_sha256": "a" * 64,
        "input_size": 224,
        "n_features": 8,
        "mean": (0.5, 0.5, 0.5),
        "std": (0.25, 0.25, 0.25),
        "opset": 13,
        "parity_cosine": 0.99999,
        "onnx_sha256": hashlib.sha256(onnx).hexdigest(),
    }
    return Backbone(onnx, BackboneCard(**{**known, **changes}))


def make_source(
    engine: str = "onnxruntime", precision: str = "fp32", **changes: Any
) -> FeatureSource:
    """A source of features; the changes are to its backbone's card."""
    return FeatureSource(make_backbone(**changes), EngineChoice(engine=engine, precision=precision))


def make_card(source: FeatureSource | None = None, **changes: Any) -> ModelCard:
    """The card of a model that learned from the features of a source."""
    own = source or make_source()
    known: dict[str, Any] = {
        "name": "county",
        "classifier": "random_forest",
        "classes": ["Forest", "Developed"],
        "column": "features",
        "feature_key": own.key,
        "backbone": own.backbone.card.name,
        "engine": own.choice.engine,
        "precision": own.choice.precision,
        "settings": {},
        "seed": 1,
        "training_tiles": 9,
    }
    return ModelCard(**{**known, **changes})


def make_applicability(numbers: int, limit: float = 1.0) -> Applicability:
    """Where a model holds that learned from one thing, all of whose numbers are 0.

    Dissimilarity is the length of what is read, and what is expected falls with it: 0.9 at 0, 0.1
    at twice the limit and beyond.
    """
    return Applicability(
        axes=np.eye(numbers, dtype=np.float32),
        class_axes=np.eye(numbers, dtype=np.float32)[None],
        references=np.zeros((1, numbers), np.float32),
        reference_classes=np.zeros(1, np.int64),
        unit=1.0,
        confidences=np.array([0.0, 1.0]),
        accuracies=np.array([1.0, 1.0]),
        limits=np.array([limit, limit]),
        dissimilarities=np.array([0.0, 2 * limit]),
        shares=np.array([0.9, 0.1]),
    )
