"""The digits' files in a folder and on the web."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from torchvision.datasets import MNIST

from aerial_kedro.examples.digits import files
from aerial_kedro.examples.digits.files import ROLES, DigitFiles, DigitFilesDataset, spellings
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


class _Endless(_Quiet):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(10**12))
        self.end_headers()
        self.close_connection = True


class _Unannounced(_Quiet):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(b"x" * 3_000_000)
        self.close_connection = True


class _Busy(_Quiet):
    """Says to come back, once for each file; counts how often it is asked."""

    status = 429
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.asked.count(self.path) == 1:
            self.send_error(self.status)
        else:
            super().do_GET()


class _Forbidden(_Busy):
    status = 403
    asked: ClassVar[list[str]] = []


class _Silent(_Quiet):
    def do_GET(self) -> None:
        time.sleep(1)


class _Elsewhere(_Quiet):
    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", "http://example.org/mnist")
        self.end_headers()


@contextlib.contextmanager
def serve(folder: Path, handler: type[_Quiet] = _Quiet) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def download(base_url: str, **other: Any) -> DigitFilesDataset:
    request = {"base_url": base_url, "timeout_s": 5.0, "attempts": 1, **other}
    return DigitFilesDataset(download=request)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    DigitFilesDataset(path=str(tmp_path / "digits")).save(as_found(four_files()))
    return tmp_path / "digits"


def test_files_come_back_as_they_were(folder: Path) -> None:
    found = DigitFilesDataset(path=str(folder)).load()
    assert isinstance(found, DigitFiles)
    assert found.source == str(folder)
    assert {role: file.content for role, file in found.files.items()} == four_files()


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_files_are_found_under_each_of_their_names(tmp_path: Path, spelling: int) -> None:
    for role, content in four_files(packed=False).items():
        (tmp_path / spellings(role)[spelling]).write_bytes(content)
    found = DigitFilesDataset(path=f"{tmp_path}/").load()
    assert isinstance(found, DigitFiles)
    assert found.files["test_labels"].name == spellings("test_labels")[spelling]


def test_a_kind_of_storage_that_is_not_read_is_named() -> None:
    with refused("has the scheme 'memory'"):
        DigitFilesDataset(path="memory://digits").load()


def test_without_a_folder_there_are_the_digits_of_scikit_learn() -> None:
    found = DigitFilesDataset(path=None).load()
    assert isinstance(found, tuple)
    images, labels = found
    assert images.shape == (1797, 8, 8)
    assert images.max() == 16
    assert labels.shape == (1797,)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with refused(r"digits_root=.*/nothing does not exist.*--params=digits_root=DIR"):
        DigitFilesDataset(path=str(tmp_path / "nothing")).load()


@pytest.mark.parametrize("role", ROLES)
def test_a_file_that_is_not_there_is_named(folder: Path, role: Any) -> None:
    name = spellings(role)[0]
    (folder / name).unlink()
    with refused(rf"There is no {name} .*digits_download` fetches them"):
        DigitFilesDataset(path=str(folder)).load()


@pytest.fixture
def published(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of files that torchvision takes for MNIST's."""
    resources = [
        (spellings(role)[0], hashlib.md5(each).hexdigest()) for role, each in four_files().items()
    ]
    monkeypatch.setattr(MNIST, "resources", resources)
    return folder


def test_files_are_fetched(published: Path) -> None:
    with serve(published) as base_url:
        found = download(f"{base_url}/").load()
    assert isinstance(found, DigitFiles)
    assert found.source == base_url
    assert {role: file.content for role, file in found.files.items()} == four_files()


def test_files_with_another_hash_are_refused(folder: Path) -> None:
    md5 = dict(MNIST.resources)["train-images-idx3-ubyte.gz"]
    with serve(folder) as base_url, refused(rf"train-images.*cannot be fetched.*the md5 {md5}"):
        download(base_url).load()


def test_a_file_that_the_server_lacks_is_named(published: Path) -> None:
    (published / "t10k-images-idx3-ubyte.gz").unlink()
    with (
        serve(published) as base_url,
        refused(r"t10k-images.*cannot be fetched \(HTTP Error 404.*base_url="),
    ):
        download(base_url, attempts=20).load()


@pytest.mark.parametrize("handler", [_Broken, _CutShort, _Endless])
def test_a_server_in_trouble_is_named(folder: Path, handler: type[_Quiet]) -> None:
    with serve(folder, handler) as base_url, refused(r"train-images.*cannot be fetched"):
        download(base_url, attempts=2).load()


def test_an_answer_without_length_is_counted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST", 1000)
    with serve(folder, _Unannounced) as base_url, refused(r"cannot be fetched \(.*sends more than"):
        download(base_url).load()


def test_what_is_busy_is_asked_again_after_a_pause(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    # Not `time.sleep` itself: py4j's finalizer, a thread that never ends, would count its own.
    monkeypatch.setattr(files, "time", SimpleNamespace(sleep=pauses.append))
    _Busy.asked.clear()
    with serve(published, _Busy) as base_url:
        download(base_url, attempts=5).load()
    assert pauses == [0.5, 1, 2, 4]  # one for each file
    # Refused, looked at for redirects, fetched; what has come is not asked for again.
    assert [_Busy.asked.count(each) for each in sorted(set(_Busy.asked))] == [3, 3, 3, 3]


def test_what_is_forbidden_is_not_asked_again(published: Path) -> None:
    _Forbidden.asked.clear()
    with serve(published, _Forbidden) as base_url, refused("cannot be fetched .HTTP Error 403"):
        download(base_url, attempts=5).load()
    assert len(_Forbidden.asked) == 1


def test_a_silent_server_is_not_waited_for(folder: Path) -> None:
    with (
        serve(folder, _Silent) as base_url,
        refused(r"train-images.*cannot be fetched \(.*timed out"),
    ):
        download(base_url, timeout_s=0.2).load()


def test_a_redirect_does_not_leave_https(folder: Path) -> None:
    with (
        serve(folder, _Elsewhere) as base_url,
        refused(r"cannot be fetched \(.*http://example\.org/mnist is no https address"),
    ):
        download(base_url).load()


def test_torchvision_s_second_try_without_https_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where https fails in the middle, torchvision would ask by plain http; https is the reason."""
    monkeypatch.setattr("torchvision.datasets.utils._get_redirect_url", lambda url, **_: url)
    monkeypatch.setattr(files, "_LOOPBACK", set())
    _Busy.asked.clear()
    with (
        serve(folder, _Busy) as base_url,
        refused(r"cannot be fetched \(<urlopen error \[SSL: WRONG_VERSION_NUMBER\]"),
    ):
        download(base_url.replace("http:", "https:")).load()
    assert _Busy.asked == []


def test_the_web_is_as_before_after_a_download(published: Path) -> None:
    with serve(published) as base_url:
        download(base_url).load()
    with pytest.raises(urllib.error.URLError) as error:  # no such host, but asked
        urllib.request.urlopen("http://nowhere.invalid/")
    assert "https" not in str(error.value)


@pytest.mark.parametrize("address", ["http://example.org/mnist", "ftp://127.0.0.1/", "/mnist", ""])
def test_only_https_is_asked(address: str) -> None:
    with refused(r"is no https address.*--params=digits_download\.base_url=https"):
        download(address).load()


def test_an_unheard_setting_is_named() -> None:
    with refused(r"digits_download\.retries: there is no such name"):
        download("https://example.org", retries=3).load()
