"""One run at a time on a data folder: a second one is refused before it touches anything."""

import contextlib
import datetime as dt
import errno
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from aerial_kedro.errors import AerialError

LOGGER = logging.getLogger(__name__)
LOCK_NAME = ".run.lock"
_WITHOUT_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK)


@contextlib.contextmanager
def one_run_at_a_time(root: str) -> Iterator[None]:
    """Hold the lock of a data folder inside the block.

    The operating system holds it for the process, and releases it however the process ends: the
    file that stays behind blocks nothing. A run inside a run of the same thread passes. A root in
    blob storage has no such lock and is not guarded.

    Parameters
    ----------
    root
        The data folder, or its address in blob storage.

    Raises
    ------
    AerialError
        If another run holds the lock, or the folder cannot be written to.
    """
    if "://" in root:
        yield
        return
    folder = Path(root).absolute()
    # One object a folder, so that a run inside a run takes the lock that its process has.
    lock = FileLock(folder / LOCK_NAME, blocking=False, is_singleton=True, fallback_to_soft=False)
    with contextlib.ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(lock)
            _sign(folder)
        except Timeout:
            # Empty for the moment between taking the lock and signing it.
            holder = (folder / LOCK_NAME).read_text(encoding="utf-8") or "just started"
            raise AerialError(
                f"The folder {folder} is in use by another run ({holder}): wait until it ends, or "
                "give this run a folder of its own in AERIAL_KEDRO_DATA."
            ) from None
        except OSError as error:
            if error.errno not in _WITHOUT_LOCKS:
                raise AerialError(
                    f"The run cannot write {LOCK_NAME} to its data folder {folder} "
                    f"({error.strerror}): make both writable, or name another folder in "
                    "AERIAL_KEDRO_DATA."
                ) from error
            LOGGER.warning(
                "The file system of %s has no locks: a second run on it would not be refused.",
                folder,
            )
        yield


def _sign(folder: Path) -> None:
    """Write into the lock's file who holds it, for the message that another run shows."""
    started = dt.datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    text = f"process {os.getpid()} on {socket.gethostname()}, started {started}"
    (folder / LOCK_NAME).write_text(text, encoding="utf-8")
