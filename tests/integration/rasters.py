"""Small scenes and land-cover rasters, with whatever a test wants to be wrong about them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine

# A place in North Carolina, in UTM zone 18.
WEST, NORTH, EPSG = 300_000.0, 4_040_000.0, 26918


def write_raster(
    path: Path,
    pixels: np.ndarray,
    *,
    resolution_m: float,
    crs: str | None = f"EPSG:{EPSG}",
    west: float = WEST,
    north: float = NORTH,
    **options: Any,
) -> Path:
    """Write pixels ``(bands, rows, cols)`` as a GeoTIFF whose upper left corner is given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    bands, rows, cols = pixels.shape
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(
            path, "w", driver="GTiff", count=bands, height=rows, width=cols, dtype=pixels.dtype,
            crs=crs, transform=Affine(resolution_m, 0, west, 0, -resolution_m, north), **options,
        ) as dataset:  # fmt: skip
            dataset.write(pixels)
    return path


def write_scene(path: Path, *, side: int = 400, bands: int = 4, **options: Any) -> Path:
    """Write a scene of noise at 1 m, without nodata."""
    pixels = np.random.default_rng(0).integers(1, 256, (bands, side, side)).astype(np.uint8)
    return write_raster(path, pixels, resolution_m=1, **options)


def write_land_cover(path: Path, codes: np.ndarray | None = None, **options: Any) -> Path:
    """Write land cover at 30 m around the scene of `write_scene`; forest by default."""
    if codes is None:
        codes = np.full((40, 40), 41, np.uint8)
    placed = {"west": WEST - 300, "north": NORTH + 300, **options}
    return write_raster(path, codes[None], resolution_m=30, **placed)
