"""Which log settings the driver's Java is given."""

from pathlib import Path

import pytest

from aerial_kedro.cluster import spark

OURS = Path(spark.__file__).with_name("log4j2.properties")
OPTIONS = "spark.driver.extraJavaOptions"


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | bool | float | int | None]:
    """Settings of a session that is not started, in place of those of the tests' own session."""
    found: dict[str, str | bool | float | int | None] = {}
    monkeypatch.setattr(spark, "_settings", found)
    return found


def test_the_projects_own_are_named() -> None:
    assert OURS.is_file()
    assert spark._java_options() == f"-Dlog4j2.configurationFile={OURS.as_uri()}"


def test_other_options_of_the_user_stay(settings: dict[str, str]) -> None:
    settings[OPTIONS] = "-Xss4m"
    assert spark._java_options() == f"-Xss4m -Dlog4j2.configurationFile={OURS.as_uri()}"


def test_log_settings_of_the_user_are_kept(settings: dict[str, str]) -> None:
    settings[OPTIONS] = "-Dlog4j2.configurationFile=file:///mine.xml -Xss4m"
    assert spark._java_options() == settings[OPTIONS]
