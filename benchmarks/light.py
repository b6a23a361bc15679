"""The sample's last flight in other light: its scenes drawn anew, and its tiles from them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import rasterio

from aerial_kedro.examples.county.scenes import draw_scenes
from aerial_kedro.examples.county.settings import CountySettings, Flight
from aerial_kedro.features.featurize import featurize_batches
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.tiles.reading import SOURCE_COLUMNS

YEAR = 2018
FLIGHT = CountySettings().flights[-1]
GAIN, HAZE = 0.8, np.array([30.0, 31.5, 34.5, 15.0], np.float32)
LIGHTS: dict[str, tuple[Flight, float]] = {
    "low sun": (FLIGHT.model_copy(update={"sun_azimuth_deg": 95, "sun_elevation_deg": 28}), 0.0),
    "haze": (FLIGHT, 1.0),
    "low sun, haze, green": (
        Flight(date=dt.date(YEAR, 9, 4), sun_azimuth_deg=118, sun_elevation_deg=30, greenness=0.7),
        1.0,
    ),
}


def fly(flight: Flight, haze: float, folder: Path, seed: int) -> Path:
    """Draw the scenes of a flight into a folder, as hazy as asked."""
    settings = CountySettings(flights=(CountySettings().flights[0], flight))
    for stem, draw in draw_scenes(settings, seed).items():
        if f"_{YEAR}" not in stem:
            continue
        raster = draw()
        hazy = GAIN * raster.pixels + HAZE[:, None, None]
        seen = np.where(haze, hazy, raster.pixels).round().clip(1, 255)
        pixels = np.where(raster.pixels == 0, 0, seen).astype(np.uint8)
        with rasterio.open(
            folder / f"{stem}.tif", "w", driver="GTiff", count=4, dtype="uint8",
            height=pixels.shape[1], width=pixels.shape[2], crs=raster.crs,
            transform=raster.transform, nodata=0, tiled=True, photometric="RGB", alpha="no",
        ) as file:  # fmt: skip
            file.write(pixels)
    return folder


def featurize(source: FeatureSource, tiles: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Featurize the tiles of the year from other scenes."""
    tiles = tiles[tiles["year"] == YEAR].drop(columns=["cells", "cell_statistics"])
    tiles = tiles.assign(href=[str(folder / Path(href).name) for href in tiles["href"]])
    table = pa.Table.from_pandas(tiles.sort_values("href")[SOURCE_COLUMNS], preserve_index=False)
    found = featurize_batches(
        iter(table.to_batches()),
        network=source.backbone.network_for(source.choice.engine),
        input_size=source.backbone.card.input_size,
        feature_key=source.key,
        engine=source.choice.engine,
        precision=source.choice.precision,
        with_cells=True,
    )
    own = ["image_id", "cells", "cell_statistics"]
    features = pd.concat([batch.to_pandas() for batch in found])[own]
    return tiles.merge(features, on="image_id")
