"""Signatures of addresses: where they come from, how long they hold, when they are renewed."""

import functools
import re
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import requests

from aerial_kedro.imagery.access import (
    CONNECT_S,
    PLANETARY_COMPUTER,
    SILENCE_S,
    AccessRules,
    host_of,
)
from aerial_kedro.imagery.redaction import keep_out_of_logs, redact

_TOKEN = re.compile(r"[A-Za-z0-9._~%&=+:/-]+")
_MARGIN_S = 60.0  # a signature is renewed this long before it runs out
# Where new signatures are refused too, requesting more of them does not help.
_PAUSE_S = 10.0


class SigningError(Exception):
    """A service gave no signature; the message holds none either."""


@dataclass(frozen=True)
class Token:
    """A signature that is valid for all files of a container.

    Parameters
    ----------
    query
        The query to append to an address.
    fetched, renew_at
        When it was requested, and when to request another one, in seconds since 1970.
    is_renewal
        Whether it was requested because another one was refused.
    """

    query: str
    fetched: float
    renew_at: float
    is_renewal: bool

    def append_to(self, href: str) -> str:
        """Return an address with the signature."""
        return f"{href}{'&' if '?' in href else '?'}{self.query}"


@dataclass(frozen=True)
class SignedAddress:
    """An address to read from now. It is used once: never stored, logged or shown.

    Parameters
    ----------
    url
        The address with its signature, if it needs one.
    renew_at
        Time at which to request another one, in seconds since 1970; None if it does not expire.
    """

    url: str
    renew_at: float | None = None

    def __repr__(self) -> str:
        return f"SignedAddress({redact(self.url)!r}, renew_at={self.renew_at})"

    def has_run_out(self) -> bool:
        """Return whether it is time to request another one."""
        return self.renew_at is not None and time.time() >= self.renew_at


class Signing:
    """Signs addresses according to the rules, and keeps tokens until they expire.

    A token is only ever appended to addresses of the host and container that it was requested for.
    Threads may share one instance.

    Parameters
    ----------
    rules
        Which addresses may be read, which services sign them, and how requests are repeated.
    """

    def __init__(self, rules: AccessRules) -> None:
        self._rules = rules
        self._tokens: dict[tuple[str, str, str], Token] = {}
        self._lock = threading.Lock()

    def sign(self, href: str, refused: SignedAddress | None = None) -> SignedAddress:
        """Sign an address.

        Parameters
        ----------
        href
            The address, unsigned.
        refused
            A signature for it that was refused: another one is requested, unless there is one
            already, or the refused one was itself requested a moment ago for that reason.

        Raises
        ------
        AerialError
            If the rules do not allow the address.
        SigningError
            If the service gives no signature.
        """
        service = self._rules.service_of(self._rules.check(href))
        if service is None:
            return SignedAddress(href)
        keep_out_of_logs()
        parts = urlsplit(href)
        container = parts.path.strip("/").partition("/")[0]
        key = (service, f"{parts.scheme}://{parts.netloc}".lower(), container)
        with self._lock:
            token = self._tokens.get(key)
            if token is None or _is_due(token, href, refused):
                query, expires = _fetch(service, href, container, self._rules)
                now, end = time.time(), expires.timestamp()
                renew_at = end - min(_MARGIN_S, (end - now) / 10)
                token = self._tokens[key] = Token(query, now, renew_at, refused is not None)
        return SignedAddress(token.append_to(href), token.renew_at)


@functools.lru_cache(maxsize=4)
def shared_signing(rules: AccessRules) -> Signing:
    """Return the one `Signing` of this process for these rules, so that tokens are shared."""
    return Signing(rules)


def _is_due(token: Token, href: str, refused: SignedAddress | None) -> bool:
    now = time.time()
    if now >= token.renew_at:
        return True
    if refused is None or refused.url != token.append_to(href):
        return False
    return not token.is_renewal or now - token.fetched > _PAUSE_S


def _fetch(service: str, href: str, container: str, rules: AccessRules) -> tuple[str, datetime]:
    host = host_of(href)
    try:
        if service == PLANETARY_COMPUTER:
            from planetary_computer import sas

            sas.TOKEN_CACHE.clear()  # tokens are kept here, by whether they were refused
            account = host.partition(".")[0]
            token = sas.get_token(account, container, rules.retries, rules.retry_delay_s)
            query, expires = token.token, token.expiry
        else:
            url = f"{service.rstrip('/')}/{host}/{container}"
            with rules.http_session() as session:
                answer = session.get(url, timeout=(CONNECT_S, SILENCE_S), allow_redirects=False)
                answer.raise_for_status()
                content = answer.json()
            query = str(content["token"])
            expires = datetime.fromisoformat(str(content["msft:expiry"]))
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        raise SigningError(
            f"{service} gave no signature for {host}/{container}: {redact(error)}"
        ) from None
    if not _TOKEN.fullmatch(query):
        raise SigningError(f"what {service} gave for {host}/{container} is no signature")
    return query, expires
