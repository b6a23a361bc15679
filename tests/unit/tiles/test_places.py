"""Places of a folder's tiles: what a table beside them may say, and what it may not."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from aerial_kedro.errors import AerialError
from aerial_kedro.tiles.places import FolderPlaces, read_places

HEADING = "filename,llcrnrlat,llcrnrlon,urcrnrlat,urcrnrlon"
SQUARE = "42.400,-71.400,42.402,-71.397"
HREF = "/tiles/tile_summaries.csv"


def read(*rows: str, paths: tuple[str, ...] = ("a.png",), heading: str = HEADING) -> FolderPlaces:
    return read_places("\n".join([heading, *rows]).encode(), HREF, paths)


def refuse(match: str, *rows: str, **options: object) -> None:
    with pytest.raises(AerialError, match=match) as refusal:
        read(*rows, **options)  # type: ignore[arg-type]
    assert HREF in str(refusal.value)


@given(lon=st.floats(-179.9, 179.9), lat=st.floats(-79, 83), size=st.floats(50, 500))
def test_a_square_comes_back_from_its_corners_in_degrees(
    lon: float, lat: float, size: float
) -> None:
    zone = int((lon + 180) // 6) % 60 + 1
    epsg = (26900 if zone <= 23 else 32600) + zone if lat >= 0 else 32700 + zone
    to_degrees = Transformer.from_crs(epsg, 4326, always_xy=True)
    x, y = to_degrees.transform(lon, lat, direction="INVERSE")
    west, south = to_degrees.transform(x - size / 2, y - size / 2)
    east, north = to_degrees.transform(x + size / 2, y + size / 2)
    square = read(f"a.png,{south},{west},{north},{east}").squares.loc["a.png"]
    if square.epsg != epsg:  # the middle of the corners lies on the other side of a border
        assert min(abs(lon / 6 - round(lon / 6)), abs(lat)) < 0.01
        return
    found = (square.xmin, square.ymin, square.xmax, square.ymax)
    expected = (x - size / 2, y - size / 2, x + size / 2, y + size / 2)
    assert found == pytest.approx(expected, abs=0.01)
    assert (square.lon, square.lat) == pytest.approx((lon, lat), abs=1e-3)


class TestNames:
    def test_a_base_name_is_found_in_any_folder(self) -> None:
        places = read(f"a.png,{SQUARE}", paths=("train/Forest/a.png", "b.png"))
        assert set(places.squares.index) == {"train/Forest/a.png"}

    @pytest.mark.parametrize("name", ["x/a.png", r"x\a.png", "./x/a.png", ' "x/a.png"'])
    def test_a_path_below_the_folder_is_found(self, name: str) -> None:
        places = read(f"{name},{SQUARE}", paths=("x/a.png", "y/a.png"))
        assert set(places.squares.index) == {"x/a.png"}

    def test_an_image_at_the_root_is_meant_by_its_name(self) -> None:
        assert set(read(f"a.png,{SQUARE}", paths=("a.png", "y/a.png")).squares.index) == {"a.png"}

    def test_a_name_of_several_images_is_refused(self) -> None:
        refuse(
            "names a.png, and 2 images.*x/a.png", f"a.png,{SQUARE}", paths=("x/a.png", "y/a.png")
        )

    def test_rows_without_an_image_are_kept_apart(self) -> None:
        places = read(f"a.png,{SQUARE}", f"gone.png,{SQUARE}", f"x/a.png,{SQUARE}")
        assert places.without_file == ("gone.png", "x/a.png")

    def test_a_table_of_another_folder_is_refused(self) -> None:
        refuse("None of the 1 rows.*'b.png'", f"b.png,{SQUARE}")

    def test_a_table_without_rows_places_nothing(self) -> None:
        places = read()
        assert places.squares.empty
        assert (places.without_file, places.repeated) == ((), 0)

    def test_a_row_twice_is_counted(self) -> None:
        assert read(f"a.png,{SQUARE}", f"./a.png,{SQUARE}").repeated == 1

    def test_rows_that_contradict_each_other_are_refused(self) -> None:
        refuse(
            "Row 2 .*a.png in another place",
            f"a.png,{SQUARE}", "a.png,42.500,-71.400,42.502,-71.397",
        )  # fmt: skip


class TestCorners:
    @pytest.mark.parametrize(
        ("corners", "problem"),
        [
            ("42.402,-71.400,42.400,-71.397", "not south-west"),
            ("42.400,-71.397,42.402,-71.400", "not south-west"),
            ("42.400,-71.400,42.400,-71.397", "not south-west"),
            ("-71.400,42.400,-71.397,242.402", "outside -180…180"),
            ("92.400,-71.400,92.402,-71.397", "outside -80…84"),
            ("42.400,nan,42.402,-71.397", "missing or no number"),
            ("42.400,,42.402,-71.397", "llcrnrlon=empty"),
            ("42.400,inf,42.402,-71.397", "missing or no number"),
            ("north,-71.400,42.402,-71.397", "llcrnrlat=north"),
            ("42.400,-71.400,44.402,-71.397", "more than 1 degree"),
            ("42.400,-71.400,42.430,-71.397", "10 times as wide or high"),
        ],
    )
    def test_corners_that_make_no_tile_are_refused_by_row(self, corners: str, problem: str) -> None:
        rows = [f"a{number}.png,{SQUARE}" for number in range(4)]
        paths = tuple(f"a{number}.png" for number in range(5))
        refuse("Row 5 below the heading", *rows, f"a4.png,{corners}", paths=paths)
        refuse(rf"\(a4\.png\).*{problem}", *rows, f"a4.png,{corners}", paths=paths)


class TestTables:
    def test_headings_may_be_spaced_in_any_order_and_with_others(self) -> None:
        heading = "\ufeffID, URCRNRLON ,urcrnrlat,llcrnrlon,llcrnrlat,FileName"
        places = read("7,-71.397,42.402,-71.4,42.4, a.png", heading=heading)
        plain = read(f"a.png,{SQUARE}")
        pd.testing.assert_frame_equal(places.squares, plain.squares)
        assert (places.without_file, places.repeated) == (plain.without_file, plain.repeated)

    def test_columns_that_are_missing_are_named(self) -> None:
        refuse(
            "lacks the column.*urcrnrlon; it has", heading="filename,llcrnrlat,llcrnrlon,urcrnrlat"
        )

    @pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b'filename,a\n"x,1\n'])
    def test_what_is_no_table_is_refused(self, content: bytes) -> None:
        with pytest.raises(AerialError, match=r"tile_summaries\.csv"):
            read_places(content, HREF, ("a.png",))
