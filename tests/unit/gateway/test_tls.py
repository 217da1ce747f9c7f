"""The contexts for TLS are made, or there is a reason that an operator can read."""

import dataclasses
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from causeway.errors import StateError
from causeway.gateway.config import GatewayConfig, ServiceSection
from causeway.gateway.tls import service_context
from tests.unit.certificates import root, unreadable_pem
from tests.unit.memory import ground


@pytest.mark.parametrize("pem", ["", "nonsense", unreadable_pem()], ids=["nothing", "nonsense", "no name in UTF-8"])
def test_trusted_roots_that_are_none_are_an_error_with_a_reason(pem: str) -> None:
    with pytest.raises(StateError, match="trusted roots"):
        service_context(ground().gateway_config(), (pem,))


@pytest.fixture
def without_a_readable_certificate(tmp_path: Path) -> GatewayConfig:
    key = tmp_path / "server.key"
    key.write_bytes(root().key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "server.pem").write_text(unreadable_pem())
    return dataclasses.replace(
        ground().gateway_config(), service=ServiceSection(certificate=tmp_path / "server.pem", key=key)
    )


def test_a_server_certificate_that_cannot_be_read_is_an_error_with_a_reason(
    without_a_readable_certificate: GatewayConfig,
) -> None:
    with pytest.raises(StateError, match="server certificate"):
        service_context(without_a_readable_certificate, ())
