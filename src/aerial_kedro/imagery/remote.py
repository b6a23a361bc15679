"""Scenes on the web: how GDAL requests them, and what identifies the version of a file."""

from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

import rasterio
import requests
from rasterio._err import CPLE_BaseError

from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.access import CONNECT_S, SILENCE_S, AccessRules, host_of
from aerial_kedro.imagery.redaction import redact
from aerial_kedro.imagery.signing import SigningError, shared_signing

T = TypeVar("T")

# How often a scene on the web is opened for one thing to be read. GDAL repeats what is throttled
# by itself; this is for dropped connections and signatures that have run out.
ATTEMPTS = 3

# A damaged file read through a warp raises GDAL's own error, which rasterio keeps to itself.
_READ_ERRORS = (rasterio.errors.RasterioError, CPLE_BaseError)


def is_remote(href: str) -> bool:
    """Return whether an address is read over HTTP."""
    return href.lower().startswith(("http://", "https://"))


def gdal_environment(rules: AccessRules) -> rasterio.Env:
    """Return GDAL's settings for HTTP, as a context in which scenes are opened and read.

    No listing of folders and no side files are requested; what is throttled or fails on the way is
    requested again, after a pause that doubles.
    """
    return rasterio.Env(
        GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR",
        CPL_VSIL_CURL_ALLOWED_EXTENSIONS=".tif,.tiff",
        # GDAL would keep the half of an interrupted answer for as long as the process lives.
        CPL_VSIL_CURL_NON_CACHED="/vsicurl/",
        # The header of a COG in one request.
        GDAL_INGESTED_BYTES_AT_OPEN="32768",
        GDAL_HTTP_MERGE_CONSECUTIVE_RANGES="YES",
        GDAL_HTTP_MAX_RETRY=str(rules.retries),
        GDAL_HTTP_RETRY_DELAY=str(rules.retry_delay_s),
        GDAL_HTTP_CONNECTTIMEOUT=str(CONNECT_S),
        GDAL_HTTP_LOW_SPEED_TIME=str(SILENCE_S),
        GDAL_HTTP_LOW_SPEED_LIMIT="1000",
    )


def open_remote(url: str) -> rasterio.DatasetReader:
    """Open a (signed) web address as GeoTIFF and nothing else, within `gdal_environment`."""
    return rasterio.open(f"/vsicurl/{url}", driver="GTiff")


def read_remote(href: str, rules: AccessRules, read: Callable[[str], T]) -> T:
    """Do something with a scene on the web; again, with a new signature, if that fails.

    Parameters
    ----------
    href
        The address, unsigned.
    rules
        Which hosts may be read, and which services sign.
    read
        Function of the signed address.

    Raises
    ------
    AerialError
        If the rules do not allow the address, or it cannot be read; the message holds no
        signature.
    """
    signing, signed = shared_signing(rules), None
    try:
        with gdal_environment(rules):
            for _ in range(ATTEMPTS - 1):
                signed = signing.sign(href, refused=signed)
                try:
                    return read(signed.url)
                except Exception as error:
                    if not _has_failed_on_the_way(error):
                        raise
            return read(signing.sign(href, refused=signed).url)
    except SigningError as error:
        reason = str(error)
    except Exception as error:
        if not _has_failed_on_the_way(error):
            if isinstance(error, AerialError):
                raise AerialError(redact(error)) from None
            raise
        reason = redact(cause(error))
    raise AerialError(
        f"The scene {href} cannot be read ({reason}). If its server is there and lets you read "
        "it, run again later: an interrupted run goes on. If it stays so, take the scene out "
        "of the list."
    )


def _has_failed_on_the_way(error: BaseException | None) -> bool:
    """Return whether another request may help, rather than the scene itself being at fault."""
    if isinstance(error, AerialError):
        error = error.__cause__
    return isinstance(error, (*_READ_ERRORS, requests.RequestException))


def fingerprint(url: str, rules: AccessRules) -> str:
    """Identify the version of a file on the web: size and ETag, or size and time of change.

    Requests the file's first byte, which also shows whether the server sends ranges.

    Raises
    ------
    AerialError
        If it does not, or points elsewhere.
    requests.RequestException
        If it does not answer, or refuses.
    """
    with rules.http_session() as session:
        answer = session.get(
            url,
            headers={"Range": "bytes=0-0"},
            timeout=(CONNECT_S, SILENCE_S),
            stream=True,
            allow_redirects=False,
        )
        with answer:
            shown = redact(url)
            answer.raise_for_status()
            if answer.is_redirect:
                target = redact(answer.headers.get("Location", "elsewhere"))
                raise AerialError(
                    f"The address {shown} points on to {target}. Put that one into the list."
                )
            total = answer.headers.get("Content-Range", "").rpartition("/")[2]
            if answer.status_code != HTTPStatus.PARTIAL_CONTENT or not total.isdigit():
                raise AerialError(
                    f"The server {host_of(url)} does not send parts of files (HTTP ranges), so "
                    f"that {shown} can only be had whole. Download the scenes and give their "
                    "folder as scenes_root."
                )
            stamp = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
    return f"{total}-" + stamp.strip('"')


def cause(error: Exception) -> BaseException:
    """Return GDAL's own error, to which rasterio's message often only points."""
    return error.__cause__ or error
