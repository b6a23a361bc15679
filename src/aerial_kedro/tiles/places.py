"""Places of a folder's tiles: `tile_summaries.csv` beside them holds their corners."""

import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from aerial_kedro.errors import AerialError
from aerial_kedro.tiles.grid import transform_zones, zones_of

SUMMARIES_NAME = "tile_summaries.csv"
CORNERS = ("llcrnrlat", "llcrnrlon", "urcrnrlat", "urcrnrlon")
SQUARE_COLUMNS = ["epsg", "xmin", "ymin", "xmax", "ymax", "lon", "lat"]
# Where UTM is defined, and far more than a side of any tile: a larger one is a mistake.
_LATITUDES = (-80.0, 84.0)
_LARGEST_SIDE_DEG = 1.0
_LARGEST_RATIO = 10.0  # of a tile's side to the others': beyond it, a digit is wrong


@dataclass(frozen=True)
class FolderPlaces:
    """The content of a folder's `tile_summaries.csv`.

    Parameters
    ----------
    squares
        `SQUARE_COLUMNS`, indexed by the tile's path below the root: the UTM zone of its centre, as
        the tile grid has it; its lower left and upper right corner in metres of that zone; and its
        centre in degrees.
    without_file
        Names in the table that no image has.
    repeated
        Number of rows that repeat another row.
    """

    squares: pd.DataFrame
    without_file: tuple[str, ...] = ()
    repeated: int = 0


def read_places(content: bytes, href: str, paths: Sequence[str]) -> FolderPlaces:
    """Find the place of each tile in the table beside the tiles.

    A name in the table is the path of an image below the root or, if no image has that path, the
    name of the one image so called in any subfolder.

    Parameters
    ----------
    content
        The table: ``filename, llcrnrlat, llcrnrlon, urcrnrlat, urcrnrlon``, in degrees.
    href
        Address of the table, for messages.
    paths
        Paths of the images below the root.

    Raises
    ------
    AerialError
        If it is no such table, a row's corners are missing, out of range or swapped, a name is
        that of several images, two rows place one image differently, or no row names an image.
    """
    table = _read_table(content, href)
    _check_corners(table, href)
    table["path"] = _match(table["filename"].tolist(), paths, href)
    matched = table[table["path"].notna()]
    if len(table) and not len(matched):
        raise AerialError(
            f"None of the {len(table)} rows of {href} names an image beside it (the first is "
            f"{table['filename'].iloc[0]!r}). Write base names, or paths below the folder."
        )
    once = matched.drop_duplicates(["path", *CORNERS])
    contradiction = once[once.duplicated("path")]
    if len(contradiction):
        raise AerialError(
            f"{_row(contradiction.index[0], href)} puts {contradiction['path'].iloc[0]} in another "
            "place than a row before it. Keep one of them."
        )
    return FolderPlaces(
        squares=_project(once),
        without_file=tuple(table.loc[table["path"].isna(), "filename"]),
        repeated=len(matched) - len(once),
    )


def _row(index: int, href: str) -> str:
    return f"Row {index + 1} below the heading of {href}"


def _read_table(content: bytes, href: str) -> pd.DataFrame:
    try:
        # As text: what is no number is shown in the message as it stands in the file.
        table = pd.read_csv(
            io.BytesIO(content),
            dtype=str,
            keep_default_na=False,
            skipinitialspace=True,
            encoding="utf-8-sig",
        )
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise AerialError(
            f"{href} is not a table in CSV ({str(error).strip()}). It needs the columns filename, "
            f"{', '.join(CORNERS)}; or remove it, to do without coordinates."
        ) from error
    table.columns = [str(name).strip().lower() for name in table.columns]
    missing = [name for name in ("filename", *CORNERS) if name not in table.columns]
    if missing:
        raise AerialError(
            f"{href} lacks the column(s) {', '.join(missing)}; it has {', '.join(table.columns)}. "
            f"It needs filename, {', '.join(CORNERS)} (degrees)."
        )
    return table[["filename", *CORNERS]]


def _check_corners(table: pd.DataFrame, href: str) -> None:
    """Turn the corners into numbers, in place; refuse the first row that makes no tile."""
    given = table.to_dict("records")
    for name in CORNERS:
        table[name] = pd.to_numeric(table[name], errors="coerce").astype(float)
    south, west, north, east = (table[name] for name in CORNERS)
    lowest, highest = _LATITUDES
    wide, high = (east - west) * np.cos(np.radians((south + north) / 2)), north - south
    problems = {
        "a corner is missing or no number": ~np.isfinite(table[list(CORNERS)]).all(axis=1),
        f"a latitude is outside {lowest:g}…{highest:g} or a longitude outside -180…180": ~(
            south.between(*_LATITUDES)
            & north.between(*_LATITUDES)
            & west.between(-180, 180)
            & east.between(-180, 180)
        ),
        "the lower left corner (ll) is not south-west of the upper right one (ur)": (
            (south >= north) | (west >= east)
        ),
        f"the tile is more than {_LARGEST_SIDE_DEG:g} degree wide or high": (
            (high > _LARGEST_SIDE_DEG) | (wide > _LARGEST_SIDE_DEG)
        ),
        f"it is {_LARGEST_RATIO:g} times as wide or high as most tiles, or more, or as small": ~(
            _is_usual(wide) & _is_usual(high)
        ),
    }
    for problem, rows in problems.items():
        if rows.any():
            index = int(rows.idxmax())
            values = ", ".join(f"{name}={given[index][name] or 'empty'}" for name in CORNERS)
            raise AerialError(
                f"{_row(index, href)} ({given[index]['filename']}) is no tile: {problem} "
                f"({values}). {int(rows.sum())} row(s) are so; mend or remove them."
            )


def _is_usual(sides: pd.Series) -> pd.Series:
    return (sides / sides.median()).between(1 / _LARGEST_RATIO, _LARGEST_RATIO, inclusive="neither")


def _match(names: Sequence[str], paths: Sequence[str], href: str) -> list[str | None]:
    """Path of the image that each name means; None where there is none."""
    known = set(paths)
    by_name: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        by_name[PurePosixPath(path).name].append(path)
    found: list[str | None] = []
    for index, name in enumerate(names):
        path = name.strip().replace("\\", "/").removeprefix("./")
        if path in known:
            found.append(path)
            continue
        images = by_name.get(path, [])
        if len(images) > 1:
            raise AerialError(
                f"{_row(index, href)} names {name}, and {len(images)} images are called so: "
                f"{', '.join(images[:3])}. Write their paths below the folder instead."
            )
        found.append(images[0] if images else None)
    return found


def _project(rows: pd.DataFrame) -> pd.DataFrame:
    """Project corners to the UTM zone of the tile's centre."""
    south, west, north, east = (rows[name].to_numpy() for name in CORNERS)
    lon, lat = (west + east) / 2, (south + north) / 2
    epsgs = zones_of(lon, lat)
    lower = transform_zones(epsgs, west, south, 4326, "INVERSE")
    upper = transform_zones(epsgs, east, north, 4326, "INVERSE")
    columns = zip(SQUARE_COLUMNS, (epsgs, *lower, *upper, lon, lat), strict=True)
    return pd.DataFrame(dict(columns), index=pd.Index(rows["path"], name="path"))
