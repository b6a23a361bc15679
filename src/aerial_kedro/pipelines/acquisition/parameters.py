"""Parameters of the acquisition of imagery."""

from __future__ import annotations

from aerial_kedro.imagery.access import AccessRules
from aerial_kedro.imagery.search import SearchRequest

__all__ = ["AccessRules", "SearchRequest"]
