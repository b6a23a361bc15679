"""What reading pixels relies on in GDAL, whatever the user's environment says."""

import rasterio

# GDAL's own defaults, each of which a variable of this name would change.
_SETTINGS = {
    "CONVERT_YCBCR_TO_RGB": "YES",  # colours of a JPEG in a TIFF
    "GDAL_GEOREF_SOURCES": "PAM,INTERNAL,TABFILE,WORLDFILE,XML",
    "GTIFF_IGNORE_READ_ERRORS": "NO",  # damaged blocks would be black
    "GTIFF_POINT_GEO_IGNORE": "NO",  # scenes would be half a pixel away
}


def reading_environment() -> rasterio.Env:
    """Return the context in which scenes and image files are opened and read."""
    return rasterio.Env.from_defaults(**_SETTINGS)
