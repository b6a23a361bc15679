import pytest

from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.access import AccessRules, SignerRule
from aerial_kedro.imagery.signing import SignedAddress, Signing, SigningError
from tests.unit.imagery.web import SECRET, Web


def test_an_address_of_a_host_without_signer_stays(web: Web, open_rules: AccessRules) -> None:
    href = f"{web.base}/naip/a.tif"
    assert Signing(open_rules).sign(href) == SignedAddress(href, None)


def test_a_signature_does_not_go_to_another_container_or_port(web: Web, rules: AccessRules) -> None:
    signing = Signing(rules)
    hrefs = [f"{web.base}/naip/a.tif", f"{web.base}/other/a.tif", "http://127.0.0.1:9/naip/a.tif"]
    queries = {signing.sign(href).url.partition("?")[2] for href in hrefs}
    assert len(queries) == web.tokens == 3


def test_an_address_that_has_a_query_keeps_it(web: Web, rules: AccessRules) -> None:
    assert (
        Signing(rules)
        .sign(f"{web.base}/naip/a.tif?v=2")
        .url.startswith(f"{web.base}/naip/a.tif?v=2&se=")
    )


def test_a_host_that_is_not_allowed_gets_no_signature(web: Web) -> None:
    rules = AccessRules(
        hosts=(), signers=(SignerRule(host="127.0.0.1", service=web.token_service),)
    )
    with pytest.raises(AerialError, match="not among those"):
        Signing(rules).sign(f"{web.base}/naip/a.tif")
    assert web.tokens == 0


def test_a_refused_signature_is_replaced_for_all_scenes(web: Web, rules: AccessRules) -> None:
    signing = Signing(rules)
    hrefs = [f"{web.base}/naip/{name}.tif" for name in "abc"]
    old = [signing.sign(href) for href in hrefs]
    new = [signing.sign(href, refused) for href, refused in zip(hrefs, old, strict=True)]
    assert web.tokens == 2
    assert {each.url for each in new}.isdisjoint(each.url for each in old)


def test_signatures_are_not_asked_for_again_and_again(web: Web, rules: AccessRules) -> None:
    """The replacement of a refused one is refused as well: it is no matter of time."""
    signing = Signing(rules)
    signed = signing.sign(f"{web.base}/naip/a.tif")
    for _ in range(5):
        signed = signing.sign(f"{web.base}/naip/a.tif", signed)
    assert web.tokens == 2


def test_a_signature_does_not_show(web: Web, rules: AccessRules) -> None:
    assert SECRET not in repr(Signing(rules).sign(f"{web.base}/naip/a.tif"))


@pytest.mark.parametrize("service", ["/nothing", "/stac"])
def test_a_token_service_that_is_none_is_named(web: Web, service: str) -> None:
    rules = AccessRules(
        hosts=("127.0.0.1",),
        signers=(SignerRule(host="127.0.0.1", service=web.base + service),),
        retry_delay_s=0.01,
    )
    with pytest.raises(SigningError, match=f"{web.base}{service} gave no signature for 127.0.0.1"):
        Signing(rules).sign(f"{web.base}/naip/a.tif")


def test_planetary_computer_signs_for_its_own_storage(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client asks whom PC_SDK_SAS_URL names: account and container follow."""
    from planetary_computer.settings import Settings  # noqa: PLC0415

    monkeypatch.setattr(Settings.get(), "sas_url", web.token_service)
    signed = Signing(AccessRules()).sign("https://naipeuwest.blob.core.windows.net/naip/v002/a.tif")
    assert signed.url.startswith("https://naipeuwest.blob.core.windows.net/naip/v002/a.tif?se=")
    assert signed.url.endswith(f"sig={SECRET}%3D1")
    assert signed.renew_at is not None
