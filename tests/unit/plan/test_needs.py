"""Certificate, applications, rights, firewall, groups and size follow from the plan."""

import json

import pytest

from causeway.clouds import CloudName
from causeway.plan import access, applications, certificate, firewall, groups, names, sizing
from causeway.plan.access import Plane, custom_roles, resource_providers, role_needs, subscription_actions
from causeway.plan.applications import ApplicationRole
from causeway.plan.certificate import certificate_need, public_refusal
from causeway.plan.document import GroupSection, Plan
from causeway.plan.firewall import CLIENTS, GATEWAY, flows, tunnel_ports
from causeway.plan.firewall_list import COLUMNS, ListFormat, firewall_list, firewall_value
from causeway.plan.groups import computer_account
from causeway.plan.sizing import recommended
from causeway.plan.values import ClientAuthentication, GroupPurpose, KeyType, ManagementPointMode, Target
from tests.unit.plan.plans import contoso

ENTRA = (ClientAuthentication.ENTRA,)


def test_the_certificate_is_for_the_service_name_in_its_own_case() -> None:
    need = certificate_need(contoso(names__service_name="Gateway.contoso.com"))
    assert (need.common_name, need.alternative_names, need.organisation) == (
        "Gateway.contoso.com",
        ("Gateway.contoso.com",),
        "Contoso",
    )


def test_a_wildcard_certificate_is_for_every_name_of_the_domain() -> None:
    assert certificate_need(contoso(certificate__wildcard=True)).alternative_names == ("*.contoso.com",)


def test_microsofts_gateway_takes_fewer_keys_than_ours() -> None:
    assert certificate_need(contoso(target=Target.CONFIGMGR)).allowed_keys == {KeyType.RSA_2048, KeyType.RSA_4096}
    assert certificate_need(contoso()).allowed_keys == set(KeyType)


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("gateway.contoso.com", False),
        ("gateway.corp.contoso.com", False),
        ("x.westeurope.cloudapp.azure.com", True),
        ("x.usgovvirginia.cloudapp.usgovcloudapi.net", True),
        ("x.CloudApp.net", True),
        ("gateway.contoso.local", True),
        ("gateway.corp", True),
        ("notcloudapp.azure.com.contoso.com", False),
    ],
)
def test_a_public_authority_issues_only_for_public_domains_of_ones_own(name: str, refused: bool) -> None:
    assert (public_refusal(name) is not None) is refused


def test_our_own_gateway_needs_applications_only_for_entra_clients() -> None:
    assert applications.applications(contoso()) == ()
    server, client = applications.applications(contoso(clients__authentication=ENTRA))
    assert (server.role, client.role) == (ApplicationRole.SERVER, ApplicationRole.CLIENT)
    assert server.identifier_uri == "api://11111111-2222-3333-4444-555555555555/contosogateway"
    assert server.secret_months is None
    assert client.public_client


def test_microsofts_gateway_needs_both_always_and_the_directory_only_for_entra_clients() -> None:
    server, client = applications.applications(contoso(target=Target.CONFIGMGR))
    assert server.graph_application_permissions == ()
    assert server.web_redirects == ("http://localhost",)
    assert client.public_redirects == ("ms-appx-web://Microsoft.AAD.BrokerPlugin/{client_id}",)
    server, _ = applications.applications(contoso(target=Target.CONFIGMGR, clients__authentication=ENTRA))
    assert server.graph_application_permissions == ("Directory.Read.All",)


def test_the_four_resource_providers_and_one_more_for_our_gateways_identity() -> None:
    four = ("Microsoft.Compute", "Microsoft.KeyVault", "Microsoft.Network", "Microsoft.Storage")
    assert resource_providers(contoso(target=Target.CONFIGMGR)) == four
    assert resource_providers(contoso()) == (*four, "Microsoft.ManagedIdentity")


def test_the_custom_roles_are_what_azure_takes_and_no_more_than_needed() -> None:
    preflight, deployment = custom_roles(contoso())
    assert preflight["AssignableScopes"] == ["/subscriptions/66666666-7777-8888-9999-000000000000"]
    assert "Microsoft.Compute/register/action" in preflight["Actions"]
    assert "Microsoft.Resources/subscriptions/resourceGroups/write" in preflight["Actions"]
    assert {action for action in preflight["Actions"] if not action.endswith(("/read", "/register/action"))} == {
        "Microsoft.Resources/subscriptions/resourceGroups/write"
    }
    assert not any(action.startswith("*") for role in (preflight, deployment) for action in role["Actions"])
    assert json.loads(json.dumps(deployment)) == deployment


def test_a_resource_group_that_exists_need_not_be_made() -> None:
    assert not any("write" in each for each in subscription_actions(contoso(azure__resource_group_exists=True)))


def test_roles_say_who_grants_them_and_consent_is_its_own_role() -> None:
    plan = contoso(target=Target.CONFIGMGR, clients__authentication=ENTRA)
    entra = {need.role: need for need in role_needs(plan) if need.plane is Plane.ENTRA}
    assert set(entra) == {"Cloud Application Administrator", "Privileged Role Administrator"}
    assert all(need.granted_by and need.because for need in role_needs(plan))
    assert not any(need.plane is Plane.ENTRA for need in role_needs(contoso()))


@pytest.mark.parametrize(
    ("target", "instances", "vm_size", "ports"),
    [
        (Target.CONFIGMGR, 1, "Standard_A2_v2", (443, 443)),
        (Target.CONFIGMGR, 2, "Standard_A2_v2", (10124, 10125)),
        (Target.CONFIGMGR, 16, "Standard_A2_v2", (10124, 10139)),
        (Target.CAUSEWAY, 1, "Standard_D2s_v5", (10124, 10125)),
        (Target.CAUSEWAY, 3, "Standard_D4s_v5", (10124, 10135)),
    ],
)
def test_connection_points_dial_one_port_for_each_instance_or_worker(
    target: Target, instances: int, vm_size: str, ports: tuple[int, int]
) -> None:
    plan = contoso(target=target, gateway__instances=instances, gateway__vm_size=vm_size)
    assert tunnel_ports(plan) == ports


def test_every_server_of_the_plan_is_in_the_firewall_list_and_none_is_reached_from_the_internet() -> None:
    listed = flows(contoso())
    sources = {flow.source for flow in listed}
    assert {"cp01.corp.contoso.com", "cp02.corp.contoso.com", "cm01.corp.contoso.com", CLIENTS, GATEWAY} <= sources
    internal = {flow.destination for flow in listed if not flow.internet}
    assert internal == {"cm01.corp.contoso.com", "mp01.corp.contoso.com", "sup01.corp.contoso.com"}
    assert all(flow.source.endswith(".corp.contoso.com") for flow in listed if not flow.internet)


def test_no_host_of_another_cloud_is_in_the_list_of_one() -> None:
    government = {"azure__cloud": CloudName.US_GOVERNMENT, "azure__region": "usgovvirginia"}
    for target in Target:
        for flow in flows(contoso(target=target, clients__authentication=ENTRA, **government)):
            for foreign in ("windows.net", "azure.com", "vault.azure.net", "microsoftonline.com", "microsoft.com"):
                assert not flow.destination.endswith(foreign), flow


def test_content_and_entra_open_what_they_need_and_nothing_otherwise() -> None:
    def destinations(plan: Plan) -> set[str]:
        return {flow.destination for flow in flows(plan) if flow.source == CLIENTS}

    assert "contosogateway.blob.core.windows.net" in destinations(contoso())
    assert "contosogateway.blob.core.windows.net" not in destinations(contoso(content__enabled=False))
    assert "login.microsoftonline.com" not in destinations(contoso())
    assert "login.microsoftonline.com" in destinations(contoso(clients__authentication=ENTRA))


def test_the_list_is_csv_markdown_and_a_value_with_the_same_rules() -> None:
    plan = contoso(proxy__url="http://proxy.corp.contoso.com:8080")
    number = len(flows(plan))
    lines = firewall_list(plan, ListFormat.CSV).splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert len(lines) == number + 1
    document = firewall_value(plan)
    assert len(document["rules"]) == number
    assert document["rules"][0]["first_port"] == 10124
    assert document["rules"][0]["through_proxy"] == "http://proxy.corp.contoso.com:8080"
    assert firewall_list(plan, ListFormat.MARKDOWN).count("\n|") == number + 1
    assert any("CONNECT" in note for note in document["notes"])


def test_a_management_point_without_tls_is_listed_so() -> None:
    plain = contoso().management_point[0]
    changed = contoso(management_point=(type(plain)(host=plain.host, port=80, mode=ManagementPointMode.HTTP),))
    assert {flow.protocol for flow in flows(changed) if flow.destination == plain.host} == {"HTTP"}


def test_a_connection_points_computer_account_belongs_in_its_group() -> None:
    assert computer_account("averyverylongservername.corp.contoso.com") == "AVERYVERYLONGSE$"
    plan = contoso(
        directory__group=(GroupSection(name="g", purpose=GroupPurpose.CONNECTION_POINTS, members=("cp01$",)),)
    )
    assert groups.groups(plan)[0].members == ("cp01$", "CP02$")


@pytest.mark.parametrize(
    ("clients", "vm_size", "instances", "points"),
    [
        (100, "Standard_A2_v2", 2, 2),
        (6000, "Standard_A2_v2", 2, 2),
        (12_001, "Standard_A2_v2", 3, 2),
        (60_000, "Standard_A2_v2", 10, 4),
        (96_000, "Standard_A2_v2", 16, 6),
        (1_000_000, "Standard_A4_v2", 16, 62),
    ],
)
def test_microsofts_gateway_is_sized_by_the_published_figures(
    clients: int, vm_size: str, instances: int, points: int
) -> None:
    size = recommended(contoso(target=Target.CONFIGMGR, clients__expected=clients, gateway__vm_size=vm_size))
    assert (size.instances, size.connection_points) == (instances, points)
    assert "Microsoft" in size.figures


def test_our_gateway_is_sized_by_what_was_measured_and_says_how_to_measure_again() -> None:
    size = recommended(contoso(clients__expected=50_000))
    assert "make bench" in size.figures
    assert size.instances * size.clients_per_instance >= 50_000 + size.clients_per_instance
    assert recommended(contoso(clients__expected=50_000, gateway__vm_size="Standard_D8s_v5")).instances < size.instances


def test_every_fact_is_explained() -> None:
    for target in Target:
        for authentication in ((ClientAuthentication.CERTIFICATE,), ENTRA):
            plan = contoso(target=target, clients__authentication=authentication)
            for topic in (names, certificate, applications, access, firewall, groups, sizing):
                for fact in topic.facts(plan):
                    assert fact.value, fact
                    assert fact.because.endswith("."), fact
