"""Requests over HTTP that are repeated where a server is throttled or fails for a moment."""

from __future__ import annotations

import requests
from urllib3.util.retry import Retry

from aerial_kedro.imagery.access import AccessRules

CONNECT_S, SILENCE_S = 10, 30
"""How long a server may take to be reached, and to send the next bytes, in seconds."""

_LONGEST_WAIT_S = 60
_THROTTLED = (429, 500, 502, 503, 504)
_CONNECTION_ATTEMPTS = 2


def retries(rules: AccessRules) -> Retry:
    """Return how often and after which pauses a request is repeated; `Retry-After` is obeyed."""
    return Retry(
        rules.retries,
        connect=min(rules.retries, _CONNECTION_ATTEMPTS),
        backoff_factor=rules.retry_delay_s,
        status_forcelist=_THROTTLED,
        allowed_methods=None,  # a search is a POST, and changes nothing either
        retry_after_max=_LONGEST_WAIT_S,
        raise_on_status=False,
    )


def http_session(rules: AccessRules) -> requests.Session:
    """Return a session that repeats requests as `retries` describes."""
    session = requests.Session()
    adapter = requests.adapters.HTTPAdapter(max_retries=retries(rules))
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session
