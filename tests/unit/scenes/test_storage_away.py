"""Blob storage that is away is not taken for damaged scenes."""

import base64
import socket
from pathlib import Path

import pytest
from rasterio.windows import Window

from aerial_kedro.errors import AerialError
from aerial_kedro.scenes.reader import SceneReader, TileReadError

WINDOW = Window(0, 0, 8, 8)


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A storage account at a port where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv(
        "AZURE_STORAGE_CONNECTION_STRING",
        f"AccountName=nobody;AccountKey={base64.b64encode(b'no key').decode()};"
        f"BlobEndpoint=http://127.0.0.1:{port}/nobody;",
    )
    monkeypatch.setenv("GDAL_HTTP_MAX_RETRY", "0")


@pytest.mark.usefixtures("away")
def test_storage_that_is_away_stops_the_task() -> None:
    with SceneReader() as reader, pytest.raises(AerialError, match=r"naip/scene\.tif.*run again"):
        reader.read_window("abfs://naip/scene.tif", WINDOW, 8)


def test_a_damaged_scene_stays_the_scene_s_fault(tmp_path: Path) -> None:
    damaged = tmp_path / "scene.tif"
    damaged.write_bytes(b"II*\0")
    for href in (str(damaged), f"file://{damaged}"):
        with SceneReader() as reader, pytest.raises(TileReadError):
            reader.read_window(href, WINDOW, 8)
