"""From a verified certificate to an identity, and whether it is still trusted when the roots have changed."""

import hashlib

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from causeway.identity import Kind
from causeway.identity.certificate import identity_of, names_of, still_trusted
from causeway.identity.client_trust import ClientTrust
from causeway.pki.fingerprints import fingerprints_of
from causeway.pki.issuers import Authorities
from causeway.refusals import REFUSALS
from causeway.site.peer import tls_peer
from causeway.site.trust import TrustedRoots
from tests.unit.certificates import DAY, NOW, Certified, root


@pytest.fixture(scope="module")
def authority() -> Certified:
    return root()


def test_an_identity_is_the_fingerprint_and_the_subject(authority: Certified) -> None:
    device = authority.issue("PC1")
    identity = identity_of(device.der)
    assert identity.kind is Kind.CERTIFICATE
    assert identity.fingerprint == hashlib.sha256(device.der).hexdigest()
    assert identity.subject == "CN=PC1"


def test_a_subject_of_many_parts_is_written_as_in_rfc_4514(authority: Certified) -> None:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Müller, Söhne"),
            x509.NameAttribute(NameOID.COMMON_NAME, 'a "quoted" = name'),
        ]
    )
    assert identity_of(authority.issue(name).der).subject == 'CN=a \\"quoted\\" = name,O=Müller\\, Söhne'


def test_names_are_the_common_name_and_the_dns_names(authority: Certified) -> None:
    san = x509.SubjectAlternativeName([x509.DNSName("PC1.corp.example"), x509.UniformResourceIdentifier("urn:x")])
    assert names_of(authority.issue("PC1", extensions=(san,)).der) == {"pc1", "pc1.corp.example"}
    assert names_of(authority.issue("PC2").der) == {"pc2"}


def test_a_certificate_of_a_version_that_is_none_has_no_name(authority: Certified) -> None:
    changed = authority.issue("PC1").der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x03")
    assert (identity_of(changed).subject, names_of(changed)) == ("", frozenset())


@given(st.binary(max_size=100))
def test_bytes_that_are_no_certificate_have_a_fingerprint_and_no_name(der: bytes) -> None:
    identity = identity_of(der)
    assert (identity.fingerprint, identity.subject) == (hashlib.sha256(der).hexdigest(), "")
    assert names_of(der) == frozenset()


def test_a_certificate_is_trusted_while_its_root_is(authority: Certified) -> None:
    device, other = authority.issue("PC1"), root("Other")
    assert still_trusted(device.der, (other.pem, authority.pem))
    assert not still_trusted(device.der, (other.pem,))
    assert not still_trusted(device.der, ())


def test_a_root_with_the_same_name_and_another_key_is_another_root(authority: Certified) -> None:
    assert not still_trusted(authority.issue("PC1").der, (root().pem,))


def test_a_chain_over_an_intermediate_that_the_settings_hold_is_trusted(authority: Certified) -> None:
    intermediate = authority.issue("Issuing", authority=True)
    device = intermediate.issue("PC1")
    assert still_trusted(device.der, (authority.pem, intermediate.pem))
    assert still_trusted(device.der, (authority.pem + intermediate.pem,))
    assert still_trusted(device.der, (intermediate.pem,))
    assert not still_trusted(device.der, (authority.pem,))


@pytest.mark.parametrize(
    "extensions",
    [
        (),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]),),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]),),
        (x509.SubjectAlternativeName([x509.DNSName("pc1.corp.example")]),),
        (x509.SubjectAlternativeName([x509.UniformResourceIdentifier("urn:x")]),),
    ],
    ids=["bare", "client", "server_and_client", "any", "dns", "uri"],
)
def test_the_device_certificates_of_enterprises_stay_trusted(
    authority: Certified, extensions: tuple[x509.ExtensionType, ...]
) -> None:
    assert still_trusted(authority.issue("PC1", extensions=extensions).der, (authority.pem,))


def test_a_server_certificate_does_not_make_a_client(authority: Certified) -> None:
    server = authority.issue("web", extensions=(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),))
    assert not still_trusted(server.der, (authority.pem,))


def test_an_expired_certificate_is_not_trusted(authority: Certified) -> None:
    expired = authority.issue("PC1", start=NOW - 2 * DAY, end=NOW - DAY)
    assert not still_trusted(expired.der, (authority.pem,))


def test_a_device_certificate_issues_nothing(authority: Certified) -> None:
    device = authority.issue("PC1")
    forged = device.issue("PC2")
    assert not still_trusted(forged.der, (authority.pem, device.pem))
    assert not still_trusted(forged.der, (authority.pem,))


# Certificates that a trusted authority issued, and whose readers must not fail one by one.

_NAMES = x509.SubjectAlternativeName([x509.DNSName("pc1.example"), x509.UniformResourceIdentifier("urn:x")])
_POINTS = x509.CRLDistributionPoints(
    [x509.DistributionPoint([x509.UniformResourceIdentifier("http://crl.example/x")], None, None, None)]
)
_SIGNER = root()
_CERTIFICATE = _SIGNER.issue("PC1", extensions=(_NAMES, _POINTS))
UNREADABLE_ONES = {
    "a kind of name that nobody reads": _CERTIFICATE.der.replace(b"\x82\x0bpc1", b"\xa5\x0bpc1"),
    "an extension twice": _CERTIFICATE.der.replace(b"\x06\x03\x55\x1d\x1f", b"\x06\x03\x55\x1d\x11"),
    "a name that is bits": _CERTIFICATE.der.replace(b"\x0c\x03PC1", b"\x03\x03\0C1"),
}


def read_everywhere(der: bytes) -> None:
    """All that is read of a certificate without a decision on it; none of it may fail."""
    assert identity_of(der).fingerprint == hashlib.sha256(der).hexdigest()
    names_of(der)
    fingerprints_of(der)
    tls_peer(der, TrustedRoots([_SIGNER.certificate]))
    decision = ClientTrust(Authorities([_SIGNER.certificate])).decide(der, NOW.timestamp())
    assert decision.denial is None or decision.denial.word in REFUSALS


@pytest.mark.parametrize("name", UNREADABLE_ONES)
def test_a_certificate_that_cannot_be_read_whole_is_refused_with_a_word(name: str) -> None:
    der = UNREADABLE_ONES[name]
    assert der != _CERTIFICATE.der
    read_everywhere(der)
    denial = ClientTrust(Authorities([_SIGNER.certificate])).decide(der, NOW.timestamp()).denial
    assert denial is not None
    assert denial.word == "CMGService_ClientCertificateInvalid"


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(st.lists(st.tuples(st.integers(0, len(_CERTIFICATE.der) - 1), st.integers(1, 255)), min_size=1, max_size=4))
def test_a_changed_certificate_is_read_everywhere_without_a_failure(changes: list[tuple[int, int]]) -> None:
    der = bytearray(_CERTIFICATE.der)
    for position, difference in changes:
        der[position] ^= difference
    read_everywhere(bytes(der))
