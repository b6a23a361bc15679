"""What labels can mean where the land cover is coarser than what they are of."""

from collections.abc import Sequence

from aerial_kedro.cells.grid import SIDE
from aerial_kedro.labels.land_cover import LandCoverRaster

# A pixel that is larger than a cell by less is as fine: metres on a map are not quite the ground's.
_COARSER = 1.05


def remark_on_coarse_pixels(
    rasters: Sequence[LandCoverRaster], tile_size_m: float, grain: str
) -> str | None:
    """Say what labels of cells mean where the land cover is coarser than a cell.

    Parameters
    ----------
    rasters
        The land cover.
    tile_size_m
        Side of a tile in metres.
    grain
        What is mapped: ``cell`` or ``tile``.

    Returns
    -------
    str or None
        None where no raster is coarser, or tiles are mapped.

    Examples
    --------
    >>> nlcd = LandCoverRaster("nlcd.tif", 2019, "", (0, 0, 9, 9), (), pixel_m=30.0)
    >>> remark_on_coarse_pixels([nlcd], 224.0, "cell") is None
    True
    >>> remark_on_coarse_pixels([nlcd], 112.0, "cell")[:68]
    'The land cover nlcd.tif has pixels of 30 m, and cells are 16 m wide:'
    """
    sizes = {raster.href: raster.pixel_m or 0.0 for raster in rasters}
    coarsest = max(sizes, key=lambda href: sizes[href], default=None)
    cell_m = tile_size_m / SIDE
    if grain != "cell" or coarsest is None or sizes[coarsest] <= _COARSER * cell_m:
        return None
    size = f"{sizes[coarsest]:.3g} m"
    return (
        f"The land cover {coarsest} has pixels of {size}, and cells are {cell_m:.3g} m wide: a "
        f"cell is labelled with the class of a square of {size}, whatever lies in the cell itself. "
        "The map is drawn cell by cell all the same, but its accuracy says how well it repeats "
        "these squares: what it shows more finely counts as wrong, right or not. Only finer land "
        "cover, or maps of known truth (reference_root), can tell."
    )
