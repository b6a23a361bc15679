"""Small scenes, land cover and tile tables that tests write for themselves.

A place to start: ``write_scene(tmp_path / "m_2018.tif")`` writes nine tiles of one square kilometre
in UTM zone 18; `paint` and `paint_ground` make pixels that say where they lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rasterio
from affine import Affine
from pyproj import Transformer

from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.labels.land_cover import LandCoverRaster
from aerial_kedro.scenes.headers import SceneHeader, read_header
from aerial_kedro.tiles.grid import TileGrid

ZONE = 26918
TILE = 224.0
# Upper left corner of a tile of zone 18: column 2232, row 18035.
ORIGIN = (2232 * TILE, 18036 * TILE)

CLASSES = LandCoverClasses(
    codes={
        "Forest": [41, 42, 43, 90],
        "Cultivated": [81, 82],
        "Developed": [21, 22, 23, 24],
        "Water": [11, 12],
    },
    excluded=["Water"],
    background=[0, 127],
)
CODES = [41, 42, 43, 81, 82, 21, 22, 23, 24, 11]


def north_up(origin: tuple[float, float], gsd: float) -> Affine:
    return Affine(gsd, 0, origin[0], 0, -gsd, origin[1])


def paint(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Colours that differ from place to place, smooth at the scale of pixels: (3, *shape)."""
    return np.stack(
        [
            128 + 100 * np.sin(x / 37) * np.cos(y / 53),
            128 + 100 * np.cos(x / 61 + y / 47),
            128 + 60 * np.sin((x + y) / 29) + 40 * np.cos((x - 2 * y) / 83),
        ]
    )


def pixel_centres(
    origin: tuple[float, float], gsd: float, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """``x`` and ``y`` of every pixel's centre, each of the given shape."""
    x = origin[0] + (np.arange(shape[1]) + 0.5) * gsd
    y = origin[1] - (np.arange(shape[0]) + 0.5) * gsd
    xs, ys = np.meshgrid(x, y)
    return xs, ys


def paint_ground(
    origin: tuple[float, float],
    gsd: float,
    shape: tuple[int, int],
    crs: str = f"EPSG:{ZONE}",
    painted_in: str = f"EPSG:{ZONE}",
) -> np.ndarray:
    """Photograph the painted ground: pixels in one CRS of what `paint` paints in another."""
    x, y = pixel_centres(origin, gsd, shape)
    if crs != painted_in:
        x, y = Transformer.from_crs(crs, painted_in, always_xy=True).transform(x, y)
    return np.round(paint(x, y)).astype(np.uint8)


def write_scene(
    path: Path,
    *,
    crs: str | None = f"EPSG:{ZONE}",
    origin: tuple[float, float] = ORIGIN,
    gsd: float = 2.0,
    pixels: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    tags: dict[str, str] | None = None,
    **profile: Any,
) -> Path:
    """Write a scene; without pixels, 340 × 340 of the painted ground."""
    if pixels is None:
        pixels = paint_ground(origin, gsd, (340, 340), crs or "", crs or "")
    profile = {"transform": north_up(origin, gsd), "crs": crs, **profile}
    count, height, width = pixels.shape
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(
            path,
            "w",
            driver="GTiff",
            count=count,
            height=height,
            width=width,
            dtype=pixels.dtype,
            **profile,
        ) as dataset,
    ):
        dataset.write(pixels)
        if tags:
            dataset.update_tags(**tags)
        if mask is not None:
            dataset.write_mask(mask)
    return path


def read_scene_header(path: Path, year: int | None = 2018) -> SceneHeader:
    return read_header(str(path), str(path), "v1", year)


def write_land_cover(
    path: Path,
    codes: np.ndarray,
    *,
    crs: str = f"EPSG:{ZONE}",
    origin: tuple[float, float] = ORIGIN,
    gsd: float = 30.0,
    year: int = 2019,
    nodata: float | None = None,
) -> LandCoverRaster:
    """Write codes of shape ``(rows, cols)`` and describe them as the dataset does."""
    write_scene(path, crs=crs, origin=origin, gsd=gsd, pixels=codes[None], nodata=nodata)
    with rasterio.open(path) as dataset:
        bounds = tuple(dataset.bounds)
        wkt = dataset.crs.to_wkt()
    return LandCoverRaster(str(path), year, wkt, bounds, tuple(map(float, np.unique(codes))))


def random_codes(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.choice(np.array(CODES, dtype=np.uint8), size=shape)


def grid_tiles(
    cells: Sequence[tuple[int, int]], epsg: int = ZONE, size: float = TILE, year: int = 2018
) -> pd.DataFrame:
    """Catalog rows of grid cells ``(col, row)``: ids, squares, centres and year."""
    grid = TileGrid(epsg, size)
    tiles = pd.DataFrame(
        [(grid.tile_id(*cell), *grid.bounds(*cell)) for cell in cells],
        columns=["tile_id", "xmin", "ymin", "xmax", "ymax"],
    )
    to_degrees = Transformer.from_crs(epsg, 4326, always_xy=True)
    tiles["lon"], tiles["lat"] = to_degrees.transform(
        ((tiles["xmin"] + tiles["xmax"]) / 2).to_numpy(),
        ((tiles["ymin"] + tiles["ymax"]) / 2).to_numpy(),
    )
    return tiles.assign(image_id=tiles["tile_id"] + f"_{year}", epsg=epsg, year=year)


def cell_of_origin(origin: tuple[float, float] = ORIGIN, size: float = TILE) -> tuple[int, int]:
    """Grid cell whose upper left corner is the origin."""
    return round(origin[0] / size), round(origin[1] / size) - 1
