"""Small previews of real outputs for the pipeline graph; none of them starts Spark."""

from __future__ import annotations

import base64
import io
from typing import Any

import fsspec
import numpy as np
import pyarrow.parquet as pq
import rasterio
from kedro_datasets._typing import ImagePreview, TablePreview
from PIL import Image
from rasterio.enums import Resampling

_LONGEST_PX = 600
_LONGEST_TEXT = 80
_RGB = 3


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
        bands = [1, 2, 3] if dataset.count >= _RGB else [1]
        pixels = dataset.read(bands, out_shape=(len(bands), *shape), resampling=Resampling.nearest)
        colours = read_colours(dataset)
    if len(bands) == _RGB:
        picture = np.moveaxis(pixels, 0, -1)
    else:
        picture = pixels[0] if colours is None else _as_array(colours)[pixels[0]]
    buffer = io.BytesIO()
    Image.fromarray(picture.astype(np.uint8)).save(buffer, "PNG")
    return ImagePreview(base64.b64encode(buffer.getvalue()).decode())


def read_colours(dataset: rasterio.DatasetReader) -> dict[int, tuple[int, int, int, int]] | None:
    """Read the colours (red, green, blue, alpha) of the first band's values, if there are any."""
    try:
        return dict(dataset.colormap(1))
    except ValueError:
        return None


def _as_array(colours: dict[int, tuple[int, int, int, int]]) -> np.ndarray:
    """Colours by value, ``(256, 3)``."""
    table = np.zeros((256, 3), dtype=np.uint8)
    for value, colour in colours.items():
        table[value] = colour[:_RGB]
    return table


def preview_table(
    path: str, credentials: dict[str, Any] | None = None, nrows: int = 20
) -> TablePreview:
    """Show the first rows of a folder of Parquet files; long lists and maps are cut.

    Parameters
    ----------
    path
        The folder.
    credentials
        Of the storage.
    nrows
        How many rows.
    """
    filesystem, base = fsspec.core.url_to_fs(path, **(credentials or {}))
    table: dict[str, list[object]] = {"index": [], "columns": [], "data": []}
    # Spark leaves a file without rows for every task that had none.
    for name in sorted(filesystem.glob(f"{base}/**/*.parquet")):
        with filesystem.open(name, "rb") as file:
            parquet = pq.ParquetFile(file)
            table["columns"] = list(parquet.schema_arrow.names)
            batch = next(parquet.iter_batches(batch_size=nrows), None)
        if batch is not None:
            rows = batch.to_pylist()
            table["data"] = [[_brief(value) for value in row.values()] for row in rows]
            table["index"] = list(range(len(rows)))
            break
    return TablePreview(table)


def _brief(value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    text = str(value)
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]} …"
