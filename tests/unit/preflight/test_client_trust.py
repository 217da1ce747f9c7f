"""The authorities of client certificates are whole, and a client's certificate leads to one of them."""

import asyncio
import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from causeway.errors import OperatorError
from causeway.observability.checks import Status
from causeway.plan.values import ClientAuthentication
from causeway.preflight.client_trust import inspect_sample, inspect_trust, probes
from causeway.preflight.probe import run_probes
from tests.unit.certificates import DAY, NOW
from tests.unit.certificates import root as made_root
from tests.unit.plan.plans import contoso

ROOT = made_root("Contoso Root")
ISSUING = ROOT.issue("Contoso Issuing", authority=True)
CLIENT = ISSUING.issue("pc1.corp.contoso.com")
AT = dt.datetime.now(dt.UTC)
BOTH = (ROOT.certificate, ISSUING.certificate)


def test_roots_and_intermediates_that_are_whole_pass() -> None:
    results = inspect_trust(BOTH, now=AT)
    assert [each.status for each in results] == [Status.PASS, Status.PASS]
    assert results[0].details.endswith("a root")
    assert results[1].details.endswith("leads to CN=Contoso Root")


def test_what_is_missing_expired_or_no_authority_fails_with_its_name() -> None:
    (alone,) = inspect_trust([ISSUING.certificate], now=AT)
    assert (alone.status, "CN=Contoso Root is missing" in alone.details) == (Status.FAIL, True)
    old = made_root("Old", start=NOW - 9 * DAY, end=NOW - DAY)
    (expired,) = inspect_trust([old.certificate], now=AT)
    assert (expired.status, "not now" in expired.details) == (Status.FAIL, True)
    leaf = inspect_trust([CLIENT.certificate, *BOTH], now=AT)[0]
    assert (leaf.status, leaf.details) == (Status.FAIL, "is no authority's certificate")


def test_a_sample_is_verified_against_what_is_trusted_and_nothing_else() -> None:
    verdict, *others = inspect_sample("pc1.pem", [CLIENT.certificate], BOTH, now=AT)
    assert verdict.status is Status.PASS
    assert Status.FAIL not in {each.status for each in others}
    # Its own file brings the intermediate along, but the gateway would not have it.
    short = inspect_sample("pc1.pem", [CLIENT.certificate, ISSUING.certificate], [ROOT.certificate], now=AT)[0]
    assert (short.status, "--client-trust" in short.action) == (Status.FAIL, True)
    twin = made_root("Contoso Root")
    assert inspect_sample("x", [CLIENT.certificate], [twin.certificate], now=AT)[0].status is Status.FAIL


def test_a_sample_that_is_for_servers_only_fails() -> None:
    server = ISSUING.issue("web", extensions=(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),))
    results = {each.name: each for each in inspect_sample("web.pem", [server.certificate], BOTH, now=AT)}
    assert results["certificate client sample"].status is Status.PASS
    assert results["certificate usage"].status is Status.FAIL


def test_what_the_plan_names_starts_at_its_folder_and_the_option_takes_its_place() -> None:
    plan, file = contoso(clients__certificate_authorities=("pki/root.pem", "/etc/issuing.pem")), Path("plans/a.toml")
    (found,) = probes(plan, file, (), None)
    assert found.target == "plans/pki/root.pem"
    (replaced,) = probes(plan, file, (Path("mine.pem"),), None)
    assert replaced.target == "mine.pem"


def test_that_nobody_is_named_is_said_only_where_clients_show_certificates() -> None:
    (found,) = probes(contoso(), Path("plan.toml"), (), None)
    (result,) = asyncio.run(run_probes([found], timeout_s=1))
    assert (result.status, result.target) == (Status.SKIP, "clients.certificate_authorities")
    assert "--client-trust" in result.action
    tokens = contoso(clients__authentication=(ClientAuthentication.TOKEN,))
    assert probes(tokens, Path("plan.toml"), (), None) == ()
    with pytest.raises(OperatorError, match=r"--client-sample: held against what\? Name .*certificate_authorities"):
        probes(tokens, Path("plan.toml"), (), Path("laptop.cer"))
