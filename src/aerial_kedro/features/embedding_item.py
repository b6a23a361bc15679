"""The STAC item that describes a raster of embeddings to catalogues and their readers."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import shapely

from aerial_kedro.features.embeddings import (
    NODATA,
    EmbeddingGrid,
    band_names,
    cells_of,
)
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.tiles.squares import project_squares

# The extension for embeddings asks for an item of 1.0.0, in which bands are `raster:bands`.
STAC_VERSION = "1.0.0"
EXTENSIONS = [
    "https://stac-extensions.github.io/embeddings/v0.0.1/schema.json",
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "https://stac-extensions.github.io/raster/v1.1.0/schema.json",
]
_COG = "image/tiff; application=geotiff; profile=cloud-optimized"
_PIECES = 16  # that a side of the footprint is cut into: in degrees it bends


def describe_item(
    grid: EmbeddingGrid, source: FeatureSource, links: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Describe a raster of embeddings as a STAC item, as JSON takes it.

    It follows the extension for embeddings of the community (geoembeddings.org, version 0.0.1),
    and the extensions for projections and rasters.

    Parameters
    ----------
    grid
        The raster's year and place; its file lies beside the item.
    source
        What computed the embeddings.
    links
        Relation (``emb:model``, ``emb:source-data``) to an address, best relative to the item.

    Raises
    ------
    AerialError
        If the network embeds no cells.
    """
    footprint = _footprint(grid)
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": EXTENSIONS,
        "id": grid.name,
        "geometry": shapely.geometry.mapping(footprint),
        "bbox": [round(each, 7) for each in footprint.bounds],
        "properties": _properties(grid, source),
        "links": [{"rel": rel, "href": href} for rel, href in (links or {}).items()],
        "assets": {
            "embeddings": {
                "href": f"./{grid.name}.tif",
                "type": _COG,
                "title": f"Embeddings of cells of {grid.cell_size_m:g} m",
                "roles": ["data"],
                "raster:bands": _bands(grid, source),
            }
        },
    }


def _footprint(grid: EmbeddingGrid) -> shapely.Polygon:
    """Rectangle of the raster in degrees (WGS 84)."""
    square = dict(zip(("xmin", "ymin", "xmax", "ymax"), grid.bounds, strict=True))
    frame = pd.DataFrame([{"epsg": grid.epsg, **square}])
    # To a centimetre or so; counter-clockwise, as GeoJSON asks.
    rounded = shapely.set_precision(project_squares(frame, "EPSG:4326", _PIECES)[0], 1e-7)
    return shapely.Polygon(shapely.orient_polygons(rounded))


def _properties(grid: EmbeddingGrid, source: FeatureSource) -> dict[str, Any]:
    card, embedding = source.backbone.card, cells_of(source)
    return {
        "datetime": None,
        "start_datetime": f"{grid.year}-01-01T00:00:00Z",
        "end_datetime": f"{grid.year}-12-31T23:59:59Z",
        "gsd": grid.cell_size_m,
        "proj:code": f"EPSG:{grid.epsg}",
        "proj:bbox": list(grid.bounds),
        "proj:shape": list(grid.shape),
        "proj:transform": list(grid.transform)[:6],
        "emb:quantization": {
            "method": "linear by component: embedding = stored integer x scale",
            "original_dtype": "float32",
            "quantized_dtype": "int8",
            "scale": list(embedding.scales),
            "offset": [0.0] * embedding.components,
        },
        "emb:runtime_parameters": {
            "backbone": card.name,
            "architecture": card.architecture,
            "weights_source": card.weights_source,
            "weights_sha256": card.weights_sha256,
            "input_size": card.input_size,
            "engine": source.choice.engine,
            "precision": source.choice.precision,
            "feature_key": source.key,
            "cell_layers": list(embedding.layers),
            "cell_channels": embedding.channels,
            "components": embedding.components,
            "explained_variance": embedding.explained,
            "projection_sha256": embedding.projection_sha256,
        },
    }


def _bands(grid: EmbeddingGrid, source: FeatureSource) -> list[dict[str, Any]]:
    embedding = cells_of(source)
    return [
        {
            "name": name,
            "data_type": "int8",
            "nodata": NODATA,
            "scale": scale,
            "offset": 0.0,
            "sampling": "area",
            "spatial_resolution": grid.cell_size_m,
        }
        for name, scale in zip(band_names(embedding), embedding.scales, strict=True)
    ]
