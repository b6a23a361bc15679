"""Commands of GDAL that make a raster one that is read."""

import math
import shlex
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np
import rasterio
from pyproj import CRS, Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info

from aerial_kedro.scenes.bands import holds_infrared, is_tagged_as_alpha

# Sentinel-2's bands lie by wavelength in a file: blue, green and red are 2, 3 and 4, and values are
# reflectance in ten thousandths, of which land rarely has more than 3,000.
_SENTINEL = (12, 13)
_SENTINEL_COLOURS = (4, 3, 2)
_SENTINEL_SCALE = "0 3000"
_SOME_ZONE = "EPSG:326zz"


def scale_command(
    count: int, bands: Sequence[int], source: str = "IN.tif", target: str = "OUT.tif"
) -> str:
    """Say how values of other than 8 bits are made such.

    Parameters
    ----------
    count
        Number of the file's bands: 12 or 13 are Sentinel-2's.
    bands
        Numbers of the bands that are wanted of another file.
    source, target
        Names of the file and of the one to write.

    Returns
    -------
    str
        The command, and what it needs to know.

    Examples
    --------
    >>> scale_command(13, (1, 2, 3))
    '`gdal_translate -ot Byte -b 4 -b 3 -b 2 -scale 0 3000 0 255 IN.tif OUT.tif`'
    """
    is_sentinel = count in _SENTINEL
    wanted = dict.fromkeys(_SENTINEL_COLOURS if is_sentinel else bands)
    chosen = " ".join(f"-b {band}" for band in wanted)
    scale = _SENTINEL_SCALE if is_sentinel else "LOW HIGH"
    command = f"`gdal_translate -ot Byte {chosen} -scale {scale} 0 255 {source} {target}`"
    if is_sentinel:
        return command
    return f"{command}, with the same LOW (black) and HIGH (white) for all files"


def warp_command(
    dataset: rasterio.DatasetReader, *, resampling: str = "bilinear", to_utm: bool = False
) -> str:
    """Say how a raster is written north-up.

    Parameters
    ----------
    dataset
        The raster, opened; it may have ground control points instead of a place.
    resampling
        GDAL's method: ``near`` for codes.
    to_utm
        Whether it needs another CRS: the zone of UTM in which it lies.
    """
    crs, centre = _centre(dataset)
    options = []
    if crs is None:
        options.append("-s_srs EPSG:zzzz")
    if to_utm:
        options.append(f"-t_srs {_utm_zone(crs, centre)}")
    if dataset.rpcs is not None and not dataset.gcps[0] and dataset.crs is None:
        options.append("-rpc")
    options.append(f"-r {resampling}")
    if is_tagged_as_alpha(dataset) and holds_infrared(dataset):
        options.append("-nosrcalpha")  # else ground where infrared is 0 would be lost
    source, target = names_for(dataset, "_utm" if to_utm else "_north_up")
    return f"`gdalwarp {' '.join(options)} {source} {target}`"


def names_for(dataset: rasterio.DatasetReader, suffix: str) -> tuple[str, str]:
    """Name a raster's file, and the one that a command is to write, for a shell."""
    name = PurePosixPath(dataset.name.partition("?")[0])  # a signature is nobody's business
    return shlex.quote(name.name), shlex.quote(f"{name.stem}{suffix}.tif")


def _centre(dataset: rasterio.DatasetReader) -> tuple[CRS | None, tuple[float, float]]:
    """Find a place within a raster: in its CRS, in that of its control points, or in degrees."""
    points, crs = dataset.gcps
    if dataset.crs is not None:
        centre = dataset.transform @ (dataset.width / 2, dataset.height / 2)
        return CRS.from_wkt(dataset.crs.to_wkt()), centre
    if points:
        x, y = np.mean([(point.x, point.y) for point in points], axis=0)
        return CRS.from_wkt(crs.to_wkt()) if crs else None, (float(x), float(y))
    if dataset.rpcs is not None:
        return CRS.from_epsg(4326), (dataset.rpcs.long_off, dataset.rpcs.lat_off)
    return None, (math.nan, math.nan)


def _utm_zone(crs: CRS | None, centre: tuple[float, float]) -> str:
    if crs is None:
        return _SOME_ZONE
    lon, lat = Transformer.from_crs(crs, 4326, always_xy=True).transform(*centre)
    if not (math.isfinite(lon) and math.isfinite(lat)):
        return _SOME_ZONE
    found = query_utm_crs_info("WGS 84", AreaOfInterest(lon, lat, lon, lat))
    return f"EPSG:{found[0].code}" if found else _SOME_ZONE
