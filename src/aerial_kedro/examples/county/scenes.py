"""The photo flights' scenes: overlapping sheets in two UTM zones, named as NAIP names them."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rasterio.warp import Resampling

from aerial_kedro.examples.county.frame import CRS, NODATA, Window
from aerial_kedro.examples.county.plan import MIDDLE_LAT, TO_UTM, ZONE_BORDER_LON, county_frame
from aerial_kedro.examples.county.settings import CountySettings, Flight
from aerial_kedro.examples.county.world import photographs
from aerial_kedro.scenes.raster import Raster

BAND_NAMES = ("Red", "Green", "Blue", "Near infrared")
WEST_CRS = "EPSG:26917"
_WEST_ZONE = 17
_SHEETS_PER_DEGREE = 8
_SIXTEENTH_DEG = 1 / 16


def quarter_quadrangle(lon: float, lat: float) -> str:
    """Name the quarter of a 7.5-minute quadrangle in which a place lies.

    A quadrangle is numbered 1–64 within its square degree, row by row from the north-west.

    Parameters
    ----------
    lon, lat
        Degrees; the longitude is negative, as it is west of Greenwich.

    Returns
    -------
    str
        Latitude and longitude of the square degree's lower right corner, number of the
        quadrangle, and quarter: ``3607725_sw``.
    """
    down = math.floor((math.floor(lat) + 1 - lat) / _SIXTEENTH_DEG)
    right = math.floor((lon - math.floor(lon)) / _SIXTEENTH_DEG)
    number = down // 2 * _SHEETS_PER_DEGREE + right // 2 + 1
    degree = f"{math.floor(lat):02d}{-math.floor(lon) - 1:03d}"
    return f"{degree}{number:02d}_{'ns'[down % 2]}{'we'[right % 2]}"


def sheets(settings: CountySettings) -> Iterator[tuple[str, int, Window, bool]]:
    """Divide the county into overlapping sheets: one column in zone 17, the others in zone 18.

    Gives of each its quarter quadrangle, its zone, its rows and columns of the county, and
    whether the flights miss its upper right corner.
    """
    county = county_frame(settings)
    west, south, _, north = county.bounds
    _, latitude = TO_UTM.transform(west, (south + north) / 2, direction="INVERSE")
    border = TO_UTM.transform(ZONE_BORDER_LON, latitude)[0] - west
    columns = [0.0, *np.linspace(border, county.columns, settings.scene_columns_east + 1)]
    rows = [*np.linspace(0, county.rows, settings.scene_rows + 1)]
    half = settings.scene_overlap_m / 2

    def span(edges: Sequence[float], number: int, size: int) -> slice:
        start, stop = round(edges[number] - half), round(edges[number + 1] + half)
        return slice(max(start, 0), min(stop, size))

    for row in range(settings.scene_rows):
        lat = MIDDLE_LAT + (settings.scene_rows / 2 - row - 0.5) * _SIXTEENTH_DEG
        for column in range(settings.scene_columns_east + 1):
            lon = ZONE_BORDER_LON + (column - 0.5) * _SIXTEENTH_DEG
            window = span(rows, row, county.rows), span(columns, column, county.columns)
            zone = _WEST_ZONE if column == 0 else _WEST_ZONE + 1
            last = row == 0 and column == settings.scene_columns_east
            yield quarter_quadrangle(lon, lat), zone, window, last


def draw_scenes(settings: CountySettings, seed: int) -> dict[str, Callable[[], Raster]]:
    """Draw the scenes of every flight, each when it is saved.

    So only one year's county is in memory.

    Parameters
    ----------
    settings
        Size and make-up of the county.
    seed
        Another seed gives another county.

    Returns
    -------
    dict
        For each file stem, in order of the flights, a function that draws the scene: four bands
        of uint8 at 1 m; 0 where the flight saw nothing.
    """
    return {
        f"m_{name}_{zone}_1_{flight.date:%Y%m%d}": partial(
            _draw_scene, settings, seed, flight, name, zone, window, cut_corner
        )
        for flight in settings.flights
        for name, zone, window, cut_corner in sheets(settings)
    }


def _draw_scene(
    settings: CountySettings,
    seed: int,
    flight: Flight,
    name: str,
    zone: int,
    window: Window,
    cut_corner: bool,
) -> Raster:
    frame, crs = county_frame(settings).part(*window), CRS
    pixels, transform = photographs(settings, seed)[flight][:, *window], frame.transform
    if zone == _WEST_ZONE:
        crs = WEST_CRS
        pixels, transform = frame.warp(pixels, crs, 1.0, Resampling.cubic)
    rng = np.random.default_rng([seed, 4, flight.year, *name.encode()])
    pixels = _exposed(rng, pixels)
    if cut_corner:
        rows, columns = pixels.shape[1:]
        from_right = np.arange(columns)[None, ::-1]
        missed = np.arange(rows)[:, None] + 0.6 * from_right < 0.22 * min(rows, columns)
        pixels[:, missed] = NODATA
    return Raster(
        pixels,
        transform,
        crs,
        nodata=NODATA,
        band_names=BAND_NAMES,
        tags={
            "TIFFTAG_DATETIME": f"{flight.date:%Y:%m:%d} 15:00:00",
            "TIFFTAG_IMAGEDESCRIPTION": (
                f"A made-up scene, drawn by aerial_kedro from seed {seed}; not real imagery."
            ),
        },
    )


def _exposed(rng: np.random.Generator, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give a scene its own exposure, haze and colour cast; 0 stays 0."""
    gain = rng.normal(1, 0.05) * rng.normal(1, 0.02, 4)
    haze = rng.uniform(0, 16) * np.array([0.8, 0.9, 1.1, 0.3])
    curves = np.round(np.arange(256) * gain[:, None] + haze[:, None]).clip(1, 255).astype(np.uint8)
    curves[:, 0] = NODATA
    return np.stack([curve[band] for curve, band in zip(curves, pixels, strict=True)])
