"""Tables of scenes as spreadsheets, GIS and people write them: which column is what."""

import csv
import io
import logging
import re
from collections.abc import Iterator, Mapping, Sequence

from pydantic import ValidationError

from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.redaction import redact
from aerial_kedro.imagery.scene_list import ListedScene, SceneList, same_scene
from aerial_kedro.parameters import describe_problems

LOGGER = logging.getLogger(__name__)
# Of several the first is taken. `location` is GDAL's tile index, `source` QGIS's list of layers.
_ADDRESSES = (
    "href", "location", "path", "filepath", "file_path", "fullpath", "full_path", "filename",
    "file_name", "file", "source", "uri", "url", "address", "image", "raster", "scene", "imagery",
)  # fmt: skip
_YEARS = (
    "year", "date", "datetime", "acquired", "acquisition_date", "acq_date", "flown", "flight_date",
    "fly_date", "srcimgdate", "idate", "imagedate", "image_date", "timestamp", "jahr", "datum",
)  # fmt: skip
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?=\d{4}(?!\d)|\d{10}(?!\d)|(?!\d))")
_FILE = re.compile(r"(?i)\.tiff?\W*$")
_EMPTY = ("", "null", "none", "nan", "nat")


def find_separator(header: str) -> str:
    """Find what divides the values of a table: table programs of half the world write semicolons.

    Examples
    --------
    >>> find_separator("lon;lat;class")
    ';'
    """
    return max(",;\t", key=header.count)


def read_delimited(content: bytes, name: str) -> tuple[list[str], list[dict[str, str]]]:
    """Read the rows of a text table, divided by commas, semicolons or tabs.

    Parameters
    ----------
    content
        UTF-8 with or without a byte-order mark, or UTF-16, as spreadsheets write it.
    name
        The file, for messages.

    Returns
    -------
    columns : list of str
        Names of the columns. A file without a heading, a path in each line, has ``href``.
    rows : list of dict
        Column name to text.

    Raises
    ------
    AerialError
        If it is no text in these encodings, or a row has more values than there are columns.
    """
    try:
        is_wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
        text = content.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise AerialError(
            f"scenes_root={name} is no scene list: it is not UTF-8 ({error.reason} at byte "
            f"{error.start}). Save it as 'CSV UTF-8'."
        ) from None
    lines = text.splitlines()
    if lines and re.fullmatch(r'"?sep=.?"?', lines[0].strip(), re.IGNORECASE):
        lines = lines[1:]  # Excel's own word for what divides
    lines = [line for line in lines if line.strip(" \t,;")]
    if not lines:
        raise AerialError(f"scenes_root={name} is no scene list: it is empty.")
    separator = find_separator(lines[0])
    if _FILE.search(lines[0]) and not any(mark in lines[0] for mark in ";\t"):
        return ["href"], [{"href": line.strip().strip('"')} for line in lines]
    try:
        columns, *values = csv.reader(io.StringIO("\n".join(lines)), delimiter=separator)
    except csv.Error as error:
        raise AerialError(f"scenes_root={name} is no scene list: {error}.") from None
    for number, each in enumerate(values, start=1):
        if any(value.strip() for value in each[len(columns) :]):
            raise AerialError(
                f"scenes_root={name}, row {number}: it has {len(each)} values for {len(columns)} "
                f"column(s), divided at {separator!r}. Put a value that holds one into quotes "
                f'("a{separator} b.tif").'
            )
    return columns, [dict(zip(columns, each, strict=False)) for each in values]


def scenes_of_table(
    columns: Sequence[str], rows: Sequence[Mapping[str, str]], name: str
) -> SceneList:
    """Make a scene list of a table's rows.

    Parameters
    ----------
    columns
        Names of the columns; capitals and blanks around them mean nothing.
    rows
        Column name to text.
    name
        The file, for messages.

    Raises
    ------
    AerialError
        If no column holds addresses, a date holds no year, an address is signed, or two rows give
        a scene different years.
    """
    address = _find(columns, _ADDRESSES)
    if address is None:
        raise AerialError(
            f"scenes_root={name} is no scene list: it has no column of addresses; there are: "
            f"{', '.join(columns) or 'none'}. Call the column of paths href (and that of years "
            "year)."
        )
    dated, others = _find(columns, _YEARS), {"item_id": _find(columns, ("item_id",))}
    unused = [column for column in columns if column not in (address, dated, others["item_id"])]
    LOGGER.info(
        "%s: scenes from its column %r, years from %s%s", name, address,
        repr(dated) if dated else "the scenes",
        f"; not read: {', '.join(unused)}" if unused else "",
    )  # fmt: skip
    scenes: dict[str, ListedScene] = {}
    for number, scene in _scenes(rows, address, dated, others["item_id"], name):
        known = scenes.get(scene.href, scene)
        chosen = same_scene(known, scene)
        if chosen is None:
            raise AerialError(
                f"scenes_root={name}, row {number}: {scene.href} is of {scene.year}, and of "
                f"{known.year} in a row before. Keep one of them."
            )
        scenes[scene.href] = chosen
    empty = sum(1 for row in rows if _is_empty(row.get(address)))
    again = len(rows) - empty - len(scenes)
    if empty or again:
        LOGGER.warning(
            "%s: %s row(s) without an address and %s that repeat one were left out",
            name, empty, again,
        )  # fmt: skip
    return SceneList(scenes=tuple(scenes.values()))


def _scenes(
    rows: Sequence[Mapping[str, str]],
    address: str,
    dated: str | None,
    item: str | None,
    name: str,
) -> Iterator[tuple[int, ListedScene]]:
    for number, row in enumerate(rows, start=1):
        if _is_empty(row.get(address)):
            continue
        href, date = row[address].strip(), (row.get(dated, "") if dated else "").strip()
        found = _YEAR.search(date)
        if not found and not _is_empty(date):
            raise AerialError(
                f"scenes_root={name}, row {number}: {date!r} in the column {dated!r} holds no "
                "year of four digits. Write years, or dates such as 2018-06-23."
            )
        try:
            yield (
                number,
                ListedScene(
                    href=href.removeprefix("/vsicurl/"),
                    year=int(found[1]) if found else None,
                    item_id=(row.get(item) or None) if item else None,
                ),
            )
        except ValidationError as error:
            raise AerialError(
                f"scenes_root={name} is no scene list: row {number}: "
                f"{redact(describe_problems(error)[0])}."
            ) from None


def _find(columns: Sequence[str], known: Sequence[str]) -> str | None:
    plain = {re.sub(r"[\s-]+", "_", column.strip()).casefold(): column for column in columns}
    return next((plain[each] for each in known if each in plain), None)


def _is_empty(text: str | None) -> bool:
    return text is None or text.strip().casefold() in _EMPTY
