"""Commands of GDAL that make a raster one that is read."""

from collections.abc import Sequence

# Sentinel-2's bands lie by wavelength in a file: blue, green and red are 2, 3 and 4, and values are
# reflectance in ten thousandths, of which land rarely has more than 3,000.
_SENTINEL = (12, 13)
_SENTINEL_COLOURS = (4, 3, 2)
_SENTINEL_SCALE = "0 3000"


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
    chosen = " ".join(
        f"-b {band}" for band in dict.fromkeys(_SENTINEL_COLOURS if is_sentinel else bands)
    )
    scale = _SENTINEL_SCALE if is_sentinel else "LOW HIGH"
    command = f"`gdal_translate -ot Byte {chosen} -scale {scale} 0 255 {source} {target}`"
    if is_sentinel:
        return command
    return f"{command}, with the same LOW (black) and HIGH (white) for all files"
