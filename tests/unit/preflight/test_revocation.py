"""Revocation of the server certificate: what it names is read, whatever comes, and says what was fetched."""

import asyncio
import datetime as dt
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID
from hypothesis import given
from hypothesis import strategies as st

from causeway.observability.checks import CheckResult, Status
from causeway.pki.chain import Chain
from causeway.preflight.revocation import ask
from causeway.transport.fetch import FetchFailed
from tests.unit.certificates import DAY, NOW, Certified
from tests.unit.certificates import root as made_root
from tests.unit.revocation_lists import crl

ROOT = made_root()
LIST = "http://crl.example/ca.crl"
RESPONDER = "http://ocsp.example/"


def named(*extensions: x509.ExtensionType) -> Certified:
    return ROOT.issue("gateway.contoso.com", extensions=extensions)


POINTS = x509.CRLDistributionPoints([x509.DistributionPoint([x509.UniformResourceIdentifier(LIST)], None, None, None)])
ACCESS = x509.AuthorityInformationAccess(
    [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(RESPONDER))]
)
WITH_LIST, WITH_RESPONDER = named(POINTS), named(ACCESS)


def asked(leaf: Certified, answer: bytes | Exception, *, alone: bool = False) -> list[CheckResult]:
    async def fetch(url: str, content: bytes | None, most_bytes: int) -> bytes:
        if isinstance(answer, Exception):
            raise answer
        return answer

    certificates = (leaf.certificate,) if alone else (leaf.certificate, ROOT.certificate)
    chain = Chain(certificates, "Root" if alone else "", publicly_trusted=False)
    return asyncio.run(ask("server.pem", chain, fetch, now=dt.datetime.now(dt.UTC)))


def test_a_list_that_is_good_says_what_was_fetched() -> None:
    (result,) = asked(WITH_LIST, crl(ROOT, 7))
    assert (result.name, result.target, result.status) == ("certificate revocation list", LIST, Status.PASS)
    assert result.details.startswith("fetched, ")
    assert result.details.endswith("1 revoked")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (crl(ROOT, WITH_LIST.certificate.serial_number), "the certificate is revoked"),
        (crl(ROOT, this_update=NOW - 2 * DAY, next_update=NOW - DAY), ": ended"),
        (crl(made_root()), "not signed by"),
        (crl(made_root("Another")), "not trusted"),
        (b"<html>", "malformed"),
    ],
)
def test_a_list_that_devices_would_refuse_or_that_has_the_certificate_fails(data: bytes, why: str) -> None:
    (result,) = asked(WITH_LIST, data)
    assert result.status is Status.FAIL
    assert why in result.details
    assert result.action


@pytest.mark.parametrize("error", [FetchFailed("no route"), FetchFailed("no answer within 10 s")])
@pytest.mark.parametrize("leaf", [WITH_LIST, WITH_RESPONDER])
def test_what_is_not_reached_is_a_warning(error: Exception, leaf: Certified) -> None:
    (result,) = asked(leaf, error)
    assert result.status is Status.WARN
    assert "on the internet" in result.action


@pytest.mark.parametrize("status", [401, 407])
def test_credentials_that_the_web_proxy_wants_are_the_remedy(status: int) -> None:
    (result,) = asked(WITH_LIST, FetchFailed("the answer is …", status))
    assert (result.status, "--proxy-user" in result.action) == (Status.WARN, True)


def test_without_the_issuer_nothing_can_be_verified_and_without_urls_nothing_is_asked() -> None:
    (result,) = asked(WITH_LIST, b"", alone=True)
    assert (result.status, "--ca" in result.details) == (Status.SKIP, True)
    assert asked(ROOT.issue("x"), b"") == []


@given(st.binary(), st.sampled_from([WITH_LIST, WITH_RESPONDER]))
def test_whatever_is_answered_is_one_line_and_never_good(data: bytes, leaf: Any) -> None:
    (result,) = asked(leaf, data)
    assert result.status is Status.FAIL
    assert len(result.details) < 300
