"""What becomes of labels is counted, and what makes no sense with these scenes is refused."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

from aerial_kedro.datasets.labels import LabelFileDataset
from aerial_kedro.errors import AerialError
from aerial_kedro.labels.checks import bounds_of_tiles, check_enough, check_places, check_years
from aerial_kedro.labels.layer import (
    LabelLayer,
    LabelTable,
    classes_of_labels,
    read_labels,
)
from aerial_kedro.labels.placing import PLACED_COLUMNS, find_labelled_cells
from aerial_kedro.labels.rules import LabelRules
from aerial_kedro.labels.summary import LabelSummary, summarise_labels
from aerial_kedro.labels.teaching import TeachingLabels
from aerial_kedro.scenes.reader import SceneReader
from aerial_kedro.tiles.catalog import tiles_of_scene
from tests.builders import ORIGIN, grid_tiles, read_scene_header
from tests.unit.labels.test_placing import COL, NAMES, ROW, TWO_BY_TWO, box, layer

X, Y = ORIGIN
BOUNDS = bounds_of_tiles(TWO_BY_TWO)
FAR = shapely.Point(X + 90_000, Y)


def summary(labels: LabelLayer, tiles: pd.DataFrame = TWO_BY_TWO) -> LabelSummary:
    teaching = TeachingLabels.of(labels, NAMES)
    frames = [pd.DataFrame(columns=list(PLACED_COLUMNS))]
    frames += find_labelled_cells(iter([tiles]), teaching, 0.75)
    return summarise_labels(labels, pd.concat(frames, ignore_index=True), NAMES)


class TestPlaces:
    def test_those_outside_are_counted_and_said(self, caplog: pytest.LogCaptureFixture) -> None:
        assert check_places(layer([box(1, 1), FAR, FAR], "ABA"), BOUNDS) == 2
        assert "2 of 3 labels outside all scenes (rows 2, 3)" in caplog.text

    def test_a_label_that_reaches_inside_is_not_outside(self) -> None:
        assert check_places(layer([box(-3, -3, 4, 4), FAR], "AB"), BOUNDS) == 1

    def test_all_outside_is_refused_with_both_places(self) -> None:
        with pytest.raises(AerialError, match=r"gpkg has no label .*labels lie in lon .*scenes in"):
            check_places(layer([FAR, FAR], "AB"), BOUNDS)

    def test_swapped_is_told(self) -> None:
        """Where 40, -78 swapped are degrees all the same, the scenes tell."""
        lon, lat = BOUNDS[0, :2] + 1e-4
        table = pd.DataFrame({"class": ["A", "B"], "lon": [f"{lat}"] * 2, "lat": [f"{lon}"] * 2})
        labels = read_labels(LabelTable("l.csv", table), LabelRules(min_purity=0.7))
        with pytest.raises(AerialError, match=r"l\.csv has longitude and latitude swapped"):
            check_places(labels, BOUNDS)


class TestYears:
    def test_those_that_no_scene_has_are_named(self, caplog: pytest.LogCaptureFixture) -> None:
        labels = layer([box(1, 1)] * 4, "ABAB", [2011, 2011, 2018, None])
        assert check_years(labels, [2018, 2020]) == {2011: 2}
        assert "2011 (2 label(s)). They teach nothing; scenes are of 2018, 2020" in caplog.text

    def test_no_other_is_refused(self) -> None:
        with pytest.raises(
            AerialError, match=r"labels of 2011 \(1 label\(s\)\), 2013 .* are of 2018"
        ):
            check_years(layer([box(1, 1)] * 2, "AB", [2011, 2013]), [2018])

    def test_labels_without_a_year_are_of_every_year(self) -> None:
        assert check_years(layer([box(1, 1)] * 2, "AB"), [2018]) == {}


class TestCounts:
    def test_every_label_is_told_once(self) -> None:
        shapes = [
            box(1, 1, 2, 1), box(1, 4), box(1, 4).centroid, box(5, 5, 0.3), box(5, 6, 0.4),
            box(5.4, 6, 0.4), FAR, box(9, 9), box(9, 9), box(1, 1, 0.2),
        ]  # fmt: skip
        years = [None] * 8 + [2011, 2018]
        found = summary(layer(shapes, "ABCAABAABC", years))
        assert found.labels == len(shapes)
        assert (found.labelling, found.too_small, found.of_other_years, found.outside) == (
            2,
            6,
            1,
            1,
        )
        assert (found.contradictory, found.mixed, found.partly) == (1, 1, 1)
        assert found.dated == 2
        assert {name: each.labels for name, each in found.classes.items()} == {
            "A": 5,
            "B": 3,
            "C": 2,
        }
        assert found.classes["A"].cells == {2018: 3}
        told = " ".join(found.sentences)
        assert "outside all tiles of the scenes: 1." in told
        assert "Labels of no cell" in told
        assert "Labels without a year, which teach every year of scenes: 8." in told

    def test_cells_are_counted_by_year_and_as_places(self) -> None:
        tiles = pd.concat([TWO_BY_TWO, grid_tiles([(COL, ROW)], year=2020)])
        found = summary(layer([box(6, 1, 2, 1), box(1, 1)], "AB"), tiles).classes["A"]
        assert (found.labels, found.cells, found.places) == (1, {2018: 2, 2020: 1}, 2)

    def test_what_was_left_out_and_mended_goes_along(self) -> None:
        table = pd.DataFrame({"class": ["A", "", "a"], "lon": ["-75.0"] * 3, "lat": ["40.0"] * 3})
        labels = read_labels(LabelTable("l.csv", table), LabelRules(min_purity=0.7))
        found = summarise_labels(labels, pd.DataFrame(columns=list(PLACED_COLUMNS)), ["A", "a"])
        assert (found.rows, found.left_out, found.outside) == (3, {"without a class": 1}, 2)
        told = " ".join(found.sentences)
        assert "Rows without a class: 1." in told
        assert "taken as different: 'A', 'a'." in told
        assert LabelSummary.model_validate_json(found.model_dump_json()) == found


class TestEnough:
    def test_a_class_with_fewer_than_five_is_refused_by_name(self) -> None:
        few = summary(layer([box(0, 0, 5, 1), box(0, 3, 4, 1), FAR], "ABB"))
        with pytest.raises(
            AerialError, match=r"fewer than 5 labelled cells of: 'B' \(4\).*outside"
        ):
            check_enough(few)
        check_enough(few, held=["B"])

    def test_a_cell_in_two_years_is_one(self) -> None:
        tiles = pd.concat([TWO_BY_TWO, TWO_BY_TWO.assign(year=2020, image_id="other")])
        with pytest.raises(AerialError, match=r"'B' \(4\)"):
            check_enough(summary(layer([box(0, 0, 5, 1), box(0, 3, 4, 1)], "AB"), tiles))

    def test_five_are_enough(self) -> None:
        check_enough(summary(layer([box(0, 0, 5, 1), box(0, 3, 5, 1)], "AB")))


@pytest.mark.shared_data
def test_real_points_label_the_scenes_they_were_counted_in(
    shared_data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each of 4,000 points lies in its scene; tiles of 50 m cover nearly half of its ground."""
    caplog.set_level(logging.INFO)
    path = shared_data / "points" / "california_tree_cells.csv"
    labels = read_labels(LabelFileDataset(path=str(path)).load(), LabelRules(min_purity=0.7))
    classes = classes_of_labels(labels, None)
    assert classes.names == ["few trees", "many trees", "no tree"]
    assert (
        "4,000 labels of 3 classes, from the column 'class'; years from the column" in caplog.text
    )
    files = sorted((shared_data / "naip" / "california").glob("*.tif"))
    scenes = [read_scene_header(each, None) for each in files]
    tiles = pd.concat([tiles_of_scene(each, 50.0, SceneReader()) for each in scenes])
    tiles = tiles.drop_duplicates("image_id")
    assert check_places(labels, bounds_of_tiles(tiles)) > 0
    assert check_years(labels, tiles["year"].unique().tolist()) == {}
    teaching = TeachingLabels.of(labels, classes.names)
    placed = pd.concat(find_labelled_cells(iter([tiles]), teaching, 0.75), ignore_index=True)
    found = summarise_labels(labels, placed, classes.names)
    check_enough(found)
    assert found.labelling + found.outside + found.of_other_years + found.too_small == 4000
    assert found.labelling > 1500
    assert sorted(found.classes["no tree"].cells) == [2016, 2018, 2020]
    # A point labels one cell of the tile and year that it was counted in.
    rows = placed[placed["found"] == "labelled"].explode("rows")
    table = pd.read_csv(path)
    assert (table["year"].to_numpy()[rows["rows"].to_numpy(int) - 1] == rows["year"]).all()
    names = np.array(classes.names)[rows["label"].to_numpy(int) - 1]
    assert (table["class"].to_numpy()[rows["rows"].to_numpy(int) - 1] == names).all()
