import re
from xml.etree import ElementTree

import numpy as np
import pytest

from aerial_kedro.accuracy.evaluation import evaluate
from aerial_kedro.report.content import ReportContent
from aerial_kedro.report.figures import (
    class_accuracy_figure,
    comparison_figure,
    confusion_figure,
    figure_svg,
    reliability_figure,
)
from aerial_kedro.report.maps import confidence_figure, map_figure, scale_length
from aerial_kedro.report.pages import render_report
from aerial_kedro.report.pictures import NO_DATA, MapImage

ODD_NAMES = ["<b>&", "a$x$", "森林"]


def texts(svg: bytes) -> list[str]:
    root = ElementTree.fromstring(svg)
    return [text for one in root.iter("{http://www.w3.org/2000/svg}text") if (text := one.text)]


def test_the_confusion_figure_shows_counts_and_shares() -> None:
    found = evaluate(["A"] * 4 + ["B"], ["A", "A", "A", "B", "B"], ["A", "B", "C"])
    axes = confusion_figure(found).axes[0]
    shown = [text.get_text() for text in axes.texts]
    assert shown == ["3\n75%", "1\n25%", "0", "0", "1\n100%", "0", "–", "–", "–"]


@pytest.mark.filterwarnings("error")
def test_names_are_never_markup_or_mathematics() -> None:
    found = evaluate(ODD_NAMES, ODD_NAMES, ODD_NAMES, blocks=ODD_NAMES)
    for figure in (
        confusion_figure(found),
        class_accuracy_figure({"<i>m": found, "n": found}),
        comparison_figure({"a$y$": found}, {}),
    ):
        assert figure_svg(figure)
    assert set(ODD_NAMES) <= set(texts(figure_svg(confusion_figure(found))))


def test_the_same_figure_gives_the_same_bytes(full_content: ReportContent) -> None:
    test = full_content.test
    assert test is not None
    assert figure_svg(confusion_figure(test)) == figure_svg(confusion_figure(test))


def test_an_undefined_accuracy_has_no_bar() -> None:
    found = evaluate(["A", "A"], ["A", "B"], ["A", "B", "C"])
    users, producers = class_accuracy_figure({"m": found}).axes
    assert [round(bar.get_width(), 2) for bar in users.patches] == [1, 0]
    assert [round(bar.get_width(), 2) for bar in producers.patches] == [0.5]


def test_no_reliability_without_probabilities() -> None:
    with pytest.raises(ValueError, match="evaluate with probabilities"):
        reliability_figure(evaluate(["A"], ["A"], ["A", "B"]))


def make_map(**changes: object) -> MapImage:
    given = {
        "class_index": np.array([[0, NO_DATA], [2, 2]], dtype=np.uint8),
        "classes": ["Forest", "Shrub", "Not evaluated"],
        "extent": (500_000, 4_000_000, 500_448, 4_000_448),
        "crs": "EPSG:26915",
    }
    return MapImage.model_validate({**given, **changes})


def test_a_maps_first_row_is_its_north() -> None:
    axes = map_figure(make_map()).axes[0]
    image = axes.images[0]
    cells = np.asarray(image.get_array())
    assert cells[0, 0] == pytest.approx([0x0B / 255, 0x4D / 255, 0x33 / 255, 1])
    assert cells[0, 1, 3] == 0  # no tile: the page shows through
    assert cells[1, 0] == pytest.approx([0xEC / 255, 0xEF / 255, 0xF2 / 255, 1])
    assert image.origin == "upper"
    assert image.get_extent() == [500_000, 500_448, 4_000_000, 4_000_448]


def test_the_legend_names_what_the_map_holds() -> None:
    page = render_report(ReportContent(title="t", created="c", maps={"2018": make_map()}))
    legend = page.split('<ul class="legend"')[1].split("</ul>")[0]
    assert re.findall(r"<span>([\w ]+)</span>", legend) == ["Forest", "Not evaluated"]
    assert not map_figure(make_map()).legends


def test_a_map_has_a_scale_bar() -> None:
    assert len(map_figure(make_map()).axes[0].patches) == 2


@pytest.mark.parametrize("width", [300, 1_000, 4_480, 57_344, 1e6])
def test_a_scale_bar_is_round_and_fits(width: float) -> None:
    length = scale_length(width)
    assert width / 10 <= length <= width / 4
    assert str(int(length)).rstrip("0") in {"1", "2", "5"}


def test_no_confidence_map_without_confidence() -> None:
    with pytest.raises(ValueError, match="no confidence"):
        confidence_figure(make_map())
