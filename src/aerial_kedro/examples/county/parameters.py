"""Parameters of the embedded sample."""

from __future__ import annotations

from aerial_kedro.examples.county.settings import CountySettings, Flight

__all__ = ["CountySettings", "Flight"]
