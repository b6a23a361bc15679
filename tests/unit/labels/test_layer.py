"""Labels of one's own as files have them: what is found, what is refused, what is said."""

from __future__ import annotations

import logging
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pydantic import ValidationError

from aerial_kedro.errors import AerialError
from aerial_kedro.labels.classes import read_legend
from aerial_kedro.labels.layer import (
    LabelLayer,
    LabelTable,
    classes_of_labels,
    read_labels,
)
from aerial_kedro.labels.rules import LabelRules
from aerial_kedro.maps.drawing import Raster, describe_classes
from aerial_kedro.report.colours import class_colours
from tests.builders import CLASSES, ORIGIN, ZONE

X, Y = ORIGIN
BOW_TIE = shapely.Polygon([(X, Y), (X + 90, Y - 90), (X + 90, Y), (X, Y - 90)])


def table(rows: int = 4, **columns: Any) -> LabelTable:
    """A CSV of points as it was read: all text."""
    given = {"lon": [f"-7{i % 9}.5" for i in range(rows)], "lat": ["40.5"] * rows} | columns
    return LabelTable("labels.csv", pd.DataFrame(given).astype(str))


def vector(shapes: list[Any], crs: str | int | None = ZONE, **columns: list[Any]) -> LabelTable:
    given = columns or {
        "class": ["Corn", "Soy"] * (len(shapes) // 2) + ["Corn"] * (len(shapes) % 2)
    }
    return LabelTable("labels.gpkg", gpd.GeoDataFrame(given, geometry=shapes, crs=crs))


def read(given: LabelTable, **settings: Any) -> LabelLayer:
    return read_labels(given, LabelRules(min_purity=0.7, **settings))


def point(east: float = 0, south: float = 0) -> shapely.Point:
    return shapely.Point(X + east, Y - south)


def refused(given: LabelTable, match: str, **settings: Any) -> None:
    with pytest.raises(AerialError, match=match) as error:
        read(given, **settings)
    assert "\n" not in str(error.value)
    assert given.path
    assert given.path in str(error.value)


FOUR = ["Corn", "Corn", "Soy", "Soy"]


class TestClassColumn:
    @pytest.mark.parametrize(
        "name", ["class", "CLASS", "Class_Name", "label", "Landcover", "land_cover", " class "]
    )
    def test_found_by_its_name(self, name: str) -> None:
        layer = read(table(**{name: FOUR, "note": ["a", "b", "c", "d"]}))
        assert layer.class_column == name
        assert layer.frame["class_name"].tolist() == FOUR

    def test_found_as_the_only_text_with_few_values(self) -> None:
        assert read(table(crop=FOUR, farm=list("abcd"), area=["1.5"] * 4)).names == ["Corn", "Soy"]

    def test_given(self) -> None:
        layer = read(table(**{"class": FOUR, "Crop": ["a", "b", "b", "a"]}), class_column="crop")
        assert layer.names == ["a", "b"]

    def test_two_are_named(self) -> None:
        refused(table(label=FOUR, landcover=FOUR), "2 columns that may.*label, landcover.*Say")
        refused(table(crop=FOUR, soil=FOUR), "2 columns that may.*crop, soil")

    def test_none_is_found(self) -> None:
        refused(table(note=list("abcd"), height=["1", "2", "1", "2"]), "there are: lon, .*height")

    def test_the_given_one_is_not_there(self) -> None:
        refused(table(crop=FOUR), "no column 'kind'.*class_column.*crop", class_column="kind")


class TestClasses:
    def test_blanks_around_names_are_no_part_of_them(self) -> None:
        layer = read(table(**{"class": ["Corn", " Corn", "Soy ", "Soy"]}))
        assert layer.names == ["Corn", "Soy"]
        assert layer.spellings == ()

    def test_blank_ones_are_left_out_and_counted(self, caplog: pytest.LogCaptureFixture) -> None:
        layer = read(table(6, **{"class": [*FOUR, "", "  "]}))
        assert layer.left_out == {"without a class": 2}
        assert layer.frame["row"].tolist() == [1, 2, 3, 4]
        assert "2 of 6 rows teach nothing: 2 without a class" in caplog.text

    def test_spellings_are_said_and_not_merged(self, caplog: pytest.LogCaptureFixture) -> None:
        layer = read(table(**{"class": ["Row crop", "row_crop", "Soy", "Soy"]}))
        assert layer.names == ["Row crop", "Soy", "row_crop"]
        assert layer.spellings == (("Row crop", "row_crop"),)
        assert "'Row crop', 'row_crop'. They are taken as different" in caplog.text

    @pytest.mark.parametrize("values", [["1", "2", "2", "1"], ["1.0", "2.0", "2.0", "1.0"]])
    def test_whole_numbers_are_names_and_said(
        self, caplog: pytest.LogCaptureFixture, values: list[str]
    ) -> None:
        assert read(table(**{"class": values})).names == ["1", "2"]
        assert "by numbers (1, 2)" in caplog.text
        shapes = [point()] * 4
        assert read(vector(shapes, **{"class": [1.0, 2.0, None, 2.0]})).names == ["1", "2"]

    def test_numbers_with_fractions_are_refused(self) -> None:
        refused(table(**{"class": ["0.5", "1", "2", "2"]}), "fractions .*'class': 0.5")

    @pytest.mark.parametrize("name", ["Corn, late", "Corn,late", "Corn\nlate", "Corn\x07late"])
    def test_a_name_that_a_map_cannot_carry_is_refused(self, name: str) -> None:
        refused(table(**{"class": [name, "Soy", "Soy", "Soy"]}), "called 'Corn.*cannot hold a")

    @pytest.mark.parametrize("name", ["<script>alert(1)</script>", "Öl & Wein", "2 rows", "NA"])
    def test_any_other_name_goes_to_the_map_and_back(self, name: str) -> None:
        names = classes_of_labels(read(table(**{"class": [name, "Soy"] * 2})), None).names
        raster = Raster(np.zeros((2, 1, 1), np.uint8), None, "EPSG:26918", 0)  # type: ignore[arg-type]
        tags = describe_classes(raster, names, class_colours(names)).tags
        assert [each for _, each in read_legend(tags["CLASSES"], "map.tif")] == names


class TestYears:
    @pytest.mark.parametrize("name", ["year", "Year", "DATE", "datetime"])
    @pytest.mark.parametrize(
        "value",
        ["2018", "2018.0", "2018-07-04", "2018/7/4", "2018-07", "20180704", "2018-07-04T10:00:00Z"],
    )
    def test_of_years_and_dates(self, name: str, value: str) -> None:
        layer = read(table(**{"class": FOUR, name: [value, "", value, value]}))
        assert layer.year_column == name
        assert layer.frame["year"].fillna(0).tolist() == [2018, 0, 2018, 2018]

    def test_of_a_column_of_dates(self) -> None:
        dates = pd.to_datetime(["2018-07-04", None, "2020-01-01", "2020-01-01"])
        layer = read(vector([point()] * 4, **{"class": FOUR, "date": dates}))
        assert layer.frame["year"].fillna(0).tolist() == [2018, 0, 2020, 2020]

    @pytest.mark.parametrize("value", ["last summer", "18", "2518", "1850-01-01", "2018.5"])
    def test_anything_else_is_refused_with_its_row(self, value: str) -> None:
        refused(table(**{"class": FOUR, "year": ["2018", "2018", value, ""]}), r"\(row 3\)")

    def test_two_columns_must_agree(self) -> None:
        years, dates = ["2018"] * 4, ["2018-01-01"] * 4
        assert read(table(**{"class": FOUR, "year": years, "date": dates})).year_column == "year"
        given = table(**{"class": FOUR, "year": years, "date": [*dates[:3], "2019-01-01"]})
        refused(given, "'year' and 'date', that differ in 1 rows, the first of them number 4")
        assert read(given, year_column="date").frame["year"].tolist() == [2018, 2018, 2018, 2019]

    def test_none(self) -> None:
        layer = read(table(**{"class": FOUR}))
        assert layer.year_column is None
        assert layer.frame["year"].isna().all()


class TestPlaces:
    @pytest.mark.parametrize(
        "names", [("lon", "lat"), ("Longitude", "Latitude"), ("X", "Y"), ("LNG", "LAT")]
    )
    def test_of_a_table(self, names: tuple[str, str]) -> None:
        frame = pd.DataFrame({"class": FOUR, names[0]: ["-76.5"] * 4, names[1]: ["40.25"] * 4})
        layer = read(LabelTable("l.csv", frame))
        assert layer.frame.geometry[0].equals(shapely.Point(-76.5, 40.25))

    def test_of_a_table_without(self) -> None:
        refused(LabelTable("l.csv", pd.DataFrame({"class": FOUR})), "a table without places")

    def test_blank_ones_are_left_out(self) -> None:
        layer = read(table(**{"class": FOUR, "lon": ["-76.5", "", "-76.5", "-76.5"]}))
        assert layer.left_out == {"without a place": 1}

    def test_no_numbers_are_refused(self) -> None:
        given = table(**{"class": FOUR, "lon": ["-76,5", "", "-76.5", "-76.5"]})
        refused(given, r"'-76,5' in its column 'lon' \(row 1\)")

    @pytest.mark.parametrize("crs", [4326, 3857, 5070, 26917, 4269])
    def test_of_any_crs(self, crs: int) -> None:
        shapes = gpd.GeoSeries([point(), shapely.box(X, Y - 90, X + 90, Y)], crs=ZONE)
        layer = read(vector(list(shapes.to_crs(crs)), crs=crs))
        assert layer.frame.crs == 4326
        back = layer.frame.geometry.to_crs(ZONE)
        assert back[0].distance(shapes[0]) < 0.01
        assert back[1].hausdorff_distance(shapes[1]) < 0.01

    def test_no_crs_is_refused(self) -> None:
        refused(vector([point(), point()], crs=None), "no coordinate reference system.*-a_srs")

    def test_swapped_is_refused(self) -> None:
        refused(table(**{"class": FOUR, "lon": ["40.5"] * 4, "lat": ["-118.5"] * 4}), "swapped")
        refused(vector([shapely.Point(40.5, -118.5)] * 2, crs=4326), "swapped")

    def test_metres_are_no_degrees(self) -> None:
        refused(vector([point(), point()], crs=4326), "in degrees, and has 2 rows that are not")

    def test_empty_and_missing_shapes_are_left_out(self) -> None:
        layer = read(vector([point(), point(), None, shapely.Point()]))
        assert layer.left_out == {"without a place": 2}

    def test_lines_are_left_out_by_name(self) -> None:
        line = shapely.LineString([(X, Y), (X + 9, Y)])
        layer = read(vector([point(), point(), line, shapely.MultiLineString([line])]))
        assert layer.left_out == {
            "of shape LINESTRING, neither point nor polygon": 1,
            "of shape MULTILINESTRING, neither point nor polygon": 1,
        }
        refused(vector([line, line]), "none of them teaches: 2 of shape LINESTRING")

    def test_crossing_rings_are_mended_and_said(self, caplog: pytest.LogCaptureFixture) -> None:
        layer = read(vector([BOW_TIE, point()]))
        assert layer.mended == 1
        assert layer.frame.geometry.is_valid.all()
        area = layer.frame.geometry.to_crs(ZONE).area.sum()
        assert area == pytest.approx(shapely.make_valid(BOW_TIE).area, rel=1e-3)
        assert "1 polygon(s) whose rings cross themselves. They were mended" in caplog.text

    def test_a_polygon_that_encloses_nothing(self) -> None:
        flat = shapely.Polygon([(X, Y), (X + 9, Y), (X, Y)])
        assert read(vector([flat, point()])).left_out == {"polygons that enclose nothing": 1}

    def test_parts_share_their_row(self) -> None:
        points = shapely.MultiPoint([(X, Y), (X + 9, Y)])
        areas = shapely.MultiPolygon(
            [shapely.box(X, Y, X + 9, Y + 9), shapely.box(X, Y, X - 9, Y - 9)]
        )
        assert read(vector([points, areas])).frame["row"].tolist() == [1, 1, 2, 2]

    def test_long_edges_bend_as_their_crs_has_it(self) -> None:
        """The middle of an edge of 40 km in UTM is 25 m off where only its ends are projected."""
        layer = read(vector([shapely.box(X, Y, X + 40_000, Y + 50), point()]))
        middle = gpd.GeoSeries([shapely.Point(X + 20_000, Y)], crs=ZONE).to_crs(4326)[0]
        assert layer.frame.geometry[0].boundary.distance(middle) < 1e-6  # a decimetre

    def test_a_shore_of_many_corners_is_cut_and_stays_whole(self) -> None:
        angle = np.linspace(0, 2 * np.pi, 20_000, endpoint=False)
        reach = 3000 + 40 * np.sin(400 * angle)
        corners = np.stack([X + reach * np.cos(angle), Y + reach * np.sin(angle)], axis=1)
        lake = shapely.Polygon(corners, [shapely.box(X, Y, X + 500, Y + 500).exterior.coords])
        layer = read(vector([lake, point()]))
        assert len(layer.frame) > 100
        assert set(layer.frame["row"]) == {1, 2}
        areas = layer.frame.geometry.to_crs(ZONE)
        assert areas.area.sum() == pytest.approx(lake.area, rel=1e-6)
        assert shapely.union_all(areas.to_numpy()[:-1]).area == pytest.approx(lake.area, rel=1e-6)
        # A piece of about two tiles may keep its corners.
        assert np.median(shapely.get_num_coordinates(areas.to_numpy())) < 300


class TestThePagesFile:
    ROWS = (
        ("Corn", ""), ("", ""), ("Soy", "unsure; trees?"), ("", "unsure"), ("Corn", "mixed"),
        ("Soy", "seen from the road; unsure"), ("Soy", "Mixed forest beside it"),
    )  # fmt: skip

    def given(self) -> LabelTable:
        names, remarks = zip(*self.ROWS, strict=True)
        return table(
            len(names), sample_id=list("1234567"), cell_id=["t#01"] * 7, year=["2018"] * 7,
            **{"class": names, "alternate": ["Oats"] * 7, "remark": remarks},
        )  # fmt: skip

    def test_what_is_not_answered_unsure_or_mixed_teaches_nothing(self) -> None:
        layer = read(self.given())
        assert layer.frame["row"].tolist() == [1, 6, 7]
        assert layer.left_out == {"marked mixed": 1, "marked unsure": 2, "without a class": 1}


class TestTheWhole:
    def test_no_file_is_no_labels(self) -> None:
        layer = read(LabelTable())
        assert not layer.is_given
        assert len(layer.frame) == 0
        assert layer.names == []

    def test_an_empty_file_is_refused(self) -> None:
        refused(table(0, **{"class": []}), "is empty")
        refused(vector([], **{"class": []}), "is empty")

    def test_one_that_teaches_nothing_is_refused(self) -> None:
        refused(table(2, **{"class": ["", ""]}), "2 rows, and none of them teaches: 2 without a cl")

    def test_what_was_read_is_said(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        read(table(**{"class": FOUR}))
        assert "4 labels of 2 classes, from the column 'class'; years from no column" in caplog.text

    def test_colours_are_hexadecimal(self) -> None:
        assert LabelRules(min_purity=0.7, colours={"Corn": "#ffCC00"}).colours == {
            "Corn": "#ffCC00"
        }
        with pytest.raises(ValidationError, match="colours"):
            LabelRules(min_purity=0.7, colours={"Corn": "red; x"})


class TestClassTable:
    def layer(self, *names: str) -> LabelLayer:
        return read(table(2 * len(names), **{"class": [*names, *names]}))

    def test_of_the_file_alone(self) -> None:
        found = classes_of_labels(self.layer("Soy", "Corn", "Forest"), None)
        assert found.codes == {"Corn": [1], "Forest": [2], "Soy": [3]}
        assert found.trained == ["Corn", "Forest", "Soy"]

    def test_with_a_land_cover_its_table_comes_first(self) -> None:
        found = classes_of_labels(self.layer("Soy", "Corn", "Forest"), CLASSES)
        assert found.names == [*CLASSES.names, "Corn", "Soy"]
        assert found.codes["Forest"] == CLASSES.codes["Forest"]
        assert found.codes["Corn"] == [128]  # beyond every code and background of the table
        assert (found.excluded, found.background) == (CLASSES.excluded, CLASSES.background)

    def test_one_class_is_refused_where_there_is_no_other(self) -> None:
        with pytest.raises(AerialError, match="one class only, 'Corn'"):
            classes_of_labels(self.layer("Corn"), None)
        assert classes_of_labels(self.layer("Corn"), CLASSES).names[-1] == "Corn"

    def test_unsure_is_the_maps_own_word(self) -> None:
        with pytest.raises(AerialError, match=r"labels\.csv: a class cannot be called 'unsure'"):
            classes_of_labels(self.layer("Corn", "unsure"), None)

    def test_a_map_holds_255(self) -> None:
        names = [f"class {i}" for i in range(256)]
        assert len(classes_of_labels(self.layer(*names[:255]), None).names) == 255
        with pytest.raises(AerialError, match="256 classes in the column 'class'"):
            classes_of_labels(self.layer(*names), None)
