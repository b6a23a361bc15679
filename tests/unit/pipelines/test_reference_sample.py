"""A reference sample's page, and the section of its answers, have the colours of the map."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from aerial_kedro.accuracy.sampling import SampleDesign, SamplingRules
from aerial_kedro.change.cells import CELL_CHANGE_COLUMNS, CellTransitions
from aerial_kedro.change.drawn import draw_design
from aerial_kedro.labels.classes import UNSURE
from aerial_kedro.pipelines.assess.nodes import show_assessment
from aerial_kedro.pipelines.label_pictures import TASK_COLUMNS
from aerial_kedro.pipelines.reference_sample import nodes
from aerial_kedro.report.colours import class_colours
from aerial_kedro.report.pages import render_report
from tests.unit.change.test_shown import PATCHES, SETTINGS, cell_map
from tests.unit.labelling.pages import make_task
from tests.unit.report.test_label_section import page as label_page
from tests.unit.report.test_people_section import ODD, assessment

CLASSES = ["Apples", ODD, "Orchard"]
OWN = {ODD: "#56b4e9"}  # what Apples would have
ON_MAP = class_colours([*CLASSES, UNSURE], OWN)


def design() -> SampleDesign:
    table: Any = SimpleNamespace(
        select=lambda *_: SimpleNamespace(toPandas=lambda: cell_map({2018: 4}))
    )
    transitions = CellTransitions(classes=CLASSES, values=[1, 2, 3], colours=OWN)
    change = pd.DataFrame(columns=list(CELL_CHANGE_COLUMNS))
    shown = nodes.look_at_map(table, change, transitions, SETTINGS, PATCHES)
    rules = SamplingRules(standard_error=0.05, expected_accuracy=0.85, fewest=5)
    return draw_design(shown, "m", rules, 1)


def test_the_page_has_the_colours_of_the_map(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "draw_tasks", lambda _, __: (make_task(0),))
    nothing: Any = None
    page = nodes.write_page(pd.DataFrame(columns=list(TASK_COLUMNS)), nothing, design())
    found = re.search(r'id="data">(.*?)</script>', page, re.S)
    assert found
    shown = {each["name"]: each["colour"] for each in json.loads(found[1])["classes"]}
    assert shown == {name: ON_MAP[name] for name in CLASSES}


def test_the_section_has_the_colours_of_the_map() -> None:
    report = render_report(label_page(title="A map", created="now"))
    page = show_assessment(report, assessment(), design())
    shown = set(re.findall(r'background:(#\w{6})"></span><span>&lt;script', page))
    assert shown == {OWN[ODD]}
