"""Files of certificates: whatever their form and order, or whatever else they hold."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from causeway.errors import OperatorError
from causeway.pki.bundle import MAX_FILE_BYTES, parse_bundle
from causeway.pki.chain import build_chain, find_leaf
from causeway.pki.errors import CertificateFileError, PassphraseError
from causeway.pki.export import PfxEncryption, key_pem, pem_chain, pfx
from tests.unit.certificates import Certified, root

SERVER = (
    x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
    x509.SubjectAlternativeName([x509.DNSName("gw.contoso.com")]),
)
ROOT = root()
MIDDLE = ROOT.issue("Issuing", authority=True)
LEAF = MIDDLE.issue("gw.contoso.com", extensions=SERVER)
ALL = (LEAF.certificate, MIDDLE.certificate, ROOT.certificate)
PASSPHRASE = b"correct horse"


def certificates(*them: Certified) -> bytes:
    return pem_chain([one.certificate for one in them])


@pytest.mark.parametrize("encryption", list(PfxEncryption))
def test_a_pfx_gives_back_what_it_was_made_of(encryption: PfxEncryption) -> None:
    data = pfx(build_chain(LEAF.certificate, ALL[1:]), LEAF.key, PASSPHRASE, encryption, name="gw")
    bundle = parse_bundle(data, "gw.pfx", PASSPHRASE)
    assert set(bundle.certificates) == set(ALL)
    assert bundle.key is not None
    assert bundle.key.public_key() == LEAF.key.public_key()
    assert "PRIVATE" not in repr(bundle)


@pytest.mark.parametrize("passphrase", [None, b"battery staple"])
def test_a_wrong_or_missing_passphrase_is_said(passphrase: bytes | None) -> None:
    data = pfx(build_chain(LEAF.certificate, ()), LEAF.key, PASSPHRASE, PfxEncryption.MODERN, name="gw")
    with pytest.raises(PassphraseError, match=r"gw\.pfx: .*--passphrase-file"):
        parse_bundle(data, "gw.pfx", passphrase)
    with pytest.raises(PassphraseError, match=r"k\.pem: .*--passphrase-file"):
        parse_bundle(key_pem(LEAF.key, PASSPHRASE), "k.pem", passphrase)


def test_pem_holds_certificates_and_a_key_in_any_order() -> None:
    for data in (
        key_pem(LEAF.key, None) + certificates(ROOT, LEAF, MIDDLE),
        certificates(MIDDLE, ROOT, LEAF) + key_pem(LEAF.key, None),
    ):
        bundle = parse_bundle(data, "x.pem")
        assert find_leaf(bundle.certificates, bundle.key, "x.pem") == LEAF.certificate
        assert find_leaf(bundle.certificates, None, "x.pem") == LEAF.certificate


def test_a_chain_is_put_in_order_and_its_root_is_not_sent() -> None:
    chain = build_chain(LEAF.certificate, [ROOT.certificate, LEAF.certificate, MIDDLE.certificate])
    assert chain.certificates == ALL
    assert chain.root == ROOT.certificate
    assert chain.to_serve == ALL[:2]
    assert not chain.publicly_trusted


def test_a_missing_issuer_is_named() -> None:
    chain = build_chain(LEAF.certificate, [ROOT.certificate])
    assert (chain.certificates, chain.missing, chain.root) == ((LEAF.certificate,), "CN=Issuing", None)


def test_an_issuer_of_the_same_name_with_another_key_is_not_taken() -> None:
    impostor = ROOT.issue("Issuing", authority=True)
    assert build_chain(LEAF.certificate, [impostor.certificate]).missing == "CN=Issuing"


def test_a_key_that_belongs_to_no_certificate_and_several_leaves_are_refused() -> None:
    other = MIDDLE.issue("other", extensions=SERVER)
    with pytest.raises(CertificateFileError, match="none of its certificates is for the key"):
        find_leaf(ALL, other.key, "x")
    with pytest.raises(CertificateFileError, match="2 certificates could be"):
        find_leaf((LEAF.certificate, other.certificate), None, "x")
    with pytest.raises(CertificateFileError, match="no certificate"):
        find_leaf((), other.key, "x")


def test_a_file_that_is_too_large_is_not_read() -> None:
    with pytest.raises(CertificateFileError, match="has 1048577 bytes"):
        parse_bundle(b"\x30" * (MAX_FILE_BYTES + 1), "huge")


SEEDS = (
    pem_chain(ALL),
    key_pem(LEAF.key, None),
    key_pem(LEAF.key, PASSPHRASE),
    LEAF.certificate.public_bytes(Encoding.DER),
    pfx(build_chain(LEAF.certificate, ()), LEAF.key, PASSPHRASE, PfxEncryption.MODERN, name="gw"),
)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_in_one_line(data: bytes) -> None:
    _read_or_refuse(data)


@given(st.sampled_from(SEEDS), st.data())
def test_any_change_to_a_good_file_is_read_or_refused_in_one_line(seed: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(seed) - 1))
    cut = data.draw(st.integers(0, 40))
    _read_or_refuse(seed[:at] + data.draw(st.binary(max_size=40)) + seed[at + cut :])


def _read_or_refuse(data: bytes) -> None:
    refused = "file: "
    try:
        bundle = parse_bundle(data, "file", PASSPHRASE)
        build_chain(find_leaf(bundle.certificates, bundle.key, "file"), bundle.certificates)
    except OperatorError as error:
        refused = str(error)
    assert refused.startswith("file: ")
    assert "\n" not in refused


def test_a_key_of_a_kind_that_servers_do_not_take_is_refused() -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from causeway.pki.keys import private_pem

    with pytest.raises(CertificateFileError, match="neither RSA nor EC"):
        parse_bundle(private_pem(Ed25519PrivateKey.generate()), "k.pem")
    assert isinstance(LEAF.key, ec.EllipticCurvePrivateKey)
