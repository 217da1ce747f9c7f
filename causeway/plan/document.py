"""``causeway-plan.toml``: what an administrator decides. Everything else is derived from it.

The file is strict and versioned, holds no secret, and is written with the same comments in the same order every time,
so that two plans can be compared line by line.
"""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from causeway.clouds import CloudName
from causeway.configuration import load, parse, section, setting, to_toml
from causeway.plan.values import (
    CertificateSource,
    ClientAuthentication,
    DnsHosting,
    DnsName,
    FileName,
    GroupPurpose,
    Guid,
    KeyType,
    ManagementPointMode,
    Port,
    ProxyUrl,
    Target,
    Text,
    Word,
)

VERSION = 1
FILE = Path("causeway-plan.toml")
HEADING = (
    "The plan of a cloud management gateway. Keep it with your other documents: it holds no secret. `causeway plan "
    "show` says what follows from it, `causeway check` looks whether the world is as it needs."
)
_REMEDY = "name another, or make one with `causeway plan new`"


def _version(value: int) -> int:
    if value > VERSION:
        raise ValueError(f"expected {VERSION}; the plan is of a newer causeway, so use that one")
    if value < VERSION:
        raise ValueError(f"expected {VERSION}")
    return value


@section
class AzureSection:
    """Where in Azure the gateway stands."""

    cloud: CloudName = setting('"global" or "us-government".', default=CloudName.GLOBAL)
    tenant_id: Guid | None = setting(
        "The Entra tenant, as `az account show --query tenantId` prints it.",
        default=None,
        example="11111111-2222-3333-4444-555555555555",
    )
    subscription_id: Guid | None = setting(
        "The subscription, as `az account show --query id` prints it.",
        default=None,
        example="66666666-7777-8888-9999-000000000000",
    )
    region: Annotated[str, Field(pattern=r"^[a-z0-9]{2,40}$")] = setting(
        "The region, as `az account list-locations` names it.", example="westeurope"
    )
    resource_group: Text = setting("The resource group of everything in Azure.", example="rg-contosogateway")
    resource_group_exists: bool = setting("Whether that resource group is there already.", default=False)


@section
class NamesSection:
    """What the gateway is called."""

    prefix: Word = setting(
        "The deployment prefix: name of the DNS label, the scale set, the key vault and the storage account. 3 to 24 "
        "lower-case letters and digits, a letter first.",
        example="contosogateway",
    )
    service_name: DnsName = setting(
        "The name that clients use, and the server certificate's. A name of your own domain gets a CNAME record; the "
        "Azure name (<prefix>.<region>.cloudapp.azure.com) needs none, but no public authority issues it.",
        example="gateway.contoso.com",
    )


@section
class DnsSection:
    """Where the CNAME record goes. Of no use where the service name is the Azure name."""

    hosting: DnsHosting = setting('Who holds the public zone: "azure-dns", "windows-dns" or "other".', default="other")
    zone: DnsName | None = setting(
        "The public zone; where missing, the service name without its first label.",
        default=None,
        example="contoso.com",
    )
    resource_group: Word | None = setting("Its resource group, for Azure DNS.", default=None, example="rg-contoso-dns")
    ttl_s: Annotated[int, Field(ge=30, le=86_400)] = setting("Lifetime of the record, in seconds.", default=3600)


@section
class CertificateSection:
    """The server certificate."""

    source: CertificateSource = setting(
        '"public-ca" (every device trusts it already) or "own-pki" (devices must have its root).',
        default=CertificateSource.PUBLIC_CA,
    )
    key: KeyType = setting('"rsa-2048", "rsa-3072", "rsa-4096", "p-256" or "p-384".', default=KeyType.RSA_2048)
    wildcard: bool = setting("Whether it is for every name of the domain (*.contoso.com).", default=False)


@section
class ClientsSection:
    """The devices on the internet."""

    expected: Annotated[int, Field(ge=1, le=100_000_000)] = setting(
        "How many may be on the internet at the same time.", example=5000
    )
    authentication: Annotated[tuple[ClientAuthentication, ...], Field(min_length=1, max_length=3)] = setting(
        'How they show who they are: "certificate" (of your PKI), "entra" (Entra ID), "token" (of the site).',
        default=(ClientAuthentication.CERTIFICATE,),
    )
    certificate_authorities: Annotated[tuple[FileName, ...], Field(max_length=100)] = setting(
        "Files (PEM or DER) of all roots and intermediates of your PKI that client certificates may lead to; relative "
        "to this file. `causeway check` looks at them.",
        default=(),
        example=["pki/root.pem", "pki/issuing.pem"],
    )
    verify_revocation: bool = setting(
        "Whether the gateway looks whether a client certificate was revoked. Microsoft's gateway then needs the "
        "revocation list to be reachable from the internet.",
        default=True,
    )
    traffic_mb_per_month: Annotated[int, Field(ge=0, le=1_000_000)] = setting(
        "What one client downloads through the gateway in a month, in MB; Microsoft's estimate is 100 to 300.",
        default=200,
    )


@section
class GatewaySection:
    """The gateway's machines."""

    instances: Annotated[int, Field(ge=1, le=1000)] = setting(
        "How many. Two or more go on serving while one is down.", default=2
    )
    vm_size: Word = setting("Their size, as Azure calls it.", default="Standard_D2s_v5")


@section
class ContentSection:
    """Content in cloud storage, which clients download directly."""

    enabled: bool = setting("Whether the gateway's storage account serves content.", default=True)
    stored_gb: Annotated[int, Field(ge=0, le=5_000_000)] = setting("How much it will hold, in GB.", default=50)
    downloaded_gb_per_month: Annotated[int, Field(ge=0, le=5_000_000)] = setting(
        "How much clients will download from it in a month, in GB.", default=0
    )


@section
class SiteSection:
    """The site on the premises."""

    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{3}$")] | None = setting(
        "Its site code.", default=None, example="PS1"
    )
    host: DnsName | None = setting(
        "The server that connection points get the gateway settings from; for Configuration Manager, the site server.",
        default=None,
        example="cm01.corp.contoso.com",
    )
    port: Port = setting("Its port, for our own site.", default=443)
    administration_service: DnsName | None = setting(
        "The server of Configuration Manager's administration service (the SMS provider), so that `causeway check` "
        "can read the site.",
        default=None,
        example="cm01.corp.contoso.com",
    )


@section
class ConnectionPointSection:
    """A server that is or becomes a connection point."""

    host: DnsName = setting("Its full name.", example="cp01.corp.contoso.com")


@section
class ManagementPointSection:
    """A management point that devices reach through the gateway."""

    host: DnsName = setting("Its full name.", example="mp01.corp.contoso.com")
    port: Port = setting("Its port.", default=443)
    mode: ManagementPointMode = setting('"https", "enhanced-http" or "http".', default=ManagementPointMode.HTTPS)


@section
class SoftwareUpdatePointSection:
    """A software update point (WSUS) that devices reach through the gateway."""

    host: DnsName = setting("Its full name.", example="sup01.corp.contoso.com")
    port: Port = setting("Its port: 8531 or 443 with TLS, 8530 or 80 without.", default=8531)
    tls: bool = setting("Whether it takes TLS.", default=True)


@section
class ServiceConnectionPointSection:
    """The server that talks to Azure."""

    host: DnsName | None = setting("Its full name.", default=None, example="cm01.corp.contoso.com")
    online: bool = setting("Whether it is in online mode.", default=True)


@section
class GroupSection:
    """A group of the Active Directory."""

    name: Text = setting("Its name.", example="CMG connection points")
    purpose: GroupPurpose = setting(
        '"connection-points", "server-certificate", "administrators" or "pilot-devices".',
        example="connection-points",
    )
    members: Annotated[tuple[Text, ...], Field(max_length=1000)] = setting(
        "Who must be in it: user names, or computer names with a $ behind.", default=(), example=["CP01$"]
    )


@section
class DirectorySection:
    """The Active Directory, whose groups say who may enrol which certificate."""

    domain: DnsName | None = setting("Its domain.", default=None, example="corp.contoso.com")
    group: Annotated[tuple[GroupSection, ...], Field(max_length=100)] = setting("A group. May repeat.", default=())


@section
class ProxySection:
    """A web proxy between the premises and the internet."""

    url: ProxyUrl | None = setting(
        "Its URL, without credentials; where missing, servers reach the internet directly.",
        default=None,
        example="http://proxy.corp.contoso.com:8080",
    )


_Servers = Field(max_length=64)


@section
class Plan:
    """Everything that was decided."""

    version: Annotated[int, AfterValidator(_version)] = setting("Of this file's format.", default=VERSION)
    target: Target = setting(
        '"causeway" (our own gateway) or "configmgr" (Microsoft\'s, made in the Configuration Manager console).',
        default=Target.CAUSEWAY,
    )
    organisation: Text = setting("Whose gateway it is, for titles and the certificate's subject.", example="Contoso")
    azure: AzureSection = setting("Where in Azure the gateway stands.")
    names: NamesSection = setting("What the gateway is called.")
    dns: DnsSection = setting("Where the CNAME record goes.", factory=DnsSection)
    certificate: CertificateSection = setting("The server certificate.", factory=CertificateSection)
    clients: ClientsSection = setting("The devices on the internet.")
    gateway: GatewaySection = setting("The gateway's machines.", factory=GatewaySection)
    content: ContentSection = setting("Content in cloud storage.", factory=ContentSection)
    site: SiteSection = setting("The site on the premises.", factory=SiteSection)
    connection_point: Annotated[tuple[ConnectionPointSection, ...], Field(min_length=1), _Servers] = setting(
        "A connection point. May repeat."
    )
    management_point: Annotated[tuple[ManagementPointSection, ...], _Servers] = setting(
        "A management point. May repeat.", default=()
    )
    software_update_point: Annotated[tuple[SoftwareUpdatePointSection, ...], _Servers] = setting(
        "A software update point. May repeat.", default=()
    )
    service_connection_point: ServiceConnectionPointSection = setting(
        "The server that talks to Azure.", factory=ServiceConnectionPointSection
    )
    directory: DirectorySection = setting("The Active Directory.", factory=DirectorySection)
    proxy: ProxySection = setting("A web proxy on the way to the internet.", factory=ProxySection)


def read_plan(path: Path) -> Plan:
    """Read a plan.

    Raises:
        ConfigurationError: no such file or no plan; the message names file, line, key and what was expected.
    """
    return load(path, Plan, remedy=_REMEDY)


def parse_plan(text: str, path: Path) -> Plan:
    """Read a plan's text; ``path`` is named in errors.

    Raises:
        ConfigurationError: as for ``read_plan``.
    """
    return parse(text, Plan, path)


def plan_text(plan: Plan) -> str:
    """The plan's file, commented; reads back as the same plan."""
    return to_toml(plan, HEADING)
