"""Regions: every tile is in the one that contains its centre, and bad layers are named."""

import itertools
import logging

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pyproj import Transformer

from aerial_kedro.errors import AerialError
from aerial_kedro.splits.regions import RegionLayer, check_regions, region_of_tiles
from aerial_kedro.splits.rules import SplitRules
from tests.builders import ORIGIN, TILE, ZONE, cell_of_origin, grid_tiles

COL, ROW = cell_of_origin()
X, Y = ORIGIN
BOW_TIE = shapely.Polygon([(X, Y), (X + 900, Y - 900), (X + 900, Y), (X, Y - 900)])


def layer(
    shapes: dict[str, shapely.Geometry | None], crs: str | None = f"EPSG:{ZONE}"
) -> RegionLayer:
    frame = gpd.GeoDataFrame({"NAME": list(shapes)}, geometry=list(shapes.values()), crs=crs)
    return RegionLayer("counties.gpkg", frame)


def box(left: float, right: float, top: float = 0, bottom: float = 10) -> shapely.Polygon:
    """A rectangle in tiles east and south of the origin."""
    return shapely.box(X + left * TILE, Y - bottom * TILE, X + right * TILE, Y - top * TILE)


def placed(tiles: pd.DataFrame, given: RegionLayer) -> list[str | None]:
    regions = check_regions(given, "NAME")
    half = len(tiles) // 2
    found = region_of_tiles(iter([tiles.iloc[:half], tiles.iloc[half:]]), regions)
    return pd.concat(found)["block_id"].tolist()


TILES = grid_tiles([(COL + c, ROW) for c in range(10)])


class TestPlacing:
    def test_the_centre_decides(self) -> None:
        west_by_centre = layer({"West": box(0, 3.6), "East": box(3.6, 8)})
        assert placed(TILES, west_by_centre) == ["west"] * 4 + ["east"] * 4 + [None] * 2

    @pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", "EPSG:5070", "EPSG:26917"])
    def test_a_layer_in_any_crs(self, crs: str) -> None:
        drawn = layer({"West": box(0, 3.6), "East": box(3.6, 8)})
        assert drawn.frame is not None
        moved = RegionLayer(drawn.path, drawn.frame.to_crs(crs))
        assert placed(TILES, moved) == placed(TILES, drawn)

    def test_tiles_of_two_zones(self) -> None:
        """A county across the border of zones 17 and 18 has tiles of both."""
        to_zones = [Transformer.from_crs(4326, epsg, always_xy=True) for epsg in (26917, 26918)]
        tiles = pd.concat(
            grid_tiles([tuple(int(v // TILE) for v in to.transform(lon, 36.5))], epsg)
            for lon, epsg, to in zip((-78.02, -77.98), (26917, 26918), to_zones, strict=True)
        )
        across = layer({"Across": shapely.box(-78.1, 36.4, -77.9, 36.6)}, "EPSG:4326")
        assert placed(tiles, across) == ["across", "across"]

    @settings(max_examples=20, deadline=None)
    @given(cuts=st.lists(st.floats(0.1, 9.9), min_size=1, max_size=4, unique=True))
    def test_as_one_by_one(self, cuts: list[float]) -> None:
        edges = [0.0, *sorted(cuts), 10.0]
        shapes = {f"r{i}": box(a, b) for i, (a, b) in enumerate(itertools.pairwise(edges))}
        centres = [shapely.Point(X + (c + 0.5) * TILE, Y - TILE / 2) for c in range(10)]
        # Right on a border, rounding decides: those are left out.
        far = [all(abs(c + 0.5 - e) > 1e-6 for e in edges) for c in range(10)]
        expected = [next(n for n, s in shapes.items() if s.intersects(p)) for p in centres]
        found = placed(TILES, layer(shapes))
        assert [f for f, ok in zip(found, far, strict=True) if ok] == [
            e for e, ok in zip(expected, far, strict=True) if ok
        ]

    def test_features_of_one_name_are_one_region(self) -> None:
        frame = gpd.GeoDataFrame(
            {"NAME": ["Isles", "Isles"]}, geometry=[box(0, 2), box(5, 6)], crs=ZONE
        )
        found = placed(TILES, RegionLayer("x", frame))
        assert [i for i, each in enumerate(found) if each == "isles"] == [0, 1, 5]

    def test_codes_read_as_numbers_are_written_whole(self) -> None:
        frame = gpd.GeoDataFrame({"FIPS": [25017.0]}, geometry=[box(0, 10)], crs=ZONE)
        assert check_regions(RegionLayer("x", frame), "FIPS").index.tolist() == ["25017"]


class TestBadLayers:
    def refusal(self, given: RegionLayer, column: str | None = "NAME") -> str:
        with pytest.raises(AerialError) as error:
            check_regions(given, column)
        return str(error.value)

    def test_none(self) -> None:
        assert "regions_path" in self.refusal(RegionLayer())

    def test_without_a_crs(self) -> None:
        assert "-a_srs" in self.refusal(layer({"A": box(0, 1)}, crs=None))

    def test_without_the_column(self) -> None:
        message = self.refusal(layer({"A": box(0, 1)}), "COUNTY")
        assert "'COUNTY'" in message
        assert "there are: NAME" in message

    def test_without_a_geometry(self) -> None:
        assert "without a geometry: Nowhere" in self.refusal(
            layer({"A": box(0, 1), "Nowhere": None})
        )

    def test_lines(self) -> None:
        message = self.refusal(
            layer({"A": box(0, 1), "Road": shapely.LineString([(0, 0), (1, 1)])})
        )
        assert "no polygons: Road (LineString)" in message

    def test_without_a_name(self) -> None:
        frame = gpd.GeoDataFrame({"NAME": ["A", None]}, geometry=[box(0, 1), box(1, 2)], crs=ZONE)
        assert "without a name in the column 'NAME': number 2" in self.refusal(
            RegionLayer("x", frame)
        )

    def test_overlapping(self) -> None:
        message = self.refusal(layer({"A": box(0, 3), "B": box(2, 5), "C": box(5, 6)}))
        assert "1 pair(s) of overlapping regions: A and B" in message

    def test_slivers_are_no_overlap(self) -> None:
        check_regions(layer({"A": box(0, 3.0005), "B": box(3, 6)}), "NAME")

    def test_names_that_cannot_be_told_apart(self) -> None:
        message = self.refusal(layer({"St. Mary": box(0, 1), "St Mary": box(1, 2)}))
        assert "['St Mary', 'St. Mary']" in message

    def test_a_crossed_ring_is_mended_aloud(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING):
            regions = check_regions(layer({"Tie": BOW_TIE, "B": box(5, 6)}), "NAME")
        assert "1 feature(s) whose rings cross themselves: Tie" in caplog.text
        assert regions.is_valid.all()
        # Both wings of the tie are kept.
        assert regions.iloc[1].area == pytest.approx(900 * 900 / 2)

    def test_a_ring_that_encloses_nothing(self) -> None:
        flat = shapely.Polygon([(X, Y), (X + 9, Y), (X, Y)])
        assert "encloses nothing: Flat" in self.refusal(layer({"Flat": flat}))


class TestRules:
    GIVEN = {"validation": 0.2, "test": 0.2, "block_size_m": 1, "buffer_m": 0}  # noqa: RUF012

    def test_regions_need_their_column(self) -> None:
        with pytest.raises(ValidationError, match="region_column"):
            SplitRules(**self.GIVEN, unit="region")

    def test_fixed_regions_need_regions(self) -> None:
        with pytest.raises(ValidationError, match="unit=region"):
            SplitRules(**self.GIVEN, test_regions=["A"])

    def test_a_region_has_one_split(self) -> None:
        with pytest.raises(ValidationError, match="named twice"):
            SplitRules(
                **self.GIVEN,
                unit="region",
                region_column="NAME",
                test_regions=["A"],
                validation_regions=["A"],
            )

    @pytest.mark.parametrize(
        ("given", "read"), [("A / B C", ("A", "B C")), (25017, ("25017",)), ([1, "x"], ("1", "x"))]
    )
    def test_names_as_the_command_line_gives_them(self, given: object, read: tuple) -> None:
        rules = SplitRules.model_validate(
            {**self.GIVEN, "unit": "region", "region_column": "N", "test_regions": given}
        )
        assert rules.test_regions == read


def test_a_place_that_the_layers_crs_cannot_hold_is_outside() -> None:
    tiles = TILES.assign(lon=np.nan)
    assert placed(tiles, layer({"A": box(0, 10)})) == [None] * len(tiles)
