"""Nodes that draw the embedded sample, one raster at a time.

Every node returns functions instead of rasters, so that a raster is drawn when it is saved
and only one year's county is in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from aerial_kedro.examples.county.landcover import draw_land_cover_of, draw_truth_of
from aerial_kedro.examples.county.scenes import draw_scene, sheets
from aerial_kedro.examples.county.settings import CountySettings
from aerial_kedro.scenes.raster import Raster


def draw_scenes(settings: CountySettings, seed: int) -> dict[str, Callable[[], Raster]]:
    """Draw the scenes of every flight.

    Parameters
    ----------
    settings
        Size and make-up of the county.
    seed
        Another seed gives another county.

    Returns
    -------
    dict
        For each file stem, in order of the flights, a function that draws the scene.
    """
    return {
        sheet.stem(flight.date): partial(draw_scene, settings, seed, sheet, flight)
        for flight in settings.flights
        for sheet in sheets(settings)
    }


def draw_land_cover(settings: CountySettings, seed: int) -> dict[str, Callable[[], Raster]]:
    """Draw the land cover of every land-cover year.

    Parameters
    ----------
    settings, seed
        As for :func:`draw_scenes`.

    Returns
    -------
    dict
        ``nlcd_<year>`` and a function that draws the land cover of that year.
    """
    return {
        f"nlcd_{year}": partial(draw_land_cover_of, settings, seed, year)
        for year in settings.land_cover_years
    }


def draw_truth(settings: CountySettings, seed: int) -> dict[str, Callable[[], Raster]]:
    """Draw the true classes in the year of every flight.

    Parameters
    ----------
    settings, seed
        As for :func:`draw_scenes`.

    Returns
    -------
    dict
        ``truth_<year>`` and a function that draws the true classes of that year.
    """
    return {
        f"truth_{flight.year}": partial(draw_truth_of, settings, seed, flight.year)
        for flight in settings.flights
    }
