"""The documents: lines that can be read anywhere, links that lead somewhere, files they name."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import aerial_kedro

PROJECT = Path(__file__).parents[2]
WIDTH = 100
PLACES = ("*.md", "docs/**/*.md", "benchmarks/**/*.md", "conf/**/*.md")
DOCUMENTS = [path for place in PLACES for path in sorted(PROJECT.glob(place))]
NAMES = [path.relative_to(PROJECT).as_posix() for path in DOCUMENTS]
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def outside_code(text: str) -> Iterator[tuple[int, str]]:
    """List the lines outside blocks of code, with their numbers."""
    is_code = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            is_code = not is_code
        elif not is_code:
            yield number, line


def wide_lines(text: str) -> list[int]:
    """Number the lines, tables apart, that are too wide and could be broken at a space."""
    return [
        number
        for number, line in outside_code(text)
        if len(line) > WIDTH and not line.startswith("|") and " " in _without_spans(line)
    ]


def _without_spans(line: str) -> str:
    """Leave out the mark of a list, and join what stays on one line: a link, a piece of code."""
    text = re.sub(r"^\s*([-*]|\d+\.) ", "", line).strip()
    return re.sub(r"`[^`]+`|\[[^\]]*\]\([^)]*\)", "·", text)


def links(text: str) -> list[str]:
    """List the targets of links to other documents, files and headings."""
    found = _LINK.findall("\n".join(line for _, line in outside_code(text)))
    return [each for each in found if not re.match(r"[a-z]+://|mailto:", each)]


def anchors(text: str) -> set[str]:
    """Name the headings of a document as links do: lower case, hyphens for spaces."""
    headings = (line for _, line in outside_code(text) if re.match(r"#{1,6} ", line))
    plain = (re.sub(r"[^\w\- ]", "", line.lstrip("#").strip().lower()) for line in headings)
    return {each.replace(" ", "-") for each in plain}


def dead_links(document: Path) -> list[str]:
    """List the links of a document whose file, or heading in it, does not exist."""
    dead = []
    for link in links(document.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = (document.parent / path) if path else document
        exists = target.exists()
        if not exists or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            dead.append(link)
    return dead


def missing_files(text: str) -> list[str]:
    """List the project's files that a text names in code and that do not exist."""
    named = re.findall(r"`((?:src|conf|docs|tests|benchmarks|rehearsal)/[\w./-]+)`", text)
    return [each for each in named if "/local/" not in each and not (PROJECT / each).exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
class TestDocuments:
    def test_lines_are_wrapped(self, document: Path) -> None:
        assert wide_lines(document.read_text(encoding="utf-8")) == []

    def test_links_lead_somewhere(self, document: Path) -> None:
        assert dead_links(document) == []

    def test_files_that_are_named_exist(self, document: Path) -> None:
        assert missing_files(document.read_text(encoding="utf-8")) == []


def test_all_documents_are_looked_at() -> None:
    expected = {"README.md", "docs/concepts.md", "benchmarks/README.md", "conf/cluster/README.md"}
    assert expected <= set(NAMES)


class TestChecks:
    WIDE = "word " * 30

    def test_a_wide_line_is_found_outside_code_and_tables_alone(self) -> None:
        text = f"{self.WIDE}\n```\n{self.WIDE}\n```\n| {self.WIDE} |\n- {self.WIDE}\n"
        assert wide_lines(text) == [1, 6]

    def test_what_cannot_be_broken_may_be_wide(self) -> None:
        address = "https://example.org/" + "a" * 100
        assert wide_lines(f"- {address}\n`{self.WIDE}`\n[a page]({address})") == []

    def test_missing_files_are_found(self) -> None:
        assert missing_files("`docs/concepts.md`, `docs/gone.md`") == ["docs/gone.md"]

    def test_dead_links_are_found(self, tmp_path: Path) -> None:
        (tmp_path / "there.md").write_text("# A heading, with `code`\n")
        page = tmp_path / "page.md"
        page.write_text(
            "[a](there.md) [b\nc](there.md#a-heading-with-code) [d](https://example.org/none)\n"
            "[e](gone.md) [f](there.md#other) [g](#none)\n```\n[h](code.md)\n```\n"
        )
        assert dead_links(page) == ["gone.md", "there.md#other", "#none"]


class TestCitation:
    CITATION = yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8"))

    def test_it_names_this_version(self) -> None:
        assert str(self.CITATION["version"]) == aerial_kedro.__version__

    def test_it_names_the_licence_of_the_package(self) -> None:
        project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
        assert self.CITATION["license"] == project["project"]["license"]
        licence = (PROJECT / "LICENSE").read_text(encoding="utf-8")
        assert "Apache License" in licence
        assert "END OF TERMS AND CONDITIONS" in licence

    def test_it_has_what_the_format_requires(self) -> None:
        assert {"cff-version", "message", "title", "authors"} <= set(self.CITATION)
