"""What can be set about the made-up county."""

import datetime as dt
from typing import Annotated, Self

from pydantic import Field, model_validator

from aerial_kedro.parameters import CheckedModel

Share = Annotated[float, Field(ge=0, le=1)]
Metres = Annotated[float, Field(gt=0)]


class Flight(CheckedModel):
    """One photo flight over the county.

    Parameters
    ----------
    date
        Day of the flight; its year is the year of the scenes.
    sun_azimuth_deg
        Direction of the sun, clockwise from north.
    sun_elevation_deg
        Height of the sun above the horizon.
    greenness
        How green grass and crops are: 0 in a drought, 1 in a wet spring.
    """

    date: dt.date
    sun_azimuth_deg: Annotated[float, Field(ge=0, lt=360)]
    sun_elevation_deg: Annotated[float, Field(ge=20, le=80)]
    greenness: Share = 0.5

    @property
    def year(self) -> int:
        """Year of the flight."""
        return self.date.year


DEFAULT_FLIGHTS = (
    Flight(date=dt.date(2012, 6, 10), sun_azimuth_deg=118, sun_elevation_deg=56, greenness=0.6),
    Flight(date=dt.date(2018, 9, 4), sun_azimuth_deg=222, sun_elevation_deg=46, greenness=0.4),
)


class CountySettings(CheckedModel):
    """Size and make-up of the county; the defaults give the full sample.

    Parameters
    ----------
    width_m, height_m
        Extent of the county in EPSG:26918.
    west_share
        Share of the width that lies west of longitude -78, in UTM zone 17.
    scene_rows, scene_columns_east
        Rows of scenes, and columns of scenes east of the zone border; west of it there is one.
    scene_overlap_m
        By how much neighbouring scenes overlap.
    estate_size_m, parcel_size_m
        Shortest and longest side of the estates between roads, and of the parcels inside them.
    land_cover_margin_m
        How far the land cover reaches beyond the county.
    change_share
        Share of the land that changes its class between the first flight and the last.
    label_noise
        Share of the land-cover pixels that are given a wrong class.
    flights
        The photo flights, one for each year, in order of time.
    land_cover_years
        Years of the land-cover rasters.
    """

    width_m: Annotated[int, Field(ge=448)] = 6944
    height_m: Annotated[int, Field(ge=448)] = 6944
    west_share: Annotated[float, Field(gt=0, lt=1)] = 0.33
    scene_rows: Annotated[int, Field(ge=1, le=4)] = 2
    scene_columns_east: Annotated[int, Field(ge=1, le=4)] = 2
    scene_overlap_m: Annotated[int, Field(ge=0)] = 300
    estate_size_m: tuple[Metres, Metres] = (560.0, 1150.0)
    parcel_size_m: tuple[Metres, Metres] = (150.0, 600.0)
    land_cover_margin_m: Annotated[int, Field(ge=300)] = 900
    change_share: Annotated[float, Field(ge=0, le=0.5)] = 0.065
    label_noise: Annotated[float, Field(ge=0, le=0.3)] = 0.04
    flights: Annotated[tuple[Flight, ...], Field(min_length=1)] = DEFAULT_FLIGHTS
    land_cover_years: Annotated[tuple[int, ...], Field(min_length=1)] = (2011, 2019)

    @model_validator(mode="after")
    def _check(self) -> Self:
        years = [flight.year for flight in self.flights]
        if years != sorted(set(years)):
            raise ValueError(f"flights: one for each year, in order of time, not {years}.")
        if len(set(self.land_cover_years)) != len(self.land_cover_years):
            raise ValueError(f"land_cover_years: {self.land_cover_years} names a year twice.")
        for name in ("estate_size_m", "parcel_size_m"):
            shortest, longest = getattr(self, name)
            if longest < 2 * shortest:
                raise ValueError(
                    f"{name}: the longest side ({longest:g} m) must be at least twice the "
                    f"shortest ({shortest:g} m), or land cannot be divided into such pieces."
                )
        return self
