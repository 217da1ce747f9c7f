"""Reading revocation lists: those that hold, and every reason not to take one."""

import time
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from causeway.pki.issuers import issuer_id
from causeway.pki.revocation_list import (
    MAX_LIST_BYTES,
    RevocationList,
    RevocationListInvalid,
    read_revocation_list,
)
from causeway.pki.serials import serial_digest
from tests.unit.certificates import DAY, NOW, Certified, root
from tests.unit.revocation_lists import crl

ROOT = root()
OTHER = root("Other")
URL = "http://pki.example/ca.crl"


def read(data: bytes, *issuers: Certified) -> RevocationList:
    return read_revocation_list(data, [one.certificate for one in issuers or (OTHER, ROOT)], now=NOW)


def digests(*serials: int) -> frozenset[int]:
    return frozenset(map(serial_digest, serials))


def scope(**what: Any) -> x509.IssuingDistributionPoint:
    return x509.IssuingDistributionPoint(
        **{
            "full_name": None,
            "relative_name": None,
            "only_contains_user_certs": False,
            "only_contains_ca_certs": False,
            "only_some_reasons": None,
            "indirect_crl": False,
            "only_contains_attribute_certs": False,
            **what,
        }
    )


def points(kind: type[Any], *urls: str) -> Any:
    return kind([x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None) for url in urls])


@pytest.mark.parametrize("encoding", [Encoding.DER, Encoding.PEM])
def test_a_list_says_who_is_revoked_and_until_when(encoding: Encoding) -> None:
    found = read(crl(ROOT, 5, 2**158, number=7, encoding=encoding))
    assert found.issuer == issuer_id(ROOT.certificate)
    assert found.revoked == digests(5, 2**158)
    assert (found.number, found.base_number, found.released) == (7, None, frozenset())
    assert found.next_update == (NOW + DAY).replace(microsecond=0)
    assert (found.points, found.users_only, found.freshest) == (frozenset(), False, ())


def test_a_list_of_a_renewed_authority_with_the_same_key_is_its_list() -> None:
    renewed = root(key=ROOT.key)
    assert read(crl(ROOT), renewed).issuer == issuer_id(ROOT.certificate)


def test_a_list_may_be_for_some_distribution_points_and_name_its_deltas() -> None:
    names = [x509.UniformResourceIdentifier(URL), x509.UniformResourceIdentifier("ldap://dc/cn=ca")]
    found = read(
        crl(
            ROOT,
            extensions=[
                (scope(full_name=names, only_contains_user_certs=True), True),
                (points(x509.FreshestCRL, "ldap://dc/x", "http://pki.example/delta.crl"), False),
            ],
        )
    )
    assert (found.points, found.users_only) == (frozenset({URL}), True)
    assert found.freshest == ("http://pki.example/delta.crl",)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"this_update": NOW + DAY, "next_update": NOW + 2 * DAY}, "is to come"),
        ({"hash_algorithm": hashes.SHA3_256()}, ""),
        ({"extensions": [(scope(indirect_crl=True), True)]}, "indirect"),
        ({"extensions": [(scope(only_contains_ca_certs=True), True)]}, "no certificates of clients"),
        ({"extensions": [(scope(only_contains_attribute_certs=True), True)]}, "no certificates of clients"),
        (
            {"extensions": [(scope(only_some_reasons=frozenset({x509.ReasonFlags.key_compromise})), True)]},
            "some reasons",
        ),
        ({"extensions": [(scope(full_name=[x509.UniformResourceIdentifier("ldap://dc/x")]), True)]}, "without a URL"),
        (
            {"extensions": [(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\x05\x00"), True)]},
            "not known, 1.2.3",
        ),
        (
            {"entry_extensions": [(x509.CertificateIssuer([x509.DirectoryName(OTHER.certificate.subject)]), True)]},
            "other authorities",
        ),
        (
            {"entry_extensions": [(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\x05\x00"), True)]},
            "not known",
        ),
    ],
)
def test_a_list_that_is_not_understood_is_refused(options: dict[str, Any], reason: str) -> None:
    data = crl(ROOT, 5, **options)
    if not reason:
        assert read(data).revoked
        return
    with pytest.raises(RevocationListInvalid, match=reason):
        read(data)


def test_what_is_not_critical_may_be_unknown() -> None:
    unknown = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\x05\x00"), False)
    assert read(crl(ROOT, 5, extensions=[unknown], entry_extensions=[unknown])).revoked == digests(5)


def test_a_list_of_somebody_else_is_refused() -> None:
    with pytest.raises(RevocationListInvalid, match="CN=Other, which is not trusted"):
        read(crl(OTHER), ROOT)
    with pytest.raises(RevocationListInvalid, match="not signed by CN=Root"):
        read(crl(root()))


def test_an_authority_that_may_not_sign_lists_signs_none() -> None:
    usage = x509.KeyUsage(True, False, False, False, False, True, False, False, False)
    quiet = root("Quiet", extensions=(usage,))
    with pytest.raises(RevocationListInvalid, match="not signed by"):
        read(crl(quiet), quiet)


def test_a_list_that_has_ended_is_read_and_says_so() -> None:
    assert read(crl(ROOT, next_update=NOW - DAY / 2)).next_update < NOW


def test_a_list_of_seventy_megabytes_is_refused_at_once() -> None:
    data = b"\x30\x84\x04\x60\x00\x00" + bytes(70 * 1024 * 1024)
    started = time.monotonic()
    with pytest.raises(RevocationListInvalid, match="more than"):
        read(data)
    assert time.monotonic() - started < 1
    with pytest.raises(RevocationListInvalid):
        read(data[:MAX_LIST_BYTES])


# Deltas.


def test_a_delta_adds_and_takes_off() -> None:
    whole = read(crl(ROOT, 1, 2, number=10))
    delta = read(crl(ROOT, 3, released=[2], number=12, base=10))
    assert delta.base_number == 10
    both = whole.with_delta(delta)
    assert both.revoked == digests(1, 3)
    assert (both.number, both.next_update) == (12, whole.next_update)


@pytest.mark.parametrize(
    "delta",
    [
        {"number": 12, "base": 11},  # to a later list than ours
        {"number": 10, "base": 9},  # ours has it already
        {"number": 12, "base": None},  # no delta
        {"number": 12, "base": 10, "extensions": [(scope(only_contains_user_certs=True), True)]},
        {"number": 12, "base": 10, "this_update": NOW - 2 * DAY},
    ],
)
def test_a_delta_that_does_not_fit_changes_nothing(delta: dict[str, Any]) -> None:
    whole = read(crl(ROOT, 1, number=10))
    assert whole.with_delta(read(crl(ROOT, 3, **delta))) is whole


def test_a_delta_of_another_authority_changes_nothing() -> None:
    whole = read(crl(ROOT, 1, number=10))
    assert whole.with_delta(read(crl(OTHER, 3, number=12, base=10))) is whole


# Bad input.


@given(st.binary(max_size=400))
def test_bytes_that_are_no_list_are_refused(data: bytes) -> None:
    with pytest.raises(RevocationListInvalid):
        read(data)


_GOOD = crl(
    ROOT,
    5,
    6,
    number=3,
    extensions=[(scope(full_name=[x509.UniformResourceIdentifier(URL)]), True)],
    entry_extensions=[(x509.CRLReason(x509.ReasonFlags.key_compromise), False)],
)


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(st.lists(st.tuples(st.integers(0, len(_GOOD) - 1), st.integers(1, 255)), min_size=1, max_size=5))
def test_a_changed_list_is_refused_or_says_the_same(changes: list[tuple[int, int]]) -> None:
    data = bytearray(_GOOD)
    for position, difference in changes:
        data[position] ^= difference
    try:
        found = read(bytes(data))
    except RevocationListInvalid:
        return
    assert found == read(_GOOD)  # the bits that the signature leaves unused are nobody's


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(st.integers(0, len(_GOOD) - 1))
def test_a_list_that_is_cut_off_is_refused(length: int) -> None:
    with pytest.raises(RevocationListInvalid):
        read(_GOOD[:length])


def test_a_list_signed_by_a_key_of_another_kind_is_refused() -> None:
    imposter = Certified(ROOT.certificate, ec.generate_private_key(ec.SECP384R1()))
    with pytest.raises(RevocationListInvalid, match="not signed by"):
        read(crl(imposter))
