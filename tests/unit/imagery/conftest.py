"""A web of its own for each test, and rules that let it be read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aerial_kedro.imagery.access import RULES_VARIABLE, AccessRules, SignerRule
from tests.unit.imagery.web import Web, running_web


@pytest.fixture
def web() -> Iterator[Web]:
    with running_web() as running:
        yield running


@pytest.fixture
def rules(web: Web, monkeypatch: pytest.MonkeyPatch) -> AccessRules:
    """Rules of the process: this machine only, signed by the web's token service."""
    rules = AccessRules(
        hosts=("127.0.0.1",),
        signers=(SignerRule(host="127.0.0.1", service=web.token_service),),
        retries=2,
        retry_delay_s=0.05,
    )
    monkeypatch.setenv(RULES_VARIABLE, rules.model_dump_json())
    return rules


@pytest.fixture
def open_rules(monkeypatch: pytest.MonkeyPatch) -> AccessRules:
    """Rules of the process: this machine only, nothing signed."""
    rules = AccessRules(hosts=("127.0.0.1",), signers=(), retries=2, retry_delay_s=0.05)
    monkeypatch.setenv(RULES_VARIABLE, rules.model_dump_json())
    return rules
