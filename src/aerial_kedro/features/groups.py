"""Groups of tiles for the network: what lies far away is read by threads, a group ahead of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa

from aerial_kedro.cells.statistics import thin_pixels
from aerial_kedro.imagery.access import current_rules
from aerial_kedro.scenes.addresses import is_distant
from aerial_kedro.scenes.reader import SceneReader, TileReadError
from aerial_kedro.tiles.reading import Tile, read_tile_into


@dataclass
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
    ids: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    thinned: list[np.ndarray] = field(default_factory=list)


class GroupReader:
    """Reads tiles in groups, leaving out those that cannot be read.

    Tiles on a local disk are read one after the other: that keeps a core busy, and there is a task
    for each core. Reading those in blob storage or on the web is waiting, which several threads do
    at a time (`AccessRules.threads`), and for the next group while the network runs on this one.
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
        self._threads: list[_ReaderThread] = []
        self._spaces: dict[int, np.ndarray] = {}
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        self._opened.enter_context(self._near)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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
        for group in self._read_ahead(batches):
            if group.ids:
                yield group

    def _read_ahead(self, batches: Iterable[pa.RecordBatch]) -> Iterator[TileGroup]:
        begun: _Begun | None = None
        for number, tiles in enumerate(self._groups(batches)):
            following: _Begun | None = None
            if any(is_distant(tile["href"]) for tile in tiles):
                following = self._begin(tiles, self._space(number % 2))
            if begun:
                yield _finish(begun)
            if not following:
                yield self._read_tiles(tiles, self._space(0), self._near)
            begun = following
        if begun:
            yield _finish(begun)

    def _groups(self, batches: Iterable[pa.RecordBatch]) -> Iterator[list[Tile]]:
        for batch in batches:
            for start in range(0, batch.num_rows, self._rows):
                yield batch.slice(start, self._rows).to_pylist()

    def _space(self, number: int) -> np.ndarray:
        """Return one of two places for pixels: one is filled while the network reads the other.

        The same all the time: fresh memory would have to be cleared by the system first.
        """
        if number not in self._spaces:
            shape = (self._rows, self._size, self._size, 3)
            self._spaces[number] = np.empty(shape, dtype=np.uint8)
        return self._spaces[number]

    def _begin(self, tiles: list[Tile], space: np.ndarray) -> _Begun:
        """Let each thread read neighbours, which share blocks of their scene."""
        if not self._threads:
            count = current_rules().threads
            self._threads = [self._opened.enter_context(_ReaderThread()) for _ in range(count)]
        edges = np.linspace(0, len(tiles), len(self._threads) + 1).astype(int).tolist()
        parts = [
            thread.submit(self._read_tiles, tiles[first:last], space[first:last])
            for thread, first, last in zip(self._threads, edges[:-1], edges[1:], strict=True)
            if first < last
        ]
        return _Begun(space, parts)

    def _read_tiles(
        self, tiles: Sequence[Tile], space: np.ndarray, reader: SceneReader
    ) -> TileGroup:
        """Read tiles into the first rows of ``space``, those that can be."""
        group = TileGroup(space)
        for tile in tiles:
            colours = space[len(group.ids)]
            try:
                infrared = read_tile_into(colours, tile, reader, infrared=self._with_cells)
            except TileReadError:
                continue  # counted and explained after the pass, see `explain_missing`
            if self._with_cells:
                # At once: near infrared, kept until the group is whole, would need fresh memory.
                parts = [colours] if infrared is None else [colours, infrared[..., None]]
                group.thinned.append(np.concatenate([thin_pixels(each) for each in parts]))
            group.ids.append(tile["image_id"])
            group.versions.append(tile["source_version"])
        group.pixels = space[: len(group.ids)]
        return group


class _ReaderThread:
    """A thread with a reader of its own: neither GDAL's datasets nor its settings are shared."""

    def __init__(self) -> None:
        self._reader = SceneReader()
        self._thread = ThreadPoolExecutor(1, "tiles")

    def __enter__(self) -> Self:
        self._thread.submit(self._reader.__enter__).result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._thread.submit(self._reader.__exit__, None, None, None).result()
        self._thread.shutdown()

    def submit(
        self,
        read: Callable[[Sequence[Tile], np.ndarray, SceneReader], TileGroup],
        tiles: Sequence[Tile],
        space: np.ndarray,
    ) -> Future[TileGroup]:
        """Call a function with this thread's reader."""
        return self._thread.submit(read, tiles, space, self._reader)


@dataclass(frozen=True)
class _Begun:
    """A group that threads are reading, each into its part of ``space``."""

    space: np.ndarray
    parts: Sequence[Future[TileGroup]]


def _finish(begun: _Begun) -> TileGroup:
    """Wait for all parts, and close up the rows of tiles that could not be read."""
    whole = TileGroup(begun.space)
    for part in begun.parts:
        found = part.result()
        first = len(whole.ids)
        begun.space[first : first + len(found.ids)] = found.pixels
        whole.ids += found.ids
        whole.versions += found.versions
        whole.thinned += found.thinned
    whole.pixels = begun.space[: len(whole.ids)]
    return whole
