"""The files of the digits tutorial: in a folder, from the web, or those of scikit-learn."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

import fsspec
import requests
from kedro.io import AbstractDataset
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sklearn.datasets import load_digits

from aerial_kedro.datasets.atomic import open_atomic
from aerial_kedro.errors import AerialError
from aerial_kedro.examples.digits.data import DigitFile, DigitFiles, EmbeddedDigits
from aerial_kedro.examples.digits.mnist import FILES, Role
from aerial_kedro.imagery.redaction import redact
from aerial_kedro.scenes.addresses import check_href

_LARGEST = 200_000_000
"""Bytes of one file: MNIST's largest has 47 million."""
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class DigitFilesDataset(AbstractDataset[DigitFiles, DigitFiles | EmbeddedDigits]):
    """A folder with the four idx files, packed by gzip or not; without one, scikit-learn's digits.

    Parameters
    ----------
    path
        The folder.
    credentials
        Of the storage.
    metadata
        For other tools; not read here.
    """

    def __init__(
        self,
        *,
        path: str | None,
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._path, self._credentials = path, credentials
        self.metadata = metadata

    def load(self) -> DigitFiles | EmbeddedDigits:
        """Read the files.

        Raises
        ------
        AerialError
            If the folder or a file is not there, or a file is far too large.
        """
        if self._path is None:
            found = load_digits()
            return EmbeddedDigits(found.images, found.target)
        filesystem, base = fsspec.core.url_to_fs(
            check_href(self._path), **(self._credentials or {})
        )
        if not filesystem.exists(base):
            raise AerialError(
                f"digits_root={self._path} does not exist. Give the folder of the four MNIST files "
                "with --params=digits_root=DIR, or leave it out for scikit-learn's digits."
            )
        folder = base.rstrip("/")
        return DigitFiles(
            self._path, {role: self._read_role(filesystem, folder, role) for role in FILES}
        )

    def save(self, data: DigitFiles) -> None:
        """Write the files, each whole or not at all."""
        for file in data.files.values():
            with open_atomic(f"{str(self._path).rstrip('/')}/{file.name}", self._credentials) as to:
                to.write(file.content)

    def _read_role(
        self, filesystem: fsspec.AbstractFileSystem, folder: str, role: Role
    ) -> DigitFile:
        spellings = FILES[role].spellings
        for name in spellings:
            path = f"{folder}/{name}"
            if filesystem.isfile(path):
                if filesystem.size(path) > _LARGEST:
                    raise AerialError(
                        f"{name} in {self._path} has {filesystem.size(path):,} bytes, far more "
                        "than a file of digits. Put the original in its place."
                    )
                return DigitFile(name, filesystem.cat_file(path))
        raise AerialError(
            f"There is no {spellings[0]} (nor {spellings[1]}) in {self._path}. All four MNIST "
            "files are needed; `kedro run --pipeline=digits_download` fetches them."
        )

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path}


class DownloadSettings(BaseModel):
    """Where the files are fetched from.

    Parameters
    ----------
    base_url
        What stands before the names of the files; https, but on this machine.
    timeout_s
        How long a server may be silent.
    attempts
        How often to ask for a file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str
    timeout_s: float = Field(strict=True, gt=0, allow_inf_nan=False)
    attempts: int = Field(strict=True, ge=1, le=20)


class DigitDownloadDataset(AbstractDataset[None, DigitFiles]):
    """The four files on the web, packed.

    Parameters
    ----------
    request
        The parameters ``digits_download``.
    metadata
        For other tools; not read here.
    """

    def __init__(self, *, request: dict[str, Any], metadata: dict[str, Any] | None = None) -> None:
        self._request = request
        self.metadata = metadata

    def load(self) -> DigitFiles:
        """Fetch the files.

        Raises
        ------
        AerialError
            If the address is not one of https, or a file cannot be fetched.
        """
        try:
            settings = DownloadSettings.model_validate(self._request)
        except ValidationError as error:
            problem = error.errors()[0]
            name = ".".join(["digits_download", *(str(part) for part in problem["loc"])])
            raise AerialError(f"{name}: {problem['msg']}.") from None
        _check_address(settings.base_url)
        base = settings.base_url.rstrip("/")
        files: dict[Role, DigitFile] = {}
        for role, published in FILES.items():
            name = published.spellings[0]
            files[role] = DigitFile(name, _fetch(f"{base}/{name}", settings))
        return DigitFiles(base, files)

    def save(self, data: None) -> None:
        """Refuse: the web is an input."""
        raise NotImplementedError("Digits are fetched from the web, never put there.")

    def _describe(self) -> dict[str, Any]:
        return {"request": self._request}


def _check_address(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return
    raise AerialError(
        f"digits_download.base_url={redact(address)} is no https address. Give one with "
        "--params=digits_download.base_url=https://…"
    )


def _fetch(address: str, settings: DownloadSettings) -> bytes:
    for attempt in range(settings.attempts):
        try:
            return _fetch_once(address, settings.timeout_s)
        except requests.RequestException as error:
            status = error.response.status_code if error.response is not None else None
            gone = status is not None and 400 <= status < 500 and status != 429  # noqa: PLR2004
            if gone or attempt + 1 == settings.attempts:
                raise AerialError(
                    f"{redact(address)} cannot be fetched ({redact(error)}). Try again later, or "
                    "another address with --params=digits_download.base_url=https://… (behind a "
                    "proxy: HTTPS_PROXY)."
                ) from error
            time.sleep(min(2.0**attempt, 30) / 2)
    raise AssertionError  # the last attempt returns or raises


def _fetch_once(address: str, timeout_s: float) -> bytes:
    with requests.get(address, timeout=timeout_s, stream=True) as answer:
        answer.raise_for_status()
        _check_address(answer.url)  # a redirect must not leave https
        content = bytearray()
        for part in answer.iter_content(1 << 16):
            content += part
            if len(content) > _LARGEST:
                raise AerialError(
                    f"{redact(address)} sends more than a file of digits has. Check "
                    "digits_download.base_url."
                )
        return bytes(content)
