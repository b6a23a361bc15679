"""Lists written as one word, and messages that name the values which make no sense."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

import aerial_kedro
from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.access import AccessRules
from aerial_kedro.imagery.search import SearchRequest
from aerial_kedro.parameters import CheckedModel, Items, Names, Year, check_parameters


class Given(BaseModel):
    model_config = ConfigDict(extra="forbid")

    years: Annotated[tuple[Year, ...], Items] = ()
    names: Names = ()


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("2018/2020", (2018, 2020)),
        (" 2018 / 2020 / ", (2018, 2020)),
        (2018, (2018,)),
        ([2018, 2020], (2018, 2020)),
        ("", ()),
    ],
)
def test_several_values_are_a_list_or_one_word(given: object, found: tuple[int, ...]) -> None:
    assert Given.model_validate({"years": given}).years == found


@pytest.mark.parametrize(
    ("given", "found"),
    [("a/b", ("a", "b")), (25017, ("25017",)), (["a", 7], ("a", "7")), (None, ()), ("", ())],
)
def test_names_of_digits_are_names(given: object, found: tuple[str, ...]) -> None:
    assert Given.model_validate({"names": given}).names == found


def test_each_value_that_makes_no_sense_is_named() -> None:
    with pytest.raises(AerialError) as refused:
        check_parameters(Given, {"years": "1066/2018", "name": "a"}, "group")
    message = str(refused.value)
    assert message.startswith("The parameters `group` make no sense: group.years.0='1066': ")
    # A value under a name that nobody knows may be a token.
    assert "group.name: there is no such name" in message


@pytest.mark.parametrize(
    ("model", "given"),
    [
        (SearchRequest, {"api_url": "https://user:secret@example.org"}),
        (AccessRules, {"signers": [{"host": "a.org", "service": "https://u:secret@a.org"}]}),
    ],
)
def test_a_password_in_an_address_is_not_shown(
    model: type[BaseModel], given: dict[str, object]
) -> None:
    with pytest.raises(AerialError, match="name or a password") as refused:
        check_parameters(model, given, "group")
    assert "secret" not in str(refused.value)


class Wish(CheckedModel):
    share: float


@pytest.mark.parametrize(
    "given", [{"share": math.nan}, {"share": math.inf}, {"share": 0.5, "sure": True}]
)
def test_values_that_are_none_and_names_that_are_unknown_are_refused(
    given: dict[str, float],
) -> None:
    with pytest.raises(AerialError, match="wish"):
        check_parameters(Wish, given, "wish")


class Everything(CheckedModel):
    whole: int = Field(ge=0)
    share: float = Field(lt=1)
    sure: bool
    kind: Literal["a", "b"]
    code: str = Field(pattern="^[a-z]+$")
    several: list[int] = Field(min_length=2)
    table: dict[str, int]
    either: int | Literal["all"] | None


@pytest.mark.parametrize("given", ["x y", -1.5, 7, None, [], ["x"], {"a": "b"}])
def test_no_problem_is_told_in_words_of_programmers(given: object) -> None:
    values = dict.fromkeys(Everything.model_fields, given)
    with pytest.raises(AerialError) as refused:
        check_parameters(Everything, {**values, "other": given}, "group")
    said = str(refused.value)
    for jargon in (
        "pydantic",
        "http",
        "Input should",
        "Extra inputs",
        " valid",
        "parse",
        "Value err",
    ):
        assert jargon not in said
    assert "there is no such name" in said


def test_a_value_of_several_kinds_is_named_once() -> None:
    with pytest.raises(AerialError, match=r"either='x': give a whole number, or give 'all'") as it:
        check_parameters(Either, {"either": "x"}, "group")
    assert str(it.value).count("either") == 1


class Either(CheckedModel):
    either: int | Literal["all"]


def test_problems_are_put_into_words_in_one_place() -> None:
    source = Path(aerial_kedro.__file__).parent
    uses = [
        path.name
        for path in source.rglob("*.py")
        if re.search(r"""\[["']msg["']\]""", path.read_text(encoding="utf-8"))
    ]
    assert uses == ["parameters.py"]
