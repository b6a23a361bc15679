"""Groups of tiles: those far away are read by threads and ahead, and are what a disk would give."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from aerial_kedro.features.groups import GroupReader, TileGroup
from aerial_kedro.imagery.access import RULES_VARIABLE, AccessRules
from aerial_kedro.tiles.reading import SOURCE_COLUMNS
from tests.builders import write_scene
from tests.unit.imagery.web import Web, running_web

SIZE = 32
THREADS = 4
TILES = 25  # of a scene: five rows of five


def allow(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = AccessRules(hosts=("127.0.0.1",), signers=(), retries=0, threads=threads)
    monkeypatch.setenv(RULES_VARIABLE, rules.model_dump_json())


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A web that may be read, by four threads, and is far away."""
    allow(THREADS, monkeypatch)
    with running_web() as running:
        running.delay_s = 0.02
        yield running


def write(folder: Path, name: str, seed: int) -> Path:
    """A scene of noise with near infrared."""
    pixels = np.random.default_rng(seed).integers(1, 256, (4, 320, 320), dtype=np.uint8)
    return write_scene(
        folder / f"{name}.tif", pixels=pixels, tiled=True, blockxsize=64, blockysize=64,
        photometric="rgb", alpha="unspecified",
    )  # fmt: skip


def tiles_of(href: str, name: str) -> list[dict[str, object]]:
    given = dict.fromkeys(SOURCE_COLUMNS)
    return [
        {
            **given,
            "image_id": f"{name}-{number:02d}",
            "source_version": name,
            "href": href,
            "kind": "window",
            "row_off": 64.0 * (number // 5),
            "col_off": 64.0 * (number % 5),
            "height": 64.0,
            "width": 64.0,
            "has_infrared": True,
        }
        for number in range(TILES)
    ]


def batch(tiles: list[dict[str, object]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(tiles)


def read_all(tiles: list[dict[str, object]], rows: int) -> list[TileGroup]:
    """Read groups, each copied before the next is asked for."""
    with GroupReader(rows, SIZE, with_cells=True) as reader:
        return [
            TileGroup(each.pixels.copy(), each.ids, each.versions, each.thinned)
            for each in reader.read([batch(tiles)])
        ]


def assert_same(found: list[TileGroup], expected: list[TileGroup]) -> None:
    assert [each.ids for each in found] == [each.ids for each in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.versions == other.versions
        np.testing.assert_array_equal(one.pixels, other.pixels)
        np.testing.assert_array_equal(one.thinned, other.thinned)


@pytest.mark.parametrize("rows", [TILES, 7, 3])
def test_from_afar_comes_what_a_disk_gives(web: Web, tmp_path: Path, rows: int) -> None:
    """Without the tiles that cannot be read, and with all the others in their order."""
    path = write(tmp_path, "m_2018", 1)
    near, far = tiles_of(str(path), "m"), tiles_of(web.host(path), "m")
    for tiles in (near, far):
        for broken in (0, 8, 9, 24):
            tiles[broken]["href"] = f"{tiles[broken]['href']}.none.tif"
    expected = read_all(near, rows)
    assert sum(len(each.ids) for each in expected) == TILES - 4
    assert_same(read_all(far, rows), expected)


def test_near_and_far_tiles_may_take_turns(web: Web, tmp_path: Path) -> None:
    path = write(tmp_path, "m_2018", 1)
    near, far = tiles_of(str(path), "m"), tiles_of(web.host(path), "m")
    places = [far, near, far, far, near, near, far]
    mixed = [tile for start, kind in enumerate(places) for tile in kind[3 * start : 3 * start + 3]]
    assert_same(read_all(mixed, 3), read_all(near[:21], 3))


def test_threads_wait_side_by_side(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One alone makes several requests at a time for a tile: GDAL does, for its blocks."""
    most = []
    for threads in (1, THREADS):
        allow(threads, monkeypatch)
        web.most_at_work = 0
        read_all(tiles_of(web.host(write(tmp_path, f"m_{threads}", 1)), "m"), TILES)
        most.append(web.most_at_work)
    assert most[1] > most[0]


def test_the_next_group_is_read_while_the_network_runs_on_this_one(
    web: Web, tmp_path: Path
) -> None:
    first, second = write(tmp_path, "a_2018", 1), write(tmp_path, "b_2018", 2)
    tiles = tiles_of(web.host(first), "a") + tiles_of(web.host(second), "b")
    with GroupReader(TILES, SIZE, with_cells=False) as reader:
        groups = reader.read([batch(tiles)])
        here = next(groups)
        kept = here.pixels.copy()
        deadline = time.monotonic() + 20
        while sum(each.path.endswith("b_2018.tif") for each in web.asked) < TILES:
            assert time.monotonic() < deadline, "the second scene is not read yet"
            time.sleep(0.01)
        np.testing.assert_array_equal(here.pixels, kept)
        assert next(groups).ids[0] == "b-00"


def test_threads_end_with_the_reader_and_local_tiles_start_none(web: Web, tmp_path: Path) -> None:
    def threads() -> int:
        return sum(each.name.startswith("tiles") for each in threading.enumerate())

    path = write(tmp_path, "m_2018", 1)
    for href, expected in ((str(path), 0), (web.host(path), THREADS)):
        with GroupReader(TILES, SIZE, with_cells=False) as reader:
            assert len(list(reader.read([batch(tiles_of(href, "m"))]))) == 1
            assert threads() == expected
        assert threads() == 0
