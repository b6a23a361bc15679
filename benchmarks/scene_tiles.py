"""Scenes to cut tiles from, as NAIP's are, and a catalog of their tiles without labels."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rasterio
from affine import Affine
from rasterio.enums import Resampling

from aerial_kedro.datasets.tables import TableDataset
from aerial_kedro.scenes.headers import read_header
from aerial_kedro.scenes.reader import SceneReader
from aerial_kedro.tiles.catalog import tiles_of_scene

TILE_M = 224.0
# Tiles a side of a scene, which lies a little beside the grid, as real ones do.
_SIDE, _MARGIN = 25, 100
_EPSG, _COL, _ROW = 26918, 1_500, 18_000
_NOISE = 16
LAYOUTS: dict[str, dict[str, Any]] = {
    "scenes": {"tiled": True, "blockxsize": 512, "blockysize": 512, "overviews": [2, 4, 8]},
    "scenes_without_overviews": {"tiled": True, "blockxsize": 512, "blockysize": 512},
    "scenes_in_strips": {"blockysize": 1},
}
"""Ways in which scenes are stored; the first as cloud-optimised GeoTIFFs are."""


def draw_scenes(folder: Path, tiles: int, layout: str = "scenes") -> pd.DataFrame:
    """Write scenes of one picture, flown on one day after another, and list their tiles.

    Parameters
    ----------
    folder
        Where to.
    tiles
        Number of tiles wanted.
    layout
        One of `LAYOUTS`.

    Returns
    -------
    pandas.DataFrame
        Of so many tiles, `aerial_kedro.tiles.catalog.TILE_COLUMNS`.
    """
    folder.mkdir(parents=True)
    paths = [
        folder / f"m_0000000_ne_18_1_{dt.date(1990 + number, 6, 10):%Y%m%d}.tif"
        for number in range(-(-tiles // _SIDE**2))
    ]
    _draw_picture(paths[0], **LAYOUTS[layout])
    for path in paths[1:]:  # the disk of one; each is decoded anew
        path.hardlink_to(paths[0])
    with SceneReader() as reader:
        found = [
            tiles_of_scene(read_header(str(path), str(path), "1"), TILE_M, reader) for path in paths
        ]
    return pd.concat(found, ignore_index=True)[:tiles]


def save_catalog(tiles: pd.DataFrame, data: Path) -> None:
    """Save tiles as the catalog of a data folder."""
    TableDataset(table="tile_catalog", filepath=str(data / "03_primary/tile_catalog")).save(tiles)


def _draw_picture(path: Path, *, overviews: list[int] | None = None, **layout: Any) -> None:
    """Write patches under noise, which compress like land, in colour and near infrared."""
    rng = np.random.default_rng(0)
    side = int(_SIDE * TILE_M) + 2 * _MARGIN
    west, north = _COL * TILE_M - _MARGIN, _ROW * TILE_M + _MARGIN
    with rasterio.open(
        path, "w", driver="GTiff", width=side, height=side, count=4, dtype="uint8",
        crs=f"EPSG:{_EPSG}", transform=Affine(1, 0, west, 0, -1, north), photometric="rgb",
        alpha="unspecified", compress="deflate", predictor=2, zlevel=6, **layout,
    ) as scene:  # fmt: skip
        for band in range(1, 5):
            patches = rng.integers(30, 200, (side // 40 + 1,) * 2, dtype=np.uint8)
            enlarged = patches.repeat(40, axis=0).repeat(40, axis=1)[:side, :side]
            scene.write(enlarged + rng.integers(0, _NOISE, enlarged.shape, dtype=np.uint8), band)
        scene.set_band_description(4, "nir")
        if overviews:
            scene.build_overviews(overviews, Resampling.average)
