"""The questions of ``causeway plan new``, in the order in which one answer gives the next its default."""

from collections.abc import Callable
from itertools import chain

from causeway.clouds import CloudName
from causeway.plan import answers as take
from causeway.plan.answers import AZURE_NAME, Answers
from causeway.plan.groups import computer_account
from causeway.plan.machines import DEFAULT_SIZE, VM_SIZES
from causeway.plan.question import Default, Question
from causeway.plan.regions import REGIONS
from causeway.plan.rules import PREFIX, suggest_prefix
from causeway.plan.sizing import recommended_for
from causeway.plan.values import CertificateSource, ClientAuthentication, DnsHosting, KeyType, Target

YES_OR_NO = ("yes", "no")


def _fixed(value: str) -> Default:
    return lambda _: value


def _own_domain(answers: Answers) -> bool:
    return bool(answers["service_name"] != AZURE_NAME)


def _certificates(answers: Answers) -> bool:
    return ClientAuthentication.CERTIFICATE in answers["authentication"]


def _prefix(answers: Answers) -> str:
    label = str(answers["service_name"]).partition(".")[0]
    if answers["target"] is Target.CONFIGMGR and label != AZURE_NAME:
        return label.lower()
    return suggest_prefix(f"{answers['organisation'].split()[0]}gateway")


def _instances(answers: Answers) -> str:
    return str(recommended_for(answers["target"], answers["clients"], answers["vm_size"]).instances)


def _groups(answers: Answers) -> str:
    if not _certificates(answers):
        return ""
    members = ",".join(dict.fromkeys(computer_account(each.host) for each in answers["connection_point"]))
    return f"connection-points=CMG connection points:{members}"


def _names(key: str) -> Callable[[Answers], bool]:
    return lambda answers: bool(answers[key])


QUESTIONS: tuple[Question, ...] = (
    Question(
        "Organisation",
        "target",
        "Whose gateway",
        "causeway (our own) or configmgr (Microsoft's, made in the Configuration Manager console)",
        take.choice(Target),
        _fixed("causeway"),
        choices=tuple(Target),
    ),
    Question(
        "Organisation", "organisation", "Your organisation", "for titles and the certificate's subject", take.line, None
    ),
    Question(
        "Azure",
        "cloud",
        "Cloud",
        "global or us-government",
        take.choice(CloudName),
        _fixed("global"),
        choices=tuple(CloudName),
    ),
    Question(
        "Azure",
        "tenant_id",
        "Entra tenant",
        "its id, as `az account show --query tenantId` prints it; may be empty for now",
        take.optional(take.a_guid),
        _fixed(""),
    ),
    Question(
        "Azure",
        "subscription_id",
        "Subscription",
        "its id, as `az account show --query id` prints it; may be empty for now",
        take.optional(take.a_guid),
        _fixed(""),
    ),
    Question(
        "Azure",
        "region",
        "Region",
        "near your clients, as `az account list-locations` names it",
        take.a_region,
        lambda answers: "westeurope" if answers["cloud"] is CloudName.GLOBAL else "usgovvirginia",
        choices=tuple(chain.from_iterable(REGIONS.values())),
    ),
    Question(
        "Names",
        "service_name",
        "Service name",
        f'the name that clients use, of your own domain; "{AZURE_NAME}" for the name that Azure gives, which no public '
        "authority certifies",
        take.a_service_name,
        None,
    ),
    Question(
        "Names",
        "prefix",
        "Deployment prefix",
        f"{PREFIX.sentence()}; must be free in all of Azure",
        take.a_prefix,
        _prefix,
    ),
    Question(
        "Azure",
        "resource_group",
        "Resource group",
        "of everything in Azure",
        take.a_resource_group,
        lambda answers: f"rg-{answers['prefix']}",
    ),
    Question(
        "Azure",
        "resource_group_exists",
        "Is that resource group there already?",
        "yes or no; one that exists must be in the same region",
        take.yes_or_no,
        _fixed("no"),
        choices=YES_OR_NO,
    ),
    Question(
        "DNS",
        "dns_hosting",
        "Who holds the public DNS zone",
        "azure-dns, windows-dns or other; decides the commands of the runbook",
        take.choice(DnsHosting),
        _fixed("other"),
        _own_domain,
        choices=tuple(DnsHosting),
    ),
    Question(
        "DNS",
        "dns_zone",
        "Public DNS zone",
        "that the service name is in",
        take.a_zone,
        lambda answers: str(answers["service_name"]).partition(".")[2],
        _own_domain,
    ),
    Question(
        "DNS",
        "dns_resource_group",
        "Resource group of the DNS zone",
        "for Azure DNS; may be empty for now",
        take.optional(take.a_word),
        _fixed(""),
        lambda answers: _own_domain(answers) and answers["dns_hosting"] is DnsHosting.AZURE_DNS,
    ),
    Question(
        "Server certificate",
        "certificate_source",
        "Server certificate from",
        "public-ca (every device trusts it already) or own-pki (devices must have its root)",
        take.a_source,
        lambda answers: str(CertificateSource.PUBLIC_CA if _own_domain(answers) else CertificateSource.OWN_PKI),
        choices=tuple(CertificateSource),
    ),
    Question(
        "Server certificate",
        "certificate_key",
        "Its key",
        "rsa-2048, rsa-3072, rsa-4096, p-256 or p-384; Microsoft's gateway takes rsa-2048 and rsa-4096 only",
        take.choice(KeyType),
        _fixed("rsa-2048"),
        choices=tuple(KeyType),
    ),
    Question(
        "Server certificate",
        "wildcard",
        "Is it for every name of the domain?",
        "yes or no; a certificate for the service name alone is safer",
        take.yes_or_no,
        _fixed("no"),
        choices=YES_OR_NO,
    ),
    Question(
        "Clients",
        "clients",
        "Clients on the internet at the same time",
        "how many devices at most",
        take.number(1, 100_000_000),
        _fixed("1000"),
    ),
    Question(
        "Clients",
        "authentication",
        "How they authenticate",
        "some of certificate (of your PKI), entra (Entra ID) and token (of the site), with commas between",
        take.choices(ClientAuthentication),
        _fixed("certificate"),
        joined_by=",",
        choices=tuple(ClientAuthentication),
    ),
    Question(
        "Clients",
        "client_authority",
        "Authorities of client certificates",
        "files of all roots and intermediates of your PKI, relative to the plan, with commas between; may be empty",
        take.files,
        _fixed(""),
        _certificates,
        joined_by=",",
    ),
    Question(
        "Clients",
        "verify_revocation",
        "Look whether client certificates were revoked?",
        "yes or no",
        take.yes_or_no,
        _fixed("yes"),
        _certificates,
        choices=YES_OR_NO,
    ),
    Question(
        "Clients",
        "traffic_mb_per_month",
        "MB that one client downloads through the gateway in a month",
        "for the cost; Microsoft's estimate is 100 to 300",
        take.number(0, 1_000_000),
        _fixed("200"),
    ),
    Question(
        "Gateway",
        "vm_size",
        "Size of the machines",
        "as Azure calls it",
        take.a_vm_size,
        lambda answers: DEFAULT_SIZE[answers["target"]],
        choices=tuple(VM_SIZES),
    ),
    Question(
        "Gateway",
        "instances",
        "Instances",
        "two or more serve on while one is down",
        take.some_instances,
        _instances,
    ),
    Question(
        "Content",
        "content",
        "Serve content from cloud storage?",
        "yes or no; clients download it directly",
        take.yes_or_no,
        _fixed("yes"),
        choices=YES_OR_NO,
    ),
    Question(
        "Content",
        "content_gb",
        "GB of content",
        "that the storage account will hold",
        take.number(0, 5_000_000),
        _fixed("50"),
        _names("content"),
    ),
    Question(
        "Content",
        "content_gb_per_month",
        "GB of it downloaded in a month",
        "by all clients together, for the cost",
        take.number(0, 5_000_000),
        _fixed("0"),
        _names("content"),
    ),
    Question(
        "Servers",
        "connection_point",
        "Connection points",
        "full names of their servers, with commas between; two go on serving while one is down",
        take.connection_points,
        None,
        joined_by=",",
    ),
    Question(
        "Servers",
        "management_point",
        "Management points",
        "host, host:port or host/enhanced-http, with commas between",
        take.management_points,
        _fixed(""),
        joined_by=",",
    ),
    Question(
        "Servers",
        "software_update_point",
        "Software update points",
        "host or host:port, with commas between; 8530 and 80 are without TLS",
        take.software_update_points,
        _fixed(""),
        joined_by=",",
    ),
    Question(
        "Servers",
        "site_code",
        "Site code",
        "three letters or digits; may be empty",
        take.optional(take.a_site_code),
        _fixed(""),
    ),
    Question(
        "Servers",
        "site_host",
        "Site server",
        "full name of the server that connection points get the gateway settings from; may be empty",
        take.optional(take.a_host),
        _fixed(""),
    ),
    Question(
        "Servers",
        "service_connection_point",
        "Service connection point",
        "full name of the server that talks to Azure; may be empty",
        take.optional(take.a_host),
        lambda answers: answers["site_host"] or "",
    ),
    Question(
        "Servers",
        "service_connection_point_online",
        "Is it in online mode?",
        "yes or no; offline it never talks to Azure",
        take.yes_or_no,
        _fixed("yes"),
        _names("service_connection_point"),
        choices=YES_OR_NO,
    ),
    Question(
        "Servers",
        "administration_service",
        "Administration service",
        "full name of Configuration Manager's SMS provider, so that the site can be checked; may be empty",
        take.optional(take.a_host),
        _fixed(""),
    ),
    Question(
        "Active Directory",
        "directory_domain",
        "Active Directory domain",
        "may be empty",
        take.optional(take.a_host),
        lambda answers: answers["connection_point"][0].host.partition(".")[2] if _certificates(answers) else "",
    ),
    Question(
        "Active Directory",
        "group",
        "Active Directory groups",
        "purpose=name:member,member with semicolons between; purposes: connection-points, server-certificate, "
        "administrators, pilot-devices",
        take.groups,
        _groups,
        _names("directory_domain"),
        joined_by=";",
    ),
    Question(
        "Network",
        "proxy",
        "Web proxy between the premises and the internet",
        "http://host:port; empty where servers reach the internet directly",
        take.optional(take.a_proxy),
        _fixed(""),
    ),
)
