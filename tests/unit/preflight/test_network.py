"""What is seen on the way to an endpoint, in words: of whatever comes, and no more than a line of it."""

import datetime as dt
import errno
import socket
import ssl
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.errors import OperatorError
from causeway.observability.checks import Status
from causeway.plan.firewall import ADMINISTRATOR, Flow
from causeway.plan.values import CertificateSource
from causeway.preflight import network
from causeway.preflight import network_words as words
from causeway.preflight.network_reach import Reached
from causeway.preflight.network_source import own_source, source_named
from causeway.preflight.network_words import Answer, Trouble, Wanted
from causeway.transport.proxy import ProxyRefused, ProxyUnreachable, WebProxy
from tests.unit.certificates import root as made_root
from tests.unit.plan.plans import contoso

PLAN = contoso()
FLOW = Flow("cp01.corp.contoso.com", "management.azure.com", 443, 443, "HTTPS", True, "deploys")
LONG = Flow("cp01.corp.contoso.com", "a.example", 10124, 11123, "TLS", True, "tunnels")
PROXY = WebProxy("proxy.example", 8080)
MICROSOFT = Wanted("management.azure.com", public=True)


def test_a_machine_is_found_in_the_plan_by_its_name_and_else_is_the_administrators() -> None:
    assert own_source(PLAN, "CP01.corp.contoso.com")[0] == "cp01.corp.contoso.com"
    assert own_source(PLAN, "cp02")[0] == "cp02.corp.contoso.com"
    for stranger in ("cp01.example", "laptop", "", "administrator"):
        assert own_source(PLAN, stranger)[0] == ADMINISTRATOR
    assert source_named(PLAN, "CP02") == "cp02.corp.contoso.com"
    assert source_named(PLAN, "gateway") == "gateway instances"
    with pytest.raises(OperatorError, match="expected one of cp01"):
        source_named(PLAN, "mp01.corp.contoso.com")


def test_of_a_long_range_the_ends_and_some_between_are_looked_at() -> None:
    ports = network.ports_of(LONG)
    assert (ports[0], ports[-1], len(ports)) == (10124, 11123, network.MOST_PORTS)
    assert list(ports) == sorted(set(ports))
    assert network.ports_of(FLOW) == (443,)


def test_the_gateway_shows_the_service_names_certificate_which_may_be_of_ones_own() -> None:
    tunnels = Flow("cp01", "contosogateway.westeurope.cloudapp.azure.com", 10124, 10127, "TLS", True, "tunnels")
    assert network.wanted_of(PLAN, tunnels) == Wanted("gateway.contoso.com", public=True, ours=True)
    own = contoso(certificate__source=CertificateSource.OWN_PKI)
    assert network.wanted_of(own, tunnels) == Wanted("gateway.contoso.com", public=False, ours=True)
    assert network.wanted_of(PLAN, FLOW) == MICROSOFT


def test_ports_that_fail_alike_are_one_line_and_no_endpoint_passes_with_one_that_fails() -> None:
    ends: dict[int, Reached | Trouble] = {port: Reached("192.0.2.1") for port in (1, 2, 3)}
    assert [each.name for each in network.results(PLAN, LONG, ends)] == ["network endpoint"]
    ends[1] = ends[2] = words.tcp_trouble(ConnectionRefusedError(errno.ECONNREFUSED, "x"))
    (failed,) = network.results(PLAN, LONG, ends)
    assert (failed.name, failed.target, failed.status) == ("network TCP", "a.example:1, 2", Status.FAIL)


def test_what_comes_later_or_is_not_needed_is_a_warning() -> None:
    missing = words.dns_trouble(socket.EAI_NONAME, "no such name")
    vault = Flow(ADMINISTRATOR, "contosogateway.vault.azure.net", 443, 443, "HTTPS", True, "brings the certificate")
    assert network.result_of(PLAN, vault, "443", missing).status is Status.WARN
    assert network.result_of(PLAN, FLOW, "443", missing).status is Status.FAIL
    optional = Flow("a", "b.example", 1, 1, "HTTPS", True, "c", optional=True)
    assert network.result_of(PLAN, optional, "1", missing).status is Status.WARN
    deaf = words.dns_trouble(socket.EAI_AGAIN, "try again")
    assert network.result_of(PLAN, vault, "443", deaf).status is Status.FAIL


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (ProxyRefused("refused: HTTP/1.1 407 x", 407, ("Negotiate", "NTLM")), "Only Basic is spoken here"),
        (ProxyRefused("refused: HTTP/1.1 407 x", 407, ("Basic",)), "Give --proxy-user"),
        (ProxyRefused("refused: HTTP/1.1 403 x", 403), "Allow CONNECT to a.example"),
        (ProxyRefused("refused: HTTP/1.1 502 x", 502), "Let the proxy itself find a.example"),
        (ProxyRefused("refused: HTTP/1.1 400 x", 400), "See in the proxy's log"),
        (ProxyUnreachable("cannot be reached"), "Correct url in [proxy]"),
    ],
)
def test_each_refusal_of_a_proxy_has_its_remedy(error: OSError, action: str) -> None:
    assert words.proxy_trouble(PROXY, error, "a.example").action.startswith(action)


def failed(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, "so it is"
    return error


def test_a_certificate_that_does_not_verify_is_explained() -> None:
    root = made_root("inspector").certificate
    inspected = words.certificate_trouble(failed(20), (root,), MICROSOFT, public=False)
    assert (inspected.check, inspected.status) == (words.INSPECTION, Status.FAIL)
    store = words.certificate_trouble(failed(20), (root,), MICROSOFT, public=True)
    assert "ca-certificates" in store.action
    inside = words.certificate_trouble(failed(20), (), Wanted("mp01", public=False), public=False)
    assert "--ca" in inside.action
    assert "is for" in words.certificate_trouble(failed(62), (root,), MICROSOFT, public=True).why
    dates = words.certificate_trouble(failed(10), (root,), MICROSOFT, public=False).why
    assert f"to {root.not_valid_after_utc:%Y-%m-%d}" in dates
    assert root.not_valid_after_utc > dt.datetime.now(dt.UTC)


def test_a_trusted_inspection_is_bad_only_where_client_certificates_must_pass() -> None:
    root = (made_root("inspector").certificate,)
    assert words.inspection_trouble(root, MICROSOFT, trusted=True).status is Status.WARN
    ours = Wanted("gateway.contoso.com", public=True, ours=True)
    assert words.inspection_trouble(root, ours, trusted=True).status is Status.FAIL


def test_an_answer_is_the_endpoints_own_unless_somebody_on_the_way_may_have_written_it() -> None:
    away = Answer(302, "Found", "https://portal.example/x")
    assert words.answer_trouble("a.example", away, genuine=True, inspected=False) is None
    trouble = words.answer_trouble("a.example", away, genuine=False, inspected=False)
    assert trouble is not None
    assert "leads to portal.example" in trouble.why
    home = Answer(302, "Found", "https://A.example/x")
    assert words.answer_trouble("a.example", home, genuine=False, inspected=True) is None
    assert words.answer_trouble("a.example", Answer(403), genuine=False, inspected=False) is None
    for status in (407, 511):
        assert words.answer_trouble("a.example", Answer(status), genuine=True, inspected=False) is not None


@given(st.builds(Answer, st.integers(100, 599), st.text(), st.text(), st.text()), st.booleans())
def test_whatever_is_answered_is_at_most_a_line(answer: Answer, inspected: bool) -> None:
    trouble = words.answer_trouble("a.example", answer, genuine=False, inspected=inspected)
    assert trouble is None or len(trouble.why) < 300


@given(st.integers(-20, 200), st.text())
def test_whatever_the_system_says_of_an_error_has_a_remedy(number: int, text: str) -> None:
    made: list[Any] = [words.tcp_trouble(OSError(number, text)), words.handshake_trouble(OSError(number, text))]
    tls = ssl.SSLError(number, text)
    made += [words.handshake_trouble(tls)]
    assert all(each.why and each.action for each in made)
    assert words.dns_trouble(number, text).why
