"""What resolvers and the zone's servers say of the service name, against the plan."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from hypothesis import given
from hypothesis import strategies as st

from causeway.observability.checks import CheckResult, Status
from causeway.plan.document import Plan
from causeway.plan.values import CertificateSource, DnsHosting
from causeway.preflight import dns as group
from causeway.preflight.dns_answers import Server
from causeway.preflight.probe import run_probes
from tests.unit.plan.plans import contoso

NAME = "gateway.contoso.com"
TARGET = "contosogateway.westeurope.cloudapp.azure.com"
A, B = Server("192.0.2.1"), Server("192.0.2.2")
ZONE = Server("192.0.2.53", authoritative=True)
GOOD = (f"{NAME}. 300 IN CNAME {TARGET}.", f"{TARGET}. 60 IN A 20.1.2.3")
DELEGATION = {
    ("contoso.com", "NS"): ("contoso.com. 300 IN NS ns1.contoso.com.",),
    ("ns1.contoso.com.", "A"): ("ns1.contoso.com. 300 IN A 192.0.2.53",),
}
Records = Mapping[tuple[str, str], Sequence[str]]


class FakeDns:
    """Servers that hold the records of each question. They do not follow CNAME records and know no zones."""

    def __init__(self, servers: Mapping[Server, Records], *, own: Sequence[Server] = ()) -> None:
        self.servers = servers
        self.own = own

    async def ask(self, server: Server, name: str, kind: str, _timeout_s: float) -> dns.message.Message:
        if server not in self.servers:
            raise dns.exception.Timeout
        message = dns.message.make_response(dns.message.make_query(name, kind))
        records = self.servers[server].get((name, kind), ())
        for line in records:
            owner, ttl, _, of, content = line.split(" ", 4)
            message.answer.append(dns.rrset.from_text(owner, int(ttl), "IN", of, content))
        if server in self.own or server.authoritative:
            message.flags |= dns.flags.AA
        known = {each for each, _ in self.servers[server]}
        message.set_rcode(dns.rcode.NOERROR if name in known else dns.rcode.NXDOMAIN)
        return message


async def checked(fake: FakeDns, plan: Plan | None = None, resolvers: Sequence[Server] = (A, B)) -> list[CheckResult]:
    probes = group.probes(
        plan or contoso(), Path("causeway-plan.toml"), resolvers=resolvers, timeout_s=30, ask=fake.ask
    )
    return await run_probes(probes, timeout_s=30)


def whole(answer: Sequence[str] = GOOD) -> Records:
    return {(NAME, "A"): answer, **DELEGATION}


def by_name(results: Sequence[CheckResult]) -> dict[str, CheckResult]:
    return {each.name: each for each in results}


async def test_a_name_that_leads_to_the_deployment_everywhere_passes() -> None:
    results = await checked(FakeDns({A: whole(), B: whole(), ZONE: {(NAME, "A"): GOOD[:1]}}))
    assert {each.status for each in results} == {Status.PASS}
    assert by_name(results)["dns address"].details == "20.1.2.3"
    assert by_name(results)["dns agreement"].details == "3 servers say the same"
    assert [each.target for each in results if each.name == "dns authoritative"] == [f"{NAME} at 192.0.2.53"]


async def test_a_missing_record_fails_with_the_command_that_makes_it() -> None:
    plan = contoso(dns__hosting=DnsHosting.WINDOWS_DNS)
    results = await checked(FakeDns({A: DELEGATION, ZONE: {}}), plan, [A])
    bad = by_name([each for each in results if each.status is Status.FAIL])
    assert set(bad) == {"dns answer", "dns authoritative"}
    assert bad["dns answer"].details == "no such name"
    assert "Add-DnsServerResourceRecordCName -ZoneName 'contoso.com' -Name 'gateway'" in bad["dns answer"].action


async def test_a_name_that_leads_elsewhere_fails_and_both_are_named() -> None:
    elsewhere = whole((f"{NAME}. 300 IN CNAME old.example.",))
    first = (await checked(FakeDns({A: elsewhere}), resolvers=[A]))[0]
    assert first.status is Status.FAIL
    assert first.details == f"leads to old.example, and {TARGET} was expected"


async def test_an_address_instead_of_a_cname_is_a_warning() -> None:
    first = (await checked(FakeDns({A: whole((f"{NAME}. 300 IN A 20.1.2.3",))}), resolvers=[A]))[0]
    assert first.status is Status.WARN
    assert "no CNAME record" in first.details


async def test_a_target_without_an_address_is_a_warning_since_the_gateway_may_come_later() -> None:
    only = by_name(await checked(FakeDns({A: whole(GOOD[:1])}), resolvers=[A]))["dns address"]
    assert only.status is Status.WARN


async def test_a_resolver_that_does_not_answer_is_skipped_and_none_at_all_fails() -> None:
    one = await checked(FakeDns({A: whole(), ZONE: {(NAME, "A"): GOOD}}))
    assert [each.status for each in one if each.name == "dns answer"] == [Status.PASS, Status.SKIP]
    none = await checked(FakeDns({}))
    assert [each.details for each in none if each.status is Status.FAIL] == ["none of the resolvers answered"]


async def test_a_zone_of_the_inside_is_called_split_horizon() -> None:
    inside = whole((f"{NAME}. 300 IN A 10.0.0.4",))
    fake = FakeDns({A: whole(), B: inside, ZONE: {(NAME, "A"): GOOD}})
    agreement = by_name(await checked(fake))["dns agreement"]
    assert agreement.status is Status.WARN
    assert agreement.details == "split horizon: 192.0.2.2 says 10.0.0.4 out of a zone of the inside"
    fake = FakeDns({A: whole(), B: DELEGATION, ZONE: {(NAME, "A"): GOOD}}, own=[B])
    assert "split horizon: 192.0.2.2 says no such name" in by_name(await checked(fake))["dns agreement"].details


async def test_what_a_cache_still_holds_is_called_stale_and_for_how_long() -> None:
    old = whole((f"{NAME}. 777 IN CNAME old.example.",))
    fake = FakeDns({A: whole(), B: old, ZONE: {(NAME, "A"): GOOD}})
    agreement = by_name(await checked(fake))["dns agreement"]
    assert agreement.details == "stale: 192.0.2.2 still says old.example for up to 777 s"


async def test_a_lifetime_above_the_plans_is_a_warning() -> None:
    long = (f"{NAME}. 86400 IN CNAME {TARGET}.",)
    fake = FakeDns({A: whole(), ZONE: {(NAME, "A"): long}})
    assert by_name(await checked(fake, resolvers=[A]))["dns TTL"].status is Status.WARN


async def caa(plan: Plan | None = None, **records: str) -> CheckResult:
    held = {(name.replace("_", "."), "CAA"): (line,) for name, line in records.items()}
    return by_name(await checked(FakeDns({A: {**whole(), **held}}), plan, [A]))["dns CAA"]


async def test_caa_records_say_who_may_issue_the_nearest_count() -> None:
    assert (await caa()).details == "no CAA record: any authority may issue"
    one = 'contoso.com. 300 IN CAA 0 issue "letsencrypt.org; validationmethods=dns-01"'
    assert "at contoso.com let letsencrypt.org issue" in (await caa(contoso_com=one)).details
    nearer = f'{NAME}. 300 IN CAA 0 issue ";"'
    none = await caa(contoso_com=one, gateway_contoso_com=nearer)
    assert (none.status, none.details) == (Status.FAIL, f"the CAA records at {NAME} let no authority issue")
    own = await caa(contoso(certificate__source=CertificateSource.OWN_PKI))
    assert own.status is Status.SKIP


async def test_a_name_of_azures_needs_an_address_and_no_record() -> None:
    plan = contoso(names__service_name=TARGET, certificate__source=CertificateSource.OWN_PKI)
    found = by_name(await checked(FakeDns({A: {(TARGET, "A"): GOOD[1:]}}), plan, [A]))
    assert found["dns answer"].status is Status.PASS
    assert found["dns address"].status is Status.PASS
    assert found["dns authoritative"].status is Status.SKIP


@given(data=st.binary(max_size=200), head=st.booleans())
async def test_whatever_a_server_sends_the_answer_is_lines(data: bytes, head: bool) -> None:
    query = dns.message.make_query(NAME, "A").to_wire()

    async def ask(_server: Server, _name: str, _kind: str, _timeout_s: float) -> dns.message.Message:
        return dns.message.from_wire(query[:4] + b"\x00\x01\x00\x03" + data if head else data)

    probes = group.probes(contoso(), Path("plan.toml"), resolvers=[A], timeout_s=30, ask=ask)
    assert await run_probes(probes, timeout_s=30)
