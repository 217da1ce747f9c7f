"""What may be answered to a question of the interview: text in, a value of the plan out, or why not."""

import difflib
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from causeway.clouds import CLOUDS, CloudName
from causeway.plan.certificate import public_refusal
from causeway.plan.document import (
    ConnectionPointSection,
    GroupSection,
    ManagementPointSection,
    SoftwareUpdatePointSection,
)
from causeway.plan.machines import MAX_INSTANCES, VM_SIZES
from causeway.plan.names import azure_suffix
from causeway.plan.regions import REGIONS, cloud_of
from causeway.plan.rules import RULES, ResourceKind, prefix_problems
from causeway.plan.values import (
    CertificateSource,
    GroupPurpose,
    ManagementPointMode,
    Target,
    dns_name,
    guid,
    text,
    web_proxy,
)

Answers = dict[str, Any]
Check = Callable[[str, Answers], Any]
AZURE_NAME = "azure"
"""Answered for the service name: the name that Azure gives."""

E = TypeVar("E", bound=StrEnum)


def choice(kind: type[E]) -> Check:
    """One of a closed set."""

    def check(answer: str, _: Answers) -> E:
        try:
            return kind(answer.lower())
        except ValueError as error:
            raise ValueError(f"expected {_or([str(each) for each in kind])}") from error

    return check


def choices(kind: type[E]) -> Check:
    """Some of a closed set, with commas between."""

    def check(answer: str, answers: Answers) -> tuple[E, ...]:
        found = tuple(dict.fromkeys(choice(kind)(each, answers) for each in _several(answer)))
        if not found:
            raise ValueError(f"expected some of {_or([str(each) for each in kind])}, with commas between")
        return found

    return check


def number(least: int, most: int) -> Check:
    """A whole number."""

    def check(answer: str, _: Answers) -> int:
        digits = answer.replace(",", "").replace("_", "").replace(" ", "")
        if not re.fullmatch("[0-9]{1,12}", digits) or not least <= int(digits) <= most:
            raise ValueError(f"expected a number from {least:,} to {most:,}")
        return int(digits)

    return check


def yes_or_no(answer: str, _: Answers) -> bool:
    """Yes or no."""
    if answer.lower() in ("y", "yes", "true"):
        return True
    if answer.lower() in ("n", "no", "false"):
        return False
    raise ValueError("expected yes or no")


def optional(check: Check) -> Check:
    """Nothing, or what ``check`` takes."""
    return lambda answer, answers: check(answer, answers) if answer else None


def line(answer: str, _: Answers) -> str:
    """One line of text."""
    if len(answer) > 128:
        raise ValueError("expected at most 128 characters")
    return text(answer)


def a_guid(answer: str, _: Answers) -> str:
    """A GUID."""
    return guid(answer)


def a_host(answer: str, _: Answers) -> str:
    """The full name of a server."""
    return dns_name(answer)


def a_proxy(answer: str, _: Answers) -> str:
    """The URL of a web proxy."""
    return web_proxy(answer)


def a_site_code(answer: str, _: Answers) -> str:
    """Three letters or digits."""
    if not re.fullmatch("[A-Za-z0-9]{3}", answer):
        raise ValueError("expected three letters or digits, such as PS1")
    return answer.upper()


def a_word(answer: str, _: Answers) -> str:
    """The name of something in Azure."""
    if not re.fullmatch("[A-Za-z0-9._-]{1,90}", answer):
        raise ValueError("expected letters, digits, dots, hyphens and underscores")
    return answer


def a_region(answer: str, answers: Answers) -> str:
    """A region of the cloud; one that is not known here may be new."""
    region = answer.lower().replace(" ", "")
    cloud: CloudName = answers["cloud"]
    if not re.fullmatch("[a-z0-9]{2,40}", region):
        raise ValueError(f"expected a region such as {REGIONS[cloud][0]}")
    if cloud_of(region) is not cloud:
        raise ValueError(f"{region} is no region of {CLOUDS[cloud].title}; expected one such as {REGIONS[cloud][0]}")
    near = difflib.get_close_matches(region, REGIONS[cloud], 1, cutoff=0.85)
    if region not in REGIONS[cloud] and near:
        raise ValueError(f"{region} is not known; did you mean {near[0]}?")
    return region


def a_resource_group(answer: str, _: Answers) -> str:
    """A name that Azure takes for a resource group."""
    return _ruled(answer, RULES[ResourceKind.RESOURCE_GROUP].problems(answer))


def a_prefix(answer: str, answers: Answers) -> str:
    """A prefix that satisfies every rule, and for Microsoft's gateway is the first label of the service name."""
    found = _ruled(answer, prefix_problems(answer))
    name: str = answers["service_name"]
    label = name.partition(".")[0].lower()
    if answers["target"] is Target.CONFIGMGR and azure_suffix(name) is None and label not in (found, AZURE_NAME):
        raise ValueError(f"the wizard takes it from the service name's first label, so it can only be {label}")
    return found


def a_service_name(answer: str, answers: Answers) -> str:
    """A name of an own domain, or that of Azure."""
    if answer.lower() == AZURE_NAME:
        return AZURE_NAME
    found = dns_name(answer)
    if azure_suffix(found):
        raise ValueError(f'expected a name of your own domain, or "{AZURE_NAME}" for the name that Azure gives')
    if found.count(".") < 2:
        raise ValueError(f"a zone's own name cannot have a CNAME record; expected a name such as gateway.{found}")
    if answers["target"] is Target.CONFIGMGR and (problems := prefix_problems(found.partition(".")[0].lower())):
        raise ValueError(f"its first label becomes the deployment prefix, and {problems[0]}")
    return found


def a_zone(answer: str, answers: Answers) -> str:
    """The zone that the service name is in."""
    found = dns_name(answer)
    if not str(answers["service_name"]).lower().endswith(f".{found.lower()}"):
        raise ValueError(f"{answers['service_name']} is not in the zone {found}")
    return found


def a_source(answer: str, answers: Answers) -> CertificateSource:
    """Where the certificate comes from; a public authority only where it can issue it."""
    found: CertificateSource = choice(CertificateSource)(answer, answers)
    name: str = answers["service_name"]
    if name == AZURE_NAME:
        name = f"x.{CLOUDS[answers['cloud']].vm_suffix}"
    if found is CertificateSource.PUBLIC_CA and (refusal := public_refusal(name)):
        raise ValueError(f"no public authority can issue it: {refusal}")
    return found


def a_vm_size(answer: str, answers: Answers) -> str:
    """A size; Microsoft's gateway offers three."""
    known = {name.lower(): name for name in VM_SIZES}
    size = known.get(answer.lower()) or known.get(f"standard_{answer.lower()}") or answer
    offered = [each.name for each in VM_SIZES.values() if each.target is Target.CONFIGMGR]
    if answers["target"] is Target.CONFIGMGR and size not in offered:
        raise ValueError(f"expected {_or(offered)}")
    return str(a_word(size, answers))


def some_instances(answer: str, answers: Answers) -> int:
    """How many instances; Microsoft's gateway has a limit."""
    most = MAX_INSTANCES if answers["target"] is Target.CONFIGMGR else 1000
    return int(number(1, most)(answer, answers))


def connection_points(answer: str, _: Answers) -> tuple[ConnectionPointSection, ...]:
    """Servers, with commas between."""
    return tuple(ConnectionPointSection(host=dns_name(each)) for each in _servers(answer, least=1))


def management_points(answer: str, _: Answers) -> tuple[ManagementPointSection, ...]:
    """``host[:port][/mode]``, with commas between."""
    found = []
    for each in _servers(answer):
        host, port, mode = _endpoint(each)
        kind = choice(ManagementPointMode)(mode or ("http" if port == 80 else "https"), {})
        if kind is ManagementPointMode.HTTP:
            raise ValueError("plain HTTP cannot be reached through a gateway; expected https or enhanced-http")
        found.append(ManagementPointSection(host=host, port=port or 443, mode=kind))
    return tuple(found)


def software_update_points(answer: str, _: Answers) -> tuple[SoftwareUpdatePointSection, ...]:
    """``host[:port]``, with commas between; 8530 and 80 are without TLS."""
    found = []
    for each in _servers(answer):
        host, port, rest = _endpoint(each)
        if rest:
            raise ValueError("expected host:port, such as sup01.corp.contoso.com:8531")
        found.append(SoftwareUpdatePointSection(host=host, port=port or 8531, tls=port not in (8530, 80)))
    return tuple(found)


def files(answer: str, _: Answers) -> tuple[str, ...]:
    """Names of files, with commas between; whether they are there, `causeway check` says."""
    return tuple(dict.fromkeys(text(each) for each in _several(answer)))


def groups(answer: str, _: Answers) -> tuple[GroupSection, ...]:
    """``purpose=name`` or ``purpose=name:member,member``, with semicolons between."""
    found = []
    for each in filter(None, (part.strip() for part in answer.split(";"))):
        purpose, equals, rest = each.partition("=")
        if not equals:
            raise ValueError('expected purpose=name:member,member, such as "connection-points=CMG servers:CP01$"')
        title, _colon, members = rest.partition(":")
        found.append(
            GroupSection(
                name=text(title.strip()),
                purpose=choice(GroupPurpose)(purpose.strip(), {}),
                members=tuple(text(member) for member in _several(members)),
            )
        )
    return tuple(found)


def _servers(answer: str, least: int = 0) -> list[str]:
    found = _several(answer)
    hosts = [each.lower() for each in found]
    if len(set(hosts)) != len(hosts):
        raise ValueError("a server is named twice")
    if not least <= len(found) <= 64:
        raise ValueError(f"expected {least} to 64 servers, with commas between")
    return found


def _endpoint(value: str) -> tuple[str, int | None, str]:
    address, _, mode = value.partition("/")
    host, colon, digits = address.partition(":")
    port = number(1, 65535)(digits, {}) if colon else None
    return dns_name(host), port, mode


def _several(answer: str) -> list[str]:
    return [part.strip() for part in answer.split(",") if part.strip()]


def _ruled(answer: str, problems: tuple[str, ...]) -> str:
    if problems:
        raise ValueError(f"{answer or 'it'} {problems[0]}")
    return answer


def _or(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
