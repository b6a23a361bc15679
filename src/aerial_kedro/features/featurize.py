"""Featurization of tiles on a Spark executor: read, resize, run the network, hand on."""

import functools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from aerial_kedro.cells.grid import pack
from aerial_kedro.cells.statistics import cell_statistics
from aerial_kedro.errors import AerialError
from aerial_kedro.features.engines import Engine, open_engine
from aerial_kedro.features.groups import GroupReader, TileGroup
from aerial_kedro.scenes.reader import SceneReader, TileReadError
from aerial_kedro.tiles.reading import Tile, read_tile, read_tiles
from aerial_kedro.tiles.workers import kept_between_tasks

Batches: TypeAlias = Iterator[pa.RecordBatch]


class Counter(Protocol):
    """Counts for the driver, as Spark's accumulators do."""

    def add(self, term: float) -> None:
        """Add."""


FEATURE_COLUMNS: dict[str, str] = {
    "image_id": "string",
    "source_version": "string",
    "features": "array<float>",
    "statistics": "array<float>",
    "cells": "binary",
    "cell_statistics": "binary",
    "feature_key": "string",
}
QUARANTINE_COLUMNS: dict[str, str] = {"image_id": "string", "href": "string", "reason": "string"}
PIXEL_COLUMNS: dict[str, str] = {"image_id": "string", "pixels": "binary"}

# Tiles that are read before the network runs on them, and rows of one Arrow batch on the way out.
# Reading and running by turns drives each other's data out of the core's cache: 0.3 ms a tile.
_ROWS = 64
# Every fourth pixel is enough for means and standard deviations.
STATISTICS_STEP = 4
UNSTABLE_REASON = "not read during featurization, readable afterwards: run again to add it"


@dataclass(frozen=True)
class _Network:
    """A network known by its key: comparing megabytes would cost each task 20 ms."""

    feature_key: str
    content: bytes = field(compare=False, repr=False)


@functools.lru_cache(maxsize=1)
def _engine_of_worker(engine: str, precision: str, network: _Network) -> Engine:
    """Open the network once for each Python worker, however many tasks it runs."""
    return open_engine(engine, precision, network.content)


def featurize_batches(
    batches: Batches,
    *,
    network: bytes,
    input_size: int,
    feature_key: str,
    engine: str,
    precision: str,
    with_cells: bool = False,
    engine_s: Counter | None = None,
) -> Batches:
    """Compute the features of tiles (the form that Spark's ``mapInArrow`` takes).

    Parameters
    ----------
    batches
        Tiles with `SOURCE_COLUMNS`, best scene by scene.
    network
        The backbone, as the engine takes it.
    input_size
        Side of its input in pixels.
    feature_key
        Written beside every row.
    engine, precision
        What runs the backbone.
    with_cells
        Whether the network embeds cells: near infrared is then read as well, for their statistics.
    engine_s
        Counts the seconds that the engine takes.

    Yields
    ------
    pyarrow.RecordBatch
        `FEATURE_COLUMNS`. A tile that cannot be read has no row here: `explain_missing` says why.
        ``cells`` and ``cell_statistics`` are null where the network embeds no cells.

    Raises
    ------
    AerialError
        If the engine computes a feature that is no finite number.
    """
    opened = _engine_of_worker(engine, precision, _Network(feature_key, network))
    rows = max(_ROWS, opened.batch)
    with kept_between_tasks(), GroupReader(rows, input_size, with_cells=with_cells) as reader:
        for group in reader.read(batches):
            start_s = time.perf_counter()
            features, cells = opened.run_all(group.pixels)
            if engine_s is not None:
                engine_s.add(time.perf_counter() - start_s)
            if not np.isfinite(features).all():
                raise AerialError(_not_finite(group.ids, features, engine, precision))
            yield _to_arrow(group, features, cells, feature_key)


def _not_finite(ids: list[str], features: np.ndarray, engine: str, precision: str) -> str:
    first = ids[int(np.flatnonzero(~np.isfinite(features).all(axis=1))[0])]
    return (
        f"The engine {engine!r} computes features of the tile {first!r} that are no finite numbers "
        f"(precision {precision!r}). Run with `engine=onnxruntime,precision=fp32`; if these do it "
        "too, the backbone's file or its weights are damaged: remove `06_models/backbone.onnx`."
    )


def image_statistics(pixels: np.ndarray) -> np.ndarray:
    """Mean, standard deviation, least and greatest value of each channel: the plain baseline.

    Parameters
    ----------
    pixels
        Array of shape ``(n, size, size, 3)``, uint8.

    Returns
    -------
    numpy.ndarray
        Array of shape ``(n, 12)``, float32, scaled to 0–1.
    """
    thinned = pixels[:, ::STATISTICS_STEP, ::STATISTICS_STEP]
    # Channel by channel in one piece of memory: several times faster than along the middle axes.
    channels = np.ascontiguousarray(thinned.transpose(0, 3, 1, 2), dtype=np.float32)
    flat = channels.reshape(*channels.shape[:2], -1) / 255
    parts = [f(flat, axis=2) for f in (np.mean, np.std, np.min, np.max)]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _to_arrow(
    group: TileGroup,
    features: np.ndarray,
    cells: np.ndarray | None,
    feature_key: str,
) -> pa.RecordBatch:
    count = len(group.ids)
    nothing = pa.nulls(count, pa.binary())
    columns = [
        pa.array(group.ids, pa.string()),
        pa.array(group.versions, pa.string()),
        _list_array(features),
        _list_array(image_statistics(group.pixels)),
        nothing if cells is None else pa.array(pack(cells), pa.binary()),
        nothing if cells is None else pa.array(_statistics_of_cells(group), pa.binary()),
        pa.array([feature_key] * count, pa.string()),
    ]
    return pa.RecordBatch.from_arrays(columns, names=list(FEATURE_COLUMNS))


def _statistics_of_cells(group: TileGroup) -> list[bytes]:
    """Compute them for all tiles at once that have near infrared, and all that have not."""
    found = [b""] * len(group.ids)
    for count in {len(each) for each in group.thinned}:
        chosen = [at for at, each in enumerate(group.thinned) if len(each) == count]
        statistics = cell_statistics(np.stack([group.thinned[at] for at in chosen]))
        for at, packed in zip(chosen, pack(statistics), strict=True):
            found[at] = packed
    return found


def _list_array(rows: np.ndarray) -> pa.ListArray:
    """Wrap a float32 array of shape ``(n, k)`` as lists, without a Python object for each value."""
    count, length = rows.shape
    offsets = pa.array(np.arange(0, (count + 1) * length, length, dtype=np.int32))
    values = pa.array(np.ascontiguousarray(rows, dtype=np.float32).ravel())
    return pa.ListArray.from_arrays(offsets, values)


def explain_missing(batches: Batches, size: int) -> Batches:
    """Say why tiles have no features, by reading each once more (``mapInArrow``).

    Yields
    ------
    pyarrow.RecordBatch
        `QUARANTINE_COLUMNS`, one row a tile.
    """
    schema = pa.schema([(name, pa.string()) for name in QUARANTINE_COLUMNS])
    with SceneReader() as reader:
        for batch in batches:
            rows = [{**tile, "reason": _reason(tile, size, reader)} for tile in batch.to_pylist()]
            yield pa.RecordBatch.from_pylist(rows, schema)


def _reason(tile: Tile, size: int, reader: SceneReader) -> str:
    try:
        read_tile(tile, size, reader)
    except TileReadError as error:
        return str(error)
    return UNSTABLE_REASON


def read_pixels(frames: Iterator[pd.DataFrame], size: int) -> Iterator[pd.DataFrame]:
    """Read tiles as the backbone takes them, for the driver (``mapInPandas``).

    Parameters
    ----------
    frames
        Tiles with `aerial_kedro.tiles.reading.SOURCE_COLUMNS`.
    size
        Side of the backbone's input in pixels.

    Yields
    ------
    pandas.DataFrame
        `PIXEL_COLUMNS`. Tiles that cannot be read are left out: the quarantine lists them.
    """
    with SceneReader() as reader:
        for frame in frames:
            rows = [
                (tile["image_id"], pixels.tobytes())
                for tile, pixels in read_tiles(frame, size, reader)
            ]
            yield pd.DataFrame(rows, columns=list(PIXEL_COLUMNS))
