"""What servers say of the service name, held against the plan. Pure: no network."""

from collections.abc import Sequence
from pathlib import Path

from causeway.observability.checks import CheckResult, Status
from causeway.plan.document import Plan
from causeway.plan.names import cname_record, deployment_name
from causeway.plan.runbook.premises import dns as dns_steps
from causeway.plan.runbook.step import Shell
from causeway.preflight.dns_answers import Seen

ANSWER = "dns answer"
AUTHORITATIVE = "dns authoritative"
ADDRESS = "dns address"
TTL = "dns TTL"
AGREEMENT = "dns agreement"
CAA = "dns CAA"
CHECKS = (ANSWER, AUTHORITATIVE, ADDRESS, TTL, AGREEMENT, CAA)

_OTHERS = "Name others with --resolver ADDRESS, or let this machine ask over UDP and TCP 53."


def results(plan: Plan, plan_file: Path, seen: Sequence[Seen], own: Sequence[Seen]) -> list[CheckResult]:
    """Every check but CAA.

    Args:
        plan: what should be.
        plan_file: for the commands.
        seen: what resolvers say.
        own: what the zone's own servers say.
    """
    remedy = _remedy(plan, plan_file)
    found = [_answer(plan, each, ANSWER, remedy) for each in seen]
    if all(each.trouble for each in seen):
        found.append(
            CheckResult(ANSWER, plan.names.service_name, Status.FAIL, "none of the resolvers answered", _OTHERS)
        )
    found += _own(plan, own, remedy)
    return [*found, _address(plan, seen), _ttl(plan, own), _agreement(plan, [*own, *seen])]


def _remedy(plan: Plan, plan_file: Path) -> str:
    steps = dns_steps(plan, plan_file, "")
    if not steps:
        return "Deploy the gateway: Azure makes that name."
    command = steps[0].commands[0]
    where = "the zone file" if command.shell is Shell.ZONE else command.shell
    return f"Make the record in {where}: `{command.text}`."


def _answer(plan: Plan, each: Seen, name: str, remedy: str) -> CheckResult:
    target, expected = f"{plan.names.service_name} at {each.server}", deployment_name(plan)
    if each.trouble:
        return CheckResult(name, target, Status.SKIP, each.trouble)
    if cname_record(plan) is None:
        return _azure_name(each, name, target)
    if expected.lower() in each.targets:
        return CheckResult(name, target, Status.PASS, f"{' → '.join(each.targets)}, for {each.ttl_s} s")
    if each.targets:
        return CheckResult(
            name, target, Status.FAIL, f"leads to {' → '.join(each.targets)}, and {expected} was expected", remedy
        )
    if each.addresses:
        details = f"has the address {', '.join(each.addresses)} and no CNAME record; it breaks when Azure changes it"
        return CheckResult(name, target, Status.WARN, details, remedy)
    return CheckResult(name, target, Status.FAIL, each.missing, remedy)


def _azure_name(each: Seen, name: str, target: str) -> CheckResult:
    if each.addresses:
        return CheckResult(name, target, Status.PASS, ", ".join(each.addresses))
    return CheckResult(name, target, Status.WARN, each.missing or "no address", "Deploy the gateway.")


def _own(plan: Plan, own: Sequence[Seen], remedy: str) -> list[CheckResult]:
    if cname_record(plan) is None:
        return [CheckResult(AUTHORITATIVE, plan.names.service_name, Status.SKIP, "the name is Azure's own")]
    if not own:
        why = "the zone's own servers were not found; name them with --authoritative ADDRESS"
        return [CheckResult(AUTHORITATIVE, plan.names.service_name, Status.SKIP, why)]
    return [_answer(plan, each, AUTHORITATIVE, remedy) for each in own]


def _address(plan: Plan, seen: Sequence[Seen]) -> CheckResult:
    name = deployment_name(plan)
    leading = [each for each in seen if name.lower() in (plan.names.service_name.lower(), *each.targets)]
    addresses = sorted({address for each in leading for address in each.addresses})
    if addresses:
        return CheckResult(ADDRESS, name, Status.PASS, ", ".join(addresses))
    if not leading:
        return CheckResult(ADDRESS, name, Status.SKIP, "no resolver leads there")
    return CheckResult(
        ADDRESS, name, Status.WARN, "has no address, as before the gateway is deployed", "Deploy the gateway."
    )


def _ttl(plan: Plan, own: Sequence[Seen]) -> CheckResult:
    lives = [each.ttl_s for each in own if not each.trouble and not each.missing]
    name, planned = plan.names.service_name, plan.dns.ttl_s
    if not lives:
        return CheckResult(TTL, name, Status.SKIP, "no server of the zone holds a record of it")
    if max(lives) > planned:
        details = f"{max(lives)} s, and the plan says {planned} s; a change is seen only so late"
        return CheckResult(TTL, name, Status.WARN, details, f"Set the record's lifetime to {planned} s.")
    return CheckResult(TTL, name, Status.PASS, f"{max(lives)} s; the plan says {planned} s at most")


def _agreement(plan: Plan, everybody: Sequence[Seen]) -> CheckResult:
    name = plan.names.service_name
    heard = [each for each in everybody if not each.trouble]
    if len(heard) < 2:  # it takes two to agree
        return CheckResult(AGREEMENT, name, Status.SKIP, "fewer than two servers answered")
    held = [each.says for each in heard if each.server.authoritative]
    reference = held[0] if held else deployment_name(plan).lower()
    if len({each.says for each in heard}) == 1:
        return CheckResult(AGREEMENT, name, Status.PASS, f"{len(heard)} servers say the same")
    others = [each for each in heard if each.says != reference]
    said = "; ".join(dict.fromkeys(_difference(each) for each in others))
    return CheckResult(
        AGREEMENT,
        name,
        Status.WARN,
        said,
        "Split horizon: make the same record in the inner zone. Stale: wait so long, or empty the resolver's cache.",
    )


def _difference(each: Seen) -> str:
    if each.server.authoritative:
        return f"{each.server}, a server of the zone, says {each.says}: the zone's servers differ"
    if each.own or each.is_inside:
        return f"split horizon: {each.server} says {each.says} out of a zone of the inside"
    kept = f" for up to {each.ttl_s} s" if each.ttl_s else ""
    return f"stale: {each.server} still says {each.says}{kept}"


def skipped_caa(name: str, why: str) -> CheckResult:
    """CAA was not looked at."""
    return CheckResult(CAA, name, Status.SKIP, why)


def caa_result(name: str, place: str, found: Sequence[str] | None, *, failed: bool = False) -> CheckResult:
    """What the CAA records at ``place`` mean for a certificate of ``name``; None where there are none anywhere."""
    if failed:
        details = f"{place}: the question for CAA records is not answered, so authorities must refuse (RFC 8659, 3)"
        return CheckResult(CAA, name, Status.FAIL, details, f"See what `dig CAA {place}` says, and mend the zone.")
    if found is None:
        return CheckResult(CAA, name, Status.PASS, "no CAA record: any authority may issue")
    if not found:
        details = f"the CAA records at {place} let no authority issue"
        return CheckResult(CAA, name, Status.FAIL, details, f'Add `{place}. CAA 0 issue "DOMAIN-OF-YOUR-AUTHORITY"`.')
    return CheckResult(CAA, name, Status.PASS, f"the CAA records at {place} let {', '.join(found)} issue")
