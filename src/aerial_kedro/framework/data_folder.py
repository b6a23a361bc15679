"""The data folder: looked at before a run, so that hours do not end at a file of another user."""

import os
from collections.abc import Iterator
from pathlib import Path

from aerial_kedro.errors import AerialError

_INPUTS = "01_raw"  # may be lent, to be read only
_WRITTEN = ("0[2-8]_*", "mlflow")


def check_writable(root: str) -> None:
    """Refuse a data folder in which a run could not write what it makes.

    Parameters
    ----------
    root
        The data folder, which is there, or its address in blob storage, which is left alone.

    Raises
    ------
    AerialError
        Naming the first folder that may not be written, or the file that is in a folder's place.
    """
    if "://" in root:
        return
    folder = Path(root).absolute()
    refused = sorted(_refused(folder))
    if refused:
        more = f" and {len(refused) - 1} more folders" if len(refused) > 1 else ""
        raise AerialError(
            f"The run cannot write to {refused[0]}{more} in its data folder, as user "
            f"{os.getuid()}. Make all of {folder} writable for that user (chown -R, or a mount "
            "that is not read-only), or name another folder in AERIAL_KEDRO_DATA."
        )


def _refused(folder: Path) -> Iterator[Path]:
    for place in (place for pattern in _WRITTEN for place in folder.glob(pattern)):
        if not place.is_dir():
            raise AerialError(
                f"{place} is a file, and the run needs a folder of that name. Move the file away, "
                "or name another data folder in AERIAL_KEDRO_DATA."
            )
        for inside, _, _ in os.walk(place):
            if not os.access(inside, os.W_OK | os.X_OK):
                yield Path(inside)
