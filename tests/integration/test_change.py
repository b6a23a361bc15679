"""Change between the two years of the made-up county."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.integration.kedro_project import Project


@pytest.fixture(scope="module")
def change(county: Project) -> pd.DataFrame:
    return pd.read_parquet(county.data / "07_model_output/change.parquet")


def test_every_place_seen_in_both_years_is_compared(county: Project, change: pd.DataFrame) -> None:
    predictions = county.table("07_model_output/predictions")
    by_model = predictions[predictions["decided_by"] == "model"]
    years = by_model.groupby("tile_id")["year"].nunique()
    assert sorted(change["tile_id"]) == sorted(years.index[years == 2])
    assert set(zip(change["year_before"], change["year_after"], strict=True)) == {(2012, 2018)}


def test_the_likeliest_change_comes_first(change: pd.DataFrame) -> None:
    assert change["rank"].tolist() == list(range(1, len(change) + 1))
    assert (np.diff(change["probability"]) <= 0).all()
    np.testing.assert_allclose(change["expected_changes"], change["probability"].cumsum())


def test_the_report_shows_change_and_mixed_tiles(county: Project) -> None:
    report = (county.data / "08_reporting/report.html").read_text()
    assert "Change from 2012 to 2018" in report
    assert "mixed tiles, against their largest class" in report
