"""Land-cover labels: the exact area share of every class in a tile, and the classes of cells."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from aerial_kedro.cells.grid import COUNT, SIDE, pack
from aerial_kedro.labels.cells import FULLY_COVERED, largest_class, shares_of_cells
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.labels.codes import LandCoverWindow, read_windows, unknown_code
from aerial_kedro.labels.rules import LabelRules
from aerial_kedro.tiles.squares import project_squares
from aerial_kedro.tiles.workers import for_spark, kept_between_tasks

# Shares are sums of fractions: one that should be exactly `min_purity` may miss it by this.
_ROUNDING = 1e-9


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
    pixel_m
        Side of a pixel on the ground in metres; None where that is not known.
    """

    href: str
    year: int
    crs: str
    bounds: tuple[float, float, float, float]
    codes: tuple[float, ...]
    legend: tuple[tuple[int, str], ...] = ()
    pixel_m: float | None = None


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
        does not cover (by at least 99 %) has neither shares nor label, and its cells have none.
    """
    with kept_between_tasks():
        for frame in frames:
            yield for_spark(_label_frame(frame, rasters, classes, rules))


def cell_shares(
    tiles: pd.DataFrame, pieces: Sequence[LandCoverRaster], classes: LandCoverClasses
) -> np.ndarray:
    """Share of every class in every cell of some tiles, by land cover of one year.

    Parameters
    ----------
    tiles
        ``epsg, xmin, ymin, xmax, ymax`` for each tile.
    pieces
        The land cover, in one or more pieces. Where they overlap, a tile takes the first that
        covers it whole; else what they cover of a cell adds up, scaled to the whole.
    classes
        The table from codes to classes.

    Returns
    -------
    numpy.ndarray
        float32, ``(tiles, 7, 7, classes)``, see `cells.grid`. The shares of a cell sum to less than
        one where the land cover does not cover all of it; `largest_class` takes them.

    Raises
    ------
    AerialError
        If a raster cannot be read, or a tile holds a code that the class table does not know.
    """
    [shares] = _add_up(tiles, pieces, classes, [_CELLS])
    return _in_grid(shares).astype(np.float32)


def _in_grid(shares: np.ndarray) -> np.ndarray:
    return shares.reshape(len(shares), SIDE, SIDE, shares.shape[-1])


def _label_frame(
    frame: pd.DataFrame,
    rasters: Sequence[LandCoverRaster],
    classes: LandCoverClasses,
    rules: LabelRules,
) -> pd.DataFrame:
    frame = frame.reset_index(drop=True)
    shares, cells, label_years = _shares_by_year(frame, rasters, classes)
    covered, purity = label_years > 0, shares.max(axis=1)
    names = np.array(classes.names, dtype=object)
    is_pure = covered & (purity >= rules.min_purity - _ROUNDING)
    fractions = [
        {name: float(share) for name, share in zip(names, row, strict=True) if share > 0} or None
        for row in shares
    ]
    known_years = pd.Series(label_years).where(covered)
    cell_labels, cell_purity = largest_class(_in_grid(cells))
    return frame.assign(
        label=pd.Series(np.where(is_pure, names[shares.argmax(axis=1)], None), dtype=object),
        purity=pd.Series(purity).where(covered).astype("Float64"),
        fractions=pd.Series(fractions, dtype=object),
        label_year=known_years.astype("Int32"),
        year_gap=(frame["year"] - known_years).abs().astype("Int32"),
        cell_labels=pd.Series(pack(cell_labels), dtype=object),
        cell_purity=pd.Series(pack(cell_purity), dtype=object),
    )


def _shares_by_year(
    frame: pd.DataFrame, rasters: Sequence[LandCoverRaster], classes: LandCoverClasses
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shares of tiles and of cells, and the year of the land cover that each tile took (or 0)."""
    shares = np.zeros((len(frame), len(classes.names)))
    cells = np.zeros((len(frame), COUNT, len(classes.names)))
    label_years = np.zeros(len(frame), dtype=int)
    years = sorted({raster.year for raster in rasters})
    for year in frame["year"].unique():
        missing = np.flatnonzero(frame["year"] == year)
        nearest_first = sorted(years, key=lambda each: (abs(each - int(year)), each))
        for label_year in nearest_first:
            pieces = [raster for raster in rasters if raster.year == label_year]
            found, found_cells = _add_up(frame.loc[missing], pieces, classes, [_TILES, _CELLS])
            covered = found[:, 0].sum(axis=1) >= FULLY_COVERED
            shares[missing[covered]] = found[covered, 0]
            cells[missing[covered]] = found_cells[covered]
            label_years[missing[covered]] = label_year
            missing = missing[~covered]
            if not len(missing):
                break
    return shares, cells, label_years


class _Measure(NamedTuple):
    """What is measured of tiles: the number of parts of each, and their shares."""

    parts: int
    shares: Callable[[LandCoverWindow, np.ndarray, LandCoverClasses], np.ndarray]


def _add_up(
    tiles: pd.DataFrame,
    pieces: Sequence[LandCoverRaster],
    classes: LandCoverClasses,
    measures: Sequence[_Measure],
) -> list[np.ndarray]:
    """Shares by each measure, (tiles, parts, classes); zero where no piece covers a tile.

    What several pieces cover of a tile adds up, unless one of them covers it all (as the first
    measure sees it); where pieces overlap inside a tile, the sum is scaled to the whole. Each piece
    is read once for all measures.
    """
    totals = [np.zeros((len(tiles), each.parts, len(classes.names))) for each in measures]
    whole = np.zeros(len(tiles), dtype=bool)
    for piece in pieces:
        squares = project_squares(tiles, piece.crs)
        touching = np.flatnonzero(shapely.intersects(squares, shapely.box(*piece.bounds)) & ~whole)
        if not len(touching):
            continue
        added = [np.zeros((len(touching), *total.shape[1:])) for total in totals]
        for chosen, window in read_windows(piece.href, squares[touching]):
            for measure, shares in zip(measures, added, strict=True):
                shares[chosen] = measure.shares(window, squares[touching[chosen]], classes)
        complete = added[0].sum(axis=2).mean(axis=1) >= FULLY_COVERED
        for total, shares in zip(totals, added, strict=True):
            total[touching] = np.where(complete[:, None, None], shares, total[touching] + shares)
        whole[touching] = complete
    return [total / np.maximum(total.sum(axis=2, keepdims=True), 1) for total in totals]


def _shares_of_tiles(
    window: LandCoverWindow, polygons: np.ndarray, classes: LandCoverClasses
) -> np.ndarray:
    """Exact share of each polygon's area, in the raster's CRS, that each class covers.

    What is nodata, background or outside the raster counts for no class, so a row of the
    ``(polygons, 1, classes)`` may sum to less than one.
    """
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource

    squares = gpd.GeoDataFrame(geometry=polygons, crs=window.crs)
    left, bottom, right, top = window.bounds
    source = NumPyRasterSource(
        window.codes, xmin=left, ymin=bottom, xmax=right, ymax=top, srs_wkt=squares.crs.to_wkt()
    )
    found = exact_extract(source, squares, ["unique", "frac", "count"], output="pandas")
    pixel_area = abs(window.transform.a * window.transform.e)
    covered = found["count"].to_numpy() * pixel_area / shapely.area(polygons)
    shares = np.zeros((len(polygons), 1, len(classes.names)))
    for row, (codes, fractions) in enumerate(zip(found["unique"], found["frac"], strict=True)):
        for code, fraction in zip(codes, fractions, strict=True):
            position = _class_position(code, classes, window.href)
            if position is not None:
                shares[row, 0, position] += fraction * covered[row]
    return shares


def _class_position(code: float, classes: LandCoverClasses, href: str) -> int | None:
    """Position of a code's class in the table; None for background."""
    if code in classes.background:
        return None
    name = classes.class_of_code.get(int(code)) if code == int(code) else None
    if name is None:
        raise unknown_code(code, href)
    return classes.names.index(name)


_TILES = _Measure(1, _shares_of_tiles)
_CELLS = _Measure(COUNT, shares_of_cells)
