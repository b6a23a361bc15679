"""Groups of tiles: those far away are read by threads and ahead, and are what a disk would give."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from aerial_kedro.features.groups import GroupReader, TileGroup
from aerial_kedro.imagery.access import RULES_VARIABLE, AccessRules
from aerial_kedro.tiles.reading import SOURCE_COLUMNS
from tests.builders import write_scene
from tests.unit.imagery.web import Web, running_web

SIZE = 32
THREADS = 4
TILES = 25  # of a scene: five rows of five
Row = dict[str, object]


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


def tiles_of(href: str, name: str) -> list[Row]:
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


def batch(tiles: list[Row]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(tiles)


def read_all(tiles: list[Row], rows: int) -> list[TileGroup]:
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


def write_files(folder: Path) -> list[Path]:
    """As many image files as a scene has tiles."""
    paths = [folder / f"{number:02d}.png" for number in range(TILES)]
    for number, path in enumerate(paths):
        noise = np.random.default_rng(number).integers(0, 256, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path)
    return paths


def near_and_far(kind: str, web: Web, folder: Path) -> tuple[list[Row], list[Row]]:
    """The same tiles on the disk and on the web."""
    if kind == "scene":
        path = write(folder, "m_2018", 1)
        return tiles_of(str(path), "m"), tiles_of(web.host(path), "m")
    paths = write_files(folder)
    given = {"kind": "file", "has_infrared": None}
    near, far = (
        [
            {**tile, **given, "href": href}
            for tile, href in zip(tiles_of("", "f"), hrefs, strict=True)
        ]
        for hrefs in ([str(path) for path in paths], [web.host(path) for path in paths])
    )
    return near, far


@pytest.mark.parametrize("kind", ["scene", "files"])
@pytest.mark.parametrize("rows", [TILES, 7, 3])
def test_from_afar_comes_what_a_disk_gives(web: Web, tmp_path: Path, kind: str, rows: int) -> None:
    """Without the tiles that cannot be read, and with all the others in their order."""
    near, far = near_and_far(kind, web, tmp_path)
    for tiles in (near, far):
        for broken in (0, 8, 9, 24):
            tiles[broken]["href"] = f"{tiles[broken]['href']}.none.tif"
    expected = read_all(near, rows)
    assert sum(len(each.ids) for each in expected) == TILES - 4
    assert_same(read_all(far, rows), expected)


def test_near_and_far_tiles_may_take_turns(web: Web, tmp_path: Path) -> None:
    near, far = near_and_far("scene", web, tmp_path)
    places = [far, near, far, far, near, near, far]
    mixed = [tile for start, kind in enumerate(places) for tile in kind[3 * start : 3 * start + 3]]
    assert_same(read_all(mixed, 3), read_all(near[:21], 3))


@pytest.mark.filterwarnings("error::rasterio.errors.NotGeoreferencedWarning")
def test_files_are_waited_for_side_by_side(web: Web, tmp_path: Path) -> None:
    """And what is left unsaid of one stays unsaid, without silencing anything else."""
    _, far = near_and_far("files", web, tmp_path)
    before = list(warnings.filters)
    for _ in range(4):
        (group,) = read_all(far, TILES)
        assert len(group.ids) == TILES
    assert 1 < web.most_at_work <= THREADS
    assert warnings.filters == before


def test_a_scene_is_requested_as_often_as_by_one_thread(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two would each request the blocks that their tiles share."""
    requests = []
    for threads in (1, THREADS):
        allow(threads, monkeypatch)
        before = len(web.asked)
        read_all(tiles_of(web.host(write(tmp_path, f"m_{threads}", 1)), "m"), 7)
        requests.append(len(web.asked) - before)
    assert requests[0] == requests[1] > 0


def test_the_next_group_is_read_while_the_network_runs_on_this_one(
    web: Web, tmp_path: Path
) -> None:
    """And what the network runs on stays as it is."""
    paths = [write(tmp_path, name, seed) for seed, name in enumerate(["a_2018", "b_2018"])]
    tiles = [tile for path in paths for tile in tiles_of(web.host(path), path.stem)]
    with GroupReader(TILES, SIZE, with_cells=False) as reader:
        groups = reader.read([batch(tiles)])
        here = next(groups)
        kept = here.pixels.copy()
        deadline = time.monotonic() + 20
        while not any(each.path.endswith("b_2018.tif") for each in web.asked):
            assert time.monotonic() < deadline, "the second scene is not read yet"
            time.sleep(0.01)
        time.sleep(0.5)  # and is read to its end meanwhile
        np.testing.assert_array_equal(here.pixels, kept)
        following = next(groups)
        assert following.ids[0] == "b_2018-00"
        assert (following.pixels != kept).any()


@pytest.mark.parametrize(("kind", "threads"), [("scene", 1), ("files", THREADS)])
def test_threads_end_with_the_reader_and_local_tiles_start_none(
    web: Web, tmp_path: Path, kind: str, threads: int
) -> None:
    def running() -> int:
        return sum(each.name.startswith("tiles") for each in threading.enumerate())

    for tiles, expected in zip(near_and_far(kind, web, tmp_path), (0, threads), strict=True):
        with GroupReader(TILES, SIZE, with_cells=False) as reader:
            assert len(list(reader.read([batch(tiles)]))) == 1
            assert running() == expected
        assert running() == 0


def test_what_was_begun_is_left_where_nobody_asks_for_it(web: Web, tmp_path: Path) -> None:
    """As after an error: a task must not wait for all that would be read."""
    _, far = near_and_far("files", web, tmp_path)
    web.delay_s = 0.25
    with GroupReader(TILES, SIZE, with_cells=False) as reader:
        next(reader.read([batch(far[:1]), batch(far)]))  # the second group is begun as well
    assert 0 < len(web.asked) < TILES
