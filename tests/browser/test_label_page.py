"""The labelling page in a browser: Chromium, as Debian packages it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest

from aerial_kedro.labelling.content import CarriedLabel
from aerial_kedro.labelling.page import render_label_page
from tests.unit.labelling.pages import CLASSES, make_page, make_task

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
    pytest.mark.xdist_group("browser"),
]
COLUMNS = ["sample_id", "cell_id", "year", "lon", "lat", "class", "alternate", "remark"]
OPTIONS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield opened
        opened.close()


class Opened:
    """A page that is open, with all that it asked of the network and complained of."""

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        self.context = browser.new_context(**{"viewport": DESKTOP, **options})
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda said: self.errors.append(said.text))
        self.address = path.as_uri()
        self.page.goto(self.address)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def text(self, name: str) -> str:
        return self.page.locator(f"#{name}").inner_text()

    def download(self, button: str, folder: Path) -> Path:
        with self.page.expect_download() as started:
            self.page.locator(f"#{button}").click()
        target = folder / started.value.suggested_filename
        started.value.save_as(target)
        return target

    def table(self, folder: Path) -> pd.DataFrame:
        found = pd.read_csv(self.download("csv", folder), keep_default_na=False)
        return found.set_index("sample_id")


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[Any]:
    opened: list[Opened] = []

    def open_one(count: int = 4, options: dict[str, Any] | None = None, **fields: Any) -> Opened:
        path = tmp_path / "label.html"
        path.write_text(render_label_page(make_page(count, **fields)), encoding="utf-8")
        opened.append(Opened(browser, path, **(options or {})))
        return opened[-1]

    yield open_one
    for each in opened:
        assert each.errors == []
        each.context.close()


def test_three_hundred_cells_with_the_keyboard_alone(open_page: Any, tmp_path: Path) -> None:
    opened = open_page(300)
    for number in range(300):
        opened.press(str(1 + number % 3))
        if number == 150:
            opened.page.reload()
            assert opened.text("count") == "151 of 300 answered"
    assert opened.text("count") == "300 of 300 answered"
    assert opened.text("said") == "All cells are answered: download the file." or "cell 300" in (
        opened.text("said")
    )
    expected = [CLASSES[number % 3] for number in range(300)]
    rows = pd.read_csv(opened.download("csv", tmp_path), keep_default_na=False)
    assert list(rows.columns) == COLUMNS
    assert rows["class"].tolist() == expected
    assert rows["lon"].tolist() == pytest.approx([-77.5 + n / 1000 for n in range(300)])
    places = gpd.read_file(opened.download("geojson", tmp_path), engine="pyogrio")
    assert places.crs.to_epsg() == 4326
    assert places["class"].tolist() == expected
    assert places["cell_id"].tolist() == rows["cell_id"].tolist()
    assert places.geometry.x.tolist() == pytest.approx(rows["lon"].tolist())
    assert opened.text("kept") == "All answers are downloaded."
    asked = [url for url in opened.requests if not url.startswith(("file:", "data:", "blob:"))]
    assert asked == []


def test_undo_skip_unsure_and_mixed(open_page: Any, tmp_path: Path) -> None:
    opened = open_page(6)
    opened.press("1", "u", "2")  # the first: Water after all
    opened.press("s")
    opened.press("?", "3")
    opened.press("?", "?")
    opened.press("m", "1", "1", "2")  # the same class again is no second one
    opened.press("m", "3", "Enter")
    assert opened.text("position") == "2 / 6"  # the one that was skipped comes again
    assert opened.text("count") == "5 of 6 answered · 1 skipped · 2 unsure · 2 mixed"
    rows = opened.table(tmp_path)
    assert rows.loc["s000", ["class", "alternate", "remark"]].tolist() == ["Water", "", ""]
    assert rows.loc["s001", ["class", "alternate", "remark"]].tolist() == ["", "", ""]
    assert rows.loc["s002", ["class", "alternate", "remark"]].tolist() == ["Field", "", "unsure"]
    assert rows.loc["s003", ["class", "alternate", "remark"]].tolist() == ["", "", "unsure"]
    mixed = rows.loc["s004", ["class", "alternate", "remark"]].tolist()
    assert mixed == ["Forest", "Water", "mixed"]
    assert rows.loc["s005", ["class", "alternate", "remark"]].tolist() == ["Field", "", "mixed"]
    opened.press("Backspace", "Control+z")
    assert opened.text("count") == "3 of 6 answered · 1 skipped · 2 unsure"


def test_a_remark_with_commas_and_quotes_comes_back_whole(open_page: Any, tmp_path: Path) -> None:
    opened = open_page()
    opened.press("?", "1", "ArrowLeft", "r")
    opened.page.keyboard.type('a "shed", 2 m; s')
    opened.press("Enter", "2", "3")
    rows = opened.table(tmp_path)
    assert rows.loc["s000", "remark"] == 'a "shed", 2 m; s'
    assert rows["class"].tolist() == ["Water", "Field", "", ""]
    opened.page.evaluate("localStorage.clear()")
    opened.page.reload()
    assert opened.text("count") == "0 of 4 answered"
    opened.page.set_input_files("#file", tmp_path / "labels.csv")
    sync_api.expect(opened.page.locator("#count")).to_have_text("2 of 4 answered")
    assert opened.table(tmp_path).equals(rows)


def test_a_new_class_is_text_whatever_it_is_called(open_page: Any, tmp_path: Path) -> None:
    opened = open_page()
    hostile = "<script>document.title = 1</script><img src=x>"
    opened.press("n")
    opened.page.keyboard.type(f"  {hostile} ")
    opened.press("Enter", "4")
    assert opened.page.title() == "Cells to label"
    assert opened.page.locator("#classes img, #classes script").count() == 0
    names = opened.page.locator("#classes .name").all_inner_texts()
    assert names == [*CLASSES, hostile]
    assert opened.table(tmp_path)["class"].iloc[0] == names[-1]
    opened.page.reload()
    assert opened.page.locator("#classes .name").all_inner_texts() == names


def test_two_spellings_of_a_class_are_warned_of(open_page: Any) -> None:
    opened = open_page()
    for said in ("almost like “Forest”", "New class forest."):
        opened.page.locator("#new-name").fill("forest")
        opened.press("Enter")
        assert said in opened.text("said")


def test_a_file_of_another_page_changes_nothing_and_is_said(open_page: Any, tmp_path: Path) -> None:
    opened = open_page()
    opened.press("1")
    strange = tmp_path / "strange.csv"
    strange.write_text("sample_id,year,class\nx,2018,Forest\ns001,2018,Marsh\n", encoding="utf-8")
    opened.page.set_input_files("#file", strange)
    sync_api.expect(opened.page.locator("#said")).to_contain_text(
        "1 rows do not say where they are"
    )
    assert opened.page.locator("#classes .name").all_inner_texts() == [*CLASSES, "Marsh"]
    strange.write_text("name\nx\n", encoding="utf-8")
    opened.page.set_input_files("#file", strange)
    sync_api.expect(opened.page.locator("#said")).to_contain_text(
        "no column sample_id, year, class"
    )
    assert opened.text("count") == "2 of 4 answered"


def earlier(cell_id: str, class_name: str) -> CarriedLabel:
    return CarriedLabel(cell_id=cell_id, year=2018, lon=-77.0, lat=36.0, class_name=class_name)


def classes_in(path: Path) -> dict[str, list[str]]:
    """Cell to its classes in a file, empty ones left out."""
    rows = pd.read_csv(path, keep_default_na=False)
    answered = rows[rows["class"] != ""]
    return answered.groupby("cell_id")["class"].agg(list).to_dict()


def test_one_file_holds_the_labels_of_all_rounds(open_page: Any, tmp_path: Path) -> None:
    asked, other = make_task(0, given="Water"), make_task(1)
    page = {
        "tasks": (asked, other),
        "carried": (earlier(asked.cell_id, "Water"), earlier("t#03", "Field")),
    }
    opened = open_page(**page)
    assert opened.text("carried") == "The file will hold 2 earlier labels too."
    before = opened.download("csv", tmp_path)
    assert classes_in(before) == {asked.cell_id: ["Water"], "t#03": ["Field"]}
    # Taken back, the label of before is still no answer to the doubt.
    opened.page.set_input_files("#file", before)
    sync_api.expect(opened.page.locator("#said")).to_contain_text("2 rows of other cells go")
    assert opened.text("count") == "0 of 2 answered"
    opened.press("ArrowLeft", "1")  # Forest after all
    assert opened.text("carried") == "The file will hold 1 earlier labels too."
    after = opened.download("csv", tmp_path)
    assert classes_in(after) == {asked.cell_id: ["Forest"], "t#03": ["Field"]}
    places = gpd.read_file(opened.download("geojson", tmp_path), engine="pyogrio")
    assert places["cell_id"].tolist() == [asked.cell_id, other.cell_id, "t#03"]


def test_rows_of_another_page_are_kept_and_written_again(open_page: Any, tmp_path: Path) -> None:
    asked = make_task(0, given="Water")
    opened = open_page(tasks=(asked, make_task(1)), carried=(earlier("t#03", "Field"),))
    lines = [
        ";".join(COLUMNS),
        f"{asked.sample_id};{asked.cell_id};2018;-77,5;36,25;Water;;",
        'x;t#09;2012;-77,5;36,25;Marsh;;"unsure; wet"',
        "y;t#03;2018;-77,5;36,25;Water;;",
        "z;;2018;;;Water;;",
    ]
    text = "\ufeff" + "\n".join(lines)
    tabs = text.replace(";", "\t").replace("unsure\t", "unsure;")
    for name, content in (("semicolon", text), ("tab", tabs)):
        (tmp_path / f"{name}.csv").write_text(content, encoding="utf-8")
        opened.page.evaluate("localStorage.clear()")
        opened.page.reload()
        opened.page.set_input_files("#file", tmp_path / f"{name}.csv")
        said = opened.page.locator("#said")
        sync_api.expect(said).to_contain_text("3 rows of other cells go into the next file as well")
        assert "1 rows do not say where they are" in opened.text("said")
        assert opened.text("count") == "0 of 2 answered"
        opened.page.reload()
        path = opened.download("csv", tmp_path)
        found = classes_in(path)
        assert found == {asked.cell_id: ["Water"], "t#09": ["Marsh"], "t#03": ["Water"]}
        row = pd.read_csv(path, keep_default_na=False).set_index("cell_id").loc["t#09"]
        assert (row["year"], row["lon"], row["remark"]) == (2012, -77.5, "unsure; wet")
        opened.press("u")
        assert classes_in(opened.download("csv", tmp_path)) == {"t#03": ["Field"]}


def test_labels_too_many_to_carry_are_said(open_page: Any) -> None:
    opened = open_page(too_many=23456)
    assert opened.text("carried").startswith("23,456 cells are labelled already, too many")


def test_a_geojson_is_taken_back(open_page: Any, tmp_path: Path) -> None:
    opened = open_page()
    opened.press("1", "m", "2", "3")
    saved = opened.download("geojson", tmp_path)
    assert json.loads(saved.read_text(encoding="utf-8"))["type"] == "FeatureCollection"
    opened.press("u", "u")
    opened.page.set_input_files("#file", saved)
    sync_api.expect(opened.page.locator("#count")).to_have_text("2 of 4 answered · 1 mixed")
    opened.press("u")
    assert opened.text("count") == "0 of 4 answered"


def test_a_label_is_kept_with_one_key(open_page: Any, tmp_path: Path) -> None:
    tasks = (make_task(0, given="Water", why="It is labelled Water."), make_task(1))
    opened = open_page(tasks=tasks)
    assert opened.text("why") == "It is labelled Water."
    opened.press("Enter", "Enter")
    assert opened.table(tmp_path)["class"].tolist() == ["Water", ""]


def test_a_reference_page_takes_alternates_and_no_new_class(open_page: Any, tmp_path: Path) -> None:
    opened = open_page(kind="reference")
    opened.press("Shift+Digit2", "1")
    opened.press("a", "3", "2")
    opened.press("?", "3")
    assert opened.page.locator("#new-class").count() == 0
    rows = opened.table(tmp_path)
    assert rows["alternate"].tolist() == ["Water", "Field", "", ""]
    assert rows["class"].tolist() == ["Forest", "Water", "Field", ""]
    strange = tmp_path / "strange.csv"
    strange.write_text("sample_id,year,class\ns003,2018,Marsh\n", encoding="utf-8")
    opened.page.set_input_files("#file", strange)
    sync_api.expect(opened.page.locator("#said")).to_contain_text("a class that this page does not")
    strange.write_text(
        "sample_id,cell_id,year,lon,lat,class\nx,t#01,2018,-77,36,Water\n", encoding="utf-8"
    )
    opened.page.set_input_files("#file", strange)
    sync_api.expect(opened.page.locator("#said")).to_contain_text("1 of its rows are of other")
    assert "t#01" not in opened.table(tmp_path)["cell_id"].tolist()  # `assess` would refuse it
    assert (tmp_path / "reference_labels.csv").exists()


def test_without_storage_the_page_says_so(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "label.html"
    path.write_text(render_label_page(make_page()), encoding="utf-8")
    context = browser.new_context()
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('refused') }})"
    )
    page = context.new_page()
    page.goto(path.as_uri())
    sync_api.expect(page.locator("#warning")).to_contain_text("This browser keeps nothing")
    page.keyboard.press("1")
    assert page.locator("#count").inner_text() == "1 of 3 answered"
    context.close()


@pytest.mark.parametrize("kind", ["labels", "reference"])
def test_a_phone_shows_all_without_scrolling_sideways(open_page: Any, kind: str) -> None:
    opened = open_page(options={"viewport": PHONE, "has_touch": True, "is_mobile": True}, kind=kind)
    assert opened.page.evaluate("document.documentElement.scrollWidth") == 390
    opened.page.locator("#classes button").nth(1).tap()
    opened.page.locator("#mixed").tap()
    opened.page.locator("#classes button").nth(0).tap()
    opened.page.locator("#classes button").nth(2).tap()
    assert opened.text("count") == "2 of 4 answered · 1 mixed"
    opened.page.locator(".picture.tile").first.tap()
    assert opened.page.locator("#large").is_visible()
    opened.page.locator("#large-close").tap()
    low = opened.page.locator("#classes button").last.bounding_box()
    assert low["y"] + low["height"] < PHONE["height"]


def test_every_control_has_a_name_and_is_a_button(open_page: Any) -> None:
    opened = open_page()
    named = opened.page.evaluate(
        "[...document.querySelectorAll('button')].filter(b => !b.hidden)"
        ".map(b => (b.getAttribute('aria-label') || b.innerText).trim())"
    )
    assert all(named[:12])
    assert opened.page.get_by_role("status").count() == 1
    # A click leaves the space bar to the next cell; a key on a focused button presses it.
    opened.page.locator("#classes button").first.click()
    opened.press("Space")
    assert opened.text("count") == "1 of 4 answered · 1 skipped"
    opened.page.locator("#classes button").nth(1).focus()
    opened.press("Enter")
    assert opened.text("count") == "2 of 4 answered · 1 skipped"
