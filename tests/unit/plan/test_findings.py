"""Every contradiction that a plan can hold is found, with its reason and a remedy; a good plan has none."""

from typing import Any

import pytest

from causeway.clouds import CloudName
from causeway.plan.document import ConnectionPointSection, GroupSection, ManagementPointSection, plan_text
from causeway.plan.document import SoftwareUpdatePointSection as UpdatePoint
from causeway.plan.finding import Severity
from causeway.plan.findings import cannot_work, contradictions
from causeway.plan.values import (
    CertificateSource,
    ClientAuthentication,
    GroupPurpose,
    KeyType,
    ManagementPointMode,
    Target,
)
from tests.unit.plan.plans import contoso

AZURE_NAME = "contosogateway.westeurope.cloudapp.azure.com"
CONFIGMGR = {"target": Target.CONFIGMGR, "gateway__vm_size": "Standard_A2_v2", "names__prefix": "gateway"}
ONE = (ConnectionPointSection(host="cp01.corp.contoso.com"),)


def words(severity: Severity, **changes: Any) -> set[str]:
    return {finding.word for finding in contradictions(contoso(**changes)) if finding.severity is severity}


def test_a_good_plan_has_neither_errors_nor_warnings() -> None:
    for changes in ({}, CONFIGMGR):
        assert words(Severity.ERROR, **changes) == set()
        assert words(Severity.WARNING, **changes) == set()
        assert not cannot_work(contoso(**changes))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"azure__region": "usgovvirginia"}, "RegionOfAnotherCloud"),
        ({"azure__cloud": CloudName.US_GOVERNMENT}, "RegionOfAnotherCloud"),
        ({"azure__region": "chinaeast2"}, "RegionChina"),
        ({"azure__resource_group": "rg cmg"}, "ResourceGroupName"),
        ({"azure__resource_group": "rg."}, "ResourceGroupName"),
        ({"names__prefix": "my-cmg"}, "PrefixRule"),
        ({"names__prefix": "a" * 25}, "PrefixRule"),
        ({"names__prefix": "windowsgateway"}, "PrefixRule"),
        ({"names__service_name": AZURE_NAME}, "PublicCaCannotIssue"),
        ({"names__service_name": "gateway.contoso.local"}, "PublicCaCannotIssue"),
        ({"names__service_name": "other.westeurope.cloudapp.azure.com"}, "AzureNameOfAnother"),
        ({"names__service_name": "contosogateway.cloudapp.net"}, "AzureNameOfAnother"),
        ({"dns__zone": "fabrikam.com"}, "ZoneOfAnother"),
        ({"names__service_name": "contoso.com", "dns__zone": "contoso.com"}, "CnameAtApex"),
        ({"names__service_name": "contoso.com", "certificate__wildcard": True}, "WildcardTooWide"),
        (CONFIGMGR | {"names__prefix": "contosogateway"}, "PrefixOfConfigMgr"),
        (CONFIGMGR | {"certificate__key": KeyType.P256}, "KeyNotTaken"),
        (CONFIGMGR | {"certificate__key": KeyType.RSA_3072}, "KeyNotTaken"),
        (CONFIGMGR | {"gateway__instances": 20}, "TooManyInstances"),
        (CONFIGMGR | {"gateway__vm_size": "Standard_D2s_v5"}, "SizeNotOffered"),
        (CONFIGMGR | {"service_connection_point__host": None}, "NoServiceConnectionPoint"),
        (CONFIGMGR | {"management_point": (), "software_update_point": ()}, "NothingPublished"),
        ({"service_connection_point__online": False}, "ServiceConnectionPointOffline"),
        ({"connection_point": ONE + ONE}, "ServerTwice"),
        (
            {"management_point": (ManagementPointSection(host="mp.contoso.com", mode=ManagementPointMode.HTTP),)},
            "ManagementPointHttp",
        ),
    ],
)
def test_what_cannot_work_is_an_error(changes: dict[str, Any], word: str) -> None:
    assert word in words(Severity.ERROR, **changes)
    assert cannot_work(contoso(**changes))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"azure__region": "westeurop"}, "RegionUnknown"),
        ({"azure__subscription_id": None}, "NotYetKnown"),
        ({"dns__resource_group": None}, "NotYetKnown"),
        ({"site__host": None}, "NotYetKnown"),
        (CONFIGMGR | {"site__code": None}, "NotYetKnown"),
        ({"names__service_name": "Gateway.contoso.com"}, "ServiceNameCase"),
        ({"certificate__wildcard": True}, "Wildcard"),
        ({"clients__authentication": (ClientAuthentication.TOKEN, ClientAuthentication.TOKEN)}, "MethodTwice"),
        (
            {
                "clients__authentication": (ClientAuthentication.ENTRA,),
                "clients__certificate_authorities": ("root.pem",),
            },
            "AuthoritiesOfNoUse",
        ),
        ({"gateway__instances": 1}, "OneInstance"),
        ({"connection_point": ONE}, "OneConnectionPoint"),
        ({"gateway__instances": 16, "connection_point": ONE}, "TooFewConnectionPoints"),
        ({"gateway__vm_size": "Standard_Q1"}, "SizeUnknown"),
        ({"gateway__vm_size": "Standard_B2ats_v2"}, "LabSize"),
        (CONFIGMGR | {"gateway__vm_size": "Standard_B2s"}, "LabSize"),
        ({"clients__expected": 1_000_000}, "TooSmall"),
        (CONFIGMGR | {"clients__expected": 100_000}, "TooSmall"),
        ({"software_update_point": (UpdatePoint(host="sup.contoso.com", port=8531, tls=False),)}, "UpdatePointPort"),
        (
            {"software_update_point": (UpdatePoint(host="sup.contoso.com", port=8530, tls=False),)},
            "UpdatePointWithoutTls",
        ),
        ({"management_point": (), "software_update_point": ()}, "NothingPublished"),
        (
            {
                "directory__group": (
                    GroupSection(name="g", purpose=GroupPurpose.CONNECTION_POINTS, members=("CP01$", "X$")),
                )
            },
            "ConnectionPointNotInGroup",
        ),
    ],
)
def test_what_may_fail_or_hurt_later_is_a_warning(changes: dict[str, Any], word: str) -> None:
    assert word in words(Severity.WARNING, **changes)
    assert not cannot_work(contoso(**changes))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"azure__resource_group_exists": True}, "ResourceGroupRegion"),
        ({"azure__cloud": CloudName.US_GOVERNMENT, "azure__region": "usgovvirginia"}, "GovernmentSuffix"),
        ({"certificate__source": CertificateSource.OWN_PKI}, "RootOnDevices"),
        ({}, "RevocationReachable"),
        ({"clients__authentication": (ClientAuthentication.TOKEN,)}, "TokensEnd"),
        (CONFIGMGR | {"clients__authentication": (ClientAuthentication.ENTRA,)}, "EntraNeedsDiscovery"),
        (
            {"management_point": (ManagementPointSection(host="mp.x.y", mode=ManagementPointMode.ENHANCED_HTTP),)},
            "EnhancedHttp",
        ),
    ],
)
def test_what_is_good_to_know_is_a_note(changes: dict[str, Any], word: str) -> None:
    assert word in words(Severity.NOTE, **changes)


def test_the_azure_name_with_an_own_pki_is_no_contradiction() -> None:
    assert words(Severity.ERROR, names__service_name=AZURE_NAME, certificate__source=CertificateSource.OWN_PKI) == set()


def test_every_finding_names_a_key_of_the_plan_a_reason_and_a_remedy_and_errors_come_first() -> None:
    plan = contoso(names__prefix="my-cmg", gateway__instances=1, azure__region="usgovvirginia", azure__tenant_id=None)
    found = contradictions(plan)
    assert [finding.severity for finding in found] == sorted(
        (finding.severity for finding in found), key=list(Severity).index
    )
    text = plan_text(plan)
    for finding in found:
        assert finding.reason.endswith("."), finding
        assert finding.remedy
        assert f"{finding.key.split('.')[-1]} = " in text or f"[[{finding.key}]]" in text, finding
