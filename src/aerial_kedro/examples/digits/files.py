"""The four files of MNIST, or of other digits in its format: where they are and what they hold."""

import gzip
import hashlib
import io
import sys
import tempfile
import time
import urllib.request
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any, Literal, get_args
from urllib.error import URLError
from urllib.parse import urlsplit

import fsspec
import numpy as np
from fsspec.implementations.local import LocalFileSystem
from numpy.typing import NDArray

from aerial_kedro.datasets.base import ProjectDataset
from aerial_kedro.errors import AerialError
from aerial_kedro.examples.digits.settings import DownloadSettings
from aerial_kedro.imagery.redaction import redact
from aerial_kedro.parameters import check_parameters
from aerial_kedro.scenes.addresses import check_href

DIGITS = 10
LARGEST = 200_000_000
"""Bytes of a file, packed or not: MNIST's largest has 47 million."""
# What torchvision and gzip raise; both name neither file nor remedy.
_DAMAGE = (
    *(AssertionError, EOFError, KeyError, OSError, OverflowError),
    *(RuntimeError, TypeError, ValueError, zlib.error),
)

Role = Literal["train_images", "train_labels", "test_images", "test_labels"]
ROLES: tuple[Role, ...] = get_args(Role)
MNIST_SHA256: dict[Role, str] = {
    "train_images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train_labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "test_images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "test_labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""Hashes of the unpacked files: one that is packed anew has another hash and the same content."""
EmbeddedDigits = tuple[NDArray[np.float64], NDArray[np.int64]]
"""scikit-learn's own digits: ``(n, 8, 8)`` from 0 to 16, and ``(n,)`` labels."""
_HOLDS = {b"\0\0\x08\1": "labels", b"\0\0\x08\3": "images"}
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_FIRST_PAUSE_S = 0.5
# Answers that asking again does not change.
_REFUSED = {*range(400, 500)} - {408, 429}


@dataclass(frozen=True)
class DigitFile:
    """A file as it was found, and what is in it.

    Parameters
    ----------
    name
        Name of the file.
    content
        Its bytes, packed by gzip or not.
    unpacked_sha256
        Hash of the unpacked bytes.
    values
        ``(n, rows, columns)`` images, 0 is paper and 255 is ink, or ``(n,)`` labels from 0 to 9;
        uint8.
    """

    name: str
    content: bytes
    unpacked_sha256: str
    values: NDArray[np.uint8]


@dataclass(frozen=True)
class DigitFiles:
    """The four files, and the folder or address that they come from."""

    source: str
    files: Mapping[Role, DigitFile]


class DigitFilesDataset(ProjectDataset[DigitFiles, DigitFiles | EmbeddedDigits]):
    """The four idx files in a folder or on the web; without either, scikit-learn's digits.

    No ready dataset reads the format, and torchvision's reads folders of this machine only, with
    errors that name neither file nor remedy.

    Parameters
    ----------
    download
        Parameters ``digits_download``, to fetch the files from the web instead.
    **options
        Options of `ProjectDataset`; the path is the folder of the files, packed by gzip or not.
    """

    def __init__(self, *, download: dict[str, Any] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._download = download

    def load(self) -> DigitFiles | EmbeddedDigits:
        """Read the files.

        Raises
        ------
        AerialError
            If the folder or a file is not there, cannot be fetched, is far too large or damaged.
        """
        from sklearn.datasets import load_digits

        if self._download is not None:
            with tempfile.TemporaryDirectory() as folder:
                source = _fetch(self._download, folder)
                return _read_folder(LocalFileSystem(), folder, source)
        if not self._path:
            found = load_digits()
            return found.images, found.target
        check_href(self._path)
        filesystem, base = self.locate()
        if not filesystem.exists(base):
            raise AerialError(
                f"digits_root={self._path} does not exist. Give the folder of the four MNIST files "
                "with --params=digits_root=DIR, or leave it out for scikit-learn's digits."
            )
        return _read_folder(filesystem, base.rstrip("/"), self._path)

    def save(self, data: DigitFiles) -> None:
        """Write the files as they were found, each whole or not at all."""
        if not self._path:
            raise NotImplementedError("Digits are saved into a folder: give its path.")
        for file in data.files.values():
            self.write_bytes(file.content, f"/{file.name}")


def spellings(role: Role) -> tuple[str, ...]:
    """Names that one of the files goes by: packed and not, and as some programs unpack it.

    Examples
    --------
    >>> spellings("test_labels")[:2]
    ('t10k-labels-idx1-ubyte.gz', 't10k-labels-idx1-ubyte')
    """
    name = role.replace("test", "t10k").replace("_", "-")
    ending = f"idx{3 if role.endswith('images') else 1}-ubyte"
    return (f"{name}-{ending}.gz", f"{name}-{ending}", f"{name}.{ending}.gz", f"{name}.{ending}")


def read_file(role: Role, name: str, content: bytes) -> DigitFile:
    """Read what is in a file.

    Parameters
    ----------
    role
        Which of the four it is meant to be.
    name
        Name of the file, for the message.
    content
        Its bytes, packed by gzip or not.

    Raises
    ------
    AerialError
        If it is no idx file, is cut short, damaged or far too large, holds nothing, labels instead
        of images or images instead of labels, or a label that is no digit.
    """
    # torch takes seconds to import, and every `kedro run` imports this module.
    from torchvision.datasets.mnist import read_image_file, read_label_file  # noqa: PLC0415

    kind = role.split("_")[1]
    read = read_image_file if kind == "images" else read_label_file
    try:
        plain = _unpack(content)
        found = _HOLDS.get(plain[:4], kind)
        if found != kind:
            raise ValueError(f"it holds {found}, not {kind}")
        with tempfile.NamedTemporaryFile() as file:
            file.write(plain)
            file.flush()
            values = read(file.name).numpy()
        if kind == "labels" and values.max() >= DIGITS:
            raise ValueError(f"the label {values.max()} is no digit")
    except _DAMAGE as error:
        start, reason = content[:4].hex(" ") or "nothing", str(error) or "another format"
        raise AerialError(
            f"{name} cannot be read as {kind} of digits: it is cut short, damaged or another file "
            f"under this name (it begins with {start}; {reason}). Get it again, or put the "
            "original in its place, as it is or packed by gzip."
        ) from error
    return DigitFile(name, content, hashlib.sha256(plain).hexdigest(), values.astype(np.uint8))


def _unpack(content: bytes) -> bytes:
    plain = content
    if content[:2] == b"\x1f\x8b":
        with gzip.open(io.BytesIO(content)) as packed:
            plain = packed.read(LARGEST + 1)
    if len(plain) > LARGEST:
        raise ValueError(f"it has more than {LARGEST:,} bytes")
    return plain


def _read_folder(filesystem: fsspec.AbstractFileSystem, folder: str, source: str) -> DigitFiles:
    files: dict[Role, DigitFile] = {}
    for role in ROLES:
        names = spellings(role)
        name = next((each for each in names if filesystem.isfile(f"{folder}/{each}")), None)
        if name is None:
            raise AerialError(
                f"There is no {names[0]} (nor {names[1]}) in {source}. All four MNIST files are "
                "needed; `kedro run --pipeline=digits_download` fetches them."
            )
        with filesystem.open(f"{folder}/{name}", "rb") as file:
            files[role] = read_file(role, name, file.read(LARGEST + 1))
    return DigitFiles(source, files)


def _fetch(given: dict[str, Any], folder: str) -> str:
    """Let torchvision fetch the files, which checks their md5, and return where they come from."""
    from torchvision.datasets import MNIST, utils  # noqa: PLC0415 - seconds, in every `kedro run`

    settings = check_parameters(DownloadSettings, given, "digits_download")
    base = settings.base_url.rstrip("/")
    if not _is_safe(base):
        raise AerialError(
            f"digits_download.base_url={redact(base)} is no https address. Give one with "
            "--params=digits_download.base_url=https://…"
        )
    urllib.request.install_opener(urllib.request.build_opener(_SafeWeb(settings.timeout_s)))
    try:
        for attempt in range(1, settings.attempts + 1):
            try:
                for name, md5 in MNIST.resources:
                    address = f"{base}/{name}"
                    utils.download_url(address, folder, name, md5)  # skips what has been fetched
                break
            except (RuntimeError, OSError, HTTPException) as error:
                if attempt == settings.attempts or getattr(error, "code", None) in _REFUSED:
                    raise AerialError(
                        f"{redact(address)} cannot be fetched ({redact(str(error).rstrip('.'))}). "
                        f"It must be MNIST's file, with the md5 {md5}. Try again later, or another "
                        "address with --params=digits_download.base_url=https://… (behind a proxy: "
                        "HTTPS_PROXY)."
                    ) from error
                time.sleep(_FIRST_PAUSE_S * 2 ** (attempt - 1))
    finally:
        urllib.request.install_opener(urllib.request.build_opener())
    return base


class _SafeWeb(urllib.request.BaseHandler):
    """Refuses plain http, wherever a redirect leads, long silence (seconds) and endless answers."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s

    def http_request(self, request: urllib.request.Request) -> urllib.request.Request:
        """Check the address before it is asked."""
        if not _is_safe(request.full_url):
            # Where https fails, torchvision asks without it: the reason is the first failure.
            raise sys.exception() or URLError(f"{request.full_url} is no https address")
        request.timeout = self._timeout_s
        return request

    def http_response(
        self, request: urllib.request.Request, response: HTTPResponse
    ) -> HTTPResponse:
        """Check the length, before the content is stored and while it is read."""
        too_long = URLError(f"{request.full_url} sends more than a file of digits has")
        if (response.length or 0) > LARGEST:
            raise too_long
        read, left = response.read, LARGEST

        def read_on(amt: int | None = None) -> bytes:
            nonlocal left
            content = read(amt)
            left -= len(content)
            if left < 0:
                raise too_long
            return content

        response.read = read_on  # type: ignore[method-assign]
        return response

    https_request = ftp_request = http_request
    https_response = http_response


def _is_safe(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
