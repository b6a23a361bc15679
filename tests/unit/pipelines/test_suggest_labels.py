"""Nodes of the labelling page: what it carries, in which colours, and what it never asks for."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from aerial_kedro.accuracy.sampling import SampledCell, SampleDesign, Stratum
from aerial_kedro.cells.places import centres_of_cells
from aerial_kedro.labelling.suggestions import SuggestRules
from aerial_kedro.labels.classes import UNSURE, LandCoverClasses
from aerial_kedro.pipelines.main_job import create_scene_pipelines
from aerial_kedro.pipelines.suggest_labels import nodes
from aerial_kedro.report.colours import class_colours
from tests.builders import cell_of_origin, grid_tiles
from tests.unit.labelling.pages import make_task
from tests.unit.labelling.test_selection import make_cells

RULES = SuggestRules(
    cells=12, candidates=1000, share_doubtful=0.25, share_unlike=0.25, classes=("Hops",)
)
CLASSES = LandCoverClasses(
    codes={"Apples": [1], "Orchard": [2], "Vineyard": [3]}, colours={"Vineyard": "#e69f00"}
)
TILES = grid_tiles([cell_of_origin()], year=2018)


@pytest.fixture
def page_of(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(nodes, "draw_tasks", lambda _, __: (make_task(0),))

    def draw(labelled: pd.DataFrame | None = None) -> dict[str, Any]:
        chosen = pd.DataFrame({"cell_id": ["t#00"]})
        candidates = pd.DataFrame({"label": [0, 2]})
        html = nodes.draw_label_page(chosen, candidates, None, RULES, CLASSES, labelled)
        found = re.search(r'id="data">(.*?)</script>', html, re.S)
        assert found
        data: dict[str, Any] = json.loads(found[1])
        return data

    return draw


def cells(count: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "cell_id": [f"t{n}#07" for n in range(count)],
            "year": 2018,
            "lon": -77.0,
            "lat": 36.0,
            "class_name": "Orchard",
        }
    )


def test_a_class_has_the_colour_of_the_map_whatever_else_is_labelled(page_of: Any) -> None:
    on_map = class_colours([*CLASSES.names, UNSURE], CLASSES.colours)
    shown = {each["name"]: each["colour"] for each in page_of()["classes"]}
    assert list(shown) == ["Orchard", "Hops"]
    assert shown["Orchard"] == on_map["Orchard"]
    assert shown["Hops"] not in on_map.values()


def test_the_page_carries_labels_unless_they_are_too_many(
    page_of: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(nodes, "_MOST_CARRIED", 3)
    few = page_of(cells(3))
    assert [row["cell_id"] for row in few["carried"]] == ["t0#07", "t1#07", "t2#07"]
    assert few["too_many"] == 0
    assert "too many" not in caplog.text
    many = page_of(cells(4))
    assert (many["carried"], many["too_many"]) == ([], 4)
    assert "4 cells are labelled, too many" in caplog.text


def test_labelled_cells_are_listed_with_their_places(spark_session: SparkSession) -> None:
    placed = pd.DataFrame(
        {
            "tile_id": TILES["tile_id"].iloc[0],
            "year": [2018, 2012, 2018, 2018],
            "cell": [9, 9, 3, -1],
            "label": [2, 3, 0, 0],
        }
    )
    columns = ["tile_id", "epsg", "xmin", "ymin", "xmax", "ymax"]
    rows = pd.concat([TILES, TILES])[columns].assign(cell_labels=b"x")
    catalog = spark_session.createDataFrame(
        list(rows.itertuples(index=False, name=None)),
        "tile_id string, epsg int, xmin double, ymin double, xmax double, ymax double, "
        "cell_labels binary",
    )
    found = nodes.list_labelled_cells(placed, catalog, CLASSES)
    name = f"{TILES['tile_id'].iloc[0]}#09"
    assert found[["cell_id", "year", "class_name"]].to_numpy().tolist() == [
        [name, 2012, "Vineyard"],
        [name, 2018, "Orchard"],
    ]
    lon, lat = centres_of_cells(TILES, np.array([9]))
    assert found["lon"].tolist() == [lon[0]] * 2
    assert found["lat"].tolist() == [lat[0]] * 2


def test_cells_of_a_reference_sample_are_not_asked_for() -> None:
    candidates = make_cells(1)
    free = nodes.choose_cells_to_label(candidates, RULES, CLASSES, None, 1)
    sampled = free["cell_id"].tolist()[:6]
    design = SampleDesign(
        model="m", map_key="k", years=[2018], classes=CLASSES.names, cell_area_m2=1024.0, seed=1,
        strata=[Stratum(name="Apples", cells=9, drawn=6, cells_by_year={"2018": 9})],
        cells=[
            SampledCell(sample_id=f"a-{at}", cell_id=each, stratum="Apples", years=[2018])
            for at, each in enumerate(sampled)
        ],
    )  # fmt: skip
    found = nodes.choose_cells_to_label(candidates, RULES, CLASSES, design, 1)
    assert len(found) == RULES.cells
    assert not set(found["cell_id"]) & set(sampled)


def test_only_labels_of_ones_own_are_carried() -> None:
    pages = {
        labels: create_scene_pipelines(labels=labels)["suggest_labels"]
        for labels in ("none", "land_cover", "own", "both")
    }
    carried = {name: "labelled_cells" in page.datasets() for name, page in pages.items()}
    assert carried == {"none": False, "land_cover": False, "own": True, "both": True}
    assert all("known_design" in page.inputs() for page in pages.values())
