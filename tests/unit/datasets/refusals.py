"""What a dataset refuses: Kedro wraps the message that is meant for the user."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from kedro.io import DatasetError

from aerial_kedro.errors import AerialError


@contextmanager
def refused(match: str) -> Iterator[None]:
    """Expect an error whose cause is an `AerialError` that matches."""
    with pytest.raises(DatasetError) as error:
        yield
    cause = error.value.__cause__
    assert isinstance(cause, AerialError)
    assert re.search(match, str(cause)), str(cause)
