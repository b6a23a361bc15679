"""Numbers and names as a reader expects to see them."""

from __future__ import annotations

from aerial_kedro.accuracy.interval import Interval

UNDEFINED = "not defined"
"""What stands where a value does not exist: never a 0."""

_WORDS = {
    "logistic_regression": "logistic regression",
    "random_forest": "random forest",
    "majority": "most frequent class",
    "image_statistics": "plain image statistics",
}
_NBSP = "\u00a0"


def percent(value: float | None, digits: int = 1) -> str:
    """Write a share as a percentage.

    Examples
    --------
    >>> percent(0.934).replace(_NBSP, " "), percent(None)
    ('93.4 %', 'not defined')
    """
    return UNDEFINED if value is None else f"{100 * value:.{digits}f}{_NBSP}%"


def percent_range(interval: Interval | None, digits: int = 1) -> str:
    """Write an interval of shares; empty where there is none.

    Examples
    --------
    >>> percent_range(Interval(lower=0.912, upper=0.951)).replace(_NBSP, " ")
    '91.2 to 95.1 %'
    """
    if interval is None:
        return ""
    return f"{100 * interval.lower:.{digits}f} to {100 * interval.upper:.{digits}f}{_NBSP}%"


def number(value: float | None) -> str:
    """Write a count with separated thousands.

    Examples
    --------
    >>> number(67000)
    '67,000'
    """
    return UNDEFINED if value is None else f"{value:,.0f}"


def area(value: float | None) -> str:
    """Write square kilometres with three significant digits, all of them from 100 on.

    Examples
    --------
    >>> area(1234.5), area(12.345), area(0.0501)
    ('1,234', '12.3', '0.0501')
    """
    if value is None:
        return UNDEFINED
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}".rstrip(".")  # noqa: PLR2004


def area_range(interval: Interval | None) -> str:
    """Write an interval of square kilometres; empty where there is none.

    Examples
    --------
    >>> area_range(Interval(lower=1.5, upper=20.25))
    '1.50 to 20.2'
    """
    return "" if interval is None else f"{area(interval.lower)} to {area(interval.upper)}"


def decimal(value: float | None) -> str:
    """Write a score with three decimals.

    Examples
    --------
    >>> decimal(0.12345)
    '0.123'
    """
    return UNDEFINED if value is None else f"{value:.3f}"


def decimal_range(interval: Interval | None) -> str:
    """Write an interval of scores; empty where there is none.

    Examples
    --------
    >>> decimal_range(Interval(lower=0.7, upper=0.81))
    '0.700 to 0.810'
    """
    return "" if interval is None else f"{interval.lower:.3f} to {interval.upper:.3f}"


def in_words(name: str) -> str:
    """Name a classifier or a baseline in words; another name stays as it is.

    Examples
    --------
    >>> in_words("logistic_regression"), in_words("majority")
    ('logistic regression', 'most frequent class')
    """
    return _WORDS.get(name, name)


def listing(items: list[str]) -> str:
    """Join items as a sentence does.

    Examples
    --------
    >>> listing(["2010", "2016", "2018"])
    '2010, 2016 and 2018'
    """
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
