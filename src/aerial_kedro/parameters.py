"""What checked values share: a base, words read as lists, years, errors that name values."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from aerial_kedro.errors import AerialError

FIRST_YEAR, LAST_YEAR = 1930, 2099
"""Years that aerial images and land cover may be of."""

M = TypeVar("M", bound=BaseModel)


class CheckedModel(BaseModel):
    """Parameters or results: refuses names that it does not know, and NaN for a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def split_items(value: Any) -> Any:
    """Read ``A/B`` as two items, since Kedro's ``--params`` splits its own text at every comma.

    Parameters
    ----------
    value
        What the configuration or the command line holds.

    Returns
    -------
    list or object
        The parts of a text, without blanks around them and without empty ones; a list of one for
        a number; anything else as it is.

    Examples
    --------
    >>> split_items("A / B"), split_items(2018), split_items(["A/B"])
    (['A', 'B'], [2018], ['A/B'])
    """
    if isinstance(value, str):
        return [part.strip() for part in value.split("/") if part.strip()]
    return [value] if isinstance(value, int | float) else value


def split_names(value: Any) -> Any:
    """Read ``A/B`` as two names, and None as no name.

    Names of digits, which the command line reads as numbers, become text again.

    Examples
    --------
    >>> split_names("A/25017"), split_names(25017), split_names(["A", 7]), split_names(None)
    (['A', '25017'], ['25017'], ['A', '7'], [])
    """
    items = split_items("" if value is None else value)
    if not isinstance(items, list | tuple):
        return items
    return [str(each) if isinstance(each, int | float) else each for each in items]


Items = BeforeValidator(split_items)
"""For fields that hold several values: `split_items` before they are checked."""

Names = Annotated[tuple[str, ...], BeforeValidator(split_names)]
"""Several names: `split_names` before they are checked."""

Year = Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)]
"""A year from `FIRST_YEAR` to `LAST_YEAR`."""


NO_SUCH_NAME = "there is no such name"
"""Of a name that is not known."""
# What each kind of problem asks for. pydantic's own words are those of a programmer.
_WORDS = {
    "extra_forbidden": NO_SUCH_NAME,
    "missing": "it is missing",
    "greater_than": "give a number greater than {gt}",
    "greater_than_equal": "give a number greater than or equal to {ge}",
    "less_than": "give a number less than {lt}",
    "less_than_equal": "give a number less than or equal to {le}",
    "finite_number": "give a finite number",
    "none_required": "leave it out, or give null",
    "literal_error": "give {expected}",
    "enum": "give {expected}",
    "string_pattern_mismatch": "it is not of the form {pattern}",
    "too_short": "give {min_length} or more",
    "too_long": "give {max_length} at most",
    "json_invalid": "it is no JSON ({error})",
}
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "string": "text",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "iterable": "a list",
    "dict": "names with values",
    "mapping": "names with values",
    "model": "names with values",
    "date": "a date",
    "datetime": "a date and time",
}
_BRANCH = re.compile(r"\w+\[.*\]|" + "|".join(_KINDS) + "|str|none")


def describe_problems(
    error: ValidationError, group: str = "", *, show_values: bool = True
) -> list[str]:
    """Say in words what is wrong with parameters or a file: the one place that does.

    Parameters
    ----------
    error
        What pydantic found.
    group
        Name of the group of parameters, before the names in it.
    show_values
        Whether to show what was given. What may hold a password never is: addresses, groups, and
        values under a name that is unknown.

    Returns
    -------
    list of str
        ``name=value: what to give``, one for each value that makes no sense.

    Examples
    --------
    >>> class Trees(CheckedModel):
    ...     number: int = Field(gt=0)
    >>> try:
    ...     Trees.model_validate({"number": 0, "sort": "oak"})
    ... except ValidationError as error:
    ...     describe_problems(error, "trees")
    ['trees.number=0: give a number greater than 0', 'trees.sort: there is no such name']
    """
    found: dict[str, list[str]] = {}
    for each in error.errors(include_url=False):
        # A value of several kinds has a problem for each, under a name of pydantic's own.
        parts = [str(part) for part in each["loc"]]
        while len(parts) > 1 and _BRANCH.fullmatch(parts[-1]):
            parts.pop()
        name = ".".join([group, *parts] if group else parts)
        shown = show_values and not _may_be_secret(each) and each["type"] != "missing"
        if shown and name:
            name = f"{name}={each['input']!r}"
        words = found.setdefault(name, [])
        if (said := _in_words(each)) not in words:
            words.append(said)
    return [": ".join(filter(None, [name, ", or ".join(words)])) for name, words in found.items()]


def check_parameters(model: type[M], given: object, group: str) -> M:
    """Check a group of parameters.

    Parameters
    ----------
    model
        What the group may hold.
    given
        The group as the configuration holds it.
    group
        Its name, for the message.

    Raises
    ------
    AerialError
        Naming each value that makes no sense; see `describe_problems`.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        problems = "; ".join(describe_problems(error, group))
        raise AerialError(f"The parameters `{group}` make no sense: {problems}.") from None


def _in_words(problem: Mapping[str, Any]) -> str:
    kind, said = str(problem["type"]), str(problem["msg"])
    if kind in _WORDS:
        facts = dict(problem.get("ctx") or {})
        whole = {k: int(v) for k, v in facts.items() if isinstance(v, float) and v.is_integer()}
        return _WORDS[kind].format(**{**facts, **whole})
    if kind in ("value_error", "assertion_error"):
        return said.partition(", ")[2] or said
    wanted = _KINDS.get(kind.partition("_")[0])
    return f"give {wanted}" if wanted else said.replace("Input should be", "give")


def _may_be_secret(problem: Mapping[str, Any]) -> bool:
    return (
        problem["type"] == "extra_forbidden"
        or isinstance(problem["input"], Mapping)
        or any(part in str(problem["input"]) for part in ("://", "@", "?"))
    )
