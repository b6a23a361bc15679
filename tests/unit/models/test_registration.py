"""When a version becomes the best one."""

import pytest
from pydantic import ValidationError

from aerial_kedro.models.registration import RegistrySettings, is_promoted


def settings(**options: str) -> RegistrySettings:
    return RegistrySettings.model_validate(
        {"name": "county", "alias": "best", "promote": "better", **options}
    )


@pytest.mark.parametrize(
    ("score", "best", "expected"),
    [
        (0.8, None, True),
        (0.81, 0.8, True),
        (0.8, 0.8, False),
        (0.7, 0.8, False),
        (None, 0.8, False),
    ],
)
def test_the_better_one_gets_the_alias(
    score: float | None, best: float | None, expected: bool
) -> None:
    assert is_promoted(score, best, settings()) is expected


@pytest.mark.parametrize(("promote", "expected"), [("always", True), ("never", False)])
def test_a_request_outdoes_the_score(promote: str, expected: bool) -> None:
    for score in (0.1, 0.9):
        assert is_promoted(score, 0.5, settings(promote=promote)) is expected


@pytest.mark.parametrize("alias", ["latest", "v3", "the best", ""])
def test_aliases_that_mlflow_refuses_are_refused(alias: str) -> None:
    with pytest.raises(ValidationError):
        settings(alias=alias)
