"""Rasters of embeddings: where they lie, what is drawn, and the item that describes them."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import numpy as np
import pystac
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from aerial_kedro.cells.grid import pack
from aerial_kedro.errors import AerialError
from aerial_kedro.features.embedding_item import describe_item
from aerial_kedro.features.embeddings import (
    NODATA,
    EmbeddingGrid,
    band_names,
    cells_of,
    draw_row,
    raster_tags,
)
from tests.unit.features.embedding_builders import (
    COMPONENTS,
    TILE,
    cells_of_place,
    embedding,
    source_with_cells,
    source_without_cells,
)

GRID = EmbeddingGrid(2018, 26918, 2232 * TILE, 18036 * TILE, TILE, rows=4, columns=6)
NAMES = ("pc01", "pc02", "pc03")


class TestGrid:
    def test_cells_of_a_tile_are_squares_of_32_m(self) -> None:
        assert GRID.cell_size_m == 32
        assert GRID.shape == (28, 42)
        assert GRID.bounds == (2232 * TILE, 18032 * TILE, 2238 * TILE, 18036 * TILE)

    @given(st.integers(0, 3), st.integers(0, 5))
    def test_the_first_pixel_of_a_tile_has_its_corner(self, row: int, column: int) -> None:
        x, y = GRID.transform @ (column * 7, row * 7)
        assert (GRID.column_of(x), GRID.row_of(y)) == (column, row)
        assert (x, y) == (GRID.xmin + column * TILE, GRID.ymax - row * TILE)

    def test_files_are_named_by_year_and_zone(self) -> None:
        assert GRID.name == "embeddings_2018_26918"


class TestRow:
    def test_north_and_west_are_first_and_gaps_have_no_data(self) -> None:
        first, second = cells_of_place(1, 0), cells_of_place(4, 0)
        packed = pack(np.stack([first, second]))
        tiles = [(GRID.xmin + 1 * TILE, packed[0]), (GRID.xmin + 4 * TILE, packed[1])]
        strip = draw_row(tiles, GRID, COMPONENTS)
        assert strip.shape == (COMPONENTS, 7, 42)
        assert (strip[:, :, 7:14] == first.transpose(2, 0, 1)).all()
        assert (strip[:, :, 28:35] == second.transpose(2, 0, 1)).all()
        rest = np.r_[0:7, 14:28, 35:42]
        assert (strip[:, :, rest] == NODATA).all()

    def test_cells_of_another_length_are_refused_with_the_place(self) -> None:
        with pytest.raises(AerialError, match=r"2018 at x = 499968 m .* 98 bytes .* 49 x 3"):
            draw_row([(GRID.xmin, bytes(98))], GRID, COMPONENTS)


def test_bands_are_numbered_so_that_names_sort() -> None:
    assert band_names(embedding(12))[:2] == ["pc01", "pc02"]
    assert band_names(embedding(12))[-1] == "pc12"


def test_tags_say_what_made_the_numbers() -> None:
    source = source_with_cells()
    assert (
        raster_tags(source).items()
        >= {
            "BACKBONE": "efficientnet_lite0",
            "WEIGHTS_SHA256": "a" * 64,
            "FEATURE_KEY": source.key,
            "CELL_LAYERS": "blocks.4, conv_head",
            "EXPLAINED_VARIANCE": "0.8750",
        }.items()
    )


def test_a_network_without_cells_is_refused_with_the_remedy() -> None:
    with pytest.raises(AerialError, match=r"without embeddings of cells.*--pipeline=featurization"):
        cells_of(source_without_cells())


class TestItem:
    item = describe_item(GRID, source_with_cells(), {"emb:model": "../../06_models/backbone.json"})

    def test_is_valid(self) -> None:
        read = pystac.Item.from_dict(self.item)
        # Schemas of extensions are on the network; those of STAC itself come with pystac.
        read.stac_extensions = []
        read.validate()

    def test_is_of_one_year(self) -> None:
        read = pystac.Item.from_dict(self.item)
        assert read.datetime is None
        assert read.common_metadata.start_datetime == dt.datetime(2018, 1, 1, tzinfo=dt.UTC)
        assert read.common_metadata.end_datetime == dt.datetime(
            2018, 12, 31, 23, 59, 59, tzinfo=dt.UTC
        )

    def test_says_where_the_raster_lies(self) -> None:
        properties = self.item["properties"]
        assert properties["proj:code"] == "EPSG:26918"
        assert properties["proj:shape"] == [28, 42]
        assert properties["proj:transform"] == [32, 0, 499968, 0, -32, 18036 * TILE]
        assert properties["gsd"] == 32
        to_degrees = Transformer.from_crs(26918, 4326, always_xy=True)
        expected = to_degrees.transform_bounds(*GRID.bounds)
        assert self.item["bbox"] == pytest.approx(expected, abs=1e-6)
        (ring,) = self.item["geometry"]["coordinates"]
        area = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))
        assert area > 0  # counter-clockwise

    def test_bands_have_scale_and_nodata(self) -> None:
        bands = self.item["assets"]["embeddings"]["raster:bands"]
        assert [band["name"] for band in bands] == list(NAMES)
        assert [band["scale"] for band in bands] == [0.5, 0.25, 0.125]
        assert {(band["data_type"], band["nodata"], band["offset"]) for band in bands} == {
            ("int8", -128, 0)
        }

    def test_says_what_the_extension_for_embeddings_asks(self) -> None:
        properties = self.item["properties"]
        quantization = properties["emb:quantization"]
        assert quantization["scale"] == [0.5, 0.25, 0.125]
        assert (quantization["original_dtype"], quantization["quantized_dtype"]) == (
            "float32",
            "int8",
        )
        parameters = properties["emb:runtime_parameters"]
        assert parameters["feature_key"] == source_with_cells().key
        assert parameters["weights_sha256"] == "a" * 64
        assert self.item["links"] == [{"rel": "emb:model", "href": "../../06_models/backbone.json"}]
        # What its schema refuses in an item.
        allowed = {"emb:quantization", "emb:runtime_parameters"}
        assert {name for name in properties if name.startswith("emb:")} == allowed
