"""Software update points (WSUS): whether each takes TLS, and requires it where it must and nowhere else.

Source: Microsoft, "Plan your WSUS deployment" and "Configure WSUS" (2.3, TLS): five virtual directories need TLS; the
others serve payloads, which are signed, and break where it is required. The port without TLS is one below the other.
"""

import asyncio
from collections.abc import Mapping, Sequence

from causeway.observability.checks import CheckResult, Status
from causeway.pki.bundle import read_bundles
from causeway.plan.document import Plan, SoftwareUpdatePointSection
from causeway.preflight.probe import Probe
from causeway.preflight.site.asking import Answer, within
from causeway.preflight.site.certificate import certificate_results, enrol_and_bind, name_with_ca
from causeway.preflight.site.iis import SSL_REQUIRED, Role, meaning, sub_status
from causeway.preflight.site.means import Means

CERTIFICATE = "update point certificate"
ANSWER = "update point answer"
SSL = "update point SSL"
CHECKS = (CERTIFICATE, ANSWER, SSL)

METADATA = {
    "ApiRemoting30": "WebService.asmx",
    "ClientWebService": "client.asmx",
    "DSSAuthWebService": "DSSAuthWebService.asmx",
    "ServerSyncWebService": "ServerSyncWebService.asmx",
    "SimpleAuthWebService": "SimpleAuth.asmx",
}
"""Virtual directories that must require SSL, and a file in each."""

PAYLOADS = {
    "Content": "anonymousCheckFile.txt",
    "Inventory": "InventoryRules.cab",
    "ReportingWebService": "ReportingWebService.asmx",
    "SelfUpdate": "wuident.cab",
}
"""Those that must not, and a file in each: of a folder IIS refuses the listing with 403, too."""

_CLIENT = "ClientWebService"
_WEB_SITES = {80: "Default Web Site", 443: "Default Web Site"}
_STAGES = 3


def web_site(port: int) -> str:
    """IIS's name of the web site at ``port``."""
    return _WEB_SITES.get(port, "WSUS Administration")


def plain_port(port: int) -> int:
    """The port without TLS that belongs to one with TLS."""
    return 80 if port == 443 else port - 1


def probes(plan: Plan, means: Means) -> tuple[Probe, ...]:
    """One for each software update point of the plan."""
    return tuple(_probe(each, means) for each in plan.software_update_point)


def _probe(point: SoftwareUpdatePointSection, means: Means) -> Probe:
    target = f"{point.host}:{point.port}"
    part = means.timeout_s / _STAGES

    async def ask(scheme: str, port: int, directory: str, file: str) -> Answer:
        return await within(part, means.ask(f"{scheme}://{point.host}:{port}/{directory}/{file}", True))

    async def without_tls() -> Sequence[CheckResult]:
        answer = await ask("http", point.port, _CLIENT, METADATA[_CLIENT])
        return [
            _answered(target, point, answer),
            CheckResult(SSL, target, Status.SKIP, "planned without TLS; `names plan` warns of it"),
        ]

    async def with_tls() -> Sequence[CheckResult]:
        others = await asyncio.to_thread(read_bundles, means.authorities)
        shown = await means.look(point.host, point.port, point.host, part)
        found = certificate_results(
            CERTIFICATE, target, point.host, shown, others.certificates, _actions(point.host, point.port)
        )
        directories = METADATA | PAYLOADS
        answer, *plain = await asyncio.gather(
            ask("https", point.port, _CLIENT, METADATA[_CLIENT]),
            *(ask("http", plain_port(point.port), name, file) for name, file in directories.items()),
        )
        if answer.untrusted and any(each.status is Status.FAIL for each in found):
            found.append(CheckResult(ANSWER, target, Status.SKIP, "not asked, because its certificate is not trusted"))
        else:
            found.append(_answered(target, point, answer))
        return [*found, *ssl_results(point.host, point.port, dict(zip(directories, plain, strict=True)))]

    remedy = f"See whether {point.host} is up, and whether this machine may reach TCP {point.port} there."
    return Probe(CERTIFICATE, target, with_tls, remedy) if point.tls else Probe(ANSWER, target, without_tls, remedy)


def ssl_results(host: str, port: int, plain: Mapping[str, Answer]) -> list[CheckResult]:
    """Where SSL is required, by the answers to plain HTTP.

    Args:
        host: of the software update point.
        port: with TLS.
        plain: an answer by directory, of ``METADATA`` and ``PAYLOADS``.
    """
    target = f"{host}:{plain_port(port)}"
    # A pool that does not run is 503 for every directory, whatever it requires.
    answered = {name: each for name, each in plain.items() if not each.trouble and each.status != 503}
    if not answered:
        why = next(iter(plain.values())).trouble or "503"
        details = f"plain HTTP is not answered ({why}), so what requires SSL cannot be told from here"
        return [CheckResult(SSL, target, Status.SKIP, details)]
    open_ones = [name for name in METADATA if name in answered and not _requires(answered[name])]
    closed_ones = [name for name in PAYLOADS if name in answered and _requires(answered[name])]
    found = []
    if open_ones:
        details = f"SSL is not required for {', '.join(open_ones)}: metadata of updates can be replaced on its way"
        action = f"On {host}: `{_flags(open_ones, port, 'Ssl')}; {_configure_ssl(host)}`."
        found.append(CheckResult(SSL, target, Status.FAIL, details, action))
    if closed_ones:
        details = f"SSL is required for {', '.join(closed_ones)}, which breaks downloads and reports"
        action = f"On {host}: `{_flags(closed_ones, port, 'None')}`."
        found.append(CheckResult(SSL, target, Status.FAIL, details, action))
    if found:
        return found
    told = f"required for {', '.join(name for name in METADATA if name in answered)}, and for nothing else"
    return [CheckResult(SSL, target, Status.PASS, told)]


def _requires(answer: Answer) -> bool:
    # Some have IIS send to the other scheme instead of refusing.
    return 300 <= answer.status < 400 or (answer.status == 403 and sub_status(answer) in {None, SSL_REQUIRED})


def _flags(directories: Sequence[str], port: int, flags: str) -> str:
    names = ", ".join(f"'{name}'" for name in directories)
    appcmd = r'& "$env:windir\system32\inetsrv\appcmd.exe"'
    return (
        f'{names} | ForEach-Object {{ {appcmd} set config "{web_site(port)}/$_" /section:access /sslFlags:{flags} '
        "/commit:apphost }"
    )


def _answered(target: str, point: SoftwareUpdatePointSection, answer: Answer) -> CheckResult:
    role = Role("software update point", "WsusPool", "WCM.log and WSUSCtrl.log", f"{web_site(point.port)}/{_CLIENT}")
    if answer.trouble:
        action = f"See whether {point.host} is up, and whether this machine may reach TCP {point.port} there."
        return CheckResult(ANSWER, target, Status.FAIL, answer.trouble, action)
    if answer.status == 200:
        return CheckResult(ANSWER, target, Status.PASS, f"{_CLIENT} answers")
    what, action = meaning(answer, role, shown=False)
    if not point.tls and _requires(answer):
        action = "Set tls = true and the port with TLS in the plan."
    return CheckResult(ANSWER, target, Status.FAIL, what, action)


def _actions(host: str, port: int) -> Mapping[str, str]:
    return {
        "": f"On {host}: `{enrol_and_bind(host, web_site(port))}; {_configure_ssl(host)}`.",
        "chain": name_with_ca(),
    }


def _configure_ssl(host: str) -> str:
    return rf'& "$env:ProgramFiles\Update Services\Tools\WsusUtil.exe" configuressl {host}'
