"""Places of labels: from a file's shapes, in any CRS, to points and polygons in degrees."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from aerial_kedro.errors import AerialError
from aerial_kedro.labels.columns import PLACE_COLUMNS
from aerial_kedro.tiles.shapes import is_polygon, mend_polygons, only_areas, some_of

NO_PLACE, NO_AREA = "without a place", "polygons that enclose nothing"
"""Why a row teaches nothing."""

# A straight edge of one CRS is bent in another: over this length by 5 cm at most.
_LONGEST_EDGE_M, _LONGEST_EDGE_DEGREES = 1_500.0, 0.015
# Outlines with more corners are cut into pieces, down to this size in degrees (about two tiles),
# so that a tile is compared with what lies near it, not with the whole shore of a lake.
_MOST_CORNERS, _SMALLEST_PIECE = 256, 0.005
_LARGEST_LON, _LARGEST_LAT = 180.0, 90.0


@dataclass(frozen=True)
class Outlines:
    """Points and polygons in degrees, and what became of the rows that they are of.

    Parameters
    ----------
    geometry
        Valid points and polygons in EPSG:4326, ``(n,)``: parts of what has several, in the order of
        the rows.
    rows
        Position of each one's row, ``(n,)``, int64.
    reasons
        Why each row teaches nothing; missing where it does.
    mended
        Number of rows whose polygons had to be mended.
    """

    geometry: np.ndarray
    rows: np.ndarray
    reasons: pd.Series
    mended: int


def degrees_of_table(table: pd.DataFrame, wanted: np.ndarray, where: str) -> gpd.GeoDataFrame:
    """Make points of a table's columns ``lon, lat`` (or ``longitude``, ``x`` …, in any capitals).

    Parameters
    ----------
    table
        Rows as they were read, numbers or text.
    wanted
        Bool, ``(rows,)``: those whose place must make sense.
    where
        The file, for messages.

    Returns
    -------
    geopandas.GeoDataFrame
        The rows with points in EPSG:4326; None where no place is given.

    Raises
    ------
    AerialError
        If there are no such columns, or they hold what is no number.
    """
    of_name = {name.strip().casefold(): name for name in table.columns}
    pair = next((each for each in PLACE_COLUMNS if set(each) <= set(of_name)), None)
    if pair is None:
        raise AerialError(
            f"{where} is a table without places: it has neither lon and lat, longitude and "
            f"latitude, nor x and y; there are: {some_of(table.columns, 20)}. Name the columns in "
            "degrees so, or give a GeoPackage or GeoJSON."
        )
    lon, lat = (_numbers(table[of_name[name]], wanted, where) for name in pair)
    placed = np.isfinite(lon) & np.isfinite(lat)
    points = np.full(len(table), None, dtype=object)
    points[placed] = shapely.points(lon[placed], lat[placed])
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(points, table.index, crs=4326))


def _numbers(values: pd.Series, wanted: np.ndarray, where: str) -> np.ndarray:
    texts = values.astype(object).where(values.notna(), "").astype(str).str.strip()
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(float)
    wrong = np.flatnonzero(~np.isfinite(numbers) & (texts != "").to_numpy(bool) & wanted)
    if len(wrong):
        raise AerialError(
            f"{where} has {values.iloc[wrong[0]]!r} in its column {values.name!r} (row "
            f"{wrong[0] + 1}), which is no number. Give degrees with a decimal point, such as "
            "-76.153, or leave both columns empty."
        )
    return numbers


def outlines(located: gpd.GeoDataFrame, reasons: pd.Series, where: str) -> Outlines:
    """Make points and polygons in degrees of a file's shapes.

    Polygons whose rings cross themselves are mended. Long edges are cut, so that they bend as the
    CRS has it, and so are outlines with very many corners.

    Parameters
    ----------
    located
        The rows with their shapes.
    reasons
        Why rows teach nothing already; missing where none is known.
    where
        The file, for messages.

    Raises
    ------
    AerialError
        If the file has no CRS, or lon and lat are swapped or are no degrees.
    """
    shapes = np.array(located.geometry.array, dtype=object)
    _check_crs(located, where)
    reasons = reasons.copy()
    _set_aside(reasons, _why_unusable(shapes))
    rows = np.flatnonzero(reasons.isna())
    shapes = shapely.force_2d(shapes[rows])
    if located.crs.is_geographic:
        _check_degrees(shapes, rows, where)
    areas = is_polygon(shapes)
    shapes[areas], broken = mend_polygons(shapes[areas])
    mended = int(broken.sum())
    shapes, part = shapely.get_parts(shapes, return_index=True)
    rows = rows[part]
    reasons.iloc[np.setdiff1d(np.flatnonzero(reasons.isna()), rows)] = NO_AREA
    shapes = _to_degrees(_bend(shapes, located), located)
    placed = np.isfinite(shapely.bounds(shapes)).all(axis=1)
    reasons.iloc[np.setdiff1d(rows[~placed], rows[placed])] = NO_PLACE
    pieces, part = _cut(shapes[placed])
    return Outlines(pieces, rows[placed][part], reasons, mended)


def _check_crs(located: gpd.GeoDataFrame, where: str) -> None:
    if located.crs is not None:
        return
    bounds = located.total_bounds
    degrees = np.isfinite(bounds).all() and abs(bounds).max() <= _LARGEST_LON
    guess = "EPSG:4326, for these numbers look like degrees" if degrees else "EPSG:26918, say"
    raise AerialError(
        f"{where} has no coordinate reference system, so its place is unknown (a shapefile has it "
        "in a file .prj beside it). Assign the one that it was drawn in: ogr2ogr -a_srs CRS "
        f"out.gpkg in, with {guess}."
    )


def _why_unusable(shapes: np.ndarray) -> np.ndarray:
    """Reason of each shape that is no label, None where it can be one."""
    found = np.full(len(shapes), None, dtype=object)
    kinds = shapely.get_type_id(shapes)
    usable = is_polygon(shapes) | np.isin(
        kinds, [shapely.GeometryType.POINT, shapely.GeometryType.MULTIPOINT]
    )
    for kind in np.unique(kinds[~usable & (kinds >= 0)]):
        name = shapely.GeometryType(kind).name
        found[kinds == kind] = f"of shape {name}, neither point nor polygon"
    unplaced = ~np.isfinite(shapely.bounds(shapes)).all(axis=1)
    found[unplaced | shapely.is_empty(shapes) | shapely.is_missing(shapes)] = NO_PLACE
    return found


def _set_aside(reasons: pd.Series, found: np.ndarray) -> None:
    new = reasons.isna().to_numpy() & (found != None)  # noqa: E711  (element by element)
    reasons.iloc[np.flatnonzero(new)] = found[new]


def _check_degrees(shapes: np.ndarray, rows: np.ndarray, where: str) -> None:
    """Refuse longitudes and latitudes out of range."""
    west, south, east, north = shapely.bounds(shapes).T
    lon, lat = np.maximum(abs(west), abs(east)), np.maximum(abs(south), abs(north))
    wrong = np.flatnonzero((lon > _LARGEST_LON) | (lat > _LARGEST_LAT))
    if not len(wrong):
        return
    first = wrong[0]
    example = f"lon {west[first]:.10g}, lat {south[first]:.10g} in row {rows[first] + 1}"
    if (lat[wrong] <= _LARGEST_LON).all() and (lon[wrong] <= _LARGEST_LAT).all():
        raise AerialError(
            f"{where} has longitude and latitude swapped: {example}, and {len(wrong):,} rows with "
            "latitudes beyond 90 degrees. Swap the two (in a CSV, the names of the columns)."
        )
    raise AerialError(
        f"{where} is said to be in degrees, and has {len(wrong):,} rows that are not: {example}. "
        "If these are metres, give a GeoPackage with the coordinate reference system that they are "
        "in (of a CSV: ogr2ogr -oo X_POSSIBLE_NAMES=x -oo Y_POSSIBLE_NAMES=y -a_srs EPSG:26918 "
        "out.gpkg in.csv)."
    )


def _bend(shapes: np.ndarray, located: gpd.GeoDataFrame) -> np.ndarray:
    """Cut long edges of polygons in the CRS that they are straight in."""
    crs = located.crs
    unit = 1.0 if crs.is_geographic else float(crs.axis_info[0].unit_conversion_factor) or 1.0
    longest = _LONGEST_EDGE_DEGREES if crs.is_geographic else _LONGEST_EDGE_M / unit
    return _segmentized(shapes, longest)


def _segmentized(shapes: np.ndarray, longest: float) -> np.ndarray:
    west, south, east, north = shapely.bounds(shapes).T
    large = np.maximum(east - west, north - south) > longest
    if large.any():
        shapes = shapes.copy()
        shapes[large] = shapely.segmentize(shapes[large], longest)
    return shapes


def _to_degrees(shapes: np.ndarray, located: gpd.GeoDataFrame) -> np.ndarray:
    if located.crs == "EPSG:4326":
        return shapes
    return np.array(gpd.GeoSeries(shapes, crs=located.crs).to_crs(4326).array, dtype=object)


def _cut(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut outlines with very many corners into pieces: pieces, and whose they are."""
    many = np.flatnonzero(shapely.get_num_coordinates(shapes) > _MOST_CORNERS)
    if not len(many):
        return shapes, np.arange(len(shapes))
    pieces = [_pieces_of(each) for each in shapes[many]]
    counts = np.ones(len(shapes), dtype=int)
    counts[many] = [len(each) for each in pieces]
    part = np.repeat(np.arange(len(shapes)), counts)
    found = shapes[part]
    found[np.isin(part, many)] = np.concatenate(pieces)
    return _segmentized(found, _LONGEST_EDGE_DEGREES), part


def _pieces_of(shape: shapely.Polygon) -> np.ndarray:
    valid, _ = mend_polygons(np.array([shape], dtype=object))
    waiting, found = list(shapely.get_parts(valid)), []
    while waiting:
        each = waiting.pop()
        west, south, east, north = each.bounds
        few = shapely.get_num_coordinates(each) <= _MOST_CORNERS
        if few or max(east - west, north - south) <= _SMALLEST_PIECE:
            found.append(each)
            continue
        lon, lat = (west + east) / 2, (south + north) / 2
        halves = (
            [shapely.box(west, south, lon, north), shapely.box(lon, south, east, north)]
            if east - west > north - south
            else [shapely.box(west, south, east, lat), shapely.box(west, lat, east, north)]
        )
        parts = shapely.get_parts(only_areas(shapely.intersection(np.array(halves), each)))
        waiting.extend(parts[shapely.area(parts) > 0])
    return np.array(found, dtype=object)
