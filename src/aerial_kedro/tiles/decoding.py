"""Decoding image files of every kind that is read, known by their content, to colours."""

import contextlib
import io
import re
import threading
import warnings
from collections.abc import Callable, Mapping

import numpy as np
import rasterio
from PIL import (
    ExifTags,
    Image,
    ImageCms,
    ImageFile,
    ImageOps,
    TiffImagePlugin,
    UnidentifiedImageError,
)
from rasterio.enums import ColorInterp, Compression

from aerial_kedro.imagery.remote import cause
from aerial_kedro.scenes.bands import RGB, bands_of, tags_of
from aerial_kedro.scenes.environment import reading_environment
from aerial_kedro.scenes.reader import TileReadError
from aerial_kedro.scenes.remedies import scale_command
from aerial_kedro.tiles import png

_KINDS = "PNG, JPEG, TIFF, BMP, WEBP, GIF, JPEG 2000"
_BY_PILLOW = ("PNG", "JPEG", "BMP", "WEBP", "GIF")
# First bytes of what GDAL decodes, with its driver.
_BY_GDAL = {
    # Either byte order, classic and BigTIFF.
    **dict.fromkeys((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), "GTiff"),
    # A file, and its mere stream.
    **dict.fromkeys((b"\0\0\0\x0cjP  ", b"\xffO\xffQ"), "JP2OpenJPEG"),
}
_TIFF_HEAD, _BIG_TIFF_HEAD, _BIG_TIFF = 8, 16, 43
# A tile's own image is a tile, not a scene: one that declares more pixels is broken or malicious.
_MAX_IMAGE_PIXELS = 64_000_000
# Where a PNG holds the number of bits of a value, and its kind of colour.
_PNG_DEPTH, _PNG_COLOUR = 24, 25
_PNG_BANDS = {0: 1, 2: 3, 4: 2, 6: 4}
_NEEDED = "8-bit RGB or grey is needed"
_BITS = 8
# What libtiff turns to red, green and blue as it should.
_COLOUR_SPACES = (None, "YCbCr", "CMYK")
_CIELAB = "CIELAB"  # comes out of libtiff 14 levels off
_TURNED = range(2, 9)
# Another for each file, which would make each reason one of its own.
_NAME_IN_MEMORY = re.compile(r"(/vsimem/)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}[/.\w]*,? ?")

# Which warnings are ignored is the process's, not a thread's.
_FILTERS = threading.Lock()

ImageFile.LOAD_TRUNCATED_IMAGES = False


def decode_image(content: bytes, size: int) -> np.ndarray:
    """Decode an image, which is recognised by its first bytes, and resample it (bilinear).

    What the file says of its orientation is done. An alpha is dropped, and the colour under it
    kept; of a file with more bands red, green and blue are read (`scenes.bands.bands_of`); of an
    animation the first picture.

    Parameters
    ----------
    content
        Content of a PNG, JPEG, TIFF, BMP, WEBP, GIF or JPEG 2000 file.
    size
        Side of the result in pixels.

    Returns
    -------
    numpy.ndarray
        Array of shape ``(size, size, 3)``, uint8, red, green and blue.

    Raises
    ------
    TileReadError
        With the reason, if the file is empty, broken, no image, or holds something other than
        colour or grey of at most 8 bits.
    """
    if not content:
        raise TileReadError("the file is empty (0 bytes)")
    try:
        with _FILTERS, warnings.catch_warnings():
            # Of GDAL for each image without coordinates, of Pillow for each odd note in a file.
            warnings.simplefilter("ignore")
            return _resized(_decode(content, size), size)
    except TileReadError:
        raise
    except UnidentifiedImageError as error:
        raise TileReadError(
            f"the file is no image that is read ({_KINDS}), or its header is broken"
        ) from error
    except Exception as error:
        # Decoders raise whatever they stumble over, and no file may end a run.
        raise TileReadError(f"the image is broken: {_in_words(error)}") from error


def _in_words(error: Exception) -> str:
    found = cause(error) if isinstance(error, rasterio.errors.RasterioError) else error
    return _NAME_IN_MEMORY.sub("", str(found)) or type(found).__name__


def _decode(content: bytes, size: int) -> Image.Image | np.ndarray:
    for signature, driver in _BY_GDAL.items():
        if content.startswith(signature):
            return _decode_by_gdal(content, driver)
    plain = png.plain_size(content)
    if plain is None:
        return _decode_by_pillow(content, size)
    _check_size(*plain)
    try:
        return png.decode_plain(content, *plain)
    except rasterio.errors.RasterioError:
        return _decode_by_pillow(content, size)  # its message is clearer


def _decode_by_pillow(content: bytes, size: int) -> Image.Image:
    if content.startswith(png.SIGNATURE) and content[_PNG_DEPTH : _PNG_DEPTH + 1] == b"\x10":
        # Pillow would cut 16-bit colour down to 8 without a word.
        count = _PNG_BANDS.get(content[_PNG_COLOUR], 1)
        bands = RGB if count >= len(RGB) else (1,)
        raise TileReadError(
            f"the image holds 16-bit values; {_NEEDED}: {scale_command(count, bands, 'IN.png')}"
        )
    with Image.open(io.BytesIO(content), formats=_BY_PILLOW) as image:
        _check_size(*image.size)
        if image.mode not in {"RGB", "RGBA", "L", "LA", "P", "1"}:
            raise TileReadError(f"the image is of mode {image.mode}; {_NEEDED}")
        if image.mode == "P" and image.palette is None:
            raise TileReadError("the image is broken: it has no palette, and its values are of one")
        # Lets a JPEG be decoded at a half, quarter or eighth, never below the size needed.
        image.draft("RGB", (size, size))
        return _upright(image.convert("RGB"), _orientation(image.getexif))


def _decode_by_gdal(content: bytes, driver: str) -> Image.Image | np.ndarray:
    with (
        reading_environment(),
        rasterio.MemoryFile(content) as memory,
        memory.open(driver=driver) as dataset,
    ):
        _check_size(dataset.width, dataset.height)
        if driver != "GTiff":
            # GDAL looks for the structure of a broken JPEG 2000 without end.
            _check_colours(dataset, {}, 1)
            return _read_colours(dataset, {})
        structure = dataset.tags(ns="IMAGE_STRUCTURE")
        if structure.get("SOURCE_COLOR_SPACE") == _CIELAB:
            return _decode_cielab(content)
        orientation = _orientation(lambda: _tags_of_tiff(content))
        _check_colours(dataset, structure, orientation)
        pixels = _read_colours(dataset, structure)
        if orientation not in _TURNED:
            return pixels
        return _upright(Image.fromarray(pixels), orientation)


def _decode_cielab(content: bytes) -> Image.Image:
    """Decode a TIFF in CIELAB, upright, by Little CMS's conversion to sRGB."""
    with Image.open(io.BytesIO(content), formats=("TIFF",)) as image:
        if image.mode != "LAB":
            raise TileReadError(f"the image is CIELAB of mode {image.mode}; {_NEEDED}")
        lab, srgb = (ImageCms.createProfile(name) for name in ("LAB", "sRGB"))
        found = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
        assert found is not None  # as it is not changed in its place
        return found


def _check_colours(
    dataset: rasterio.DatasetReader, structure: Mapping[str, str], orientation: int
) -> None:
    bands = bands_of(dataset)[: len(RGB)]
    [kind] = {dataset.dtypes[band - 1] for band in bands}
    if kind != "uint8":
        raise TileReadError(
            f"the image holds {kind} values in {dataset.count} band(s); {_NEEDED}: "
            f"{scale_command(dataset.count, bands)}"
        )
    if tags_of(dataset)[0] == ColorInterp.cyan:
        raise TileReadError(f"the image is CMYK; {_NEEDED}")
    space = structure.get("SOURCE_COLOR_SPACE")
    if space not in _COLOUR_SPACES:
        raise TileReadError(f"the image is in the colour space {space}; {_NEEDED}")
    if space and dataset.compression != Compression.jpeg and orientation in _TURNED:
        # libtiff does some of the turning then.
        raise TileReadError(f"the image is {space} and to be turned; {_NEEDED}")


def _read_colours(dataset: rasterio.DatasetReader, structure: Mapping[str, str]) -> np.ndarray:
    """Read red, green and blue whole, ``(height, width, 3)``, uint8."""
    if tags_of(dataset)[0] == ColorInterp.palette:
        colours = np.zeros((256, 3), dtype=np.uint8)
        for value, (red, green, blue, _) in dataset.colormap(1).items():
            colours[value] = red, green, blue
        return np.asarray(colours[dataset.read(1)])
    bands = bands_of(dataset)[: len(RGB)]
    pixels = np.empty((dataset.height, dataset.width, len(RGB)), dtype=np.uint8)
    dataset.read(list(bands), out=pixels.transpose(2, 0, 1))
    bits = int(dataset.tags(bands[0], ns="IMAGE_STRUCTURE").get("NBITS", _BITS))
    if bits < _BITS:
        brightest = 2**bits - 1
        shades = np.minimum(np.arange(256), brightest) * 255 / brightest
        pixels = np.rint(shades).astype(np.uint8)[pixels]
    return np.subtract(255, pixels) if structure.get("MINISWHITE") == "YES" else pixels


def _tags_of_tiff(content: bytes) -> TiffImagePlugin.ImageFileDirectory_v2:
    head = _BIG_TIFF_HEAD if _BIG_TIFF in content[2:4] else _TIFF_HEAD
    directory = TiffImagePlugin.ImageFileDirectory_v2(content[:head])
    with io.BytesIO(content) as file:
        file.seek(directory.next)
        directory.load(file)
    return directory


def _orientation(read: Callable[[], Mapping[int, object]]) -> int:
    """Return the orientation of a picture: 1, as it is stored, unless its tags say otherwise."""
    # Broken tags say nothing of the picture, which may be whole.
    with contextlib.suppress(Exception):
        return int(str(read().get(ExifTags.Base.Orientation, 1)))
    return 1


def _upright(picture: Image.Image, orientation: int) -> Image.Image:
    if orientation not in _TURNED:
        return picture
    picture.getexif()[ExifTags.Base.Orientation] = orientation
    return ImageOps.exif_transpose(picture)


def _check_size(width: int, height: int) -> None:
    if width * height > _MAX_IMAGE_PIXELS:
        raise TileReadError(
            f"the image claims {width} × {height} pixels; a tile has at most "
            f"{_MAX_IMAGE_PIXELS // 1_000_000} million"
        )


def _resized(found: Image.Image | np.ndarray, size: int) -> np.ndarray:
    if isinstance(found, np.ndarray):
        if found.shape[:2] == (size, size):
            return found  # by way of Pillow, it would be copied twice
        found = Image.fromarray(found)
    if found.size != (size, size):
        found = found.resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(found)
