"""What was seen in Entra ID, as checks. Pure: no network."""

import datetime as dt
import shlex
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from causeway.azure.entra.answers import Organization
from causeway.azure.entra.directory import BY_ID, BY_NAME, Found
from causeway.azure.entra.secret import EARLY_DAYS, valid_secrets
from causeway.azure.entra.wanted import Changes, Kind, Permission
from causeway.azure.entra.who import LEAST, SignedIn, Task, by_permission, by_role, needed_by
from causeway.azure.sign_in import login_command
from causeway.clouds import CLOUDS
from causeway.errors import CausewayError
from causeway.observability.checks import CheckResult, Status
from causeway.plan.document import Plan

SIGN_IN = "entra sign-in"
ROLE = "entra role"
APPLICATION = "entra application"
SETTINGS = "entra settings"
DUPLICATES = "entra duplicates"
PRINCIPAL = "entra service principal"
CONSENT = "entra consent"
SECRET = "entra secret"  # noqa: S105  # a check's name
CHECKS = (SIGN_IN, ROLE, APPLICATION, SETTINGS, DUPLICATES, PRINCIPAL, CONSENT, SECRET)


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is of one application, against what there should be.

    Attributes:
        found: what there is.
        difference: what it lacks.
        permissions: that it asks for.
        missing: of those, what nobody has consented to for everybody.
        waiting: it will ask for a scope that the server application does not expose yet.
    """

    found: Found
    difference: Changes
    permissions: tuple[Permission, ...]
    missing: tuple[Permission, ...]
    waiting: bool = False


def failed(name: str, target: str, error: CausewayError) -> CheckResult:
    """A check that could not be made."""
    message, _, remedy = str(error).partition("; ")
    return CheckResult(name, target, Status.FAIL, message, f"{remedy[:1].upper()}{remedy[1:]}")


def sign_in(plan: Plan, organization: Organization, who: SignedIn) -> CheckResult:
    """Whether the tenant is the planned one."""
    domain = next((each.name for each in organization.verified_domains if each.is_initial), organization.id)
    tenant = f"{organization.display_name or organization.id} ({domain})"
    wanted = plan.azure.tenant_id
    if wanted is None:
        return CheckResult(
            SIGN_IN,
            tenant,
            Status.WARN,
            f"as {who}; the plan names no tenant",
            f'Set tenant_id = "{organization.id}" in [azure].',
        )
    if organization.id != wanted:
        return CheckResult(
            SIGN_IN,
            tenant,
            Status.FAIL,
            f"as {who}; this is tenant {organization.id}, and the plan's is {wanted}",
            f"Sign in there: {login_command(CLOUDS[plan.azure.cloud], wanted)}.",
        )
    return CheckResult(SIGN_IN, tenant, Status.PASS, f"as {who}")


def tasks(seen: Iterable[Seen]) -> tuple[Task, ...]:
    """What is left to do that takes a role."""
    found = set()
    for each in seen:
        if each.found.registration is None or each.difference.body or each.found.principal is None:
            found.add(Task.REGISTER)
        found |= {Task.CONSENT if one.kind is Kind.DELEGATED else Task.CONSENT_TO_ROLES for one in each.missing}
        if each.waiting:
            found.add(Task.CONSENT)
    return tuple(task for task in Task if task in found)


def no_role_needed(who: SignedIn) -> CheckResult:
    """Everything is done that takes a role."""
    return CheckResult(ROLE, str(who), Status.PASS, "nothing is left to do that takes a role")


def role(who: SignedIn, needed: Sequence[Task], held: Collection[str], eligible: Collection[str] | None) -> CheckResult:
    """Whether whoever is signed in may do what is left to do."""
    may, lacks = [], []
    for task in needed:
        if name := by_role(task, held) or by_permission(task, who):
            may.append(f"{name}: may {task}")
        else:
            lacks.append(task)
    if not lacks:
        return CheckResult(ROLE, str(who), Status.PASS, "; ".join(may))
    what = " and ".join(lacks)
    least = " and ".join(dict.fromkeys(needed_by(task, who) for task in lacks))
    active = f"has {', '.join(sorted(held))}" if held else "has none of the roles that serve"
    could = {task: by_role(task, eligible or ()) for task in lacks}
    if all(could.values()):
        names = " and ".join(dict.fromkeys(name for name in could.values() if name))
        return CheckResult(
            ROLE,
            str(who),
            Status.WARN,
            f"{names} is eligible and not active, so nobody here may {what}",
            f"Activate it: Entra admin center, Privileged Identity Management, My roles, {names}, Activate; then sign "
            "in anew.",
        )
    granted_by = (
        "Global Administrator"
        if any(LEAST[task] != LEAST[Task.REGISTER] for task in lacks)
        else ("Privileged Role Administrator or Global Administrator")
    )
    return CheckResult(
        ROLE,
        str(who),
        Status.FAIL,
        f"{active}: may not {what}",
        f"Have a {granted_by} give {least}, or let somebody who has it do it.",
    )


def application(seen: Seen, plan_file: Path, now: dt.datetime) -> list[CheckResult]:
    """Every check of one application."""
    found = seen.found
    create = f"`causeway azure apps create --plan {shlex.quote(str(plan_file))}`"
    target = f"{found.application.role} application {found.application.display_name}"
    registration = found.registration
    if registration is None:
        return [_absent(seen, target, create)]
    target = f"{found.application.role} application {registration.app_id}"
    by = f"found {found.by}"
    if found.by in {BY_ID, BY_NAME}:
        create = f"{create[:-1]} --{found.application.role}-app {registration.app_id}`"
    return [
        CheckResult(APPLICATION, target, Status.PASS, f"{registration.display_name}, {by}"),
        _duplicates(seen, target),
        _settings(seen, target, create),
        _principal(seen, target, create),
        _consent(seen, target, create),
        _secret(seen, target, create, now),
    ]


def _absent(seen: Seen, target: str, create: str) -> CheckResult:
    found = seen.found
    if not found.ambiguous:
        return CheckResult(APPLICATION, target, Status.FAIL, "is not registered", f"Make it: {create}.")
    ids = ", ".join(each.app_id for each in found.others)
    return CheckResult(
        APPLICATION,
        target,
        Status.FAIL,
        f"several have this name, and none the ID URI or key: {ids}",
        f"Name the one that is meant with --{found.application.role}-app ID, and delete the others with `az ad app "
        "delete --id ID`.",
    )


def _duplicates(seen: Seen, target: str) -> CheckResult:
    if not seen.found.others:
        return CheckResult(DUPLICATES, target, Status.PASS, "no other has its name")
    ids = ", ".join(each.app_id for each in seen.found.others)
    return CheckResult(
        DUPLICATES,
        target,
        Status.WARN,
        f"others have the same name: {ids}",
        "See that nobody uses them, then delete them: `az ad app delete --id ID`.",
    )


def _settings(seen: Seen, target: str, create: str) -> CheckResult:
    says, left = seen.difference.says, seen.difference.open
    if says:
        return CheckResult(SETTINGS, target, Status.FAIL, "; ".join((*says, *left)), f"Mend it: {create}.")
    if left:
        return CheckResult(
            SETTINGS,
            target,
            Status.WARN,
            "; ".join(left),
            f"Narrow it: `az ad app update --id {seen.found.registration and seen.found.registration.app_id} "
            "--sign-in-audience AzureADMyOrg`.",
        )
    return CheckResult(SETTINGS, target, Status.PASS, "as planned")


def _principal(seen: Seen, target: str, create: str) -> CheckResult:
    principal = seen.found.principal
    if principal is None:
        return CheckResult(PRINCIPAL, target, Status.FAIL, "has none, so nobody gets tokens", f"Make it: {create}.")
    if principal.account_enabled is False:
        return CheckResult(
            PRINCIPAL,
            target,
            Status.FAIL,
            f"{principal.id} is disabled, so nobody gets tokens",
            f"Where that was not on purpose: `az ad sp update --id {principal.id} --set accountEnabled=true`.",
        )
    return CheckResult(PRINCIPAL, target, Status.PASS, principal.id)


def _consent(seen: Seen, target: str, create: str) -> CheckResult:
    if seen.waiting:
        return CheckResult(CONSENT, target, Status.SKIP, "the server application does not expose the scope yet")
    if not seen.permissions:
        return CheckResult(CONSENT, target, Status.SKIP, "asks for no permission that takes consent")
    names = ", ".join(map(str, seen.missing or seen.permissions))
    if not seen.missing:
        return CheckResult(CONSENT, target, Status.PASS, f"given to {names}")
    roles = any(each.kind is Kind.APPLICATION for each in seen.missing)
    who = LEAST[Task.CONSENT_TO_ROLES if roles else Task.CONSENT]
    return CheckResult(
        CONSENT,
        target,
        Status.FAIL,
        f"nobody has consented to {names} for everybody",
        f"A {who} consents: {create[:-1]} --grant-consent`.",
    )


def _secret(seen: Seen, target: str, create: str, now: dt.datetime) -> CheckResult:
    registration, months = seen.found.registration, seen.found.application.secret_months
    assert registration is not None
    everything = (*registration.password_credentials, *registration.key_credentials)
    alive = valid_secrets(registration, now)
    if months is None:
        return CheckResult(SECRET, target, Status.SKIP, "needs none" + (", and has some" if everything else ""))
    renew = f"Make one: {create[:-1]} --secret-file FILE`, and give it to the site."
    if not alive:
        if not everything:
            return CheckResult(SECRET, target, Status.FAIL, "has neither a secret nor a certificate", renew)
        last = max(each.end_date_time for each in everything if each.end_date_time)
        return CheckResult(SECRET, target, Status.FAIL, f"the last of them ended on {last:%Y-%m-%d}", renew)
    ends = alive[0].end_date_time
    name = alive[0].display_name or alive[0].key_id
    if ends is not None and (days := (ends - now).days) < EARLY_DAYS:
        return CheckResult(SECRET, target, Status.WARN, f"{name} ends on {ends:%Y-%m-%d}, in {days} days", renew)
    return CheckResult(SECRET, target, Status.PASS, f"{name} ends on {ends:%Y-%m-%d}" if ends else f"{name} never ends")
