from pathlib import Path

import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from aerial_kedro.errors import AerialError
from aerial_kedro.scenes.addresses import check_href, gdal_path, read_bytes
from tests.builders import write_scene

ODD_NAMES = [
    "tile #1.tif",
    "what?.tif",
    "100%.tif",
    "a%20b.tif",
    "a&b=c;d.tif",
    "é ü.tif",
    "[1].tif",
]


@pytest.mark.parametrize(
    "href",
    [
        "/data/scene.tif",
        "data/scene.tif",
        "file:///data/scene.tif",
        "abfss://naip@account.dfs.core.windows.net/md/scene.tif",
        "abfs://naip/md/scene.tif",
        "az://naip/md/scene.tif",
        "https://host/scene.tif?version=2",
        "/data/two..dots/scene..tif",
    ],
)
def test_allowed_addresses_pass_unchanged(href: str) -> None:
    assert check_href(href) == href


@pytest.mark.parametrize(
    "href",
    ["s3://bucket/a.tif", "gs://b/a.tif", "ftp://h/a.tif", "zip:///a.zip!b.tif", "jar:a.tif"],
)
def test_other_schemes_are_refused(href: str) -> None:
    with pytest.raises(AerialError, match=r"scheme '\w+', which is not read.*abfss://"):
        check_href(href)


@pytest.mark.parametrize(
    "href",
    [
        "../secret.tif",
        "/data/../secret.tif",
        "file:///data/../../secret.tif",
        "abfss://naip@account/md/../../other/secret.tif",
        "https://host/a/%2e%2e/secret.tif",
        "az://naip/..%2fsecret.tif",
    ],
)
def test_climbing_out_is_refused(href: str) -> None:
    for use in (check_href, gdal_path, read_bytes):
        with pytest.raises(AerialError, match=r"climbs out of its folder"):
            use(href)


@pytest.mark.parametrize("href", ["/vsicurl/http://host/a.tif", "file:///vsimem/a.tif"])
def test_gdals_virtual_file_systems_are_refused(href: str) -> None:
    with pytest.raises(AerialError, match="virtual file systems"):
        gdal_path(href)


@pytest.mark.parametrize(
    ("href", "path"),
    [
        ("/data/scene.tif", "/data/scene.tif"),
        ("file:///data/scene.tif", "/data/scene.tif"),
        ("file:/data/scene.tif", "/data/scene.tif"),
        ("https://host/a/scene.tif?v=2", "/vsicurl/https://host/a/scene.tif?v=2"),
        ("abfss://naip@account.dfs.core.windows.net/md/a.tif", "/vsiaz/naip/md/a.tif"),
        ("abfs://naip/md/a.tif", "/vsiaz/naip/md/a.tif"),
        ("az://naip/md/a #1?.tif", "/vsiaz/naip/md/a #1?.tif"),
    ],
)
def test_gdal_opens_the_same_place(href: str, path: str) -> None:
    assert gdal_path(href) == path


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("prefix", ["", "file://"])
def test_odd_file_names_are_read_as_they_are(tmp_path: Path, name: str, prefix: str) -> None:
    path = write_scene(tmp_path / name)
    href = f"{prefix}{path}"
    assert read_bytes(href) == path.read_bytes()
    with rasterio.open(gdal_path(href), driver="GTiff") as dataset:
        assert dataset.width == 340


@given(st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1))
def test_every_file_name_that_does_not_climb_is_allowed(name: str) -> None:
    if name != "..":
        assert gdal_path(f"/data/{name}") == f"/data/{name}"


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_bytes(str(tmp_path / "a.png"))
