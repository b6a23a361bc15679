"""The section that an assessment puts on top of the report."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from aerial_kedro.accuracy.assessment import (
    Interpreted,
    assess_land_cover,
    assess_map,
    compare_interpreters,
    count_alternates,
    foretell,
    weigh_unsure,
)
from aerial_kedro.accuracy.stratified import StratifiedSample
from aerial_kedro.change.checked import Assessment, InterpretedChange, assess_change
from aerial_kedro.errors import AerialError
from aerial_kedro.report.checked import in_km2, put_on_page, say_which_is_better
from aerial_kedro.report.content import ReportContent
from aerial_kedro.report.pages import render_report
from tests.unit.report.test_label_section import page as label_page

ODD = "<script>x</script> \\1"
KM2 = {"Forest": 60.0, ODD: 40.0}


def assessment(**given: Any) -> Assessment:
    """Fifty cells of forest and fifty of an odd name; the land cover has ten more wrong."""
    strata = np.repeat([0, 1], 50)
    names = np.array(["Forest", ODD, "Marsh"], dtype=object)
    reference = strata.copy()
    reference[:3], reference[60] = 1, 2
    cover = reference.copy()
    cover[10:30] = 1
    text = np.full(100, "", dtype=object)
    alternate = text.copy()
    alternate[60] = ODD
    sample = StratifiedSample(["Forest", ODD], np.array([600.0, 400.0]), strata)
    year = Interpreted(
        sample=sample, cell_area_km2=0.1, mapped=names[strata], reference=names[reference],
        open_class="Unsure", alternate=alternate, second=text, land_cover=names[cover],
        unsure=np.arange(100) == 60,
    )  # fmt: skip
    found = assess_map(year, KM2)
    change = InterpretedChange(
        sample, 100.0, 2012, 2018, strata == 1, names[np.zeros(100, int)], names[reference]
    )
    values = {
        "labels": "a.csv", "sample": "s", "model": "m", "map_key": "k", "redrawn": False,
        "year": 2018, "cells": 100, "area_km2": 100.0, "strata": {"Forest": 50, ODD: 50},
        "overall": found.overall, "classes": found.classes, "years": {"2018": found},
        "change": assess_change(change), "land_cover": assess_land_cover(year, list(KM2)),
        "unsure": weigh_unsure(year, KM2), "alternate": count_alternates(year),
        "second_interpreter": compare_interpreters([year]),
        "another_100_cells": foretell(year, found), "classes_not_on_map": ["Marsh"],
    }  # fmt: skip
    return Assessment.model_validate({**values, **given})


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("\u00a0", " ").split())


@pytest.fixture(scope="module")
def page() -> str:
    return put_on_page(render_report(label_page(title="A map", created="now")), assessment())


def test_the_section_is_first_and_linked(page: str) -> None:
    assert page.index("<main>") < page.index('id="people"') < page.index("</main>")
    assert '<a href="#people">' in page
    words = text_of(page)
    assert "95.6 % of the ground right, by people" in words
    assert "The map is better than the land cover, by 19.6 points" in words
    assert "Of the ground in patches of mapped change, 100.0 %" in words
    assert "Forest → Marsh" in words
    assert "Of 1 cells the interpreter was unsure" in words
    assert "One interpreter saw the cells" in words
    assert "Marsh no class of the map" in words
    assert "Not known: The sample has no cell of Marsh on the map." in words
    assert "Another 100 cells" in words


def test_names_are_text_and_stay_whole(page: str) -> None:
    assert "<script" not in page
    assert "&lt;script&gt;x&lt;/script&gt; \\1" in page


def test_a_new_assessment_takes_the_place_of_the_old(page: str) -> None:
    again = put_on_page(page, assessment(redrawn=True))
    assert again.count('id="people"') == again.count('href="#people"') == 1
    assert "drawn anew after the sample" in again
    assert put_on_page(again, assessment()) == page


def test_a_page_of_another_version_is_refused() -> None:
    with pytest.raises(AerialError, match="another version of this project"):
        put_on_page("<main></main>", assessment())


def test_what_is_absent_is_not_spoken_of() -> None:
    bare = assessment(
        change=None, land_cover=None, unsure=None, alternate=None, classes_not_on_map=[]
    )
    words = text_of(put_on_page(render_report(label_page(title="A", created="now")), bare))
    assert "land cover" not in words.split("Checked by people", 2)[2].split("How sure")[0]
    assert "Change from" not in words
    assert "sure of every cell" in words


def test_the_comparison_needs_an_interval_on_one_side_of_nought() -> None:
    found = assessment().land_cover
    assert found is not None
    for low, high, said in (
        (0.01, 0.05, "The map is better"),
        (-0.05, -0.01, "The land cover is better"),
        (-0.01, 0.05, "does not show which is better"),
        (None, None, "is not known: too few"),
    ):
        figure = found.difference.model_copy(update={"low": low, "high": high, "reason": "too few"})
        changed = found.model_copy(update={"difference": figure})
        assert said in say_which_is_better(assessment(land_cover=changed))


def test_the_margin_of_an_area_has_the_decimals_of_the_area() -> None:
    found = assessment().classes["Forest"].area_km2
    small = found.model_copy(update={"estimate": 6.754, "standard_error": 0.2476})
    assert in_km2(small)[0] == "6.75 ± 0.49"


def test_a_report_of_tiles_takes_no_assessment_of_cells() -> None:
    """The map that was assessed is not the one that such a page shows."""
    of_tiles = render_report(ReportContent(title="A map", created="now"))
    with pytest.raises(AerialError, match="of tiles or of class folders"):
        put_on_page(of_tiles, assessment())
