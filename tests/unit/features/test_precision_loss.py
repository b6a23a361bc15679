"""What a lower precision costs, on features made up for the purpose."""

from __future__ import annotations

import numpy as np
import pytest

from aerial_kedro.features.precision_loss import PrecisionSummary, compare_cells, compare_features

RNG = np.random.default_rng(0)
LABELS = ["Forest", "Shrub"] * 40
CLASSES = np.array([name == "Forest" for name in LABELS])
FP32 = RNG.normal(size=(80, 6)) + 6 * CLASSES[:, None]
IS_TRAINING = np.arange(80) < 50


def test_equal_features_cost_nothing() -> None:
    found = PrecisionSummary(
        engine="openvino", precision="int8", **compare_features(FP32, FP32, LABELS, IS_TRAINING)
    )
    assert found.tiles == 30
    assert found.mean_cosine == pytest.approx(1)
    assert found.smallest_cosine == pytest.approx(1)
    assert found.probe is not None
    assert (found.probe.training_tiles, found.probe.evaluated_tiles) == (50, 30)
    assert found.probe.fp32 == found.probe.precision == 1
    assert "openvino, int8; cosine with fp32 on 30 tiles: mean 1.0000" in str(found)


def test_features_that_lost_the_classes_cost_the_accuracy() -> None:
    noise = RNG.normal(size=FP32.shape)
    probe = compare_features(FP32, noise, LABELS, IS_TRAINING)["probe"]
    assert probe.fp32 == 1
    assert probe.precision < 0.8


def test_cosines_are_those_of_the_judged_tiles() -> None:
    lower = FP32.copy()
    lower[IS_TRAINING] *= -1
    assert compare_features(FP32, lower, LABELS, IS_TRAINING)["smallest_cosine"] == pytest.approx(1)
    lower[-1] *= -1
    assert compare_features(FP32, lower, LABELS, IS_TRAINING)["smallest_cosine"] < 0


def test_what_cannot_be_measured_is_left_out() -> None:
    assert compare_features(FP32, FP32, LABELS, np.ones(80, bool)) == {}
    assert compare_features(FP32, FP32, ["Forest"] * 80, IS_TRAINING)["probe"] is None
    assert compare_features(FP32, FP32, LABELS, np.zeros(80, bool))["probe"] is None
    plain = PrecisionSummary(engine="onnxruntime", precision="fp32")
    assert str(plain) == "onnxruntime, fp32"
    assert plain.mean_cosine is None


def test_what_a_precision_costs_cells_is_measured_on_the_cells_of_unseen_tiles() -> None:
    fp32 = np.repeat(FP32[:, None], 4, axis=1).reshape(80, 2, 2, 6)
    found = compare_cells(fp32, fp32, LABELS, IS_TRAINING)
    summary = PrecisionSummary(engine="openvino", precision="int8", **found)
    assert summary.cell_probe is not None
    assert summary.mean_cell_cosine == pytest.approx(1)
    assert (summary.cell_probe.training_tiles, summary.cell_probe.evaluated_tiles) == (50, 30)
    assert "cells: mean cosine 1.0000, 100.0% right, 100.0% with fp32" in str(summary)
    lower = fp32.copy()
    lower[IS_TRAINING] *= -1
    assert compare_cells(fp32, lower, LABELS, IS_TRAINING)["smallest_cell_cosine"] > 0
    lower[-1, 1, 1] *= -1
    assert compare_cells(fp32, lower, LABELS, IS_TRAINING)["smallest_cell_cosine"] < 0
    assert compare_cells(fp32, fp32, LABELS, np.ones(80, bool)) == {}
