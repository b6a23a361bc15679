"""Truth and land-cover rasters of the county."""

from __future__ import annotations

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.warp import Resampling, reproject

from aerial_kedro.examples.county.classes import NLCD_COLOURS, TRUTH_CODES
from aerial_kedro.examples.county.frame import Frame
from aerial_kedro.examples.county.kinds import CLASS_OF_CODE, KINDS
from aerial_kedro.examples.county.noise import smooth_noise
from aerial_kedro.examples.county.plan import CRS, draw_plan
from aerial_kedro.examples.county.settings import CountySettings
from aerial_kedro.scenes.raster import Raster

ALBERS = "EPSG:5070"
PIXEL_M = 30
NODATA = 0
_DESCRIPTION = "{what} of a made-up county, drawn by aerial_kedro from seed {seed}; not real data."


def draw_truth_of(settings: CountySettings, seed: int, year: int) -> Raster:
    """Draw the true classes of a year at 10 m.

    Returns
    -------
    Raster
        One band of uint8 with the values of ``classes.TRUTH_CODES``.
    """
    plan = draw_plan(settings, seed)
    county = plan.county
    frame = Frame(county.west, county.north, 10.0, county.rows // 10, county.columns // 10)
    table = np.zeros(256, np.uint8)
    for code, land_class in CLASS_OF_CODE.items():
        table[code] = TRUTH_CODES[land_class]
    names = ", ".join(f"{value} {land_class}" for land_class, value in TRUTH_CODES.items())
    return Raster(
        table[plan.codes(year, frame)][None],
        frame.transform,
        CRS,
        nodata=NODATA,
        band_names=("class",),
        tags={**_tags("True land classes", seed, year), "CLASSES": names},
    )


def draw_land_cover_of(settings: CountySettings, seed: int, year: int) -> Raster:
    """Draw the land cover of a year as NLCD would give it: 30 m, Albers, not without errors.

    Returns
    -------
    Raster
        One band of uint8 with NLCD codes and their colour table; 0 outside.
    """
    plan = draw_plan(settings, seed)
    codes = plan.codes(year, plan.outer)
    to_albers = Transformer.from_crs(CRS, ALBERS, always_xy=True)
    west, south, east, north = to_albers.transform_bounds(*plan.outer.bounds, densify_pts=21)
    left = PIXEL_M * np.floor(west / PIXEL_M) + 15
    top = PIXEL_M * np.ceil(north / PIXEL_M) + 15
    rows = int(np.ceil((top - south) / PIXEL_M))
    columns = int(np.ceil((east - left) / PIXEL_M))
    transform = Affine(PIXEL_M, 0, left, 0, -PIXEL_M, top)
    cover = np.zeros((rows, columns), np.uint8)
    reproject(
        codes,
        cover,
        src_transform=plan.outer.transform,
        src_crs=CRS,
        dst_transform=transform,
        dst_crs=ALBERS,
        src_nodata=NODATA,
        dst_nodata=NODATA,
        resampling=Resampling.mode,
    )
    rng = np.random.default_rng([seed, 5])
    noisy = mislabel(rng, cover, settings.label_noise)
    return Raster(
        noisy[None],
        transform,
        ALBERS,
        nodata=NODATA,
        band_names=("land cover",),
        colour_table={0: (0, 0, 0, 0), **NLCD_COLOURS},
        tags=_tags("Land cover (NLCD codes)", seed, year),
    )


def mislabel(rng: np.random.Generator, codes: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """Put errors into a land cover, as a mapping from satellite images makes them.

    Half of the errors are clumps of a wrong class, the rest come from borders that are
    shifted by a pixel here and there.

    Parameters
    ----------
    rng
        Source of the errors.
    codes
        NLCD codes, shape ``(rows, cols)``; 0 is no data and stays so.
    share
        Share of the pixels that get a wrong clump.
    """
    rows, columns = codes.shape
    if share == 0:
        return codes.copy()
    shift = [np.round(0.7 * smooth_noise(rng, codes.shape, 6.0)).astype(np.intp) for _ in range(2)]
    from_rows = np.clip(np.arange(rows)[:, None] + shift[0], 0, rows - 1)
    from_columns = np.clip(np.arange(columns)[None] + shift[1], 0, columns - 1)
    shifted = codes[from_rows, from_columns]
    clumps = smooth_noise(rng, codes.shape, 1.6)
    wrong = clumps > np.quantile(clumps, 1 - share)
    known = sorted({kind.code for kind in KINDS.values()})
    # One code for a whole clump: a coarse lattice of random codes, looked up by place.
    lattice = rng.choice(known, size=(rows // 5 + 1, columns // 5 + 1)).astype(np.uint8)
    drawn = lattice[np.arange(rows)[:, None] // 5, np.arange(columns)[None] // 5]
    result = np.where(wrong, drawn, shifted)
    result = np.where((codes == NODATA) | (result == NODATA), codes, result)
    return result.astype(np.uint8)


def _tags(what: str, seed: int, year: int) -> dict[str, str]:
    return {
        "TIFFTAG_DATETIME": f"{year}:01:01 00:00:00",
        "TIFFTAG_IMAGEDESCRIPTION": _DESCRIPTION.format(what=what, seed=seed),
    }
