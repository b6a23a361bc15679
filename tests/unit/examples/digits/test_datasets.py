"""The digits' files in a folder and on the web."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from aerial_kedro.examples.digits.data import EmbeddedDigits
from aerial_kedro.examples.digits.datasets import DigitDownloadDataset, DigitFilesDataset
from aerial_kedro.examples.digits.mnist import FILES
from tests.unit.datasets.refusals import refused
from tests.unit.examples.digits.idx_files import as_found, four_files

SPELLINGS = range(4)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Broken(_Quiet):
    def do_GET(self) -> None:
        self.send_error(503)


class _CutShort(_Quiet):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"half of it")
        self.close_connection = True


@contextlib.contextmanager
def serve(folder: Path, handler: type[_Quiet] = _Quiet) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def download(base_url: str, **other: Any) -> DigitDownloadDataset:
    request = {"base_url": base_url, "timeout_s": 5.0, "attempts": 1, **other}
    return DigitDownloadDataset(request=request)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    DigitFilesDataset(path=str(tmp_path / "digits")).save(as_found(four_files()))
    return tmp_path / "digits"


def test_files_come_back_as_they_were(folder: Path) -> None:
    found = DigitFilesDataset(path=str(folder)).load()
    assert not isinstance(found, EmbeddedDigits)
    assert found.source == str(folder)
    assert {role: file.content for role, file in found.files.items()} == four_files()


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_files_are_found_under_each_of_their_names(tmp_path: Path, spelling: int) -> None:
    for role, content in four_files(packed=False).items():
        (tmp_path / FILES[role].spellings[spelling]).write_bytes(content)
    found = DigitFilesDataset(path=f"{tmp_path}/").load()
    assert not isinstance(found, EmbeddedDigits)
    assert found.files["test_labels"].name == FILES["test_labels"].spellings[spelling]


def test_a_kind_of_storage_that_is_not_read_is_told() -> None:
    with refused("has the scheme 'memory'"):
        DigitFilesDataset(path="memory://digits").load()


def test_without_a_folder_there_are_the_digits_of_scikit_learn() -> None:
    found = DigitFilesDataset(path=None).load()
    assert isinstance(found, EmbeddedDigits)
    assert found.images.shape == (1797, 8, 8)
    assert found.images.max() == 16


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with refused(r"digits_root=.*/nothing does not exist.*--params=digits_root=DIR"):
        DigitFilesDataset(path=str(tmp_path / "nothing")).load()


@pytest.mark.parametrize("role", FILES)
def test_a_file_that_is_not_there_is_told(folder: Path, role: Any) -> None:
    name = FILES[role].spellings[0]
    (folder / name).unlink()
    with refused(rf"There is no {name} .*digits_download` fetches them"):
        DigitFilesDataset(path=str(folder)).load()


def test_files_are_fetched(folder: Path) -> None:
    with serve(folder) as base_url:
        found = download(f"{base_url}/").load()
    assert found.source == base_url
    assert {role: file.content for role, file in found.files.items()} == four_files()


def test_a_file_that_the_server_lacks_is_told(folder: Path) -> None:
    (folder / "t10k-images-idx3-ubyte.gz").unlink()
    with serve(folder) as base_url, refused(r"t10k-images.*cannot be fetched \(404.*base_url="):
        download(base_url, attempts=20).load()  # asked once only: it would take minutes


@pytest.mark.parametrize("handler", [_Broken, _CutShort])
def test_a_server_in_trouble_is_told(folder: Path, handler: type[_Quiet]) -> None:
    with serve(folder, handler) as base_url, refused(r"train-images.*cannot be fetched"):
        download(base_url, attempts=2).load()


@pytest.mark.parametrize("address", ["http://example.org/mnist", "ftp://127.0.0.1/", "/mnist", ""])
def test_only_https_is_asked(address: str) -> None:
    with refused(r"is no https address.*--params=digits_download\.base_url=https"):
        download(address).load()


def test_an_unheard_setting_is_told() -> None:
    with refused(r"digits_download\.retries: Extra inputs"):
        download("https://example.org", retries=3).load()
