"""A certificate is known under its own fingerprint and under those of the twins that anybody can make of it."""

import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from causeway.pki.fingerprints import fingerprints_of
from tests.unit.certificates import root, twin_of

CURVES = (
    ec.SECP224R1(),
    ec.SECP256R1(),
    ec.SECP256K1(),
    ec.SECP384R1(),
    ec.SECP521R1(),
    ec.BrainpoolP256R1(),
    ec.BrainpoolP384R1(),
    ec.BrainpoolP512R1(),
)


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_a_twin_is_as_good_as_its_certificate_and_has_its_fingerprints(curve: ec.EllipticCurve) -> None:
    authority = root(key=ec.generate_private_key(curve))
    device = authority.issue("PC1")
    twin = twin_of(device, authority)
    assert twin != device.der
    x509.load_der_x509_certificate(twin).verify_directly_issued_by(authority.certificate)
    both = {hashlib.sha256(one).hexdigest() for one in (device.der, twin)}
    assert both <= fingerprints_of(device.der)
    assert both <= fingerprints_of(twin)


def test_a_certificate_with_another_signature_has_no_twin() -> None:
    device = root(key=rsa.generate_private_key(65537, 2048)).issue("PC1")
    assert fingerprints_of(device.der) == {hashlib.sha256(device.der).hexdigest()}


@given(st.binary())
def test_bytes_that_are_no_certificate_have_their_own_fingerprint(data: bytes) -> None:
    assert fingerprints_of(data) == {hashlib.sha256(data).hexdigest()}
