"""Truth and land-cover rasters of the county."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rasterio.warp import Resampling

from aerial_kedro.examples.county.frame import CRS, NODATA, Frame
from aerial_kedro.examples.county.kinds import CLASS_OF_CODE, KINDS, LandClass
from aerial_kedro.examples.county.noise import smooth_noise
from aerial_kedro.examples.county.plan import draw_plan
from aerial_kedro.examples.county.settings import CountySettings
from aerial_kedro.scenes.raster import Raster

ALBERS = "EPSG:5070"
TRUTH_CODES: dict[LandClass, int] = {
    land_class: number for number, land_class in enumerate(LandClass, start=1)
}
"""Values of the truth rasters; 0 is no data."""

# fmt: off
NLCD_COLOURS: dict[int, tuple[int, int, int, int]] = {
    11: (70, 107, 159, 255), 12: (209, 222, 248, 255), 21: (222, 197, 197, 255),
    22: (217, 146, 130, 255), 23: (235, 0, 0, 255), 24: (171, 0, 0, 255),
    31: (179, 172, 159, 255), 41: (104, 171, 95, 255), 42: (28, 95, 44, 255),
    43: (181, 197, 143, 255), 51: (173, 150, 68, 255), 52: (204, 184, 121, 255),
    71: (223, 223, 194, 255), 72: (209, 209, 130, 255), 73: (163, 204, 81, 255),
    74: (130, 186, 158, 255), 81: (220, 217, 57, 255), 82: (171, 108, 40, 255),
    90: (184, 217, 235, 255), 95: (108, 159, 184, 255),
}
# fmt: on
"""The colour table that NLCD rasters carry."""


def draw_truth(settings: CountySettings, seed: int) -> dict[str, Callable[[], Raster]]:
    """Draw the true classes in the year of every flight, each when it is saved.

    Parameters
    ----------
    settings
        Size and make-up of the county.
    seed
        Another seed gives another county.

    Returns
    -------
    dict
        ``truth_<year>`` and a function that draws the true classes of that year: one band of
        uint8 at 10 m with the values of `TRUTH_CODES`.
    """
    return {
        f"truth_{flight.year}": partial(_draw_truth_of, settings, seed, flight.year)
        for flight in settings.flights
    }


def _draw_truth_of(settings: CountySettings, seed: int, year: int) -> Raster:
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


def draw_land_cover(settings: CountySettings, seed: int) -> dict[str, Callable[[], Raster]]:
    """Draw the land cover of every land-cover year as NLCD would give it, each when it is saved.

    Parameters
    ----------
    settings, seed
        As for :func:`draw_truth`.

    Returns
    -------
    dict
        ``nlcd_<year>`` and a function that draws the land cover of that year: one band of uint8
        at 30 m in Albers' projection, with NLCD codes, not without errors, and their colour table;
        0 outside.
    """
    return {
        f"nlcd_{year}": partial(_draw_land_cover_of, settings, seed, year)
        for year in settings.land_cover_years
    }


def _draw_land_cover_of(settings: CountySettings, seed: int, year: int) -> Raster:
    plan = draw_plan(settings, seed)
    codes = plan.codes(year, plan.outer)[None]
    cover, transform = plan.outer.warp(codes, ALBERS, 30.0, Resampling.mode, offset=15.0)
    rng = np.random.default_rng([seed, 5])
    return Raster(
        mislabel(rng, cover[0], settings.label_noise)[None],
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
    # One code for a whole clump: a coarse lattice of random codes.
    lattice = rng.choice(known, size=(rows // 5 + 1, columns // 5 + 1)).astype(np.uint8)
    drawn = lattice.repeat(5, axis=0).repeat(5, axis=1)[:rows, :columns]
    result = np.where(wrong, drawn, shifted)
    result = np.where((codes == NODATA) | (result == NODATA), codes, result)
    return result.astype(np.uint8)


def _tags(what: str, seed: int, year: int) -> dict[str, str]:
    return {
        "TIFFTAG_DATETIME": f"{year}:01:01 00:00:00",
        "TIFFTAG_IMAGEDESCRIPTION": (
            f"{what} of a made-up county, drawn by aerial_kedro from seed {seed}; not real data."
        ),
    }
