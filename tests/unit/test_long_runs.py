"""`make test` makes each long run in one process, and refuses tests that would make it in both."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import _LONG_RUNS, _share_out


def item(path: str, *fixtures: str) -> Any:
    found = SimpleNamespace(path=Path(path), fixturenames=fixtures, marks=[])
    found.get_closest_marker = lambda _: None
    found.add_marker = found.marks.append
    return found


def group(one: Any) -> str:
    (mark,) = one.marks
    return str(mark.args[0])


def test_files_that_use_the_same_long_run_are_one_group_and_come_first() -> None:
    longest, other = _LONG_RUNS
    items = [
        item("unit/test_a.py"),
        item("b.py", other),
        item("c.py", longest),
        item("d.py", other),
    ]
    given = list(items)
    _share_out(items)
    assert [group(each) for each in given] == ["unit/test_a.py", other, longest, other]
    assert items == [given[2], given[1], given[3], given[0]]


def test_a_file_that_uses_two_of_them_is_refused() -> None:
    with pytest.raises(pytest.UsageError, match=r"a\.py uses more than one of the fixtures"):
        _share_out([item("a.py", _LONG_RUNS[0]), item("a.py", _LONG_RUNS[1]), item("b.py")])
