"""GeoTIFFs in memory, to and from rasters."""

from typing import Any

import rasterio

from aerial_kedro.scenes.raster import Raster

_BLOCK = 512
_SMALL = 2 * _BLOCK
_MOST_COLOURED = 2


def encode_geotiff(raster: Raster) -> bytes:
    """Write a raster as a GeoTIFF in memory: deflated, tiled where it is large.

    Raises
    ------
    ValueError
        If it has colours and more than two bands, of which GDAL writes none: see `encode_cog`.
    """
    if raster.colour_table and len(raster.pixels) > _MOST_COLOURED:
        raise ValueError(f"GDAL writes no colours of {len(raster.pixels)} bands: write a COG.")
    return encode_bands(raster)


def encode_bands(raster: Raster) -> bytes:
    """Do what `encode_geotiff` does, but of more than two bands only mark the first as coloured."""
    bands, height, width = raster.pixels.shape
    tiled = min(height, width) >= _SMALL
    layout: dict[str, Any] = {}
    if tiled:
        layout = {"tiled": True, "blockxsize": _BLOCK, "blockysize": _BLOCK}
    if raster.colour_table:
        # Else three bands of bytes are red, green and blue, and a fourth is transparency.
        layout["photometric"] = "MINISBLACK"
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            height=height,
            width=width,
            count=bands,
            dtype=raster.pixels.dtype,
            crs=raster.crs,
            transform=raster.transform,
            nodata=raster.nodata,
            compress="deflate",
            predictor=2 if raster.pixels.dtype.kind in "ui" else 1,
            zlevel=3,
            num_threads="all_cpus",
            **layout,
        ) as dataset:
            dataset.write(raster.pixels)
            dataset.update_tags(**raster.tags)
            if raster.band_names:
                dataset.descriptions = raster.band_names
            if raster.colour_table:
                dataset.write_colormap(1, dict(raster.colour_table))
        return bytes(memory.read())


def decode_geotiff(content: bytes) -> Raster:
    """Read a GeoTIFF from memory."""
    with rasterio.MemoryFile(content) as memory, memory.open(driver="GTiff") as dataset:
        return Raster(
            pixels=dataset.read(),
            transform=dataset.transform,
            crs=dataset.crs.to_string(),
            nodata=dataset.nodata,
            band_names=tuple(name or "" for name in dataset.descriptions),
            colour_table=read_colours(dataset),
            tags=dataset.tags(),
        )


def read_colours(dataset: rasterio.DatasetReader) -> dict[int, tuple[int, int, int, int]] | None:
    """Read the colours (red, green, blue, alpha) of the first band's values, if there are any."""
    try:
        return dict(dataset.colormap(1))
    except ValueError:
        return None
