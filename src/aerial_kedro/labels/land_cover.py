"""Land-cover labels: the exact area share of every class in a tile."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from pydantic import Field

from aerial_kedro.errors import AerialError
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.parameters import CheckedModel
from aerial_kedro.scenes.addresses import gdal_path
from aerial_kedro.tiles.squares import project_squares
from aerial_kedro.tiles.workers import for_spark, kept_between_tasks

# A tile of which a smaller share is covered counts as not covered.
FULLY_COVERED = 0.99
# Shares are sums of fractions: one that should be exactly `min_purity` may miss it by this.
_ROUNDING = 1e-9
# Tiles are labelled by neighbourhoods of this many land-cover cells a side: those of a frame may
# lie in scenes far apart, and all the land cover between them would not fit into memory.
_NEIGHBOURHOOD = 2048


class LabelRules(CheckedModel):
    """Rules by which area shares become a label.

    Parameters
    ----------
    min_purity
        Smallest share of the majority class (0–1] that makes it the tile's label.
    """

    min_purity: float = Field(gt=0, le=1)


@dataclass(frozen=True)
class LandCoverRaster:
    """A land-cover raster, or one piece of one, before its pixels are read.

    Parameters
    ----------
    href
        Address of the raster.
    year
        The year it describes.
    crs
        Its CRS as WKT.
    bounds
        ``(xmin, ymin, xmax, ymax)`` in its CRS.
    codes
        Codes found on a thinned reading, without nodata.
    legend
        Codes and class names where the file has them (`labels.classes.read_legend`); else empty.
    """

    href: str
    year: int
    crs: str
    bounds: tuple[float, float, float, float]
    codes: tuple[float, ...]
    legend: tuple[tuple[int, str], ...] = ()


def label_tiles(
    frames: Iterator[pd.DataFrame],
    rasters: Sequence[LandCoverRaster],
    classes: LandCoverClasses,
    rules: LabelRules,
) -> Iterator[pd.DataFrame]:
    """Add area shares and labels to tiles that arrive as frames (``mapInPandas``).

    Each tile takes the land cover of the nearest year that covers it; at equal distance the
    earlier one.

    Parameters
    ----------
    frames
        Tiles with ``epsg, xmin, ymin, xmax, ymax, year``.
    rasters
        Land cover of one or more years, in one or more pieces a year.
    classes
        The table from codes to classes.
    rules
        The purity that makes a majority class a label.

    Yields
    ------
    pandas.DataFrame
        The tiles with `aerial_kedro.tiles.catalog.LABEL_COLUMNS`. A tile that the land cover
        does not cover (by at least 99 %) has neither shares nor label.
    """
    with kept_between_tasks():
        for frame in frames:
            yield for_spark(_label_frame(frame, rasters, classes, rules))


def _label_frame(
    frame: pd.DataFrame,
    rasters: Sequence[LandCoverRaster],
    classes: LandCoverClasses,
    rules: LabelRules,
) -> pd.DataFrame:
    frame = frame.reset_index(drop=True)
    shares = np.zeros((len(frame), len(classes.names)))
    label_years = np.zeros(len(frame), dtype=int)
    years = sorted({raster.year for raster in rasters})
    for year in frame["year"].unique():
        missing = np.flatnonzero(frame["year"] == year)
        nearest_first = sorted(years, key=lambda each: (abs(each - int(year)), each))
        for label_year in nearest_first:
            pieces = [raster for raster in rasters if raster.year == label_year]
            found = _class_shares(frame.loc[missing], pieces, classes)
            covered = found.sum(axis=1) >= FULLY_COVERED
            shares[missing[covered]] = found[covered]
            label_years[missing[covered]] = label_year
            missing = missing[~covered]
            if not len(missing):
                break
    covered, purity = label_years > 0, shares.max(axis=1)
    names = np.array(classes.names, dtype=object)
    is_pure = covered & (purity >= rules.min_purity - _ROUNDING)
    fractions = [
        {name: float(share) for name, share in zip(names, row, strict=True) if share > 0} or None
        for row in shares
    ]
    known_years = pd.Series(label_years).where(covered)
    return frame.assign(
        label=pd.Series(np.where(is_pure, names[shares.argmax(axis=1)], None), dtype=object),
        purity=pd.Series(purity).where(covered).astype("Float64"),
        fractions=pd.Series(fractions, dtype=object),
        label_year=known_years.astype("Int32"),
        year_gap=(frame["year"] - known_years).abs().astype("Int32"),
    )


def _class_shares(
    tiles: pd.DataFrame, pieces: Sequence[LandCoverRaster], classes: LandCoverClasses
) -> np.ndarray:
    """Share of every class in every tile, (tiles, classes); zero where no piece covers one.

    What several pieces cover of a tile adds up, unless one of them covers it all; where pieces
    overlap inside a tile, the sum is scaled to the whole.
    """
    total = np.zeros((len(tiles), len(classes.names)))
    whole = np.zeros(len(tiles), dtype=bool)
    for piece in pieces:
        squares = project_squares(tiles, piece.crs)
        touching = np.flatnonzero(shapely.intersects(squares, shapely.box(*piece.bounds)) & ~whole)
        if not len(touching):
            continue
        shares = _raster_shares(piece.href, squares[touching], classes)
        complete = shares.sum(axis=1) >= FULLY_COVERED
        total[touching] = np.where(complete[:, None], shares, total[touching] + shares)
        whole[touching] = complete
    covered = total.sum(axis=1, keepdims=True)
    return np.where(covered > 1, total / np.maximum(covered, 1), total)


def _raster_shares(href: str, polygons: np.ndarray, classes: LandCoverClasses) -> np.ndarray:
    """Exact share of each polygon's area, in the raster's CRS, that each class covers.

    What is nodata, background or outside the raster counts for no class, so a row of the
    ``(polygons, classes)`` may sum to less than one.
    """
    shares = np.zeros((len(polygons), len(classes.names)))
    try:
        with rasterio.open(gdal_path(href), driver="GTiff") as dataset:
            for chosen in _neighbourhoods(dataset, polygons):
                shares[chosen] = _shares_nearby(dataset, polygons[chosen], classes, href)
    except rasterio.errors.RasterioError as error:
        raise AerialError(
            f"The land cover {href} cannot be read ({error.__cause__ or error}). Replace it with "
            "a whole file."
        ) from error
    return shares


def _shares_nearby(
    dataset: rasterio.DatasetReader, polygons: np.ndarray, classes: LandCoverClasses, href: str
) -> np.ndarray:
    squares = gpd.GeoDataFrame(geometry=polygons, crs=dataset.crs.to_wkt())
    source = _read_source(dataset, squares.total_bounds, squares.crs.to_wkt())
    found = exact_extract(source, squares, ["unique", "frac", "count"], output="pandas")
    cell_area = abs(dataset.transform.a * dataset.transform.e)
    covered = found["count"].to_numpy() * cell_area / shapely.area(polygons)
    shares = np.zeros((len(polygons), len(classes.names)))
    for row, (codes, fractions) in enumerate(zip(found["unique"], found["frac"], strict=True)):
        for code, fraction in zip(codes, fractions, strict=True):
            position = _class_position(code, classes, href)
            if position is not None:
                shares[row, position] += fraction * covered[row]
    return shares


def _neighbourhoods(dataset: rasterio.DatasetReader, polygons: np.ndarray) -> list[np.ndarray]:
    """Positions of the polygons, grouped by neighbourhood."""
    centres = shapely.centroid(polygons)
    cols, rows = ~dataset.transform @ (shapely.get_x(centres), shapely.get_y(centres))
    cells = np.floor(np.stack([rows, cols], axis=1) / _NEIGHBOURHOOD)
    _, group = np.unique(cells, axis=0, return_inverse=True)
    return [np.flatnonzero(group == each) for each in range(group.max() + 1)]


def _class_position(code: float, classes: LandCoverClasses, href: str) -> int | None:
    """Position of a code's class in the table; None for background."""
    if code in classes.background:
        return None
    name = classes.class_of_code.get(int(code)) if code == int(code) else None
    if name is None:
        raise AerialError(
            f"The land cover {href} holds the code {code:g}, which is not in the class "
            "table. Add it to a class or to the background in the parameter `land_cover`."
        )
    return classes.names.index(name)


def _read_source(
    dataset: rasterio.DatasetReader, bounds: np.ndarray, crs: str
) -> NumPyRasterSource:
    """Read the part of a raster under some tiles, with one cell to spare on each side."""
    window = dataset.window(*bounds)
    row_start = max(int(np.floor(window.row_off)) - 1, 0)
    col_start = max(int(np.floor(window.col_off)) - 1, 0)
    row_stop = min(int(np.ceil(window.row_off + window.height)) + 1, dataset.height)
    col_stop = min(int(np.ceil(window.col_off + window.width)) + 1, dataset.width)
    part = rasterio.windows.Window.from_slices((row_start, row_stop), (col_start, col_stop))
    codes = dataset.read(1, window=part).astype(np.float64)
    # Empty cells of float rasters are huge negative numbers or NaN, with or without a tag.
    valid = np.isfinite(codes) & (codes >= 0)
    if dataset.nodata is not None:
        valid &= codes != dataset.nodata
    left, bottom, right, top = dataset.window_bounds(part)
    return NumPyRasterSource(
        np.ma.masked_array(codes, mask=~valid),
        xmin=left,
        ymin=bottom,
        xmax=right,
        ymax=top,
        srs_wkt=crs,
    )
