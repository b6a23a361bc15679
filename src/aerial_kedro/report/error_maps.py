"""Maps of where the map agrees with the labels and where it does not, as part of the page."""

from __future__ import annotations

from pydantic import Field

from aerial_kedro.report.pictures import MapImage, Record

OUTCOMES = {
    "Test tile, right": "#1d5b8f",
    "Test tile, wrong": "#d9480f",
    "Other labelled tile, right": "#bcd3e6",
    "Other labelled tile, wrong": "#f7c59f",
    "Not judged": "#eceff2",
}
"""What can become of a tile, and its colour: blue and orange stay apart for colour-blind readers;
what was trained on is pale."""


class ErrorMap(Record):
    """One year's map of right and wrong tiles.

    Parameters
    ----------
    image
        The map; its classes are `OUTCOMES`.
    test_tiles, wrong
        Number of test tiles of the year, and of those that are wrong. Along a zone border a cell
        may show no tile of its own, so the picture can differ by a few.
    """

    image: MapImage
    test_tiles: int = Field(ge=0)
    wrong: int = Field(ge=0)
