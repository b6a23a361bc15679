"""Nodes of the acquisition of imagery."""

import logging
from typing import Any

from aerial_kedro.imagery.access import AccessRules
from aerial_kedro.imagery.scene_list import SceneList, estimate_bytes, scenes_of_items
from aerial_kedro.imagery.search import SearchRequest

LOGGER = logging.getLogger(__name__)


def list_scenes(
    stac_items: list[dict[str, Any]], request: SearchRequest, rules: AccessRules
) -> SceneList:
    """Make the scene list from the items of a search, and log its size.

    Parameters
    ----------
    stac_items
        STAC items as JSON.
    request
        The search.
    rules
        Hosts that scenes may be read from.
    """
    scenes = scenes_of_items(stac_items, request, rules)
    size = estimate_bytes(scenes.scenes)
    years = ", ".join(f"{count} of {year}" for year, count in scenes.by_year.items())
    LOGGER.info(
        "%d scene(s) found: %s. %s",
        len(scenes.scenes),
        years,
        "Their size is not known."
        if size is None
        else f"About {size / 1e9:.2f} GB of pixels; a run reads less where scenes are compressed.",
    )
    missing = [str(year) for year in request.years if year not in scenes.by_year]
    if missing:
        LOGGER.warning("No scene of %s in acquisition.bbox.", ", ".join(missing))
    return scenes
