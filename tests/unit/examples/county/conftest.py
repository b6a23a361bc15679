from __future__ import annotations

import pytest

from aerial_kedro.examples.county.landcover import draw_land_cover, draw_truth
from aerial_kedro.examples.county.scenes import draw_scenes
from aerial_kedro.examples.county.settings import CountySettings
from aerial_kedro.scenes.raster import Raster


@pytest.fixture(scope="session")
def seed() -> int:
    return 11


@pytest.fixture(scope="session")
def tiny() -> CountySettings:
    return CountySettings(
        width_m=1344,
        height_m=1120,
        west_share=0.4,
        scene_rows=1,
        scene_columns_east=1,
        scene_overlap_m=240,
        estate_size_m=(180.0, 380.0),
        parcel_size_m=(90.0, 260.0),
        land_cover_margin_m=300,
    )


@pytest.fixture(scope="session")
def scenes(tiny: CountySettings, seed: int) -> dict[str, Raster]:
    return {stem: draw() for stem, draw in draw_scenes(tiny, seed).items()}


@pytest.fixture(scope="session")
def land_cover(tiny: CountySettings, seed: int) -> dict[str, Raster]:
    return {stem: draw() for stem, draw in draw_land_cover(tiny, seed).items()}


@pytest.fixture(scope="session")
def truth(tiny: CountySettings, seed: int) -> dict[str, Raster]:
    return {stem: draw() for stem, draw in draw_truth(tiny, seed).items()}
