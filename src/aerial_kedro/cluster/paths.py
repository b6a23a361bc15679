"""Paths as Hadoop reads them: some letters of a name are a pattern to it."""

import re
from urllib.parse import urlsplit

from aerial_kedro.errors import AerialError

_PATTERN = re.compile(r"([\[\]{}*?\\])")
_UNFIT = {":": "Hadoop takes for an address", "{": "Kedro takes for a pattern"}
_UNFIT["}"] = _UNFIT["{"]


def literal(path: str) -> str:
    r"""Write a path so that Spark reads the file or folder of exactly that name.

    Hadoop looks for what matches where it reads, and takes the name as it is where it writes. At a
    comma it reads a list of paths, unless the comma is an alternative of a pattern.

    Examples
    --------
    >>> literal("/data [1]/tiles")
    '/data \\[1\\]/tiles'
    >>> literal("/a,b/tiles")
    '/a{\\,}b/tiles'
    """
    return _PATTERN.sub(r"\\\1", path).replace(",", r"{\,}")


def check_letters(root: str) -> None:
    """Refuse a data folder whose name cannot be used, before anything is written there.

    Parameters
    ----------
    root
        The data folder; an address in blob storage is left alone.

    Raises
    ------
    AerialError
        Naming the letter.
    """
    if urlsplit(root).scheme and "://" in root:
        return
    for letter, reason in _UNFIT.items():
        if letter in root:
            raise AerialError(
                f"The data folder {root} has a {letter!r} in its path, which {reason}. Give "
                "another folder in AERIAL_KEDRO_DATA, or rename this one."
            )
