"""What to search a STAC API for."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.access import checked_url

FIRST_YEAR, LAST_YEAR = 1930, 2099
_CORNERS = 4


class SearchRequest(BaseModel):
    """The parameters ``acquisition``: a place and years in a collection of a STAC API.

    Parameters
    ----------
    api_url
        Landing page of the STAC API.
    collection
        Its collection.
    asset
        Name of the asset that holds the image.
    bbox
        ``west, south, east, north`` in degrees, as a list or as text with slashes between
        (Kedro's ``--params`` splits at every comma). None until it is given.
    years
        The years, as a list, one number, or text with slashes between.
    max_scenes
        Finding more than this is an error.

    Examples
    --------
    >>> SearchRequest(bbox="-117.8/34.0/-117.6/34.2", years="2018/2020").years
    (2018, 2020)
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_url: str = "https://planetarycomputer.microsoft.com/api/stac/v1"
    collection: str = Field(default="naip", min_length=1)
    asset: str = Field(default="image", min_length=1)
    bbox: tuple[float, float, float, float] | None = None
    years: tuple[int, ...] = ()
    max_scenes: int = Field(default=500, ge=1)

    @field_validator("api_url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        if checked_url(url).query:
            raise ValueError("give the address of the landing page, without a query")
        return url.rstrip("/")

    @field_validator("bbox", mode="before")
    @classmethod
    def _split_bbox(cls, value: Any) -> Any:
        corners = _split(value)
        if isinstance(corners, (list, tuple)) and len(corners) != _CORNERS:
            raise ValueError("give four numbers: west, south, east, north")
        return corners

    @field_validator("bbox")
    @classmethod
    def _check_bbox(
        cls, bbox: tuple[float, float, float, float] | None
    ) -> tuple[float, float, float, float] | None:
        if bbox is None:
            return None
        west, south, east, north = bbox
        if not (-180 <= west <= 180 and -180 <= east <= 180):  # noqa: PLR2004
            raise ValueError("west and east are longitudes in degrees, -180 to 180")
        if not (-90 <= south <= 90 and -90 <= north <= 90):  # noqa: PLR2004
            raise ValueError("south and north are latitudes in degrees, -90 to 90")
        if west >= east or south >= north:
            raise ValueError("the order is west, south, east, north, and the box must not be empty")
        return bbox

    @field_validator("years", mode="before")
    @classmethod
    def _split_years(cls, value: Any) -> Any:
        return (value,) if isinstance(value, int) else _split(value)

    @field_validator("years")
    @classmethod
    def _check_years(cls, years: tuple[int, ...]) -> tuple[int, ...]:
        for year in years:
            if not FIRST_YEAR <= year <= LAST_YEAR:
                raise ValueError(f"{year} is no year from {FIRST_YEAR} to {LAST_YEAR}")
        return tuple(sorted(set(years)))


def check_request(parameters: object) -> SearchRequest:
    """Read the parameters ``acquisition``.

    Raises
    ------
    AerialError
        Naming each value that makes no sense.
    """
    try:
        return SearchRequest.model_validate(parameters)
    except ValidationError as error:
        problems = "; ".join(
            f"acquisition.{'.'.join(str(part) for part in each['loc'])}={each['input']!r}: "
            f"{each['msg']}"
            for each in error.errors()
        )
        raise AerialError(f"The parameters `acquisition` make no sense: {problems}.") from None


def read_request(parameters: object) -> SearchRequest:
    """Read the parameters ``acquisition`` for a search, which needs a place and years.

    Raises
    ------
    AerialError
        Naming each value that makes no sense or is missing.
    """
    request = check_request(parameters)
    missing = [name for name in ("bbox", "years") if not getattr(request, name)]
    if missing:
        raise AerialError(
            f"{' and '.join(f'acquisition.{name}' for name in missing)} not set. Say where and "
            "when: --params=acquisition.bbox=-117.8/34.0/-117.6/34.2,acquisition.years=2018/2020 "
            "(west/south/east/north in degrees)."
        )
    return request


def _split(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return [part.strip() for part in value.strip("[] ").replace(",", "/").split("/")]
