"""Headers of scenes: place, size and resolution of an image.

A raster whose declared size would fill memory or disk is refused unread.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from pyproj import CRS, Geod, Transformer
from rasterio.enums import Interleaving

from aerial_kedro.errors import AerialError
from aerial_kedro.scenes.bands import RGB, bands_of, holds_infrared
from aerial_kedro.scenes.environment import reading_environment
from aerial_kedro.scenes.remedies import names_for, scale_command, warp_command
from aerial_kedro.scenes.years import year_of_scene

# The conterminous United States at 30 m are 17,000 million cells, a large county at 0.6 m as many.
_MOST_PIXELS = 200_000_000_000
# A block is decoded as a whole, however little of it is needed.
_MOST_BLOCK_BYTES = 512 * 2**20
# Deflate makes a thousandth of a single colour at best; what claims more has no pixels at all.
_MOST_COMPRESSION = 5_000
# Share of a pixel by which a row may lean: programs that write transforms round them. Over 10,000
# rows that is a thousandth of a pixel.
_ROUNDING = 1e-7
_POLE = 90
# Below this, an empty raster does no harm.
_HARMLESS_BYTES = 2**30


@dataclass(frozen=True)
class SceneHeader:
    """Metadata of a scene, known before its tiles are.

    Parameters
    ----------
    href
        Address of the scene; never signed.
    source_version
        Version of the file's content (size and time, or the store's ETag).
    crs
        The CRS as WKT.
    epsg
        Its EPSG code, if it has one.
    transform
        The six affine coefficients (a, b, c, d, e, f) from pixel to CRS units.
    width, height
        Size in pixels.
    gsd_m
        Ground sample distance in metres at the scene's centre.
    year
        The year of the image.
    lon, lat
        The scene's centre in degrees.
    description
        The file's own description; that of the embedded sample marks it as not real.
    infrared
        Whether a band beside the colours is near infrared, and neither a mask nor missing.
    """

    href: str
    source_version: str
    crs: str
    epsg: int | None
    transform: tuple[float, float, float, float, float, float]
    width: int
    height: int
    gsd_m: float
    year: int
    lon: float
    lat: float
    description: str
    infrared: bool

    @property
    def affine(self) -> Affine:
        """The transform as an `Affine`."""
        return Affine(*self.transform)


def read_header(
    path: str,
    href: str,
    source_version: str,
    default_year: int | None = None,
    *,
    counted: bool = False,
) -> SceneHeader:
    """Read the header of a scene, and a block of the band beside its colours.

    Parameters
    ----------
    path
        Path or address that GDAL opens.
    href
        The unsigned address to keep in the catalog.
    source_version
        Version of the file's present content.
    default_year
        Year of scenes whose name and tags hold none.
    counted
        Whether the number in its name counts scenes, and so is no year.

    Raises
    ------
    AerialError
        If the file is no GeoTIFF, has no projected CRS, is rotated, has too few bands, is not
        8 bit, or declares an impossible size.
    """
    try:
        with reading_environment(), rasterio.open(path, driver="GTiff") as dataset:
            _check_scene(dataset, href)
            check_size(dataset, path, f"The scene {href}")
            crs = CRS.from_wkt(dataset.crs.to_wkt())
            x, y = dataset.transform @ (dataset.width / 2, dataset.height / 2)
            lon, lat = Transformer.from_crs(crs, 4326, always_xy=True).transform(x, y)
            return SceneHeader(
                href=href,
                source_version=source_version,
                crs=dataset.crs.to_wkt(),
                epsg=dataset.crs.to_epsg(),
                transform=_without_rounding(dataset.transform),
                width=dataset.width,
                height=dataset.height,
                gsd_m=ground_sample_distance(crs, dataset.transform, x, y),
                year=year_of_scene(href, dataset.tags(), default_year, counted=counted),
                lon=float(lon),
                lat=float(lat),
                description=dataset.tags().get("TIFFTAG_IMAGEDESCRIPTION", ""),
                infrared=holds_infrared(dataset),
            )
    except rasterio.errors.RasterioIOError as error:
        raise AerialError(
            f"The scene {href} cannot be opened as a GeoTIFF ({error}). Replace it with a whole "
            "file, or take it out of the folder."
        ) from error


def _without_rounding(transform: Affine) -> tuple[float, float, float, float, float, float]:
    """Return the six coefficients of a transform that `check_north_up` has passed, upright."""
    return transform.a, 0.0, transform.c, 0.0, transform.e, transform.f


def _check_scene(dataset: rasterio.DatasetReader, href: str) -> None:
    name = f"The scene {href}"
    if dataset.crs is None and (dataset.gcps[0] or dataset.rpcs is not None):
        raise AerialError(
            f"{name} has control points only, from which the place of each pixel would have to be "
            f"computed. Warp it ({warp_command(dataset, to_utm=True)}) and give the new file "
            "instead of it."
        )
    if dataset.crs is None:
        raise AerialError(
            f"{name} has no coordinate reference system, so its place is unknown. "
            "Assign one (gdal_edit.py -a_srs EPSG:269zz), or classify it as tiles in a folder."
        )
    if dataset.crs.is_geographic:
        raise AerialError(
            f"{name} is in degrees ({dataset.crs}). Reproject it to a projected CRS "
            f"({warp_command(dataset, to_utm=True)}) and give the new file instead of it."
        )
    if not dataset.crs.is_projected:
        raise AerialError(
            f"{name} has a coordinate system that is no map projection "
            f"({dataset.crs.to_wkt()[:60]}…). Assign the right one (gdal_edit.py -a_srs "
            "EPSG:269zz)."
        )
    check_north_up(dataset, name, "bilinear")
    _check_on_earth(dataset, name, "a corner", [(0, 0), (1, 0), (0, 1), (1, 1)])
    if dataset.count < len(RGB):
        raise AerialError(f"{name} has {dataset.count} band(s); red, green and blue are needed.")
    _check_depth(dataset, name)


def _check_depth(dataset: rasterio.DatasetReader, name: str) -> None:
    bands = bands_of(dataset)
    kinds = {dataset.dtypes[band - 1] for band in bands[: len(RGB)]}
    bits = dataset.tags(bands[0], ns="IMAGE_STRUCTURE").get("NBITS")
    if kinds == {"uint8"} and bits is None:
        return
    source, target = names_for(dataset, "_8bit")
    if kinds != {"uint8"}:
        raise AerialError(
            f"{name} holds {min(kinds - {'uint8'})} values; 8-bit colour is needed. Scale it "
            f"first: {scale_command(dataset.count, bands, source, target)}."
        )
    raise AerialError(
        f"{name} holds values of {bits} bits; 8-bit colour is needed. Scale it first: "
        f"`gdal_translate -co NBITS=8 -scale 0 {2 ** int(bits) - 1} 0 255 {source} {target}`."
    )


def check_north_up(dataset: rasterio.DatasetReader, name: str, resampling: str = "near") -> None:
    """Refuse a raster whose rows do not run from west to east, from the north on, on the earth.

    Parameters
    ----------
    dataset
        The raster, opened; it has a CRS.
    name
        Name of the raster in the message, as in ``The scene a.tif``.
    resampling
        GDAL's method of the remedy.

    Raises
    ------
    AerialError
        If it is rotated by more than rounding, mirrored or south-up, has no place, or its centre
        has no longitude and latitude.
    """
    if dataset.transform.is_identity:
        raise AerialError(
            f"{name} has a coordinate reference system but no place in it. Give it one: "
            f"gdal_edit.py -a_ullr WEST NORTH EAST SOUTH {names_for(dataset, '')[0]}."
        )
    across, skew_x, _, skew_y, down = dataset.transform[:5]
    leans = abs(skew_x) > _ROUNDING * abs(across) or abs(skew_y) > _ROUNDING * abs(down)
    if leans or across <= 0 or down >= 0:
        raise AerialError(
            f"{name} is rotated, mirrored or south-up. Write it north-up "
            f"({warp_command(dataset, resampling=resampling)}) and give the new file instead of it."
        )
    _check_on_earth(dataset, name, "its centre", [(0.5, 0.5)])


def _check_on_earth(
    dataset: rasterio.DatasetReader, name: str, what: str, places: list[tuple[float, float]]
) -> None:
    """Refuse a raster one of whose places, shares of width and height, is nowhere."""
    crs = CRS.from_wkt(dataset.crs.to_wkt())
    to_degrees = Transformer.from_crs(crs, 4326, always_xy=True)
    for right, down in places:
        x, y = dataset.transform @ (right * dataset.width, down * dataset.height)
        lon, lat = to_degrees.transform(x, y)
        if not (math.isfinite(lon) and abs(lat) <= _POLE):
            raise AerialError(
                f"{name} lies off the earth: {what}, {x:.10g}, {y:.10g} in {crs.name}, has no "
                "longitude and latitude. Assign the right coordinate system (gdal_edit.py -a_srs "
                "EPSG:269zz) or corners (-a_ullr WEST NORTH EAST SOUTH)."
            )


def ground_sample_distance(crs: CRS, transform: Affine, x: float, y: float) -> float:
    """Side of a pixel on the ground in metres: on web-Mercator it is less than in map units.

    Parameters
    ----------
    crs
        CRS of the raster.
    transform
        From its pixels to units of the CRS.
    x, y
        Where it is measured, from west to east, in units of the CRS.
    """
    geod = crs.get_geod() or Geod(ellps="WGS84")
    to_degrees = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    lons, lats = to_degrees.transform([x, x + 100 * transform.a], [y, y])
    _, _, distance = geod.inv(lons[0], lats[0], lons[1], lats[1])
    return float(distance) / 100


def check_size(dataset: rasterio.DatasetReader, path: str, name: str) -> None:
    """Refuse a raster that declares more than it can hold, or than can be read in parts.

    Parameters
    ----------
    dataset
        The raster, opened; only its header is read.
    path
        Path at which it was opened; only a local file's own size is checked.
    name
        Name of the raster in the message, as in ``the scene a.tif``.

    Raises
    ------
    AerialError
        If it has too many pixels, blocks too large to be decoded one by one, or hardly any file
        behind them.
    """
    pixels = dataset.width * dataset.height
    size = f"{dataset.width:,} × {dataset.height:,} pixels"
    if pixels > _MOST_PIXELS:
        raise AerialError(
            f"{name} declares {size}, more than are read. Cut it into pieces (gdal_retile.py), or "
            "take it out if it should be smaller: it is broken, or malicious."
        )
    item = max(np.dtype(each).itemsize for each in dataset.dtypes)
    together = dataset.count if dataset.interleaving == Interleaving.pixel else 1
    block = math.prod(dataset.block_shapes[0]) * item * together
    if dataset.compression is not None and block > _MOST_BLOCK_BYTES:
        raise AerialError(
            f"{name} ({size}) is compressed in blocks of {block / 2**20:,.0f} MiB, each of which "
            "must be decoded whole. Write it in tiles (gdal_translate -of COG) first."
        )
    claimed = pixels * item * dataset.count
    held = claimed
    if Path(path).is_file():
        # An Erdas Imagine file may have its pixels in another one. Asking costs requests elsewhere.
        beside = {Path(path), *map(Path, dataset.files)}
        held = sum(file.stat().st_size for file in beside if file.is_file())
    if claimed > _HARMLESS_BYTES and claimed > _MOST_COMPRESSION * held:
        raise AerialError(
            f"{name} declares {size} in a file of {held:,} bytes: it is empty, broken or "
            "malicious. Give the whole file, or take it out of the folder."
        )
