"""Signatures: who gives them, how long they hold, when a new one is asked for."""

from __future__ import annotations

import functools
import re
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import requests
from urllib3.util.retry import Retry

from aerial_kedro.imagery.access import PLANETARY_COMPUTER, AccessRules, host_of
from aerial_kedro.imagery.redaction import keep_out_of_logs, redact

_TOKEN = re.compile(r"[A-Za-z0-9._~%&=+:/-]+")
_MARGIN_S = 60.0  # a signature is renewed this long before it runs out
_TIMEOUT_S = (10, 30)
# Where new signatures are refused too, asking for more of them mends nothing.
_PAUSE_S = 10.0


class SigningError(Exception):
    """No signature could be had; the message holds none either."""


@dataclass(frozen=True)
class Token:
    """A signature that holds for all files of a container.

    Parameters
    ----------
    query
        What is put behind the address.
    expires
        When it runs out, in seconds since 1970.
    """

    query: str
    expires: float


@dataclass(frozen=True)
class SignedAddress:
    """An address to read from now. It is used and forgotten: never kept, logged or shown.

    Parameters
    ----------
    url
        The address with its signature, if it needs one.
    renew_at
        When to ask for another, in seconds since 1970; None if it holds for ever.
    """

    url: str
    renew_at: float | None = None

    def __repr__(self) -> str:
        return f"SignedAddress({redact(self.url)!r}, renew_at={self.renew_at})"

    def has_run_out(self) -> bool:
        """Say whether it is time for another one."""
        return self.renew_at is not None and time.time() >= self.renew_at


@dataclass
class _Held:
    token: Token
    fetched: float
    is_renewal: bool

    @property
    def renew_at(self) -> float:
        return self.token.expires - min(_MARGIN_S, (self.token.expires - self.fetched) / 10)


class Signing:
    """Signs addresses as the rules say, and keeps tokens as long as they hold.

    A token is only ever put behind addresses of the host and container that it was asked for.
    Threads may share one.
    """

    def __init__(self, rules: AccessRules) -> None:
        self._rules = rules
        self._tokens: dict[tuple[str, str, str], _Held] = {}
        self._lock = threading.Lock()

    def sign(self, href: str, refused: SignedAddress | None = None) -> SignedAddress:
        """Sign an address.

        Parameters
        ----------
        href
            The address, unsigned.
        refused
            A signature for it that was refused: another one is asked for, unless there is one
            already, or the refused one was itself asked for a moment ago for that reason.

        Raises
        ------
        AerialError
            If the rules do not let it be read.
        SigningError
            If no signature can be had.
        """
        service = self._rules.service_of(self._rules.check(href))
        if service is None:
            return SignedAddress(href)
        keep_out_of_logs()
        parts = urlsplit(href)
        container = parts.path.strip("/").partition("/")[0]
        key = (service, f"{parts.scheme}://{parts.netloc}".lower(), container)
        with self._lock:
            held = self._tokens.get(key)
            if held is None or _is_due(held, href, refused):
                token = _fetch(service, href, container)
                held = _Held(token, time.time(), is_renewal=refused is not None)
                self._tokens[key] = held
        return SignedAddress(_join(href, held.token), held.renew_at)


@functools.lru_cache(maxsize=4)
def shared_signing(rules: AccessRules) -> Signing:
    """Return the one `Signing` of this process for these rules, so that tokens are shared."""
    return Signing(rules)


def _is_due(held: _Held, href: str, refused: SignedAddress | None) -> bool:
    now = time.time()
    if now >= held.renew_at:
        return True
    if refused is None or refused.url != _join(href, held.token):
        return False
    return not held.is_renewal or now - held.fetched > _PAUSE_S


def _join(href: str, token: Token) -> str:
    return f"{href}{'&' if '?' in href else '?'}{token.query}"


def _fetch(service: str, href: str, container: str) -> Token:
    host = host_of(href)
    try:
        if service == PLANETARY_COMPUTER:
            query, expires = _ask_planetary_computer(host.partition(".")[0], container)
        else:
            query, expires = _ask_service(f"{service.rstrip('/')}/{host}/{container}")
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        raise SigningError(
            f"{service} gave no signature for {host}/{container}: {redact(error)}"
        ) from None
    if not _TOKEN.fullmatch(query):
        raise SigningError(f"what {service} gave for {host}/{container} is no signature")
    return Token(query, expires.timestamp())


def _ask_planetary_computer(account: str, container: str) -> tuple[str, datetime]:
    from planetary_computer import sas  # noqa: PLC0415  (only where something is signed)

    sas.TOKEN_CACHE.clear()  # tokens are kept here, by whether they were refused
    token = sas.get_token(account, container, retry_total=4)
    return token.token, token.expiry


def _ask_service(url: str) -> tuple[str, datetime]:
    with requests.Session() as session:
        adapter = requests.adapters.HTTPAdapter(
            max_retries=Retry(
                4, backoff_factor=0.2, status_forcelist=(429, 502, 503, 504), retry_after_max=30
            )
        )
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        answer = session.get(url, timeout=_TIMEOUT_S, allow_redirects=False)
        answer.raise_for_status()
        content = answer.json()
        expires = datetime.fromisoformat(str(content["msft:expiry"]))
        return str(content["token"]), expires
