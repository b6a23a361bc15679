"""Featurization of tiles, in the form that Spark's workers run it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pyarrow as pa
import pytest
import rasterio
from PIL import Image

from aerial_kedro.cells.statistics import cell_statistics, thin_pixels
from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Backbone
from aerial_kedro.features.cell_projection import project_cells, without_cells
from aerial_kedro.features.engines import open_engine
from aerial_kedro.features.featurize import (
    FEATURE_COLUMNS,
    QUARANTINE_COLUMNS,
    UNSTABLE_REASON,
    explain_missing,
    featurize_batches,
    image_statistics,
)
from aerial_kedro.scenes.reader import SceneReader
from aerial_kedro.tiles.catalog import tiles_of_scene
from aerial_kedro.tiles.reading import SOURCE_COLUMNS, read_tile
from tests.builders import ORIGIN, paint_ground, read_scene_header, write_scene

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in SOURCE_COLUMNS[:4]),
        *((name, pa.float64()) for name in SOURCE_COLUMNS[4:-1]),
        (SOURCE_COLUMNS[-1], pa.bool_()),
    ]
)


def batch_of(rows: list[dict]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(
        [{name: row.get(name) for name in SOURCE_COLUMNS} for row in rows], SCHEMA
    )


def featurize(
    batches: list[pa.RecordBatch],
    backbone: Backbone,
    key: str = "key",
) -> Iterator[pa.RecordBatch]:
    return featurize_batches(
        iter(batches),
        network=backbone.onnx,
        input_size=backbone.card.input_size,
        feature_key=key,
        engine="onnxruntime",
        precision="fp32",
        with_cells=backbone.card.cells is not None,
    )


@pytest.fixture(scope="module")
def lite0(lite0: Backbone) -> Backbone:
    """The backbone of tiles alone."""
    return without_cells(lite0)


@pytest.fixture(scope="module")
def with_cells(lite0: Backbone, tiles224: np.ndarray) -> Backbone:
    return project_cells(lite0, tiles224, "five tiles")


@pytest.fixture
def files(tmp_path: Path) -> list[dict]:
    """Twenty tiles as files; those at 3, 4 and 17 cannot be read."""
    rng = np.random.default_rng(1)
    rows = []
    for number in range(20):
        path = tmp_path / f"{number:02}.png"
        pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        Image.fromarray(pixels).save(path)
        row = {"image_id": f"tile-{number}", "href": str(path), "kind": "file"}
        rows.append({**row, "source_version": f"v{number}"})
    (tmp_path / "03.png").write_bytes(b"")
    (tmp_path / "04.png").write_text("no image")
    (tmp_path / "17.png").unlink()
    return rows


def test_tiles_that_can_be_read_have_features_in_their_order(
    lite0: Backbone, files: list[dict]
) -> None:
    batches = [batch_of(files[:18]), batch_of(files[18:] + 4 * files)]
    found = pa.Table.from_batches(featurize(batches, lite0))
    good = 5 * [row for number, row in enumerate(files) if number not in {3, 4, 17}]
    assert found.column_names == list(FEATURE_COLUMNS)
    assert found["image_id"].to_pylist() == [row["image_id"] for row in good]
    assert found["source_version"].to_pylist() == [row["source_version"] for row in good]
    assert set(found["feature_key"].to_pylist()) == {"key"}
    engine = open_engine("onnxruntime", "fp32", lite0.onnx)
    with SceneReader() as reader:
        pixels = np.stack([read_tile(row, 224, reader) for row in good[:17]])
    one_by_one = np.tile(np.concatenate([engine.run(tile[None]) for tile in pixels]), (5, 1))
    features = np.array(found["features"].to_pylist(), dtype=np.float32)
    assert features.shape == (85, 1280)
    assert features == pytest.approx(one_by_one, abs=1e-4 * float(one_by_one.max()))
    statistics = np.array(found["statistics"].to_pylist(), dtype=np.float32)
    assert statistics == pytest.approx(np.tile(image_statistics(pixels), (5, 1)))


def test_types_are_those_of_the_table_even_where_all_values_are_missing(
    lite0: Backbone, files: list[dict]
) -> None:
    (batch,) = featurize([batch_of([{**files[0], "source_version": None}])], lite0)
    assert [field.type for field in batch.schema] == [
        pa.string(), pa.string(), pa.list_(pa.float32()), pa.list_(pa.float32()),
        pa.binary(), pa.binary(), pa.string(),
    ]  # fmt: skip
    assert batch["cells"].null_count == batch["cell_statistics"].null_count == 1


def test_batches_without_a_readable_tile_give_nothing(lite0: Backbone, files: list[dict]) -> None:
    assert list(featurize([batch_of(files[3:5]), batch_of([])], lite0)) == []


def test_features_that_are_no_finite_numbers_stop_the_run(
    lite0: Backbone, files: list[dict]
) -> None:
    model = onnx.load_from_string(lite0.onnx)
    (output,) = model.graph.output
    (last,) = [node for node in model.graph.node if output.name in node.output]
    last.output[:] = ["positive"]
    negative = onnx.helper.make_node("Neg", ["positive"], ["negative"])
    logarithm = onnx.helper.make_node("Log", ["negative"], [output.name])
    model.graph.node.extend([negative, logarithm])
    spoiled = replace(lite0, onnx=model.SerializeToString())
    with pytest.raises(AerialError, match=r"'onnxruntime' computes features of the tile 'tile-0'"):
        list(featurize([batch_of(files)], spoiled, "another key"))  # workers know networks by it


def test_tiles_of_scenes_are_read_by_window_and_through_a_warp(
    lite0: Backbone, tmp_path: Path
) -> None:
    rows: list[dict] = []
    for name, crs in (("a.tif", "EPSG:26918"), ("b.tif", "EPSG:3857")):
        rows += tiles_of(write_scene(tmp_path / name, crs=crs))[:2]
    assert [row["row_off"] is None for row in rows] == [False, False, True, True]
    (batch,) = featurize([batch_of(rows)], lite0)
    assert batch["image_id"].to_pylist() == [row["image_id"] for row in rows]
    assert (np.array(batch["statistics"].to_pylist())[:, 3:6] > 0.05).all()  # no flat tile


def tiles_of(scene: Path) -> list[dict]:
    with SceneReader() as reader:
        tiles = tiles_of_scene(read_scene_header(scene), 224.0, reader)
    return tiles.astype(object).where(tiles.notna(), None).to_dict("records")


def test_cells_lie_in_the_row_of_their_tile(
    lite0: Backbone, with_cells: Backbone, files: list[dict]
) -> None:
    (plain,) = featurize([batch_of(files)], lite0)
    (found,) = featurize([batch_of(files)], with_cells, "with cells")
    assert found["features"].equals(plain["features"])
    engine = open_engine("onnxruntime", "fp32", with_cells.onnx)
    for row in found.slice(0, 4).to_pylist():
        (tile,) = [each for each in files if each["image_id"] == row["image_id"]]
        with SceneReader() as reader:
            pixels = read_tile(tile, 224, reader)[None]
        own = np.frombuffer(row["cells"], np.int8).reshape(7, 7, 64).astype(int)
        expected = engine.run_with_cells(pixels)[1]
        assert expected is not None
        # Batches of other sizes may round a number that lies between two integers the other way.
        assert np.abs(own - expected[0]).max() <= 1
        assert row["cell_statistics"] == cell_statistics(thin_pixels(pixels)).tobytes()


def test_statistics_of_cells_are_with_near_infrared_where_the_tile_has_it(
    with_cells: Backbone, files: list[dict], tmp_path: Path
) -> None:
    """Tiles with and without it stand in one batch, and each keeps its own."""
    ground = paint_ground(ORIGIN, 1.0, (448, 448))
    three_bands, four_bands = (
        write_scene(tmp_path / name, gsd=1.0, pixels=pixels, photometric="rgb", **options)
        for name, pixels, options in (
            ("three.tif", ground, {}),
            ("four.tif", np.concatenate([ground, ground[:1] // 2 + 9]), {"alpha": "unspecified"}),
        )
    )
    rows = [*tiles_of(three_bands)[:2], *tiles_of(four_bands)[:2], *tiles_of(three_bands)[2:]]
    (found,) = featurize([batch_of(rows)], with_cells, "with cells")
    column = found["cell_statistics"].to_pylist()
    assert [len(each) / 49 for each in column] == [6, 6, 10, 10, 6, 6]
    for row, stored in zip(rows, column, strict=True):
        with SceneReader() as reader:
            pixels = read_tile(row, 224, reader, infrared=True)
        assert stored == cell_statistics(thin_pixels(pixels[None])).tobytes()


def test_nothing_is_opened_twice(
    with_cells: Backbone, files: list[dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenes stay open over groups and batches, with near infrared and without."""
    opened: list[str] = []

    def counting(function: Callable[..., Any]) -> Callable[..., Any]:
        def count(path: Any, *given: Any, **options: Any) -> Any:
            opened.append(str(path))
            return function(path, *given, **options)

        return count

    rows: list[dict] = []
    for name in ("a.tif", "b.tif"):
        ground = paint_ground(ORIGIN, 1.0, (448, 2240))
        pixels = np.concatenate([ground, ground[:1] // 2 + 9])
        path = write_scene(tmp_path / name, gsd=1.0, pixels=pixels, alpha="unspecified")
        rows += 4 * tiles_of(path)
    monkeypatch.setattr(rasterio, "open", counting(rasterio.open))
    monkeypatch.setattr(Path, "read_bytes", counting(Path.read_bytes))
    good = [row for number, row in enumerate(files) if number not in {3, 4, 17}]
    batches = [batch_of(rows[:70]), batch_of(rows[70:]), batch_of(good)]
    found = list(featurize(batches, with_cells, "with cells"))
    assert sum(batch.num_rows for batch in found) == len(rows) + len(good)
    assert len(found) > len(batches)
    assert sorted(opened) == sorted({row["href"] for row in [*rows, *good]})


def test_missing_tiles_are_explained(files: list[dict]) -> None:
    batches = explain_missing(iter([batch_of(files[2:5]), batch_of(files[17:18])]), 224)
    found = pa.Table.from_batches(batches)
    assert found.column_names == list(QUARANTINE_COLUMNS)
    assert found["image_id"].to_pylist() == ["tile-2", "tile-3", "tile-4", "tile-17"]
    assert found["href"].to_pylist()[1] == files[3]["href"]
    readable, empty, text, gone = found["reason"].to_pylist()
    assert readable == UNSTABLE_REASON
    assert empty == "the file is empty (0 bytes)"
    assert text.startswith("the file is no image that is read (PNG, JPEG")
    assert "No such file" in gone


def test_statistics_are_those_of_every_fourth_pixel() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)
    found = image_statistics(pixels)
    assert found.shape == (3, 12)
    assert found.dtype == np.float32
    for tile, row in zip(pixels, found, strict=True):
        thinned = tile[::4, ::4].reshape(-1, 3) / 255
        expected = [f(thinned, axis=0) for f in (np.mean, np.std, np.min, np.max)]
        assert row == pytest.approx(np.concatenate(expected), abs=1e-6)


def test_statistics_of_a_flat_tile() -> None:
    flat = np.broadcast_to(np.array([0, 51, 255], dtype=np.uint8), (1, 224, 224, 3))
    expected = [0, 0.2, 1, 0, 0, 0, 0, 0.2, 1, 0, 0.2, 1]
    assert image_statistics(flat)[0] == pytest.approx(expected, abs=1e-6)
