"""Files that list scenes: spreadsheets and footprints, and where their paths lead."""

import json
import zipfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
from shapely import box

from aerial_kedro.datasets.scene_lists import SceneListFile
from aerial_kedro.errors import AerialError


def read(path: Path) -> list[tuple[str, int | None]]:
    return [(scene.href, scene.year) for scene in SceneListFile(path=str(path)).read().scenes]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two scenes beside a list, one of them in a folder."""
    for name in ("lists/a.tif", "scenes/b 1.tif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def wanted(folder: Path) -> list[tuple[str, int | None]]:
    return [(f"{folder}/lists/a.tif", 2018), (f"{folder}/scenes/b 1.tif", 2020)]


FOOTPRINTS = gpd.GeoDataFrame(
    {"Location": ["a.tif", "../scenes/b 1.tif"], "Year": [2018, 2020], "tile": ["x", "y"]},
    geometry=[box(0, 0, 1, 1), box(1, 0, 2, 1)],
    crs="EPSG:4326",
)


@pytest.mark.parametrize("name", ["f.gpkg", "f.geojson", "f.json", "f.shp", "f.fgb"])
def test_footprints_are_lists(folder: Path, name: str) -> None:
    driver = {"driver": "GeoJSON"} if name == "f.json" else {}
    FOOTPRINTS.to_file(folder / "lists" / name, engine="pyogrio", **driver)
    assert sorted(read(folder / "lists" / name)) == wanted(folder)  # FlatGeobuf orders by place


def test_geoparquet_is_a_list(folder: Path) -> None:
    FOOTPRINTS.to_parquet(folder / "lists/f.parquet")
    assert read(folder / "lists/f.parquet") == wanted(folder)


@pytest.mark.parametrize("ending", ["xlsx", "ods"])
@pytest.mark.parametrize("dates", [[2018, 2020], ["2018-06-23", "2020-07-01"]])
def test_spreadsheets_are_lists(folder: Path, ending: str, dates: list[object]) -> None:
    """Also of text alone, whose first line is a heading all the same."""
    table = pd.DataFrame({"Path": FOOTPRINTS["Location"], "Date": dates, "Remark": ["", "good"]})
    path = folder / "lists" / f"scenes.{ending}"
    pyogrio.write_dataframe(table, path)
    assert read(path) == wanted(folder)


def test_a_broken_spreadsheet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scenes.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", "y")
    with pytest.raises(
        AerialError, match=r"scenes\.xlsx cannot be read as a spreadsheet.*CSV UTF-8"
    ):
        read(path)


class TestAddresses:
    def listed(self, folder: Path, href: str) -> str:
        (folder / "lists/list.csv").write_text(f"href\n{href}\n")
        [(found, _)] = read(folder / "lists/list.csv")
        return found

    def test_are_relative_to_the_list_then_to_the_working_folder(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(folder / "scenes")
        monkeypatch.setenv("HOME", str(folder))
        assert self.listed(folder, "a.tif") == f"{folder}/lists/a.tif"
        assert self.listed(folder, "b 1.tif") == f"{folder}/scenes/b 1.tif"
        assert self.listed(folder, "../scenes/b 1.tif") == f"{folder}/scenes/b 1.tif"
        assert self.listed(folder, "..\\scenes\\b 1.tif") == f"{folder}/scenes/b 1.tif"
        assert self.listed(folder, "~/lists/a.tif") == f"{folder}/lists/a.tif"
        assert self.listed(folder, "gone.tif") == f"{folder}/lists/gone.tif"

    def test_keep_the_name_of_a_link(self, folder: Path) -> None:
        """It may say the year; the folders above it are those that the disk has."""
        (folder / "lists/a_2018.tif").symlink_to("a.tif")
        (folder / "near").symlink_to("lists")
        assert self.listed(folder, "a_2018.tif") == f"{folder}/lists/a_2018.tif"
        assert self.listed(folder, "../near/a_2018.tif") == f"{folder}/lists/a_2018.tif"

    def test_that_lead_to_one_scene_are_one(
        self, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (folder / "near").symlink_to("lists")
        ways = ["a.tif,", "./a.tif,2018", f"{folder}/lists/a.tif,", f"{folder}/near/a.tif,2018"]
        (folder / "lists/list.csv").write_text("\n".join(["href,year", *ways]))
        [(_, year)] = read(folder / "lists/list.csv")
        assert year == 2018
        assert caplog.messages[-1].endswith("list.csv: 3 address(es) lead to a scene listed before")
        (folder / "lists/list.csv").write_text(
            "\n".join(["href,year", *ways, "../lists/a.tif,2012"])
        )
        with pytest.raises(AerialError, match=r"a\.tif twice, of 2018 and of 2012\. Keep one"):
            read(folder / "lists/list.csv")

    def test_may_be_encoded_as_browsers_do(self, folder: Path) -> None:
        assert (
            self.listed(folder, f"file://{folder}/scenes/b%201.tif") == f"{folder}/scenes/b 1.tif"
        )

    @pytest.mark.parametrize("href", ["https://host/a.tif", "abfss://naip@account/a.tif"])
    def test_elsewhere_are_as_they_are(self, folder: Path, href: str) -> None:
        assert self.listed(folder, href) == href

    def test_of_windows_are_refused(self, folder: Path) -> None:
        with pytest.raises(AerialError, match="a path of Windows"):
            self.listed(folder, "D:\\naip\\a.tif")

    def test_in_json_are_relative_too(self, folder: Path) -> None:
        (folder / "lists/list.json").write_text(json.dumps({"scenes": [{"href": "a.tif"}]}))
        assert read(folder / "lists/list.json") == [(f"{folder}/lists/a.tif", None)]


@pytest.mark.parametrize(
    ("name", "content"), [("a.json", '{"scenes": []}'), ("a.csv", "href\n"), ("a.csv", "href,year")]
)
def test_a_list_of_nothing_is_refused(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(AerialError, match=rf"{name} lists no scene"):
        read(tmp_path / name)


def test_a_list_that_is_not_there_says_what_one_is(tmp_path: Path) -> None:
    with pytest.raises(AerialError, match=r"gone\.csv does not exist.*href and year"):
        read(tmp_path / "gone.csv")
