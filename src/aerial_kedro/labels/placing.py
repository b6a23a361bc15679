"""Labels of one's own on the cells of tiles, as Spark's workers find them.

A point labels the cell that it lies in. Polygons of a class label the cells of which they cover
enough, together. Where labels of two classes label one cell, nothing is learned from it.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from aerial_kedro.cells.grid import COUNT, SIDE
from aerial_kedro.labels.coverage import Near, Touches, touch_cells
from aerial_kedro.labels.teaching import EVERY_YEAR, TeachingLabels
from aerial_kedro.tiles.grid import TileGrid, belongs_to_grid, zones_of
from aerial_kedro.tiles.squares import project_squares
from aerial_kedro.tiles.workers import for_spark, kept_between_tasks

PLACED_COLUMNS: dict[str, str] = {
    "image_id": "string",
    "tile_id": "string",
    "year": "int",
    "cell": "int",
    "found": "string",
    "label": "int",
    "purity": "int",
    "labels": "int",
    "rows": "array<int>",
}
"""What `find_labelled_cells` yields, as Spark DDL: see there."""

LABELLED = "labelled"
CONTRADICTORY = "contradictory"
MIXED = "mixed"
PARTLY = "covered in part"
OTHER_YEAR = "of another year"
"""What was found of a cell, or of an image's labels: the column ``found``."""

# Shares are sums: one that should be exactly the smallest may miss it by this.
_ROUNDING = 1e-9
# A tile in degrees reaches this much farther, about a centimetre, so that no label is missed.
_MARGIN = 1e-7
_TILES_AT_A_TIME = 500


def find_labelled_cells(
    frames: Iterator[pd.DataFrame], labels: TeachingLabels, min_purity: float
) -> Iterator[pd.DataFrame]:
    """Find what labels say of the cells of tiles (``mapInPandas``).

    A point on the border of two cells is in the northern or the eastern one, as its tile is the
    northern or eastern of two; where tiles of two UTM zones overlap, in that of its own zone.

    Parameters
    ----------
    frames
        ``image_id, tile_id, epsg, xmin, ymin, xmax, ymax, year`` of tiles; those without a place
        are passed over.
    labels
        The labels, in degrees.
    min_purity
        Share of a cell (0–1] that the polygons of a class must cover together to label it.

    Yields
    ------
    pandas.DataFrame
        `PLACED_COLUMNS`, a row for each cell that a label of the tile's year touches: ``cell``
        (0–48), ``found`` (`LABELLED`, `CONTRADICTORY`: labels of two classes label it, `MIXED`:
        polygons of several classes touch it and none covers enough, `PARTLY`: those of one do),
        ``label`` (1 + position of the class; 0 unless labelled), ``purity`` (percent; 100 by a
        point; 0 unless labelled), ``labels`` and ``rows`` (how many rows of the file touch the
        cell, and which). And one for each image that labels of other years alone touch
        somewhere: ``cell`` -1, `OTHER_YEAR`, with their ``rows``.
    """
    with kept_between_tasks():
        shapes = labels.shapes()
        tree = shapely.STRtree(shapes)
        for frame in frames:
            located = frame.dropna(subset=["epsg", "xmin"])
            for _, tiles in located.groupby("epsg"):
                places = tiles.drop_duplicates("tile_id")
                for start in range(0, len(places), _TILES_AT_A_TIME):
                    some = places.iloc[start : start + _TILES_AT_A_TIME].reset_index(drop=True)
                    touches = _touches(some, shapes, tree, labels, min_purity)
                    images = tiles[tiles["tile_id"].isin(some["tile_id"])]
                    yield for_spark(_decide(images, some, touches, labels, min_purity))


def _touches(
    places: pd.DataFrame,
    shapes: np.ndarray,
    tree: shapely.STRtree,
    labels: TeachingLabels,
    min_purity: float,
) -> Touches:
    """Which labels touch which cells of some places, all of one zone."""
    west, south, east, north = shapely.bounds(project_squares(places, "EPSG:4326")).T
    boxes = shapely.box(west - _MARGIN, south - _MARGIN, east + _MARGIN, north + _MARGIN)
    place, label = tree.query(boxes)
    to_zone = Transformer.from_crs(4326, int(places["epsg"].iloc[0]), always_xy=True)
    is_point = label < labels.points
    points, polygons = label[is_point], label[~is_point]
    classes = labels.classes[polygons].astype(np.int64)
    near = Near(place[~is_point], polygons, shapes[polygons], classes)
    return Touches.joined(
        _points_in_cells(places, place[is_point], points, labels.coordinates[points], to_zone),
        touch_cells(places, near, to_zone, min_purity),
    )


def _points_in_cells(
    places: pd.DataFrame,
    place: np.ndarray,
    label: np.ndarray,
    degrees: np.ndarray,
    to_zone: Transformer,
) -> Touches:
    x, y = to_zone.transform(*degrees.T)
    xmin, ymin, xmax, ymax = (
        places[name].to_numpy(float)[place] for name in ("xmin", "ymin", "xmax", "ymax")
    )
    inside = (x >= xmin) & (x < xmax) & (y >= ymin) & (y < ymax)
    epsg = int(places["epsg"].iloc[0])
    inside[inside] = _of_zone(degrees[inside], epsg, (xmax - xmin)[inside])
    column = ((x - xmin) / (xmax - xmin) * SIDE).clip(0, SIDE - 1).astype(int)
    from_south = ((y - ymin) / (ymax - ymin) * SIDE).clip(0, SIDE - 1).astype(int)
    cell = ((SIDE - 1 - from_south) * SIDE + column)[inside]
    whole, nothing = np.ones(len(cell)), np.full(len(cell), None, dtype=object)
    return Touches(place[inside], cell, label[inside], whole, nothing)


def _of_zone(degrees: np.ndarray, epsg: int, size: np.ndarray) -> np.ndarray:
    """Find the points that are this zone's: not those with a tile in the zone they lie in."""
    found = np.ones(len(degrees), dtype=bool)
    zones = zones_of(*degrees.T)
    for zone in np.unique(zones[zones % 100 != epsg % 100]):
        here = np.flatnonzero(zones == zone)
        grid = TileGrid(int(zone), float(size[here[0]]))
        to_zone = Transformer.from_crs(4326, int(zone), always_xy=True)
        found[here] = ~belongs_to_grid(*grid.cell_of(*to_zone.transform(*degrees[here].T)), grid)
    return found


def _decide(
    images: pd.DataFrame,
    places: pd.DataFrame,
    touches: Touches,
    labels: TeachingLabels,
    min_purity: float,
) -> pd.DataFrame:
    """Rows of `PLACED_COLUMNS` for the images of some places."""
    position = pd.Series(places.index, index=places["tile_id"])
    parts = [pd.DataFrame(columns=list(PLACED_COLUMNS))]
    for year in sorted({int(each) for each in images["year"]}):
        some = images[images["year"] == year]
        image = np.full(len(places), -1)
        image[position[some["tile_id"]].to_numpy()] = np.arange(len(some))
        there = touches.chosen(image[touches.place] >= 0)
        of_year = np.isin(labels.years[there.label], (EVERY_YEAR, year))
        cells = _decide_cells(there.chosen(of_year), labels, min_purity)
        others = _of_other_years(there.chosen(~of_year), labels)
        found = pd.concat([cells, others], ignore_index=True)
        at = some.iloc[image[found.pop("place").to_numpy(int)]]
        found["image_id"], found["tile_id"] = at["image_id"].to_numpy(), at["tile_id"].to_numpy()
        parts.append(found.assign(year=year)[list(PLACED_COLUMNS)])
    return pd.concat(parts, ignore_index=True)


def _decide_cells(touches: Touches, labels: TeachingLabels, min_purity: float) -> pd.DataFrame:
    """``place, cell, found, label, purity, labels, rows`` of every cell that is touched."""
    classes = labels.classes[touches.label].astype(np.int64)
    place, cell, value, share = touches.shares_by_class(classes, min_purity)
    enough = share >= min_purity - _ROUNDING
    of_cell = pd.DataFrame(
        {
            "key": place * COUNT + cell,
            "classes": 1,
            "labelling": enough,
            "label": np.where(enough, value, 0),
            "purity": np.where(enough, np.rint(100 * share.round(9)), 0),
        }
    )
    found = of_cell.groupby("key", as_index=False).agg(
        {"classes": "sum", "labelling": "sum", "label": "max", "purity": "max"}
    )
    is_labelled, many = found["labelling"] == 1, found["labelling"] > 1
    decided = np.select(
        [is_labelled, many, found["classes"] > 1], [LABELLED, CONTRADICTORY, MIXED], PARTLY
    )
    rows = _rows_of(touches.place * COUNT + touches.cell, labels.rows[touches.label])
    found = found.assign(found=decided.astype(object), rows=rows.reindex(found["key"]).to_numpy())
    found["place"], found["cell"] = np.divmod(found["key"].to_numpy(), COUNT)
    found["label"] = found["label"].where(is_labelled, 0)
    found["purity"] = found["purity"].where(is_labelled, 0).astype(int)
    found["labels"] = [len(each) for each in found["rows"]]
    return found.drop(columns=["key", "classes", "labelling"])


def _of_other_years(touches: Touches, labels: TeachingLabels) -> pd.DataFrame:
    rows = _rows_of(touches.place, labels.rows[touches.label])
    return pd.DataFrame(
        {
            "place": rows.index.to_numpy(),
            "cell": -1,
            "found": OTHER_YEAR,
            "label": 0,
            "purity": 0,
            "labels": [len(each) for each in rows],
            "rows": rows.to_numpy(),
        }
    )


def _rows_of(keys: np.ndarray, rows: np.ndarray) -> pd.Series:
    """Sorted numbers of the file's rows by key, each once: lists, indexed by the key."""
    pairs = np.unique(np.stack([keys, rows], axis=1).astype(np.int64), axis=0)
    different, start = np.unique(pairs[:, 0], return_index=True)
    lists = [each.tolist() for each in np.split(pairs[:, 1], start[1:])] if len(pairs) else []
    return pd.Series(lists, index=different, dtype=object)
