"""Two plans are compared key by key, and by what follows from them."""

from causeway.plan.difference import Difference, consequences, differences
from causeway.plan.values import Target
from tests.unit.plan.plans import contoso


def test_the_same_plan_has_no_differences() -> None:
    assert differences(contoso(), contoso()) == ()
    assert consequences(contoso(), contoso()) == ()


def test_a_changed_key_is_named_with_both_values_and_what_follows() -> None:
    before, after = contoso(), contoso(gateway__instances=4)
    assert differences(before, after) == (Difference("gateway.instances", "2", "4"),)
    followed = {each.what: each.after for each in consequences(before, after)}
    assert followed["Firewall: Ports that connection points dial"] == "TCP 10124 to 10131"


def test_what_needs_a_new_deployment_is_marked() -> None:
    assert differences(contoso(), contoso(azure__region="northeurope"))[0].needs_redeployment
    renamed = {"names__service_name": "cmg.contoso.com"}
    assert not differences(contoso(), contoso(**renamed))[0].needs_redeployment
    configmgr = contoso(target=Target.CONFIGMGR)
    assert differences(configmgr, contoso(target=Target.CONFIGMGR, **renamed))[0].needs_redeployment


def test_servers_that_come_and_go_are_named() -> None:
    less = contoso(connection_point=contoso().connection_point[:1])
    assert differences(contoso(), less) == (Difference("connection_point.1.host", "cp02.corp.contoso.com", None),)
    assert differences(less, contoso()) == (Difference("connection_point.1.host", None, "cp02.corp.contoso.com"),)


def test_a_key_that_is_set_for_the_first_time_has_no_value_before() -> None:
    assert differences(contoso(azure__tenant_id=None), contoso())[0].before is None
