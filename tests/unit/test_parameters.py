"""Lists written as one word, and messages that name the values which make no sense."""

from __future__ import annotations

import math
from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict

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
    assert "group.name: Extra inputs are not permitted" in message


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
