"""Names that a plan derives satisfy Azure's rules, and a name that cannot be used is refused with the reason."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.clouds import CloudName
from causeway.plan import names
from causeway.plan.names import CnameRecord, cname_record, deployment_name, name_of, resource_names
from causeway.plan.rules import PREFIX, RULES, SHARED, ResourceKind, prefix_problems, reserved, suggest_prefix
from causeway.plan.values import Target
from tests.unit.plan.plans import contoso


def test_the_rule_of_the_prefix_is_what_scale_set_vault_storage_and_dns_label_have_in_common() -> None:
    assert (PREFIX.shortest, PREFIX.longest) == (3, 24)
    assert PREFIX.characters == frozenset(string.ascii_lowercase + string.digits)
    assert PREFIX.first == frozenset(string.ascii_lowercase)
    assert PREFIX.sentence() == "3 to 24 lower-case letters and digits; begins with a lower-case letter"


def test_my_cmg_cannot_be_used_because_of_the_storage_account_alone() -> None:
    assert prefix_problems("my-cmg") == ("holds a hyphen; a storage account takes only lower-case letters and digits",)
    for kind in (ResourceKind.DNS_LABEL, ResourceKind.KEY_VAULT, ResourceKind.SCALE_SET):
        assert RULES[kind].problems("my-cmg") == ()


@pytest.mark.parametrize(
    ("prefix", "said"),
    [
        ("ab", "has 2 characters"),
        ("a" * 25, "has 25 characters; a key vault takes 3 to 24"),
        ("Contoso", "holds a capital letter; a DNS label takes only"),
        ("1contoso", 'begins with "1"; a DNS label begins with a lower-case letter'),
        ("con_toso", "holds an underscore"),
        ("con--toso", "has two hyphens in a row, which a key vault does not take"),
        ("azure", "is a reserved word"),
        ("mymicrosoftgateway", 'may hold the word "microsoft"'),
        ("loginpoint", 'may begin with "login"'),
    ],
)
def test_a_prefix_that_cannot_be_used_is_refused_with_the_reason(prefix: str, said: str) -> None:
    assert any(said in problem for problem in prefix_problems(prefix))


@given(st.text(string.ascii_lowercase + string.digits + "-A", max_size=30))
def test_a_prefix_is_taken_exactly_where_the_common_expression_takes_it(prefix: str) -> None:
    taken = re.fullmatch("[a-z][a-z0-9]{2,23}", prefix) is not None and reserved(prefix) is None
    assert (prefix_problems(prefix) == ()) is taken


@given(st.text(max_size=60))
def test_out_of_any_text_comes_a_prefix_that_can_be_used(text: str) -> None:
    assert prefix_problems(suggest_prefix(text)) == ()


@pytest.mark.parametrize("target", Target)
def test_every_derived_name_satisfies_its_rule(target: Target) -> None:
    for prefix in ("abc", "contosogateway", "z" * 24):
        for each in resource_names(contoso(target=target, names__prefix=prefix)):
            assert RULES[each.kind].problems(each.name) == (), each


def test_what_shares_the_prefix_bears_it() -> None:
    assert {name_of(contoso(), kind) for kind in SHARED} == {"contosogateway"}


@pytest.mark.parametrize(
    ("cloud", "region", "expected"),
    [
        ("global", "westeurope", "contosogateway.westeurope.cloudapp.azure.com"),
        ("us-government", "usgovvirginia", "contosogateway.usgovvirginia.cloudapp.usgovcloudapi.net"),
    ],
)
def test_the_deployment_name_has_the_clouds_own_suffix(cloud: str, region: str, expected: str) -> None:
    assert deployment_name(contoso(azure__cloud=CloudName(cloud), azure__region=region)) == expected


def test_a_name_of_the_own_domain_gets_a_cname_record_in_its_zone() -> None:
    target = "contosogateway.westeurope.cloudapp.azure.com"
    assert cname_record(contoso()) == CnameRecord("gateway.contoso.com", "contoso.com", "gateway", target, 3600)
    deeper = cname_record(contoso(names__service_name="cmg.eu.contoso.com", dns__zone="contoso.com"))
    assert deeper == CnameRecord("cmg.eu.contoso.com", "contoso.com", "cmg.eu", target, 3600)


def test_the_azure_name_gets_no_record() -> None:
    assert cname_record(contoso(names__service_name="contosogateway.westeurope.cloudapp.azure.com")) is None


def test_every_name_is_explained() -> None:
    for target in Target:
        for fact in names.facts(contoso(target=target)):
            assert fact.value
            assert fact.because.endswith("."), fact
