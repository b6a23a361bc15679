"""A georeferenced array in memory: what a raster file holds, without the file."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from affine import Affine


@dataclass(frozen=True)
class Raster:
    """Pixels with their place on the ground.

    Parameters
    ----------
    pixels
        Array of shape ``(bands, rows, cols)``.
    transform
        Maps ``(col, row)`` of a pixel's upper left corner to CRS units.
    crs
        Coordinate reference system, as any text that PROJ reads (``"EPSG:26918"``).
    nodata
        Value that marks a pixel without data, in every band.
    band_names
        One description for each band.
    colour_table
        Colours (red, green, blue, alpha; 0–255) of the first band's values.
    tags
        Text metadata of the file.

    Raises
    ------
    ValueError
        If ``pixels`` does not have three dimensions, or the band names do not fit it.
    """

    pixels: np.ndarray
    transform: Affine
    crs: str
    nodata: float | None = None
    band_names: tuple[str, ...] = ()
    colour_table: Mapping[int, tuple[int, int, int, int]] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3:  # noqa: PLR2004
            raise ValueError(
                f"A raster's pixels have the shape (bands, rows, cols), not {self.pixels.shape}."
            )
        if self.band_names and len(self.band_names) != self.pixels.shape[0]:
            raise ValueError(f"{len(self.band_names)} band names for {self.pixels.shape[0]} bands.")
