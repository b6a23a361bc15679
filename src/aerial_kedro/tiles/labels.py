"""Land-cover labels: the exact area share of every class in a tile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from pydantic import BaseModel, ConfigDict, Field
from pyproj import CRS, Transformer

from aerial_kedro.errors import AerialError
from aerial_kedro.tiles.classes import LandCoverClasses
from aerial_kedro.tiles.frames import for_spark
from aerial_kedro.tiles.storage import gdal_path

# A side of a tile is cut into this many pieces before it is projected to the land cover's CRS.
_SIDE_PIECES = 4
# Below this share of a tile the land cover is taken to miss it.
FULLY_COVERED = 0.99


class LabelRules(BaseModel):
    """How area shares become a label.

    Parameters
    ----------
    min_purity
        Smallest share of the majority class (0–1] that makes it the tile's label.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_purity: float = Field(gt=0, le=1)


@dataclass(frozen=True)
class LandCoverRaster:
    """A land-cover raster, or one piece of one, before its pixels are read.

    Parameters
    ----------
    href
        Where it is.
    year
        The year it describes.
    crs
        Its CRS as WKT.
    bounds
        ``(xmin, ymin, xmax, ymax)`` in its CRS.
    codes
        Codes found on a thinned reading, without nodata.
    """

    href: str
    year: int
    crs: str
    bounds: tuple[float, float, float, float]
    codes: tuple[float, ...]


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
        The land cover; several years, or several pieces of one year.
    classes
        Codes to classes.
    rules
        When a majority is a label.

    Yields
    ------
    pandas.DataFrame
        The tiles with `aerial_kedro.tiles.catalog.LABEL_COLUMNS`. A tile that the land cover
        does not cover (by at least 99 %) has neither shares nor label.
    """
    for frame in frames:
        yield for_spark(_label_frame(frame, rasters, classes, rules))


def _label_frame(
    frame: pd.DataFrame,
    rasters: Sequence[LandCoverRaster],
    classes: LandCoverClasses,
    rules: LabelRules,
) -> pd.DataFrame:
    frame = frame.reset_index(drop=True)
    fractions: list[dict[str, float] | None] = [None] * len(frame)
    label_years: list[int | None] = [None] * len(frame)
    years = sorted({raster.year for raster in rasters})
    for year, rows in frame.groupby("year"):
        missing = rows.index.to_numpy()
        for label_year in sorted(years, key=lambda each: (abs(each - int(year)), each)):
            pieces = [raster for raster in rasters if raster.year == label_year]
            shares = _class_shares(frame.loc[missing], pieces, classes)
            covered = shares.sum(axis=1).to_numpy() >= FULLY_COVERED
            for index, row in zip(missing[covered], shares[covered].to_numpy(), strict=True):
                fractions[index] = {
                    name: float(share)
                    for name, share in zip(shares.columns, row, strict=True)
                    if share > 0
                }
                label_years[index] = label_year
            missing = missing[~covered]
            if not len(missing):
                break
    return _with_labels(frame, fractions, label_years, rules)


def _with_labels(
    frame: pd.DataFrame,
    fractions: list[dict[str, float] | None],
    label_years: list[int | None],
    rules: LabelRules,
) -> pd.DataFrame:
    majority = [max(each, key=lambda name: each[name]) if each else None for each in fractions]
    purity = [
        each[name] if each and name else None
        for each, name in zip(fractions, majority, strict=True)
    ]
    return frame.assign(
        label=[
            name if share is not None and share >= rules.min_purity else None
            for name, share in zip(majority, purity, strict=True)
        ],
        purity=pd.array(purity, dtype="Float64"),
        fractions=fractions,
        label_year=pd.array(label_years, dtype="Int32"),
        year_gap=pd.array(
            [
                None if label_year is None else abs(int(year) - label_year)
                for year, label_year in zip(frame["year"], label_years, strict=True)
            ],
            dtype="Int32",
        ),
    )


def _class_shares(
    tiles: pd.DataFrame, pieces: Sequence[LandCoverRaster], classes: LandCoverClasses
) -> pd.DataFrame:
    """Share of every class in every tile; rows that no piece touches are zero."""
    total = pd.DataFrame(0.0, index=tiles.index, columns=classes.names)
    for piece in pieces:
        squares = project_squares(tiles, piece.crs)
        touching = shapely.intersects(squares, shapely.box(*piece.bounds))
        if touching.any():
            shares = raster_shares(piece.href, squares[touching], classes)
            total.loc[tiles.index[touching]] += shares.to_numpy()
    return total


def project_squares(tiles: pd.DataFrame, crs: str) -> np.ndarray:
    """Tiles as polygons in another CRS, their sides cut so that they may bend.

    Parameters
    ----------
    tiles
        ``epsg, xmin, ymin, xmax, ymax`` for each tile.
    crs
        The target CRS as WKT.

    Returns
    -------
    numpy.ndarray
        Polygons, shape ``(len(tiles),)``.
    """
    polygons = np.empty(len(tiles), dtype=object)
    target = CRS.from_wkt(crs)
    steps = np.linspace(0, 1, _SIDE_PIECES + 1)[:-1]
    along = np.concatenate([steps, np.ones_like(steps), 1 - steps, np.zeros_like(steps)])
    across = np.concatenate([np.zeros_like(steps), steps, np.ones_like(steps), 1 - steps])
    epsgs = tiles["epsg"].to_numpy()
    for epsg in np.unique(epsgs):
        chosen = epsgs == epsg
        part = tiles[chosen]
        xmin, ymin = part["xmin"].to_numpy()[:, None], part["ymin"].to_numpy()[:, None]
        size_x = part["xmax"].to_numpy()[:, None] - xmin
        size_y = part["ymax"].to_numpy()[:, None] - ymin
        x, y = Transformer.from_crs(int(epsg), target, always_xy=True).transform(
            xmin + along * size_x, ymin + across * size_y
        )
        polygons[chosen] = shapely.polygons(np.stack([x, y], axis=-1))
    return polygons


def raster_shares(href: str, polygons: np.ndarray, classes: LandCoverClasses) -> pd.DataFrame:
    """Exact share of each polygon's area that each class covers in a land-cover raster.

    Parameters
    ----------
    href
        The raster.
    polygons
        Polygons in the raster's CRS, shape ``(n,)``.
    classes
        Codes to classes.

    Returns
    -------
    pandas.DataFrame
        One row a polygon, one column a class. What is nodata, background or outside the raster
        counts for no class, so a row may sum to less than one.

    Raises
    ------
    AerialError
        If a code is found that the table does not know.
    """
    with rasterio.open(gdal_path(href), driver="GTiff") as dataset:
        bounds = shapely.total_bounds(polygons)
        features = gpd.GeoDataFrame(geometry=polygons, crs=dataset.crs.to_wkt())
        source, cell_area = _read_source(dataset, bounds, features.crs.to_wkt())
    found = exact_extract(source, features, ["unique", "frac", "count"], output="pandas")
    shares = np.zeros((len(polygons), len(classes.names)))
    column = {name: index for index, name in enumerate(classes.names)}
    covered = found["count"].to_numpy() * cell_area / shapely.area(polygons)
    for row, (codes, fracs) in enumerate(zip(found["unique"], found["frac"], strict=True)):
        for code, frac in zip(codes, fracs, strict=True):
            if code in classes.background:
                continue
            name = classes.class_of_code.get(int(code)) if code == int(code) else None
            if name is None:
                raise AerialError(
                    f"The land cover {href} holds the code {code:g}, which is not in the class "
                    "table. Add it to a class or to the background in the parameter `land_cover`."
                )
            shares[row, column[name]] += frac * covered[row]
    return pd.DataFrame(shares, columns=classes.names)


def _read_source(
    dataset: rasterio.DatasetReader, bounds: np.ndarray, crs: str
) -> tuple[NumPyRasterSource, float]:
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
    source = NumPyRasterSource(
        np.ma.masked_array(codes, mask=~valid),
        xmin=left,
        ymin=bottom,
        xmax=right,
        ymax=top,
        srs_wkt=crs,
    )
    return source, abs(dataset.transform.a * dataset.transform.e)
