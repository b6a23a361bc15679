import pytest

from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.access import AccessRules, SignerRule, current_rules
from aerial_kedro.parameters import check_parameters

RULES = AccessRules(
    hosts=("naip.example.org", "*.blob.example.net", "127.0.0.1", "::1"),
    signers=(SignerRule(host="*.blob.example.net", service="planetary_computer"),),
)


def check_access(parameters: object) -> AccessRules:
    return check_parameters(AccessRules, parameters, "imagery")


@pytest.mark.parametrize(
    "href",
    [
        "https://naip.example.org/a.tif",
        "https://NAIP.example.org:8443/a.tif?version=2",
        "https://eu.blob.example.net/naip/a.tif",
        "http://127.0.0.1:8000/a.tif",
        "http://[::1]:8000/a.tif",
    ],
)
def test_allowed_hosts_may_be_read(href: str) -> None:
    assert RULES.check(href) == href


@pytest.mark.parametrize(
    ("href", "reason"),
    [
        ("https://evil.org/a.tif", r"evil\.org, which is not among"),
        ("https://blob.example.net/a.tif", "not among"),
        ("https://evilblob.example.net/a.tif", "not among"),
        ("https://naip.example.org.evil.org/a.tif", "not among"),
        ("https://evil.org/naip.example.org/a.tif", "not among"),
        ("https://naip.example.org@evil.org/a.tif", "name or a password"),
        ("https://user:secret@naip.example.org/a.tif", "name or a password"),
        ("https://evil.org\\@naip.example.org/a.tif", "not a plain"),
        ("https://naip.example.org/a.tif\nHost: evil", "not a plain"),
        ("https://naip.example.org/a.tif#x", "not a plain"),
        ("http://naip.example.org/a.tif", "not encrypted"),
        ("ftp://naip.example.org/a.tif", "not a plain"),
        ("file:///etc/passwd", "not a plain"),
        ("/vsicurl/https://naip.example.org/a.tif", "not a plain"),
        ("https:///a.tif", "no host"),
    ],
)
def test_other_addresses_are_refused(href: str, reason: str) -> None:
    with pytest.raises(AerialError, match=reason):
        RULES.check(href)


def test_only_addresses_of_its_hosts_are_signed() -> None:
    assert RULES.service_of("https://eu.blob.example.net/naip/a.tif") == "planetary_computer"
    assert RULES.service_of("https://naip.example.org/a.tif") is None
    assert RULES.service_of("https://evil.org/eu.blob.example.net/a.tif") is None


@pytest.mark.parametrize(
    "parameters",
    [
        {"hosts": ["https://naip.example.org"]},
        {"hosts": ["naip.example.org:8000"]},
        {"hosts": ["*"]},
        {"hosts": ["*example.org"]},
        {"host": ["naip.example.org"]},
        {"signers": [{"host": "a.org", "service": "http://tokens.example.org"}]},
        {"signers": [{"host": "a.org", "service": "somebody"}]},
        {"retries": -1},
    ],
)
def test_rules_that_make_no_sense_are_refused(parameters: dict[str, object]) -> None:
    with pytest.raises(AerialError, match=r"parameters `imagery` make no sense: imagery\."):
        check_access(parameters)


def test_hosts_may_be_one_word_of_the_command_line() -> None:
    assert check_access({"hosts": "a.org/*.b.org"}).hosts == ("a.org", "*.b.org")


def test_a_process_keeps_to_the_rules_of_its_run(rules: AccessRules) -> None:
    assert current_rules() == rules


def test_rules_of_the_configuration_are_the_defaults() -> None:
    """A process that was told nothing, such as a notebook, reads what a run reads."""
    import yaml  # noqa: PLC0415

    from tests.conftest import PROJECT  # noqa: PLC0415

    file = PROJECT / "conf/base/acquisition/parameters.yml"
    declared = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert check_access(declared["imagery"]) == AccessRules()
