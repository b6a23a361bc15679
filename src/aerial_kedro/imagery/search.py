"""Searches of a STAC API: the place and the years of imagery."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.access import host_of
from aerial_kedro.parameters import CheckedModel, Items, Year, check_parameters

_CORNERS = 4


class SearchRequest(CheckedModel):
    """The parameters ``acquisition``: a place and years in a collection of a STAC API.

    Parameters
    ----------
    api_url
        Address of the STAC API's landing page.
    collection
        Name of the collection.
    asset
        Name of the asset that holds the image.
    bbox
        ``west, south, east, north`` in degrees, as a list or as text with slashes between
        (Kedro's ``--params`` splits at every comma). None until it is given.
    years
        The years, as a list, one number, or text with slashes between.
    max_scenes
        Number of scenes above which a search is refused.

    Examples
    --------
    >>> SearchRequest(bbox="-117.8/34.0/-117.6/34.2", years="2018/2020").years
    (2018, 2020)
    """

    api_url: str = "https://planetarycomputer.microsoft.com/api/stac/v1"
    collection: str = Field(default="naip", min_length=1)
    asset: str = Field(default="image", min_length=1)
    bbox: Annotated[tuple[float, ...] | None, Items] = None
    years: Annotated[tuple[Year, ...], Items] = ()
    max_scenes: int = Field(default=500, ge=1)

    @field_validator("api_url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        host_of(url)
        if urlsplit(url).query:
            raise ValueError("give the address of the landing page, without a query")
        return url.rstrip("/")

    @field_validator("bbox", "years", mode="before")
    @classmethod
    def _read_list(cls, value: object) -> object:
        """Read a list that is written as text, such as ``[2018, 2020]``."""
        return value.strip("[] ").replace(",", "/") if isinstance(value, str) else value

    @field_validator("bbox")
    @classmethod
    def _check_bbox(cls, bbox: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if bbox is None:
            return None
        if len(bbox) != _CORNERS:
            raise ValueError("give four numbers: west, south, east, north")
        west, south, east, north = bbox
        if not (-180 <= west <= 180 and -180 <= east <= 180):  # noqa: PLR2004
            raise ValueError("west and east are longitudes in degrees, -180 to 180")
        if not (-90 <= south <= 90 and -90 <= north <= 90):  # noqa: PLR2004
            raise ValueError("south and north are latitudes in degrees, -90 to 90")
        if west >= east or south >= north:
            raise ValueError("the order is west, south, east, north, and the box must not be empty")
        return bbox

    @field_validator("years")
    @classmethod
    def _sort_years(cls, years: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(years)))


def read_request(parameters: object) -> SearchRequest:
    """Read the parameters ``acquisition`` for a search, which needs a place and years.

    Raises
    ------
    AerialError
        Naming each value that makes no sense or is missing.
    """
    request = check_parameters(SearchRequest, parameters, "acquisition")
    missing = [name for name in ("bbox", "years") if not getattr(request, name)]
    if missing:
        raise AerialError(
            f"{' and '.join(f'acquisition.{name}' for name in missing)} not set. Give place and "
            "time: --params=acquisition.bbox=-117.8/34.0/-117.6/34.2,acquisition.years=2018/2020 "
            "(west/south/east/north in degrees)."
        )
    return request
