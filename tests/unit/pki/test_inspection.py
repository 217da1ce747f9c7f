"""A server certificate against what a gateway needs, and a renewed one against the one before."""

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from causeway.observability.checks import CheckResult, Status
from causeway.pki.chain import build_chain
from causeway.pki.comparison import compare
from causeway.pki.inspection import Purpose, Wanted, inspect_chain
from causeway.pki.keys import CertificateKey
from tests.unit.certificates import DAY, NOW, Certified, root

SERVER = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
ROOT = root()
MIDDLE = ROOT.issue("Issuing", authority=True)


def names(*them: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.DNSName(name) for name in them])


def leaf(
    *extensions: x509.ExtensionType,
    common_name: str | x509.Name = "gw.contoso.com",
    start: dt.datetime = NOW - DAY,
    end: dt.datetime = NOW + 300 * DAY,
) -> Certified:
    return MIDDLE.issue(common_name, extensions=extensions or (SERVER, names("gw.contoso.com")), start=start, end=end)


def inspected(
    certified: Certified, wanted: Wanted | None = None, *, key: CertificateKey | None = None, whole: bool = True
) -> dict[str, CheckResult]:
    others = [MIDDLE.certificate, ROOT.certificate] if whole else []
    chain = build_chain(certified.certificate, others)
    results = inspect_chain("gw.pem", chain, key, wanted or Wanted(("gw.contoso.com",)), now=NOW)
    return {result.name.removeprefix("certificate "): result for result in results}


def test_a_good_certificate_passes_every_check() -> None:
    certified = leaf()
    results = inspected(certified, key=certified.key)
    assert {name for name, result in results.items() if result.status is not Status.PASS} == {"revocation"}


@pytest.mark.parametrize(
    ("certified", "check", "says"),
    [
        (leaf(SERVER), "name", "no subject alternative name"),
        (leaf(SERVER, names("other.contoso.com")), "name", "is not for gw.contoso.com"),
        (leaf(SERVER, names("*.gw.contoso.com")), "name", "is not for gw.contoso.com"),
        (leaf(SERVER, names("*.com")), "name", "is not for gw.contoso.com"),
        (
            leaf(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), names("gw.contoso.com")),
            "usage",
            "is not for",
        ),
        (MIDDLE.issue("CA", authority=True), "usage", "an authority's"),
        (leaf(end=NOW - dt.timedelta(hours=1)), "dates", "expired"),
        (leaf(start=NOW + DAY), "dates", "not yet"),
    ],
)
def test_what_is_wrong_fails_with_a_reason_and_a_remedy(certified: Certified, check: str, says: str) -> None:
    result = inspected(certified)[check]
    assert result.status is Status.FAIL
    assert says in result.details
    assert result.action


def test_a_wildcard_covers_one_label() -> None:
    assert inspected(leaf(SERVER, names("*.contoso.com")))["name"].status is Status.PASS


def test_the_end_is_near_thirty_days_before() -> None:
    assert inspected(leaf(end=NOW + 29 * DAY))["dates"].status is Status.WARN


def test_an_issuer_that_is_not_at_hand_fails_below_the_first_and_warns_above() -> None:
    certified = leaf()
    assert inspected(certified, whole=False)["chain"].status is Status.FAIL
    chain = build_chain(certified.certificate, [MIDDLE.certificate])
    results = inspect_chain("x", chain, None, Wanted(), now=NOW)
    assert next(r for r in results if r.name == "certificate chain").status is Status.WARN


def test_configuration_manager_s_wishes_are_the_common_name_with_its_case_and_an_rsa_key() -> None:
    wanted = Wanted(("gw.contoso.com",), common_name="GW.contoso.com", key_kinds=("RSA 2048",), needs_key=True)
    results = inspected(leaf(), wanted)
    assert "the case differs" in results["subject"].details
    assert results["key"].status is Status.FAIL
    assert results["private key"].status is Status.FAIL


def test_a_key_of_another_certificate_is_seen() -> None:
    assert inspected(leaf(), key=leaf().key)["private key"].status is Status.FAIL


def test_a_sample_of_clients_needs_a_name_and_the_usage() -> None:
    client = Wanted(purpose=Purpose.CLIENT)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    assert inspected(leaf(usage, common_name="PC1"), client)["name"].status is Status.PASS
    assert inspected(leaf(usage, common_name=x509.Name([])), client)["name"].status is Status.FAIL
    assert inspected(leaf(common_name="PC1"), client)["usage"].status is Status.FAIL


def test_an_extension_that_does_not_decode_is_a_line_and_no_traceback() -> None:
    broken = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), b"\x30\x03\x82\x01")
    result = inspected(MIDDLE.issue("gw.contoso.com", extensions=(SERVER, broken)))["name"]
    assert result.status is Status.FAIL
    assert "cannot be read" in result.details


def test_a_renewal_with_the_same_names_and_a_new_key_is_noticed_by_nobody() -> None:
    old, new = (build_chain(leaf().certificate, [MIDDLE.certificate, ROOT.certificate]) for _ in range(2))
    changes = compare(old, new)
    assert [(change.what, change.noticed) for change in changes] == [("key", "")]


def test_a_renewal_under_another_root_with_fewer_names_and_another_case_says_each() -> None:
    old = build_chain(
        leaf(SERVER, names("gw.contoso.com", "old.contoso.com")).certificate, [MIDDLE.certificate, ROOT.certificate]
    )
    other = root("Other")
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, "GW.contoso.com"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "C")]
    )
    renewed = other.issue(subject, extensions=(SERVER, names("gw.contoso.com")))
    changes = {change.what: change for change in compare(old, build_chain(renewed.certificate, [other.certificate]))}
    assert "compares it" in changes["common name"].noticed
    assert "deployed again" in changes["organisation"].noticed
    assert "refuse" in changes["name"].noticed
    assert "new root" in changes["root"].noticed
    assert isinstance(renewed.key, ec.EllipticCurvePrivateKey)
