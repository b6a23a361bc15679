"""Keeping signatures out of texts: messages, exceptions, logs."""

import functools
import logging
import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

# Azure's shared access signature is these together with `sig`; alone they may mean anything.
_SHARED_ACCESS = re.compile(
    r"(?i)sv|st|se|sp|sr|sig|sip|spr|sdd|si|ss|srt|sk(oid|tid|t|e|s|v)|saoid|suoid|scid"
)
# S3, Google, CloudFront, plain tokens.
_OTHER = re.compile(
    r"(?i)sig|x-(amz|goog)-.*|awsaccesskeyid|googleaccessid|signature|expires|policy|key-pair-id|"
    r"token|access_token|subscription[-_]key|api[-_]?key"
)
# GDAL quotes files by their last part as well (`scene.tif?sig=…, band 1: …`).
_QUERY = re.compile(r"\?[^\s'\"<>,)]*=[^\s'\"<>,)]*")
# Loggers that quote whole addresses: GDAL's messages, and every request.
_QUOTING = ("rasterio", "urllib3", "requests", "pystac_client", "fsspec", "aiohttp")


def redact(text: object) -> str:
    """Take the query of every address out of a text.

    Examples
    --------
    >>> redact("HTTP error code: 503 - https://host/a.tif?se=2026&sig=abc. Retrying")
    'HTTP error code: 503 - https://host/a.tif?… Retrying'
    >>> redact("a.tif?sig=abc, band 1: IReadBlock failed")
    'a.tif?…, band 1: IReadBlock failed'
    """
    return _QUERY.sub("?…", str(text))


def unsigned(href: str) -> str:
    """Take a signature out of an address; what else its query says stays.

    Examples
    --------
    >>> unsigned("https://host/a.tif?se=2026-01-01&sp=r&sig=abc%3D")
    'https://host/a.tif'
    >>> unsigned("https://host/a.tif?version=2&X-Amz-Signature=abc")
    'https://host/a.tif?version=2'
    """
    parts = urlsplit(href)
    if not parts.query:
        return href
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    is_shared_access = any(key.lower() == "sig" for key, _ in pairs)
    kept = [
        (key, value)
        for key, value in pairs
        if not (_OTHER.fullmatch(key) or (is_shared_access and _SHARED_ACCESS.fullmatch(key)))
    ]
    if len(kept) == len(pairs):
        return href
    return urlunsplit(parts._replace(query=urlencode(kept)))


def _redact_record(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    if "?" in message:
        record.msg, record.args = redact(message), ()
    return True


@functools.lru_cache(maxsize=1)
def keep_out_of_logs() -> None:
    """Keep queries out of what libraries log in this process; call it before the first signing."""
    # A logger's filter does not see the records of the loggers below it.
    known = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in _QUOTING]
    for name in {*known, *_QUOTING, "rasterio._env", "rasterio._err", "urllib3.connectionpool"}:
        logging.getLogger(name).addFilter(_redact_record)
