"""What computed embeddings of cells, made up: nothing but its card counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from aerial_kedro.features.artifact import Backbone, BackboneCard, CellEmbedding
from aerial_kedro.features.engine_choice import EngineChoice
from aerial_kedro.features.source import FeatureSource


def embedding(components: int = 3) -> CellEmbedding:
    return CellEmbedding(
        layers=("blocks.4", "conv_head"),
        channels=1392,
        scales=tuple(0.5 / 2**k for k in range(components)),
        explained=0.875,
        fitted_tiles=1000,
        fitted_on="sample",
        projection_sha256="b" * 64,
    )


def source_with_cells(components: int = 3) -> FeatureSource:
    return _source(embedding(components))


def source_without_cells() -> FeatureSource:
    return _source(None)


def _source(cells: CellEmbedding | None) -> FeatureSource:
    card = BackboneCard(
        name="efficientnet_lite0",
        architecture="timm/tf_efficientnet_lite0",
        weights_source="a package",
        weights_sha256="a" * 64,
        input_size=224,
        n_features=1792,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        opset=13,
        parity_cosine=1.0,
        onnx_sha256="c" * 64,
        cells=cells,
    )
    return FeatureSource(Backbone(b"", card), EngineChoice(engine="onnxruntime", precision="fp32"))


TILE = 224.0
COMPONENTS = 3
WEST, NORTH = 2232, 18036  # column and row of a tile of zone 18


def cells_of_place(column: int, row: int, year: int = 2018, epsg: int = 26918) -> np.ndarray:
    """Cells that differ from place to place, year to year and zone to zone: int8 (7, 7, 3)."""
    rng = np.random.default_rng([column, row, year, epsg])
    return rng.integers(-127, 128, (7, 7, COMPONENTS), dtype=np.int8)


def place(column: int, row: int, year: int = 2018, epsg: int = 26918) -> dict[str, Any]:
    """A row of `tile_catalog`, as far as it counts here."""
    return {
        "image_id": f"e{epsg}_x{column}_y{row}_{year}",
        "source_version": "1",
        "kind": "window",
        "year": year,
        "epsg": epsg,
        "xmin": column * TILE,
        "ymin": row * TILE,
        "xmax": (column + 1) * TILE,
        "ymax": (row + 1) * TILE,
    }


def featured(tile: dict[str, Any], key: str, *, has_cells: bool = True) -> dict[str, Any]:
    """The row of `tile_features` for a row of the catalog."""
    column, row = round(tile["xmin"] / TILE), round(tile["ymin"] / TILE)
    cells = cells_of_place(column, row, tile["year"], tile["epsg"])
    return {
        "image_id": tile["image_id"],
        "source_version": "1",
        "feature_key": key,
        "cells": cells.tobytes() if has_cells else None,
    }


CATALOG = (
    "image_id string, source_version string, kind string, year int, epsg int, "
    "xmin double, ymin double, xmax double, ymax double"
)
FEATURES = "image_id string, source_version string, feature_key string, cells binary"
