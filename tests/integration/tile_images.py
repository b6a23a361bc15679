"""Tile images that any backbone tells apart: four classes of texture in random colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from pyproj import Transformer

ZONE = 26918
SIDE_M = 224.0
SIZE = 64
CLASSES = ("Checks", "Noise", "Plain", "Stripes")
# A folder may be called so, and a page must not take it for markup.
ODD_NAME = "Plain <b>& simple"


def draw_tile(name: str, rng: np.random.Generator) -> np.ndarray:
    """Draw a tile of a class: uint8, ``(SIZE, SIZE, 3)``."""
    dark, light = rng.integers(0, 90, 3), rng.integers(150, 256, 3)
    rows, cols = np.mgrid[:SIZE, :SIZE]
    period = int(rng.integers(6, 10))
    mixed = {
        "Checks": ((rows // period + cols // period) % 2).astype(float),
        "Noise": rng.random((SIZE, SIZE)),
        "Plain": np.full((SIZE, SIZE), rng.random()),
        "Stripes": ((rows // period) % 2).astype(float),
    }[name][..., None]
    pixels = dark + mixed * (light - dark) + rng.normal(0, 4, (SIZE, SIZE, 3))
    return np.clip(pixels, 0, 255).astype(np.uint8)


def draw_class_folders(root: Path, tiles: int, seed: int, suffix: str = ".png") -> Path:
    """Write ``<root>/<Class>/<Class>_<number><suffix>`` and return the root."""
    rng = np.random.default_rng(seed)
    for name in CLASSES:
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(tiles):
            image = Image.fromarray(draw_tile(name, rng))
            image.save(root / name / f"{name}_{number}{suffix}")
    return root


def write_summaries(root: Path, origins: dict[str, tuple[float, float]]) -> None:
    """Write `tile_summaries.csv`: a name to the lower left corner of its square in UTM zone 18."""
    to_degrees = Transformer.from_crs(ZONE, 4326, always_xy=True)
    rows = ["filename,llcrnrlat,llcrnrlon,urcrnrlat,urcrnrlon"]
    for name, (x, y) in origins.items():
        west, south = to_degrees.transform(x, y)
        east, north = to_degrees.transform(x + SIDE_M, y + SIDE_M)
        rows.append(f"{name},{south:.7f},{west:.7f},{north:.7f},{east:.7f}")
    (root / "tile_summaries.csv").write_text("\n".join(rows))
