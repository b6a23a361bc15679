"""A sample of the county's map, answered and assessed: from one command to the other."""

from __future__ import annotations

import re
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from aerial_kedro.accuracy.answers import SAMPLE_COLUMNS
from tests.integration.kedro_project import Project, copy_of

SAMPLE = "07_model_output/reference_sample"
REPORT = "08_reporting/report.html"


@pytest.fixture(scope="module")
def sampled(county: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = copy_of(county, tmp_path_factory.mktemp("sampled"))
    project.run("reference_sample", reference={"fewest": 8, "standard_error": 0.05})
    return project


def table_of(project: Project) -> pd.DataFrame:
    return pd.read_csv(project.data / f"{SAMPLE}.csv", dtype=str, keep_default_na=False)


def answered(project: Project, folder: Path) -> Path:
    """Answer as the page does, without strata: by the map of each year, where it is sure."""
    table = table_of(project)
    named = project.json("07_model_output/cell_transitions.json")
    names = ["", *(named["classes"][value - 1] for value in named["values"])]
    tiles = project.table("07_model_output/cell_predictions").set_index(["tile_id", "year"])
    for at, row in table.iterrows():
        tile, _, number = row["cell_id"].partition("#")
        found = tiles.loc[(tile, int(row["year"]))]
        if found["cell_confidence"][int(number)] >= 50:
            table.loc[at, "class"] = names[found["cell_classes"][int(number)]]
        else:
            table.loc[at, "remark"] = "unsure"
    path = folder / "answers.csv"
    table.drop(columns=["stratum", "inclusion_probability"]).to_csv(path, index=False)
    return path


def test_the_sample_is_laid_out_to_be_filled(sampled: Project) -> None:
    table = table_of(sampled)
    assert list(table.columns) == SAMPLE_COLUMNS
    assert set(table["year"]) == {"2012", "2018"}
    assert table[["class", "alternate", "remark"]].eq("").all(axis=None)
    layer = gpd.read_file(sampled.data / f"{SAMPLE}.gpkg", engine="pyogrio")
    assert list(layer.columns) == [*SAMPLE_COLUMNS, "geometry"]
    west, _, east, _ = layer.geometry.bounds.to_numpy().T
    assert abs((west + east) / 2 - table["lon"].astype(float)).max() < 1e-5
    design = sampled.json("07_model_output/reference_design.json")
    cells = {each["name"]: each["cells"] for each in design["strata"]}
    one_each = table.drop_duplicates("sample_id")
    weights = 1 / one_each["inclusion_probability"].astype(float)
    assert weights.sum() == pytest.approx(sum(cells.values()))
    assert weights.groupby(one_each["stratum"]).sum().to_dict() == pytest.approx(cells)


def test_the_page_says_nothing_of_the_map(sampled: Project) -> None:
    page = (sampled.data / "08_reporting/reference.html").read_text(encoding="utf-8")
    for row in table_of(sampled).itertuples():
        assert str(row.sample_id) in page
    assert "inclusion_probability" not in page
    assert "stratum" not in page


def test_answers_make_the_assessment_and_its_section(sampled: Project, tmp_path: Path) -> None:
    sampled.run("assess", reference_labels=str(answered(sampled, tmp_path)))
    found = sampled.json("08_reporting/assessment.json")
    # Whatever the map decides is right here; what it leaves open is not.
    assert found["years"]["2018"]["matrix"]
    for name, each in found["classes"].items():
        assert each["users_accuracy"]["estimate"] in (None, pytest.approx(1)), name
    decided = found["years"]["2018"]["decided"]
    assert decided is None or decided["estimate"] == pytest.approx(1)
    assert found["overall"]["low"] < found["overall"]["estimate"] <= found["overall"]["high"]
    assert found["land_cover"]["cells"] + found["land_cover"]["cells_without"] == found["cells"]
    assert not found["redrawn"]
    page = (sampled.data / REPORT).read_text(encoding="utf-8")
    assert page.index("Checked by people</h2>") < page.index('id="map"')
    assert len(re.findall('id="people"', page)) == 1


def test_a_file_that_is_no_answer_is_refused_in_a_sentence(
    sampled: Project, tmp_path: Path
) -> None:
    path = answered(sampled, tmp_path)
    before = (sampled.data / REPORT).read_bytes()
    pd.read_csv(path, dtype=str, keep_default_na=False).iloc[1:].to_csv(path, index=False)
    said = sampled.refusal("--pipeline=assess", f"--params=reference_labels={path}")
    assert "lacks 1 row (" in said
    assert (sampled.data / REPORT).read_bytes() == before
