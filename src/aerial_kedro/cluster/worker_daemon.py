"""Spark's daemon of Python workers, with what their tasks import there before a worker is forked.

Spark ends a worker that is idle for a minute, and each new one would import the project, pandas,
pyarrow and rasterio anew: a second or two of a core. ``spark.python.daemon.module`` names it.
"""

import gc

import exactextract.raster
import scipy.ndimage
import scipy.spatial
import scipy.special
from pyspark import daemon

from aerial_kedro.datasets import part_files
from aerial_kedro.features import featurize
from aerial_kedro.labels import land_cover, placing
from aerial_kedro.tiles import catalog, reading

PRELOADED = (catalog, featurize, land_cover, part_files, placing, reading)
LIBRARIES = (exactextract.raster, scipy.ndimage, scipy.spatial, scipy.special)
"""What tasks need, and what that imports when called; BLAS makes its threads anew after a fork."""

if __name__ == "__main__":
    # Pages on which nothing is counted or collected stay shared by all workers.
    gc.freeze()
    daemon.manager()  # type: ignore[no-untyped-call]
