"""What reading pixels relies on in GDAL, whatever the user's environment says."""

import contextlib
import threading
from collections.abc import Iterator

import rasterio

# GDAL's own defaults, each of which a variable of this name would change.
_SETTINGS = {
    "CONVERT_YCBCR_TO_RGB": "YES",  # colours of a JPEG in a TIFF
    "GDAL_GEOREF_SOURCES": "PAM,INTERNAL,TABFILE,WORLDFILE,XML",
    "GTIFF_IGNORE_READ_ERRORS": "NO",  # damaged blocks would be black
    "GTIFF_POINT_GEO_IGNORE": "NO",  # scenes would be half a pixel away
}
# A thread's settings are its own, in rasterio as well.
_entered = threading.local()


@contextlib.contextmanager
def reading_environment() -> Iterator[None]:
    """Enter the context in which scenes and image files are opened and read.

    Inside of itself it does nothing: rasterio takes a third of the time of a small TIFF for it.
    """
    if getattr(_entered, "is_entered", False):
        yield
        return
    with rasterio.Env.from_defaults(**_SETTINGS):
        _entered.is_entered = True
        try:
            yield
        finally:
            _entered.is_entered = False
