"""A client of whose certificate nobody can tell without asking the site: its requests, and those under way."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from causeway.gateway.client import Client
from causeway.gateway.publishing import Route
from causeway.gateway_settings import GatewaySettings
from causeway.gateway_settings.certificates import RevocationSection
from causeway.gateway_settings.status import CertificateStatus, Standing
from causeway.http import parse_request_head
from causeway.identity.blocks import Blocks
from causeway.identity.client_trust import ClientTrust
from causeway.refusals import Refused
from tests.unit.certificates import root
from tests.unit.identity.test_client_trust import responder

ROOT = root()
DEVICE = ROOT.issue("PC1", extensions=(responder("http://ocsp.example"),))
HEAD = parse_request_head(b"GET /x HTTP/1.1\r\nHost: gateway.example\r\n\r\n")
FOR_EVER = 4_000_000_000.0


class Statuses:
    """A fake of what a worker was told: answers are put in by the test."""

    def __init__(self) -> None:
        self.answer: CertificateStatus | None = None
        self.asked = 0

    def known(self, fingerprint: str, now: float) -> CertificateStatus | None:
        return self.answer

    def ask(self, certificate: bytes, fingerprint: str, again: Any) -> bool:
        self.asked += 1
        return True

    def says(self, client: Client, standing: Standing) -> None:
        self.answer = CertificateStatus(client.identity.fingerprint, standing, FOR_EVER, "says the test")


@pytest.fixture
def statuses() -> Statuses:
    return Statuses()


@pytest.fixture
def client(statuses: Statuses) -> Client:
    settings = GatewaySettings(
        version=1,
        issued_at="",
        site_code="PS1",
        trusted_roots=(ROOT.pem,),
        revocation=RevocationSection(ask_upstream="https://site.example"),
    )
    worker = SimpleNamespace(
        settings_version=1,
        store=SimpleNamespace(current=settings),
        client_trust=ClientTrust.of(settings, {}),
        blocks=Blocks.of(settings),
        roots_removed_at=0,
        certificate_statuses=statuses,
        metrics=SimpleNamespace(certificates_unchecked=0),
    )
    return Client(cast("Any", worker), "192.0.2.1", DEVICE.der, 1)


def route() -> Route:
    return Route(b"x", frozenset((b"GET",)), True, 0, False, cast("Any", None), takes_certificate=True)


def admit(client: Client) -> Any:
    return client.admit(HEAD, route(), lambda: None)


def test_a_request_waits_for_the_site_and_goes_on_when_it_says_good(client: Client, statuses: Statuses) -> None:
    assert admit(client) is None
    assert statuses.asked == 1
    statuses.says(client, Standing.GOOD)
    assert admit(client) is not None
    assert admit(client) is not None
    assert statuses.asked == 1


@pytest.mark.parametrize(("standing", "word"), [(Standing.REVOKED, "Revoked"), (Standing.UNKNOWN, "RevocationUnknown")])
def test_it_is_refused_where_the_site_says_revoked_or_does_not_know(
    client: Client, statuses: Statuses, standing: Standing, word: str
) -> None:
    assert admit(client) is None
    statuses.says(client, standing)
    with pytest.raises(Refused) as refused:
        admit(client)
    assert refused.value.refused_word == f"CMGService_ClientCertificate{word}"


def test_a_request_under_way_goes_on_while_nobody_knows_and_ends_when_the_site_says_revoked(
    client: Client, statuses: Statuses
) -> None:
    statuses.says(client, Standing.GOOD)
    assert admit(client) is not None
    worker = cast("Any", client._worker)
    statuses.answer = None  # it has lapsed
    worker.settings_version = 2
    asked = statuses.asked
    assert client.refused_now(route()) is None
    assert statuses.asked == asked + 1  # a client that only waits asks nothing itself
    statuses.says(client, Standing.REVOKED)
    denial = client.refused_now(route())
    assert denial is not None
    assert denial.word == "CMGService_ClientCertificateRevoked"
