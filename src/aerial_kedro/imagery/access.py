"""Which hosts imagery may be read from, which services sign there, how requests are repeated."""

import ipaddress
import os
import re
from fnmatch import fnmatchcase
from typing import Annotated
from urllib.parse import urlsplit

import requests
from pydantic import AfterValidator, Field
from urllib3.util.retry import Retry

from aerial_kedro.errors import AerialError
from aerial_kedro.parameters import CheckedModel, Items

# How the rules of a run reach the Python workers of Spark, which see no configuration.
RULES_VARIABLE = "AERIAL_KEDRO_IMAGERY"

PLANETARY_COMPUTER = "planetary_computer"

CONNECT_S, SILENCE_S = 10, 30
"""How long a server may take to be reached, and to send the next bytes, in seconds."""

_LONGEST_WAIT_S = 60
_THROTTLED = (429, 500, 502, 503, 504)
_CONNECTION_ATTEMPTS = 2

# Anything else (a backslash, a blank, a line break) is read in another way by another parser, and
# the host that was checked would not be the host that is contacted.
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]+", re.IGNORECASE)
_HOST = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[?[0-9a-f:]+\]?")


def _check_pattern(host: str) -> str:
    host = host.lower()
    if not _HOST.fullmatch(host):
        raise ValueError(f"{host!r} is no host: give a name, or *. and a domain, without a port")
    return host.strip("[]")


def _check_service(service: str) -> str:
    if service != PLANETARY_COMPUTER:
        host_of(service)
    return service


_Host = Annotated[str, AfterValidator(_check_pattern)]


class SignerRule(CheckedModel):
    """Which service signs the addresses of a host.

    Parameters
    ----------
    host
        A host's name, or ``*.`` and a domain for all hosts below it.
    service
        ``planetary_computer``, or the address of a token service with the same interface: a GET of
        ``<service>/<host>/<first folder>`` answers ``{"token": …, "msft:expiry": …}``.
    """

    host: _Host
    service: Annotated[str, AfterValidator(_check_service)]


class AccessRules(CheckedModel):
    """The parameters ``imagery``: what may be read over HTTP, and how.

    Parameters
    ----------
    hosts
        Hosts that scenes may be read from: names, or ``*.`` and a domain; a list, or text with
        slashes between.
    signers
        The services that sign for some of them; addresses of other hosts stay as they are.
    retries
        How often a throttled (429) or failing (5xx) request is repeated.
    retry_delay_s
        Pause before the first repetition in seconds; each further one is about twice as long.
    threads
        What is read at a time over a network: headers of scenes, and image files in
        each task.
    """

    hosts: Annotated[tuple[_Host, ...], Items] = ("naipeuwest.blob.core.windows.net",)
    signers: tuple[SignerRule, ...] = (
        SignerRule(host="*.blob.core.windows.net", service=PLANETARY_COMPUTER),
    )
    retries: int = Field(default=5, ge=0, le=20)
    retry_delay_s: float = Field(default=0.5, gt=0, le=60)
    threads: int = Field(default=8, ge=1, le=64)

    def check(self, href: str) -> str:
        """Return a web address if scenes may be read from there, refuse it otherwise.

        Raises
        ------
        AerialError
            If it is no plain http(s) address, carries a password, is not encrypted (other than on
            this machine), or its host is not one of `hosts`.

        Examples
        --------
        >>> AccessRules(hosts=("*.example.org",)).check("https://cog.example.org/a.tif")
        'https://cog.example.org/a.tif'
        """
        try:
            host = host_of(href)
        except ValueError as error:
            raise AerialError(f"The address {href!r} is not read: {error}.") from None
        if not any(fnmatchcase(host, pattern) for pattern in self.hosts):
            raise AerialError(
                f"The scene {href} is on the host {host}, which is not among those that imagery "
                f"may be read from ({', '.join(self.hosts) or 'none'}). If you trust it, add it to "
                "`imagery.hosts` in conf/local/parameters.yml."
            )
        return href

    def service_of(self, href: str) -> str | None:
        """Return the service that signs an address, or None."""
        host = host_of(href)
        return next((rule.service for rule in self.signers if fnmatchcase(host, rule.host)), None)

    def retry_policy(self) -> Retry:
        """Return how often and after which pauses to repeat a request; `Retry-After` is obeyed."""
        return Retry(
            self.retries,
            connect=min(self.retries, _CONNECTION_ATTEMPTS),
            backoff_factor=self.retry_delay_s,
            status_forcelist=_THROTTLED,
            allowed_methods=None,  # a search is a POST, and changes nothing either
            retry_after_max=_LONGEST_WAIT_S,
            raise_on_status=False,
        )

    def http_session(self) -> requests.Session:
        """Return a session that repeats requests as `retry_policy` describes."""
        session = requests.Session()
        adapter = requests.adapters.HTTPAdapter(max_retries=self.retry_policy())
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        return session


def host_of(href: str) -> str:
    """Return the host of a web address, in lower case, if every parser reads it in the same way.

    Raises
    ------
    ValueError
        If it is no plain http(s) address, carries a name or password, or would go unencrypted to
        another machine.
    """
    if not _PLAIN_URL.fullmatch(href):
        raise ValueError("it is not a plain http(s) address")
    parts = urlsplit(href)
    if "@" in parts.netloc:
        raise ValueError("it carries a name or a password")
    if not parts.hostname:
        raise ValueError("it names no host")
    if parts.scheme.lower() == "http" and not _is_this_machine(parts.hostname):
        raise ValueError("it is not encrypted; use https://")
    return parts.hostname


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def current_rules() -> AccessRules:
    """Return the rules of this process: those of the run, else the defaults."""
    return AccessRules.model_validate_json(os.environ.get(RULES_VARIABLE) or "{}")
