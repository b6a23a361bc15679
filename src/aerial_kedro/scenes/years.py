"""The year of a scene or of land cover: from its name, its date tag, or the run parameter."""

import datetime
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from aerial_kedro.errors import AerialError
from aerial_kedro.parameters import FIRST_YEAR, LAST_YEAR

_YEAR = r"((?:19|20)\d{2})"
_MONTH, _DAY = r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_TIME = r"(?:(?:[01]\d|2[0-3])[0-5]\d[0-5]\d)?"
# Names whose producer says where the year stands.
_FLIGHT = re.compile(rf"^m_\d{{7}}_[ns][ew]_\d{{1,2}}_\w+?_{_YEAR}{_MONTH}{_DAY}(?!\d)")
_PRODUCTS = (
    re.compile(rf"(?i)(?<![a-z])ortho_\d-\d_[a-z0-9]+_[a-z]_[a-z]{{2}}\d{{3}}_{_YEAR}(?!\d)"),
    re.compile(r"(?i)(?<![a-z])naip[_ -]?(?:[a-z]{2}[_ -])?(20\d{2})(?!\d)"),
)
_NLCD = re.compile(rf"(?i)(?<![a-z])nlcd[_ -]?(?:[a-z]+[_ -]){{0,3}}{_YEAR}(?!\d)")
_DATES = (
    re.compile(rf"(?<!\d){_YEAR}{_MONTH}{_DAY}{_TIME}(?!\d)"),
    re.compile(rf"(?<!\d){_YEAR}([-_.]){_MONTH}\2{_DAY}(?!\d)"),
)
_NUMBERS = re.compile(r"(?<!\d)[1-9]\d{2,4}(?!\d)")
# A number after one of these counts or places something.
_COUNTED = re.compile(
    r"(?i)(?<![a-z])(?:r|c|x|y|z|row|col|tile|chip|patch|crop|sample|window|block|cell|piece|idx|"
    r"index|id|no|nr)[_ .-]?$"
)
_STRIDES = (8, 10)  # chips are cut at multiples of one of these
_FAR = 2  # years between a flight and what its file says


def year_of_scene(
    name: str, tags: Mapping[str, str], default: int | None = None, *, counted: bool = False
) -> int:
    """Determine the year of a scene, from the most reliable source that it has.

    The place of the year in a known name (NAIP's date of flight); a number in the name that can
    only be a year, or that a date confirms; a date in the name; the TIFF date; the run parameter.

    Parameters
    ----------
    name
        File name, with or without its folder.
    tags
        Text metadata of the file.
    default
        The run parameter ``year``, which also decides where a name and a date disagree.
    counted
        Whether the number in its name counts scenes (`counted_names`), and so is no year.

    Raises
    ------
    AerialError
        If none of them holds a year, or the name holds one that is to come, or that the file's date
        contradicts.

    Examples
    --------
    >>> year_of_scene("m_3607801_ne_18_1_20120610.tif", {})
    2012
    >>> year_of_scene("riverside_2018_62.tif", {})
    2018
    >>> year_of_scene("chip_2048_1024.tif", {"TIFFTAG_DATETIME": "2018:07:01 10:00:00"})
    2018
    """
    stem = _stem(name)
    sure = _find(_FLIGHT, stem) or _past(_PRODUCTS, stem) or _find(_DATES, stem)
    number = None if counted else doubtful_year(name)
    stated = sure or _tagged_year(tags)
    if number and (stated is None or abs(number - stated) <= _FAR):
        # A flight comes before the day on which its file was written or released.
        return number
    if stated is not None and stated <= _this_year() and (sure or not number):
        return stated
    if default is None:
        raise _question("scene", name, number, stated)
    return default


def year_of_land_cover(name: str, tags: Mapping[str, str], default: int | None = None) -> int:
    """Determine the year of a land-cover raster.

    Such files are named by hand, and dated when they were released: a number of four digits that
    can be a year comes first, then a date in the name, the TIFF date, the run parameter.

    Parameters
    ----------
    name, tags, default
        As for `year_of_scene`.

    Raises
    ------
    AerialError
        If none of them holds a year that has been.

    Examples
    --------
    >>> year_of_land_cover("nlcd_2019_land_cover_l48_20210604.tif", {})
    2019
    """
    stem = _stem(name)
    years = [int(each) for each in re.findall(rf"(?<!\d){_YEAR}(?!\d)", stem)]
    stated = [_find(_NLCD, stem), *years, _find(_DATES, stem), _tagged_year(tags), default]
    for year in stated:
        if year is not None and year <= _this_year():
            return year
    raise _question("land cover", name, None, next((each for each in stated if each), None))


def doubtful_year(name: str) -> int | None:
    """Return the number in a scene's name that could be a year, and stands in no known place.

    It is the only such number, follows no word that counts (``tile_2018``), and is no offset of
    a chip: the number beside it is not cut at the same steps (``chip_2016_1024``).
    """
    stem = _stem(name)
    if _find(_FLIGHT, stem) or _past(_PRODUCTS, stem):
        return None
    found = {
        int(match[0]): not _COUNTED.search(stem[: match.start()])
        for match in _NUMBERS.finditer(stem)
    }
    years = [n for n, free in found.items() if free and _can_be_year(n)]
    if len(years) != 1:
        return None
    steps = [step for step in _STRIDES if years[0] % step == 0]
    is_offset = any(n % step == 0 for n in found if n != years[0] for step in steps)
    return None if is_offset else years[0]


def counted_names(names: Iterable[str]) -> set[str]:
    """Find scenes whose names hold a number that is no year, since it counts the scenes.

    Names that are alike but for their digits have other numbers there, which no year can be.

    Examples
    --------
    >>> counted_names(["plot1995.tif", "plot12.tif"])
    {'plot1995.tif'}
    >>> counted_names(["city_2018_12.tif", "city_2016_7.tif"])
    set()
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for name in names:
        alike[re.sub(r"\d+", "#", _stem(name))].append(name)
    counted = set()
    for group in alike.values():
        digits = {name: [int(each) for each in re.findall(r"\d+", _stem(name))] for name in group}
        columns = list(zip(*digits.values(), strict=True))
        for name in group:
            year = doubtful_year(name)
            if year and not all(_can_be_year(n) for n in columns[digits[name].index(year)]):
                counted.add(name)
    return counted


def _can_be_year(number: int) -> bool:
    return FIRST_YEAR <= number <= _this_year()


def _stem(name: str) -> str:
    return PurePosixPath(name).name.rsplit(".", 1)[0]


def _find(patterns: re.Pattern[str] | tuple[re.Pattern[str], ...], stem: str) -> int | None:
    for pattern in patterns if isinstance(patterns, tuple) else (patterns,):
        if match := pattern.search(stem):
            return int(match.group(1))
    return None


def _past(patterns: tuple[re.Pattern[str], ...], stem: str) -> int | None:
    year = _find(patterns, stem)
    return year if year is not None and year <= _this_year() else None


def _tagged_year(tags: Mapping[str, str]) -> int | None:
    date = tags.get("TIFFTAG_DATETIME", "")[:4]
    return int(date) if date.isdecimal() and FIRST_YEAR <= int(date) <= LAST_YEAR else None


def _this_year() -> int:
    return datetime.datetime.now(tz=datetime.UTC).year


def _question(what: str, name: str, number: int | None, stated: int | None) -> AerialError:
    if stated is None:
        return AerialError(
            f"The {what} {name} does not say its year: no date in its name, no TIFF date tag. "
            "Rename it (…_20180610.tif or …_2018.tif), or give the year with --params=year=2018."
        )
    reason = (
        f"its name holds {number} and its date tag {stated}" if number else f"{stated} is to come"
    )
    return AerialError(
        f"The year of the {what} {name} is in doubt: {reason}. Rename it (…_20180610.tif), give "
        "the year with --params=year=2018, or list the scenes in a CSV with the columns href and "
        "year."
    )
