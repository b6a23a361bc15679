import re
from html.parser import HTMLParser

import numpy as np
import pytest

from aerial_kedro.accuracy.evaluation import evaluate
from aerial_kedro.accuracy.interval import Interval
from aerial_kedro.change.summary import ChangeSummary
from aerial_kedro.models.comparison import ModelScores, TrainingSummary
from aerial_kedro.report.content import AreaRow, ChangeCandidate, ReportContent
from aerial_kedro.report.pages import render_report
from aerial_kedro.report.pictures import MapImage, TilePicture
from aerial_kedro.splits.blocks import SplitCheck
from aerial_kedro.tiles.records import CatalogSummary, QuarantineSummary

EVIL = "<b onmouseover=alert(1)>\"'&"
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Reader(HTMLParser):
    """Tags, attributes and text of a page; fails on tags that do not nest."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def headings(self) -> list[str]:
        return [attrs["id"] or "" for tag, attrs in self.tags if tag == "h2" and "id" in attrs]


@pytest.fixture(scope="module")
def page(full_content: ReportContent) -> str:
    return render_report(full_content)


def test_every_section_comes_in_its_order(page: str) -> None:
    assert Reader(page).headings() == [
        "caveats",
        "map",
        "area",
        "change",
        "accuracy",
        "models",
        "tiles",
        "errors",
        "data",
        "run",
    ]


def test_nothing_is_fetched_and_nothing_runs(page: str) -> None:
    found = Reader(page).tags
    assert not {"script", "link", "iframe", "object", "embed", "svg"} & {tag for tag, _ in found}
    for _, attrs in found:
        assert not [name for name in attrs if name.startswith("on")]
        assert (attrs.get("src") or "data:").startswith("data:")
        assert (attrs.get("href") or "#").startswith("#")
    assert not re.search(r"@import|url\(|https?://", page)


def test_every_link_in_the_page_leads_somewhere(page: str) -> None:
    found = Reader(page).tags
    targets = {attrs["id"] for _, attrs in found if "id" in attrs}
    wanted = {(attrs["href"] or "")[1:] for tag, attrs in found if tag == "a"}
    assert wanted <= targets


def test_pictures_have_words_and_headers_have_scopes(page: str) -> None:
    for tag, attrs in Reader(page).tags:
        if tag == "img":
            assert attrs["alt"]
        if tag == "th":
            assert attrs["scope"] in {"row", "col", "colgroup"}


def test_made_up_data_is_said_to_be_so(page: str, full_content: ReportContent) -> None:
    assert "Made-up county:</strong> drawn by this project from seed 7" in page
    real = render_report(full_content.model_copy(update={"made_up_seed": None}))
    assert "Made-up" not in real
    assert "made-up county)" not in real


def test_an_empty_report_has_no_sections() -> None:
    found = Reader(render_report(ReportContent(title="t", created="c")))
    assert found.headings() == []
    assert not [tag for tag, _ in found.tags if tag in {"img", "table", "section"}]


@pytest.mark.parametrize(
    ("field", "empty", "gone"),
    [
        ("maps", {}, "map"),
        ("areas", {}, "area"),
        ("change", ChangeSummary(), "change"),
        ("gallery", {}, "tiles"),
        ("worst_errors", [], "errors"),
        ("catalog", None, "data"),
        ("facts", {}, "run"),
        ("caveats", [], "caveats"),
    ],
)
def test_absent_data_leaves_out_its_section_alone(
    full_content: ReportContent, field: str, empty: object, gone: str
) -> None:
    # Only headings are looked at here, so leave out the slow pictures.
    small = full_content.model_copy(update={"maps": dict(list(full_content.maps.items())[:1])})
    found = Reader(render_report(small.model_copy(update={field: empty}))).headings()
    everything = Reader(render_report(small)).headings() if field == "caveats" else None
    assert gone not in found
    if everything is not None:
        assert [name for name in everything if name != gone] == found


def evil_content(picture: bytes) -> ReportContent:
    """Every text of a report holds markup."""
    classes = [EVIL, "plain"]
    found = evaluate(
        classes, classes[::-1], classes, probabilities=np.eye(2)[::-1], blocks=["x", "y"]
    )
    tile = TilePicture(picture=picture, label=EVIL, predicted="plain", image_id=EVIL)
    return ReportContent(
        title=EVIL,
        created=EVIL,
        made_up_seed=1,
        facts={EVIL: EVIL},
        catalog=CatalogSummary(
            images=1,
            places=1,
            sources=1,
            by_year={EVIL: 1},
            by_split={EVIL: 1},
            by_label={EVIL: 1},
            class_by_split={EVIL: {EVIL: 1}},
        ),
        split=SplitCheck(description=EVIL, is_spatial=False),
        quarantine=QuarantineSummary(
            tiles=2, quarantined=1, reasons={EVIL: 1}, examples=[(EVIL, EVIL, EVIL)]
        ),
        gallery={EVIL: [tile]},
        training=TrainingSummary(
            models={EVIL: ModelScores(test=found, validation=found, out_of_fold=found)},
            chosen=EVIL,
            reason=EVIL,
            baselines={EVIL: found},
        ),
        subsets={EVIL: found},
        maps={
            EVIL: MapImage(
                class_index=np.zeros((2, 2), dtype=np.uint8),
                classes=classes,
                extent=(0, 0, 448, 448),
                crs=EVIL,
            )
        },
        areas={EVIL: [AreaRow(class_name=EVIL, count=4, area_km2=0.2, share=1)]},
        change=ChangeSummary(
            before=2010, after=2016, classes=classes, counts=[[1, 2], [3, 4]], places=10
        ),
        change_candidates=[
            ChangeCandidate(
                tile_id=EVIL,
                before_class=EVIL,
                after_class=EVIL,
                probability=0.5,
                before=picture,
                after=picture,
                true_before=EVIL,
                true_after="plain",
            )
        ],
        worst_errors=[tile],
        caveats=[EVIL],
    )


@pytest.mark.filterwarnings("error")
def test_text_from_data_is_never_markup(full_content: ReportContent) -> None:
    picture = full_content.worst_errors[0].picture
    page = render_report(evil_content(picture))
    assert "<b onmouseover" not in page
    found = Reader(page)
    assert "b" not in {tag for tag, _ in found.tags}
    assert not [attrs for _, attrs in found.tags if "onmouseover" in attrs]
    assert EVIL in "".join(found.words)


def test_missing_values_are_words_not_numbers() -> None:
    found = evaluate(["A", "B"], ["A", "A"], ["A", "B", "C"])
    scores = {"m": ModelScores(test=found, validation=found, out_of_fold=found)}
    training = TrainingSummary(chosen="m", reason="", models=scores, baselines={})
    page = render_report(ReportContent(title="t", created="c", training=training))
    assert "never predicted" in page
    assert "no test tile" in page
    assert not re.search(r"\bnan\b|>None<", page, flags=re.IGNORECASE)


def test_ranges_are_written_in_words(full_content: ReportContent) -> None:
    training, rows = full_content.training, full_content.areas["2016"]
    assert training is not None
    row = rows[0].model_copy(update={"adjusted_interval": Interval(lower=1.5, upper=20.25)})
    shown = {"macro_f1_interval": Interval(lower=0.7, upper=0.81)}
    evaluation = training.baselines["majority"].model_copy(update=shown)
    page = render_report(
        ReportContent(
            title="t",
            created="c",
            areas={"2016": [row]},
            subsets={"others": evaluation},
            training=training,
        )
    )
    assert '<td class="num">1.50 to 20.2</td>' in page
    assert '<br><span class="small">0.700 to 0.810</span></td>' in page
    without = row.model_copy(update={"adjusted_km2": None, "adjusted_interval": None})
    page = render_report(ReportContent(title="t", created="c", areas={"2016": [row, without]}))
    assert '<span class="undefined">not defined</span></td><td class="num"></td></tr>' in page


def test_a_wrong_tile_is_said_to_be_wrong(full_content: ReportContent) -> None:
    picture = full_content.worst_errors[0].picture
    gallery = {"Forest": [TilePicture(picture=picture, label="Forest", predicted="Shrub")]}
    page = render_report(ReportContent(title="t", created="c", gallery=gallery))
    assert "Taken for Shrub" in page
    assert "Reference: Forest" in page


def test_the_same_content_gives_the_same_page(full_content: ReportContent, page: str) -> None:
    assert render_report(full_content) == page
