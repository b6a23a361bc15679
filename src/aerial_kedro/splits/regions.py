"""Regions of a polygon layer, such as counties, and the tiles that lie in each."""

import logging
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from aerial_kedro.errors import AerialError
from aerial_kedro.tiles.shapes import is_polygon, mend_polygons, some_of
from aerial_kedro.tiles.workers import for_spark

LOGGER = logging.getLogger(__name__)
# Neighbours digitised separately overlap in slivers: this share of the smaller one is allowed.
_SLIVER = 0.001


@dataclass(frozen=True)
class RegionLayer:
    """A polygon layer as it was read.

    Parameters
    ----------
    path
        Address of the layer; None where the run has none.
    frame
        Its features.
    """

    path: str | None = None
    frame: gpd.GeoDataFrame | None = None


def region_id(name: str) -> str:
    """Write a region's name as an identifier: lower case, letters and digits of any script.

    Examples
    --------
    >>> region_id("St. Mary's"), region_id("Doña Ana"), region_id("25017")
    ('st-mary-s', 'doña-ana', '25017')
    """
    plain = unicodedata.normalize("NFC", name).casefold()
    return re.sub(r"[\W_]+", "-", plain).strip("-")


def check_regions(layer: RegionLayer, column: str | None) -> gpd.GeoSeries:
    """Make regions of a layer's features; features of one name are one region.

    Rings that cross themselves are mended (`shapely.make_valid`), with a warning that names the
    features: they only have to show on which side of a border a tile's centre lies.

    Parameters
    ----------
    layer
        The layer as it was read.
    column
        Name of the column with the regions' names.

    Returns
    -------
    geopandas.GeoSeries
        Valid polygons or multipolygons in the layer's CRS, in the order of the regions' names, and
        indexed by these as identifiers for the column `block_id` (`region_id`).

    Raises
    ------
    AerialError
        If there is no layer, its CRS or its column of names is missing, a feature has no name or
        is no polygon, two names make the same identifier, or regions overlap.
    """
    if layer.frame is None or layer.path is None:
        raise AerialError(
            "`split.unit` is region, but there is no layer of regions. Give one with "
            "--params=regions_path=FILE (GeoPackage, GeoJSON, zipped shapefile or GeoParquet)."
        )
    frame, where = layer.frame, f"The layer of regions {layer.path}"
    if frame.crs is None:
        raise AerialError(
            f"{where} has no coordinate reference system, so its place is unknown. Assign the one "
            "that it was drawn in (ogr2ogr -a_srs EPSG:4269 out.gpkg in.gpkg)."
        )
    names = _names(frame, column, where)
    polygons = _polygons(frame, names, where)
    merged = {
        name: shapely.union_all(polygons[(names == name).to_numpy()]) for name in sorted(set(names))
    }
    ids = [region_id(name) for name in merged]
    for name, each in zip(merged, ids, strict=True):
        twins = [other for other, its in zip(merged, ids, strict=True) if its == each]
        if not each or len(twins) > 1:
            raise AerialError(
                f"{where} has regions whose names do not differ in letters and digits: "
                f"{twins if each else [name]}. Rename them, or take another `split.region_column`."
            )
    regions = gpd.GeoSeries(list(merged.values()), index=ids, crs=frame.crs)
    _check_overlaps(regions.to_numpy(), list(merged), where)
    return regions


def _names(frame: gpd.GeoDataFrame, column: str | None, where: str) -> pd.Series:
    columns = [str(name) for name in frame.columns if name != frame.geometry.name]
    if column not in columns:
        raise AerialError(
            f"{where} has no column {column!r}. Set `split.region_column` to one that names the "
            f"regions; there are: {', '.join(columns) or 'none'}."
        )
    if not len(frame):
        raise AerialError(f"{where} holds no feature. Give a layer of polygons.")
    # Codes may be read as numbers: 25017.0 stands for 25017.
    values = frame[column]
    texts = [
        str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
        for value in values
    ]
    names = pd.Series(texts, index=frame.index, dtype=object)
    nameless = values.isna() | (names == "")
    if nameless.any():
        raise AerialError(
            f"{where} has {int(nameless.sum())} feature(s) without a name in the column "
            f"{column!r}: number {some_of(np.flatnonzero(nameless) + 1)}. Name or remove them."
        )
    return names


def _polygons(frame: gpd.GeoDataFrame, names: pd.Series, where: str) -> np.ndarray:
    shapes = np.array(frame.geometry.array, dtype=object)
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    if empty.any():
        raise AerialError(
            f"{where} has {int(empty.sum())} feature(s) without a geometry: "
            f"{some_of(names[empty])}. Draw or remove them."
        )
    other = ~is_polygon(shapes)
    if other.any():
        raise AerialError(
            f"{where} has {int(other.sum())} feature(s) that are no polygons: "
            f"{some_of(names[other])} ({shapes[other][0].geom_type}). Give a layer of polygons."
        )
    shapes = shapely.force_2d(shapes)
    shapes, broken = mend_polygons(shapes)
    if broken.any():
        lost = shapely.is_empty(shapes)
        if lost.any():
            raise AerialError(
                f"{where} has {int(lost.sum())} feature(s) whose ring encloses nothing: "
                f"{some_of(names[lost])}. Draw or remove them."
            )
        LOGGER.warning(
            "%s has %d feature(s) whose rings cross themselves: %s. They were mended for this "
            "run; mend the file to be sure of their borders (QGIS: Fix geometries)",
            where, int(broken.sum()), some_of(names[broken]),
        )  # fmt: skip
    return shapes


def _check_overlaps(polygons: np.ndarray, names: list[str], where: str) -> None:
    first, second = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    first, second = first[first < second], second[first < second]
    shared = shapely.area(shapely.intersection(polygons[first], polygons[second]))
    smaller = np.minimum(shapely.area(polygons[first]), shapely.area(polygons[second]))
    overlapping = np.flatnonzero(shared > _SLIVER * smaller)
    if len(overlapping):
        pairs = [f"{names[first[i]]} and {names[second[i]]}" for i in overlapping]
        raise AerialError(
            f"{where} has {len(pairs)} pair(s) of overlapping regions: {some_of(pairs)}. A tile "
            "there would be in two: give a layer whose polygons only touch, or another "
            "`split.region_column`."
        )


def region_of_tiles(
    frames: Iterator[pd.DataFrame], regions: gpd.GeoSeries
) -> Iterator[pd.DataFrame]:
    """Add the ``block_id`` of each tile: the region that contains its centre (``mapInPandas``).

    Parameters
    ----------
    frames
        Tiles of any zones with ``lon, lat`` of the centre in degrees.
    regions
        The regions in any CRS, as `check_regions` returns them.

    Yields
    ------
    pandas.DataFrame
        The tiles with ``block_id``; null outside all regions. A centre right on a border is in the
        region that comes first by name.
    """
    tree = shapely.STRtree(regions.to_numpy())
    to_layer = Transformer.from_crs(4326, regions.crs.to_wkt(), always_xy=True)
    ids = np.array([*regions.index, None], dtype=object)
    for frame in frames:
        x, y = to_layer.transform(frame["lon"].to_numpy(float), frame["lat"].to_numpy(float))
        # What PROJ cannot place in the layer's CRS lies outside the layer.
        placed = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        points = shapely.points(np.asarray(x)[placed], np.asarray(y)[placed])
        tile, region = tree.query(points, predicate="intersects")
        first = np.full(len(frame), len(regions))
        np.minimum.at(first, placed[tile], region)
        yield for_spark(frame.assign(block_id=pd.Series(ids[first], frame.index, dtype=object)))
