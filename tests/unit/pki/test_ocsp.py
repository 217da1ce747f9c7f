"""Answers of responders: those that hold, and every reason not to take one."""

import datetime as dt
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from causeway.pki.ocsp import (
    MAX_ANSWER_BYTES,
    OcspAnswer,
    OcspAnswerInvalid,
    OcspStatus,
    ocsp_request,
    read_ocsp_answer,
)
from tests.unit.certificates import DAY, NOW, Certified, root

ROOT = root()
DEVICE = ROOT.issue("PC1")
NONCE = b"sixteen bytes ok"
OCSP_SIGNING = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
RESPONDER = ROOT.issue("Responder", extensions=(OCSP_SIGNING,))


def answer(
    signer: Certified = RESPONDER,
    *,
    device: Certified = DEVICE,
    issuer: Certified = ROOT,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    this_update: dt.datetime = NOW - DAY,
    next_update: dt.datetime | None = NOW + DAY,
    nonce: bytes | None = NONCE,
    by_key: bool = False,
    bring: bool = True,
    extension: x509.ExtensionType | None = None,
    hash_algorithm: Any = None,
) -> bytes:
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=device.certificate,
        issuer=issuer.certificate,
        algorithm=hashes.SHA1(),
        cert_status=status,
        this_update=this_update,
        next_update=next_update,
        revocation_time=NOW - DAY if status is ocsp.OCSPCertStatus.REVOKED else None,
        revocation_reason=None,
    )
    encoding = ocsp.OCSPResponderEncoding.HASH if by_key else ocsp.OCSPResponderEncoding.NAME
    builder = builder.responder_id(encoding, signer.certificate)
    if bring:
        builder = builder.certificates([signer.certificate])
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    if extension is not None:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(signer.key, hash_algorithm or hashes.SHA256()).public_bytes(Encoding.DER)


def read(data: bytes, now: dt.datetime = NOW) -> OcspAnswer:
    return read_ocsp_answer(data, DEVICE.certificate, ROOT.certificate, NONCE, now=now)


def test_a_request_names_the_certificate_and_has_a_nonce_of_its_own() -> None:
    first, nonce = ocsp_request(DEVICE.certificate, ROOT.certificate)
    parsed = ocsp.load_der_ocsp_request(first)
    assert parsed.serial_number == DEVICE.certificate.serial_number
    assert parsed.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == nonce
    assert ocsp_request(DEVICE.certificate, ROOT.certificate)[1] != nonce


@pytest.mark.parametrize("status", list(ocsp.OCSPCertStatus))
def test_an_answer_says_how_the_certificate_stands(status: ocsp.OCSPCertStatus) -> None:
    found = read(answer(status=status))
    assert found.status is OcspStatus[status.name]
    assert found.next_update == (NOW + DAY).replace(microsecond=0)


@pytest.mark.parametrize(
    "options",
    [
        {"signer": ROOT, "bring": False},
        {"signer": ROOT, "by_key": True},
        {"by_key": True},
        {"nonce": None},
        {"next_update": None},
        {"signer": ROOT.issue("RSA", extensions=(OCSP_SIGNING,), key=rsa.generate_private_key(65537, 2048))},
    ],
    ids=["by_the_issuer", "by_its_key", "delegated_by_key", "without_nonce", "without_end", "rsa"],
)
def test_answers_of_every_good_form_are_taken(options: dict[str, Any]) -> None:
    assert read(answer(**options)).status is OcspStatus.GOOD


_KEY_USAGE = x509.KeyUsage(False, False, True, False, False, False, False, False, False)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"signer": root()}, "signature is wrong"),
        ({"signer": root().issue("Responder", extensions=(OCSP_SIGNING,))}, "not of the authority"),
        ({"signer": root("Other").issue("Responder", extensions=(OCSP_SIGNING,))}, "not of the authority"),
        ({"signer": ROOT.issue("PC2")}, "may not sign answers"),
        ({"signer": ROOT.issue("Bare", extensions=())}, "may not sign answers"),
        ({"signer": ROOT.issue("Mute", extensions=(OCSP_SIGNING, _KEY_USAGE))}, "may not sign"),
        ({"signer": ROOT.issue("Old", extensions=(OCSP_SIGNING,), end=NOW - DAY / 2)}, "not valid at this time"),
        ({"bring": False}, "no certificate of its signer"),
        ({"device": ROOT.issue("PC2")}, "another certificate"),
        ({"issuer": root("Other")}, "another certificate"),
        ({"nonce": b"another one"}, "another request"),
        ({"next_update": NOW - DAY / 2}, "it ended at"),
        ({"nonce": None, "next_update": None}, "any age"),
        ({"this_update": NOW + DAY, "next_update": NOW + 2 * DAY}, "is to come"),
        (
            {"extension": x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\x05\x00")},
            "not known, 1.2.3",
        ),
    ],
)
def test_an_answer_that_cannot_be_relied_on_is_refused(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(OcspAnswerInvalid, match=reason):
        read(answer(**options))


def test_a_responder_that_gives_up_says_nothing() -> None:
    data = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(Encoding.DER)
    with pytest.raises(OcspAnswerInvalid, match="the responder says try later"):
        read(data)


def test_a_huge_answer_is_not_read() -> None:
    with pytest.raises(OcspAnswerInvalid, match="more than"):
        read(bytes(MAX_ANSWER_BYTES + 1))


@given(st.binary(max_size=400))
def test_bytes_that_are_no_answer_are_refused(data: bytes) -> None:
    with pytest.raises(OcspAnswerInvalid):
        read(data)


_GOOD = answer()


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(st.lists(st.tuples(st.integers(0, len(_GOOD) - 1), st.integers(1, 255)), min_size=1, max_size=5))
def test_a_changed_answer_is_refused_or_says_the_same(changes: list[tuple[int, int]]) -> None:
    data = bytearray(_GOOD)
    for position, difference in changes:
        data[position] ^= difference
    try:
        found = read(bytes(data))
    except OcspAnswerInvalid:
        return
    assert found == read(_GOOD)  # what the signature does not cover says nothing
