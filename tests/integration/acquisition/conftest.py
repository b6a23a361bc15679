"""A web of its own for each test, and the rules of a process put back afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from aerial_kedro.cluster import spark
from aerial_kedro.imagery.access import RULES_VARIABLE, AccessRules
from tests.unit.imagery.web import Web, running_web


@contextlib.contextmanager
def own_rules(web: Web) -> Iterator[dict[str, object]]:
    """Let this process read from this machine only, signed by the web; give the parameters."""
    rules: dict[str, object] = {
        "hosts": ["127.0.0.1"],
        "signers": [{"host": "127.0.0.1", "service": web.token_service}],
        "retries": 2,
        "retry_delay_s": 0.05,
    }
    with pytest.MonkeyPatch.context() as patch:
        text = AccessRules.model_validate(rules).model_dump_json()
        patch.setenv(RULES_VARIABLE, text)
        spark.share_environment({RULES_VARIABLE: text})
        yield rules
        spark.share_environment({RULES_VARIABLE: ""})


@pytest.fixture
def web() -> Iterator[Web]:
    with running_web() as running:
        yield running


@pytest.fixture
def rules(web: Web) -> Iterator[dict[str, object]]:
    """The parameters ``imagery`` of a run."""
    with own_rules(web) as parameters:
        yield parameters
