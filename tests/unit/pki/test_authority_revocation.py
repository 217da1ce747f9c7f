"""The authority's own revocation list: what it remembers, and who reads it."""

import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509

from causeway.errors import OperatorError, StateError
from causeway.pki import authority_revocation
from causeway.pki.authority import Authority
from causeway.pki.authority_revocation import REVOCATION_LIST, keep_fresh, publish, revoke
from causeway.pki.keys import new_p256_key
from causeway.pki.revocation_list import RevocationList, read_revocation_list
from causeway.pki.roles import Role
from causeway.pki.serials import serial_digest


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Authority]:
    folder = tmp_path_factory.mktemp("authority")
    return folder, Authority.create(folder, "Authority")


@pytest.fixture
def authority(made: tuple[Path, Authority]) -> tuple[Path, Authority]:
    (made[0] / REVOCATION_LIST).unlink(missing_ok=True)
    return made


def device(authority: Authority, name: str = "PC1") -> x509.Certificate:
    issued = authority.issue_client(name, new_p256_key(), Role.DEVICE)
    return x509.load_pem_x509_certificate(issued.certificate_pem)


def read(folder: Path, authority: Authority) -> RevocationList:
    data = (folder / REVOCATION_LIST).read_bytes()
    return read_revocation_list(data, [authority.certificate], now=dt.datetime.now(dt.UTC))


def test_revoked_certificates_stay_on_the_list_whose_number_rises(authority: tuple[Path, Authority]) -> None:
    folder, issuer = authority
    publish(folder, issuer)
    assert read(folder, issuer).revoked == frozenset()
    first, second = device(issuer), device(issuer, "PC2")
    assert revoke(folder, issuer, first)
    assert revoke(folder, issuer, second)
    assert not revoke(folder, issuer, first)
    publish(folder, issuer)
    found = read(folder, issuer)
    assert found.revoked == {serial_digest(first.serial_number), serial_digest(second.serial_number)}
    assert found.number == 4
    assert found.next_update - found.this_update == authority_revocation.LIST_LIFETIME


def test_a_fresh_list_is_left_alone_and_a_missing_one_is_made(authority: tuple[Path, Authority]) -> None:
    folder, issuer = authority
    keep_fresh(folder, issuer)
    before = (folder / REVOCATION_LIST).read_bytes()
    keep_fresh(folder, issuer)
    assert (folder / REVOCATION_LIST).read_bytes() == before


def test_an_old_list_is_signed_anew(authority: tuple[Path, Authority], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, issuer = authority
    publish(folder, issuer)
    monkeypatch.setattr(authority_revocation, "_RENEW_AFTER", dt.timedelta(seconds=-10))
    keep_fresh(folder, issuer)
    assert read(folder, issuer).number == 2


def test_what_another_authority_issued_it_cannot_revoke(authority: tuple[Path, Authority], tmp_path: Path) -> None:
    folder, issuer = authority
    other = Authority.create(tmp_path / "other", "Authority")
    for certificate in (device(other), other.certificate, issuer.certificate):
        with pytest.raises(OperatorError):
            revoke(folder, issuer, certificate)


def test_a_list_that_is_corrupt_is_not_written_over(authority: tuple[Path, Authority]) -> None:
    folder, issuer = authority
    (folder / REVOCATION_LIST).write_text("nothing")
    with pytest.raises(StateError, match=REVOCATION_LIST):
        revoke(folder, issuer, device(issuer))
    assert (folder / REVOCATION_LIST).read_text() == "nothing"
