"""Names of files in messages: readable, counted by suffix, the first few of many."""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath

_SHOWN = 5


def is_utf8(name: str) -> bool:
    """Return whether a name that the operating system gave is UTF-8: others fit into no table."""
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)


def readable(name: str) -> str:
    r"""Write bytes of a name that are no UTF-8 as ``\xe9``.

    Examples
    --------
    >>> readable("For\udceat.png")
    'For\\xeat.png'
    """
    return name if is_utf8(name) else os.fsencode(name).decode("utf-8", "backslashreplace")


def passed_over(paths: Iterable[str]) -> str:
    """Say which files are not read: their number by suffix, and some names.

    Examples
    --------
    >>> passed_over(["a.jp2", "b.jp2", "notes"])
    '3 file(s) were passed over: 2 .jp2, 1 without suffix (a.jp2, b.jp2, notes)'
    """
    listed = sorted(paths)
    return f"{len(listed)} file(s) were passed over: {count_suffixes(listed)} ({some(listed)})"


def count_suffixes(paths: Iterable[str]) -> str:
    """Count files by suffix, the commonest first, as in ``300 .npy, 1 without suffix``."""
    counts = Counter(PurePosixPath(path).suffix.lower() for path in paths)
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return ", ".join(f"{count} {readable(suffix) or 'without suffix'}" for suffix, count in ordered)


def some(names: Iterable[str]) -> str:
    """List the first few names."""
    listed = [readable(name) for name in names]
    return ", ".join(listed[:_SHOWN]) + (", …" if len(listed) > _SHOWN else "")
