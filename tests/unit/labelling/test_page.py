"""The labelling page: what is in the file, and what must not be."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import numpy as np
import pytest
from pydantic import ValidationError

from aerial_kedro.labelling.content import CarriedLabel, LabelTask
from aerial_kedro.labelling.page import render_label_page
from aerial_kedro.labelling.pictures import crop_cell, draw_views, encode_webp, join_tiles
from tests.unit.labelling.pages import make_page, make_task

EARLIER = CarriedLabel(cell_id="t#07", year=2018, lon=-77.0, lat=36.0, class_name="Forest")
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


def data_of(html: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
    assert found
    return json.loads(found[1])


def test_all_that_is_asked_is_in_the_page() -> None:
    page = make_page(3)
    data = data_of(render_label_page(page))
    assert [each["sample_id"] for each in data["tasks"]] == ["s000", "s001", "s002"]
    assert [each["name"] for each in data["classes"]] == list(page.classes)
    assert data["tasks"][2]["number"] == 2
    view = data["tasks"][1]["views"][0]
    _, encoded = data["pictures"][view["tile"]].split(",")
    assert base64.b64decode(encoded) == page.tasks[1].views[0].tile


def test_text_of_data_is_never_html() -> None:
    page = make_page(
        title=HOSTILE,
        classes={HOSTILE: "#112233"},
        tasks=(make_task(1, why=HOSTILE, given=HOSTILE, sample_id=HOSTILE),),
    )
    html = render_label_page(page)
    assert "alert(1)</script>" not in html
    assert "<img src=x" not in html
    assert html.count("<script") == 2
    assert data_of(html)["classes"][0]["name"] == HOSTILE


def test_only_its_own_script_runs_and_nothing_is_loaded() -> None:
    html = render_label_page(make_page())
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    script = re.findall(r"<script>(.*?)</script>", html, re.S)[-1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none';")
    assert f"script-src 'sha256-{digest}'" in policy
    assert "innerHTML" not in script
    assert re.findall(r"https?://", html) == []


def test_a_picture_of_several_tasks_is_there_once() -> None:
    twins = make_page(tasks=(make_task(1), make_task(1, sample_id="other", cell_id="t#05")))
    assert len(data_of(render_label_page(twins))["pictures"]) == 2


def test_a_page_that_checks_a_map_hides_what_is_known() -> None:
    html = render_label_page(make_page(kind="reference"))
    assert not re.search("stratum|strata|inclusion|probability", html)
    assert {"given", "why"} & {
        k for each in data_of(html)["tasks"] for k, v in each.items() if v
    } == set()
    with pytest.raises(ValidationError, match="shows nothing"):
        make_page(kind="reference", tasks=(make_task(1, given="Forest"),))
    with pytest.raises(ValidationError, match="shows nothing"):
        make_page(kind="reference", carried=(EARLIER,))
    with pytest.raises(ValidationError, match="Extra inputs"):
        LabelTask.model_validate({**make_task(1).model_dump(), "stratum": "Forest"})


def test_labels_that_there_are_go_along_and_answer_no_task() -> None:
    page = make_page(1, carried=(EARLIER,), too_many=3)
    data = data_of(render_label_page(page))
    [row] = data["carried"]
    assert (row["cell_id"], row["year"], row["class"]) == ("t#07", 2018, "Forest")
    assert row["sample_id"] not in {each["sample_id"] for each in data["tasks"]}
    assert data["too_many"] == 3


def test_answers_of_another_page_are_not_taken() -> None:
    page = make_page(3)
    assert page.autosave_key == make_page(3).autosave_key
    others = [make_page(4), make_page(3, kind="reference"), make_page(3, key="own")]
    assert page.autosave_key not in {each.autosave_key for each in others}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"cell_id": "tile"}, "is named <tile_id>#<number>"),
        ({"cell_id": "tile#49"}, "from 00 to 48"),
        ({"year": 2015}, "no picture of 2015"),
        ({"lon": float("nan")}, "finite number"),
    ],
)
def test_a_task_that_makes_no_sense_is_refused(fields: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make_task(1, **fields)


def test_two_tasks_of_one_name_and_year_are_refused() -> None:
    with pytest.raises(ValidationError, match="Two tasks of the page are called s001 in 2018"):
        make_page(tasks=(make_task(1), make_task(1)))


def test_cells_are_cut_where_they_lie() -> None:
    tile = np.zeros((224, 224, 3), dtype=np.uint8)
    tile[32:64, 64:96] = 9  # second row, third column
    assert (crop_cell(tile, 9) == 9).all()
    assert crop_cell(tile, 9).shape == (32, 32, 3)


def test_tiles_around_lie_where_they_are() -> None:
    one = np.full((4, 4, 3), 7, dtype=np.uint8)
    north_east = join_tiles({(1, 1): one}, 4)
    assert (north_east[:4, 8:] == 7).all()
    assert (north_east[4:] != 7).all()


def test_three_hundred_cells_of_noise_fit_into_twenty_megabytes() -> None:
    """Noise is what compresses worst; forty cells stand for three hundred."""
    draw = np.random.default_rng(1)
    count = 40
    places = [(f"t{number}", year) for number in range(count) for year in (2012, 2018)]
    noise = draw.integers(60, 200, (224, 224, 3), dtype=np.uint8)
    tiles = {place: np.roll(noise, number, axis=1) for number, place in enumerate(places)}
    around = {place: pixels[:192, :192] for place, pixels in tiles.items()}
    views = draw_views({f"t{n}": (f"t{n}", n) for n in range(count)}, tiles, around)
    tasks = [
        make_task(number, cell_id=f"t{number}#00", views=views[f"t{number}"])
        for number in range(count)
    ]
    assert len(render_label_page(make_page(tasks=tuple(tasks)))) / count * 300 < 20e6


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(ValidationError, match="neither PNG nor JPEG nor WebP"):
        make_task(1, views=({"year": 2018, "cell": b"GIF89a", "tile": b"GIF89a"},))
    assert encode_webp(np.zeros((2, 2, 3), np.uint8), 50)[8:12] == b"WEBP"
