"""A data folder that may not be written is refused before anything runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aerial_kedro.errors import AerialError
from aerial_kedro.framework.data_folder import check_writable


def test_a_folder_of_ones_own(tmp_path: Path) -> None:
    check_writable(str(tmp_path))
    (tmp_path / "04_feature" / "tile_features").mkdir(parents=True)
    check_writable(str(tmp_path))
    check_writable("abfss://c@a.dfs.core.windows.net")


def test_a_file_in_the_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "08_reporting").touch()
    with pytest.raises(AerialError, match="08_reporting is a file"):
        check_writable(str(tmp_path))


def test_a_folder_below_that_is_another_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as one that a run as root has left behind; what is only read may be another's."""
    reports, lent = tmp_path / "08_reporting", tmp_path / "01_raw" / "lent"
    for each in (reports, lent):
        each.mkdir(parents=True)
        each.chmod(0o555)
    if os.getuid() == 0:  # who may write everywhere
        refused = {str(reports), str(lent)}
        monkeypatch.setattr(os, "access", lambda place, _: str(place) not in refused)
    with pytest.raises(AerialError, match=r"cannot write to \S+/08_reporting in its data"):
        check_writable(str(tmp_path))
