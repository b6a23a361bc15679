"""Groups of tiles for the network: what lies far away is read by threads, a group ahead of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self, TypeAlias
from zlib import crc32

import numpy as np
import pyarrow as pa

from aerial_kedro.cells.statistics import thin_pixels
from aerial_kedro.imagery.access import current_rules
from aerial_kedro.scenes.addresses import is_distant
from aerial_kedro.scenes.reader import SceneReader, TileReadError
from aerial_kedro.tiles.reading import Tile, read_tile_into

# Place in the group to what statistics of cells are of, for the tiles that could be read.
_Thinned: TypeAlias = dict[int, np.ndarray | None]
# Has a thread call a function with its reader.
_Submit: TypeAlias = Callable[[Callable[[SceneReader], _Thinned]], Future[_Thinned]]


@dataclass(frozen=True)
class TileGroup:
    """Tiles that were read at once.

    Parameters
    ----------
    pixels
        Red, green and blue: array of shape ``(n, size, size, 3)``, uint8. It holds until the next
        group is asked for.
    ids, versions
        ``image_id`` and ``source_version`` of each.
    thinned
        What the statistics of cells are of, ``(bands, rows, columns)`` each; empty where the
        network embeds none.
    """

    pixels: np.ndarray
    ids: list[str]
    versions: list[str]
    thinned: list[np.ndarray]


class GroupReader:
    """Reads tiles in groups, leaving out those that cannot be read.

    Tiles on a local disk are read one after the other: that keeps a core busy, and there is a task
    for each core. Reading those in blob storage or on the web is waiting: threads do it, for the
    next group while the network runs on this one. All tiles of a scene are one thread's, since they
    share its blocks; image files are requested by several at a time (`AccessRules.threads`).
    Use it as a context manager.

    Parameters
    ----------
    rows
        Tiles of a group.
    size
        Side of the network's input in pixels.
    with_cells
        Whether near infrared is read as well, for the statistics of cells.
    """

    def __init__(self, rows: int, size: int, *, with_cells: bool) -> None:
        self._rows, self._size, self._with_cells = rows, size, with_cells
        self._near = SceneReader()
        self._threads: dict[int, _Submit] = {}
        self._most_threads = current_rules().threads
        self._spaces: dict[int, np.ndarray] = {}
        self._opened = ExitStack()
        self._is_closed = False

    def __enter__(self) -> Self:
        self._opened.enter_context(self._near)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_closed = True  # after an error nobody waits for what has been begun
        self._opened.close()

    def read(self, batches: Iterable[pa.RecordBatch]) -> Iterator[TileGroup]:
        """Read all tiles of some batches with `SOURCE_COLUMNS`.

        Yields
        ------
        TileGroup
            None of them is empty.

        Raises
        ------
        AerialError
            If blob storage cannot be reached.
        """
        for finish in self._begun(self._groups(batches)):
            if (group := finish()).ids:
                yield group

    def _groups(self, batches: Iterable[pa.RecordBatch]) -> Iterator[list[Tile]]:
        for batch in batches:
            for start in range(0, batch.num_rows, self._rows):
                yield batch.slice(start, self._rows).to_pylist()

    def _begun(self, groups: Iterable[list[Tile]]) -> Iterator[Callable[[], TileGroup]]:
        """Begin a group before the one before it is handed on, if it is far away."""
        before: Callable[[], TileGroup] | None = None
        for number, tiles in enumerate(groups):
            ahead = None
            if any(is_distant(tile["href"]) for tile in tiles):
                space = self._space(number % 2)
                ahead = partial(_finish, tiles, space, self._begin(tiles, space))
            if before:
                yield before
            if not ahead:
                yield partial(self._read_near, tiles)
            before = ahead
        if before:
            yield before

    def _space(self, number: int) -> np.ndarray:
        """Return one of two places for pixels: one is filled while the network reads the other.

        The same all the time: fresh memory would have to be cleared by the system first.
        """
        if number not in self._spaces:
            shape = (self._rows, self._size, self._size, 3)
            self._spaces[number] = np.empty(shape, dtype=np.uint8)
        return self._spaces[number]

    def _read_near(self, tiles: list[Tile]) -> TileGroup:
        space = self._space(0)  # what threads had read into it has been handed on
        return _close_up(tiles, space, self._read_each(tiles, range(len(tiles)), space, self._near))

    def _begin(self, tiles: list[Tile], space: np.ndarray) -> list[Future[_Thinned]]:
        """Let threads read a group."""
        shares: dict[int, list[int]] = defaultdict(list)
        for place, tile in enumerate(tiles):
            number = place if tile["kind"] == "file" else crc32(tile["href"].encode())
            shares[number % self._most_threads].append(place)
        begun = []
        for number, places in shares.items():
            if number not in self._threads:
                self._threads[number] = self._opened.enter_context(_reader_thread())
            begun.append(self._threads[number](partial(self._read_each, tiles, places, space)))
        return begun

    def _read_each(
        self, tiles: list[Tile], places: Iterable[int], space: np.ndarray, reader: SceneReader
    ) -> _Thinned:
        """Read tiles of a group into their places; leave out those that cannot be read."""
        found: _Thinned = {}
        for place in places:
            if self._is_closed:
                break
            colours = space[place]
            try:
                infrared = read_tile_into(colours, tiles[place], reader, infrared=self._with_cells)
            except TileReadError:
                continue  # counted and explained after the pass, see `explain_missing`
            found[place] = None
            if self._with_cells:
                # At once: near infrared, kept until the group is whole, would need fresh memory.
                parts = [colours] if infrared is None else [colours, infrared[..., None]]
                found[place] = np.concatenate([thin_pixels(each) for each in parts])
        return found


@contextmanager
def _reader_thread() -> Iterator[_Submit]:
    """Start a thread with a reader of its own: neither GDAL's datasets nor settings are shared."""
    reader = SceneReader()
    with ThreadPoolExecutor(1, "tiles") as thread:
        thread.submit(reader.__enter__).result()
        try:
            yield lambda read: thread.submit(read, reader)
        finally:
            thread.submit(reader.__exit__, None, None, None).result()


def _finish(tiles: list[Tile], space: np.ndarray, begun: Iterable[Future[_Thinned]]) -> TileGroup:
    """Wait for all shares of a group."""
    found: _Thinned = {}
    for share in begun:
        found |= share.result()
    return _close_up(tiles, space, found)


def _close_up(tiles: list[Tile], space: np.ndarray, found: _Thinned) -> TileGroup:
    """Make a group of the tiles that could be read, without gaps between them."""
    places = sorted(found)
    if len(places) < len(tiles):
        space[: len(places)] = space[places]
    return TileGroup(
        space[: len(places)],
        [tiles[place]["image_id"] for place in places],
        [tiles[place]["source_version"] for place in places],
        [thinned for place in places if (thinned := found[place]) is not None],
    )
