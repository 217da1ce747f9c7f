"""The folder of a certificate: what becomes of a request when a certificate comes."""

from pathlib import Path

import pytest
from cryptography import x509

from causeway.pki.authority import Authority
from causeway.pki.chain import Chain, build_chain
from causeway.pki.folder import CertificateFolder
from causeway.pki.keys import CertificateKey, new_p256_key
from causeway.pki.requests import ServerNames, new_request
from causeway.pki.roles import Role

NAMES = ServerNames("gateway.contoso.com")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority"), "Test authority")


def answer(authority: Authority, key: CertificateKey) -> Chain:
    issued = authority.issue_server(NAMES.all_names, key, Role.GATEWAY)
    leaf, *others = x509.load_pem_x509_certificates(issued.certificate_pem)
    return build_chain(leaf, others)


def test_the_answer_to_a_request_ends_it(authority: Authority, tmp_path: Path) -> None:
    place, key = CertificateFolder(tmp_path), new_p256_key()
    place.write_request(new_request(NAMES, key), key, b"passphrase")
    place.install(answer(authority, key), key)
    assert not place.request.exists()
    assert not place.request_key.exists()


def test_a_certificate_of_another_key_leaves_the_request_that_waits(authority: Authority, tmp_path: Path) -> None:
    """Its key is nowhere else: without it the authority's answer would be worth nothing."""
    place, key, other = CertificateFolder(tmp_path), new_p256_key(), new_p256_key()
    place.write_request(new_request(NAMES, key), key, b"passphrase")
    place.install(answer(authority, other), other)
    assert place.request.exists()
    assert place.request_key.exists()
    assert place.key.exists()
