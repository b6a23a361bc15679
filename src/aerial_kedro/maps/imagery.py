"""The imagery under a map, from small pictures of its tiles."""

import numpy as np
import pandas as pd

from aerial_kedro.maps.mosaic import mosaic
from aerial_kedro.scenes.raster import Raster


def imagery_of_tiles(tiles: pd.DataFrame, thumbnails: np.ndarray) -> Raster:
    """Put thumbnails of one year's tiles together, aligned with the map of their cells.

    Parameters
    ----------
    tiles
        ``epsg, xmin, ymin, xmax, ymax`` of tiles of the fixed global grid.
    thumbnails
        Red, green, blue of each tile, ``(tiles, k, k, 3)`` uint8; row 0 is the northernmost.

    Returns
    -------
    Raster
        Red, green, blue on the map's extent, ``k`` pixels a tile; nodata is 0, and black is drawn
        as 1.

    Raises
    ------
    AerialError
        As `mosaic` does.
    ValueError
        If the thumbnails have another shape or type.
    """
    count, side = len(tiles), thumbnails.shape[1]
    if thumbnails.shape != (count, side, side, 3) or thumbnails.dtype != np.uint8:
        raise ValueError(
            f"{count} tiles have thumbnails of {thumbnails.dtype}{thumbnails.shape}, not of "
            f"uint8({count}, k, k, 3): give one square RGB picture for each."
        )
    return mosaic(tiles, np.maximum(thumbnails, 1))
