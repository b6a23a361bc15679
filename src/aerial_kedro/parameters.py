"""What checked values share: a base, words read as lists, years, errors that name values."""

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
        Naming each value that makes no sense. What may hold a password is not shown: addresses,
        groups, and values under a name that is unknown.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        problems = "; ".join(
            ".".join([group, *map(str, each["loc"])])
            + ("" if _may_be_secret(each) else f"={each['input']!r}")
            + f": {each['msg']}"
            for each in error.errors()
        )
        raise AerialError(f"The parameters `{group}` make no sense: {problems}.") from None


def _may_be_secret(problem: Mapping[str, Any]) -> bool:
    return (
        problem["type"] == "extra_forbidden"
        or isinstance(problem["input"], Mapping)
        or any(part in str(problem["input"]) for part in ("://", "@", "?"))
    )
