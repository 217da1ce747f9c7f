"""Site systems: what is published, and what talks to Azure."""

from collections.abc import Iterator

from causeway.plan.document import Plan
from causeway.plan.finding import PlanFinding, Severity
from causeway.plan.values import Target


def look(plan: Plan) -> Iterator[PlanFinding]:
    """What contradicts among the servers."""
    yield from _service_connection_point(plan)
    if not plan.management_point and not plan.software_update_point:
        severity = Severity.ERROR if plan.target is Target.CONFIGMGR else Severity.WARNING
        yield PlanFinding(
            severity,
            "NothingPublished",
            "management_point",
            "neither a management point nor a software update point is named",
            "There is nothing that devices could reach through the gateway.",
            "name at least one management point",
        )
    for index, point in enumerate(plan.software_update_point):
        key = f"software_update_point.{index}"
        usual = (8531, 443) if point.tls else (8530, 80)
        if point.port not in usual:
            yield PlanFinding(
                Severity.WARNING,
                "UpdatePointPort",
                f"{key}.port",
                f"{point.host} is planned on port {point.port} {'with' if point.tls else 'without'} TLS",
                f"WSUS listens on {usual[0]} or {usual[1]} {'with' if point.tls else 'without'} TLS.",
                "compare with the software update point's properties",
            )
        if not point.tls:
            yield PlanFinding(
                Severity.WARNING,
                "UpdatePointWithoutTls",
                key,
                f"{point.host} takes no TLS",
                "Update metadata travels unprotected within the premises, where it can be replaced (WSUS attacks).",
                "configure WSUS for TLS: `wsusutil configuressl`",
            )
    if plan.target is Target.CONFIGMGR and plan.site.code is None:
        yield PlanFinding(
            Severity.WARNING,
            "NotYetKnown",
            "site.code",
            "the site code is not named",
            "The commands of the runbook need it.",
            "set it; the console's title shows it",
        )
    if plan.target is Target.CAUSEWAY and plan.site.host is None:
        yield PlanFinding(
            Severity.WARNING,
            "NotYetKnown",
            "site.host",
            "the site's server is not named",
            "Connection points get the gateway settings from it, so a firewall rule is missing.",
            "set it",
        )


def _service_connection_point(plan: Plan) -> Iterator[PlanFinding]:
    point = plan.service_connection_point
    if point.host is None and plan.target is Target.CONFIGMGR:
        yield PlanFinding(
            Severity.ERROR,
            "NoServiceConnectionPoint",
            "service_connection_point.host",
            "no service connection point is named",
            "It deploys the gateway and looks after it.",
            "name the server that has the role",
        )
    if point.host is not None and not point.online:
        yield PlanFinding(
            Severity.ERROR,
            "ServiceConnectionPointOffline",
            "service_connection_point.online",
            f"the service connection point {point.host} is in offline mode",
            "Offline, it never talks to Azure.",
            "set it to online in its properties, then online = true here",
        )
