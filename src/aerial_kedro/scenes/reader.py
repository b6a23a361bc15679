"""Reading windows of scenes on a disk, in blob storage or on the web, which stay open."""

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self
from weakref import WeakKeyDictionary

import numpy as np
import rasterio
from affine import Affine
from rasterio._err import CPLE_BaseError
from rasterio.enums import ColorInterp, Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.access import current_rules
from aerial_kedro.imagery.redaction import redact
from aerial_kedro.imagery.remote import ATTEMPTS, cause, gdal_environment, is_remote, open_remote
from aerial_kedro.imagery.signing import SignedAddress, SigningError, shared_signing
from aerial_kedro.scenes.addresses import check_href, gdal_path
from aerial_kedro.scenes.bands import (
    RGB,
    bands_of,
    cut_out,
    is_masked_by_infrared,
    is_tagged_as_alpha,
    open_unmasked,
    tags_of,
)
from aerial_kedro.scenes.environment import reading_environment

# A damaged scene read through a warp raises GDAL's own error, which rasterio keeps to itself.
SCENE_ERRORS = (rasterio.errors.RasterioError, CPLE_BaseError, SigningError)

_OPEN_SCENES = 4
# After so many failures in a row, a scene on the web is not requested again, since each failure
# takes all of its retries.
_MOST_FAILURES = 3
# In GDAL's message where a server is not reached at all; an answer has a code instead.
_UNREACHED = "CURL error"
_BLOBS = "/vsiaz/"


class TileReadError(Exception):
    """A tile's pixels could not be read; the message is the reason recorded in the quarantine."""


class SceneReader:
    """Reads tiles from scenes and keeps the last few scenes open.

    Opening a scene costs as much as reading a dozen tiles, so tiles should come scene by scene.
    Use it as a context manager: it closes what it opened.

    Scenes on the web are read in parts. An address is signed when its scene is opened, if its host
    needs that; a scene whose signature has expired, or that fails, is opened again.
    """

    def __init__(self) -> None:
        self._open: OrderedDict[str, rasterio.DatasetReader] = OrderedDict()
        self._unmasked: dict[str, rasterio.DatasetReader] = {}
        self._gdal = contextlib.ExitStack()
        self._rules = current_rules()
        self._signed: dict[str, SignedAddress] = {}
        self._refused: dict[str, SignedAddress | None] = {}
        self._failures: dict[str, list[str]] = {}
        # What bands mean takes GDAL as long to say as a window to read.
        self._bands: WeakKeyDictionary[rasterio.DatasetReader, tuple[tuple[int, ...], bool]] = (
            WeakKeyDictionary()
        )

    def __enter__(self) -> Self:
        # rasterio would set up GDAL for every tile: 0.2 ms of the 1.2 that a PNG takes.
        self._gdal.enter_context(reading_environment())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        while self._open:
            self._close(next(reversed(self._open)))
        self._gdal.close()

    def scene(self, href: str) -> rasterio.DatasetReader:
        """Return the scene, opened as GeoTIFF and nothing else."""
        if href in self._signed and self._signed[href].has_run_out():
            self._close(href)
        if href not in self._open:
            while len(self._open) >= _OPEN_SCENES:
                self._close(next(iter(self._open)))
            self._open[href] = self._opened(href)
        self._open.move_to_end(href)
        return self._open[href]

    def _view(self, href: str, without_alpha: bool) -> rasterio.DatasetReader:
        """Return the scene, or a view of it in which no alpha is tagged."""
        scene = self.scene(href)
        if not (without_alpha and is_tagged_as_alpha(scene)):
            return scene
        if href not in self._unmasked:
            self._unmasked[href] = open_unmasked(scene)
        return self._unmasked[href]

    def _opened(self, href: str) -> rasterio.DatasetReader:
        if not is_remote(href):
            # GDAL's cache of a closed blob would hide that its storage is not reachable.
            with rasterio.Env(CPL_VSIL_CURL_NON_CACHED=_BLOBS):
                return rasterio.open(gdal_path(href), driver="GTiff")
        refused = self._refused.pop(href, None)
        self._signed[href] = shared_signing(self._rules).sign(check_href(href), refused)
        with gdal_environment(self._rules):
            return open_remote(self._signed[href].url)

    def _close(self, href: str) -> None:
        # The view first: what GDAL keeps of a blob goes with the scene itself.
        for opened in (self._unmasked, self._open):
            if href in opened:
                opened.pop(href).close()

    def read(
        self,
        href: str,
        read: Callable[[rasterio.DatasetReader], np.ndarray],
        *,
        without_alpha: bool = False,
    ) -> np.ndarray:
        """Read something from a scene; one on the web is opened again and reread if that fails.

        Parameters
        ----------
        href
            Address of the scene.
        read
            Function of the opened scene.
        without_alpha
            Whether the function warps a scene that has near infrared: it then gets a view in which
            this is not tagged as alpha.

        Raises
        ------
        TileReadError
            If it cannot be read; the message holds no signature.
        AerialError
            If the scene is in blob storage that cannot be reached, which is no fault of the tile.
        """
        if is_remote(href):
            return self._read_remote(href, read, without_alpha)
        try:
            return read(self._view(href, without_alpha))
        except SCENE_ERRORS as error:
            if gdal_path(href).startswith(_BLOBS):
                self._check_reachable(href)
            raise TileReadError(f"scene unreadable: {cause(error)}") from error

    def _check_reachable(self, href: str) -> None:
        """Fail where storage cannot be reached, which GDAL reports when the scene is opened."""
        self._close(href)
        try:
            self.scene(href)
        except SCENE_ERRORS as error:
            if _UNREACHED in str(error):
                raise AerialError(
                    f"The storage of {href} does not answer any more ({error}). Start the run "
                    "again when it does: features that are done are kept."
                ) from error

    def _read_remote(
        self, href: str, read: Callable[[rasterio.DatasetReader], np.ndarray], without_alpha: bool
    ) -> np.ndarray:
        """Read from a scene on the web, unless it has failed too often.

        It is opened and signed again after each failure.
        """
        failures = self._failures.setdefault(href, [])
        if len(failures) >= _MOST_FAILURES:
            raise TileReadError(failures[-1])
        with gdal_environment(self._rules):
            for left in reversed(range(ATTEMPTS)):
                try:
                    pixels = read(self._view(href, without_alpha))
                    break
                except SCENE_ERRORS as error:
                    self._close(href)
                    if left:
                        self._refused[href] = self._signed.get(href)
                        continue
                    failures.append(f"scene unreadable: {redact(cause(error))}")
                    # Not chained: GDAL's own message may quote the signature.
                    raise TileReadError(failures[-1]) from None
        failures.clear()
        return pixels

    def _chosen(self, scene: rasterio.DatasetReader, infrared: bool) -> tuple[list[int], bool]:
        """Numbers of the bands to read, and whether infrared would mask the others."""
        if scene not in self._bands:
            self._bands[scene] = (bands_of(scene), is_masked_by_infrared(scene))
        bands, is_masked = self._bands[scene]
        # As a list: rasterio takes a tuple for something else.
        return list(bands[: None if infrared else len(RGB)]), is_masked

    def read_window(
        self,
        href: str,
        window: Window,
        size: int,
        *,
        has_infrared: bool = False,
        infrared: bool = False,
    ) -> np.ndarray:
        """Read a window of a scene, resampled (bilinear) to a square.

        Parameters
        ----------
        href
            Address of the scene.
        window
            Window in pixels of the scene; it need not begin or end with a whole pixel.
        size
            Side of the result in pixels.
        has_infrared
            Whether the scene has near infrared (`holds_infrared`), which then masks nothing.
        infrared
            Whether to read it as well.

        Returns
        -------
        numpy.ndarray
            Red, green and blue, and near infrared if it is asked for and there, one after the
            other: array of shape ``(3, size, size)`` or ``(4, size, size)``, uint8.

        Raises
        ------
        TileReadError
            If the scene cannot be read there.
        """

        def read(scene: rasterio.DatasetReader) -> np.ndarray:
            bands, is_masked = self._chosen(scene, has_infrared and infrared)
            if not (has_infrared and is_masked):
                return _read_planes(scene, bands, window, size)
            with cut_out(scene, bands, window, size) as (cut, inner):
                return _read_planes(cut, cut.indexes, inner, size)

        return self.read(href, read)

    def read_warped(
        self,
        href: str,
        bounds: tuple[float, float, float, float],
        epsg: int,
        size: int,
        *,
        has_infrared: bool = False,
        infrared: bool = False,
    ) -> np.ndarray:
        """Read a place of a scene that lies in another CRS, through a warp.

        Parameters
        ----------
        href
            Address of the scene.
        bounds
            ``(xmin, ymin, xmax, ymax)`` in the units of ``epsg``.
        epsg
            CRS of the tile.
        size
            Side of the result in pixels.
        has_infrared, infrared
            As in `read_window`.

        Returns
        -------
        numpy.ndarray
            As of `read_window`.
        """
        xmin, ymin, xmax, ymax = bounds
        transform = Affine((xmax - xmin) / size, 0, xmin, 0, (ymin - ymax) / size, ymax)

        def read(scene: rasterio.DatasetReader) -> np.ndarray:
            bands, _ = self._chosen(scene, has_infrared and infrared)
            planes = np.empty((len(bands), size, size), dtype=np.uint8)
            with warped(scene, epsg, transform, size, size) as view:
                # Colour first: GDAL warps all bands of a view in other pieces than some.
                for part in (slice(len(RGB)), slice(len(RGB), len(bands))):
                    if bands[part]:
                        view.read(bands[part], out=planes[part])
            return planes

        return self.read(href, read, without_alpha=has_infrared)


def _read_planes(
    dataset: rasterio.DatasetReader, bands: Sequence[int], window: Window, size: int
) -> np.ndarray:
    """Read bands, resampled (bilinear) to ``(bands, size, size)``, uint8."""
    # Three times as fast as pixel by pixel.
    planes = np.empty((len(bands), size, size), dtype=np.uint8)
    dataset.read(bands, out=planes, window=window, resampling=Resampling.bilinear)
    return planes


def warped(
    scene: rasterio.DatasetReader, epsg: int, transform: Affine, width: int, height: int
) -> WarpedVRT:
    """Return a view of a scene on another CRS's pixel grid; what it does not cover is nodata."""
    has_alpha = ColorInterp.alpha in tags_of(scene)
    return WarpedVRT(
        scene,
        crs=f"EPSG:{epsg}",
        transform=transform,
        width=width,
        height=height,
        resampling=Resampling.bilinear,
        add_alpha=scene.nodata is None and not has_alpha,
    )
