"""Parameters of the digits tutorial."""

from __future__ import annotations

from aerial_kedro.examples.digits.settings import DigitsSettings

__all__ = ["DigitsSettings"]
