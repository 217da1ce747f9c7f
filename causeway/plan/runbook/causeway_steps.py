"""The steps for our own gateway. Setting up the machines is docs/set-up.md, step by step."""

from pathlib import Path

from causeway.plan.document import Plan
from causeway.plan.firewall import tunnel_ports
from causeway.plan.groups import client_certificates_wanted
from causeway.plan.names import deployment_name, name_of
from causeway.plan.rules import ResourceKind
from causeway.plan.runbook import azure, premises
from causeway.plan.runbook.step import Step, Who, sh


def steps(plan: Plan, file: Path) -> tuple[Step, ...]:
    """All of them, not yet in order."""
    return (
        premises.sound(file),
        azure.sign_in(plan),
        azure.resource_group(plan),
        azure.roles(plan, file),
        azure.providers(plan, file),
        azure.names_free(plan, file),
        *azure.entra_applications(plan, file),
        *premises.directory_groups(plan, file),
        *premises.client_certificates(plan),
        *premises.server_certificate(plan, file),
        _address(plan),
        *premises.dns(plan, file, "address"),
        premises.firewall(plan, file),
        _site(plan),
        _machines(plan),
        _gateway(plan),
        _connection_points(plan),
        _all_checked(plan, file),
        _first_device(plan),
        _renewal(),
    )


def _address(plan: Plan) -> Step:
    group, name = plan.azure.resource_group, name_of(plan, ResourceKind.PUBLIC_IP)
    show = sh(
        "az", "network", "public-ip", "show", "--resource-group", group, "--name", name, "--query", "dnsSettings.fqdn",
        "--output", "tsv", note=f"must say {deployment_name(plan)}",
    )  # fmt: skip
    return Step(
        "address",
        "Make the public address, and with it the deployment name",
        Who.AZURE,
        "The label is yours from here on. Where Azure answers with another name than the plan's, that name counts.",
        (
            sh(
                "az", "network", "public-ip", "create", "--resource-group", group, "--name", name, "--sku", "Standard",
                "--allocation-method", "Static", "--location", plan.azure.region, "--dns-name", plan.names.prefix,
            ),
        ),
        (show,),
        ("roles", "providers", "names"),
    )  # fmt: skip


def _site(plan: Plan) -> Step:
    code = plan.site.code or "PS1"
    return Step(
        "site",
        "Set up the site" + (f" on {plan.site.host}" if plan.site.host else ""),
        Who.SERVER,
        "It publishes the gateway settings: what is reached through the gateway, and whose certificates are believed. "
        "docs/set-up.md, parts 1 to 3, says every key.",
        (
            sh("causeway", "authority", "create", "--name", f"{plan.organisation} Causeway authority"),
            sh("causeway", "authority", "settings-key"),
            sh("causeway", "authority", "issue", "site-signing", code, "-o", "site"),
            sh("causeway", "site", "run", "--print-default", ">", "site.toml"),
        ),
        (sh("causeway", "site", "check", "--config", "site.toml"),),
        ("plan",),
    )


def _machines(plan: Plan) -> Step:
    first, last = tunnel_ports(plan)
    group, scale_set = plan.azure.resource_group, name_of(plan, ResourceKind.SCALE_SET)
    return Step(
        "machines",
        f"Make {plan.gateway.instances} machines of {plan.gateway.vm_size}",
        Who.AZURE,
        f"Debian 12 with Python 3.11 is enough. Open TCP 443 to the internet, and TCP {first} to {last} to where your "
        "connection points come from.",
        (
            sh(
                "az", "vmss", "create", "--resource-group", group, "--name", scale_set, "--location", plan.azure.region,
                "--image", "Debian:debian-12:12:latest", "--orchestration-mode", "Uniform", "--instance-count",
                str(plan.gateway.instances), "--vm-sku", plan.gateway.vm_size, "--public-ip-address",
                name_of(plan, ResourceKind.PUBLIC_IP), "--lb", name_of(plan, ResourceKind.LOAD_BALANCER),
                "--vnet-name", name_of(plan, ResourceKind.VIRTUAL_NETWORK), "--nsg",
                name_of(plan, ResourceKind.NETWORK_SECURITY_GROUP), "--admin-username", "causeway",
                "--generate-ssh-keys",
            ),
        ),
        (sh("az", "vmss", "list-instances", "--resource-group", group, "--name", scale_set, "--output", "table"),),
        ("address",),
    )  # fmt: skip


def _gateway(plan: Plan) -> Step:
    return Step(
        "gateway",
        "Start the gateway on every machine",
        Who.SERVER,
        f"With the certificate for {plan.names.service_name}, ca.pem and settings.pub of the site. The tunnel's port "
        f"is {tunnel_ports(plan)[0]} for the first worker. docs/set-up.md, part 4.",
        (
            sh("causeway", "gateway", "run", "--print-default", ">", "gateway.toml"),
            sh("causeway", "gateway", "run", "--config", "gateway.toml"),
        ),
        (sh("causeway", "gateway", "check", "--config", "gateway.toml"),),
        ("machines", "site", "certificate"),
    )


def _connection_points(plan: Plan) -> Step:
    commands = [
        sh("causeway", "authority", "issue", "connection-point", each.host, "-o", each.host.partition(".")[0])
        for each in plan.connection_point
    ]
    return Step(
        "connection-points",
        f"Start a connection point on {', '.join(each.host for each in plan.connection_point)}",
        Who.SERVER,
        "Each dials every worker of every instance and holds the tunnels open; together they share the load. "
        "docs/set-up.md, part 5.",
        (
            *commands,
            sh("causeway", "connection-point", "run", "--print-default", ">", "connection-point.toml"),
            sh("causeway", "connection-point", "run", "--config", "connection-point.toml"),
        ),
        (sh("causeway", "connection-point", "check", "--config", "connection-point.toml"),),
        ("gateway", "firewall", *(("client-certificates",) if client_certificates_wanted(plan) else ())),
    )


def _all_checked(plan: Plan, file: Path) -> Step:
    after = ["connection-points"]
    if premises.dns(plan, file, "address"):
        after.append("dns")
    if azure.entra_applications(plan, file):
        after.append(azure.entra_applications(plan, file)[-1].word)
    return Step(
        "check",
        "Check everything against the plan",
        Who.PLANNER,
        "What a device would stumble over is found here.",
        (sh("causeway", "check", "--plan", str(file)),),
        (sh("causeway", "check", "--plan", str(file)),),
        tuple(after),
    )


def _first_device(plan: Plan) -> Step:
    return Step(
        "first-device",
        "Let a first device register from the internet",
        Who.PLANNER,
        "From a network that is not yours: a device on the premises proves nothing.",
        (
            sh(
                "causeway", "device", "register", "--url",
                f"https://{plan.names.service_name}/CCM_Proxy_MutualAuth/72057594037927937", "--certificate",
                "<certificate of the device>", "--key", "<its key>",
            ),
        ),
        (sh("causeway", "site", "devices", "list"),),
        ("check",),
    )  # fmt: skip


def _renewal() -> Step:
    return Step(
        "renewal",
        "Make renewal of the certificate a routine",
        Who.PLANNER,
        "Public certificates live at most 200 days, and soon 47. The gateway takes a new one without a restart.",
        (sh("causeway", "cert", "renew", "--folder", premises.FOLDER, "--if-due"),),
        (sh("causeway", "cert", "inspect", f"{premises.FOLDER}/current/server.pem"),),
        ("certificate",),
    )
