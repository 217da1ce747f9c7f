"""The decision on a client's certificate, each reason to refuse it, and the same decision as steps."""

import dataclasses
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from causeway.identity.client_trust import ClientTrust
from causeway.identity.denial import Denial
from causeway.identity.examination import CertificateRules
from causeway.identity.revocation import KnownList, RevocationRules, RevokedSerials, encode_digests
from causeway.observability.checks import Status
from causeway.pki.issuers import Authorities, issuer_id
from causeway.pki.serials import serial_digest
from causeway.refusals import REFUSALS
from tests.unit.certificates import DAY, NOW, Certified, root, twin_of

NOW_S = NOW.timestamp()
HOUR_S = 3600.0
ROOT = root()
POINT = "http://pki.example/issuing.crl"


def points(*urls: str) -> x509.CRLDistributionPoints:
    return x509.CRLDistributionPoints(
        [x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None) for url in urls]
    )


def responder(url: str) -> x509.AuthorityInformationAccess:
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(url))]
    )


def key_usage(**what: bool) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: what.get(name, False) for name in names})


def trust(
    *authorities: Certified,
    rules: CertificateRules | None = None,
    lists: tuple[KnownList, ...] = (),
    **revocation: float,
) -> ClientTrust:
    by_issuer: dict[str, tuple[KnownList, ...]] = {}
    for one in lists:
        by_issuer[one.issuer] = (*by_issuer.get(one.issuer, ()), one)
    return ClientTrust(
        Authorities([one.certificate for one in authorities or (ROOT,)]),
        rules or CertificateRules(),
        dataclasses.replace(RevocationRules(lists=by_issuer), **revocation),  # type: ignore[arg-type]
    )


def known(issuer: Certified, *revoked: Certified, ends_in_s: float = HOUR_S, **scope: object) -> KnownList:
    serials = RevokedSerials(encode_digests(serial_digest(one.certificate.serial_number) for one in revoked))
    return KnownList(issuer_id(issuer.certificate), NOW_S + ends_in_s, serials, **scope)  # type: ignore[arg-type]


def word(certified: Certified, by: ClientTrust, now: float = NOW_S) -> str:
    """The word of the decision; the steps say the same."""
    decision = by.decide(certified.der, now)
    steps = list(by.explain(certified.der, now))
    failed = [step for step in steps if step.status is Status.FAIL]
    if decision.denial is None:
        assert not failed
        assert [step.name for step in steps] == ["readable", "dates", "key", "usage", "chain", "revocation"]
        return ""
    refused = decision.denial.word
    assert REFUSALS[refused].status == 403
    assert failed == [steps[-1]]
    assert failed[0].details == f"{refused}: {decision.denial.details}"
    assert failed[0].action == decision.denial.remedy != ""
    return refused.removeprefix("CMGService_ClientCertificate")


def denial(certified: Certified, by: ClientTrust, now: float = NOW_S) -> Denial:
    found = by.decide(certified.der, now).denial
    assert found is not None
    return found


def test_a_good_certificate_is_good_until_it_ends() -> None:
    decision = trust().decide(ROOT.issue("PC1", end=NOW + DAY).der, NOW_S)
    assert (decision.denial, decision.unchecked) == (None, False)
    assert decision.good_until == pytest.approx((NOW + DAY).timestamp(), abs=1)


def test_a_certificate_is_refused_before_and_after_its_time() -> None:
    device = ROOT.issue("PC1", start=NOW - DAY, end=NOW + DAY)
    assert word(device, trust(), NOW_S - 2 * 86400) == "Expired"
    assert word(device, trust()) == ""
    assert word(device, trust(), NOW_S + 86401) == "Expired"


def test_a_decision_is_made_anew_when_its_time_is_over() -> None:
    device, by = ROOT.issue("PC1", end=NOW + DAY), trust()
    assert by.decide(device.der, NOW_S) is by.decide(device.der, NOW_S + 10)
    assert denial(device, by, NOW_S + 86401).word == "CMGService_ClientCertificateExpired"


def test_a_certificate_ends_with_the_authority_above_it() -> None:
    issuing = ROOT.issue("Issuing", authority=True, end=NOW + DAY)
    device, by = issuing.issue("PC1"), trust(ROOT, issuing)
    assert by.decide(device.der, NOW_S).good_until == pytest.approx((NOW + DAY).timestamp(), abs=1)
    assert denial(device, by, NOW_S + 86401).details.startswith("the certificate of CN=Issuing ended")


def test_small_keys_and_old_signatures_are_refused() -> None:
    small = rsa.generate_private_key(65537, 1024)
    assert word(ROOT.issue("PC1", key=small), trust()) == "Weak"
    assert word(ROOT.issue("PC1", key=ec.generate_private_key(ec.SECP192R1())), trust()) == "Weak"
    assert word(ROOT.issue("PC1", hash_algorithm=hashes.SHA224()), trust()) == "Weak"
    assert word(ROOT.issue("PC1", key=rsa.generate_private_key(65537, 2048)), trust()) == ""
    larger = CertificateRules(min_rsa_bits=3072, min_ec_bits=384)
    strong = root("Strong", key=ec.generate_private_key(ec.SECP384R1()))
    assert word(strong.issue("PC1", key=rsa.generate_private_key(65537, 2048)), trust(strong, rules=larger)) == "Weak"
    assert word(strong.issue("PC1", key=ec.generate_private_key(ec.SECP384R1())), trust(strong, rules=larger)) == ""
    sha512 = CertificateRules(hashes=frozenset({"sha512"}))
    assert word(ROOT.issue("PC1"), trust(rules=sha512)) == "Weak"


def test_an_authority_with_a_small_key_makes_no_good_certificates() -> None:
    weak = ROOT.issue("Weak", authority=True, key=rsa.generate_private_key(65537, 1024))
    decision = denial(weak.issue("PC1"), trust(ROOT, weak))
    assert decision.word == "CMGService_ClientCertificateWeak"
    assert "CN=Weak" in decision.details


@pytest.mark.parametrize(
    ("extensions", "expected"),
    [
        ((), ""),
        ((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]),), ""),
        ((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]),), ""),
        ((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),), "Usage"),
        ((key_usage(digital_signature=True),), ""),
        ((key_usage(key_encipherment=True),), "Usage"),
        ((key_usage(key_agreement=True),), "Usage"),
    ],
)
def test_a_certificate_is_for_clients_and_for_signing(
    extensions: tuple[x509.ExtensionType, ...], expected: str
) -> None:
    assert word(ROOT.issue("PC1", extensions=extensions), trust()) == expected


def test_a_server_s_certificate_is_refused_with_its_word() -> None:
    server = ROOT.issue("PC1", extensions=(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),))
    assert denial(server, trust()).word == "CMGService_ClientCertificateUsage"


def test_a_missing_intermediate_is_said_by_name() -> None:
    issuing = ROOT.issue("Issuing CA 2", authority=True)
    device = issuing.issue("PC1")
    decision = denial(device, trust(ROOT))
    assert decision.word == "CMGService_ClientCertificateUntrusted"
    assert "the certificate of CN=Issuing CA 2 is missing" in decision.details
    assert word(device, trust(ROOT, issuing)) == ""


def test_a_missing_root_is_said_by_name() -> None:
    issuing = ROOT.issue("Issuing", authority=True)
    decision = denial(issuing.issue("PC1"), trust(issuing))
    assert decision.word == "CMGService_ClientCertificateUntrusted"
    assert "the certificate of CN=Root is missing" in decision.details


def test_of_two_authorities_with_one_name_the_one_with_the_key_counts() -> None:
    another = root()
    assert word(ROOT.issue("PC1"), trust(another, ROOT)) == ""
    assert word(ROOT.issue("PC1"), trust(another)) == "Untrusted"


def test_a_path_length_is_kept() -> None:
    short = root("Short", path_length=0)
    below = short.issue("Below", authority=True)
    assert word(below.issue("PC1"), trust(short, below)) == "Untrusted"
    assert word(short.issue("PC1"), trust(short)) == ""


def test_a_device_certificate_issues_nothing() -> None:
    device = ROOT.issue("PC1")
    assert word(device.issue("PC2"), trust(ROOT, device)) == "Untrusted"


def test_a_cross_signed_authority_is_trusted_by_either_way() -> None:
    old, new = root("Old"), root("New")
    key = ec.generate_private_key(ec.SECP256R1())
    by_old, by_new = (one.issue("Issuing", authority=True, key=key) for one in (old, new))
    device = by_old.issue("PC1")
    assert word(device, trust(new, by_old, by_new)) == ""
    assert word(device, trust(new, by_old)) == "Untrusted"


def test_authorities_that_issue_one_another_in_a_circle_end() -> None:
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in "ab"}
    first = Certified(root("a").certificate, keys["a"])
    b = first.issue("b", authority=True, key=keys["b"])
    a = b.issue("a", authority=True, key=keys["a"])
    b_by_a = a.issue("b", authority=True, key=keys["b"])
    assert word(b_by_a.issue("PC1"), trust(a, b_by_a)) == "Untrusted"


def test_with_a_trust_list_one_of_its_authorities_is_in_the_chain() -> None:
    wanted, other = (ROOT.issue(name, authority=True) for name in ("Devices", "Users"))
    rules = CertificateRules(trust_list=frozenset({wanted.certificate.fingerprint(SHA256()).hex()}))
    by = trust(ROOT, wanted, other, rules=rules)
    assert word(wanted.issue("PC1"), by) == ""
    assert word(other.issue("PC1"), by) == "Untrusted"
    assert word(ROOT.issue("PC1"), by) == "Untrusted"


# Revocation.


def test_a_revoked_certificate_is_refused_and_others_are_not() -> None:
    stolen, good = ROOT.issue("PC1"), ROOT.issue("PC2")
    by = trust(lists=(known(ROOT, stolen),))
    assert word(stolen, by) == "Revoked"
    assert word(good, by) == ""
    assert by.decide(good.der, NOW_S).good_until == NOW_S + HOUR_S


def test_what_a_responder_revoked_is_refused_with_its_twin() -> None:
    stolen, good = ROOT.issue("PC1"), ROOT.issue("PC2")
    by = dataclasses.replace(
        trust(), revocation=RevocationRules(revoked=frozenset({hashlib.sha256(stolen.der).hexdigest()}))
    )
    twin = Certified(x509.load_der_x509_certificate(twin_of(stolen, ROOT)), stolen.key)
    assert [word(one, by) for one in (stolen, twin, good)] == ["Revoked", "Revoked", ""]


def test_who_is_revoked_stays_so_when_the_list_has_ended_and_of_others_nobody_can_tell() -> None:
    stolen, good = ROOT.issue("PC1"), ROOT.issue("PC2")
    by = trust(lists=(known(ROOT, stolen, ends_in_s=-1),), accept_unknown_s=HOUR_S)
    assert word(stolen, by) == "Revoked"
    decision = by.decide(good.der, NOW_S)
    assert (decision.denial, decision.unchecked, decision.good_until) == (None, True, NOW_S - 1 + HOUR_S)
    assert word(good, by, NOW_S + HOUR_S) == "RevocationUnknown"
    assert word(good, trust(lists=(known(ROOT, stolen, ends_in_s=-1),))) == "RevocationUnknown"


@pytest.mark.parametrize("place", [points(POINT), responder("http://ocsp.example")])
def test_of_a_certificate_that_names_a_place_to_ask_somebody_has_to_know(place: x509.ExtensionType) -> None:
    device = ROOT.issue("PC1", extensions=(place,))
    assert word(device, trust()) == "RevocationUnknown"
    assert word(device, trust(lists=(known(ROOT),))) == ""
    assert word(device, trust(check=False)) == ""


def test_an_authority_that_publishes_nothing_is_accepted_unless_told_otherwise() -> None:
    device = ROOT.issue("PC1")
    assert word(device, trust()) == ""
    assert word(device, trust(accept_unpublished=False)) == "RevocationUnknown"


def test_without_a_list_at_all_the_time_of_grace_begins_with_the_first_certificate() -> None:
    device, by = ROOT.issue("PC1", extensions=(points(POINT),)), trust(accept_unknown_s=HOUR_S)
    assert by.decide(device.der, NOW_S).unchecked
    assert word(device, by, NOW_S + HOUR_S - 1) == ""
    assert word(device, by, NOW_S + HOUR_S) == "RevocationUnknown"


def test_an_authority_that_was_revoked_takes_its_certificates_along() -> None:
    issuing = ROOT.issue("Issuing", authority=True)
    device = issuing.issue("PC1")
    assert word(device, trust(ROOT, issuing, lists=(known(issuing), known(ROOT)))) == ""
    by = trust(ROOT, issuing, lists=(known(issuing), known(ROOT, issuing)))
    assert word(device, by) == "Revoked"
    assert denial(device, by).details == "the certificate of CN=Issuing was revoked by CN=Root"
    by = trust(ROOT, issuing, lists=(known(issuing), known(ROOT, users_only=True)))
    assert word(device, by) == "RevocationUnknown"


def test_a_list_for_one_distribution_point_covers_the_certificates_that_name_it() -> None:
    here = ROOT.issue("PC1", extensions=(points(POINT, "http://b.example/1.crl"),))
    there = ROOT.issue("PC2", extensions=(points("http://pki.example/2.crl"),))
    by = trust(lists=(known(ROOT, here, points=frozenset({POINT})),))
    assert word(here, by) == "Revoked"
    assert word(there, by) == "RevocationUnknown"
    assert word(ROOT.issue("PC3"), by) == "RevocationUnknown"


def test_a_list_of_an_authority_with_the_same_name_and_another_key_is_another_list() -> None:
    device = ROOT.issue("PC1")
    assert word(device, trust(lists=(known(root(), device),))) == ""


# Bad input.


@pytest.mark.parametrize(
    "name", [x509.NameAttribute(NameOID.COMMON_NAME, "PC1\x00.evil"), x509.NameAttribute(NameOID.COMMON_NAME, "a\nb")]
)
def test_control_characters_in_names_are_refused(name: x509.NameAttribute[str]) -> None:
    assert word(ROOT.issue(x509.Name([name])), trust()) == "Invalid"


def test_nul_in_an_alternative_name_is_refused() -> None:
    names = x509.SubjectAlternativeName([x509.DNSName("pc1.example\x00.evil.example")])
    assert word(ROOT.issue("PC1", extensions=(names,)), trust()) == "Invalid"


def test_thousands_of_names_are_refused() -> None:
    names = x509.SubjectAlternativeName([x509.DNSName(f"pc{n}.example") for n in range(10_000)])
    assert word(ROOT.issue("PC1", extensions=(names,)), trust()) == "Invalid"


def test_a_critical_extension_that_nobody_knows_is_refused() -> None:
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    assert word(ROOT.issue("PC1", extensions=(extension,)), trust()) == "Invalid"


@pytest.mark.parametrize("oid", ["2.5.29.15", "2.5.29.17", "2.5.29.31", "2.5.29.37", "1.3.6.1.5.5.7.1.1"])
def test_malformed_extensions_are_refused(oid: str) -> None:
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), b"\x30\x03\x01")
    assert word(ROOT.issue("PC1", extensions=(extension,)), trust()) == "Invalid"


@given(st.binary(max_size=300))
def test_bytes_that_are_no_certificate_are_refused(der: bytes) -> None:
    found = trust().decide(der, NOW_S).denial
    assert found is not None
    assert found.word == "CMGService_ClientCertificateInvalid"


_DEVICE = ROOT.issue(
    "PC1", extensions=(points(POINT), responder("http://o.example"), key_usage(digital_signature=True))
)


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(st.lists(st.tuples(st.integers(0, len(_DEVICE.der) - 1), st.integers(1, 255)), min_size=1, max_size=5))
def test_a_changed_certificate_is_refused_with_a_word_or_says_the_same(changes: list[tuple[int, int]]) -> None:
    der = bytearray(_DEVICE.der)
    for position, difference in changes:
        der[position] ^= difference
    decision = trust(lists=(known(ROOT),)).decide(bytes(der), NOW_S)
    if decision.denial is not None:
        assert decision.denial.word in REFUSALS
    else:  # the bits that the signature leaves unused are nobody's
        changed = x509.load_der_x509_certificate(bytes(der))
        assert changed.tbs_certificate_bytes == _DEVICE.certificate.tbs_certificate_bytes


# The packed set.


@given(st.sets(st.integers(-(2**159), 2**159), max_size=200), st.integers(-(2**159), 2**159))
def test_the_packed_set_holds_what_was_put_in(serials: set[int], other: int) -> None:
    revoked = RevokedSerials(encode_digests(map(serial_digest, serials)))
    assert all(serial in revoked for serial in serials)
    assert (other in revoked) == (other in serials)
    assert len(revoked) == len(serials)


@pytest.mark.parametrize("packed", ["x", "AAAA", "AAAAAAAAAAA", "é"])
def test_what_is_no_packed_set_is_refused(packed: str) -> None:
    with pytest.raises(ValueError, match=r"expected|ASCII"):
        RevokedSerials(packed)
