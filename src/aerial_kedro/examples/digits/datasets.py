"""Where the digits come from: a folder, the web, or scikit-learn."""

from __future__ import annotations

import sys
import tempfile
import time
import urllib.request
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit

import fsspec
from fsspec.implementations.local import LocalFileSystem
from sklearn.datasets import load_digits

from aerial_kedro.datasets.base import ProjectDataset
from aerial_kedro.errors import AerialError
from aerial_kedro.examples.digits.data import EmbeddedDigits
from aerial_kedro.examples.digits.files import (
    LARGEST,
    ROLES,
    DigitFile,
    DigitFiles,
    Role,
    read_file,
    spellings,
)
from aerial_kedro.examples.digits.settings import DownloadSettings
from aerial_kedro.imagery.redaction import redact
from aerial_kedro.parameters import check_parameters
from aerial_kedro.scenes.addresses import check_href

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_FIRST_PAUSE_S = 0.5
# Answers that asking again does not change.
_REFUSED = {*range(400, 500)} - {408, 429}


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
        if self._download is not None:
            with tempfile.TemporaryDirectory() as folder:
                source = _fetch(self._download, folder)
                return _read_folder(LocalFileSystem(), folder, source)
        if not self._path:
            found = load_digits()
            return EmbeddedDigits(found.images, found.target)
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
