"""The photo flights' scenes: overlapping sheets in two UTM zones, named as NAIP names them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.warp import Resampling, reproject

from aerial_kedro.examples.county.plan import CRS, WEST_CRS, ZONE_BORDER_LON, county_frame
from aerial_kedro.examples.county.settings import CountySettings, Flight
from aerial_kedro.examples.county.world import photograph
from aerial_kedro.scenes.raster import Raster

BAND_NAMES = ("Red", "Green", "Blue", "Near infrared")
NODATA = 0
_SHEETS_PER_DEGREE = 8
_SIXTEENTH_DEG = 1 / 16


@dataclass(frozen=True)
class Sheet:
    """The land of one scene.

    Parameters
    ----------
    name
        Quarter quadrangle of the sheet, as ``3607725_sw``.
    zone
        UTM zone of the scene.
    bounds
        West, south, east and north in metres of EPSG:26918.
    cut_corner
        Whether the flight missed the sheet's upper right corner.
    """

    name: str
    zone: int
    bounds: tuple[float, float, float, float]
    cut_corner: bool = False

    def stem(self, date: dt.date) -> str:
        """File name of the sheet's scene from a flight, without its ending."""
        return f"m_{self.name}_{self.zone}_1_{date:%Y%m%d}"


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
    row = int(np.floor((np.floor(lat) + 1 - lat) / (2 * _SIXTEENTH_DEG)))
    column = int(np.floor((lon - np.floor(lon)) / (2 * _SIXTEENTH_DEG)))
    south = (np.floor(lat) + 1 - lat) % (2 * _SIXTEENTH_DEG) >= _SIXTEENTH_DEG
    east = (lon - np.floor(lon)) % (2 * _SIXTEENTH_DEG) >= _SIXTEENTH_DEG
    number = row * _SHEETS_PER_DEGREE + column + 1
    degree = f"{int(np.floor(lat)):02d}{int(-np.floor(lon)) - 1:03d}"
    return f"{degree}{number:02d}_{'s' if south else 'n'}{'e' if east else 'w'}"


def sheets(settings: CountySettings) -> tuple[Sheet, ...]:
    """Divide the county into overlapping sheets: one column in zone 17, the others in zone 18."""
    west, south, east, north = county_frame(settings).bounds
    to_degrees = Transformer.from_crs(CRS, "EPSG:4269", always_xy=True)
    to_utm = Transformer.from_crs("EPSG:4269", CRS, always_xy=True)
    border = to_utm.transform(ZONE_BORDER_LON, to_degrees.transform(west, (south + north) / 2)[1])[
        0
    ]
    columns = np.array([west, *np.linspace(border, east, settings.scene_columns_east + 1)])
    rows = np.linspace(north, south, settings.scene_rows + 1)
    half = settings.scene_overlap_m / 2
    found: list[Sheet] = []
    for row in range(settings.scene_rows):
        for column in range(settings.scene_columns_east + 1):
            bounds = (
                float(max(columns[column] - half, west)),
                float(max(rows[row + 1] - half, south)),
                float(min(columns[column + 1] + half, east)),
                float(min(rows[row] + half, north)),
            )
            zone = 17 if column == 0 else 18
            name = _free_name(_nominal_place(row, column, settings.scene_rows), found)
            last = row == 0 and column == settings.scene_columns_east
            found.append(Sheet(name, zone, bounds, cut_corner=last))
    return tuple(found)


def draw_scene(settings: CountySettings, seed: int, sheet: Sheet, flight: Flight) -> Raster:
    """Draw the scene of one sheet from one flight.

    Returns
    -------
    Raster
        Four bands of uint8 at 1 m; 0 where the flight saw nothing.
    """
    world = photograph(settings, seed, flight.year)
    frame = county_frame(settings)
    if sheet.zone == int(CRS[-2:]):
        window = frame.window(sheet.bounds)
        if window is None:
            raise ValueError(f"Sheet {sheet.name} does not lie in the county.")
        pixels = world[:, *window].copy()
        transform = frame.transform @ Affine.translation(window[1].start, window[0].start)
        crs = CRS
    else:
        pixels, transform = _in_west_zone(world, frame.transform, sheet)
        crs = WEST_CRS
    rng = np.random.default_rng([seed, 4, flight.year, *sheet.name.encode()])
    pixels = _exposed(rng, pixels)
    if sheet.cut_corner:
        pixels[:, _corner(pixels.shape[1], pixels.shape[2])] = NODATA
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


def _nominal_place(row: int, column: int, rows: int) -> tuple[float, float]:
    """Place in degrees whose quarter quadrangle gives a sheet its name."""
    lon = ZONE_BORDER_LON + (column - 0.5) * _SIXTEENTH_DEG
    lat = 36.5 + (rows / 2 - row - 0.5) * _SIXTEENTH_DEG
    return lon, lat


def _free_name(place: tuple[float, float], taken: list[Sheet]) -> str:
    name = quarter_quadrangle(*place)
    if any(sheet.name == name for sheet in taken):
        raise ValueError(f"Two sheets would have the name {name}.")
    return name


def _in_west_zone(
    world: NDArray[np.uint8], transform: Affine, sheet: Sheet
) -> tuple[NDArray[np.uint8], Affine]:
    """Warp the sheet's land into zone 17; its corners, turned against the grid, stay empty."""
    to_west = Transformer.from_crs(CRS, WEST_CRS, always_xy=True)
    west, south, east, north = to_west.transform_bounds(*sheet.bounds, densify_pts=21)
    left, top = float(np.floor(west)), float(np.ceil(north))
    rows, columns = int(np.ceil(top - south)), int(np.ceil(east - left))
    target = Affine(1, 0, left, 0, -1, top)
    row0 = round(transform.f - sheet.bounds[3])
    row1 = round(transform.f - sheet.bounds[1])
    column0 = round(sheet.bounds[0] - transform.c)
    column1 = round(sheet.bounds[2] - transform.c)
    pixels = np.zeros((world.shape[0], rows, columns), np.uint8)
    reproject(
        np.ascontiguousarray(world[:, row0:row1, column0:column1]),
        pixels,
        src_transform=transform @ Affine.translation(column0, row0),
        src_crs=CRS,
        dst_transform=target,
        dst_crs=WEST_CRS,
        src_nodata=NODATA,
        dst_nodata=NODATA,
        resampling=Resampling.cubic,
    )
    return pixels, target


def _exposed(rng: np.random.Generator, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give a scene its own exposure, haze and colour cast; 0 stays 0."""
    gain = rng.normal(1, 0.05) * rng.normal(1, 0.02, 4)
    haze = rng.uniform(0, 16) * np.array([0.8, 0.9, 1.1, 0.3])
    values = np.arange(256)
    result = np.empty_like(pixels)
    for band in range(len(pixels)):
        curve = np.clip(np.round(values * gain[band] + haze[band]), 1, 255).astype(np.uint8)
        curve[0] = NODATA
        result[band] = curve[pixels[band]]
    return result


def _corner(rows: int, columns: int) -> NDArray[np.bool_]:
    """Mark the slanted upper right corner that the flight missed."""
    cut = 0.22 * min(rows, columns)
    down = np.arange(rows)[:, None]
    from_right = columns - 1 - np.arange(columns)[None]
    corner: NDArray[np.bool_] = down + 0.6 * from_right < cut
    return corner
