"""Small previews of real outputs for the pipeline graph; none of them starts Spark."""

from __future__ import annotations

import base64
import io
from typing import Any

import fsspec
import numpy as np
import rasterio
from kedro_datasets._typing import ImagePreview, TablePreview
from PIL import Image
from pyarrow import dataset as arrow
from rasterio.enums import Resampling

_LONGEST_PX = 600
_LONGEST_TEXT = 80
_RGB = [1, 2, 3]


def preview_raster(path: str) -> ImagePreview:
    """Show a GeoTIFF: its colours, its colour table, or its first band in grey.

    Parameters
    ----------
    path
        Path that GDAL opens.
    """
    with rasterio.open(path, driver="GTiff") as dataset:
        scale = _LONGEST_PX / max(dataset.width, dataset.height)
        shape = (max(1, round(dataset.height * scale)), max(1, round(dataset.width * scale)))
        is_rgb = dataset.count >= len(_RGB)
        pixels = dataset.read(_RGB if is_rgb else 1, out_shape=shape, resampling=Resampling.nearest)
        colours = None if is_rgb else read_colours(dataset)
    picture = Image.fromarray((np.moveaxis(pixels, 0, -1) if is_rgb else pixels).astype(np.uint8))
    if colours:
        black = (0, 0, 0)
        picture.putpalette([part for v in range(256) for part in colours.get(v, black)[:3]])
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return ImagePreview(base64.b64encode(buffer.getvalue()).decode())


def read_colours(dataset: rasterio.DatasetReader) -> dict[int, tuple[int, int, int, int]] | None:
    """Read the colours (red, green, blue, alpha) of the first band's values, if there are any."""
    try:
        return dict(dataset.colormap(1))
    except ValueError:
        return None


def preview_table(
    path: str, credentials: dict[str, Any] | None = None, nrows: int = 20
) -> TablePreview:
    """Show the first rows of a folder of Parquet files; long lists and maps are cut.

    Parameters
    ----------
    path
        The folder.
    credentials
        Options of the storage's file system in fsspec.
    nrows
        How many rows.
    """
    filesystem, base = fsspec.core.url_to_fs(path, **(credentials or {}))
    table = arrow.dataset(base, filesystem=filesystem, format="parquet")
    rows = table.head(nrows, batch_readahead=0, fragment_readahead=0).to_pylist()
    data = [[_brief(value) for value in row.values()] for row in rows]
    return TablePreview(
        {"index": list(range(len(rows))), "columns": table.schema.names, "data": data}
    )


def _brief(value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    text = str(value)
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]} …"
