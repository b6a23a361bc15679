"""What is refused of a filled file, and what of labels that are answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aerial_kedro.accuracy.answers import AnswerFile, check_answers, check_not_reference
from aerial_kedro.accuracy.sampling import SampledCell, SampleDesign, Stratum
from aerial_kedro.errors import AerialError

Rows = list[dict[str, str]]


def design() -> SampleDesign:
    strata = [
        Stratum(name=name, cells=40, drawn=2, cells_by_year={"2012": 40, "2018": 40})
        for name in ("Forest", "change")
    ]
    cells = [
        SampledCell(sample_id=f"ab-{at}", cell_id=f"t{at}#07", stratum=stratum, years=[2012, 2018])
        for at, stratum in enumerate(["Forest", "change", "Forest", "change"])
    ]
    return SampleDesign(
        model="m", map_key="k", years=[2012, 2018], classes=["Forest", "Town"],
        cell_area_m2=1024.0, seed=7, strata=strata, cells=cells,
    ).signed()  # fmt: skip


def filled() -> Rows:
    return [
        {
            "sample_id": each.sample_id, "cell_id": each.cell_id, "year": str(year), "lon": "-77",
            "lat": "36", "stratum": each.stratum, "inclusion_probability": "0.05",
            "class": "Forest", "alternate": "", "remark": "",
        }
        for each in design().cells
        for year in each.years
    ]  # fmt: skip


def check(rows: Rows) -> Any:
    return check_answers(AnswerFile(name="file.csv", rows=rows), design(), "Unsure")


def test_a_filled_file_is_read_whole_in_any_order() -> None:
    rows = filled()
    rows[0] |= {"class": " Town ", "alternate": "Forest", "remark": "Unsure; a shadow"}
    rows[1] |= {"class": "", "remark": "unsure"}
    rows[2] |= {"year": "2012.0", "remark": "not unsure at all"}
    found = check(rows[::-1])
    assert found["sample_id"].tolist() == [f"ab-{at // 2}" for at in range(8)]
    assert found["class"].tolist() == ["Town", "", *["Forest"] * 6]
    assert found["unsure"].tolist() == [True, True, *[False] * 6]
    assert (
        found["stratum"].tolist()
        == ["Forest"] * 2 + ["change"] * 2 + ["Forest"] * 2 + ["change"] * 2
    )
    assert found["second"].eq("").all()


def test_the_page_s_file_has_no_strata() -> None:
    without = [
        {name: row[name] for name in row if name not in ("stratum", "inclusion_probability")}
        for row in filled()
    ]
    assert check(without)["stratum"].tolist() == check(filled())["stratum"].tolist()


def edit(at: int, **values: str) -> Callable[[Rows], Rows]:
    return lambda rows: [row | values if n == at else row for n, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: [], "has no rows.*reference.html"),
        (lambda rows: [{"id": "1"}], "lacks the columns sample_id, cell_id, year, class; it has"),
        (
            lambda rows: [row | {"sample_id": "cd-1"} for row in rows],
            "is of another sample.*seed 7",
        ),
        (lambda rows: rows[:-2], r"lacks 2 rows \(ab-3 of 2012, ab-3 of 2018\) of the 8"),
        (lambda rows: [*rows, rows[0] | {"sample_id": "mine"}], "1 row .mine of 2012., which were"),
        (lambda rows: [*rows, rows[0]], r"has 1 row \(ab-0 of 2012\) twice.*second_class"),
        (edit(3, stratum="Forest"), "another stratum than was drawn in 1 rows, first ab-1 of 2018"),
        (edit(3, inclusion_probability="0.06"), "another inclusion_probability"),
        (edit(3, inclusion_probability="many"), "another inclusion_probability"),
        (edit(3, cell_id="t9#07"), "another cell_id.*'t9#07', not 't1#07'"),
        (lambda rows: [row | {"class": ""} for row in rows], "has no answer"),
        (edit(2, **{"class": ""}), r"no class in 1 row \(ab-1 of 2012\).*'unsure' into remark"),
        (edit(2, **{"class": "forest"}), "spells a class in two ways.*'Forest' and 'forest'"),
        (edit(2, alternate="TOWN"), "'TOWN' and 'Town'"),
        (edit(2, **{"class": "Unsure"}), "which is what the map calls"),
    ],
)
def test_what_is_refused(change: Callable[[Rows], Rows], message: str) -> None:
    with pytest.raises(AerialError, match=message):
        check(change(filled()))


def test_a_class_that_the_map_does_not_know_is_said(caplog: pytest.LogCaptureFixture) -> None:
    rows = edit(0, **{"class": "Marsh"})(filled())
    assert check(rows)["class"].tolist()[0] == "Marsh"
    assert "'Marsh' of reference_labels is none of the map's (Forest, Town)" in caplog.text


def test_labels_that_are_answers_are_refused() -> None:
    sampled = [each.cell_id for each in design().cells]
    columns = ["cell_id", "class", "year"]
    for own, names, cells in (
        ([*columns, " Stratum", "Inclusion_Probability"], [], []),
        (columns, ["ab-2"], ["x#01"]),
        (columns, ["12af-0007"], ["x#01"]),  # of another sample
        (columns, [], [*sampled, "x#01"]),  # the rest of the columns taken off
    ):
        with pytest.raises(AerialError, match=r"labels_path=own.csv holds answers.*suggest_labels"):
            check_not_reference(own, names, cells, design(), "own.csv")
    check_not_reference(columns, ["s1"], [f"x#{n:02d}" for n in range(9)], design(), "own.csv")
    of_soil = [*columns, "stratum"]
    check_not_reference(of_soil, ["s1"], ["x#01"], design(), "own.csv")
    chance = [sampled[0], *(f"x#{n:02d}" for n in range(9))]
    check_not_reference(columns, ["s1"], chance, design(), "own.csv")
    check_not_reference(columns, ["ab-2"], sampled, None, "own.csv")  # no sample was drawn
