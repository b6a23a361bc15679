"""Tests that need the same long run are run by one process of `make test`."""

from __future__ import annotations

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="there is one process only")
def test_a_test_goes_where_its_group_goes(request: pytest.FixtureRequest) -> None:
    """pytest-xdist 3.8 reads groups from the node's name, which pytest 9.2 does not let it set."""
    assert request.node.nodeid.endswith(f"@{request.node.path}")
