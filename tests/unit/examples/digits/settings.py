"""Settings of the tutorial for tests: quick, and changed where a test says so."""

from __future__ import annotations

from typing import Any

from aerial_kedro.examples.digits.settings import DigitsSettings


def make_settings(**changed: Any) -> DigitsSettings:
    """Settings with other values than these."""
    quick = {
        "seed": 42,
        "check_hashes": True,
        "test_share": 0.25,
        "sample": 30,
        "missed": 24,
        "sweep": {"values": [0.1, 10.0], "images": 50},
        "network": {"steps": 60, "batch": 32, "learning_rate": 0.01},
    }
    return DigitsSettings.model_validate({**quick, **changed})
